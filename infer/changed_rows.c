/* See changed_rows.h. */
#include "infer/changed_rows.h"

#include <inttypes.h>
#include <stdio.h>

#include "data/csv_write.h"
#include "eval/comparison.h"

enum { LINE, TEXT, TRUTH, FIRST, FIRST_CONFIDENCE, SECOND, SECOND_CONFIDENCE, CHANGE, COLUMNS };

static void append_row(const as_answer_pair *a, int64_t i, as_row_change change, as_buffer numbers[2], as_buffer *out) {
  char line[24];
  as_csv_field fields[COLUMNS];
  snprintf(line, sizeof line, "%" PRIu64, as_messages_line(a->rows->messages, a->rows->rows[i]));
  fields[LINE] = as_csv_text(line);
  fields[TEXT].text = as_messages_text(a->rows->messages, a->rows->rows[i], &fields[TEXT].length);
  fields[TRUTH] = as_csv_text(a->labels->names[a->rows->truth[i]]);
  for (int model = 0; model < 2; model++) {
    const int32_t answer = a->predicted[model][i];
    fields[FIRST + 2 * model] = as_csv_text(a->labels->names[answer]);
    fields[FIRST_CONFIDENCE + 2 * model] =
        as_csv_number(&numbers[model], a->probabilities[model][i * (int64_t)a->labels->count + answer]);
  }
  fields[CHANGE] = as_csv_text(as_row_change_name(change));
  as_csv_append_row(out, fields, COLUMNS, ',');
}

as_status as_changed_rows_csv(as_context *ctx, const as_answer_pair *a, as_buffer *out) {
  static const as_row_change order[] = {AS_ROW_BROKEN, AS_ROW_FIXED, AS_ROW_BOTH_WRONG};
  const as_csv_field names[COLUMNS] = {as_csv_text("line"),
                                       as_csv_text("text"),
                                       as_csv_text("truth"),
                                       as_csv_text("first"),
                                       as_csv_text("first_confidence"),
                                       as_csv_text("second"),
                                       as_csv_text("second_confidence"),
                                       as_csv_text("change")};
  as_buffer numbers[2];
  for (int model = 0; model < 2; model++) as_buffer_init(&numbers[model], ctx);
  as_csv_append_row(out, names, COLUMNS, ',');
  for (size_t kind = 0; kind < sizeof order / sizeof order[0]; kind++)
    for (int64_t i = 0; i < a->rows->count; i++)
      if (as_row_change_of(a->rows->truth[i], a->predicted[0][i], a->predicted[1][i]) == order[kind])
        append_row(a, i, order[kind], numbers, out);
  as_status status = numbers[0].failed || numbers[1].failed ? AS_E_NOMEM : as_buffer_status(out);
  for (int model = 0; model < 2; model++) as_buffer_free(&numbers[model]);
  return status;
}
