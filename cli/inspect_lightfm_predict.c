/* inspect lightfm on a file of predictions: scores of all items for each customer, ranks of the wanted items, and
 * LightFM's own metrics over them (ties count against a wanted item), beside our lists of the best ten.
 *
 * Suffix _all: all items compete; _unseen: but for the customer's seen ones. Means leave out customers who want nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/inspect_lightfm.h"

typedef struct predicting {
  as_replay *r;
  float *scores;      /* [users, items] */
  int32_t **wanted;   /* [users] */
  int64_t *counts;    /* [users] of wanted items */
  int64_t **ranks[2]; /* [users] arrays [counts]; of all items, of unseen ones */
} predicting;

static as_status compute_scores(predicting *p) {
  const as_replay *r = p->r;
  const int32_t dim = r->model->dim;
  float *u = as_alloc(r->cli->ctx, 2 * ((size_t)dim + 1), sizeof *u);
  if (!u) return AS_E_NOMEM;
  float *item = u + dim + 1;
  for (int64_t user = 0; user < r->users; user++) {
    as_lightfm_represent(&r->model->users, dim, as_feature_row_of(&r->user_matrix, user), 1, u);
    for (int64_t i = 0; i < r->items; i++) {
      as_lightfm_represent(&r->model->items, dim, as_feature_row_of(&r->item_matrix, i), 1, item);
      p->scores[user * r->items + i] = as_lightfm_score(u, item, dim);
    }
  }
  as_free(r->cli->ctx, u);
  return AS_OK;
}

static bool is_seen(const as_replay *r, int64_t user, int64_t item) {
  const as_seen seen = {r->seen_starts, r->seen_items};
  return as_seen_has(&seen, user, (int32_t)item);
}

/* How many other items score at least as much. */
static int64_t rank_of(const predicting *p, int64_t user, int64_t wanted, bool unseen) {
  const float *scores = p->scores + user * p->r->items;
  int64_t rank = 0;
  for (int64_t i = 0; i < p->r->items; i++)
    rank += i != wanted && scores[i] >= scores[wanted] && !(unseen && is_seen(p->r, user, i));
  return rank;
}

static int ascending(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static as_status read_wanted(predicting *p) {
  as_replay *r = p->r;
  as_context *ctx = r->cli->ctx;
  const as_replay_line *line = as_replay_find(r, "wanted");
  as_status status = AS_OK;
  for (int64_t user = 0; status == AS_OK && user < r->users; user++, line++) {
    if (!line || line >= r->lines + r->count || strcmp(line->key, "wanted") != 0 || atoll(line->values) != user)
      return as_fail(ctx, AS_E_DATA, "%s: line 1: there is no line 'wanted' for each user in order", r->path);
    status = as_replay_indices(r, line, 1, r->items, &p->wanted[user], &p->counts[user]);
    for (int set = 0; status == AS_OK && set < 2; set++) {
      int64_t *ranks = as_alloc(ctx, (size_t)p->counts[user] + 1, sizeof *ranks);
      p->ranks[set][user] = ranks;
      if (!ranks) return AS_E_NOMEM;
      for (int64_t i = 0; i < p->counts[user]; i++) ranks[i] = rank_of(p, user, p->wanted[user][i], set == 1);
    }
  }
  return status;
}

/* ---- metrics of a customer --------------------------------------------------------------------------------------- */

static double hits_within(const predicting *p, int set, int64_t user, int64_t k) {
  int64_t hits = 0;
  for (int64_t i = 0; i < p->counts[user]; i++) hits += p->ranks[set][user][i] < k;
  return (double)hits;
}

static double reciprocal_rank(const predicting *p, int set, int64_t user) {
  int64_t best = INT64_MAX;
  for (int64_t i = 0; i < p->counts[user]; i++)
    if (p->ranks[set][user][i] < best) best = p->ranks[set][user][i];
  return p->counts[user] ? 1.0 / (double)(best + 1) : 0;
}

/* LightFM's AUC, from ranks; 0.5 where nothing is wanted or nothing else competes. */
static double auc(const predicting *p, int set, int64_t user) {
  const as_replay *r = p->r;
  const int64_t count = p->counts[user], seen = r->seen_starts[user + 1] - r->seen_starts[user];
  const int64_t negatives = r->items - count - (set == 1 ? seen : 0);
  if (count == 0 || negatives <= 0) return 0.5;
  int64_t *sorted = as_alloc(r->cli->ctx, (size_t)count, sizeof *sorted);
  if (!sorted) return NAN;
  memcpy(sorted, p->ranks[set][user], (size_t)count * sizeof *sorted);
  qsort(sorted, (size_t)count, sizeof *sorted, ascending);
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    const int64_t above = sorted[i] > i ? sorted[i] - i : 0;
    sum += 1.0 - (double)above / (double)negatives;
  }
  as_free(r->cli->ctx, sorted);
  return sum / (double)count;
}

