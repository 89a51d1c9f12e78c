/* Ranking metrics, one user at a time, so that memory does not grow with the number of users. Candidates are sorted
 * here; who finds the places of many users in another way calls as_ranking_from_places. */
#include "eval/ranking.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/range_check.h"

typedef struct candidate {
  double score;
  int32_t item;
} candidate;

/* A sum over the users for whom the value is defined. */
typedef struct running_mean {
  double sum;
  int64_t count;
} running_mean;

struct as_ranking {
  as_context *ctx;
  int64_t items;
  int64_t *ks; /* [k_count] */
  size_t k_count;
  int64_t most_k;
  int64_t users;         /* that count */
  candidate *candidates; /* [items] in order */
  int64_t candidate_count;
  as_place *places;  /* [items] of the relevant candidates */
  int32_t *grades;   /* [items] of the present user: grade of a relevant item, -1 elsewhere */
  int32_t *ideal;    /* [items] the grades of the relevant candidates, highest first */
  int64_t relevant;  /* relevant candidates of the present user */
  bool graded;
  bool *seen;         /* [items] by the present user */
  int64_t *best_rank; /* [items] the best rank any user's list has given it, from 1; 0: none */
  int32_t *top;       /* [min(items, most_k)] */
  running_mean *sums; /* [k_count * AS_RANKING_MEASURES + 2]; the last two are MRR and AUC */
  as_ranking_scores last, mean;
};

const char *as_ranking_name(as_ranking_measure measure) {
  static const char *const names[AS_RANKING_MEASURES] = {"precision", "recall", "hit",      "map",
                                                         "mrr",       "ndcg",   "ndcg_exp", "ndcg_lin"};
  return names[measure];
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static as_status make_room(as_ranking *r) {
  const size_t items = (size_t)r->items, values = r->k_count * AS_RANKING_MEASURES;
  const int64_t top = r->items < r->most_k ? r->items : r->most_k;
  bool ok = (r->candidates = as_alloc(r->ctx, items, sizeof *r->candidates)) != NULL;
  ok = ok && (r->places = as_alloc(r->ctx, items, sizeof *r->places)) != NULL;
  ok = ok && (r->grades = as_alloc(r->ctx, items, sizeof *r->grades)) != NULL;
  ok = ok && (r->ideal = as_alloc(r->ctx, items, sizeof *r->ideal)) != NULL;
  ok = ok && (r->seen = as_alloc(r->ctx, items, sizeof *r->seen)) != NULL;
  ok = ok && (r->best_rank = as_alloc_zero(r->ctx, items, sizeof *r->best_rank)) != NULL;
  ok = ok && (r->top = as_alloc(r->ctx, (size_t)top, sizeof *r->top)) != NULL;
  ok = ok && (r->sums = as_alloc_zero(r->ctx, values + 2, sizeof *r->sums)) != NULL;
  ok = ok && (r->last.at = as_alloc(r->ctx, values, sizeof(double))) != NULL;
  ok = ok && (r->mean.at = as_alloc(r->ctx, values, sizeof(double))) != NULL;
  return ok ? AS_OK : AS_E_NOMEM;
}

as_status as_ranking_start(as_context *ctx, int64_t items, const int64_t *ks, size_t k_count, as_ranking **out) {
  *out = NULL;
  if (items < 0 || items > INT32_MAX) return as_fail(ctx, AS_E_INVALID, "cannot rank %" PRId64 " items", items);
  for (size_t i = 0; i < k_count; i++) {
    if (ks[i] < 1) return as_fail(ctx, AS_E_INVALID, "cut-off %" PRId64 " is below 1", ks[i]);
  }
  as_ranking *r = as_alloc_zero(ctx, 1, sizeof *r);
  if (!r) return AS_E_NOMEM;
  *r = (as_ranking){.ctx = ctx, .items = items, .k_count = k_count};
  r->ks = as_alloc(ctx, k_count, sizeof *r->ks);
  for (size_t i = 0; r->ks && i < k_count; i++) {
    r->ks[i] = ks[i];
    if (ks[i] > r->most_k) r->most_k = ks[i];
  }
  const as_status status = r->ks ? make_room(r) : AS_E_NOMEM;
  if (status != AS_OK) {
    as_ranking_free(r);
    return status;
  }
  *out = r;
  return AS_OK;
}

void as_ranking_free(as_ranking *r) {
  if (!r) return;
  void *const all[] = {r->ks,        r->candidates, r->places, r->grades,  r->ideal,  r->seen,
                       r->best_rank, r->top,        r->sums,   r->last.at, r->mean.at};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) as_free(r->ctx, all[i]);
  as_free(r->ctx, r);
}

/* ---- one user -------------------------------------------------------------------------------------------------- */

