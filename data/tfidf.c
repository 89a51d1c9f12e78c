/* See tfidf.h. Texts are first lists of their terms, one after another; finishing turns them into lists of each term's
 * texts, so that a question reads the lists of its own terms alone. */
#include "data/tfidf.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text_unicode.h"
#include "data/text_index.h"

/* A term and how much it weighs; while texts are added the weight is 1 + ln t alone. */
typedef struct weighted_term {
  uint32_t term;
  double weight;
} weighted_term;

/* A term's text, and the term's part of that text's vector. */
typedef struct posting {
  uint32_t text;
  double weight;
} posting;

struct as_tfidf {
  as_context *ctx;
  as_text_block words; /* the terms */
  as_text_index index;
  weighted_term *terms; /* of all texts */
  size_t *ends;         /* [count]: where each text's terms end */
  size_t count, term_capacity, end_capacity;
  posting *postings; /* of all terms; from finishing on */
  size_t *starts;    /* [words.count + 1]: each term's */
  double *rarity;    /* [words.count]: 1 + ln((1 + n) / (1 + d)) */
};

as_status as_tfidf_new(as_context *ctx, as_tfidf **out) {
  *out = as_alloc_zero(ctx, 1, sizeof **out);
  if (!*out) return AS_E_NOMEM;
  (*out)->ctx = ctx;
  return AS_OK;
}

static void free_terms(as_tfidf *c) {
  as_free(c->ctx, c->terms);
  as_free(c->ctx, c->ends);
  c->terms = NULL;
  c->ends = NULL;
}

void as_tfidf_free(as_tfidf *c) {
  if (!c) return;
  as_text_block_free(c->ctx, &c->words);
  as_text_index_free(c->ctx, &c->index);
  free_terms(c);
  as_free(c->ctx, c->postings);
  as_free(c->ctx, c->starts);
  as_free(c->ctx, c->rarity);
  as_free(c->ctx, c);
}

int64_t as_tfidf_count(const as_tfidf *c) {
  return (int64_t)c->count;
}

/* ---- the terms of a text ---------------------------------------------------------------------------------------- */

/* The next word of two or more characters off the front of `rest`; empty at the end. */
static as_string_view next_word(as_string_view *rest) {
  as_string_view word = {rest->text, 0};
  int characters = 0;
  while (rest->length > 0) {
    const char *at = rest->text;
    if (as_is_word(as_next_code_point(rest))) {
      if (characters++ == 0) word.text = at;
      word.length = (size_t)(rest->text - word.text);
    } else if (characters >= 2) {
      return word;
    } else {
      characters = 0;
    }
  }
  if (characters < 2) word.length = 0;
  return word;
}

/* The number of a word; UINT32_MAX, or a new one if `add`. False on failure, with the error recorded. */
static bool number_of(as_tfidf *c, as_string_view word, bool add, uint32_t *number) {
  uint64_t found = UINT64_MAX;
  if (!add) {
    found = as_text_index_find(&c->index, &c->words, word.text, word.length);
  } else {
    const uint64_t fresh = c->words.count;
    if (!as_text_index_put(c->ctx, &c->index, &c->words, word.text, word.length, fresh, &found)) return false;
    if (found == UINT64_MAX) {
      if (!as_text_block_add(c->ctx, &c->words, word.text, word.length)) return false;
      found = fresh;
    }
  }
  *number = found < UINT32_MAX ? (uint32_t)found : UINT32_MAX;
  return true;
}

static int by_term(const void *a, const void *b) {
  const weighted_term *x = a, *y = b;
  return x->term < y->term ? -1 : x->term > y->term;
}

/* Each term once, in the order of their numbers, with the weight 1 + ln t; returns how many there are. */
static size_t count_terms(weighted_term *terms, size_t words) {
  size_t count = 0;
  qsort(terms, words, sizeof *terms, by_term);
  for (size_t i = 0, end; i < words; i = end) {
    for (end = i; end < words && terms[end].term == terms[i].term; end++) continue;
    terms[count++] = (weighted_term){terms[i].term, 1 + log((double)(end - i))};
  }
  return count;
}

