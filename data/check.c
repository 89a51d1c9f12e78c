/* Counting, and printing what was counted. */
#include "data/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "base/utf8.h"

struct as_data_summary {
  as_context *ctx;
  const as_messages *messages;
  const as_data_report *report;
  as_length_summary characters, words;
  as_class_summary *columns; /* [column_count] */
  size_t column_count;
};

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int64_t count_words(const char *text, size_t length) {
  int64_t words = 0;
  bool inside = false;
  for (size_t i = 0; i < length; i++) {
    bool blank = as_text_is_blank(text + i, 1);
    if (!blank && !inside) words++;
    inside = !blank;
  }
  return words;
}

/* The value that at least `percent` of the sorted values do not exceed (nearest rank). */
static int64_t percentile(const int64_t *sorted, int64_t count, int percent) {
  int64_t rank = (count * percent + 99) / 100;
  return sorted[rank > 0 ? rank - 1 : 0];
}

static as_length_summary sum_up(int64_t *lengths, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (double)lengths[i];
  qsort(lengths, (size_t)count, sizeof *lengths, by_size);
  return (as_length_summary){.minimum = lengths[0],
                             .p50 = percentile(lengths, count, 50),
                             .p90 = percentile(lengths, count, 90),
                             .p95 = percentile(lengths, count, 95),
                             .p99 = percentile(lengths, count, 99),
                             .maximum = lengths[count - 1],
                             .mean = sum / (double)count};
}

static as_status measure_texts(as_data_summary *summary) {
  int64_t count = as_messages_count(summary->messages);
  int64_t *lengths = as_alloc(summary->ctx, (size_t)count, sizeof *lengths);
  if (!lengths) return AS_E_NOMEM;
  for (int words = 0; words < 2; words++) {
    for (int64_t row = 0; row < count; row++) {
      size_t length;
      const char *text = as_messages_text(summary->messages, row, &length);
      lengths[row] = words ? count_words(text, length) : (int64_t)as_utf8_count(text, length);
    }
    *(words ? &summary->words : &summary->characters) = sum_up(lengths, count);
  }
  as_free(summary->ctx, lengths);
  return AS_OK;
}

typedef struct ranked_label {
  int64_t count;
  int32_t label;
} ranked_label;

static int by_falling_count(const void *a, const void *b) {
  const ranked_label *x = a, *y = b;
  if (x->count != y->count) return x->count > y->count ? -1 : 1;
  return x->label < y->label ? -1 : 1;
}

static as_status rank_labels(as_context *ctx, as_class_summary *classes) {
  ranked_label *ranked = as_alloc(ctx, (size_t)classes->labels, sizeof *ranked);
  if (!ranked) return AS_E_NOMEM;
  for (int32_t label = 0; label < classes->labels; label++)
    ranked[label] = (ranked_label){classes->counts[label], label};
  qsort(ranked, (size_t)classes->labels, sizeof *ranked, by_falling_count);
  for (int32_t i = 0; i < classes->labels; i++) classes->by_count[i] = ranked[i].label;
  as_free(ctx, ranked);
  return AS_OK;
}

static as_status count_classes(as_data_summary *summary, size_t column) {
  const as_messages *messages = summary->messages;
  as_class_summary *classes = &summary->columns[summary->column_count++];
  classes->messages = messages;
  classes->column = column;
  classes->labels = as_messages_label_count(messages, column);
  classes->counts = as_alloc_zero(summary->ctx, (size_t)classes->labels, sizeof *classes->counts);
  classes->by_count = as_alloc(summary->ctx, (size_t)classes->labels, sizeof *classes->by_count);
  if (!classes->counts || !classes->by_count) return AS_E_NOMEM;
  for (int64_t row = 0; row < as_messages_count(messages); row++) {
    int32_t label = as_messages_label(messages, column, row);
    if (label < 0) continue;
    classes->counts[label]++;
    classes->labelled++;
  }
  for (int32_t label = 0; label < classes->labels; label++) classes->small += classes->counts[label] < AS_FEW_ROWS;
  as_status status = rank_labels(summary->ctx, classes);
  if (status != AS_OK || classes->labels == 0) return status;
  int64_t largest = classes->counts[classes->by_count[0]];
  classes->imbalance = (double)largest / (double)classes->counts[classes->by_count[classes->labels - 1]];
  classes->majority_share = (double)largest / (double)classes->labelled;
  return AS_OK;
}

