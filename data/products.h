/* The catalogue: products with name, category, price and any further columns, read from CSV.
 *
 * Invariant: ids are unique and not blank; products are numbered in the order of the file; texts are valid UTF-8. */
#ifndef AS_DATA_PRODUCTS_H
#define AS_DATA_PRODUCTS_H

#include "data/csv.h"
#include "data/text_index.h"

#define AS_PRICE_UNKNOWN INT64_C(-1)

typedef struct as_product_options {
  as_csv_options csv;
  const char *const *columns; /* [column_count] further columns to keep; they must be there */
  size_t column_count;
  as_on_error on_error;   /* SKIP: rows that can't be used are left out and counted */
  as_data_report *report; /* counts rows and what is wrong with them; NULL: not wanted */
} as_product_options;

typedef struct as_products {
  as_context *ctx;
  as_text_block ids, names, categories; /* [count] */
  as_text_index index;                  /* of the ids */
  int64_t *prices;                      /* [count] in hundredths, rounded; AS_PRICE_UNKNOWN */
  size_t prices_size;
  as_text_block column_names; /* [column_count] */
  as_text_block *columns;     /* [column_count] of [count] */
  int64_t skipped;            /* rows left out */
} as_products;

/* Reads `path`. Columns product_id (required), name, category, price (each may be absent or empty: unknown). AS_E_DATA:
 * what the CSV reader refuses, a duplicate or blank id, a price that is no number, is negative or over 9e15, no product
 * at all; the text names file and line. `options` may be NULL. Caller frees. */
AS_MUST_CHECK as_status as_products_read(as_context *ctx, const char *path, const as_product_options *options,
                                         as_products **out);
/* An empty table with these further columns, to be filled by as_products_add. */
AS_MUST_CHECK as_status as_products_new(as_context *ctx, const char *const *columns, size_t column_count,
                                        as_products **out);
/* Adds a product whose id is not there yet; `values` [column_count] of the further columns. Returns false without
 * memory. */
bool as_products_add(as_products *products, as_csv_field id, as_csv_field name, as_csv_field category, int64_t price,
                     const as_csv_field *values);
void as_products_free(as_products *products); /* NULL is allowed */

int64_t as_products_count(const as_products *products);
/* The product's number, -1 if there is none of this id. */
int64_t as_products_find(const as_products *products, const char *id, size_t length);
/* Borrowed; *length (may be NULL) does not count the NUL. */
const char *as_products_id(const as_products *products, int64_t product, size_t *length);
const char *as_products_name(const as_products *products, int64_t product);
const char *as_products_category(const as_products *products, int64_t product);

/* "12.5", "1299.00": a decimal number in hundredths, rounded half up. False if it is none or out of range. */
bool as_price_read(const char *text, size_t length, int64_t *hundredths);

#endif
