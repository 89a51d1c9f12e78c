/* See interaction_split.h. */
#include "data/interaction_split.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

enum { SPLIT_STREAM = 0x61 }; /* of random numbers */

const char *as_split_by_name(as_split_by by) {
  static const char *const names[] = {"time", "last", "random"};
  return names[by];
}

static int compare_times(const void *a, const void *b) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static as_status hold_newest(const as_interactions *t, int64_t wanted, bool *held, int64_t *count) {
  const int64_t rows = as_interactions_count(t);
  uint32_t *times = as_alloc(t->ctx, (size_t)rows, sizeof *times);
  if (!times) return AS_E_NOMEM;
  for (int64_t i = 0; i < rows; i++) times[i] = t->rows[i].time;
  qsort(times, (size_t)rows, sizeof *times, compare_times);
  const uint32_t cut = times[rows - wanted];
  const bool all = cut == times[0];
  as_free(t->ctx, times);
  for (int64_t i = 0; i < rows; i++) *count += held[i] = !all && t->rows[i].time >= cut;
  return AS_OK;
}

static void hold_last(const as_interactions *t, const as_interaction_split *split, bool *held, int64_t *count) {
  for (int64_t c = 0; c < as_interactions_customers(t); c++) {
    const int64_t mine = t->starts[c + 1] - t->starts[c];
    int64_t part = (int64_t)(split->share * (double)mine);
    if (split->leave > 0)
      part = mine > split->leave ? split->leave : 0;
    else if (part < 1)
      part = mine < 2 ? 0 : 1;
    for (int64_t i = 0; i < mine; i++) held[t->starts[c] + i] = i >= mine - part;
    *count += part;
  }
}

static void hold_any(const as_interactions *t, int64_t wanted, uint64_t seed, bool *held, int64_t *count) {
  const int64_t rows = as_interactions_count(t);
  const as_permutation order = as_permutation_start((uint64_t)rows, seed, SPLIT_STREAM);
  for (int64_t i = 0; i < rows; i++) held[i] = false;
  for (*count = 0; *count < wanted; ++*count) held[as_permutation_at(&order, (uint64_t)*count)] = true;
}

as_status as_interactions_hold_out(const as_interactions *t, const as_interaction_split *split, bool *held,
                                   int64_t *count) {
  const int64_t rows = as_interactions_count(t), wanted = (int64_t)(split->share * (double)rows + 0.5);
  *count = 0;
  if (!(split->share > 0 && split->share < 1) || split->leave < 0)
    return as_fail(t->ctx, AS_E_INVALID, "cannot hold out a share of %g, or %lld of each customer", split->share,
                   (long long)split->leave);
  if (split->by == AS_SPLIT_TIME) return hold_newest(t, wanted > 0 ? wanted : 1, held, count);
  if (split->by == AS_SPLIT_LAST)
    hold_last(t, split, held, count);
  else
    hold_any(t, wanted, split->seed, held, count);
  return AS_OK;
}

static as_status take_rows(const as_interactions *t, const bool *held, bool which, as_interactions **out) {
  as_interaction_builder builder;
  bool ok = true;
  as_status status = as_interaction_builder_start(t->ctx, &builder);
  if (status != AS_OK) return status;
  for (int64_t c = 0; ok && c < as_interactions_customers(t); c++) {
    size_t length;
    const char *id = as_interactions_customer(t, c, &length);
    for (int64_t i = t->starts[c]; ok && i < t->starts[c + 1]; i++)
      if (held[i] == which) ok = as_interaction_builder_add(&builder, id, length, t->rows[i]);
  }
  status = as_interaction_builder_end(&builder, ok ? out : NULL);
  return ok ? status : AS_E_NOMEM;
}

as_status as_interactions_divide(const as_interactions *t, const as_interaction_split *split, as_interactions **rest,
                                 as_interactions **held_out) {
  const int64_t rows = as_interactions_count(t);
  int64_t count;
  *rest = *held_out = NULL;
  bool *held = as_alloc(t->ctx, (size_t)rows, sizeof *held);
  if (!held) return AS_E_NOMEM;
  as_status status = as_interactions_hold_out(t, split, held, &count);
  if (status == AS_OK && (count == 0 || count == rows))
    status = as_fail(t->ctx, AS_E_DATA, "a split by %s of %lld interactions leaves one part empty",
                     as_split_by_name(split->by), (long long)rows);
  if (status == AS_OK) status = take_rows(t, held, false, rest);
  if (status == AS_OK) status = take_rows(t, held, true, held_out);
  if (status != AS_OK) {
    as_interactions_free(*rest);
    *rest = NULL;
  }
  as_free(t->ctx, held);
  return status;
}
