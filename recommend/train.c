/* See train.h. */
#include "recommend/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "recommend/validate.h"

enum {
  LEAST_ROWS = 20,              /* fewer don't tell anything about a tenth of them */
  CALIBRATED = 2000,            /* customers whose scores are looked at, at most ... */
  CALIBRATED_SCORES = 40000000, /* ... and scores, but 100 customers anyway */
  NEGATIVES = 100,              /* products a customer that stand for all it did not buy */
  CUSTOMER_STREAM = 0x41,       /* of random numbers */
  NEGATIVE_STREAM = 0x42,
};

#define HOLDOUT_SHARE 0.1 /* of the rows */

as_recommend_settings as_recommend_settings_usual(as_lightfm_loss loss) {
  const bool als = loss == AS_LIGHTFM_ALS;
  return (as_recommend_settings){.loss = (int)loss,
                                 .dim = 32,
                                 .epochs = als ? 15 : 30,
                                 .max_sampled = 10,
                                 .k = 5,
                                 .n = 10,
                                 .seed = 1,
                                 .learning_rate = 0.05,
                                 .rho = 0.95,
                                 .epsilon = 1e-6,
                                 .item_alpha = als ? 20 : 0,
                                 .user_alpha = als ? 20 : 0,
                                 .confidence = 1,
                                 .features = als ? 0 : AS_FEATURES_CATEGORY | AS_FEATURES_PRICE | AS_FEATURES_WORDS};
}

/* ---- rows to learn from ------------------------------------------------------------------------------------------ */

/* One row for each pair of customer and product, and what they count. */
typedef struct pairs {
  int64_t *starts;
  int32_t *users, *items;
  float *weights; /* mean 1; NULL when all are the same */
  as_fit_rows rows;
} pairs;

static void pairs_free(as_context *ctx, pairs *p) {
  as_free(ctx, p->starts);
  as_free(ctx, p->users);
  as_free(ctx, p->items);
  as_free(ctx, p->weights);
}

/* The weights of a customer's rows, added up by product. */
static void weigh(const as_interactions *t, const as_interaction_types *types, double half_life, int64_t customer,
                  const bool *held, pairs *p, double *sums) {
  const int64_t first = p->starts[customer], count = p->starts[customer + 1] - first;
  for (int64_t i = t->starts[customer]; i < t->starts[customer + 1]; i++) {
    const as_interaction *row = &t->rows[i];
    if (held && held[i]) continue;
    int64_t low = 0, high = count - 1;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (p->items[first + middle] < row->product)
        low = middle + 1;
      else
        high = middle;
    }
    const double age = (double)(t->newest - row->time) / AS_DAY_SECONDS;
    sums[first + low] += types->weights[row->type] * (half_life > 0 ? exp2(-age / half_life) : 1);
  }
}

/* Drops the pairs of which all rows are held back. */
static void drop_empty(pairs *p, double *sums, int64_t customers) {
  int64_t kept = 0, at = 0;
  for (int64_t c = 0; c < customers; c++) {
    const int64_t end = p->starts[c + 1];
    p->starts[c] = kept;
    for (; at < end; at++) {
      if (!(sums[at] > 0)) continue;
      p->users[kept] = (int32_t)c;
      p->items[kept] = p->items[at];
      sums[kept++] = sums[at];
    }
  }
  p->starts[customers] = kept;
}

static as_status set_weights(as_context *ctx, pairs *p, const double *sums) {
  double total = 0, least = INFINITY, most = 0;
  for (int64_t i = 0; i < p->rows.count; i++) {
    total += sums[i];
    least = fmin(least, sums[i]);
    most = fmax(most, sums[i]);
  }
  if (!(most > least)) return AS_OK;
  p->weights = as_alloc(ctx, (size_t)p->rows.count, sizeof *p->weights);
  if (!p->weights) return AS_E_NOMEM;
  const double mean = total / (double)p->rows.count;
  for (int64_t i = 0; i < p->rows.count; i++) p->weights[i] = (float)(sums[i] / mean);
  p->rows.weights = p->weights;
  return AS_OK;
}

