/* What customers did with products: views, additions to the cart, purchases and whatever else a shop records.
 *
 * Invariants: rows stand by customer, a customer's rows by time and, at the same time, in the order of the file;
 * customers are numbered in the order of their first appearance; every product number is one of the catalogue's. */
#ifndef AS_DATA_INTERACTIONS_H
#define AS_DATA_INTERACTIONS_H

#include "data/hold_out.h"
#include "data/products.h"
#include "data/timestamp.h"

enum { AS_MOST_INTERACTION_TYPES = 64, AS_INTERACTION_TYPE_LENGTH = 47 };

/* The types of interaction and how much one of each counts. */
typedef struct as_interaction_types {
  int count;
  char names[AS_MOST_INTERACTION_TYPES][AS_INTERACTION_TYPE_LENGTH + 1];
  double weights[AS_MOST_INTERACTION_TYPES];
} as_interaction_types;

/* view 1, add_to_cart 3, purchase 5. */
as_interaction_types as_interaction_types_usual(void);
/* The type's number, -1 if there is none of this name. */
int as_interaction_type_find(const as_interaction_types *types, const char *name, size_t length);
/* Reads "TYPE=W" pairs with commas between; a new type is added. AS_E_INVALID: no such pairs, a weight that is negative
 * or no number, too many types or a name too long. */
AS_MUST_CHECK as_status as_interaction_types_set(as_context *ctx, as_interaction_types *types, const char *pairs);

typedef struct as_interaction {
  int32_t product;
  uint32_t time; /* seconds since 1970, UTC */
  uint32_t type;
} as_interaction;

typedef struct as_interactions {
  as_context *ctx;
  as_text_block customers; /* ids */
  as_text_index index;
  int64_t *starts;         /* [customers + 1] into rows */
  as_interaction *rows;    /* [starts[customers]] */
  uint32_t oldest, newest; /* times of all rows; 0 without rows */
  int64_t ignored;         /* rows whose type has weight 0 */
  int64_t unknown;         /* rows left out because their product is not in the catalogue */
  int64_t other_side;      /* rows left out by as_interaction_options.hold_out */
  int64_t skipped;         /* rows left out because something else is wrong with them */
  uint64_t first_unknown;  /* line of the first such row, 0: none */
} as_interactions;

/* Hears of every row that is taken, as it stands in the file; what it returns, if not AS_OK, ends the reading. */
typedef struct as_interaction_watch {
  as_status (*take)(void *user, const as_csv_row *row, as_csv_field customer, const as_interaction *interaction);
  void *user;
} as_interaction_watch;

typedef struct as_interaction_options {
  as_csv_options csv;
  const as_interaction_types *types; /* a row of another type is an error; one of weight 0 is left out */
  const char *type_advice; /* what the error says after the type; NULL: that --weight TYPE=W gives it a weight */
  as_on_error on_error;              /* SKIP: rows that can't be used are left out and counted */
  as_hold_out hold_out; /* which rows are read, by customer and product */
  bool may_be_empty; /* a file with no row that is read gives a table without rows, else it is an error */
  bool skip_unknown; /* rows with a product that the catalogue lacks are left out and counted, else an error */
  as_data_report *report;            /* counts rows and what is wrong with them; NULL: not wanted */
  const as_interaction_watch *watch; /* NULL: none */
} as_interaction_options;

/* Reads `path`: columns customer_id, product_id, interaction_type, timestamp; others are not looked at. AS_E_DATA: what
 * the CSV reader refuses, an empty id, an unknown product or type, a time that can't be read, no row left; the text
 * names file and line. Caller frees. */
AS_MUST_CHECK as_status as_interactions_read(as_context *ctx, const char *path, const as_products *products,
                                             const as_interaction_options *options, as_interactions **out);

/* Building a table in memory: rows in any order, then as_interactions_sort once. */
typedef struct as_interaction_builder {
  as_interactions *table;
  struct as_pending_interaction *pending; /* [count] */
  size_t count, size;
} as_interaction_builder;
AS_MUST_CHECK as_status as_interaction_builder_start(as_context *ctx, as_interaction_builder *out);
/* False without memory or with too many customers, with the error recorded. */
bool as_interaction_builder_add(as_interaction_builder *builder, const char *customer, size_t length,
                                as_interaction row);
/* Gives the table to *out, or frees it all on failure or when `out` is NULL. */
AS_MUST_CHECK as_status as_interaction_builder_end(as_interaction_builder *builder, as_interactions **out);

/* A table with the rows of both: the customers of `first` keep their numbers. Product numbers are of one catalogue. */
AS_MUST_CHECK as_status as_interactions_join(as_context *ctx, const as_interactions *first,
                                             const as_interactions *second, as_interactions **out);

void as_interactions_free(as_interactions *interactions); /* NULL is allowed */
int64_t as_interactions_count(const as_interactions *interactions);
int64_t as_interactions_customers(const as_interactions *interactions);
/* The customer's number, -1 if there is none of this id. */
int64_t as_interactions_find(const as_interactions *interactions, const char *id, size_t length);
const char *as_interactions_customer(const as_interactions *interactions, int64_t customer, size_t *length);

#endif
