/* What the kinds of recommendation go by: joint purchases, trends, dearer products of the same category. Formulas are
 * in docs/recommender.md. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/recommender.h"

#define JOINT_SECONDS (30 * (int64_t)AS_DAY_SECONDS) /* cross-sell: bought within this of each other */
#define JOINT_SHRINKAGE 10.0
#define TREND_HALF_LIFE 7.0 /* days */
#define UPSELL_RATIO 2

static int compare_ids(const as_products *p, int32_t a, int32_t b) {
  return strcmp(as_products_id(p, a, NULL), as_products_id(p, b, NULL));
}

/* ---- cross-sell ------------------------------------------------------------------------------------------------- */

static int compare_joint(const void *a, const void *b, void *user) {
  const as_joint_purchase *x = a, *y = b;
  if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
  if (x->both != y->both) return x->both > y->both ? -1 : 1;
  return compare_ids(user, x->product, y->product);
}

/* Counts, for each product, this customer if it bought that product within 30 days of a purchase of `anchor`. */
static void count_joint(const as_recommender *r, int64_t customer, int32_t anchor, int64_t *both, int64_t *last) {
  const as_interactions *t = r->interactions;
  const int64_t first = t->starts[customer], end = t->starts[customer + 1];
  for (int64_t i = first; i < end; i++) {
    if (t->rows[i].product != anchor || (int)t->rows[i].type != r->purchase) continue;
    int64_t from = i, to = i;
    while (from > first && (int64_t)t->rows[i].time - t->rows[from - 1].time <= JOINT_SECONDS) from--;
    while (to + 1 < end && (int64_t)t->rows[to + 1].time - t->rows[i].time <= JOINT_SECONDS) to++;
    for (int64_t j = from; j <= to; j++) {
      const int32_t other = t->rows[j].product;
      if ((int)t->rows[j].type != r->purchase || last[other] == customer) continue;
      last[other] = customer;
      both[other]++;
    }
  }
}

as_status as_cross_sell(const as_recommender *r, int32_t product, as_joint_purchase **out, int64_t *count) {
  const size_t products = (size_t)as_products_count(r->products);
  const char *category = as_products_category(r->products, product);
  int64_t *both = as_alloc_zero(r->ctx, products, sizeof *both), *last = as_alloc(r->ctx, products, sizeof *last);
  *out = as_alloc(r->ctx, products, sizeof **out);
  *count = 0;
  as_status status = both && last && *out ? AS_OK : AS_E_NOMEM;
  for (size_t p = 0; status == AS_OK && p < products; p++) last[p] = -1;
  for (int64_t c = 0; status == AS_OK && c < as_interactions_customers(r->interactions); c++)
    count_joint(r, c, product, both, last);
  for (size_t p = 0; status == AS_OK && p < products; p++) {
    if (both[p] == 0 || strcmp(as_products_category(r->products, (int64_t)p), category) == 0) continue;
    const double chance = (double)r->buyers[product] * (double)r->buyers[p] / (double)r->buying_customers;
    const double lift = (double)both[p] / chance;
    const double sure = (double)both[p] / ((double)both[p] + JOINT_SHRINKAGE); /* rounded first: ties depend on it */
    (*out)[(*count)++] = (as_joint_purchase){(int32_t)p, both[p], lift, lift * sure};
  }
  if (status == AS_OK) qsort_r(*out, (size_t)*count, sizeof **out, compare_joint, r->products);
  as_free(r->ctx, both);
  as_free(r->ctx, last);
  return status;
}

/* ---- trending --------------------------------------------------------------------------------------------------- */

static int compare_trends(const void *a, const void *b, void *user) {
  const as_trend *x = a, *y = b;
  if (x->z > y->z || x->z < y->z) return x->z > y->z ? -1 : 1;
  if (x->decayed > y->decayed || x->decayed < y->decayed) return x->decayed > y->decayed ? -1 : 1;
  return compare_ids(user, x->product, y->product);
}

as_status as_trending(const as_recommender *r, as_trend **out) {
  const as_interactions *t = r->interactions;
  const int64_t products = as_products_count(r->products), rows = as_interactions_count(t);
  as_trend *all = as_alloc_zero(r->ctx, (size_t)products, sizeof *all);
  *out = all;
  if (!all) return AS_E_NOMEM;
  uint32_t oldest = t->newest;
  for (int64_t i = 0; i < rows; i++) {
    if ((int)t->rows[i].type != r->purchase) continue;
    const double age = (double)(t->newest - t->rows[i].time) / AS_DAY_SECONDS;
    if (t->rows[i].time < oldest) oldest = t->rows[i].time;
    all[t->rows[i].product].purchases++;
    all[t->rows[i].product].decayed += exp2(-age / TREND_HALF_LIFE);
  }
  const double days = fmax((double)(t->newest - oldest) / AS_DAY_SECONDS, 1);
  const double decay = TREND_HALF_LIFE / log(2) * (1 - exp2(-days / TREND_HALF_LIFE));
  for (int64_t p = 0; p < products; p++) {
    all[p].product = (int32_t)p;
    all[p].expected = (double)all[p].purchases / days * decay;
    all[p].z = (all[p].decayed - all[p].expected) / sqrt(all[p].expected + 1);
  }
  qsort_r(all, (size_t)products, sizeof *all, compare_trends, r->products);
  return AS_OK;
}

/* ---- upsell ----------------------------------------------------------------------------------------------------- */

typedef struct upsell_order {
  const as_products *products;
  const float *scores;
} upsell_order;

static int compare_upsell(const void *a, const void *b, void *user) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  const upsell_order *o = user;
  if (o->scores[x] > o->scores[y] || o->scores[x] < o->scores[y]) return o->scores[x] > o->scores[y] ? -1 : 1;
  if (o->products->prices[x] != o->products->prices[y]) return o->products->prices[x] < o->products->prices[y] ? -1 : 1;
  return compare_ids(o->products, x, y);
}

as_status as_upsell(const as_recommender *r, int32_t product, const float *scores, int32_t **out, int64_t *count) {
  const as_products *p = r->products;
  const int64_t price = p->prices[product];
  *count = 0;
  *out = as_alloc(r->ctx, (size_t)as_products_count(p), sizeof **out);
  if (!*out) return AS_E_NOMEM;
  for (int64_t i = 0; i < as_products_count(p); i++)
    if (price > 0 && p->prices[i] > price && p->prices[i] / UPSELL_RATIO <= price &&
        p->prices[i] <= UPSELL_RATIO * price &&
        strcmp(as_products_category(p, i), as_products_category(p, product)) == 0)
      (*out)[(*count)++] = (int32_t)i;
  upsell_order order = {p, scores};
  qsort_r(*out, (size_t)*count, sizeof **out, compare_upsell, &order);
  return AS_OK;
}
