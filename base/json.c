/* JSON. Reading is jansson's, with our limits and error texts; writing is ours, because jansson's writer needs a
 * document in memory and prints all numbers with 17 digits. */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"

enum { MAX_DEPTH = 512 }; /* jansson's parser and everything that walks a document recurse */

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Refuses what nests deeper than MAX_DEPTH before a parser recurses into it. Strings are skipped; text that is not JSON
 * may be misjudged here, which the parser then reports. */
static as_status check_depth(as_context *ctx, const char *text, size_t length, const char *where, as_status kind) {
  size_t line = 1;
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    if (c == '\n') line++;
    if (in_string) {
      if (c == '\\')
        i++;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > MAX_DEPTH)
        return as_fail(ctx, kind, "%s: line %zu: nested deeper than %d levels", where, line, MAX_DEPTH);
    } else if (c == ']' || c == '}') {
      depth--;
    }
  }
  return AS_OK;
}

/* A key as it stands in the text, without its quotes. */
typedef struct key_span {
  const char *text; /* NULL: none (yet), or inside an array */
  size_t length;
} key_span;

static void quote_key(as_buffer *out, key_span key) {
  enum { LONGEST = 300 };
  size_t length = key.length;
  if (length > LONGEST)
    for (length = LONGEST; length > 0 && ((unsigned char)key.text[length] & 0xC0) == 0x80;) length--;
  as_buffer_text(out, out->length ? " > \"" : "\"");
  as_buffer_append(out, key.text, length);
  as_buffer_text(out, length < key.length ? "...\"" : "\"");
}

/* Appends the keys that lead to `position`, where the parser stopped: "outer" > "inner". With `last_string` the string
 * that ends there is one of them. Everything before it is known to be JSON. */
static void describe_path(as_buffer *out, const char *text, size_t position, bool last_string) {
  enum { SHOWN = 8 };
  key_span keys[SHOWN] = {0}, string = {0};
  int depth = 0; /* keys[depth - 1] belongs to the innermost object or array */
  for (size_t i = 0; i < position; i++) {
    char c = text[i];
    if (c == '"') {
      size_t start = ++i;
      while (i < position && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
      if (i < position) string = (key_span){text + start, i - start};
    } else if (c == '{' || c == '[') {
      if (depth++ < SHOWN) keys[depth - 1] = (key_span){0};
    } else if (c == '}' || c == ']') {
      if (depth > 0) depth--;
    } else if ((c == ':' || c == ',') && depth > 0 && depth <= SHOWN) {
      keys[depth - 1] = c == ':' ? string : (key_span){0};
    }
  }
  for (int i = 0; i < depth && i < SHOWN; i++)
    if (keys[i].text) quote_key(out, keys[i]);
  if (last_string && string.text) quote_key(out, string);
}

static as_status fail_parse(as_context *ctx, const char *text, size_t length, const char *where, as_status kind,
                            const json_error_t *error) {
  as_buffer path;
  if (json_error_code(error) == json_error_out_of_memory)
    return as_fail(ctx, AS_E_NOMEM, "%s: out of memory while reading JSON", where);
  as_buffer_init(&path, ctx);
  size_t position = error->position > 0 && (size_t)error->position < length ? (size_t)error->position : length;
  describe_path(&path, text, position, json_error_code(error) == json_error_duplicate_key);
  as_status status = as_buffer_status(&path);
  if (status == AS_OK)
    status = as_fail(ctx, kind, "%s: line %d, column %d%s%s: not valid JSON: %s", where, error->line, error->column,
                     path.length ? ", in " : "", as_buffer_string(&path), error->text);
  as_buffer_free(&path);
  return status;
}

static json_t *load(const char *text, size_t length, json_error_t *error) {
  return json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, error);
}

/* Whether these characters are an integer that 64 bits do not hold. */
static bool is_too_big(const char *number, size_t length) {
  char digits[32];
  size_t sign = number[0] == '-';
  for (size_t i = sign; i < length; i++)
    if (number[i] < '0' || number[i] > '9') return false;
  if (length >= sizeof digits) return true;
  memcpy(digits, number, length);
  digits[length] = 0;
  errno = 0;
  strtoll(digits, NULL, 10);
  return errno == ERANGE;
}