static as_status check_user(const as_ranking *r, const as_ranking_user *user) {
  as_status status = as_check_range(r->ctx, "relevant item", user->relevant, user->relevant_count, r->items);
  if (status == AS_OK) status = as_check_range(r->ctx, "seen item", user->seen, user->seen_count, r->items);
  for (int64_t i = 0; i < r->items && status == AS_OK; i++) {
    if (isnan(user->scores[i])) status = as_fail(r->ctx, AS_E_INVALID, "the score of item %" PRId64 " is NaN", i);
  }
  for (int64_t i = 0; user->grades && i < user->relevant_count && status == AS_OK; i++) {
    if (user->grades[i] >= 0 && user->grades[i] <= AS_MOST_GRADE) continue;
    status = as_fail(r->ctx, AS_E_INVALID, "grade %" PRId32 " of item %" PRId32 " is not in 0..%d", user->grades[i],
                     user->relevant[i], AS_MOST_GRADE);
  }
  return status;
}

static int best_first(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
  return (x->item > y->item) - (x->item < y->item);
}

static int descending(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x < y) - (x > y);
}

/* Sets grades, seen, candidates, ideal and top. */
static void rank_items(as_ranking *r, const as_ranking_user *user) {
  for (int64_t i = 0; i < r->items; i++) {
    r->grades[i] = -1;
    r->seen[i] = false;
  }
  for (int64_t i = 0; i < user->seen_count; i++) r->seen[user->seen[i]] = true;
  for (int64_t i = 0; i < user->relevant_count; i++) r->grades[user->relevant[i]] = user->grades ? user->grades[i] : 1;
  r->graded = user->grades != NULL;
  r->candidate_count = r->relevant = 0;
  for (int64_t i = 0; i < r->items; i++) {
    if (r->seen[i]) continue;
    r->candidates[r->candidate_count++] = (candidate){user->scores[i], (int32_t)i};
    if (r->grades[i] >= 0) r->ideal[r->relevant++] = r->grades[i];
  }
  qsort(r->candidates, (size_t)r->candidate_count, sizeof *r->candidates, best_first);
  qsort(r->ideal, (size_t)r->relevant, sizeof *r->ideal, descending);
  for (int64_t i = 0; i < r->candidate_count && i < r->most_k; i++) {
    int64_t *rank = &r->best_rank[r->candidates[i].item];
    r->top[i] = r->candidates[i].item;
    if (*rank == 0 || i + 1 < *rank) *rank = i + 1;
  }
}

/* Sets places. */
static void place_relevant(as_ranking *r) {
  int64_t count = 0;
  for (int64_t begin = 0, end; begin < r->candidate_count; begin = end) {
    for (end = begin; end < r->candidate_count && r->candidates[end].score >= r->candidates[begin].score;) end++;
    for (int64_t i = begin; i < end; i++) {
      const int32_t grade = r->grades[r->candidates[i].item];
      if (grade >= 0) r->places[count++] = (as_place){i, begin, end - begin - 1, grade};
    }
  }
}

/* ---- definitions ------------------------------------------------------------------------------------------------ */

/* Discounted gains of the first k places, of what was ranked and of the ideal order. */
typedef struct gains {
  double binary, exponential, linear;
} gains;

static void add_gain(gains *sum, int32_t grade, int64_t place) {
  const double discount = log2((double)(place + 2));
  sum->binary += 1 / discount;
  sum->exponential += (exp2(grade) - 1) / discount;
  sum->linear += grade / discount;
}

static void measure_gains(const as_place *places, int64_t relevant, const int32_t *ideal, int64_t k, double *at) {
  gains ranked = {0, 0, 0}, best = {0, 0, 0};
  for (int64_t i = 0; i < relevant && places[i].rank < k; i++) add_gain(&ranked, places[i].grade, places[i].rank);
  for (int64_t i = 0; i < k && i < relevant; i++) add_gain(&best, ideal ? ideal[i] : 1, i);
  at[AS_NDCG_AT_K] = ranked.binary / best.binary;
  at[AS_NDCG_EXP_AT_K] = ideal && best.exponential > 0 ? ranked.exponential / best.exponential : NAN;
  at[AS_NDCG_LIN_AT_K] = ideal && best.linear > 0 ? ranked.linear / best.linear : NAN;
}

static void measure_at(const as_place *places, int64_t relevant, const int32_t *ideal, int64_t k, double *at) {
  int64_t hits = 0;
  double precisions = 0;
  for (; hits < relevant && places[hits].rank < k; hits++)
    precisions += (double)(hits + 1) / (double)(places[hits].rank + 1);
  at[AS_PRECISION_AT_K] = (double)hits / (double)k;
  at[AS_RECALL_AT_K] = (double)hits / (double)relevant;
  at[AS_HIT_AT_K] = hits > 0;
  at[AS_MAP_AT_K] = precisions / (double)(relevant < k ? relevant : k);
  at[AS_MRR_AT_K] = hits > 0 ? 1 / (double)(places[0].rank + 1) : 0;
  measure_gains(places, relevant, ideal, k, at);
}

