/* A scanner that knows just enough JSON to find an object of tokens and ids. It never judges: what it does not
 * understand it leaves to the JSON library, so it may be strict where that is simpler. */
#include "tokenizer/vocab_scan.h"

#include <string.h>

#include "base/utf8.h"
#include "tokenizer/limits.h"

/* Positions are in [text, end]; NULL means "not understood" and is passed through. */
typedef struct scanner {
  const char *end;
  as_buffer token; /* a key without its escapes */
} scanner;

static const char *skip_blanks(const scanner *s, const char *at) {
  while (at && at < s->end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) at++;
  return at;
}

/* Behind `c`, which must come next after blanks. */
static const char *expect(const scanner *s, const char *at, char c) {
  at = skip_blanks(s, at);
  return at && at < s->end && *at == c ? at + 1 : NULL;
}

/* Behind the string that begins at its opening quote. */
static const char *skip_string(const scanner *s, const char *at) {
  for (at = expect(s, at, '"'); at && at < s->end; at++) {
    if (*at == '"') return at + 1;
    if (*at == '\\') at++;
  }
  return NULL;
}

/* Behind the value that begins here: up to the comma or bracket that ends it. */
static const char *skip_value(const scanner *s, const char *at) {
  size_t depth = 0;
  for (at = skip_blanks(s, at); at && at < s->end;) {
    if (*at == '"') {
      at = skip_string(s, at);
      continue;
    }
    if (depth == 0 && (*at == ',' || *at == '}' || *at == ']')) return at;
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    at++;
  }
  return NULL;
}

/* The value of a member of the object that begins here. */
static const char *find_member(const scanner *s, const char *at, const char *key) {
  size_t length = strlen(key);
  at = expect(s, at, '{');
  while (at) {
    const char *name = skip_blanks(s, at), *behind = skip_string(s, name);
    at = skip_blanks(s, expect(s, behind, ':'));
    if (at && (size_t)(behind - name) == length + 2 && memcmp(name + 1, key, length) == 0) return at;
    at = expect(s, skip_value(s, at), ',');
  }
  return NULL;
}

/* Four hexadecimal digits; -1 if they are none. */
static int32_t hexadecimal(const scanner *s, const char *at) {
  int32_t value = 0;
  if (s->end - at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    const char *digits = "0123456789abcdef0123456789ABCDEF", *digit = at[i] ? strchr(digits, at[i]) : NULL;
    if (!digit) return -1;
    value = value << 4 | (int32_t)((digit - digits) & 15);
  }
  return value;
}

/* Appends what the escape at the backslash stands for. */
static const char *read_escape(scanner *s, const char *at) {
  static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  if (s->end - at < 2) return NULL;
  const char *letter = at[1] ? strchr(letters, at[1]) : NULL;
  if (letter) {
    as_buffer_char(&s->token, meanings[letter - letters]);
    return at + 2;
  }
  int32_t code_point = at[1] == 'u' ? hexadecimal(s, at + 2) : -1;
  at += 6;
  if (code_point >= 0xD800 && code_point < 0xDC00 && s->end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
    int32_t low = hexadecimal(s, at + 2);
    if (low < 0xDC00 || low > 0xDFFF) return NULL;
    code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
    at += 6;
  }
  if (code_point <= 0 || (code_point >= 0xD800 && code_point <= 0xDFFF)) return NULL;
  char bytes[4];
  as_buffer_append(&s->token, bytes, (size_t)as_utf8_encode((uint32_t)code_point, bytes));
  return at;
}

/* Reads a string into s->token; it must be UTF-8. */
static const char *read_string(scanner *s, const char *at) {
  as_buffer_clear(&s->token);
  at = expect(s, at, '"');
  while (at && at < s->end && *at != '"') {
    const char *start = at;
    while (at < s->end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20) at++;
    as_buffer_append(&s->token, start, (size_t)(at - start));
    if (at < s->end && *at == '\\')
      at = read_escape(s, at);
    else if (at >= s->end || *at != '"')
      return NULL;
  }
  return at && at < s->end && as_utf8_valid(as_buffer_string(&s->token), s->token.length) ? at + 1 : NULL;
}

/* Reads an id below `limit`. */
static const char *read_id(const scanner *s, const char *at, size_t limit, int32_t *id) {
  const char *start = at = skip_blanks(s, at);
  *id = 0;
  while (at && at < s->end && *at >= '0' && *at <= '9' && at - start < 9) *id = *id * 10 + (*at++ - '0');
  if (!at || at == start || (*start == '0' && at - start > 1) || (size_t)*id >= limit) return NULL;
  return at;
}

/* Reads the members up to the closing bracket, which it returns. */
static as_status read_members(scanner *s, const char *at, size_t limit, as_vocabulary *vocabulary, const char **close) {
  *close = NULL;
  for (bool more = true; more;) {
    int32_t id;
    at = skip_blanks(s, read_id(s, expect(s, read_string(s, at), ':'), limit, &id));
    if (!at || at >= s->end || (*at != ',' && *at != '}')) return AS_OK;
    if (as_vocabulary_token(vocabulary, id, NULL)) return AS_OK;
    size_t before = vocabulary->count;
    as_status status = as_vocabulary_add(vocabulary, as_buffer_string(&s->token), s->token.length, id);
    if (status != AS_OK) return status;
    if (vocabulary->count == before) return AS_OK; /* the same key twice */
    more = *at++ == ',';
  }
  *close = at - 1;
  return AS_OK;
}

as_status as_scan_vocab(as_context *ctx, char *text, size_t *length, const char *const *path,
                        as_vocabulary *vocabulary) {
  scanner s = {.end = text + *length};
  const char *open = skip_blanks(&s, text), *behind, *close = NULL;
  for (; path && *path; path++) open = find_member(&s, open, *path);
  if (!open || *open != '{' || !(behind = skip_value(&s, open))) return AS_OK;
  size_t members = 1;
  for (const char *at = open; at && at < behind;) {
    members += *at == ',';
    at = *at == '"' ? skip_string(&s, at) : at + 1;
  }
  as_buffer_init(&s.token, ctx);
  as_status status = read_members(&s, open + 1, 2 * members + AS_MAX_ID_HOLES, vocabulary, &close);
  if (s.token.failed) status = AS_E_NOMEM;
  as_buffer_free(&s.token);
  if (status == AS_OK && close) {
    char *write = text + (open + 1 - text);
    for (const char *at = write; at < close; at++)
      if (*at == '\n') *write++ = '\n';
    memmove(write, close, (size_t)(s.end - close) + 1);
    *length = (size_t)(write - text) + (size_t)(s.end - close);
    return AS_OK;
  }
  as_vocabulary_free(vocabulary);
  as_vocabulary_init(vocabulary, ctx);
  return status;
}
