/* AUC by ranks. Invariant: the sum of ranks is a whole number of halves, so it is exact below 2^52. */
#include "eval/auc.h"

#include <math.h>
#include <stdlib.h>

static int by_score(const void *a, const void *b) {
  const double x = ((const as_scored *)a)->score;
  const double y = ((const as_scored *)b)->score;
  return (x > y) - (x < y);
}

double as_auc(as_scored *items, int64_t count) {
  if (count == 0) return NAN;
  qsort(items, (size_t)count, sizeof *items, by_score);
  double positives = 0, rank_sum = 0;
  for (int64_t begin = 0, end; begin < count; begin = end) {
    int64_t tied = 0; /* positives among the items that share this score */
    for (end = begin; end < count && items[end].score <= items[begin].score; end++) tied += items[end].positive;
    /* Ranks begin+1 .. end share their mean. */
    rank_sum += (double)tied * ((double)(begin + 1 + end) / 2);
    positives += (double)tied;
  }
  const double negatives = (double)count - positives;
  if (positives <= 0 || negatives <= 0) return NAN;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}
