/* Ranking metrics of a line: every user's scores, relevant and seen items. */
#include "eval/metrics_tasks.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "eval/json_fields.h"
#include "eval/ranking.h"

typedef struct ranking_line {
  int64_t users, items;
  double *scores; /* [users, items] */
  int64_t *ks;    /* [k_count] */
  int64_t k_count;
  const json_t *relevant, *seen; /* [users] arrays */
  const json_t *grades;          /* [users] arrays of [item, grade], or NULL */
  int32_t *tops;                 /* [users, items] the best items of each user, in order */
  int64_t *top_counts;           /* [users] */
} ranking_line;

/* A field that is an array with an element for each user. */
static as_status read_per_user(as_context *ctx, const json_t *line, const char *name, int64_t users,
                               const json_t **out) {
  const as_status status = as_line_array(ctx, line, name, out);
  if (status != AS_OK || (int64_t)json_array_size(*out) == users) return status;
  return as_fail(ctx, AS_E_DATA, "%s has %zu elements, scores has %" PRId64, name, json_array_size(*out), users);
}

static as_status read_cut_offs(as_context *ctx, const json_t *line, ranking_line *in) {
  const json_t *array;
  as_status status = as_line_array(ctx, line, "ks", &array);
  if (status == AS_OK && json_array_size(array) > 1000) status = as_fail(ctx, AS_E_DATA, "ks has over 1000 elements");
  if (status == AS_OK) status = as_array_integers(ctx, array, "ks", 1, INT32_MAX, &in->ks, &in->k_count);
  for (int64_t i = 1; status == AS_OK && i < in->k_count; i++) {
    if (in->ks[i] <= in->ks[i - 1]) status = as_fail(ctx, AS_E_DATA, "ks is not ascending");
  }
  return status;
}

static as_status read_line(as_context *ctx, const json_t *line, ranking_line *in) {
  as_status status = as_line_matrix(ctx, line, "scores", &in->scores, &in->users, &in->items);
  if (status == AS_OK) status = read_cut_offs(ctx, line, in);
  if (status == AS_OK) status = read_per_user(ctx, line, "relevant", in->users, &in->relevant);
  if (status == AS_OK) status = read_per_user(ctx, line, "seen", in->users, &in->seen);
  if (status == AS_OK && as_line_present(line, "grades")) {
    status = read_per_user(ctx, line, "grades", in->users, &in->grades);
  }
  if (status != AS_OK) return status;
  in->tops = as_alloc(ctx, (size_t)(in->users * in->items), sizeof *in->tops);
  in->top_counts = in->tops ? as_alloc(ctx, (size_t)in->users, sizeof *in->top_counts) : NULL;
  return in->top_counts ? AS_OK : AS_E_NOMEM;
}

static as_status read_items(as_context *ctx, const json_t *array, const char *name, int64_t items, int32_t **out,
                            int64_t *count) {
  int64_t *values;
  const as_status status = as_array_integers(ctx, array, name, 0, items, &values, count);
  if (status != AS_OK) return status;
  *out = as_alloc(ctx, (size_t)*count, sizeof **out);
  for (int64_t i = 0; *out && i < *count; i++) (*out)[i] = (int32_t)values[i];
  as_free(ctx, values);
  return *out ? AS_OK : AS_E_NOMEM;
}

/* The grade of each relevant item, from pairs of item and grade. */
static as_status read_grades(as_context *ctx, const json_t *pairs, int64_t items, const int32_t *relevant,
                             int64_t count, int32_t **out) {
  int32_t *by_item = as_alloc(ctx, (size_t)items, sizeof *by_item);
  *out = as_alloc(ctx, (size_t)count, sizeof **out);
  as_status status = by_item && *out ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < items; i++) by_item[i] = -1;
  for (size_t i = 0; status == AS_OK && i < json_array_size(pairs); i++) {
    int64_t *pair, length = 0;
    status = as_array_integers(ctx, json_array_get(pairs, i), "grades", 0, INT32_MAX, &pair, &length);
    if (status != AS_OK) break;
    if (length == 2 && pair[0] < items && pair[1] <= AS_MOST_GRADE) {
      by_item[pair[0]] = (int32_t)pair[1];
    } else {
      status = as_fail(ctx, AS_E_DATA, "grades: pair %zu is not an item and a grade up to %d", i, AS_MOST_GRADE);
    }
    as_free(ctx, pair);
  }
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    (*out)[i] = by_item[relevant[i]];
    if ((*out)[i] < 0) status = as_fail(ctx, AS_E_DATA, "grades: relevant item %" PRId32 " has none", relevant[i]);
  }
  as_free(ctx, by_item);
  return status;
}

