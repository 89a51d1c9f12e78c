/* Stemming in place: a step cuts the word or changes its last letters, and never makes it longer than it came, but by
 * the one 'e' that step 1b may put after a removed suffix of at least two letters. */
#include "eval/porter.h"

#include <string.h>

/* The word, of which only the first `length` letters count. */
typedef struct word {
  char *letters;
  size_t length;
} word;

/* ---- conditions on a stem: the first `length` letters ---------------------------------------------------------- */

static bool is_vowel_letter(char c) {
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

/* Digits count as consonants. A y is one at the beginning and after a vowel; in a run of y they take turns. */
static bool is_consonant(const char *letters, size_t at) {
  if (letters[at] != 'y') return !is_vowel_letter(letters[at]);
  size_t start = at; /* of the run of y */
  while (start > 0 && letters[start - 1] == 'y') start--;
  const bool first = start == 0 || is_vowel_letter(letters[start - 1]);
  return first == ((at - start) % 2 == 0);
}

/* Porter's m: how often a vowel is followed by a consonant. */
static size_t measure(const char *letters, size_t length) {
  size_t count = 0;
  bool vowel_before = false;
  for (size_t i = 0; i < length; i++) {
    /* A y is a consonant just if the letter before is none; that is is_consonant without looking back. */
    const bool vowel = letters[i] == 'y' ? i > 0 && !vowel_before : is_vowel_letter(letters[i]);
    count += vowel_before && !vowel;
    vowel_before = vowel;
  }
  return count;
}

static bool has_measure(const char *letters, size_t length) {
  return measure(letters, length) > 0;
}
static bool has_measure_above_one(const char *letters, size_t length) {
  return measure(letters, length) > 1;
}

static bool contains_vowel(const char *letters, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (!is_consonant(letters, i)) return true;
  }
  return false;
}

static bool ends_in_double_consonant(const char *letters, size_t length) {
  return length >= 2 && letters[length - 1] == letters[length - 2] && is_consonant(letters, length - 1);
}

/* Porter's *o; nltk adds vowel-consonant as a whole word. */
static bool ends_cvc(const char *letters, size_t length) {
  if (length == 2) return !is_consonant(letters, 0) && is_consonant(letters, 1);
  return length >= 3 && is_consonant(letters, length - 3) && !is_consonant(letters, length - 2) &&
         is_consonant(letters, length - 1) && !strchr("wxy", letters[length - 1]);
}

static bool is_cvc_of_measure_one(const char *letters, size_t length) {
  return measure(letters, length) == 1 && ends_cvc(letters, length);
}

/* For "ion": m > 1 after s or t. */
static bool has_measure_above_one_after_s_or_t(const char *letters, size_t length) {
  return has_measure_above_one(letters, length) && strchr("st", letters[length - 1]);
}

/* For "logi": the l counts as part of the stem, so that geo-, theo- do. */
static bool has_measure_with_l(const char *letters, size_t length) {
  return has_measure(letters, length + 1);
}

/* For the y of step 1c: after a consonant that is not the first letter. */
static bool is_long_and_ends_in_consonant(const char *letters, size_t length) {
  return length > 1 && is_consonant(letters, length - 1);
}

/* ---- rules ----------------------------------------------------------------------------------------------------- */

typedef struct rule {
  const char *suffix, *replacement;
  bool (*condition)(const char *letters, size_t length); /* on the stem before the suffix; NULL: always */
} rule;

static bool ends_with(const word *w, const char *suffix) {
  const size_t length = strlen(suffix);
  return w->length >= length && memcmp(w->letters + w->length - length, suffix, length) == 0;
}

static void replace_end(word *w, size_t removed, const char *replacement) {
  const size_t added = strlen(replacement);
  memcpy(w->letters + w->length - removed, replacement, added);
  w->length += added - removed;
}

/* The first rule whose suffix fits decides: its condition holds and it is applied, or nothing happens. */
static void apply(word *w, const rule *rules, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!ends_with(w, rules[i].suffix)) continue;
    const size_t removed = strlen(rules[i].suffix);
    if (!rules[i].condition || rules[i].condition(w->letters, w->length - removed)) {
      replace_end(w, removed, rules[i].replacement);
    }
    return;
  }
}

#define APPLY(w, rules) apply(w, rules, sizeof(rules) / sizeof *(rules))

static void step_1a(word *w) {
  static const rule rules[] = {{"sses", "ss", NULL}, {"ies", "i", NULL}, {"ss", "ss", NULL}, {"s", "", NULL}};
  if (w->length == 4 && ends_with(w, "ies")) {
    replace_end(w, 1, ""); /* nltk: dies gives die, while flies gives fli */
  } else {
    APPLY(w, rules);
  }
}

/* What follows the removal of -ed or -ing. */
static void mend_1b(word *w) {
  static const rule endings[] = {{"at", "ate", NULL}, {"bl", "ble", NULL}, {"iz", "ize", NULL}};
  static const rule otherwise[] = {{"", "e", is_cvc_of_measure_one}};
  if (ends_with(w, "at") || ends_with(w, "bl") || ends_with(w, "iz")) {
    APPLY(w, endings);
  } else if (ends_in_double_consonant(w->letters, w->length)) {
    if (!strchr("lsz", w->letters[w->length - 1])) w->length--;
  } else {
    APPLY(w, otherwise);
  }
}