as_status as_data_check(as_context *ctx, const as_messages *messages, const as_data_report *report,
                        as_data_summary **out) {
  *out = NULL;
  as_data_summary *summary = as_alloc_zero(ctx, 1, sizeof *summary);
  if (!summary) return AS_E_NOMEM;
  *summary = (as_data_summary){.ctx = ctx, .messages = messages, .report = report};
  size_t columns = as_messages_column_count(messages);
  summary->columns = as_alloc_zero(ctx, columns, sizeof *summary->columns);
  as_status status = summary->columns ? measure_texts(summary) : AS_E_NOMEM;
  for (size_t c = 0; c < columns && status == AS_OK; c++)
    if (as_messages_column_present(messages, c) && as_messages_label_count(messages, c) > 0)
      status = count_classes(summary, c);
  if (status != AS_OK) {
    as_data_summary_free(summary);
    return status;
  }
  *out = summary;
  return AS_OK;
}

void as_data_summary_free(as_data_summary *summary) {
  if (!summary) return;
  for (size_t c = 0; c < summary->column_count; c++) {
    as_free(summary->ctx, summary->columns[c].counts);
    as_free(summary->ctx, summary->columns[c].by_count);
  }
  as_free(summary->ctx, summary->columns);
  as_free(summary->ctx, summary);
}

const as_length_summary *as_data_summary_characters(const as_data_summary *summary) {
  return &summary->characters;
}
const as_length_summary *as_data_summary_words(const as_data_summary *summary) {
  return &summary->words;
}
size_t as_data_summary_columns(const as_data_summary *summary) {
  return summary->column_count;
}

const as_class_summary *as_data_summary_classes(const as_data_summary *summary, size_t column) {
  return &summary->columns[column];
}

/* ---- for a person ------------------------------------------------------------------------------------------------ */

/* A name from the file, without anything that could steer a terminal. */
static void put_name(as_buffer *out, const char *name) {
  for (; *name; name++) as_buffer_char(out, (unsigned char)*name < 0x20 || *name == 0x7F ? '?' : *name);
}

static void put_spaces(as_buffer *out, size_t count) {
  for (; count > 0; count--) as_buffer_char(out, ' ');
}

static const char *label_name(const as_class_summary *classes, int32_t label) {
  return as_messages_label_name(classes->messages, classes->column, label);
}

static size_t name_width(const char *name) {
  return as_utf8_count(name, strlen(name));
}

void as_class_summary_print(const as_class_summary *classes, as_buffer *out) {
  size_t width = 0;
  for (int32_t label = 0; label < classes->labels; label++)
    if (name_width(label_name(classes, label)) > width) width = name_width(label_name(classes, label));
  if (width > 60) width = 60;
  put_name(out, as_messages_column_name(classes->messages, classes->column));
  as_buffer_printf(out, ": %" PRId32 " %s", classes->labels, classes->labels == 1 ? "class" : "classes");
  if (classes->labelled < as_messages_count(classes->messages))
    as_buffer_printf(out, ", %" PRId64 " rows without one", as_messages_count(classes->messages) - classes->labelled);
  as_buffer_char(out, '\n');
  for (int32_t i = 0; i < classes->labels; i++) {
    const char *name = label_name(classes, classes->by_count[i]);
    int64_t count = classes->counts[classes->by_count[i]];
    as_buffer_text(out, "  ");
    put_name(out, name);
    put_spaces(out, name_width(name) < width ? width - name_width(name) : 0);
    as_buffer_printf(out, " %8" PRId64 "  %5.1f %%\n", count, 100.0 * (double)count / (double)classes->labelled);
  }
}

void as_class_summary_warnings(const as_class_summary *classes, as_buffer *out) {
  if (classes->labels == 0) return;
  const char *column = as_messages_column_name(classes->messages, classes->column);
  int32_t smallest = classes->by_count[classes->labels - 1];
  if (classes->labels == 1) {
    put_name(out, column);
    as_buffer_text(out, ": there is a single class; nothing can be learned from that\n");
  }
  if (classes->small > 0) {
    put_name(out, column);
    as_buffer_printf(out, ": %" PRId32 " of %" PRId32 " classes %s fewer than %d rows; the smallest, '", classes->small,
                     classes->labels, classes->small == 1 ? "has" : "have", AS_FEW_ROWS);
    put_name(out, label_name(classes, smallest));
    as_buffer_printf(out, "', has %" PRId64 "\n", classes->counts[smallest]);
  }
  if (classes->imbalance >= AS_IMBALANCE) {
    put_name(out, column);
    as_buffer_printf(out, ": the largest class, '");
    put_name(out, label_name(classes, classes->by_count[0]));
    as_buffer_printf(out, "', has %.1f times the rows of the smallest, '", classes->imbalance);
    put_name(out, label_name(classes, smallest));
    as_buffer_text(out, "'; --class-weights balanced evens that out\n");
  }
}

