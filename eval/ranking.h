/* Ranking metrics of a recommender, their definitions and their means: for each user a score per item, and the items that turned out to be relevant.
 *
 * Candidates are the items that the user has not seen; they rank by score, the higher first, equal scores by smaller
 * item. Relevant items that were seen do not count, and a user without any other is left out of the means. */
#ifndef AS_EVAL_RANKING_H
#define AS_EVAL_RANKING_H

#include "base/context.h"

/* Measures of the first k candidates. */
typedef enum as_ranking_measure {
  AS_PRECISION_AT_K, /* hits / k, also when there are fewer candidates */
  AS_RECALL_AT_K,    /* hits / relevant */
  AS_HIT_AT_K,       /* 1 if there is a hit */
  AS_MAP_AT_K,       /* sum of the precisions at the hits / min(relevant, k) */
  AS_MRR_AT_K,       /* 1 / rank of the first hit, 0 without one */
  AS_NDCG_AT_K,      /* gain 1 for a hit, discount 1 / log2(rank + 1), over that of the ideal order */
  AS_NDCG_EXP_AT_K,  /* gain 2^grade - 1 (Burges et al. 2005); only with grades */
  AS_NDCG_LIN_AT_K,  /* gain grade (Jarvelin and Kekalainen 2002); only with grades */
  AS_RANKING_MEASURES
} as_ranking_measure;

/* "precision", "recall", "hit", "map", "mrr", "ndcg", "ndcg_exp", "ndcg_lin". */
const char *as_ranking_name(as_ranking_measure measure);

/* What a user answers to. Arrays are borrowed for the call. */
typedef struct as_ranking_user {
  const double *scores;    /* [items] */
  const int32_t *relevant; /* [relevant_count] items; one twice counts once */
  int64_t relevant_count;
  const int32_t *grades; /* [relevant_count] 0 .. AS_MOST_GRADE, or NULL: every relevant item the same */
  const int32_t *seen;   /* [seen_count] items */
  int64_t seen_count;
} as_ranking_user;

enum { AS_MOST_GRADE = 100 };

/* The scores of a user, or their means. What is undefined is NaN: the AUC without an irrelevant candidate, a graded
 * NDCG without grades or with nothing but grades of 0. */
typedef struct as_ranking_scores {
  double mrr;     /* over the whole list */
  double auc;     /* Mann-Whitney over the candidates, ties one half */
  double *at;     /* [k_count, AS_RANKING_MEASURES] */
  bool undefined; /* this user has no relevant candidate, or no user had one */
} as_ranking_scores;

/* Where a relevant candidate stands. */
typedef struct as_place {
  int64_t rank;  /* candidates before it, from 0: those with a higher score, or with the same and a smaller number */
  int64_t above; /* candidates with a higher score */
  int64_t equal; /* other candidates with the same score */
  int32_t grade; /* 1 where there are no grades */
} as_place;

/* The definitions themselves: a user's scores from the places of its relevant candidates, by rank. `ideal` are their
 * grades, highest first, or NULL when there are none. relevant = 0: undefined, nothing else is set. */
void as_ranking_from_places(const as_place *places /* [relevant] */, int64_t relevant, const int32_t *ideal /* [relevant] */,
                        int64_t candidates, const int64_t *ks /* [k_count] */, size_t k_count, as_ranking_scores *out);

/* How unevenly `counts` are spread: the Gini coefficient, 0 when all are the same, towards 1 when one has everything;
 * sum of (2 i - n - 1) c_i over i = 1 .. n in ascending order / (n sum of c). NaN when all are 0. Sorts `counts`. */
double as_gini(int64_t *counts /* [n] */, int64_t n);

/* Novelty of lists (Vargas and Castells 2011): the mean of -log2 of the share of users that an item was known to, over
 * everything that is in a list. The share is (known + 1) / (users + 1), so that it is above 0. NaN without lists. */
double as_novelty(const int64_t *listed /* [items] in how many lists */, const int64_t *known /* [items] to how many */,
                  int64_t items, int64_t users);

typedef struct as_ranking as_ranking;

/* Starts an evaluation over `items` items at the cut-offs `ks` (copied), each at least 1. AS_E_INVALID otherwise.
 * Caller frees with as_ranking_free. */
AS_MUST_CHECK as_status as_ranking_start(as_context *ctx, int64_t items, const int64_t *ks /* [k_count] */,
                                         size_t k_count, as_ranking **out);
void as_ranking_free(as_ranking *ranking); /* NULL is allowed */

/* Adds a user. AS_E_INVALID: an item or a grade out of range, a score that is NaN. */
AS_MUST_CHECK as_status as_ranking_add(as_ranking *ranking, const as_ranking_user *user);

/* The scores of the user added last, and that user's candidates in order, up to the largest k; borrowed until the next
 * call. */
const as_ranking_scores *as_ranking_last(const as_ranking *ranking);
const int32_t *as_ranking_top(const as_ranking *ranking, int64_t *count);

/* The users that count, and their means, each over the users for whom it is defined; borrowed. */
int64_t as_ranking_users(const as_ranking *ranking);
const as_ranking_scores *as_ranking_mean(as_ranking *ranking);
/* Items that were among the first k candidates of any user (counted or not) / all items; NaN when there are no items.
 */
double as_ranking_coverage(const as_ranking *ranking, int64_t k);

#endif
