/* A scanner that knows just enough JSON to find an object of tokens and ids, or a list of tokens and scores. It never
 * judges: what it does not understand it leaves to the JSON library, so it may be strict where that is simpler. */
#include "tokenizer/vocab_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

/* The decimal number digits * 10^exponent that is being read. */
typedef struct decimal {
  uint64_t digits;
  long exponent;
  bool full; /* the next digits do not count */
} decimal;

static const char *read_digits(const scanner *s, const char *at, bool fraction, decimal *number) {
  const char *start = at;
  for (; at < s->end && *at >= '0' && *at <= '9'; at++) {
    uint64_t digit = (uint64_t)(*at - '0');
    number->full = number->full || number->digits > (UINT64_MAX - digit) / 10;
    if (!number->full) number->digits = number->digits * 10 + digit;
    if (number->full != fraction) number->exponent += fraction ? -1 : 1;
  }
  return at > start && at - start < 4096 ? at : NULL;
}

static const char *read_exponent(const scanner *s, const char *at, decimal *number) {
  bool down = at < s->end && *at == '-';
  if (at < s->end && (*at == '-' || *at == '+')) at++;
  long value = 0;
  const char *start = at;
  while (at < s->end && *at >= '0' && *at <= '9' && at - start < 5) value = value * 10 + (*at++ - '0');
  number->exponent += down ? -value : value;
  return at > start ? at : NULL;
}

/* 10^n for n in [0, 308], as close as double precision comes. */
static double power_of_ten(long n) {
  char text[8];
  snprintf(text, sizeof text, "1e%d", (int)n);
  return strtod(text, NULL);
}

/* Reads a number as the reference does: the first 19 or 20 digits make an integer, which is rounded to double precision
 * and then multiplied or divided by a power of ten. So some numbers are not the closest to what is written, but they
 * are the ones that the reference works with. */
static const char *read_score(const scanner *s, const char *at, double *value) {
  decimal number = {0};
  at = skip_blanks(s, at);
  bool negative = at && at < s->end && *at == '-';
  if (at) at = read_digits(s, at + negative, false, &number);
  if (at && at < s->end && *at == '.') at = read_digits(s, at + 1, true, &number);
  if (at && at < s->end && (*at == 'e' || *at == 'E')) at = read_exponent(s, at + 1, &number);
  if (!at || number.exponent > 308) return NULL;
  double result = (double)number.digits;
  for (; number.exponent < -308 && result != 0; number.exponent += 308) result /= 1e308;
  if (number.exponent >= 0)
    result *= power_of_ten(number.exponent);
  else if (result != 0)
    result /= power_of_ten(-number.exponent);
  *value = negative ? -result : result;
  return isfinite(result) ? at : NULL;
}

/* Reads ["token", score] pairs up to the closing bracket, which it returns. */
static as_status read_pairs(scanner *s, const char *at, as_vocabulary *vocabulary, const char **close) {
  *close = NULL;
  for (bool more = true; more;) {
    double score = 0;
    at = expect(s, read_string(s, expect(s, at, '[')), ',');
    at = skip_blanks(s, expect(s, read_score(s, at, &score), ']'));
    if (!at || at >= s->end || (*at != ',' && *at != ']')) return AS_OK;
    if (s->token.length == 0 || s->token.length > AS_MAX_PIECE) return AS_OK;
    if (as_vocabulary_id(vocabulary, as_buffer_string(&s->token), s->token.length) >= 0) return AS_OK;
    as_status status = as_vocabulary_add_piece(vocabulary, as_buffer_string(&s->token), s->token.length, score);
    if (status != AS_OK) return status;
    more = *at++ == ',';
  }
  *close = at - 1;
  return AS_OK;
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
  if (!open || (*open != '{' && *open != '[') || !(behind = skip_value(&s, open))) return AS_OK;
  size_t members = 1;
  for (const char *at = open; at && at < behind;) {
    members += *at == ',';
    at = *at == '"' ? skip_string(&s, at) : at + 1;
  }
  as_buffer_init(&s.token, ctx);
  as_status status = *open == '{' ? read_members(&s, open + 1, 2 * members + AS_MAX_ID_HOLES, vocabulary, &close)
                                  : read_pairs(&s, open + 1, vocabulary, &close);
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