/* Each relevant candidate beats what is neither above nor equal, and half of what is equal. Two relevant ones share one
 * such point between them, which is taken off again. Everything is a whole number of halves, so it is exact. */
static double measure_auc(const as_place *places, int64_t relevant, int64_t candidates) {
  const double positives = (double)relevant, negatives = (double)(candidates - relevant);
  double beaten = 0;
  if (relevant == candidates) return NAN;
  for (int64_t i = 0; i < relevant; i++)
    beaten += (double)(candidates - 1 - places[i].above) - (double)places[i].equal / 2;
  return (beaten - positives * (positives - 1) / 2) / (positives * negatives);
}

void as_ranking_from_places(const as_place *places, int64_t relevant, const int32_t *ideal, int64_t candidates,
                        const int64_t *ks, size_t k_count, as_ranking_scores *out) {
  out->undefined = relevant == 0;
  if (out->undefined) return;
  out->mrr = 1 / (double)(places[0].rank + 1);
  out->auc = measure_auc(places, relevant, candidates);
  for (size_t j = 0; j < k_count; j++)
    measure_at(places, relevant, ideal, ks[j], out->at + j * AS_RANKING_MEASURES);
}

static int ascending(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

double as_gini(int64_t *counts, int64_t n) {
  double sum = 0, uneven = 0;
  if (n > 0) qsort(counts, (size_t)n, sizeof *counts, ascending);
  for (int64_t i = 0; i < n; i++) {
    sum += (double)counts[i];
    uneven += (double)(2 * (i + 1) - n - 1) * (double)counts[i];
  }
  return sum > 0 ? uneven / ((double)n * sum) : NAN;
}

double as_novelty(const int64_t *listed, const int64_t *known, int64_t items, int64_t users) {
  double sum = 0, lists = 0;
  for (int64_t i = 0; i < items; i++) {
    if (listed[i] == 0) continue;
    lists += (double)listed[i];
    sum -= (double)listed[i] * log2((double)(known[i] + 1) / (double)(users + 1));
  }
  return lists > 0 ? sum / lists : NAN;
}

/* ---- sums ------------------------------------------------------------------------------------------------------- */

static void add_value(running_mean *mean, double value) {
  if (isnan(value)) return;
  mean->sum += value;
  mean->count++;
}

as_status as_ranking_add(as_ranking *r, const as_ranking_user *user) {
  const as_status status = check_user(r, user);
  if (status != AS_OK) return status;
  rank_items(r, user);
  place_relevant(r);
  as_ranking_from_places(r->places, r->relevant, r->graded ? r->ideal : NULL, r->candidate_count, r->ks, r->k_count,
                     &r->last);
  if (r->last.undefined) return AS_OK;
  r->users++;
  const size_t values = r->k_count * AS_RANKING_MEASURES;
  for (size_t i = 0; i < values; i++) add_value(&r->sums[i], r->last.at[i]);
  add_value(&r->sums[values], r->last.mrr);
  add_value(&r->sums[values + 1], r->last.auc);
  return AS_OK;
}

/* ---- results --------------------------------------------------------------------------------------------------- */

const as_ranking_scores *as_ranking_last(const as_ranking *r) {
  return &r->last;
}

const int32_t *as_ranking_top(const as_ranking *r, int64_t *count) {
  *count = r->candidate_count < r->most_k ? r->candidate_count : r->most_k;
  return r->top;
}

int64_t as_ranking_users(const as_ranking *r) {
  return r->users;
}

static double value_of(running_mean mean) {
  return mean.count > 0 ? mean.sum / (double)mean.count : NAN;
}

const as_ranking_scores *as_ranking_mean(as_ranking *r) {
  const size_t values = r->k_count * AS_RANKING_MEASURES;
  for (size_t i = 0; i < values; i++) r->mean.at[i] = value_of(r->sums[i]);
  r->mean.mrr = value_of(r->sums[values]);
  r->mean.auc = value_of(r->sums[values + 1]);
  r->mean.undefined = r->users == 0;
  return &r->mean;
}

double as_ranking_coverage(const as_ranking *r, int64_t k) {
  int64_t covered = 0;
  for (int64_t i = 0; i < r->items; i++) covered += r->best_rank[i] > 0 && r->best_rank[i] <= k;
  return r->items > 0 ? (double)covered / (double)r->items : NAN;
}
