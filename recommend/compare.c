/* See compare.h. */
#include "recommend/compare.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { VALUES = AS_RECOMMEND_CUSTOMER_MEASURES, WIDTH = 2 * VALUES };

/* ---- the test --------------------------------------------------------------------------------------------------- */

/* Adds the customer's rows to both tables. */
static bool add_customer(const as_recommender *const r[2], const as_interactions *test, int64_t customer,
                         as_interaction_builder builders[2], int64_t *left_out) {
  size_t length, id_length;
  const char *name = as_interactions_customer(test, customer, &length);
  bool ok = true;
  for (int64_t i = test->starts[customer]; ok && i < test->starts[customer + 1]; i++) {
    as_interaction row = test->rows[i];
    const char *id = as_products_id(r[0]->products, row.product, &id_length);
    const int64_t other = as_products_find(r[1]->products, id, id_length);
    *left_out += other < 0;
    if (other < 0) continue;
    ok = as_interaction_builder_add(&builders[0], name, length, row);
    row.product = (int32_t)other;
    ok = ok && as_interaction_builder_add(&builders[1], name, length, row);
  }
  return ok;
}

as_status as_common_test_make(const as_recommender *const r[2], const as_interactions *test, as_common_test *out) {
  as_interaction_builder builders[2] = {{0}};
  *out = (as_common_test){.left_out = test->unknown};
  as_status status = as_interaction_builder_start(r[0]->ctx, &builders[0]);
  if (status == AS_OK) status = as_interaction_builder_start(r[0]->ctx, &builders[1]);
  for (int64_t c = 0; status == AS_OK && c < as_interactions_customers(test); c++)
    if (!add_customer(r, test, c, builders, &out->left_out)) status = AS_E_NOMEM;
  for (int i = 0; i < 2; i++) {
    const as_status ended = as_interaction_builder_end(&builders[i], status == AS_OK ? &out->tests[i] : NULL);
    if (status == AS_OK) status = ended;
  }
  return status;
}

