/* See validate.h. The model is asked as a recommender of its own: it borrows everything from the one in training but
 * the rows, of which it has those that were not held back. */
#include "recommend/validate.h"

#include "base/memory.h"
#include "base/random.h"
#include "recommend/evaluate.h"

enum {
  K = 10,
  RESAMPLES = 1000,
  CUSTOMERS = 2000,      /* that are asked about, at most ... */
  LEAST_CUSTOMERS = 100, /* ... and no fewer than this, but ... */
  SCORES = 40000000,     /* ... as many as make so many scores */
  CUSTOMER_STREAM = 0x51 /* of random numbers */
};

/* The rows that were learned from, with the customers' numbers as they are. */
static as_status take_learned(const as_interactions *all, const bool *held, as_interactions *out) {
  const int64_t customers = as_interactions_customers(all);
  *out = *all; /* ids and index are shared */
  out->starts = as_alloc(all->ctx, (size_t)customers + 1, sizeof *out->starts);
  out->rows = as_alloc(all->ctx, (size_t)as_interactions_count(all), sizeof *out->rows);
  if (!out->starts || !out->rows) return AS_E_NOMEM;
  int64_t kept = 0;
  for (int64_t c = 0; c < customers; c++) {
    out->starts[c] = kept;
    for (int64_t i = all->starts[c]; i < all->starts[c + 1]; i++)
      if (!held[i]) out->rows[kept++] = all->rows[i];
  }
  out->starts[customers] = kept;
  for (int64_t i = 0; i < kept; i++) {
    if (i == 0 || out->rows[i].time < out->oldest) out->oldest = out->rows[i].time;
    if (i == 0 || out->rows[i].time > out->newest) out->newest = out->rows[i].time;
  }
  return AS_OK;
}

/* Held-back rows of the customers to ask about. */
static as_status take_test(const as_recommender *r, const bool *held, as_interactions **out) {
  const as_interactions *t = r->interactions;
  const int64_t customers = as_interactions_customers(t);
  const as_permutation order = as_permutation_start((uint64_t)customers, (uint64_t)r->settings.seed, CUSTOMER_STREAM);
  int64_t most = SCORES / as_products_count(r->products), used = 0;
  most = most < LEAST_CUSTOMERS ? LEAST_CUSTOMERS : most > CUSTOMERS ? CUSTOMERS : most;
  as_interaction_builder builder;
  bool ok = true;
  as_status status = as_interaction_builder_start(r->ctx, &builder);
  if (status != AS_OK) return status;
  for (int64_t i = 0; ok && i < customers && used < most; i++) {
    const int64_t c = (int64_t)as_permutation_at(&order, (uint64_t)i);
    int64_t back = 0;
    for (int64_t row = t->starts[c]; row < t->starts[c + 1]; row++) back += held[row];
    if (back == 0 || back == t->starts[c + 1] - t->starts[c]) continue;
    size_t length;
    const char *id = as_interactions_customer(t, c, &length);
    used++;
    for (int64_t row = t->starts[c]; ok && row < t->starts[c + 1]; row++)
      if (held[row]) ok = as_interaction_builder_add(&builder, id, length, t->rows[row]);
  }
  status = as_interaction_builder_end(&builder, ok ? out : NULL);
  return ok ? status : AS_E_NOMEM;
}

static as_status write_metrics(as_recommender *r, const as_recommend_evaluation *e, as_split_by split,
                               int64_t held_rows, bool purchases) {
  as_buffer out;
  as_buffer_init(&out, r->ctx);
  as_json_writer w = as_json_writer_start(&out, 2);
  as_json_open_object(&w, NULL);
  as_json_string(&w, "split", as_split_by_name(split));
  as_json_int(&w, "held_rows", held_rows);
  as_json_string(&w, "positives", purchases ? "purchase" : "all");
  as_json_int(&w, "k", e->k);
  as_recommend_evaluation_json(&w, e);
  as_json_close_object(&w);
  as_buffer_char(&out, '\n');
  r->metrics = as_buffer_take(&out);
  if (r->metrics) return AS_OK;
  as_buffer_free(&out);
  return AS_E_NOMEM;
}

static as_status ask(as_recommender *r, as_recommender *learned, const as_interactions *test, as_split_by split,
                     int64_t held_rows) {
  as_recommend_evaluation evaluation;
  bool positive[AS_MOST_INTERACTION_TYPES] = {false};
  bool purchases = false;
  for (int64_t i = 0; i < as_interactions_count(test); i++) purchases |= (int)test->rows[i].type == r->purchase;
  for (int type = 0; type < r->types.count; type++) positive[type] = !purchases || type == r->purchase;
  const as_evaluation_question question = {.test = test,
                                           .positive = positive,
                                           .baselines = true,
                                           .popular_only = true,
                                           .k = K,
                                           .resamples = RESAMPLES,
                                           .seed = (uint64_t)r->settings.seed};
  as_status status = as_recommender_prepare(learned);
  if (status == AS_OK) status = as_recommender_evaluate(learned, &question, &evaluation);
  if (status == AS_OK) return write_metrics(r, &evaluation, split, held_rows, purchases);
  return status == AS_E_DATA ? AS_OK : status; /* everything held back had been met before */
}

as_status as_recommender_validate(as_recommender *r, as_lightfm *model, const bool *held, as_split_by split) {
  as_interactions rest = {0}, *test = NULL;
  int64_t held_rows = 0;
  for (int64_t i = 0; i < as_interactions_count(r->interactions); i++) held_rows += held[i];
  as_status status = take_learned(r->interactions, held, &rest);
  if (status == AS_OK) status = take_test(r, held, &test);
  as_recommender learned = {.ctx = r->ctx,
                            .settings = r->settings,
                            .types = r->types,
                            .model = model,
                            .products = r->products,
                            .interactions = &rest,
                            .features = r->features};
  if (status == AS_OK && as_interactions_count(test) > 0) status = ask(r, &learned, test, split, held_rows);
  as_recommender_unprepare(&learned);
  as_interactions_free(test);
  as_free(r->ctx, rest.starts);
  as_free(r->ctx, rest.rows);
  return status;
}