static as_status add_user(as_context *ctx, const ranking_line *in, int64_t user, as_ranking *ranking) {
  const size_t at = (size_t)user;
  int32_t *relevant = NULL, *seen = NULL, *grades = NULL;
  as_ranking_user u = {.scores = in->scores + user * in->items};
  as_status status =
      read_items(ctx, json_array_get(in->relevant, at), "relevant", in->items, &relevant, &u.relevant_count);
  if (status == AS_OK) {
    status = read_items(ctx, json_array_get(in->seen, at), "seen", in->items, &seen, &u.seen_count);
  }
  if (status == AS_OK && in->grades) {
    status = read_grades(ctx, json_array_get(in->grades, at), in->items, relevant, u.relevant_count, &grades);
  }
  u.relevant = relevant;
  u.seen = seen;
  u.grades = grades;
  if (status == AS_OK) status = as_ranking_add(ranking, &u);
  as_free(ctx, relevant);
  as_free(ctx, seen);
  as_free(ctx, grades);
  return status == AS_OK ? AS_OK : as_fail_prefix(ctx, status, "user %" PRId64, user);
}

/* ---- the answer ------------------------------------------------------------------------------------------------ */

/* The fields of one user or of the means, into the open object. */
static void write_scores(as_json_writer *w, const ranking_line *in, const as_ranking_scores *scores) {
  char key[60];
  for (int64_t j = 0; j < in->k_count; j++) {
    for (int m = 0; m < AS_RANKING_MEASURES; m++) {
      if (!in->grades && (m == AS_NDCG_EXP_AT_K || m == AS_NDCG_LIN_AT_K)) continue;
      snprintf(key, sizeof key, "%s@%" PRId64, as_ranking_name((as_ranking_measure)m), in->ks[j]);
      as_json_double(w, key, scores->at[j * AS_RANKING_MEASURES + m]);
    }
  }
  as_json_double(w, "mrr", scores->mrr);
  as_json_double(w, "auc", scores->auc);
}

static void write_user(as_json_writer *w, const ranking_line *in, const as_ranking_scores *scores) {
  if (scores->undefined) {
    as_json_null(w, NULL);
    return;
  }
  as_json_open_object(w, NULL);
  write_scores(w, in, scores);
  as_json_close_object(w);
}

/* Adds all users and writes what is to be said of each. Their lists are kept for the end of the answer. */
static as_status add_users(as_context *ctx, ranking_line *in, as_ranking *ranking, as_json_writer *w) {
  as_status status = AS_OK;
  as_json_open_array(w, "per_user");
  for (int64_t user = 0; user < in->users && status == AS_OK; user++) {
    status = add_user(ctx, in, user, ranking);
    if (status != AS_OK) break;
    write_user(w, in, as_ranking_last(ranking));
    const int32_t *top = as_ranking_top(ranking, &in->top_counts[user]);
    for (int64_t i = 0; i < in->top_counts[user]; i++) in->tops[user * in->items + i] = top[i];
  }
  as_json_close_array(w);
  return status;
}

static void write_tops(as_json_writer *w, const ranking_line *in) {
  as_json_open_array(w, "top");
  for (int64_t user = 0; user < in->users; user++) {
    as_json_open_array(w, NULL);
    for (int64_t i = 0; i < in->top_counts[user]; i++) as_json_int(w, NULL, in->tops[user * in->items + i]);
    as_json_close_array(w);
  }
  as_json_close_array(w);
}

static void write_mean(as_json_writer *w, const ranking_line *in, as_ranking *ranking) {
  char key[60];
  as_json_int(w, "users_counted", as_ranking_users(ranking));
  as_json_open_object(w, "mean");
  write_scores(w, in, as_ranking_mean(ranking));
  for (int64_t j = 0; j < in->k_count; j++) {
    snprintf(key, sizeof key, "coverage@%" PRId64, in->ks[j]);
    as_json_double(w, key, as_ranking_coverage(ranking, in->ks[j]));
  }
  as_json_close_object(w);
}

as_status as_metrics_ranking(as_context *ctx, const json_t *line, as_json_writer *w) {
  ranking_line in = {0};
  as_ranking *ranking = NULL;
  as_status status = read_line(ctx, line, &in);
  if (status == AS_OK) status = as_ranking_start(ctx, in.items, in.ks, (size_t)in.k_count, &ranking);
  if (status == AS_OK) status = add_users(ctx, &in, ranking, w);
  if (status == AS_OK) {
    write_tops(w, &in);
    write_mean(w, &in, ranking);
  }
  as_ranking_free(ranking);
  as_free(ctx, in.scores);
  as_free(ctx, in.ks);
  as_free(ctx, in.tops);
  as_free(ctx, in.top_counts);
  return status;
}
