/* The template language, and typing like people. Templates are this project's own, but their depth is checked all the
 * same: a table that a test cannot expand must not bring the program down. */
#include "data/synth_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "data/synth_drift.h"
#include "data/templates.h"

enum { MAX_DEPTH = 8 };

/* Slots that depend on whether another one has a value. */
static const struct {
  const char *name, *needs, *with, *without;
} dependent[] = {
    {"your_order", "order", "order {order}", "your order"},
    {"the_product", "product", "the {product}", "it"},
    {"your_product", "product", "your {product}", "the item"},
    {"plan_name", "plan", "{plan}", "plan"},
    {"comma_name", "name", ", {name}", ""},
    {"space_name", "name", " {name}", ""},
    {"city_or_town", "city", "{city}", "your town"},
};

void as_synth_values_init(as_synth_values *values, as_context *ctx, as_random *random) {
  values->random = random;
  values->week = 0;
  for (size_t i = 0; i < AS_SYNTH_MAX_SLOTS; i++) as_buffer_init(&values->values[i], ctx);
  memset(values->set, 0, sizeof values->set);
}

void as_synth_values_clear(as_synth_values *values) {
  for (size_t i = 0; i < AS_SYNTH_MAX_SLOTS; i++) as_buffer_clear(&values->values[i]);
  memset(values->set, 0, sizeof values->set);
}

void as_synth_values_free(as_synth_values *values) {
  for (size_t i = 0; i < AS_SYNTH_MAX_SLOTS; i++) as_buffer_free(&values->values[i]);
}

bool as_synth_chance(as_random *random, unsigned percent) {
  return as_random_below(random, 100) < percent;
}

const char *as_synth_pick(as_random *random, const char *const *list) {
  size_t count = 0;
  while (list[count]) count++;
  return list[as_random_below(random, count)];
}

const char *as_synth_pick_in(as_random *random, const char *const *list, int64_t week) {
  uint64_t used = 0;
  for (size_t i = 0; list[i]; i++) used += as_synth_in_use(list[i], week, AS_SYNTH_VALUE_WEEKS);
  if (used == 0) return as_synth_pick(random, list);
  uint64_t draw = as_random_below(random, used);
  for (;; list++)
    if (as_synth_in_use(*list, week, AS_SYNTH_VALUE_WEEKS) && draw-- == 0) return *list;
}

static bool expand(as_synth_values *values, const char *at, const char *end, as_buffer *out, int depth);

/* Where the bracket that opens at `at` closes, or NULL. */
static const char *closing(const char *at, const char *end) {
  int depth = 0;
  for (; at < end; at++) {
    if (*at == '[') depth++;
    if (*at == ']' && --depth == 0) return at;
  }
  return NULL;
}

/* Finds alternative number `wanted` of the text inside brackets; returns how many there are. */
static uint64_t alternative(const char *at, const char *end, uint64_t wanted, const char **first, const char **last) {
  uint64_t count = 0;
  int depth = 0;
  const char *begin = at;
  for (;; at++) {
    if (at < end && *at == '[') depth++;
    if (at < end && *at == ']') depth--;
    if (at < end && (*at != '|' || depth > 0)) continue;
    if (count++ == wanted) *first = begin, *last = at;
    begin = at + 1;
    if (at >= end) return count;
  }
}

static bool named(const char *name, const char *at, size_t length) {
  return strlen(name) == length && memcmp(name, at, length) == 0;
}

static int find_slot(const char *name, size_t length) {
  for (int i = 0; i < AS_SYNTH_MAX_SLOTS && as_synth_slots[i].name; i++)
    if (named(as_synth_slots[i].name, name, length)) return i;
  return -1;
}

static bool set_slot(as_synth_values *values, int slot, int depth) {
  if (values->set[slot]) return true;
  const char *template = as_synth_pick_in(values->random, as_synth_slots[slot].values, values->week);
  values->set[slot] = true;
  return expand(values, template, template + strlen(template), &values->values[slot], depth);
}

static bool expand_slot(as_synth_values *values, const char *name, size_t length, as_buffer *out, int depth) {
  for (size_t i = 0; i < sizeof dependent / sizeof *dependent; i++) {
    if (!named(dependent[i].name, name, length)) continue;
    int needs = find_slot(dependent[i].needs, strlen(dependent[i].needs));
    const char *text = needs >= 0 && values->set[needs] ? dependent[i].with : dependent[i].without;
    return expand(values, text, text + strlen(text), out, depth);
  }
  bool article = length > 2 && memcmp(name, "a_", 2) == 0;
  int slot = find_slot(article ? name + 2 : name, article ? length - 2 : length);
  if (slot < 0) return false;
  bool set = set_slot(values, slot, depth);
  if (values->values[slot].failed) out->failed = true;
  if (!set) return false;
  const char *value = as_buffer_string(&values->values[slot]);
  if (article) as_buffer_text(out, strchr("aeiou", value[0]) ? "an " : "a ");
  as_buffer_text(out, value);
  return !out->failed;
}

/* "<5-90>" at `at`: appends a number; returns what follows, or NULL. */
static const char *expand_range(as_synth_values *values, const char *at, as_buffer *out) {
  char *after;
  unsigned long low = strtoul(at + 1, &after, 10);
  if (*after != '-') return NULL;
  unsigned long high = strtoul(after + 1, &after, 10);
  if (*after != '>' || high < low) return NULL;
  as_buffer_printf(out, "%lu", low + (unsigned long)as_random_below(values->random, high - low + 1));
  return after + 1;
}

