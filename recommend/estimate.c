/* See estimate.h. */
#include "recommend/estimate.h"

#include <math.h>

#include "base/clock.h"
#include "base/memory.h"

#define TRIED_SECONDS 1.0
#define CALIBRATED_SHARE 0.9 /* of the rows, in the run for the calibration; recommend/train.c holds back the others   \
                              */

typedef struct trial {
  as_context *ctx;
  bool (*interrupted)(void *user);
  void *user;
  bool stopped; /* by `interrupted` */
  double begun;
  size_t used, most; /* bytes: before, and at most */
  double done, all;  /* rows of all epochs of both runs */
  double calibrated; /* those of the run for the calibration */
} trial;

static bool watch(void *user, bool calibrating, const as_fit_progress *p) {
  trial *t = user;
  const bool ended = p->rows == p->of_rows;
  const double rows = (double)p->of_rows, epochs = (double)p->epochs;
  const size_t used = as_memory_used(t->ctx);
  const double done = rows * (double)(ended ? p->epoch - 1 : p->epoch) + (double)p->rows;
  if (calibrating) t->calibrated = rows * epochs;
  t->done = done + (calibrating ? 0 : t->calibrated);
  t->all = rows * epochs + (calibrating ? rows * epochs / CALIBRATED_SHARE : t->calibrated);
  if (used > t->most) t->most = used;
  t->stopped = t->interrupted && t->interrupted(t->user);
  return !t->stopped && as_seconds() - t->begun < TRIED_SECONDS;
}

as_status as_recommender_estimate(as_context *ctx, as_products *products, as_interactions *interactions,
                                  const as_interaction_types *types, const as_recommend_settings *settings,
                                  as_holdout holdout, bool (*interrupted)(void *user), void *user,
                                  as_recommend_estimate *out) {
  trial t = {.ctx = ctx, .interrupted = interrupted, .user = user, .begun = as_seconds(), .used = as_memory_used(ctx)};
  const as_recommend_listener listener = {watch, &t};
  as_recommender *r = NULL;
  *out = (as_recommend_estimate){.rows = as_interactions_count(interactions),
                                 .customers = as_interactions_customers(interactions),
                                 .products = as_products_count(products),
                                 .epochs = settings->epochs};
  as_status status = as_recommender_train(ctx, products, interactions, types, settings, holdout, &listener, &r);
  as_recommender_free(r);
  if (status == AS_E_INTERRUPTED && t.stopped) return as_fail(ctx, status, "interrupted; nothing has been trained yet");
  const bool whole = status == AS_OK;
  if (status != AS_OK && status != AS_E_INTERRUPTED) return status;
  const double took = as_seconds() - t.begun;
  out->bytes = t.most > t.used ? t.most - t.used : 0;
  out->seconds = whole || t.done <= 0 ? took : took * t.all / t.done;
  return AS_OK;
}
