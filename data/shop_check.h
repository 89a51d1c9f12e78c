/* What is in a shop's files, interactions and products, and what is wrong with them. */
#ifndef AS_DATA_SHOP_CHECK_H
#define AS_DATA_SHOP_CHECK_H

#include "data/interactions.h"

typedef struct as_shop_check_options {
  as_csv_options csv;
  const as_interaction_types *types;
  int64_t now; /* seconds since 1970; a time more than a day after it has not come yet (without a zone it may be any) */
} as_shop_check_options;

typedef struct as_shop_summary {
  as_context *ctx;
  const char *products_path, *interactions_path; /* borrowed; the second NULL: products alone */
  as_data_report products_report, interactions_report;
  as_products *products;
  as_interactions *interactions; /* NULL without */
  as_interaction_types types;
  int64_t by_type[AS_MOST_INTERACTION_TYPES];
  int64_t nameless, uncategorized, unpriced; /* products */
  int64_t untouched;                         /* products without an interaction */
  int64_t single;                            /* customers with one interaction */
  int64_t unordered;                         /* rows that are older than the one before */
} as_shop_summary;

/* Reads both files to their ends, whatever is wrong with single rows. AS_E_DATA: a file that can't be read as CSV, a
 * missing column, no row that can be used. End with as_shop_summary_free, also after a failure. */
AS_MUST_CHECK as_status as_shop_check(as_context *ctx, const char *products, const char *interactions,
                                      const as_shop_check_options *options, as_shop_summary *out);
void as_shop_summary_free(as_shop_summary *summary);

/* Rows of both files that can't be used or have a time that has not come; *path and *line are the first's. */
int64_t as_shop_summary_faults(const as_shop_summary *summary, const char **path, uint64_t *line);
/* For a person, and as one JSON object. */
void as_shop_summary_print(const as_shop_summary *summary, as_buffer *out);
void as_shop_summary_json(const as_shop_summary *summary, as_json_writer *writer);

#endif