/* The metric that a key names ("precision@5_unseen", "auc_all", ...) of one customer; false if it names none. */
static bool metric(const predicting *p, const char *key, int64_t user, double *out) {
  const size_t length = strlen(key);
  const int set = length > 7 && strcmp(key + length - 7, "_unseen") == 0;
  if (!set && !(length > 4 && strcmp(key + length - 4, "_all") == 0)) return false;
  const char *at = strchr(key, '@');
  const int64_t k = at ? atoll(at + 1) : 0;
  const int64_t count = p->counts[user];
  if (strncmp(key, "precision@", 10) == 0 && k > 0)
    *out = hits_within(p, set, user, k) / (double)k;
  else if (strncmp(key, "recall@", 7) == 0 && k > 0)
    *out = count ? hits_within(p, set, user, k) / (double)count : 0;
  else if (strncmp(key, "auc_", 4) == 0)
    *out = auc(p, set, user);
  else if (strncmp(key, "reciprocal_rank_", 16) == 0)
    *out = reciprocal_rank(p, set, user);
  else
    return false;
  return true;
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

static bool print_metric(predicting *p, const char *key) {
  as_replay *r = p->r;
  const bool mean = strncmp(key, "mean_", 5) == 0;
  const char *name = mean ? key + 5 : key;
  double value, sum = 0;
  int64_t counted = 0;
  if (!metric(p, name, 0, &value)) return false;
  as_buffer_text(&r->out, key);
  for (int64_t user = 0; user < r->users; user++) {
    metric(p, name, user, &value);
    if (!mean) as_buffer_printf(&r->out, " %.9g", (double)(float)value);
    if (p->counts[user] == 0) continue;
    sum += value;
    counted++;
  }
  if (mean) as_buffer_printf(&r->out, " %.9g", counted ? sum / (double)counted : 0.0);
  as_buffer_char(&r->out, '\n');
  return true;
}

static void print_top(predicting *p, int64_t user) {
  as_replay *r = p->r;
  const float *scores = p->scores + user * r->items;
  int64_t best[10], count = 0;
  for (int64_t i = 0; i < r->items; i++) {
    if (is_seen(r, user, i)) continue;
    int64_t at = count < 10 ? count++ : 10;
    for (; at > 0 && scores[best[at - 1]] < scores[i]; at--)
      if (at < 10) best[at] = best[at - 1];
    if (at < 10) best[at] = i;
  }
  as_buffer_printf(&r->out, "top10 %lld", (long long)user);
  for (int64_t i = 0; i < count; i++) as_buffer_printf(&r->out, " %lld", (long long)best[i]);
  as_buffer_char(&r->out, '\n');
}

/* The results that come one line a customer; false if the line is none of them. */
static bool print_customer(predicting *p, const as_replay_line *line) {
  as_replay *r = p->r;
  const int64_t user = atoll(line->values);
  if (user < 0 || user >= r->users) return false;
  if (strcmp(line->key, "scores") == 0) {
    as_buffer_printf(&r->out, "scores %lld", (long long)user);
    for (int64_t i = 0; i < r->items; i++)
      as_buffer_printf(&r->out, " %.9g", (double)p->scores[user * r->items + i]);
    as_buffer_char(&r->out, '\n');
    return true;
  }
  if (strncmp(line->key, "ranks_", 6) == 0) {
    const int set = strcmp(line->key, "ranks_unseen") == 0;
    as_buffer_printf(&r->out, "%s %lld", line->key, (long long)user);
    for (int64_t i = 0; i < p->counts[user]; i++)
      as_buffer_printf(&r->out, " %lld", (long long)p->ranks[set][user][i]);
    if (p->counts[user] == 0) as_buffer_char(&r->out, ' ');
    as_buffer_char(&r->out, '\n');
    return true;
  }
  if (strcmp(line->key, "top10") != 0) return false;
  print_top(p, user);
  return true;
}

as_status as_replay_predict(as_replay *r) {
  as_context *ctx = r->cli->ctx;
  predicting p = {.r = r};
  const size_t users = (size_t)r->users;
  p.scores = as_alloc(ctx, users * (size_t)r->items, sizeof *p.scores);
  p.wanted = as_alloc_zero(ctx, users, sizeof *p.wanted);
  p.counts = as_alloc_zero(ctx, users, sizeof *p.counts);
  for (int set = 0; set < 2; set++) p.ranks[set] = as_alloc_zero(ctx, users, sizeof *p.ranks[set]);
  as_status status = p.scores && p.wanted && p.counts && p.ranks[0] && p.ranks[1] ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) status = compute_scores(&p);
  if (status == AS_OK) status = read_wanted(&p);
  for (size_t i = 0; status == AS_OK && i < r->count; i++)
    if (!print_customer(&p, &r->lines[i]) && !print_metric(&p, r->lines[i].key)) as_replay_copy(r, &r->lines[i]);
  for (size_t user = 0; user < users && p.wanted; user++) as_free(ctx, p.wanted[user]);
  for (int set = 0; set < 2; set++) {
    for (size_t user = 0; user < users && p.ranks[set]; user++) as_free(ctx, p.ranks[set][user]);
    as_free(ctx, p.ranks[set]);
  }
  as_free(ctx, p.scores);
  as_free(ctx, p.wanted);
  as_free(ctx, p.counts);
  return status;
}