static void step_1b(word *w) {
  static const rule eed[] = {{"eed", "ee", has_measure}};
  if (ends_with(w, "ied")) {
    replace_end(w, w->length == 4 ? 1 : 2, ""); /* nltk: died gives die, spied gives spi */
  } else if (ends_with(w, "eed")) {
    APPLY(w, eed);
  } else if (ends_with(w, "ed") && contains_vowel(w->letters, w->length - 2)) {
    replace_end(w, 2, "");
    mend_1b(w);
  } else if (ends_with(w, "ing") && contains_vowel(w->letters, w->length - 3)) {
    replace_end(w, 3, "");
    mend_1b(w);
  }
}

static void step_1c(word *w) {
  static const rule rules[] = {{"y", "i", is_long_and_ends_in_consonant}};
  APPLY(w, rules);
}

static void step_2(word *w) {
  static const rule rules[] = {
      {"ational", "ate", has_measure},    {"tional", "tion", has_measure}, {"enci", "ence", has_measure},
      {"anci", "ance", has_measure},      {"izer", "ize", has_measure},    {"bli", "ble", has_measure},
      {"alli", "al", has_measure},        {"entli", "ent", has_measure},   {"eli", "e", has_measure},
      {"ousli", "ous", has_measure},      {"ization", "ize", has_measure}, {"ation", "ate", has_measure},
      {"ator", "ate", has_measure},       {"alism", "al", has_measure},    {"iveness", "ive", has_measure},
      {"fulness", "ful", has_measure},    {"ousness", "ous", has_measure}, {"aliti", "al", has_measure},
      {"iviti", "ive", has_measure},      {"biliti", "ble", has_measure},  {"fulli", "ful", has_measure},
      {"logi", "log", has_measure_with_l}};
  /* nltk: -alli is shortened before the rules, so that -ationalli becomes -ate at once. */
  if (ends_with(w, "alli") && has_measure(w->letters, w->length - 4)) replace_end(w, 2, "");
  APPLY(w, rules);
}

static void step_3(word *w) {
  static const rule rules[] = {{"icate", "ic", has_measure}, {"ative", "", has_measure},  {"alize", "al", has_measure},
                               {"iciti", "ic", has_measure}, {"ical", "ic", has_measure}, {"ful", "", has_measure},
                               {"ness", "", has_measure}};
  APPLY(w, rules);
}

static void step_4(word *w) {
  static const rule rules[] = {{"al", "", has_measure_above_one},    {"ance", "", has_measure_above_one},
                               {"ence", "", has_measure_above_one},  {"er", "", has_measure_above_one},
                               {"ic", "", has_measure_above_one},    {"able", "", has_measure_above_one},
                               {"ible", "", has_measure_above_one},  {"ant", "", has_measure_above_one},
                               {"ement", "", has_measure_above_one}, {"ment", "", has_measure_above_one},
                               {"ent", "", has_measure_above_one},   {"ion", "", has_measure_above_one_after_s_or_t},
                               {"ou", "", has_measure_above_one},    {"ism", "", has_measure_above_one},
                               {"ate", "", has_measure_above_one},   {"iti", "", has_measure_above_one},
                               {"ous", "", has_measure_above_one},   {"ive", "", has_measure_above_one},
                               {"ize", "", has_measure_above_one}};
  APPLY(w, rules);
}

static void step_5(word *w) {
  if (ends_with(w, "e")) {
    const size_t m = measure(w->letters, w->length - 1);
    if (m > 1 || (m == 1 && !ends_cvc(w->letters, w->length - 1))) w->length--;
  }
  if (ends_with(w, "ll") && measure(w->letters, w->length - 1) > 1) w->length--;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

/* nltk's irregular words that are not their own stem, and those that the rules would cut. */
static const char *irregular_stem(const char *letters, size_t length) {
  static const char *const forms[][2] = {
      {"sky", "sky"},        {"skies", "sky"},       {"dying", "die"},        {"lying", "lie"},
      {"tying", "tie"},      {"news", "news"},       {"innings", "inning"},   {"inning", "inning"},
      {"outings", "outing"}, {"outing", "outing"},   {"cannings", "canning"}, {"canning", "canning"},
      {"howe", "howe"},      {"proceed", "proceed"}, {"exceed", "exceed"},    {"succeed", "succeed"}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (strlen(forms[i][0]) == length && memcmp(forms[i][0], letters, length) == 0) return forms[i][1];
  }
  return NULL;
}

void as_porter_stem(as_buffer *out, const char *letters, size_t length) {
  const char *irregular = irregular_stem(letters, length);
  if (irregular) {
    as_buffer_text(out, irregular);
    return;
  }
  as_buffer_append(out, letters, length);
  if (length <= 2 || out->failed) return;
  word w = {out->data, length};
  step_1a(&w);
  step_1b(&w);
  step_1c(&w);
  step_2(&w);
  step_3(&w);
  step_4(&w);
  step_5(&w);
  out->length = w.length;
  out->data[w.length] = '\0';
}
