/* Scores of products, and the vector of a customer that was not there when the model was trained. */
#include "recommend/scores.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

float as_dot(const float *a, const float *b, size_t width) {
  float sum = 0;
  for (size_t j = 0; j < width; j++) sum += a[j] * b[j];
  return sum;
}

void as_score_products(const as_recommender *r, const float *user, float *scores) {
  const size_t w = r->item_vectors.width;
  for (int64_t i = 0; i < r->item_vectors.rows; i++)
    scores[i] = as_dot(user, r->item_vectors.values + (size_t)i * w, w);
}

void as_recommender_scores(const as_recommender *r, int64_t customer, float *scores) {
  as_score_products(r, r->user_vectors.values + (size_t)customer * r->user_vectors.width, scores);
}

/* ALS has the answer in one solution of its own equations, by as many steps of Gauss-Seidel as need be. */
static void fold_in_als(const as_recommender *r, const int32_t *products, int64_t count, double *x /* [dim] */,
                        double *gram /* [dim, dim] */) {
  const size_t w = r->item_vectors.width, d = (size_t)r->model->dim;
  const double extra = r->settings.confidence;
  double *b = gram + d * d;
  memset(gram, 0, (d * d + d) * sizeof *gram);
  for (int64_t i = 0; i < r->item_vectors.rows + count; i++) { /* all products once, those of the customer again */
    const bool own = i >= r->item_vectors.rows;
    const float *y = r->item_vectors.values + (size_t)(own ? products[i - r->item_vectors.rows] : i) * w;
    for (size_t j = 0; j < d; j++) {
      for (size_t k = 0; k < d; k++) gram[j * d + k] += (own ? extra : 1) * (double)y[j] * (double)y[k];
      if (own) b[j] += (1 + extra) * (double)y[j];
    }
  }
  for (size_t j = 0; j < d; j++) gram[j * d + j] += r->settings.user_alpha;
  for (int round = 0; round < 200; round++)
    for (size_t j = 0; j < d; j++) {
      double rest = b[j];
      for (size_t k = 0; k < d; k++) rest -= k == j ? 0 : gram[j * d + k] * x[k];
      x[j] = rest / gram[j * d + j];
    }
}

/* The others: WARP's steps for this user alone. */
static void fold_in_warp(const as_recommender *r, const int32_t *products, int64_t count, double *x) {
  enum { ROUNDS = 100, DRAWS = 10, STREAM = 0x31 };
  const size_t w = r->item_vectors.width, d = (size_t)r->model->dim;
  const int64_t items = r->item_vectors.rows;
  as_random random = as_random_start((uint64_t)r->settings.seed, STREAM);
  double *sq = x + d;
  for (size_t j = 0; j < d; j++) sq[j] = 1;
  for (int64_t step = 0; step < ROUNDS * count; step++) {
    const float *p = r->item_vectors.values + (size_t)products[step % count] * w;
    double score = (double)p[d];
    for (size_t j = 0; j < d; j++) score += x[j] * (double)p[j];
    for (int t = 1; t <= DRAWS; t++) {
      const int64_t item = (int64_t)as_random_below(&random, (uint64_t)items);
      const float *n = r->item_vectors.values + (size_t)item * w;
      double other = (double)n[d];
      bool own = false;
      for (int64_t i = 0; i < count; i++) own = own || products[i] == item;
      for (size_t j = 0; j < d; j++) other += x[j] * (double)n[j];
      if (own || !(other > score - 1)) continue;
      const double loss = log(fmax(1, (double)((items - 1) / t)));
      for (size_t j = 0; j < d; j++) {
        const double g = loss * (double)(n[j] - p[j]);
        x[j] -= 0.05 / sqrt(sq[j]) * g;
        sq[j] += g * g;
      }
      break;
    }
  }
}

as_status as_recommender_fold_in(const as_recommender *r, const int32_t *products, int64_t count, float *out) {
  const size_t d = (size_t)r->model->dim, w = r->item_vectors.width;
  if (count < 1) return as_fail(r->ctx, AS_E_INVALID, "a session needs at least one product");
  double *x = as_alloc_zero(r->ctx, 2 * d, sizeof *x);
  double *gram = r->settings.loss == AS_LIGHTFM_ALS ? as_alloc(r->ctx, d * d + d, sizeof *gram) : NULL;
  if (!x || (r->settings.loss == AS_LIGHTFM_ALS && !gram)) {
    as_free(r->ctx, x);
    return AS_E_NOMEM;
  }
  if (gram)
    fold_in_als(r, products, count, x, gram);
  else
    fold_in_warp(r, products, count, x);
  memset(out, 0, w * sizeof *out);
  for (size_t j = 0; j < d; j++) out[j] = (float)x[j];
  out[d] = 1;
  as_free(r->ctx, x);
  as_free(r->ctx, gram);
  return AS_OK;
}
