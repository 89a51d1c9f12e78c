/* See shop_check.h. */
#include "data/shop_check.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"

/* ---- counting --------------------------------------------------------------------------------------------------- */

/* What the rows show while they are read. */
typedef struct watching {
  as_shop_summary *summary;
  int64_t now;
  uint32_t before; /* time of the row before */
  as_buffer key;
  as_text_block keys; /* customer, product, type and time of each different row */
  as_text_index index;
  uint64_t *lines; /* [keys.count] */
  size_t size;
} watching;

/* Finds an earlier row that says the same. */
static as_status note_repetition(watching *w, const as_csv_row *row, as_csv_field customer, const as_interaction *i) {
  as_context *ctx = w->summary->ctx;
  uint64_t number;
  as_buffer_clear(&w->key);
  as_buffer_append(&w->key, customer.text, customer.length);
  as_buffer_printf(&w->key, "\n%d %u %u", (int)i->product, (unsigned)i->type, (unsigned)i->time);
  as_status status = as_buffer_status(&w->key);
  if (status != AS_OK) return status;
  uint64_t *lines = as_grow(ctx, w->lines, &w->size, w->keys.count + 1, sizeof *lines);
  if (!lines) return AS_E_NOMEM;
  w->lines = lines;
  if (!as_text_index_put(ctx, &w->index, &w->keys, w->key.data, w->key.length, w->keys.count, &number))
    return AS_E_NOMEM;
  if (number != UINT64_MAX) {
    as_data_report_add(&w->summary->interactions_report, AS_PROBLEM_DUPLICATE, row->line, lines[number]);
    return AS_OK;
  }
  lines[w->keys.count] = row->line;
  return as_text_block_add(ctx, &w->keys, w->key.data, w->key.length) ? AS_OK : AS_E_NOMEM;
}

static as_status take(void *user, const as_csv_row *row, as_csv_field customer, const as_interaction *interaction) {
  watching *w = user;
  as_shop_summary *s = w->summary;
  s->by_type[interaction->type]++;
  s->unordered += interaction->time < w->before;
  w->before = interaction->time;
  if ((int64_t)interaction->time > w->now + AS_DAY_SECONDS)
    as_data_report_add(&s->interactions_report, AS_PROBLEM_FUTURE, row->line, 0);
  return note_repetition(w, row, customer, interaction);
}

static as_status read_interactions(as_shop_summary *s, const as_shop_check_options *options) {
  watching w = {.summary = s, .now = options->now};
  as_buffer_init(&w.key, s->ctx);
  const as_interaction_watch watch = {take, &w};
  const as_interaction_options reading = {.csv = options->csv,
                                          .types = &s->types,
                                          .on_error = AS_ON_ERROR_SKIP,
                                          .report = &s->interactions_report,
                                          .watch = &watch};
  as_status status = as_interactions_read(s->ctx, s->interactions_path, s->products, &reading, &s->interactions);
  as_buffer_free(&w.key);
  as_text_block_free(s->ctx, &w.keys);
  as_text_index_free(s->ctx, &w.index);
  as_free(s->ctx, w.lines);
  return status;
}

static void count_products(as_shop_summary *s) {
  for (int64_t p = 0; p < as_products_count(s->products); p++) {
    const char *name = as_products_name(s->products, p), *category = as_products_category(s->products, p);
    s->nameless += as_text_is_blank(name, strlen(name));
    s->uncategorized += as_text_is_blank(category, strlen(category));
    s->unpriced += s->products->prices[p] == AS_PRICE_UNKNOWN;
  }
}

static as_status count_interactions(as_shop_summary *s) {
  const as_interactions *t = s->interactions;
  bool *touched = as_alloc_zero(s->ctx, (size_t)as_products_count(s->products), sizeof *touched);
  if (!touched) return AS_E_NOMEM;
  for (int64_t i = 0; i < as_interactions_count(t); i++) touched[t->rows[i].product] = true;
  for (int64_t p = 0; p < as_products_count(s->products); p++) s->untouched += !touched[p];
  for (int64_t c = 0; c < as_interactions_customers(t); c++) s->single += t->starts[c + 1] - t->starts[c] == 1;
  as_free(s->ctx, touched);
  return AS_OK;
}

as_status as_shop_check(as_context *ctx, const char *products, const char *interactions,
                        const as_shop_check_options *options, as_shop_summary *out) {
  *out = (as_shop_summary){
      .ctx = ctx, .products_path = products, .interactions_path = interactions, .types = *options->types};
  out->products_report.table = AS_TABLE_PRODUCTS;
  out->interactions_report.table = AS_TABLE_INTERACTIONS;
  const as_product_options reading = {
      .csv = options->csv, .on_error = AS_ON_ERROR_SKIP, .report = &out->products_report};
  as_status status = as_products_read(ctx, products, &reading, &out->products);
  if (status == AS_OK) count_products(out);
  if (status != AS_OK || !interactions) return status;
  status = read_interactions(out, options);
  return status == AS_OK ? count_interactions(out) : status;
}