void as_common_test_free(as_common_test *test) {
  for (int i = 0; i < 2; i++) as_interactions_free(test->tests[i]);
  *test = (as_common_test){0};
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

/* A sum and a count of each measure. */
static void mean_scores(const double *sums, int64_t rows, double *scores) {
  (void)rows;
  for (int m = 0; m < VALUES; m++) scores[m] = sums[2 * m + 1] > 0 ? sums[2 * m] / sums[2 * m + 1] : NAN;
}

static void undefined_figures(const as_recommend_comparison *c, as_recommend_figures *out) {
  *out = (as_recommend_figures){.count = VALUES};
  for (int m = 0; m < AS_RECOMMEND_MEASURES; m++)
    out->list[m] = as_compared_figure_plain(c->names[m], c->names[m], 4, NAN, NAN);
}

typedef struct comparing {
  as_context *ctx;
  const as_recommend_question *q;
  int64_t customers;
  double *values[2]; /* [customers, VALUES] */
  double *sums[2];   /* [customers, WIDTH] of those that count */
} comparing;

static bool is_known(const comparing *c, int64_t customer) {
  size_t length;
  const char *id = as_interactions_customer(c->q->test->tests[0], customer, &length);
  return as_interactions_find(c->q->recommenders[0]->interactions, id, length) >= 0 &&
         as_interactions_find(c->q->recommenders[1]->interactions, id, length) >= 0;
}

static void put_sums(const double *values, double *sums) {
  for (int m = 0; m < VALUES; m++) {
    const bool defined = !isnan(values[m]);
    sums[2 * m] = defined ? values[m] : 0;
    sums[2 * m + 1] = defined;
  }
}

/* The figures of the customers that are known (1), are not (0), or of all (-1). */
static as_status compare_group(comparing *c, int known, as_recommend_comparison *result, as_recommend_figures *out) {
  int64_t count = 0;
  as_paired_score scores[VALUES];
  undefined_figures(result, out);
  for (int64_t i = 0; i < c->customers; i++) {
    if (isnan(c->values[0][i * VALUES + AS_RECOMMEND_PRECISION]) || (known >= 0 && is_known(c, i) != known)) continue;
    for (int model = 0; model < 2; model++) put_sums(c->values[model] + i * VALUES, c->sums[model] + count * WIDTH);
    count++;
  }
  out->customers = count;
  const as_paired_sums job = {count, WIDTH, VALUES, c->sums[0], c->sums[1], mean_scores};
  as_status status = as_paired_sums_measure(c->ctx, &job, c->q->resamples, NULL, c->q->seed, scores);
  if (status != AS_OK) return status;
  for (int m = 0; m < VALUES; m++) {
    out->list[m].score = scores[m];
    out->list[m].score.delta.deltas = NULL;
  }
  out->list[AS_RECOMMEND_NDCG].with_ends = true;
  as_paired_scores_free(c->ctx, scores, VALUES);
  return AS_OK;
}

/* What concerns all lists together. */
static void put_lists(as_recommend_comparison *c) {
  c->all.count = AS_RECOMMEND_MEASURES;
  for (int m = VALUES; m < AS_RECOMMEND_MEASURES; m++)
    c->all.list[m] = as_compared_figure_plain(c->names[m], c->names[m], 4, c->evaluations[0].model.values[m],
                                              c->evaluations[1].model.values[m]);
}

static as_status evaluate(comparing *c, as_recommend_comparison *out) {
  as_status status = AS_OK;
  for (int model = 0; status == AS_OK && model < 2; model++) {
    const as_evaluation_question question = {.test = c->q->test->tests[model],
                                             .positive = c->q->positive,
                                             .with_seen = c->q->with_seen,
                                             .k = c->q->k,
                                             .resamples = c->q->resamples,
                                             .seed = c->q->seed,
                                             .beside = c->q->recommenders[!model],
                                             .customer_values = c->values[model]};
    status = as_recommender_evaluate(c->q->recommenders[model], &question, &out->evaluations[model]);
  }
  return status;
}

static as_status make_room(comparing *c) {
  for (int model = 0; model < 2; model++) {
    c->values[model] = as_alloc(c->ctx, (size_t)c->customers * VALUES, sizeof(double));
    c->sums[model] = as_alloc(c->ctx, (size_t)c->customers * WIDTH, sizeof(double));
    if (!c->values[model] || !c->sums[model]) return AS_E_NOMEM;
  }
  return AS_OK;
}

as_status as_recommend_compare(as_context *ctx, const as_recommend_question *q, as_recommend_comparison *out) {
  comparing c = {.ctx = ctx, .q = q, .customers = as_interactions_customers(q->test->tests[0])};
  *out = (as_recommend_comparison){.k = q->k, .resamples = q->resamples, .seed = q->seed};
  for (int m = 0; m < AS_RECOMMEND_MEASURES; m++)
    as_recommend_measure_name((as_recommend_measure)m, q->k, out->names[m]);
  undefined_figures(out, &out->all);
  undefined_figures(out, &out->known);
  undefined_figures(out, &out->others);
  if (c.customers == 0) return AS_OK;
  as_status status = make_room(&c);
  if (status == AS_OK) status = evaluate(&c, out);
  const bool nothing = status == AS_E_DATA; /* that is relevant to any customer */
  if (nothing) status = AS_OK;
  if (nothing) c.customers = 0;
  if (status == AS_OK) status = compare_group(&c, -1, out, &out->all);
  if (status == AS_OK) status = compare_group(&c, 1, out, &out->known);
  if (status == AS_OK) status = compare_group(&c, 0, out, &out->others);
  if (status == AS_OK && !nothing) put_lists(out);
  for (int model = 0; model < 2; model++) {
    as_free(ctx, c.values[model]);
    as_free(ctx, c.sums[model]);
  }
  return status;
}

/* ---- what comes out --------------------------------------------------------------------------------------------- */

static void write_group(as_json_writer *w, const char *key, const as_recommend_figures *group) {
  if (group->customers == 0) {
    as_json_null(w, key);
    return;
  }
  as_json_open_object(w, key);
  as_json_int(w, "customers", group->customers);
  as_compared_figures_json(w, group->list, group->count);
  as_json_close_object(w);
}

void as_recommend_comparison_json(as_json_writer *w, const as_recommend_comparison *c) {
  as_json_int(w, "customers", c->all.customers);
  as_compared_figures_json(w, c->all.list, c->all.count);
  as_json_int(w, "resamples", c->resamples);
  as_json_int(w, "seed", (int64_t)c->seed);
  write_group(w, "known_to_both", &c->known);
  write_group(w, "others", &c->others);
}

void as_recommend_comparison_report(as_report *r, const as_recommend_comparison *c) {
  as_compared_figures_table(r, c->all.list, c->all.count);
  if (c->others.customers == 0) {
    as_report_paragraph(r, "Both knew all %" PRId64 " customers from training.", c->all.customers);
    return;
  }
  as_report_paragraph(r, "%" PRId64 " customers that both knew from training:", c->known.customers);
  if (c->known.customers > 0) as_compared_figures_table(r, c->known.list, c->known.count);
  as_report_paragraph(r, "%" PRId64 " customers that at least one of them did not know:", c->others.customers);
  as_compared_figures_table(r, c->others.list, c->others.count);
}