/* Puts the terms of `text` behind the *count that are there; new words become terms if `add`. */
static as_status append_terms(as_tfidf *c, const char *text, size_t length, bool add, weighted_term **terms,
                              size_t *capacity, size_t *count) {
  as_buffer lower;
  as_buffer_init(&lower, c->ctx);
  as_append_lower(&lower, (as_string_view){text, length});
  as_status status = as_buffer_status(&lower);
  as_string_view rest = {lower.data, lower.length};
  size_t words = *count;
  while (status == AS_OK) {
    const as_string_view word = next_word(&rest);
    uint32_t number;
    if (word.length == 0) break;
    weighted_term *grown = as_grow(c->ctx, *terms, capacity, words + 1, sizeof *grown);
    if (grown) *terms = grown;
    if (!grown || !number_of(c, word, add, &number))
      status = AS_E_NOMEM;
    else if (number != UINT32_MAX)
      (*terms)[words++].term = number;
  }
  if (status == AS_OK && words > *count) *count += count_terms(*terms + *count, words - *count);
  as_buffer_free(&lower);
  return status;
}

as_status as_tfidf_add(as_tfidf *c, const char *text, size_t length) {
  size_t end = c->count ? c->ends[c->count - 1] : 0;
  if (c->count == UINT32_MAX) return as_fail(c->ctx, AS_E_LIMIT, "more texts than a search for similar ones can have");
  size_t *ends = as_grow(c->ctx, c->ends, &c->end_capacity, c->count + 1, sizeof *ends);
  if (!ends) return AS_E_NOMEM;
  c->ends = ends;
  as_status status = append_terms(c, text, length, true, &c->terms, &c->term_capacity, &end);
  if (status == AS_OK) c->ends[c->count++] = end;
  return status;
}

/* ---- weights ---------------------------------------------------------------------------------------------------- */

/* Multiplies each weight with its term's rarity and divides by the length of the vector that this gives. */
static void weigh(const as_tfidf *c, weighted_term *terms, size_t count) {
  double squares = 0;
  for (size_t i = 0; i < count; i++) {
    terms[i].weight *= c->rarity[terms[i].term];
    squares += terms[i].weight * terms[i].weight;
  }
  for (size_t i = 0; i < count; i++) terms[i].weight /= sqrt(squares);
}

/* From texts' terms to terms' texts. */
static void turn(as_tfidf *c) {
  size_t *next = c->starts + 1; /* next[t]: where the next text of term t goes; in the end, where term t + 1 begins */
  size_t sum = 0;
  for (size_t t = 0; t < c->words.count; t++) {
    const size_t texts = next[t];
    next[t] = sum;
    sum += texts;
  }
  for (size_t text = 0, i = 0; text < c->count; text++) {
    weigh(c, c->terms + i, c->ends[text] - i);
    for (; i < c->ends[text]; i++)
      c->postings[next[c->terms[i].term]++] = (posting){(uint32_t)text, c->terms[i].weight};
  }
}

as_status as_tfidf_finish(as_tfidf *c) {
  const size_t total = c->count ? c->ends[c->count - 1] : 0;
  c->starts = as_alloc_zero(c->ctx, c->words.count + 1, sizeof *c->starts);
  c->rarity = as_alloc(c->ctx, c->words.count, sizeof *c->rarity);
  c->postings = as_alloc(c->ctx, total, sizeof *c->postings);
  if (!c->starts || !c->rarity || !c->postings) return AS_E_NOMEM;
  for (size_t i = 0; i < total; i++) c->starts[c->terms[i].term + 1]++;
  for (size_t t = 0; t < c->words.count; t++)
    c->rarity[t] = 1 + log((1 + (double)c->count) / (1 + (double)c->starts[t + 1]));
  turn(c);
  free_terms(c);
  return AS_OK;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

as_status as_tfidf_similarities(const as_tfidf *collection, const char *text, size_t length, double *similarities) {
  as_tfidf *c = (as_tfidf *)(uintptr_t)collection; /* nothing is added, so nothing of it changes */
  weighted_term *terms = NULL;
  size_t capacity = 0, count = 0;
  as_status status = append_terms(c, text, length, false, &terms, &capacity, &count);
  for (size_t i = 0; i < c->count; i++) similarities[i] = 0;
  if (status == AS_OK) weigh(c, terms, count);
  for (size_t i = 0; status == AS_OK && i < count; i++)
    for (size_t p = c->starts[terms[i].term]; p < c->starts[terms[i].term + 1]; p++)
      similarities[c->postings[p].text] += terms[i].weight * c->postings[p].weight;
  as_free(c->ctx, terms);
  return status;
}