/* Copies the text, with ".0" behind each integer that 64 bits do not hold. */
static void widen_integers(const char *text, size_t length, as_buffer *out) {
  for (size_t i = 0, end; i < length; i = end) {
    end = i + 1;
    if (text[i] == '"') {
      while (end < length && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      end = end < length ? end + 1 : length;
      as_buffer_append(out, text + i, end - i);
      continue;
    }
    if (text[i] == '-' || (text[i] >= '0' && text[i] <= '9'))
      while (end < length && text[end] && strchr("0123456789+-.eE", text[end])) end++;
    as_buffer_append(out, text + i, end - i);
    if (end - i > 18 && is_too_big(text + i, end - i)) as_buffer_text(out, ".0");
  }
}

/* Python writes integers of any size (transformers: "model_max_length": 1000000000000000019884624838656). jansson's
 * have 64 bits; a larger one becomes a real number, as in other languages' readers. */
static as_status load_widened(as_context *ctx, const char *text, size_t length, const char *where, as_status kind,
                              json_t **out) {
  json_error_t error;
  as_buffer widened;
  as_buffer_init(&widened, ctx);
  widen_integers(text, length, &widened);
  as_status status = as_buffer_status(&widened);
  if (status == AS_OK) *out = load(widened.data, widened.length, &error);
  if (status == AS_OK && !*out) status = fail_parse(ctx, widened.data, widened.length, where, kind, &error);
  as_buffer_free(&widened);
  return status;
}

as_status as_json_parse(as_context *ctx, const char *text, size_t length, const char *where, as_status kind,
                        json_t **out) {
  json_error_t error;
  *out = NULL;
  as_status status = check_depth(ctx, text, length, where, kind);
  if (status != AS_OK) return status;
  *out = load(text, length, &error);
  if (*out) return AS_OK;
  if (json_error_code(&error) == json_error_numeric_overflow)
    return load_widened(ctx, text, length, where, kind, out);
  return fail_parse(ctx, text, length, where, kind, &error);
}

as_status as_json_read(as_context *ctx, const char *path, size_t limit, as_status kind, json_t **out) {
  char *text;
  size_t length;
  *out = NULL;
  as_status status = as_file_read(ctx, path, limit, kind, &text, &length);
  if (status != AS_OK) return status;
  status = as_json_parse(ctx, text, length, path, kind, out);
  as_free(ctx, text);
  return status;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

as_json_writer as_json_writer_start(as_buffer *out, int indent) {
  return (as_json_writer){.out = out, .indent = indent, .fresh = true};
}

static void write_string(as_json_writer *writer, const char *text, size_t length);

static void new_line(as_json_writer *writer) {
  if (writer->indent <= 0) return;
  as_buffer_char(writer->out, '\n');
  for (int i = 0; i < writer->indent * writer->depth; i++) as_buffer_char(writer->out, ' ');
}

/* Everything that stands in front of a value. */
static void begin_value(as_json_writer *writer, const char *key) {
  if (!writer->fresh) as_buffer_char(writer->out, ',');
  if (writer->depth > 0) new_line(writer);
  writer->fresh = false;
  if (!key) return;
  write_string(writer, key, strlen(key));
  as_buffer_text(writer->out, writer->indent > 0 ? ": " : ":");
}

static void open_level(as_json_writer *writer, const char *key, char bracket) {
  begin_value(writer, key);
  as_buffer_char(writer->out, bracket);
  writer->depth++;
  writer->fresh = true;
}

static void close_level(as_json_writer *writer, char bracket) {
  writer->depth--;
  if (!writer->fresh) new_line(writer);
  writer->fresh = false;
  as_buffer_char(writer->out, bracket);
}

void as_json_open_object(as_json_writer *writer, const char *key) {
  open_level(writer, key, '{');
}
void as_json_close_object(as_json_writer *writer) {
  close_level(writer, '}');
}
void as_json_open_array(as_json_writer *writer, const char *key) {
  open_level(writer, key, '[');
}
void as_json_close_array(as_json_writer *writer) {
  close_level(writer, ']');
}

static void write_escape(as_buffer *out, unsigned char c) {
  static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: the character, its letter */
  for (size_t i = 0; i + 1 < sizeof shorts; i += 2) {
    if ((unsigned char)shorts[i] != c) continue;
    as_buffer_char(out, '\\');
    as_buffer_char(out, shorts[i + 1]);
    return;
  }
  as_buffer_printf(out, "\\u%04x", c);
}

/* U+0085, U+2028 and U+2029, which some readers of JSON lines take for the end of a line: their bytes, 0 for others. */
static size_t line_separator(const char *text, size_t length) {
  if (length >= 2 && memcmp(text, "\xC2\x85", 2) == 0) return 2;
  return length >= 3 && (memcmp(text, "\xE2\x80\xA8", 3) == 0 || memcmp(text, "\xE2\x80\xA9", 3) == 0) ? 3 : 0;
}

static void write_string(as_json_writer *writer, const char *text, size_t length) {
  as_buffer *out = writer->out;
  size_t start = 0; /* [start, at) needs no escape and is not written yet */
  as_buffer_char(out, '"');
  for (size_t at = 0; at < length; at++) {
    unsigned char c = (unsigned char)text[at];
    size_t separator = c >= 0x80 ? line_separator(text + at, length - at) : 0;
    if (c >= 0x20 && c != '"' && c != '\\' && !separator) continue;
    as_utf8_repair(out, text + start, at - start);
    if (separator) {
      as_buffer_text(out, separator == 2 ? "\\u0085" : text[at + 2] == '\xA8' ? "\\u2028" : "\\u2029");
      at += separator - 1;
    } else {
      write_escape(out, c);
    }
    start = at + 1;
  }
  as_utf8_repair(out, text + start, length - start);
  as_buffer_char(out, '"');
}

void as_json_string_n(as_json_writer *writer, const char *key, const char *text, size_t length) {
  begin_value(writer, key);
  write_string(writer, text, length);
}

void as_json_string(as_json_writer *writer, const char *key, const char *text) {
  as_json_string_n(writer, key, text, strlen(text));
}

void as_json_int(as_json_writer *writer, const char *key, int64_t value) {
  begin_value(writer, key);
  as_buffer_printf(writer->out, "%" PRId64, value);
}

/* Writes what printf gave for a number as JSON: whatever the locale's decimal point is becomes '.', and a number
 * without a sign of being real gets ".0", so that it (and the sign of zero) is read back as a real. */
static void write_real(as_buffer *out, const char *printed) {
  bool real = false;
  for (const char *at = printed; *at; at++) {
    if (strchr("+-0123456789e", *at)) {
      as_buffer_char(out, *at);
      real = real || *at == 'e';
    } else if (!real) { /* a decimal point of several bytes becomes one '.' */
      as_buffer_char(out, '.');
      real = true;
    }
  }
  if (!real) as_buffer_text(out, ".0");
}

void as_json_float(as_json_writer *writer, const char *key, float value) {
  char printed[64];
  if (!isfinite(value)) {
    as_json_null(writer, key);
    return;
  }
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(printed, sizeof printed, "%.*g", digits, (double)value);
    if (strtof(printed, NULL) == value) break;
  }
  begin_value(writer, key);
  write_real(writer->out, printed);
}

void as_json_double(as_json_writer *writer, const char *key, double value) {
  char printed[64];
  if (!isfinite(value)) {
    as_json_null(writer, key);
    return;
  }
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(printed, sizeof printed, "%.*g", digits, value);
    if (strtod(printed, NULL) == value) break;
  }
  begin_value(writer, key);
  write_real(writer->out, printed);
}