static void print_lengths(const char *name, const as_length_summary *lengths, as_buffer *out) {
  as_buffer_printf(
      out, "  %-10s %8" PRId64 " %8" PRId64 " %8" PRId64 " %8" PRId64 " %8" PRId64 " %8" PRId64 " %10.1f\n", name,
      lengths->minimum, lengths->p50, lengths->p90, lengths->p95, lengths->p99, lengths->maximum, lengths->mean);
}

/* All warnings, one line each: of the classes, then of the rows. */
static void collect_warnings(const as_data_summary *summary, as_buffer *out) {
  for (size_t c = 0; c < summary->column_count; c++) as_class_summary_warnings(&summary->columns[c], out);
  as_data_report_print(summary->report, out);
}

void as_data_summary_print(const as_data_summary *summary, as_buffer *out) {
  const as_data_report *report = summary->report;
  put_name(out, as_messages_path(summary->messages));
  as_buffer_printf(out, ": %" PRId64 " rows", report->rows);
  if (report->kept < report->rows) as_buffer_printf(out, ", %" PRId64 " of them usable", report->kept);
  as_buffer_printf(out, "\n\n  %-10s %8s %8s %8s %8s %8s %8s %10s\n", "length in", "least", "p50", "p90", "p95", "p99",
                   "most", "mean");
  print_lengths("characters", &summary->characters, out);
  print_lengths("words", &summary->words, out);
  for (size_t c = 0; c < summary->column_count; c++) {
    as_buffer_char(out, '\n');
    as_class_summary_print(&summary->columns[c], out);
  }
  size_t before = out->length;
  as_buffer_char(out, '\n');
  collect_warnings(summary, out);
  if (out->length == before + 1) as_buffer_text(out, "nothing to worry about\n");
}

/* ---- for a machine ----------------------------------------------------------------------------------------------- */

static void lengths_json(as_json_writer *writer, const char *key, const as_length_summary *lengths) {
  as_json_open_object(writer, key);
  as_json_int(writer, "min", lengths->minimum);
  as_json_int(writer, "p50", lengths->p50);
  as_json_int(writer, "p90", lengths->p90);
  as_json_int(writer, "p95", lengths->p95);
  as_json_int(writer, "p99", lengths->p99);
  as_json_int(writer, "max", lengths->maximum);
  as_json_double(writer, "mean", lengths->mean);
  as_json_close_object(writer);
}

static void classes_json(as_json_writer *writer, const as_class_summary *classes) {
  as_json_open_object(writer, as_messages_column_name(classes->messages, classes->column));
  as_json_int(writer, "classes", classes->labels);
  as_json_int(writer, "labelled", classes->labelled);
  as_json_int(writer, "small_classes", classes->small);
  as_json_double(writer, "imbalance", classes->imbalance);
  as_json_double(writer, "majority_share", classes->majority_share);
  as_json_open_object(writer, "counts");
  for (int32_t label = 0; label < classes->labels; label++)
    as_json_int(writer, label_name(classes, label), classes->counts[label]);
  as_json_close_object(writer);
  as_json_close_object(writer);
}

static void warnings_json(const as_data_summary *summary, as_json_writer *writer) {
  as_buffer text;
  as_buffer_init(&text, summary->ctx);
  collect_warnings(summary, &text);
  if (text.failed) writer->out->failed = true;
  as_json_open_array(writer, "warnings");
  const char *at = as_buffer_string(&text);
  for (const char *end; (end = strchr(at, '\n')) != NULL; at = end + 1)
    as_json_string_n(writer, NULL, at, (size_t)(end - at));
  as_json_close_array(writer);
  as_buffer_free(&text);
}

void as_data_summary_json(const as_data_summary *summary, as_json_writer *writer) {
  char hex[65];
  as_sha256_hex(as_messages_digest(summary->messages), hex);
  as_json_open_object(writer, NULL);
  as_json_string(writer, "file", as_messages_path(summary->messages));
  as_json_string(writer, "sha256", hex);
  as_data_report_json(summary->report, writer);
  lengths_json(writer, "characters", &summary->characters);
  lengths_json(writer, "words", &summary->words);
  as_json_open_object(writer, "columns");
  for (size_t c = 0; c < summary->column_count; c++) classes_json(writer, &summary->columns[c]);
  as_json_close_object(writer);
  warnings_json(summary, writer);
  as_json_close_object(writer);
}
