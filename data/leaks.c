/* See leaks.h. */
#include "data/leaks.h"

#include <string.h>

#include "base/memory.h"
#include "base/text_unicode.h"
#include "data/text_index.h"

/* A text in lower case, each run of white space as one space, none at the ends. */
static void fold(const char *text, size_t length, as_buffer *out) {
  as_string_view rest = {text, length};
  bool space = false;
  as_buffer_clear(out);
  while (rest.length > 0) {
    const as_string_view before = rest;
    if (as_is_space(as_next_code_point(&rest))) {
      space = true;
      continue;
    }
    if (space && out->length > 0) as_buffer_char(out, ' ');
    space = false;
    as_buffer_append(out, before.text, before.length - rest.length);
  }
}

/* The folded text of a row; `scratch` holds it before its case is folded. */
static as_status fold_row(const as_messages *messages, int64_t row, as_buffer *scratch, as_buffer *out) {
  size_t length;
  const char *text = as_messages_text(messages, row, &length);
  fold(text, length, scratch);
  as_buffer_clear(out);
  as_append_lower(out, (as_string_view){as_buffer_string(scratch), scratch->length});
  if (scratch->failed) return AS_E_NOMEM;
  return as_buffer_status(out);
}

static bool has_other_label(const as_messages *a, int64_t row, const as_messages *b, int64_t other) {
  for (size_t c = 0; c < as_messages_column_count(a); c++) {
    if (!as_messages_column_present(a, c) || !as_messages_column_present(b, c)) continue;
    if (strcmp(as_messages_value(a, c, row), as_messages_value(b, c, other)) != 0) return true;
  }
  return false;
}

/* Texts of the other table, folded, and the row of each. */
typedef struct folded {
  as_text_block texts;
  as_text_index index;
  int64_t *rows; /* [texts.count] */
  size_t size;
} folded;

static as_status fold_all(as_context *ctx, const as_messages *messages, as_buffer scratch[2], folded *out) {
  for (int64_t row = 0; row < as_messages_count(messages); row++) {
    as_status status = fold_row(messages, row, &scratch[0], &scratch[1]);
    if (status != AS_OK) return status;
    const char *text = as_buffer_string(&scratch[1]);
    uint64_t number;
    if (!as_text_index_put(ctx, &out->index, &out->texts, text, scratch[1].length, out->texts.count, &number))
      return AS_E_NOMEM;
    if (number != UINT64_MAX) continue;
    int64_t *rows = as_grow(ctx, out->rows, &out->size, out->texts.count + 1, sizeof *rows);
    if (!rows) return AS_E_NOMEM;
    out->rows = rows;
    rows[out->texts.count] = row;
    if (!as_text_block_add(ctx, &out->texts, text, scratch[1].length)) return AS_E_NOMEM;
  }
  return AS_OK;
}

static void note(as_data_leaks *leaks, uint64_t line, uint64_t other) {
  as_data_finding *examples = &leaks->examples;
  if (examples->count < AS_DATA_EXAMPLES) {
    examples->lines[examples->count] = line;
    examples->earlier[examples->count] = other;
  }
  examples->count++;
}

as_status as_data_find_leaks(as_context *ctx, const as_messages *messages, const as_messages *other,
                             as_data_leaks *out) {
  folded theirs = {0};
  as_buffer scratch[2];
  *out = (as_data_leaks){.other = other};
  as_buffer_init(&scratch[0], ctx);
  as_buffer_init(&scratch[1], ctx);
  as_status status = fold_all(ctx, other, scratch, &theirs);
  for (int64_t row = 0; row < as_messages_count(messages) && status == AS_OK; row++) {
    status = fold_row(messages, row, &scratch[0], &scratch[1]);
    if (status != AS_OK) break;
    const uint64_t number =
        as_text_index_find(&theirs.index, &theirs.texts, as_buffer_string(&scratch[1]), scratch[1].length);
    if (number == UINT64_MAX) continue;
    out->rows++;
    out->other_labels += has_other_label(messages, row, other, theirs.rows[number]);
    note(out, as_messages_line(messages, row), as_messages_line(other, theirs.rows[number]));
  }
  as_text_block_free(ctx, &theirs.texts);
  as_text_index_free(ctx, &theirs.index);
  as_free(ctx, theirs.rows);
  as_buffer_free(&scratch[0]);
  as_buffer_free(&scratch[1]);
  return status;
}
