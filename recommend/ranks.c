/* See ranks.h. Both ways give the same numbers; tests hold them against each other and against sorting. */
#include "recommend/ranks.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/pairwise.h"

enum {
  DIGIT_BITS = 11,
  DIGITS = 1 << DIGIT_BITS,
  PASSES = 3,       /* 33 bits hold a score's 32 */
  COUNTED_ITEMS = 96 /* more are sorted: a sort takes about as long as so many passes */
};

as_status as_rank_room_make(as_context *ctx, int64_t items, as_rank_room *out) {
  const size_t n = (size_t)items;
  *out = (as_rank_room){.items = items};
  as_status status = as_pair_kernels_select(ctx, &out->kernels);
  if (status != AS_OK) return status;
  out->seen_scores = as_alloc(ctx, n, sizeof *out->seen_scores);
  out->keys = as_alloc(ctx, n, sizeof *out->keys);
  out->sorted = as_alloc(ctx, n, sizeof *out->sorted);
  out->wanted = as_alloc_zero(ctx, n, sizeof *out->wanted);
  out->counts = as_alloc(ctx, PASSES * DIGITS, sizeof *out->counts);
  return out->seen_scores && out->keys && out->sorted && out->wanted && out->counts ? AS_OK : AS_E_NOMEM;
}

void as_rank_room_free(as_context *ctx, as_rank_room *room) {
  void *const all[] = {room->seen_scores, room->keys, room->sorted, room->wanted, room->counts};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) as_free(ctx, all[i]);
  *room = (as_rank_room){0};
}

/* ---- few: counting ---------------------------------------------------------------------------------------------- */

/* The number of elements below `item` of an ascending list. */
static int64_t count_below(const int32_t *list, int64_t count, int32_t item) {
  int64_t low = 0;
  while (count > 0) {
    const int64_t half = count / 2;
    if (list[low + half] < item) {
      low += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return low;
}

static as_place place_of(const as_rank_room *room, const float *scores, int64_t items, const int32_t *seen,
                         int64_t seen_count, int32_t item) {
  const as_pair_kernels *k = room->kernels;
  int64_t equal, seen_equal, before = 0, seen_before = 0;
  const int64_t above = k->count_above(scores, items, scores[item], &equal) -
                        k->count_above(room->seen_scores, seen_count, scores[item], &seen_equal);
  equal -= seen_equal + 1;
  if (equal > 0) {
    k->count_above(scores, item, scores[item], &before);
    k->count_above(room->seen_scores, count_below(seen, seen_count, item), scores[item], &seen_before);
  }
  return (as_place){above + before - seen_before, above, equal, 1};
}

static int by_rank(const void *a, const void *b) {
  const int64_t x = ((const as_place *)a)->rank, y = ((const as_place *)b)->rank;
  return (x > y) - (x < y);
}

static void count_places(as_rank_room *room, const float *scores, int64_t items, const int32_t *seen,
                         int64_t seen_count, const int32_t *wanted, int64_t wanted_count, as_place *places) {
  for (int64_t i = 0; i < seen_count; i++) room->seen_scores[i] = scores[seen[i]];
  for (int64_t i = 0; i < wanted_count; i++)
    places[i] = place_of(room, scores, items, seen, seen_count, wanted[i]);
  qsort(places, (size_t)wanted_count, sizeof *places, by_rank);
}

/* ---- many: sorting ---------------------------------------------------------------------------------------------- */

/* A number whose order is the descending order of scores; -0 is 0. */
static uint32_t descending_key(float score) {
  uint32_t bits;
  score += 0.0f;
  memcpy(&bits, &score, sizeof bits);
  return bits ^ (bits >> 31 ? 0 : 0x7fffffffu);
}

/* Candidates as key << 32 | item, ascending; equal scores stay in the order of the items. Returns where they are. */
static const uint64_t *sort_candidates(as_rank_room *room, int64_t count) {
  uint64_t *from = room->keys, *to = room->sorted;
  memset(room->counts, 0, PASSES * DIGITS * sizeof *room->counts);
  for (int64_t i = 0; i < count; i++)
    for (int pass = 0; pass < PASSES; pass++)
      room->counts[pass * DIGITS + (from[i] >> (32 + pass * DIGIT_BITS)) % DIGITS]++;
  for (int pass = 0; pass < PASSES; pass++) {
    uint32_t *at = room->counts + pass * DIGITS, sum = 0;
    for (int digit = 0; digit < DIGITS; digit++) {
      const uint32_t here = at[digit];
      at[digit] = sum;
      sum += here;
    }
    for (int64_t i = 0; i < count; i++) to[at[(from[i] >> (32 + pass * DIGIT_BITS)) % DIGITS]++] = from[i];
    uint64_t *const swap = from;
    from = to;
    to = swap;
  }
  return from;
}

static void sort_places(as_rank_room *room, const float *scores, int64_t items, const int32_t *seen, int64_t seen_count,
                        const int32_t *wanted, int64_t wanted_count, as_place *places) {
  int64_t count = 0, next = 0;
  for (int64_t i = 0; i < items; i++) {
    if (next < seen_count && seen[next] == i)
      next++;
    else
      room->keys[count++] = (uint64_t)descending_key(scores[i]) << 32 | (uint64_t)i;
  }
  for (int64_t i = 0; i < wanted_count; i++) room->wanted[wanted[i]] = true;
  const uint64_t *order = sort_candidates(room, count);
  int64_t found = 0;
  for (int64_t begin = 0, end; begin < count; begin = end) {
    for (end = begin + 1; end < count && order[end] >> 32 == order[begin] >> 32;) end++;
    for (int64_t i = begin; i < end; i++)
      if (room->wanted[(uint32_t)order[i]]) places[found++] = (as_place){i, begin, end - begin - 1, 1};
  }
  for (int64_t i = 0; i < wanted_count; i++) room->wanted[wanted[i]] = false;
}

int64_t as_rank_items(as_rank_room *room, const float *scores, int64_t items, const int32_t *seen, int64_t seen_count,
                      const int32_t *wanted, int64_t wanted_count, as_place *places) {
  (wanted_count > COUNTED_ITEMS ? sort_places : count_places)(room, scores, items, seen, seen_count, wanted,
                                                              wanted_count, places);
  return items - seen_count;
}
