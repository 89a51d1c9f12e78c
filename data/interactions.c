/* Reading interactions: rows are gathered as they come, then put in order by a counting sort over the customers and a
 * merge sort within each. */
#include "data/interactions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct as_pending_interaction {
  int32_t customer;
  as_interaction row;
} pending;

/* ---- types ------------------------------------------------------------------------------------------------------ */

as_interaction_types as_interaction_types_usual(void) {
  return (as_interaction_types){.count = 3, .names = {"view", "add_to_cart", "purchase"}, .weights = {1, 3, 5}};
}

int as_interaction_type_find(const as_interaction_types *types, const char *name, size_t length) {
  for (int i = 0; i < types->count; i++)
    if (strlen(types->names[i]) == length && memcmp(types->names[i], name, length) == 0) return i;
  return -1;
}

as_status as_interaction_types_set(as_context *ctx, as_interaction_types *types, const char *pairs) {
  for (const char *at = pairs;;) {
    const size_t length = strcspn(at, ",");
    const char *equals = memchr(at, '=', length);
    char *end;
    const double weight = equals ? strtod(equals + 1, &end) : -1;
    if (!equals || equals == at || end == equals + 1 || end != at + length || !(weight >= 0) || weight > 1e6)
      return as_fail(ctx, AS_E_INVALID, "\"%.*s\" is not a type and its weight from 0 to 1000000, such as purchase=5",
                     (int)length, at);
    const size_t name = (size_t)(equals - at);
    int type = as_interaction_type_find(types, at, name);
    if (type < 0 && (types->count == AS_MOST_INTERACTION_TYPES || name > AS_INTERACTION_TYPE_LENGTH))
      return as_fail(ctx, AS_E_INVALID, "there can be %d types of interaction with names of up to %d bytes",
                     AS_MOST_INTERACTION_TYPES, AS_INTERACTION_TYPE_LENGTH);
    if (type < 0) {
      type = types->count++;
      memcpy(types->names[type], at, name);
      types->names[type][name] = '\0';
    }
    types->weights[type] = weight;
    at += length;
    if (!*at++) return AS_OK;
  }
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

void as_interactions_free(as_interactions *t) {
  if (!t) return;
  as_text_block_free(t->ctx, &t->customers);
  as_text_index_free(t->ctx, &t->index);
  as_free(t->ctx, t->starts);
  as_free(t->ctx, t->rows);
  as_free(t->ctx, t);
}

int64_t as_interactions_count(const as_interactions *t) { return t->starts[t->customers.count]; }
int64_t as_interactions_customers(const as_interactions *t) { return (int64_t)t->customers.count; }

int64_t as_interactions_find(const as_interactions *t, const char *id, size_t length) {
  const uint64_t number = as_text_index_find(&t->index, &t->customers, id, length);
  return number == UINT64_MAX ? -1 : (int64_t)number;
}

const char *as_interactions_customer(const as_interactions *t, int64_t customer, size_t *length) {
  return as_text_block_get(&t->customers, (size_t)customer, length);
}

as_status as_interaction_builder_start(as_context *ctx, as_interaction_builder *out) {
  *out = (as_interaction_builder){.table = as_alloc_zero(ctx, 1, sizeof *out->table)};
  if (!out->table) return AS_E_NOMEM;
  out->table->ctx = ctx;
  return AS_OK;
}

bool as_interaction_builder_add(as_interaction_builder *b, const char *customer, size_t length, as_interaction row) {
  as_interactions *t = b->table;
  pending *rows = as_grow(t->ctx, b->pending, &b->size, b->count + 1, sizeof *rows);
  uint64_t number;
  if (!rows) return false;
  b->pending = rows;
  if (!as_text_index_put(t->ctx, &t->index, &t->customers, customer, length, t->customers.count, &number)) return false;
  if (number == UINT64_MAX) {
    number = t->customers.count;
    if (number >= INT32_MAX - 1) {
      as_fail(t->ctx, AS_E_NOMEM, "there are more customers than can be held");
      return false;
    }
    if (!as_text_block_add(t->ctx, &t->customers, customer, length)) return false;
  }
  if (b->count == 0 || row.time < t->oldest) t->oldest = row.time;
  if (b->count == 0 || row.time > t->newest) t->newest = row.time;
  rows[b->count++] = (pending){(int32_t)number, row};
  return true;
}

/* Stable merge sort by time; `room` holds as many rows. Most files are in order already: then nothing is moved. */
static void sort_by_time(as_interaction *rows, int64_t count, as_interaction *room) {
  for (int64_t width = 1; width < count; width *= 2)
    for (int64_t start = 0; start + width < count; start += 2 * width) {
      const int64_t middle = start + width, end = middle + width < count ? middle + width : count;
      if (rows[middle - 1].time <= rows[middle].time) continue;
      memcpy(room, rows + start, (size_t)width * sizeof *room);
      int64_t left = 0, right = middle, to = start;
      while (left < width)
        rows[to++] = right < end && rows[right].time < room[left].time ? rows[right++] : room[left++];
    }
}

static as_status sort_table(as_interaction_builder *b) {
  as_interactions *t = b->table;
  const size_t customers = t->customers.count;
  int64_t most = 0;
  t->starts = as_alloc_zero(t->ctx, customers + 2, sizeof *t->starts);
  t->rows = as_alloc(t->ctx, b->count, sizeof *t->rows);
  if (!t->starts || !t->rows) return AS_E_NOMEM;
  /* starts[c + 1] serves as the place of c's next row, and ends as the start of c + 1. */
  for (size_t i = 0; i < b->count; i++) t->starts[b->pending[i].customer + 2]++;
  for (size_t c = 2; c <= customers + 1; c++) {
    if (t->starts[c] > most) most = t->starts[c];
    t->starts[c] += t->starts[c - 1];
  }
  for (size_t i = 0; i < b->count; i++) t->rows[t->starts[b->pending[i].customer + 1]++] = b->pending[i].row;
  as_interaction *room = as_alloc(t->ctx, (size_t)most, sizeof *room);
  if (!room) return AS_E_NOMEM;
  for (size_t c = 0; c < customers; c++)
    sort_by_time(t->rows + t->starts[c], t->starts[c + 1] - t->starts[c], room);
  as_free(t->ctx, room);
  return AS_OK;
}

as_status as_interaction_builder_end(as_interaction_builder *b, as_interactions **out) {
  as_status status = out && b->table ? sort_table(b) : AS_OK;
  if (b->table) as_free(b->table->ctx, b->pending);
  if (out) *out = status == AS_OK ? b->table : NULL;
  if (!out || status != AS_OK) as_interactions_free(b->table);
  *b = (as_interaction_builder){0};
  return status;
}

static bool add_table(as_interaction_builder *b, const as_interactions *from) {
  bool ok = true;
  for (int64_t c = 0; ok && c < as_interactions_customers(from); c++) {
    size_t length;
    const char *id = as_interactions_customer(from, c, &length);
    for (int64_t i = from->starts[c]; ok && i < from->starts[c + 1]; i++)
      ok = as_interaction_builder_add(b, id, length, from->rows[i]);
  }
  return ok;
}

as_status as_interactions_join(as_context *ctx, const as_interactions *first, const as_interactions *second,
                               as_interactions **out) {
  as_interaction_builder builder;
  *out = NULL;
  as_status status = as_interaction_builder_start(ctx, &builder);
  if (status != AS_OK) return status;
  if (add_table(&builder, first) && add_table(&builder, second)) return as_interaction_builder_end(&builder, out);
  as_status ended = as_interaction_builder_end(&builder, NULL);
  (void)ended;
  return AS_E_NOMEM;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

enum { CUSTOMER, PRODUCT, TYPE, TIME, COLUMNS };

typedef struct reading {
  as_context *ctx;
  as_csv_reader *csv;
  const as_products *products;
  const as_interaction_options *options;
  as_interaction_builder builder;
  size_t columns[COLUMNS];
} reading;

static void note(const reading *in, as_data_problem problem, const as_csv_row *row) {
  if (in->options->report) as_data_report_add(in->options->report, problem, row->line, row->problem_line);
}

/* `value` stands in quotes between the two parts of the text; NULL: there is no value. */
static as_status refuse(reading *in, as_data_problem problem, const as_csv_row *row, const char *what,
                        const char *value, const char *fault) {
  note(in, problem, row);
  if (in->options->on_error == AS_ON_ERROR_SKIP) {
    in->builder.table->skipped++;
    return AS_OK;
  }
  const char *quote = value ? "\"" : "";
  return as_fail(in->ctx, AS_E_DATA, "%s: line %llu: %s%s%.60s%s%s", as_csv_name(in->csv), (unsigned long long)row->line,
                 what, quote, value ? value : "", quote, fault);
}

static as_status take_row(reading *in, const as_csv_row *row) {
  as_interactions *t = in->builder.table;
  if (in->options->report) in->options->report->rows++;
  if (row->problem != AS_PROBLEM_NONE) note(in, row->problem, row);
  if (row->problem == AS_PROBLEM_EMPTY_ROW && in->options->on_error != AS_ON_ERROR_FAIL) return AS_OK;
  if (row->problem != AS_PROBLEM_NONE) {
    if (in->options->on_error != AS_ON_ERROR_SKIP) return as_csv_fail_row(in->csv, row);
    t->skipped++;
    return AS_OK;
  }
  const as_csv_field customer = row->fields[in->columns[CUSTOMER]], product = row->fields[in->columns[PRODUCT]];
  const as_csv_field type = row->fields[in->columns[TYPE]], time = row->fields[in->columns[TIME]];
  as_interaction out = {0};
  if (as_text_is_blank(customer.text, customer.length)) return refuse(in, AS_PROBLEM_EMPTY_ID, row, "customer_id is empty", NULL, "");
  const int number = as_interaction_type_find(in->options->types, type.text, type.length);
  if (number < 0)
    return refuse(in, AS_PROBLEM_UNKNOWN_TYPE, row, "interaction type ", type.text,
                  in->options->type_advice ? in->options->type_advice
                                           : " has no weight; give it one with --weight TYPE=W");
  if (!as_timestamp_read(time.text, time.length, &out.time))
    return refuse(in, AS_PROBLEM_BAD_TIME, row, "timestamp ", time.text,
                  " is neither a time such as 2025-01-31 12:30:00 (from 1970 to 2106) nor Unix seconds");
  const int64_t found = as_products_find(in->products, product.text, product.length);
  if (found < 0 && in->options->skip_unknown) {
    if (t->unknown++ == 0) t->first_unknown = row->line;
    return AS_OK;
  }
  if (found < 0) return refuse(in, AS_PROBLEM_UNKNOWN_PRODUCT, row, "product ", product.text, " is not in the catalogue");
  if (in->options->types->weights[number] <= 0) {
    t->ignored++;
    return AS_OK;
  }
  if (!as_hold_out_takes_pair(&in->options->hold_out, customer.text, customer.length, product.text, product.length)) {
    t->other_side++;
    return AS_OK;
  }
  out.product = (int32_t)found;
  out.type = (uint32_t)number;
  if (in->options->report) in->options->report->kept++;
  if (in->options->watch) {
    as_status status = in->options->watch->take(in->options->watch->user, row, customer, &out);
    if (status != AS_OK) return status;
  }
  return as_interaction_builder_add(&in->builder, customer.text, customer.length, out) ? AS_OK : AS_E_NOMEM;
}

static as_status read_rows(reading *in) {
  static const char *const names[COLUMNS] = {"customer_id", "product_id", "interaction_type", "timestamp"};
  const as_csv_row *row;
  as_status status = AS_OK;
  for (int i = 0; status == AS_OK && i < COLUMNS; i++) status = as_csv_column(in->csv, names[i], &in->columns[i]);
  while (status == AS_OK) {
    status = as_csv_next(in->csv, &row);
    if (status != AS_OK || !row) break;
    status = take_row(in, row);
  }
  if (in->options->report) in->options->report->blank_lines = as_csv_blank_lines(in->csv);
  return status;
}

as_status as_interactions_read(as_context *ctx, const char *path, const as_products *products,
                               const as_interaction_options *options, as_interactions **out) {
  reading in = {.ctx = ctx, .products = products, .options = options};
  *out = NULL;
  as_status status = as_csv_open(ctx, path, &options->csv, &in.csv);
  if (status == AS_OK) status = as_interaction_builder_start(ctx, &in.builder);
  if (status == AS_OK) status = read_rows(&in);
  if (status == AS_OK && in.builder.count == 0 && !options->may_be_empty)
    status = as_fail(ctx, AS_E_DATA, "%s: line 1: there is no interaction in it that can be used", as_csv_name(in.csv));
  as_csv_close(in.csv);
  if (status == AS_OK) return as_interaction_builder_end(&in.builder, out);
  as_status ended = as_interaction_builder_end(&in.builder, NULL);
  (void)ended;
  return status;
}
