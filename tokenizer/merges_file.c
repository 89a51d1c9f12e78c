/* Reading and writing merge rules. */
#include "tokenizer/merges_file.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "tokenizer/fields.h"
#include "tokenizer/limits.h"

static const char VERSION[] = "#version";

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* "a b": two tokens and one space between them. `text` is ended by a NUL or a line end. */
static as_status read_text(as_loader *loader, as_bpe *bpe, const char *where, const char *text, size_t length) {
  const char *space = memchr(text, ' ', length);
  size_t left = space ? (size_t)(space - text) : 0, right = space ? length - left - 1 : 0;
  if (left == 0 || right == 0 || memchr(space + 1, ' ', right))
    return as_field_fail(loader, "", where, "must be two tokens with a space between, but is \"%.*s\"",
                         (int)(length > 60 ? 60 : length), text);
  return as_bpe_add_merge(loader, bpe, where, text, left, space + 1, right);
}

static as_status read_item(as_loader *loader, as_bpe *bpe, const char *where, const json_t *item) {
  if (json_is_string(item)) return read_text(loader, bpe, where, json_string_value(item), json_string_length(item));
  const json_t *left = json_array_get(item, 0), *right = json_array_get(item, 1);
  if (json_array_size(item) != 2 || !json_is_string(left) || !json_is_string(right))
    return as_field_fail(loader, "", where, "must be two tokens");
  return as_bpe_add_merge(loader, bpe, where, json_string_value(left), json_string_length(left),
                          json_string_value(right), json_string_length(right));
}

as_status as_read_merges_list(as_loader *loader, const json_t *model, as_bpe *bpe) {
  const json_t *list = json_object_get(model, "merges"), *item;
  size_t index;
  if (!json_is_array(list)) return as_field_fail(loader, "", "merges", "must be a list");
  json_array_foreach(list, index, item) {
    char where[32];
    snprintf(where, sizeof where, "merges[%zu]", index);
    as_status status = read_item(loader, bpe, where, item);
    if (status != AS_OK) return status;
  }
  return AS_OK;
}

as_status as_read_merges_txt(as_loader *loader, as_bpe *bpe) {
  char *text;
  size_t length, number = 1;
  as_status status = as_file_read(loader->ctx, loader->path, AS_MAX_TOKENIZER_FILE, AS_E_MODEL, &text, &length);
  if (status != AS_OK) return status;
  for (char *line = text, *end = text + length, *stop; line < end && status == AS_OK; line = stop + 1, number++) {
    char where[32];
    stop = memchr(line, '\n', (size_t)(end - line));
    if (!stop) stop = end;
    size_t size = (size_t)(stop - line);
    if (size > 0 && line[size - 1] == '\r') size--;
    if (number == 1 && strncmp(line, VERSION, strlen(VERSION)) == 0) continue;
    snprintf(where, sizeof where, "line %zu", number);
    line[size] = 0;
    status = read_text(loader, bpe, where, line, size);
  }
  as_free(loader->ctx, text);
  return status;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

/* Appends the tokens of rule `index` with a space between. */
static void put_rule(const as_tokenizer *tokenizer, const as_bpe *bpe, size_t index, as_buffer *out) {
  const as_merge_rule *rule = &bpe->merges.rules[index];
  size_t length;
  const char *token = as_vocabulary_token(&tokenizer->vocabulary, rule->left, &length);
  as_buffer_append(out, token, length);
  as_buffer_char(out, ' ');
  token = as_vocabulary_token(&tokenizer->vocabulary, rule->right, &length);
  as_buffer_append(out, token, length);
}

static bool has_spaces(const as_tokenizer *tokenizer, const as_bpe *bpe) {
  for (size_t i = 0; i < bpe->merges.count; i++)
    if (strchr(as_vocabulary_token(&tokenizer->vocabulary, bpe->merges.rules[i].left, NULL), ' ') ||
        strchr(as_vocabulary_token(&tokenizer->vocabulary, bpe->merges.rules[i].right, NULL), ' '))
      return true;
  return false;
}

void as_write_merges_list(const as_tokenizer *tokenizer, const as_bpe *bpe, as_json_writer *writer) {
  bool pairs = has_spaces(tokenizer, bpe);
  as_buffer rule;
  as_buffer_init(&rule, tokenizer->ctx);
  as_json_open_array(writer, "merges");
  for (size_t i = 0; i < bpe->merges.count; i++) {
    const as_merge_rule *ids = &bpe->merges.rules[i];
    if (pairs) {
      as_json_open_array(writer, NULL);
      as_json_string(writer, NULL, as_vocabulary_token(&tokenizer->vocabulary, ids->left, NULL));
      as_json_string(writer, NULL, as_vocabulary_token(&tokenizer->vocabulary, ids->right, NULL));
      as_json_close_array(writer);
      continue;
    }
    as_buffer_clear(&rule);
    put_rule(tokenizer, bpe, i, &rule);
    as_json_string_n(writer, NULL, as_buffer_string(&rule), rule.length);
  }
  as_json_close_array(writer);
  if (rule.failed) writer->out->failed = true;
  as_buffer_free(&rule);
}

as_status as_save_merges_txt(const as_tokenizer *tokenizer, const as_bpe *bpe, const char *folder) {
  as_buffer out;
  as_buffer_init(&out, tokenizer->ctx);
  as_buffer_printf(&out, "%s: 0.2\n", VERSION);
  for (size_t i = 0; i < bpe->merges.count; i++) {
    put_rule(tokenizer, bpe, i, &out);
    as_buffer_char(&out, '\n');
  }
  as_status status = as_file_write_into(tokenizer->ctx, folder, "merges.txt", &out);
  as_buffer_free(&out);
  return status;
}
