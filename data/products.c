/* See products.h. */
#include "data/products.h"

#include <string.h>

#include "base/memory.h"

#define MOST_PRICE INT64_C(900000000000000000) /* hundredths */

bool as_price_read(const char *text, size_t length, int64_t *hundredths) {
  const char *at = text, *end = text + length;
  int64_t value = 0;
  int decimals = -1, digits = 0;
  bool round_up = false;
  while (at < end && *at == ' ') at++;
  while (end > at && end[-1] == ' ') end--;
  for (; at < end; at++) {
    if (*at == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (*at < '0' || *at > '9') return false;
    digits++;
    if (decimals == 2) round_up = *at >= '5';
    if (decimals >= 0) decimals++;
    if (decimals > 2) continue;
    value = value * 10 + (*at - '0');
    if (value > MOST_PRICE) return false;
  }
  if (digits == 0) return false;
  for (int i = decimals < 0 ? 0 : decimals; i < 2; i++) value *= 10;
  if (value > MOST_PRICE) return false;
  *hundredths = value + round_up;
  return true;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

void as_products_free(as_products *p) {
  if (!p) return;
  as_context *ctx = p->ctx;
  for (size_t c = 0; p->columns && c < p->column_names.count; c++) as_text_block_free(ctx, &p->columns[c]);
  as_text_block_free(ctx, &p->ids);
  as_text_block_free(ctx, &p->names);
  as_text_block_free(ctx, &p->categories);
  as_text_block_free(ctx, &p->column_names);
  as_text_index_free(ctx, &p->index);
  as_free(ctx, p->prices);
  as_free(ctx, p->columns);
  as_free(ctx, p);
}

as_status as_products_new(as_context *ctx, const char *const *columns, size_t column_count, as_products **out) {
  *out = NULL;
  as_products *p = as_alloc_zero(ctx, 1, sizeof *p);
  if (!p) return AS_E_NOMEM;
  p->ctx = ctx;
  p->columns = as_alloc_zero(ctx, column_count, sizeof *p->columns);
  bool ok = p->columns != NULL;
  for (size_t c = 0; ok && c < column_count; c++)
    ok = as_text_block_add(ctx, &p->column_names, columns[c], strlen(columns[c]));
  if (!ok) {
    as_products_free(p);
    return AS_E_NOMEM;
  }
  *out = p;
  return AS_OK;
}

bool as_products_add(as_products *p, as_csv_field id, as_csv_field name, as_csv_field category, int64_t price,
                     const as_csv_field *values) {
  as_context *ctx = p->ctx;
  const size_t n = p->ids.count;
  uint64_t number;
  int64_t *prices = as_grow(ctx, p->prices, &p->prices_size, n + 1, sizeof *prices);
  if (!prices) return false;
  p->prices = prices;
  prices[n] = price;
  for (size_t c = 0; c < p->column_names.count; c++)
    if (!as_text_block_add(ctx, &p->columns[c], values[c].text, values[c].length)) return false;
  return as_text_index_put(ctx, &p->index, &p->ids, id.text, id.length, n, &number) &&
         as_text_block_add(ctx, &p->names, name.text, name.length) &&
         as_text_block_add(ctx, &p->categories, category.text, category.length) &&
         as_text_block_add(ctx, &p->ids, id.text, id.length);
}

int64_t as_products_count(const as_products *p) { return (int64_t)p->ids.count; }

int64_t as_products_find(const as_products *p, const char *id, size_t length) {
  const uint64_t number = as_text_index_find(&p->index, &p->ids, id, length);
  return number == UINT64_MAX ? -1 : (int64_t)number;
}

const char *as_products_id(const as_products *p, int64_t product, size_t *length) {
  return as_text_block_get(&p->ids, (size_t)product, length);
}
const char *as_products_name(const as_products *p, int64_t product) {
  return as_text_block_get(&p->names, (size_t)product, NULL);
}
const char *as_products_category(const as_products *p, int64_t product) {
  return as_text_block_get(&p->categories, (size_t)product, NULL);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

enum { ID, NAME, CATEGORY, PRICE, FIXED };

typedef struct reading {
  as_csv_reader *csv;
  const as_product_options *options;
  bool present[FIXED];
  size_t fixed[FIXED];
  size_t *further; /* [column_count] */
  as_csv_field *values;
} reading;

static as_status find_columns(reading *in, const as_products *p) {
  static const char *const names[FIXED] = {"product_id", "name", "category", "price"};
  as_status status = AS_OK;
  for (int i = 0; status == AS_OK && i < FIXED; i++) {
    in->present[i] = i == ID || as_csv_has_column(in->csv, names[i]);
    if (in->present[i]) status = as_csv_column(in->csv, names[i], &in->fixed[i]);
  }
  for (size_t c = 0; status == AS_OK && c < p->column_names.count; c++)
    status = as_csv_column(in->csv, as_text_block_get(&p->column_names, c, NULL), &in->further[c]);
  return status;
}

static as_csv_field value_of(const reading *in, const as_csv_row *row, int column) {
  return in->present[column] ? row->fields[in->fixed[column]] : (as_csv_field){"", 0};
}

/* What is wrong with a sound CSV row as a product; NONE: nothing, and *price is set. */
static as_data_problem fault_of(const reading *in, const as_products *p, const as_csv_row *row, int64_t *price) {
  const as_csv_field id = value_of(in, row, ID), text = value_of(in, row, PRICE);
  if (as_text_is_blank(id.text, id.length)) return AS_PROBLEM_EMPTY_ID;
  if (as_products_find(p, id.text, id.length) >= 0) return AS_PROBLEM_DUPLICATE_ID;
  *price = AS_PRICE_UNKNOWN;
  if (as_text_is_blank(text.text, text.length) || as_price_read(text.text, text.length, price)) return AS_PROBLEM_NONE;
  return AS_PROBLEM_BAD_PRICE;
}

static void note(const reading *in, as_data_problem problem, const as_csv_row *row) {
  if (in->options->report) as_data_report_add(in->options->report, problem, row->line, row->problem_line);
}

static as_status refuse(reading *in, as_products *p, const as_csv_row *row, as_data_problem problem) {
  const char *fault = problem == AS_PROBLEM_EMPTY_ID ? "product_id is empty"
                      : problem == AS_PROBLEM_DUPLICATE_ID
                          ? "stands in an earlier row already; ids must be unique"
                          : "price is not a number such as 12.50 (leave it empty if it is not known)";
  note(in, problem, row);
  if (in->options->on_error == AS_ON_ERROR_SKIP) {
    p->skipped++;
    return AS_OK;
  }
  const as_csv_field id = value_of(in, row, ID);
  return as_fail(p->ctx, AS_E_DATA, "%s: line %llu: product \"%.60s\": %s", as_csv_name(in->csv),
                 (unsigned long long)row->line, id.text, fault);
}

static as_status take_row(reading *in, as_products *p, const as_csv_row *row) {
  if (in->options->report) in->options->report->rows++;
  if (row->problem != AS_PROBLEM_NONE) note(in, row->problem, row);
  if (row->problem == AS_PROBLEM_EMPTY_ROW && in->options->on_error != AS_ON_ERROR_FAIL) return AS_OK;
  if (row->problem != AS_PROBLEM_NONE) {
    if (in->options->on_error != AS_ON_ERROR_SKIP) return as_csv_fail_row(in->csv, row);
    p->skipped++;
    return AS_OK;
  }
  int64_t price;
  const as_data_problem fault = fault_of(in, p, row, &price);
  if (fault != AS_PROBLEM_NONE) return refuse(in, p, row, fault);
  if (p->ids.count >= INT32_MAX - 1)
    return as_fail(p->ctx, AS_E_DATA, "%s: line %llu: more products than can be held", as_csv_name(in->csv),
                   (unsigned long long)row->line);
  if (in->options->report) in->options->report->kept++;
  for (size_t c = 0; c < p->column_names.count; c++) in->values[c] = row->fields[in->further[c]];
  const bool ok = as_products_add(p, value_of(in, row, ID), value_of(in, row, NAME), value_of(in, row, CATEGORY), price,
                                  in->values);
  return ok ? AS_OK : AS_E_NOMEM;
}

static as_status read_rows(reading *in, as_products *p, const char *path) {
  const as_csv_row *row;
  as_status status = find_columns(in, p);
  while (status == AS_OK) {
    status = as_csv_next(in->csv, &row);
    if (status != AS_OK || !row) break;
    status = take_row(in, p, row);
  }
  if (in->options->report) in->options->report->blank_lines = as_csv_blank_lines(in->csv);
  if (status == AS_OK && p->ids.count == 0)
    status = as_fail(p->ctx, AS_E_DATA, "%s: line 1: there is no product in it", path);
  return status;
}

as_status as_products_read(as_context *ctx, const char *path, const as_product_options *options, as_products **out) {
  static const as_product_options defaults;
  reading in = {.options = options ? options : &defaults};
  as_products *p = NULL;
  *out = NULL;
  as_status status = as_csv_open(ctx, path, &in.options->csv, &in.csv);
  if (status == AS_OK) status = as_products_new(ctx, in.options->columns, in.options->column_count, &p);
  if (status == AS_OK) {
    in.further = as_alloc(ctx, in.options->column_count, sizeof *in.further);
    in.values = as_alloc(ctx, in.options->column_count, sizeof *in.values);
    status = in.further && in.values ? read_rows(&in, p, path) : AS_E_NOMEM;
  }
  as_csv_close(in.csv);
  as_free(ctx, in.further);
  as_free(ctx, in.values);
  if (status != AS_OK) {
    as_products_free(p);
    return status;
  }
  *out = p;
  return AS_OK;
}
