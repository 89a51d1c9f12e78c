/* Wrong rows as CSV. */
#include "infer/wrong_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/csv_write.h"
#include "eval/evaluation.h"

enum { LINE, TEXT, TRUTH, PREDICTED, CONFIDENCE, COLUMNS };

/* [rows] the probability of each prediction. NULL on failure; caller frees. */
static double *confidences(as_context *ctx, const as_answers *a, int64_t rows) {
  double *out = as_alloc(ctx, (size_t)rows, sizeof *out);
  for (int64_t row = 0; out && row < rows; row++) out[row] = a->probabilities[row * a->classes + a->predicted[row]];
  return out;
}

static void append_row(const as_answers *a, int64_t row, const double *confidence, as_buffer *number, as_buffer *out) {
  char line[24];
  as_csv_field fields[COLUMNS];
  snprintf(line, sizeof line, "%" PRIu64, as_messages_line(a->messages, row));
  fields[LINE] = as_csv_text(line);
  fields[TEXT].text = as_messages_text(a->messages, row, &fields[TEXT].length);
  fields[TRUTH] = as_csv_text(a->labels[a->truth[row]]);
  fields[PREDICTED] = as_csv_text(a->labels[a->predicted[row]]);
  fields[CONFIDENCE] = as_csv_text("");
  if (confidence) fields[CONFIDENCE] = as_csv_number(number, confidence[row]);
  as_csv_append_row(out, fields, COLUMNS, ',');
}

static void append_header(as_buffer *out) {
  const as_csv_field names[COLUMNS] = {as_csv_text("line"), as_csv_text("text"), as_csv_text("truth"),
                                       as_csv_text("predicted"), as_csv_text("confidence")};
  as_csv_append_row(out, names, COLUMNS, ',');
}

as_status as_wrong_rows_csv(as_context *ctx, const as_answers *a, as_buffer *out) {
  const int64_t rows = as_messages_count(a->messages);
  int64_t *order = NULL, count = 0;
  as_buffer number;
  as_buffer_init(&number, ctx);
  double *confidence = a->probabilities ? confidences(ctx, a, rows) : NULL;
  as_status status = a->probabilities && !confidence ? AS_E_NOMEM : AS_OK;
  if (status == AS_OK) status = as_wrong_rows(ctx, rows, a->truth, a->predicted, confidence, &order, &count);
  if (status == AS_OK) {
    append_header(out);
    for (int64_t i = 0; i < count; i++) append_row(a, order[i], confidence, &number, out);
    status = number.failed ? AS_E_NOMEM : as_buffer_status(out);
  }
  as_free(ctx, order);
  as_free(ctx, confidence);
  as_buffer_free(&number);
  return status;
}