static as_status make_pairs(as_context *ctx, const as_interactions *t, const as_interaction_types *types,
                            double half_life, const bool *held, pairs *p) {
  const int64_t customers = as_interactions_customers(t);
  *p = (pairs){0};
  as_status status = as_seen_products(t, &p->starts, &p->items);
  if (status != AS_OK) return status;
  const size_t count = (size_t)p->starts[customers];
  double *sums = as_alloc_zero(ctx, count, sizeof *sums);
  p->users = as_alloc(ctx, count, sizeof *p->users);
  status = sums && p->users ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) {
    for (int64_t c = 0; c < customers; c++) weigh(t, types, half_life, c, held, p, sums);
    drop_empty(p, sums, customers);
    p->rows = (as_fit_rows){p->starts[customers], p->users, p->items, NULL, {p->starts, p->items}};
    status = set_weights(ctx, p, sums);
  }
  as_free(ctx, sums);
  return status;
}

/* ---- fitting ----------------------------------------------------------------------------------------------------- */

typedef struct training {
  as_recommender *r;
  const as_recommend_listener *listener;
} training;

static bool report(void *user, const as_fit_progress *progress) {
  const training *t = user;
  as_recommend_run *run = &t->r->run;
  const bool calibrating = run->phase == AS_RECOMMEND_CALIBRATING;
  if (!calibrating) {
    run->epoch = progress->epoch;
    run->row = progress->rows == progress->of_rows ? 0 : progress->rows;
  }
  return !t->listener || t->listener->progress(t->listener->user, calibrating, progress);
}

/* Trains `model` from where the run is (the calibration's: from the beginning). */
static as_status fit(training *t, as_lightfm *model, const pairs *p, int64_t epochs, uint64_t seed) {
  const as_recommend_settings *s = &t->r->settings;
  const as_recommend_run *run = &t->r->run;
  if (s->loss == AS_LIGHTFM_ALS) {
    const as_als_options options = {.confidence = s->confidence,
                                    .item_alpha = s->item_alpha,
                                    .user_alpha = s->user_alpha,
                                    .first_epoch = run->epoch,
                                    .epochs = epochs,
                                    .progress = report,
                                    .progress_user = t};
    return as_lightfm_als(model, &p->rows, &options, NULL);
  }
  const as_fit_options options = {.loss = (as_lightfm_loss)s->loss,
                                  .learning_rate = s->learning_rate,
                                  .rho = s->rho,
                                  .epsilon = s->epsilon,
                                  .max_sampled = (int32_t)s->max_sampled,
                                  .k = (int32_t)s->k,
                                  .n = (int32_t)s->n,
                                  .item_alpha = s->item_alpha,
                                  .user_alpha = s->user_alpha,
                                  .first_epoch = run->epoch,
                                  .first_row = run->row,
                                  .epochs = epochs,
                                  .seed = seed,
                                  .hogwild = run->hogwild,
                                  .progress = report,
                                  .progress_user = t};
  return (s->compat ? as_lightfm_fit_exact : as_lightfm_fit)(model, &t->r->customers, &t->r->features.matrix, &p->rows,
                                                             &options, NULL);
}

static as_status new_model(const as_recommender *r, as_lightfm **out) {
  return as_lightfm_new(r->ctx, (int32_t)r->settings.dim, (as_lightfm_schedule)r->settings.schedule,
                        r->features.matrix.features, as_interactions_customers(r->interactions),
                        (uint64_t)r->settings.seed, out);
}

/* ---- calibration ------------------------------------------------------------------------------------------------- */

/* The rows that are held back. The newest part needs times that differ; else it is drawn. */
static as_status hold_back(const as_recommender *r, as_holdout holdout, bool *held, int64_t *count, as_split_by *by) {
  static const as_split_by ways[] = {AS_SPLIT_TIME, AS_SPLIT_LAST, AS_SPLIT_RANDOM};
  as_interaction_split split = {.by = ways[holdout], .share = HOLDOUT_SHARE, .seed = (uint64_t)r->settings.seed};
  as_status status = as_interactions_hold_out(r->interactions, &split, held, count);
  *by = split.by;
  if (status != AS_OK || holdout != AS_HOLDOUT_TIME) return status;
  if (*count > 0 && *count <= as_interactions_count(r->interactions) / 4) return AS_OK;
  *by = split.by = AS_SPLIT_RANDOM;
  return as_interactions_hold_out(r->interactions, &split, held, count);
}

/* Scores of held-back purchases and of products that were not bought. */
typedef struct sample {
  float *scores, *weights;
  unsigned char *positive;
  size_t scores_size, weights_size, positive_size;
  int64_t count;
} sample;

