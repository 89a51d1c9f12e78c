/* Where products stand among a customer's candidates, by counting: no list is put in order for it. */
#ifndef AS_RECOMMEND_RANKS_H
#define AS_RECOMMEND_RANKS_H

#include "eval/ranking.h"

/* Scratch of one thread. */
typedef struct as_rank_room {
  const struct as_pair_kernels *kernels;
  int64_t items;
  float *seen_scores;      /* [items] */
  uint64_t *keys, *sorted; /* [items] score and item in one number */
  bool *wanted;            /* [items] false between calls */
  uint32_t *counts;        /* radix sort */
} as_rank_room;

/* Makes room for catalogues of up to `items`. AS_E_NOMEM; as_rank_room_free frees what there is. */
AS_MUST_CHECK as_status as_rank_room_make(as_context *ctx, int64_t items, as_rank_room *out);
void as_rank_room_free(as_context *ctx, as_rank_room *room); /* a zeroed one is allowed */

/* Fills places[wanted_count], by rank, for the items `wanted`. Candidates are the items that are not in `seen`; order as
 * eval/ranking.h has it. Both lists are ascending, without repetitions and without a common item. No score is NaN.
 * Returns the number of candidates. Few items are looked for by one pass over the scores for each, many by a radix sort
 * of all: the time grows with the number of scores, not with its square. */
int64_t as_rank_items(as_rank_room *room, const float *scores /* [items] */, int64_t items,
                      const int32_t *seen /* [seen_count] */, int64_t seen_count,
                      const int32_t *wanted /* [wanted_count] */, int64_t wanted_count, as_place *places);

#endif