void as_json_bool(as_json_writer *writer, const char *key, bool value) {
  begin_value(writer, key);
  as_buffer_text(writer->out, value ? "true" : "false");
}

void as_json_null(as_json_writer *writer, const char *key) {
  begin_value(writer, key);
  as_buffer_text(writer->out, "null");
}

static void write_object(as_json_writer *writer, const char *key, const json_t *object) {
  as_json_open_object(writer, key);
  json_t *mutable_object = (json_t *)(uintptr_t)object; /* jansson's iterators only read, but don't say so */
  for (void *at = json_object_iter(mutable_object); at; at = json_object_iter_next(mutable_object, at))
    as_json_value(writer, json_object_iter_key(at), json_object_iter_value(at));
  as_json_close_object(writer);
}

static void write_array(as_json_writer *writer, const char *key, const json_t *array) {
  as_json_open_array(writer, key);
  for (size_t i = 0; i < json_array_size(array); i++) as_json_value(writer, NULL, json_array_get(array, i));
  as_json_close_array(writer);
}

void as_json_value(as_json_writer *writer, const char *key, const json_t *value) {
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    write_object(writer, key, value);
    break;
  case JSON_ARRAY:
    write_array(writer, key, value);
    break;
  case JSON_STRING:
    as_json_string_n(writer, key, json_string_value(value), json_string_length(value));
    break;
  case JSON_INTEGER:
    as_json_int(writer, key, json_integer_value(value));
    break;
  case JSON_REAL:
    as_json_double(writer, key, json_real_value(value));
    break;
  case JSON_TRUE:
    as_json_bool(writer, key, true);
    break;
  case JSON_FALSE:
    as_json_bool(writer, key, false);
    break;
  case JSON_NULL:
    as_json_null(writer, key);
    break;
  }
}
