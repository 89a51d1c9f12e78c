/* The `tokenize` command without its files. */
#include "tokenizer/tokenize_json.h"

#include "base/json.h"
#include "base/memory.h"
#include "tokenizer/stages.h"

static void write_flat(as_json_writer *writer, const char *key, const uint32_t *values, size_t count) {
  as_json_open_array(writer, key);
  for (size_t i = 0; i < count; i++) as_json_int(writer, NULL, values[i]);
  as_json_close_array(writer);
}

static void write_ids(as_json_writer *writer, const char *key, const int32_t *values, size_t count) {
  as_json_open_array(writer, key);
  for (size_t i = 0; i < count; i++) as_json_int(writer, NULL, values[i]);
  as_json_close_array(writer);
}

static as_status encode_line(const as_tokenizer *tokenizer, const json_t *line, size_t max_length,
                             as_encoding *encoding, as_json_writer *writer) {
  const json_t *text = json_object_get(line, "text"), *pair = json_object_get(line, "text_pair");
  if (!json_is_string(text)) return as_fail(encoding->ctx, AS_E_DATA, "\"text\" must be a text");
  if (pair && !json_is_null(pair) && !json_is_string(pair))
    return as_fail(encoding->ctx, AS_E_DATA, "\"text_pair\" must be a text");
  bool raw = as_model_of(tokenizer)->raw;
  as_encode_options options = {.offsets = true, .max_length = max_length, .no_special_tokens = raw};
  as_status status = as_tokenizer_encode(tokenizer, json_string_value(text), json_string_length(text),
                                         json_string_value(pair), json_string_length(pair), &options, encoding);
  if (status != AS_OK) return status;
  size_t count = encoding->length;
  write_ids(writer, "ids", encoding->ids, count);
  as_json_open_array(writer, "tokens");
  for (size_t i = 0; i < count; i++) {
    size_t length = 0;
    const char *token = as_encoding_token(tokenizer, encoding, i, &length);
    as_json_string_n(writer, NULL, token, length);
  }
  as_json_close_array(writer);
  write_flat(writer, "char_offsets", encoding->char_offsets, 2 * count);
  write_flat(writer, "byte_offsets", encoding->byte_offsets, 2 * count);
  write_ids(writer, "type_ids", encoding->type_ids, count);
  if (!raw) return AS_OK;
  options.no_special_tokens = false;
  status = as_tokenizer_encode(tokenizer, json_string_value(text), json_string_length(text), json_string_value(pair),
                               json_string_length(pair), &options, encoding);
  if (status == AS_OK) write_ids(writer, "ids_special", encoding->ids, encoding->length);
  return status;
}

static as_status decode_ids(const as_tokenizer *tokenizer, const int64_t *ids, size_t count, as_context *ctx,
                            as_json_writer *writer) {
  as_status status = AS_OK;
  for (int skip = 0; skip < 2 && status == AS_OK; skip++) {
    as_buffer text;
    as_buffer_init(&text, ctx);
    status = as_tokenizer_decode(tokenizer, ids, count, skip, &text);
    if (status == AS_OK)
      as_json_string_n(writer, skip ? "text_skip_special" : "text", as_buffer_string(&text), text.length);
    as_buffer_free(&text);
  }
  return status;
}

static as_status decode_line(const as_tokenizer *tokenizer, const json_t *line, as_context *ctx,
                             as_json_writer *writer) {
  const json_t *list = json_object_get(line, "ids"), *item;
  size_t index, count = json_array_size(list);
  if (!json_is_array(list)) return as_fail(ctx, AS_E_DATA, "\"ids\" must be a list of integers");
  int64_t *ids = as_alloc(ctx, count, sizeof *ids);
  if (!ids) return AS_E_NOMEM;
  as_status status = AS_OK;
  json_array_foreach(list, index, item) {
    if (!json_is_integer(item)) {
      status = as_fail(ctx, AS_E_DATA, "\"ids\"[%zu] is not an integer", index);
      break;
    }
    ids[index] = json_integer_value(item);
  }
  if (status == AS_OK) status = decode_ids(tokenizer, ids, count, ctx, writer);
  as_free(ctx, ids);
  return status;
}

as_status as_tokenize_json_line(const as_tokenizer *tokenizer, const char *line, size_t length,
                                const as_tokenize_json_options *options, as_encoding *encoding, as_buffer *out) {
  as_context *ctx = encoding->ctx;
  json_t *json;
  as_status status = as_json_parse(ctx, line, length, "JSON", AS_E_DATA, &json);
  if (status != AS_OK) return status;
  size_t start = out->length;
  as_json_writer writer = as_json_writer_start(out, 0);
  as_json_open_object(&writer, NULL);
  if (!json_is_object(json))
    status = as_fail(ctx, AS_E_DATA, "a line must be an object with \"text\" or \"ids\"");
  else if (options->decode || (!json_object_get(json, "text") && json_object_get(json, "ids")))
    status = decode_line(tokenizer, json, ctx, &writer);
  else
    status = encode_line(tokenizer, json, options->max_length, encoding, &writer);
  as_json_close_object(&writer);
  as_buffer_char(out, '\n');
  json_decref(json);
  if (status == AS_OK) return as_buffer_status(out);
  out->length = start;
  if (out->data) out->data[start] = 0;
  return status;
}