void as_shop_summary_free(as_shop_summary *summary) {
  as_products_free(summary->products);
  as_interactions_free(summary->interactions);
  summary->products = NULL;
  summary->interactions = NULL;
}

int64_t as_shop_summary_faults(const as_shop_summary *summary, const char **path, uint64_t *line) {
  const as_data_finding *future = &summary->interactions_report.findings[AS_PROBLEM_FUTURE];
  uint64_t first;
  const int64_t products = as_data_report_broken(&summary->products_report, line);
  const int64_t interactions = as_data_report_broken(&summary->interactions_report, &first);
  *path = products > 0 ? summary->products_path : summary->interactions_path;
  if (products == 0) *line = first;
  if (products == 0 && future->count > 0 && (interactions == 0 || future->lines[0] < first)) *line = future->lines[0];
  return products + interactions + future->count;
}

/* ---- showing ---------------------------------------------------------------------------------------------------- */

static void print_head(as_buffer *out, const char *path, const as_data_report *report) {
  as_buffer_printf(out, "%s: %" PRId64 " rows", path, report->rows);
  if (report->kept < report->rows) as_buffer_printf(out, ", %" PRId64 " of them usable", report->kept);
  as_buffer_char(out, '\n');
}

static void print_count(as_buffer *out, int64_t count, const char *what) {
  if (count > 0) as_buffer_printf(out, "  %8" PRId64 "  %s\n", count, what);
}

static void print_interactions(const as_shop_summary *s, as_buffer *out) {
  char oldest[AS_TIMESTAMP_TEXT], newest[AS_TIMESTAMP_TEXT];
  as_timestamp_write(s->interactions->oldest, oldest);
  as_timestamp_write(s->interactions->newest, newest);
  print_head(out, s->interactions_path, &s->interactions_report);
  as_buffer_printf(out, "  from %s to %s%s\n", oldest, newest, s->unordered ? "" : ", by time");
  print_count(out, as_interactions_customers(s->interactions), "customers");
  print_count(out, s->single, "of them with a single interaction");
  for (int type = 0; type < s->types.count; type++) {
    if (s->by_type[type] == 0) continue;
    as_buffer_printf(out, "  %8" PRId64 "  %s (weight %g)\n", s->by_type[type], s->types.names[type],
                     s->types.weights[type]);
  }
  print_count(out, s->interactions->ignored, "of a type with weight 0");
  print_count(out, s->untouched, "products without an interaction");
  print_count(out, s->unordered, "rows are older than the one before them");
}

void as_shop_summary_print(const as_shop_summary *s, as_buffer *out) {
  print_head(out, s->products_path, &s->products_report);
  print_count(out, as_products_count(s->products), "products");
  print_count(out, s->nameless, "of them without a name");
  print_count(out, s->uncategorized, "of them without a category");
  print_count(out, s->unpriced, "of them without a price");
  as_data_report_print(&s->products_report, out);
  if (s->interactions) {
    as_buffer_char(out, '\n');
    print_interactions(s, out);
    as_data_report_print(&s->interactions_report, out);
  }
}

static void interactions_json(const as_shop_summary *s, as_json_writer *writer) {
  char time[AS_TIMESTAMP_TEXT];
  as_json_open_object(writer, "interactions");
  as_json_string(writer, "file", s->interactions_path);
  as_data_report_json(&s->interactions_report, writer);
  as_json_int(writer, "customers", as_interactions_customers(s->interactions));
  as_json_int(writer, "single", s->single);
  as_timestamp_write(s->interactions->oldest, time);
  as_json_string(writer, "oldest", time);
  as_timestamp_write(s->interactions->newest, time);
  as_json_string(writer, "newest", time);
  as_json_open_object(writer, "types");
  for (int type = 0; type < s->types.count; type++) as_json_int(writer, s->types.names[type], s->by_type[type]);
  as_json_close_object(writer);
  as_json_int(writer, "ignored", s->interactions->ignored);
  as_json_int(writer, "untouched_products", s->untouched);
  as_json_int(writer, "unordered", s->unordered);
  as_json_close_object(writer);
}

void as_shop_summary_json(const as_shop_summary *s, as_json_writer *writer) {
  as_json_open_object(writer, NULL);
  as_json_open_object(writer, "products");
  as_json_string(writer, "file", s->products_path);
  as_data_report_json(&s->products_report, writer);
  as_json_int(writer, "products", as_products_count(s->products));
  as_json_int(writer, "nameless", s->nameless);
  as_json_int(writer, "uncategorized", s->uncategorized);
  as_json_int(writer, "unpriced", s->unpriced);
  as_json_close_object(writer);
  if (s->interactions) interactions_json(s, writer);
  as_json_close_object(writer);
}