static bool add_example(as_context *ctx, sample *s, float score, bool positive, float weight) {
  const size_t n = (size_t)s->count + 1;
  float *scores = as_grow(ctx, s->scores, &s->scores_size, n, sizeof *scores);
  if (scores) s->scores = scores;
  float *weights = scores ? as_grow(ctx, s->weights, &s->weights_size, n, sizeof *weights) : NULL;
  if (weights) s->weights = weights;
  unsigned char *flags = weights ? as_grow(ctx, s->positive, &s->positive_size, n, 1) : NULL;
  if (!flags) return false;
  s->positive = flags;
  scores[s->count] = score;
  weights[s->count] = weight;
  flags[s->count++] = positive;
  return true;
}

enum { OPEN, LEARNED, BOUGHT }; /* what a product is to a customer: could be bought, was met before, was bought then */

/* Products that could have been bought and were not: all of them, or NEGATIVES drawn ones that stand for all. */
static bool add_others(const as_recommender *r, const float *scores, const unsigned char *mark, as_random *random,
                       sample *s) {
  const int64_t products = as_products_count(r->products);
  int64_t others = 0;
  for (int64_t p = 0; p < products; p++) others += mark[p] == OPEN && r->met[p];
  const bool all = others <= 4 * NEGATIVES;
  const float weight = all ? 1 : (float)others / NEGATIVES;
  bool ok = true;
  for (int64_t n = 0; ok && n < (all ? products : NEGATIVES); n++) {
    int64_t p = n;
    if (all && (mark[p] != OPEN || !r->met[p])) continue;
    while (!all && (mark[p = (int64_t)as_random_below(random, (uint64_t)products)] != OPEN || !r->met[p])) {}
    ok = add_example(r->ctx, s, scores[p], false, weight);
  }
  return ok;
}

static as_status add_customer(const as_recommender *r, int64_t c, const bool *held, bool any_type, const float *scores,
                              unsigned char *mark, as_random *random, sample *s) {
  const as_interactions *t = r->interactions;
  bool ok = true;
  for (int64_t i = t->starts[c]; i < t->starts[c + 1]; i++)
    if (!held[i]) mark[t->rows[i].product] = LEARNED;
  for (int64_t i = t->starts[c]; ok && i < t->starts[c + 1]; i++) {
    const as_interaction *row = &t->rows[i];
    if (!held[i] || mark[row->product] != OPEN || (!any_type && (int)row->type != r->purchase)) continue;
    mark[row->product] = BOUGHT;
    ok = add_example(r->ctx, s, scores[row->product], true, 1);
  }
  ok = ok && add_others(r, scores, mark, random, s);
  for (int64_t i = t->starts[c]; i < t->starts[c + 1]; i++) mark[t->rows[i].product] = OPEN;
  return ok ? AS_OK : AS_E_NOMEM;
}

static as_status fit_platt(as_recommender *r, const as_lightfm *model, const bool *held) {
  const as_interactions *t = r->interactions;
  const int64_t customers = as_interactions_customers(t), products = as_products_count(r->products);
  const as_permutation order = as_permutation_start((uint64_t)customers, (uint64_t)r->settings.seed, CUSTOMER_STREAM);
  as_random random = as_random_start((uint64_t)r->settings.seed, NEGATIVE_STREAM);
  as_vectors items = {0}, users = {0};
  sample s = {0};
  int64_t used = 0, purchases = 0, most = CALIBRATED_SCORES / products;
  most = most < 100 ? 100 : most > CALIBRATED ? CALIBRATED : most;
  float *scores = as_alloc(r->ctx, (size_t)products, sizeof *scores);
  unsigned char *mark = as_alloc_zero(r->ctx, (size_t)products, 1);
  as_status status = scores && mark ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) status = as_vectors_make(r->ctx, model, &r->features.matrix, true, &items);
  if (status == AS_OK) status = as_vectors_make(r->ctx, model, &r->customers, false, &users);
  for (int64_t i = 0; i < as_interactions_count(t); i++) purchases += held[i] && (int)t->rows[i].type == r->purchase;
  for (int64_t i = 0; status == AS_OK && i < customers && used < most; i++) {
    const int64_t c = (int64_t)as_permutation_at(&order, (uint64_t)i);
    bool learned = false, asked = false;
    for (int64_t row = t->starts[c]; row < t->starts[c + 1]; row++) {
      learned = learned || !held[row];
      asked = asked || held[row];
    }
    if (!learned || !asked) continue;
    used++;
    for (int64_t p = 0; p < products; p++) {
      float sum = 0;
      for (size_t j = 0; j < items.width; j++)
        sum += users.values[(size_t)c * items.width + j] * items.values[(size_t)p * items.width + j];
      scores[p] = sum;
    }
    status = add_customer(r, c, held, purchases == 0, scores, mark, &random, &s);
  }
  if (status == AS_OK) r->platt = as_platt_fit(s.count, s.scores, s.positive, s.weights, &r->calibrated);
  as_vectors_free(r->ctx, &items);
  as_vectors_free(r->ctx, &users);
  void *const all[] = {scores, mark, s.scores, s.weights, s.positive};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) as_free(r->ctx, all[i]);
  return status;
}

