/* See token_scores.h. */
#include "infer/token_scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static void penalise_repetition(float penalty, const int32_t *ids, int64_t length, float *scores, uint8_t *marks) {
  for (int64_t i = 0; i < length; i++) {
    float *score = &scores[ids[i]];
    if (marks[ids[i]]) continue;
    marks[ids[i]] = 1;
    *score = *score < 0 ? *score * penalty : *score / penalty;
  }
  for (int64_t i = 0; i < length; i++) marks[ids[i]] = 0;
}

/* Forbids what would make an n-gram that is there already. */
static void ban_ngrams(int64_t n, const int32_t *ids, int64_t length, float *scores) {
  const int32_t *end = ids + length - (n - 1);
  for (int64_t i = 0; i + n <= length; i++)
    if (memcmp(ids + i, end, (size_t)(n - 1) * sizeof *ids) == 0) scores[ids[i + n - 1]] = -INFINITY;
}

void as_token_rules_apply(const as_token_rules *rules, const int32_t *ids, int64_t length, float *scores,
                          uint8_t *marks) {
  const as_generate_options *o = rules->options;
  if (o->repetition_penalty != 1) penalise_repetition((float)o->repetition_penalty, ids, length, scores, marks);
  if (o->no_repeat_ngram_size > 0) ban_ngrams(o->no_repeat_ngram_size, ids, length, scores);
  if (length - 1 < o->min_new_tokens) scores[rules->eos_token_id] = -INFINITY;
}

/* ---- the highest ------------------------------------------------------------------------------------------------ */

/* Whether a comes before b. */
static bool before(const as_candidate *a, const as_candidate *b) {
  return a->score != b->score ? a->score > b->score : a->token < b->token;
}

/* Lets the candidate at `at` sink in a heap whose first is the last in order. */
static void sink(as_candidate *heap, int64_t count, int64_t at) {
  as_candidate moved = heap[at];
  for (int64_t child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && before(&heap[child], &heap[child + 1])) child++;
    if (!before(&moved, &heap[child])) break;
    heap[at] = heap[child];
  }
  heap[at] = moved;
}

static int by_order(const void *a, const void *b) { return before(a, b) ? -1 : before(b, a); }

/* Blocks without a score above the lowest of the best are passed over whole; equal ones later in order never matter. */
void as_top_candidates(const as_token_rules *rules, const float *scores, int64_t count, as_candidate *best) {
  enum { BLOCK = 256 };
  for (int64_t i = 0; i < count; i++) best[i] = (as_candidate){.score = scores[i], .token = (int32_t)i};
  for (int64_t i = count / 2 - 1; i >= 0; i--) sink(best, count, i);
  for (int64_t first = count; first < rules->vocab_size; first += BLOCK) {
    int64_t end = first + BLOCK < rules->vocab_size ? first + BLOCK : rules->vocab_size;
    if (!(rules->kernels->max((size_t)(end - first), scores + first) > best[0].score)) continue;
    for (int64_t i = first; i < end; i++) {
      if (!(scores[i] > best[0].score)) continue;
      best[0] = (as_candidate){.score = scores[i], .token = (int32_t)i};
      sink(best, count, 0);
    }
  }
  qsort(best, (size_t)count, sizeof *best, by_order);
}

/* ---- choosing --------------------------------------------------------------------------------------------------- */

void as_log_probabilities(const as_token_rules *rules, float *scores, float *scratch) {
  float lse;
  rules->kernels->softmax(1, (size_t)rules->vocab_size, scores, scratch, &lse);
  rules->kernels->add_scalar((size_t)rules->vocab_size, -lse, scores, scores);
}

int32_t as_greedy_token(const as_token_rules *rules, float *scores, double *log_probability) {
  as_candidate best;
  float lse;
  as_top_candidates(rules, scores, 1, &best);
  rules->kernels->softmax(1, (size_t)rules->vocab_size, scores, scores, &lse);
  *log_probability = (double)best.score - (double)lse;
  return best.token;
}

/* How many of the candidates, in order, are there before their probability reaches top_p; all if it doesn't. */
static int64_t count_until(const as_candidate *candidates, int64_t count, double lse, double top_p) {
  double sum = 0;
  int64_t kept = 0;
  while (kept < count && sum < top_p) sum += exp((double)candidates[kept++].score - lse);
  return sum < top_p ? -1 : kept;
}

/* The candidates that top_k and top_p leave of log-probabilities, and their number. They are put in order only as far
 * as top_p reaches; it is about what top_k has left. */
static int64_t gather(const as_token_rules *rules, const float *scores, as_candidate *candidates) {
  const as_generate_options *o = rules->options;
  bool cut = o->top_k > 0 && o->top_k < rules->vocab_size;
  int64_t most = cut ? o->top_k : rules->vocab_size, count = cut || o->top_p >= 1 || most < 64 ? most : 64;
  for (;;) {
    double total = cut ? 0 : 1;
    as_top_candidates(rules, scores, count, candidates);
    for (int64_t i = 0; cut && i < count; i++) total += exp((double)candidates[i].score);
    int64_t kept = o->top_p < 1 ? count_until(candidates, count, log(total), o->top_p) : count;
    if (kept >= 0) return kept;
    if (count == most) return count;
    count = 8 * count < most ? 8 * count : most;
  }
}

int32_t as_sampled_token(const as_token_rules *rules, float *scores, double uniform, as_candidate *candidates,
                         float *scratch, double *log_probability) {
  if (rules->options->temperature != 1)
    rules->kernels->scale((size_t)rules->vocab_size, (float)(1 / rules->options->temperature), scores, scores);
  as_log_probabilities(rules, scores, scratch);
  int64_t kept = gather(rules, scores, candidates), chosen = 0;
  double total = 0;
  for (int64_t i = 0; i < kept; i++) total += exp((double)candidates[i].score);
  for (double left = uniform * total; chosen < kept - 1; chosen++) {
    left -= exp((double)candidates[chosen].score);
    if (left < 0) break;
  }
  *log_probability = (double)candidates[chosen].score - log(total);
  return candidates[chosen].token;
}
