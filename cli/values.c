/* One value of one option: from the text that a user wrote to a number, a word or a refusal. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

const char *as_words_find(const char *words, const char *word) {
  size_t wanted = strlen(word);
  for (const char *at = words; at && *at;) {
    size_t here = strcspn(at, "|");
    if (here == wanted && memcmp(at, word, here) == 0) return at;
    at += here + (at[here] == '|');
  }
  return NULL;
}

static bool has_range(const as_option *option) {
  return option->minimum != 0 || option->maximum != 0;
}

/* "a, b or c" from "a|b|c". */
static void spell_words(const char *words, char *text, size_t size) {
  size_t used = 0;
  text[0] = 0;
  for (const char *at = words; at && *at;) {
    size_t length = strcspn(at, "|");
    const char *next = at + length + (at[length] == '|');
    const char *before = at == words ? "" : *next ? ", " : " or ";
    int n = snprintf(text + used, size - used, "%s%.*s", before, (int)length, at);
    if (n < 0 || (size_t)n >= size - used) return;
    used += (size_t)n;
    at = next;
  }
}

void as_option_expects(const as_option *option, char *text, size_t size) {
  char range[120] = "", words[400];
  spell_words(option->words, words, sizeof words);
  if (has_range(option) && option->type != AS_OPTION_SIZE) {
    const char *above = option->open_minimum ? "above" : "from", *below = option->open_maximum ? "below" : "to";
    if (isinf(option->maximum) || option->maximum >= 9e18)
      snprintf(range, sizeof range, option->open_minimum ? " above %.15g" : " of at least %.15g", option->minimum);
    else
      snprintf(range, sizeof range, " %s %.15g %s %.15g", above, option->minimum, below, option->maximum);
  }
  const char *what = "a text";
  switch (option->type) {
  case AS_OPTION_FLAG:
    what = "yes or no";
    break;
  case AS_OPTION_INT:
    what = "a whole number";
    break;
  case AS_OPTION_NUMBER:
    what = "a number";
    break;
  case AS_OPTION_SIZE:
    what = "a size such as 512M or 2G";
    break;
  case AS_OPTION_CHOICE:
    snprintf(text, size, "%s", words);
    return;
  case AS_OPTION_TEXT:
    break;
  case AS_OPTION_FILE:
    what = "a file";
    break;
  case AS_OPTION_FOLDER:
    what = "a folder";
    break;
  }
  snprintf(text, size, "%s%s%s%s", what, range, option->words ? ", or " : "", option->words ? words : "");
}

static bool read_flag(const char *text, int64_t *value) {
  static const struct {
    const char *word;
    int value;
  } words[] = {{"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {"on", 1}, {"off", 0}, {"1", 1}, {"0", 0}};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strcmp(text, words[i].word) == 0) {
      *value = words[i].value;
      return true;
    }
  return false;
}

/* strtod and strtoll take leading white space, hexadecimal, "inf" and "nan"; we take decimal numbers. */
static bool looks_decimal(const char *text, bool whole) {
  if (*text == '-' || *text == '+') text++;
  if (!(*text >= '0' && *text <= '9') && (whole || *text != '.')) return false;
  return whole ? text[strspn(text, "0123456789")] == 0 : text[strspn(text, "0123456789.eE+-")] == 0;
}

static bool read_int(const char *text, int64_t *value) {
  if (!looks_decimal(text, true)) return false;
  errno = 0;
  long long number = strtoll(text, NULL, 10);
  *value = number;
  return errno == 0;
}

static bool read_number(const char *text, double *value) {
  if (!looks_decimal(text, false)) return false;
  char *end;
  *value = strtod(text, &end);
  return *end == 0 && end != text && isfinite(*value);
}

static bool read_size(const char *text, int64_t *value) {
  if (!(*text >= '0' && *text <= '9')) return false;
  char digits[32];
  size_t length = strspn(text, "0123456789.");
  if (length >= sizeof digits) return false;
  memcpy(digits, text, length);
  digits[length] = 0;
  double number, unit = 1;
  if (!read_number(digits, &number)) return false;
  const char *suffix = text + length;
  if (*suffix) {
    const char *letters = "kKmMgGtT", *letter = strchr(letters, *suffix);
    if (letter) {
      for (ptrdiff_t i = 0; i <= (letter - letters) / 2; i++) unit *= 1024;
      suffix++;
      if (*suffix == 'i' && suffix[1] == 'B') suffix++;
    }
    if (*suffix == 'B') suffix++;
    if (*suffix) return false;
  }
  number *= unit;
  if (!(number < 9.2e18)) return false;
  *value = (int64_t)number;
  return true;
}

static bool in_range(const as_option *option, double value) {
  if (!has_range(option)) return true;
  if (option->open_minimum ? !(value > option->minimum) : !(value >= option->minimum)) return false;
  return option->open_maximum ? value < option->maximum : value <= option->maximum;
}

static bool read_value(const as_option *option, as_value *value, const char *text) {
  switch (option->type) {
  case AS_OPTION_FLAG:
    return read_flag(text, &value->integer);
  case AS_OPTION_INT:
    return read_int(text, &value->integer) && in_range(option, (double)value->integer);
  case AS_OPTION_SIZE:
    return read_size(text, &value->integer) && in_range(option, (double)value->integer);
  case AS_OPTION_NUMBER:
    return read_number(text, &value->number) && in_range(option, value->number);
  case AS_OPTION_CHOICE:
    return false; /* the words were tried */
  case AS_OPTION_TEXT:
    return true;
  case AS_OPTION_FILE:
  case AS_OPTION_FOLDER:
    return *text != 0;
  }
  return false;
}

/* Copies the word of "a|b|c" that is nearest to `text`; false if none is near. */
static bool near_word(const char *words, const char *text, char *best, size_t size) {
  as_suggestion near = as_suggestion_start(text);
  bool found = false;
  for (const char *at = words; *at;) {
    char word[64];
    size_t length = strcspn(at, "|"), before = near.distance;
    snprintf(word, sizeof word, "%.*s", (int)length, at);
    as_suggestion_offer(&near, word);
    if (near.distance < before) {
      snprintf(best, size, "%s", word);
      found = true;
    }
    at += length + (at[length] == '|');
  }
  return found;
}

static as_status refuse(as_context *ctx, const as_option *option, const char *text, const char *who) {
  char expects[600], best[64];
  as_option_expects(option, expects, sizeof expects);
  if (option->words && near_word(option->words, text, best, sizeof best))
    return as_fail(ctx, AS_E_INVALID, "%s needs %s, not '%s' (did you mean '%s'?)", who, expects, text, best);
  return as_fail(ctx, AS_E_INVALID, "%s needs %s, not '%s'", who, expects, text);
}

as_status as_value_set(as_context *ctx, as_value *value, const char *text, const char *who) {
  const as_option *option = value->option;
  as_value read = {.option = option,
                   .source = value->source,
                   .line = value->line,
                   .section = value->section,
                   .joined = value->joined,
                   .text = text};
  read.word = as_words_find(option->words, text);
  if (!read.word && !read_value(option, &read, text)) return refuse(ctx, option, text, who);
  if (option->check && !read.word) {
    as_status status = option->check(ctx, text);
    if (status != AS_OK) return as_fail_prefix(ctx, status, "%s", who);
  }
  *value = read;
  return AS_OK;
}
