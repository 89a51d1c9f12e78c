/* The best products for many customers: scores by blocks of a matrix product, then selection. */
#ifndef AS_RECOMMEND_TOPN_H
#define AS_RECOMMEND_TOPN_H

#include "recommend/lightfm.h"

struct as_pair_kernels; /* recommend/pairwise.h */

/* Representations ready for products: [rows, width], bias and constant as components (recommend/pairwise.h). */
typedef struct as_vectors {
  int64_t rows;
  size_t width;
  float *values;
} as_vectors;
AS_MUST_CHECK as_status as_vectors_make(as_context *ctx, const as_lightfm *model, const as_feature_matrix *features,
                                        bool items, as_vectors *out);
void as_vectors_free(as_context *ctx, as_vectors *vectors); /* a zeroed one is allowed */

/* A block of customers with all their scores, in the calling thread's lane. Scores of items that the customer has seen
 * are as they come. */
typedef struct as_score_block {
  int64_t first, count;  /* numbers in the list of users */
  const int32_t *users;  /* [count] */
  const float *scores;   /* [count, items] */
  int64_t items;
} as_score_block;
/* Computes the scores of `users` [count] for all items and hands them on block by block, on the context's threads.
 * Scores are one chain of multiply-adds each, so they don't depend on the blocks. `each` may be called from several
 * threads at once, with different lanes. */
AS_MUST_CHECK as_status as_score_users(as_context *ctx, const as_vectors *users, const as_vectors *items,
                                       const int32_t *list, int64_t count,
                                       void (*each)(void *argument, const as_score_block *block, int lane),
                                       void *argument);

typedef struct as_best {
  float score;
  int32_t item;
} as_best;
/* The best `n` of scores[items] that are not in the ascending list seen[seen_count]: score descending, equal scores by
 * smaller item. Returns how many there are, at most n. `best` has room for n. */
int64_t as_select_best(const float *scores, int64_t items, const int32_t *seen, int64_t seen_count, int64_t n,
                       as_best *best);
/* The same with the kernels of an instruction set, which are quick where few scores are among the best. */
int64_t as_select_best_with(const struct as_pair_kernels *kernels, const float *scores, int64_t items,
                            const int32_t *seen, int64_t seen_count, int64_t n, as_best *best);

/* Whose best products are asked for. */
typedef struct as_top_question {
  const int32_t *users; /* [count] */
  int64_t count;
  int64_t n;
  const int64_t *seen_starts; /* [all users + 1]; NULL: nothing is left out */
  const int32_t *seen;        /* ascending within a user: items that are left out */
} as_top_question;
/* The best n items of each user, as as_select_best orders them: best[i * n + 0 .. counts[i]) for users[i]. */
AS_MUST_CHECK as_status as_top_items(as_context *ctx, const as_vectors *users, const as_vectors *items,
                                     const as_top_question *question, as_best *best /* [count, n] */,
                                     int64_t *counts /* [count] */);

#endif
