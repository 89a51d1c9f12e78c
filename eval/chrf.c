/* chrF. */
#include "eval/chrf.h"

#include "base/memory.h"
#include "eval/ngrams.h"

double as_chrf_score(const as_chrf_counts *counts, bool words) {
  const int orders = words ? AS_CHRF_ORDERS : AS_CHRF_CHARACTER_ORDER;
  const double factor = 2 * 2; /* beta squared */
  double precision = 0, recall = 0;
  int counted = 0; /* orders of which both sides have n-grams */
  for (int n = 0; n < orders; n++) {
    if (counts->hypothesis[n] == 0 || counts->reference[n] == 0) continue;
    precision += (double)counts->matches[n] / (double)counts->hypothesis[n];
    recall += (double)counts->matches[n] / (double)counts->reference[n];
    counted++;
  }
  if (precision + recall <= 0) return 0;
  precision /= counted;
  recall /= counted;
  return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
}

/* The code points of all texts without white space; starts[count + 1]. NULL on failure; caller frees. */
static uint32_t *read_characters(as_context *ctx, const as_string_view *texts, size_t count, size_t *starts) {
  size_t most = 0;
  for (size_t s = 0; s < count; s++) most += texts[s].length;
  uint32_t *characters = as_alloc(ctx, most, sizeof *characters);
  size_t length = 0;
  for (size_t s = 0; characters && s < count; s++) {
    starts[s] = length;
    for (as_string_view rest = texts[s]; rest.length > 0;) {
      const uint32_t c = as_next_code_point(&rest);
      if (!as_is_space(c)) characters[length++] = c;
    }
  }
  starts[count] = length;
  return characters;
}

/* Counts orders first .. first + orders-1 of each reference; sequence 0 is the hypothesis. */
static void count_orders(as_ngrams *ngrams, int first, int orders, as_chrf_counts *counts /* [references] */) {
  for (int n = first; n < first + orders; n++) {
    if (n > first) as_ngrams_next(ngrams);
    for (size_t s = 1; s < ngrams->sequences; s++) {
      as_chrf_counts *to = &counts[s - 1];
      to->reference[n] = as_ngrams_total(ngrams, s);
      to->hypothesis[n] = to->reference[n] > 0 ? as_ngrams_total(ngrams, 0) : 0;
      to->matches[n] = as_ngrams_matches(ngrams, 0, s, 1);
    }
  }
}

static as_status count_characters(as_context *ctx, const as_string_view *texts, size_t count, size_t *starts,
                                  as_chrf_counts *counts) {
  as_ngrams ngrams = {0};
  uint32_t *characters = read_characters(ctx, texts, count, starts);
  if (!characters) return AS_E_NOMEM;
  const as_status status = as_ngrams_of_code_points(ctx, characters, starts, count, &ngrams);
  if (status == AS_OK) count_orders(&ngrams, 0, AS_CHRF_CHARACTER_ORDER, counts);
  as_ngrams_free(&ngrams);
  as_free(ctx, characters);
  return status;
}

static as_status count_words(as_context *ctx, const as_string_view *texts, size_t count, size_t *starts,
                             as_chrf_counts *counts) {
  as_ngrams ngrams = {0};
  as_tokens tokens;
  as_tokens_init(&tokens, ctx);
  for (size_t s = 0; s < count; s++) {
    starts[s] = tokens.count;
    as_tokenize_chrf(&tokens, texts[s]);
  }
  starts[count] = tokens.count;
  as_status status = as_tokens_status(&tokens);
  if (status == AS_OK) status = as_ngrams_of_tokens(ctx, &tokens, starts, count, &ngrams);
  if (status == AS_OK) count_orders(&ngrams, AS_CHRF_CHARACTER_ORDER, AS_CHRF_WORD_ORDER, counts);
  as_ngrams_free(&ngrams);
  as_tokens_free(&tokens);
  return status;
}

static void add_best(as_chrf_counts *sum, const as_chrf_counts *counts, size_t references, bool words) {
  const as_chrf_counts *best = counts;
  for (size_t r = 1; r < references; r++) {
    if (as_chrf_score(&counts[r], words) > as_chrf_score(best, words)) best = &counts[r];
  }
  for (int n = 0; n < AS_CHRF_ORDERS; n++) {
    sum->hypothesis[n] += best->hypothesis[n];
    sum->reference[n] += best->reference[n];
    sum->matches[n] += best->matches[n];
  }
}

as_status as_chrf_add(as_context *ctx, as_chrf_counts *counts, as_string_view hypothesis,
                      const as_string_view *references, size_t reference_count, bool words) {
  as_string_view *texts = as_alloc(ctx, reference_count + 1, sizeof *texts);
  size_t *starts = as_alloc(ctx, reference_count + 2, sizeof *starts);
  as_chrf_counts *each = as_alloc_zero(ctx, reference_count, sizeof *each);
  as_status status = texts && starts && each ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) {
    texts[0] = hypothesis;
    for (size_t r = 0; r < reference_count; r++) texts[r + 1] = references[r];
    status = count_characters(ctx, texts, reference_count + 1, starts, each);
  }
  if (status == AS_OK && words) status = count_words(ctx, texts, reference_count + 1, starts, each);
  if (status == AS_OK) add_best(counts, each, reference_count, words);
  as_free(ctx, texts);
  as_free(ctx, starts);
  as_free(ctx, each);
  return status;
}
