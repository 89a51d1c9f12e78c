/* The id of an n-gram follows from the id of its first n-1 units and its last unit: the pairs are sorted and numbered.
 * So no order costs more than a sort, whatever the texts. */
#include "eval/ngrams.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int by_key(const void *a, const void *b) {
  const as_ngram_key *x = a, *y = b;
  return (x->key > y->key) - (x->key < y->key);
}

/* Gives the positions in keys[0 .. count) ids in the order of their keys. */
static void number_keys(as_ngrams *n, size_t count) {
  qsort(n->keys, count, sizeof *n->keys, by_key);
  n->distinct = 0;
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || n->keys[i].key != n->keys[i - 1].key) n->distinct++;
    n->ids[n->keys[i].position] = (uint32_t)(n->distinct - 1);
  }
}

static as_status make_room(as_context *ctx, const size_t *starts, size_t sequences, as_ngrams *out) {
  const size_t length = starts[sequences];
  *out = (as_ngrams){.ctx = ctx, .starts = starts, .sequences = sequences, .order = 1};
  if (length > INT32_MAX) return as_fail(ctx, AS_E_LIMIT, "%zu words are too many for counting n-grams", length);
  out->units = as_alloc(ctx, length, sizeof *out->units);
  out->ids = out->units ? as_alloc(ctx, length, sizeof *out->ids) : NULL;
  out->counts = out->ids ? as_alloc_zero(ctx, 2 * length, sizeof *out->counts) : NULL;
  out->keys = out->counts ? as_alloc(ctx, length, sizeof *out->keys) : NULL;
  if (out->keys) return AS_OK;
  as_ngrams_free(out);
  return AS_E_NOMEM;
}

void as_ngrams_free(as_ngrams *ngrams) {
  if (!ngrams->ctx) return;
  as_free(ngrams->ctx, ngrams->units);
  as_free(ngrams->ctx, ngrams->ids);
  as_free(ngrams->ctx, ngrams->counts);
  as_free(ngrams->ctx, ngrams->keys);
  *ngrams = (as_ngrams){0};
}

as_status as_ngrams_of_code_points(as_context *ctx, const uint32_t *code_points, const size_t *starts, size_t sequences,
                                   as_ngrams *out) {
  const as_status status = make_room(ctx, starts, sequences, out);
  if (status != AS_OK) return status;
  const size_t length = starts[sequences];
  for (size_t i = 0; i < length; i++) out->keys[i] = (as_ngram_key){code_points[i], (uint32_t)i};
  number_keys(out, length);
  memcpy(out->units, out->ids, length * sizeof *out->ids);
  return AS_OK;
}

typedef struct placed_token {
  as_string_view token;
  size_t position;
} placed_token;

static int by_token(const void *a, const void *b) {
  const as_string_view x = ((const placed_token *)a)->token, y = ((const placed_token *)b)->token;
  const int order = memcmp(x.text, y.text, x.length < y.length ? x.length : y.length);
  return order != 0 ? order : (x.length > y.length) - (x.length < y.length);
}

/* Writes each token's number among the different ones to units[count]. */
static as_status number_tokens(as_context *ctx, const as_tokens *tokens, uint32_t *units) {
  placed_token *sorted = as_alloc(ctx, tokens->count, sizeof *sorted);
  if (!sorted) return AS_E_NOMEM;
  for (size_t i = 0; i < tokens->count; i++) sorted[i] = (placed_token){as_tokens_at(tokens, i), i};
  qsort(sorted, tokens->count, sizeof *sorted, by_token);
  uint32_t number = 0;
  for (size_t i = 0; i < tokens->count; i++) {
    if (i > 0 && by_token(&sorted[i - 1], &sorted[i]) != 0) number++;
    units[sorted[i].position] = number;
  }
  as_free(ctx, sorted);
  return AS_OK;
}

as_status as_ngrams_of_tokens(as_context *ctx, const as_tokens *tokens, const size_t *starts, size_t sequences,
                              as_ngrams *out) {
  *out = (as_ngrams){0};
  uint32_t *units = as_alloc(ctx, tokens->count, sizeof *units);
  if (!units) return AS_E_NOMEM;
  as_status status = number_tokens(ctx, tokens, units);
  if (status == AS_OK) status = as_ngrams_of_code_points(ctx, units, starts, sequences, out);
  as_free(ctx, units);
  return status;
}

/* Where the n-grams of a sequence end: the first position that has no `order` units left. */
static size_t end_of(const as_ngrams *n, size_t sequence, size_t order) {
  const size_t start = n->starts[sequence], end = n->starts[sequence + 1];
  return end - start < order ? start : end - order + 1;
}

void as_ngrams_next(as_ngrams *n) {
  size_t count = 0;
  for (size_t s = 0; s < n->sequences; s++) {
    for (size_t i = n->starts[s]; i < end_of(n, s, n->order + 1); i++) {
      n->keys[count++] = (as_ngram_key){(uint64_t)n->ids[i] << 32 | n->units[i + n->order], (uint32_t)i};
    }
  }
  n->order++;
  number_keys(n, count);
}

int64_t as_ngrams_total(const as_ngrams *n, size_t sequence) {
  return (int64_t)(end_of(n, sequence, n->order) - n->starts[sequence]);
}

int64_t as_ngrams_matches(as_ngrams *n, size_t hypothesis, size_t first, size_t references) {
  uint32_t *here = n->counts, *most = n->counts + n->starts[n->sequences];
  for (size_t s = first; s < first + references; s++) {
    for (size_t i = n->starts[s]; i < end_of(n, s, n->order); i++) {
      const uint32_t count = ++here[n->ids[i]];
      if (count > most[n->ids[i]]) most[n->ids[i]] = count;
    }
    for (size_t i = n->starts[s]; i < end_of(n, s, n->order); i++) here[n->ids[i]] = 0;
  }
  int64_t matches = 0;
  for (size_t i = n->starts[hypothesis]; i < end_of(n, hypothesis, n->order); i++) {
    matches += most[n->ids[i]] > 0;
    most[n->ids[i]] -= most[n->ids[i]] > 0;
  }
  for (size_t s = first; s < first + references; s++) {
    for (size_t i = n->starts[s]; i < end_of(n, s, n->order); i++) most[n->ids[i]] = 0;
  }
  return matches;
}
