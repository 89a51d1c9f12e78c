/* Reading and writing vocabularies. */
#include "tokenizer/vocab_file.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/fields.h"
#include "tokenizer/limits.h"
#include "tokenizer/vocab_scan.h"

as_status as_read_vocab_object(as_loader *loader, json_t *object, const char *where) {
  as_vocabulary *vocabulary = &loader->tokenizer->vocabulary;
  const char *token;
  json_t *value;
  as_status status = as_field_object(loader, object, where);
  if (status != AS_OK || vocabulary->count > 0) return status; /* as_scan_vocab has read it */
  json_int_t limit = 2 * (json_int_t)json_object_size(object) + AS_MAX_ID_HOLES;
  json_object_foreach(object, token, value) {
    json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;
    if (id < 0 || id >= limit)
      return as_field_fail(loader, where, "",
                           "gives \"%.60s\" an id that is not an integer from 0 to %" JSON_INTEGER_FORMAT
                           " (twice the number of tokens)",
                           token, limit - 1);
    const char *taken = as_vocabulary_token(vocabulary, id, NULL);
    if (taken)
      return as_field_fail(loader, where, "", "gives id %" JSON_INTEGER_FORMAT " to both \"%.60s\" and \"%.60s\"", id,
                           taken, token);
    status = as_vocabulary_add(vocabulary, token, strlen(token), (int32_t)id);
    if (status != AS_OK) return as_fail_prefix(loader->ctx, status, "%s", loader->path);
  }
  return AS_OK;
}

void as_write_vocab_object(const as_tokenizer *tokenizer, const char *key, as_json_writer *writer) {
  as_json_open_object(writer, key);
  for (size_t id = 0; id < tokenizer->vocabulary.limit; id++) {
    const char *token = as_vocabulary_token(&tokenizer->vocabulary, (int64_t)id, NULL);
    if (token) as_json_int(writer, token, (int64_t)id);
  }
  as_json_close_object(writer);
}

as_status as_read_vocab_document(as_loader *loader) {
  char *text;
  size_t length;
  json_t *root = NULL;
  as_status status = as_file_read(loader->ctx, loader->path, AS_MAX_TOKENIZER_FILE, AS_E_MODEL, &text, &length);
  if (status != AS_OK) return status;
  status = as_scan_vocab(loader->ctx, text, &length, NULL, &loader->tokenizer->vocabulary);
  if (status == AS_OK) status = as_json_parse(loader->ctx, text, length, loader->path, AS_E_MODEL, &root);
  as_free(loader->ctx, text);
  if (status == AS_OK) status = as_read_vocab_object(loader, root, "");
  json_decref(root);
  return status;
}

as_status as_save_vocab_json(const as_tokenizer *tokenizer, const char *folder) {
  as_buffer out;
  as_buffer_init(&out, tokenizer->ctx);
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_write_vocab_object(tokenizer, NULL, &writer);
  as_status status = as_file_write_into(tokenizer->ctx, folder, "vocab.json", &out);
  as_buffer_free(&out);
  return status;
}

/* One line of vocab.txt; *repeats counts the tokens that came before. */
static as_status add_line(as_loader *loader, const char *line, size_t length, int32_t id, size_t *repeats) {
  as_vocabulary *vocabulary = &loader->tokenizer->vocabulary;
  if (memchr(line, 0, length) || !as_utf8_valid(line, length))
    return as_fail(loader->ctx, AS_E_MODEL, "%s: line %" PRId32 " is not a token in UTF-8", loader->path, id + 1);
  if ((size_t)id >= 2 * vocabulary->count + AS_MAX_ID_HOLES)
    return as_fail(loader->ctx, AS_E_MODEL, "%s: line %" PRId32 ": most lines before it are empty or repeated",
                   loader->path, id + 1);
  int32_t old = as_vocabulary_id(vocabulary, line, length);
  if (old >= 0 && (*repeats)++ == 0)
    as_warn(loader->ctx, "%s: line %" PRId32 " repeats the token of line %" PRId32 "; the later id counts",
            loader->path, id + 1, old + 1);
  as_status status = as_vocabulary_add(vocabulary, line, length, id);
  return status == AS_OK ? AS_OK : as_fail_prefix(loader->ctx, status, "%s", loader->path);
}

as_status as_read_vocab_lines(as_loader *loader) {
  char *text;
  size_t length, repeats = 0;
  as_status status = as_file_read(loader->ctx, loader->path, AS_MAX_TOKENIZER_FILE, AS_E_MODEL, &text, &length);
  if (status != AS_OK) return status;
  const char *line = text, *end = text + length;
  for (int32_t id = 0; line < end && status == AS_OK; id++) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    if (!stop) stop = end;
    size_t size = (size_t)(stop - line);
    if (size > 0 && line[size - 1] == '\r') size--;
    status = add_line(loader, line, size, id, &repeats);
    line = stop + 1;
  }
  as_free(loader->ctx, text);
  if (repeats > 1) as_warn(loader->ctx, "%s: %zu more lines repeat a token", loader->path, repeats - 1);
  if (status == AS_OK && loader->tokenizer->vocabulary.count == 0)
    return as_fail(loader->ctx, AS_E_MODEL, "%s: holds no token; a vocabulary has one a line", loader->path);
  return status;
}

as_status as_save_vocab_txt(const as_tokenizer *tokenizer, const void *state, const char *folder) {
  as_context *ctx = tokenizer->ctx;
  as_buffer out;
  (void)state;
  as_buffer_init(&out, ctx);
  for (size_t id = 0; id < tokenizer->vocabulary.limit; id++) {
    size_t length = 0;
    const char *token = as_vocabulary_token(&tokenizer->vocabulary, (int64_t)id, &length);
    if (token) as_buffer_append(&out, token, length);
    as_buffer_char(&out, '\n');
  }
  as_status status = as_file_write_into(ctx, folder, "vocab.txt", &out);
  as_buffer_free(&out);
  return status;
}
