/* Showing what data/check.c counted: to a person, and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "base/utf8.h"
#include "data/check_private.h"

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

/* Rows by length, each line twice as long as the one before. */
static void print_histogram(const as_data_summary *summary, as_buffer *out) {
  enum { BAR = 40 };
  const as_length_summary *lengths = summary->has_tokens ? &summary->tokens : &summary->words;
  int first = 0, last = AS_LENGTH_BINS - 1;
  int64_t most = 1;
  while (first < last && lengths->bins[first] == 0) first++;
  while (last > first && lengths->bins[last] == 0) last--;
  for (int bin = first; bin <= last; bin++)
    if (lengths->bins[bin] > most) most = lengths->bins[bin];
  as_buffer_printf(out, "\n  %-17s %8s\n", summary->has_tokens ? "tokens" : "words", "rows");
  for (int bin = first; bin <= last; bin++) {
    const int64_t from = bin == 0 ? 1 : (INT64_C(1) << (bin - 1)) + 1;
    char range[48];
    if (bin < 2)
      snprintf(range, sizeof range, "%d", bin + 1);
    else
      snprintf(range, sizeof range, "%" PRId64 " to %" PRId64, from, INT64_C(1) << bin);
    as_buffer_printf(out, "  %-17s %8" PRId64 "  ", range, lengths->bins[bin]);
    const int64_t bar = (lengths->bins[bin] * BAR + most - 1) / most;
    for (int64_t i = 0; i < bar; i++) as_buffer_char(out, '#');
    while (out->length > 0 && out->data[out->length - 1] == ' ') out->length--;
    as_buffer_char(out, '\n');
  }
}

static void print_leaks(const as_data_leaks *leaks, int64_t rows, as_buffer *out) {
  put_name(out, as_messages_path(leaks->other));
  as_buffer_printf(out, " has %" PRId64 " of the %" PRId64 " rows too", leaks->rows, rows);
  if (leaks->other_labels > 0) as_buffer_printf(out, ", %" PRId64 " with another label", leaks->other_labels);
  as_buffer_text(out, leaks->rows == 1 ? " (line " : " (lines ");
  for (int i = 0; i < leaks->examples.count && i < AS_DATA_EXAMPLES; i++)
    as_buffer_printf(out, "%s%" PRIu64 " like %" PRIu64, i > 0 ? ", " : "", leaks->examples.lines[i],
                     leaks->examples.earlier[i]);
  as_buffer_text(out, leaks->examples.count > AS_DATA_EXAMPLES ? ", ...)\n" : ")\n");
}

/* All warnings, one line each: of the classes, the lengths, the other file, then of the rows. */
static void collect_warnings(const as_data_summary *summary, as_buffer *out) {
  for (size_t c = 0; c < summary->column_count; c++) as_class_summary_warnings(&summary->columns[c], out);
  const int64_t rows = as_messages_count(summary->messages);
  if (summary->truncated > 0)
    as_buffer_printf(out, "%" PRId64 " %s of more than %" PRId64 " tokens (%.3g %%); what is beyond is cut off\n",
                     summary->truncated, summary->truncated == 1 ? "row" : "rows", summary->max_length,
                     100.0 * (double)summary->truncated / (double)rows);
  if (summary->leaks && summary->leaks->rows > 0) print_leaks(summary->leaks, rows, out);
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
  if (summary->has_tokens) print_lengths("tokens", &summary->tokens, out);
  print_histogram(summary, out);
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
  as_json_open_array(writer, "histogram");
  for (int bin = 0; bin < AS_LENGTH_BINS; bin++) {
    if (lengths->bins[bin] == 0) continue;
    as_json_open_object(writer, NULL);
    as_json_int(writer, "to", INT64_C(1) << bin);
    as_json_int(writer, "rows", lengths->bins[bin]);
    as_json_close_object(writer);
  }
  as_json_close_array(writer);
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

static void leaks_json(as_json_writer *writer, const as_data_leaks *leaks) {
  as_json_open_object(writer, "against");
  as_json_string(writer, "file", as_messages_path(leaks->other));
  as_json_int(writer, "rows", leaks->rows);
  as_json_int(writer, "other_labels", leaks->other_labels);
  as_data_finding_json(&leaks->examples, true, writer);
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
  if (summary->has_tokens) {
    lengths_json(writer, "tokens", &summary->tokens);
    if (summary->max_length > 0) as_json_int(writer, "max_length", summary->max_length);
    if (summary->max_length > 0) as_json_int(writer, "truncated", summary->truncated);
  }
  if (summary->leaks) leaks_json(writer, summary->leaks);
  as_json_open_object(writer, "columns");
  for (size_t c = 0; c < summary->column_count; c++) classes_json(writer, &summary->columns[c]);
  as_json_close_object(writer);
  warnings_json(summary, writer);
  as_json_close_object(writer);
}