/* A model of its own, trained without the rows that are held back and only used for this and for the figures. */
static as_status calibrate(training *t, as_holdout holdout) {
  as_recommender *r = t->r;
  const int64_t rows = as_interactions_count(r->interactions);
  pairs p = {0};
  as_lightfm *model = NULL;
  as_split_by by;
  int64_t count = 0;
  r->platt = (as_platt){1, 0};
  r->calibrated = false;
  as_free(r->ctx, r->metrics);
  r->metrics = NULL;
  if (holdout == AS_HOLDOUT_NONE || rows < LEAST_ROWS) return AS_OK;
  bool *held = as_alloc(r->ctx, (size_t)rows, sizeof *held);
  as_status status = held ? hold_back(r, holdout, held, &count, &by) : AS_E_NOMEM;
  if (status == AS_OK && count > 0 && count < rows) {
    status = make_pairs(r->ctx, r->interactions, &r->types, r->settings.half_life, held, &p);
    if (status == AS_OK) status = new_model(r, &model);
    if (status == AS_OK) status = fit(t, model, &p, r->settings.epochs, (uint64_t)r->settings.seed);
    if (status == AS_OK) status = fit_platt(r, model, held);
    if (status == AS_OK) status = as_recommender_validate(r, model, held, by);
  }
  pairs_free(r->ctx, &p);
  as_lightfm_free(model);
  as_free(r->ctx, held);
  return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* What the calibration reads of the products: whether anybody met them. */
static as_status note_met(as_recommender *r) {
  as_free(r->ctx, r->met);
  r->met = as_alloc_zero(r->ctx, (size_t)as_products_count(r->products), sizeof *r->met);
  if (!r->met) return AS_E_NOMEM;
  for (int64_t i = 0; i < as_interactions_count(r->interactions); i++) r->met[r->interactions->rows[i].product] = true;
  return AS_OK;
}

/* What is left of the run. */
static as_status train(training *t) {
  as_recommender *r = t->r;
  as_recommend_run *run = &r->run;
  pairs p = {0};
  r->purchase = as_interaction_type_find(&r->types, "purchase", strlen("purchase"));
  r->customers = as_feature_identity(as_interactions_customers(r->interactions));
  as_status status = note_met(r);
  if (status == AS_OK && !r->model) status = new_model(r, &r->model);
  if (status == AS_OK && run->phase == AS_RECOMMEND_CALIBRATING) {
    run->epoch = run->row = 0;
    status = calibrate(t, (as_holdout)run->holdout);
    if (status == AS_OK) run->phase = AS_RECOMMEND_LEARNING;
  }
  if (status == AS_OK) status = make_pairs(r->ctx, r->interactions, &r->types, r->settings.half_life, NULL, &p);
  if (status == AS_OK) status = fit(t, r->model, &p, run->epochs, (uint64_t)run->seed);
  pairs_free(r->ctx, &p);
  as_free(r->ctx, r->met);
  r->met = NULL;
  if (status != AS_OK) return status;
  run->phase = AS_RECOMMEND_TRAINED;
  return as_recommender_prepare(r);
}

static as_status check_settings(as_context *ctx, const as_recommend_settings *s, const as_products *products) {
  if (s->loss == AS_LIGHTFM_ALS && (s->features != 0 || products->column_names.count > 0))
    return as_fail(ctx, AS_E_INVALID, "als learns products as they are; --features must be none with it");
  if (s->loss == AS_LIGHTFM_ALS && s->compat)
    return as_fail(ctx, AS_E_INVALID, "LightFM has no als, so --compat lightfm can't go with it");
  return AS_OK;
}

as_status as_recommender_train(as_context *ctx, as_products *products, as_interactions *interactions,
                               const as_interaction_types *types, const as_recommend_settings *settings,
                               as_holdout holdout, const as_recommend_listener *listener, as_recommender **out) {
  as_recommender *r = as_alloc_zero(ctx, 1, sizeof *r);
  *out = NULL;
  if (!r) {
    as_products_free(products);
    as_interactions_free(interactions);
    return AS_E_NOMEM;
  }
  *r = (as_recommender){
      .ctx = ctx, .settings = *settings, .types = *types, .products = products, .interactions = interactions};
  training t = {r, listener};
  r->run = (as_recommend_run){.phase = AS_RECOMMEND_CALIBRATING,
                              .epochs = settings->epochs,
                              .seed = settings->seed,
                              .holdout = (int64_t)holdout,
                              .hogwild = settings->hogwild};
  as_status status = check_settings(ctx, settings, products);
  if (status == AS_OK) status = as_product_features_make(ctx, products, (int)settings->features, &r->features);
  if (status == AS_OK) status = train(&t);
  if (status != AS_OK && status != AS_E_INTERRUPTED) {
    as_recommender_free(r);
    return status;
  }
  *out = r;
  return status;
}

as_status as_recommender_resume(as_recommender *r, const as_recommend_listener *listener) {
  training t = {r, listener};
  return train(&t);
}

/* The rows of features behind the products move up when products are added. */
static as_status move_features(as_lightfm *m, int64_t before, int64_t now, int64_t features) {
  const int64_t named = m->items.features - before, d = m->dim;
  as_status status = as_lightfm_grow(m, features, m->users.features, 1);
  if (status != AS_OK || now == before) return status;
  float *const arrays[] = {m->items.embeddings, m->items.biases,        m->items.embedding_sq,
                           m->items.bias_sq,    m->items.embedding_mom, m->items.bias_mom};
  for (size_t a = 0; a < 6 && arrays[a]; a++) {
    const int64_t width = a % 2 == 0 ? d : 1;
    memmove(arrays[a] + now * width, arrays[a] + before * width, (size_t)(named * width) * sizeof(float));
  }
  for (int64_t f = before; f < now; f++) {
    as_random random = as_random_start(7, (uint64_t)f << 8 | 0x43);
    for (int64_t j = 0; j < d; j++)
      m->items.embeddings[f * d + j] = (float)((as_random_uniform(&random) - 0.5) / (double)d);
    m->items.biases[f] = 0;
    for (int64_t j = 0; j < d; j++) m->items.embedding_sq[f * d + j] = m->schedule == AS_LIGHTFM_ADADELTA ? 0 : 1;
    m->items.bias_sq[f] = m->schedule == AS_LIGHTFM_ADADELTA ? 0 : 1;
    for (int64_t j = 0; m->items.embedding_mom && j < d; j++) m->items.embedding_mom[f * d + j] = 0;
    if (m->items.bias_mom) m->items.bias_mom[f] = 0;
  }
  return AS_OK;
}

as_status as_recommender_update(as_recommender *r, as_interactions *interactions, int64_t epochs, as_holdout holdout,
                                const as_recommend_listener *listener) {
  const int64_t before = r->features.matrix.rows, now = as_products_count(r->products);
  training t = {r, listener};
  as_interactions_free(r->interactions);
  r->interactions = interactions;
  as_status status = as_product_features_make(r->ctx, r->products, (int)r->settings.features, &r->features);
  if (status == AS_OK) status = move_features(r->model, before, now, r->features.matrix.features);
  if (status == AS_OK)
    status = as_lightfm_grow(r->model, r->model->items.features, as_interactions_customers(interactions),
                             (uint64_t)r->settings.seed);
  as_recommender_unprepare(r);
  r->run = (as_recommend_run){.phase = AS_RECOMMEND_CALIBRATING,
                              .epochs = epochs,
                              .seed = r->settings.seed + now,
                              .holdout = (int64_t)holdout,
                              .hogwild = r->settings.hogwild};
  return status == AS_OK ? train(&t) : status;
}
