/* Reading and matching patterns. */
#include "tokenizer/pattern.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/fields.h"
#include "tokenizer/unicode.h"

enum { MAX_REPEAT = 100000 };

/* ---- regular expressions -------------------------------------------------------------------------------------- */

static const char SPECIAL[] = "\\^$.|?*+()[]{}";

/* Appends the character that stands at the beginning of `at` and returns what comes behind; NULL for what we do not
 * know. "\s" appends nothing and sets *space. */
static const char *read_character(const char *at, as_buffer *literal, bool *space) {
  static const char letters[] = "tnrfv", meanings[] = "\t\n\r\f\v";
  *space = false;
  if (*at != '\\') {
    if (!*at || strchr(SPECIAL, *at)) return NULL;
    uint32_t code_point;
    int size = as_utf8_decode(at, strlen(at), &code_point);
    if (size < 0) return NULL;
    as_buffer_append(literal, at, (size_t)size);
    return at + size;
  }
  at++;
  const char *letter = *at ? strchr(letters, *at) : NULL;
  if (*at == 's')
    *space = true;
  else if (letter)
    as_buffer_char(literal, meanings[letter - letters]);
  else if (*at && strchr(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", *at))
    as_buffer_char(literal, *at);
  else
    return NULL;
  return at + 1;
}

static const char *read_number(const char *at, size_t *value) {
  if (*at < '0' || *at > '9') return NULL;
  for (*value = 0; *at >= '0' && *at <= '9'; at++) {
    *value = *value * 10 + (size_t)(*at - '0');
    if (*value > MAX_REPEAT) return NULL;
  }
  return at;
}

/* "+", "{n}", "{n,}", "{n,m}" or nothing; what comes behind, NULL for what we do not know. */
static const char *read_repeat(const char *at, size_t *least, size_t *most) {
  *least = *most = 1;
  if (*at == '+') {
    *most = SIZE_MAX;
    return at + 1;
  }
  if (*at != '{') return at;
  at = read_number(at + 1, least);
  if (!at) return NULL;
  *most = *least;
  if (*at == ',' && at[1] == '}') {
    *most = SIZE_MAX;
    at++;
  } else if (*at == ',') {
    at = read_number(at + 1, most);
  }
  return at && *at == '}' && *least > 0 && *least <= *most ? at + 1 : NULL;
}

/* Either characters, or one of them with a repeat. Returns false for all else. */
static bool read_regex(const char *at, as_pattern *out, as_buffer *literal) {
  size_t count = 0;
  out->least = out->most = 1;
  for (bool space, any_space = false; *at; count++) {
    const char *behind = read_character(at, literal, &space);
    if (!behind) return false;
    at = read_repeat(behind, &out->least, &out->most);
    if (!at) return false;
    any_space = any_space || space;
    bool repeated = at != behind;
    if ((repeated || any_space) && (count > 0 || *at)) return false;
  }
  return count > 0;
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

void as_pattern_free(as_pattern *pattern, as_context *ctx) {
  as_free(ctx, pattern->source);
  as_free(ctx, pattern->literal);
  *pattern = (as_pattern){0};
}

static as_status fill(as_loader *loader, const char *text, as_pattern *out) {
  as_buffer literal;
  as_buffer_init(&literal, loader->ctx);
  as_status status = AS_OK;
  if (!*text) {
    status = as_field_fail(loader, "pattern", "", "is empty");
  } else if (!out->regex) {
    out->least = out->most = 1;
    as_buffer_text(&literal, text);
  } else if (!read_regex(text, out, &literal)) {
    status = as_field_fail(loader, "pattern", "Regex",
                           "\"%.60s\" is not supported; a text, or one character or \\s with + or {n,m}, is", text);
  }
  if (status == AS_OK) status = as_buffer_status(&literal);
  if (status == AS_OK && literal.length > 0) {
    out->length = literal.length;
    out->literal = as_buffer_take(&literal);
  }
  as_buffer_free(&literal);
  return status;
}

as_status as_pattern_read(as_loader *loader, const json_t *json, as_pattern *out) {
  const json_t *object = json_object_get(json, "pattern");
  const char *text = NULL;
  *out = (as_pattern){0};
  as_status status = as_field_object(loader, object, "pattern");
  if (status == AS_OK) status = as_field_string(loader, object, "pattern", "String", &text);
  if (status == AS_OK && !text) {
    out->regex = true;
    status = as_field_string(loader, object, "pattern", "Regex", &text);
  }
  if (status == AS_OK && !text) status = as_field_fail(loader, "pattern", "", "has neither String nor Regex");
  if (status != AS_OK) return status;
  out->source = as_strdup(loader->ctx, text);
  status = out->source ? fill(loader, text, out) : AS_E_NOMEM;
  if (status != AS_OK) as_pattern_free(out, loader->ctx);
  return status;
}

void as_pattern_write(const as_pattern *pattern, as_json_writer *writer) {
  as_json_open_object(writer, "pattern");
  as_json_string(writer, pattern->regex ? "Regex" : "String", pattern->source);
  as_json_close_object(writer);
}

/* ---- matching ------------------------------------------------------------------------------------------------- */

/* The bytes of one of them at text[0], 0 if it is none. */
static size_t match_one(const as_pattern *pattern, const char *text, size_t length) {
  if (pattern->literal)
    return length >= pattern->length && memcmp(text, pattern->literal, pattern->length) == 0 ? pattern->length : 0;
  uint32_t code_point;
  if (length == 0) return 0;
  int size = as_utf8_decode(text, length, &code_point);
  return size > 0 && as_unicode_flags(code_point) & AS_UC_SPACE ? (size_t)size : 0;
}

size_t as_pattern_match(const as_pattern *pattern, const char *text, size_t length) {
  size_t count = 0, at = 0;
  for (size_t size; count < pattern->most && (size = match_one(pattern, text + at, length - at)) > 0; count++)
    at += size;
  return count < pattern->least ? 0 : at;
}
