/* BLEU. */
#include "eval/bleu.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "eval/ngrams.h"

static int64_t nearest_length(const as_ngrams *ngrams) {
  const int64_t length = as_ngrams_total(ngrams, 0);
  int64_t nearest = as_ngrams_total(ngrams, 1);
  for (size_t s = 2; s < ngrams->sequences; s++) {
    const int64_t other = as_ngrams_total(ngrams, s);
    const int64_t difference = llabs(length - other), least = llabs(length - nearest);
    if (difference < least || (difference == least && other < nearest)) nearest = other;
  }
  return nearest;
}

/* Sequence 0 is the hypothesis, the others are the references. */
static void count_segment(as_ngrams *ngrams, as_bleu_counts *counts) {
  counts->hypothesis_length += as_ngrams_total(ngrams, 0);
  counts->reference_length += nearest_length(ngrams);
  for (int n = 0; n < AS_BLEU_ORDER; n++) {
    if (n > 0) as_ngrams_next(ngrams);
    counts->totals[n] += as_ngrams_total(ngrams, 0);
    counts->matches[n] += as_ngrams_matches(ngrams, 0, 1, ngrams->sequences - 1);
  }
}

as_status as_bleu_add(as_context *ctx, as_bleu_counts *counts, as_string_view hypothesis,
                      const as_string_view *references, size_t reference_count, bool lower) {
  as_ngrams ngrams = {0};
  as_tokens tokens;
  as_tokens_init(&tokens, ctx);
  size_t *starts = as_alloc(ctx, reference_count + 2, sizeof *starts);
  if (!starts) return AS_E_NOMEM;
  for (size_t s = 0; s <= reference_count; s++) {
    starts[s] = tokens.count;
    as_tokenize_13a(&tokens, s == 0 ? hypothesis : references[s - 1], lower);
  }
  starts[reference_count + 1] = tokens.count;
  as_status status = as_tokens_status(&tokens);
  if (status == AS_OK) status = as_ngrams_of_tokens(ctx, &tokens, starts, reference_count + 1, &ngrams);
  if (status == AS_OK) count_segment(&ngrams, counts);
  as_ngrams_free(&ngrams);
  as_free(ctx, starts);
  as_tokens_free(&tokens);
  return status;
}

static double brevity_penalty(const as_bleu_counts *counts) {
  if (counts->hypothesis_length >= counts->reference_length) return 1;
  if (counts->hypothesis_length == 0) return 0;
  return exp(1 - (double)counts->reference_length / (double)counts->hypothesis_length);
}

static bool any_match(const as_bleu_counts *counts) {
  for (int n = 0; n < AS_BLEU_ORDER; n++) {
    if (counts->matches[n] > 0) return true;
  }
  return false;
}

as_bleu as_bleu_score(const as_bleu_counts *counts, bool effective_order) {
  as_bleu out = {.brevity_penalty = brevity_penalty(counts)};
  if (!any_match(counts)) return out;
  double smoothing = 1, logarithms = 0; /* each order without a match counts half of what the one before did */
  int orders = 0;
  for (; orders < AS_BLEU_ORDER && counts->totals[orders] > 0; orders++) {
    const double total = (double)counts->totals[orders], matches = (double)counts->matches[orders];
    if (counts->matches[orders] == 0) smoothing *= 2;
    out.precisions[orders] = counts->matches[orders] == 0 ? 100 / (smoothing * total) : 100 * matches / total;
    logarithms += log(out.precisions[orders]);
  }
  if (orders < AS_BLEU_ORDER && !effective_order) return out;
  out.score = out.brevity_penalty * exp(logarithms / orders);
  return out;
}