static bool expand(as_synth_values *values, const char *at, const char *end, as_buffer *out, int depth) {
  if (depth > MAX_DEPTH) return false;
  while (at < end) {
    if (*at == '[') {
      const char *close = closing(at, end), *first = NULL, *last = NULL;
      if (!close) return false;
      uint64_t count = alternative(at + 1, close, 0, &first, &last);
      alternative(at + 1, close, as_random_below(values->random, count), &first, &last);
      if (!expand(values, first, last, out, depth + 1)) return false;
      at = close + 1;
    } else if (*at == '{' && at + 1 < end && at[1] == '{') {
      const char *close = strstr(at, "}}");
      if (!close || close + 2 > end) return false;
      as_buffer_append(out, at, (size_t)(close + 2 - at));
      at = close + 2;
    } else if (*at == '{') {
      const char *close = memchr(at, '}', (size_t)(end - at));
      if (!close || !expand_slot(values, at + 1, (size_t)(close - at - 1), out, depth + 1)) return false;
      at = close + 1;
    } else if (*at == '<') {
      at = expand_range(values, at, out);
      if (!at || at > end) return false;
    } else {
      as_buffer_char(out, *at++);
    }
  }
  return !out->failed;
}

bool as_synth_expand(as_synth_values *values, const char *template, as_buffer *out) {
  return expand(values, template, template + strlen(template), out, 0);
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The word of as_synth_shorthand that stands at `at`, or -1. */
static int shorthand_at(const char *at) {
  for (int i = 0; as_synth_shorthand[i][0]; i++) {
    size_t length = strlen(as_synth_shorthand[i][0]);
    if (strncmp(at, as_synth_shorthand[i][0], length) == 0 && !is_letter(at[length]) && at[length] != '\'') return i;
  }
  return -1;
}

void as_synth_shorten(as_random *random, as_buffer *text) {
  size_t to = 0;
  char *data = text->data;
  if (!data) return;
  for (size_t at = 0; at < text->length;) {
    int found = at == 0 || !is_letter(data[at - 1]) ? shorthand_at(data + at) : -1;
    if (found >= 0 && as_synth_chance(random, 70)) {
      const char *form = as_synth_shorthand[found][1]; /* never longer than the word, so the text shrinks in place */
      size_t length = strlen(form);
      memmove(data + to, form, length);
      to += length;
      at += strlen(as_synth_shorthand[found][0]);
    } else {
      data[to++] = data[at++];
    }
  }
  text->length = to;
  data[to] = '\0';
}

/* A letter beside `c` on the keyboard (rows of a QWERTY keyboard). */
static char neighbour(as_random *random, char c) {
  static const char *const rows[] = {"qwertyuiop", "asdfghjkl", "zxcvbnm"};
  bool upper = c >= 'A' && c <= 'Z';
  char lower = (char)tolower((unsigned char)c);
  for (size_t i = 0; i < 3; i++) {
    const char *key = strchr(rows[i], lower);
    if (!key) continue;
    size_t at = (size_t)(key - rows[i]), last = strlen(rows[i]) - 1;
    bool right = at == 0 || (at < last && as_random_below(random, 2));
    char other = rows[i][right ? at + 1 : at - 1];
    return upper ? (char)toupper((unsigned char)other) : other;
  }
  return c;
}

/* Start of the n-th run of at least 4 letters; returns their number if there is none. */
static size_t long_word(const as_buffer *text, size_t n, size_t *start, size_t *length) {
  size_t words = 0;
  for (size_t at = 0; at < text->length;) {
    size_t begin = at;
    while (at < text->length && is_letter(text->data[at])) at++;
    if (at - begin >= 4 && words++ == n) *start = begin, *length = at - begin;
    if (at == begin) at++;
  }
  return words;
}

void as_synth_mistype(as_random *random, as_buffer *text) {
  size_t start = 0, length = 0;
  size_t words = long_word(text, SIZE_MAX, &start, &length);
  if (words == 0) return;
  long_word(text, (size_t)as_random_below(random, words), &start, &length);
  char *at = text->data + start + 1 + as_random_below(random, length - 2); /* not the first letter, one follows */
  size_t rest = text->length - (size_t)(at - text->data);
  char c = *at;
  switch (as_random_below(random, 4)) {
  case 0: /* two letters in the wrong order */
    at[0] = at[1];
    at[1] = c;
    break;
  case 1: /* one too few */
    memmove(at, at + 1, rest);
    text->length--;
    break;
  case 2: /* the key beside */
    *at = neighbour(random, c);
    break;
  default: /* one too many */
    as_buffer_char(text, ' ');
    if (text->failed) return;
    at = text->data + text->length - 1 - rest;
    memmove(at + 1, at, rest);
    *at = c;
  }
}

void as_synth_capitals(as_buffer *text, bool upper) {
  for (size_t i = 0; i < text->length; i++)
    if (is_letter(text->data[i]))
      text->data[i] = (char)(upper ? toupper((unsigned char)text->data[i]) : tolower((unsigned char)text->data[i]));
}
