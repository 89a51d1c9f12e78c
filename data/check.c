/* Counting; check_report.c shows what was counted. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "data/check_private.h"
#include "data/text_faults.h"

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

/* The first bin whose end, 2^bin, is not below the length. */
static int bin_of(int64_t length) {
  int bin = 0;
  while (bin + 1 < AS_LENGTH_BINS && (INT64_C(1) << bin) < length) bin++;
  return bin;
}

static as_length_summary sum_up(int64_t *lengths, int64_t count) {
  double sum = 0;
  as_length_summary out;
  for (int64_t i = 0; i < count; i++) sum += (double)lengths[i];
  qsort(lengths, (size_t)count, sizeof *lengths, by_size);
  out = (as_length_summary){.minimum = lengths[0],
                            .p50 = percentile(lengths, count, 50),
                            .p90 = percentile(lengths, count, 90),
                            .p95 = percentile(lengths, count, 95),
                            .p99 = percentile(lengths, count, 99),
                            .maximum = lengths[count - 1],
                            .mean = sum / (double)count};
  for (int64_t i = 0; i < count; i++) out.bins[bin_of(lengths[i])]++;
  return out;
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

static void find_text_faults(const as_messages *messages, as_data_report *report) {
  for (int64_t row = 0; row < as_messages_count(messages); row++) {
    size_t length;
    const char *text = as_messages_text(messages, row, &length);
    const as_data_problem fault = as_text_fault(text, length);
    if (fault != AS_PROBLEM_NONE) as_data_report_add(report, fault, as_messages_line(messages, row), 0);
  }
}

as_status as_data_check(as_context *ctx, const as_messages *messages, as_data_report *report, as_data_summary **out) {
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
  find_text_faults(messages, report);
  *out = summary;
  return AS_OK;
}

void as_data_summary_add_tokens(as_data_summary *summary, int64_t *lengths, int64_t max_length) {
  const int64_t count = as_messages_count(summary->messages);
  summary->tokens = sum_up(lengths, count);
  summary->has_tokens = true;
  summary->max_length = max_length;
  for (int64_t i = 0; i < count; i++) summary->truncated += max_length > 0 && lengths[i] > max_length;
}

void as_data_summary_add_leaks(as_data_summary *summary, const as_data_leaks *leaks) {
  summary->leaks = leaks;
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
const as_length_summary *as_data_summary_tokens(const as_data_summary *summary) {
  return summary->has_tokens ? &summary->tokens : NULL;
}
int64_t as_data_summary_truncated(const as_data_summary *summary) {
  return summary->truncated;
}
size_t as_data_summary_columns(const as_data_summary *summary) {
  return summary->column_count;
}

const as_class_summary *as_data_summary_classes(const as_data_summary *summary, size_t column) {
  return &summary->columns[column];
}
