/* What a recommender is made ready with, and its end. The kinds of recommendation are in recommend/kinds.c. */
#include "recommend/recommender.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void as_recommender_unprepare(as_recommender *r) {
  as_vectors_free(r->ctx, &r->item_vectors);
  as_vectors_free(r->ctx, &r->user_vectors);
  void **const derived[] = {(void **)&r->seen_starts, (void **)&r->seen, (void **)&r->buyers, (void **)&r->met};
  for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
    as_free(r->ctx, *derived[i]);
    *derived[i] = NULL;
  }
}

void as_recommender_free(as_recommender *r) {
  if (!r) return;
  as_lightfm_free(r->model);
  as_products_free(r->products);
  as_interactions_free(r->interactions);
  as_product_features_free(r->ctx, &r->features);
  as_recommender_unprepare(r);
  as_free(r->ctx, r->metrics);
  as_free(r->ctx, r);
}

static int ascending(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

int64_t as_distinct_products(int32_t *items, int64_t count) {
  int64_t kept = 0;
  if (count > 1) qsort(items, (size_t)count, sizeof *items, ascending);
  for (int64_t i = 0; i < count; i++)
    if (kept == 0 || items[kept - 1] != items[i]) items[kept++] = items[i];
  return kept;
}

as_status as_seen_products(const as_interactions *t, int64_t **starts, int32_t **products) {
  const int64_t customers = as_interactions_customers(t), rows = as_interactions_count(t);
  *starts = as_alloc(t->ctx, (size_t)customers + 1, sizeof **starts);
  *products = as_alloc(t->ctx, (size_t)rows, sizeof **products);
  if (!*starts || !*products) return AS_E_NOMEM;
  int64_t filled = 0;
  for (int64_t c = 0; c < customers; c++) {
    int32_t *mine = *products + filled;
    const int64_t first = t->starts[c], count = t->starts[c + 1] - first;
    (*starts)[c] = filled;
    for (int64_t i = 0; i < count; i++) mine[i] = t->rows[first + i].product;
    filled += as_distinct_products(mine, count);
  }
  (*starts)[customers] = filled;
  return AS_OK;
}

/* buyers, buying_customers and met. */
static as_status count_purchases(as_recommender *r) {
  const as_interactions *t = r->interactions;
  const size_t products = (size_t)as_products_count(r->products);
  int64_t *last = as_alloc(r->ctx, products, sizeof *last); /* the last customer who bought it */
  r->buyers = as_alloc_zero(r->ctx, products, sizeof *r->buyers);
  r->met = as_alloc_zero(r->ctx, products, sizeof *r->met);
  r->buying_customers = 0;
  if (!last || !r->buyers || !r->met) {
    as_free(r->ctx, last);
    return AS_E_NOMEM;
  }
  for (size_t p = 0; p < products; p++) last[p] = -1;
  for (int64_t c = 0; c < as_interactions_customers(t); c++) {
    bool buys = false;
    for (int64_t i = t->starts[c]; i < t->starts[c + 1]; i++) {
      const as_interaction *row = &t->rows[i];
      r->met[row->product] = true;
      if ((int)row->type != r->purchase) continue;
      buys = true;
      if (last[row->product] != c) r->buyers[row->product]++;
      last[row->product] = c;
    }
    r->buying_customers += buys;
  }
  as_free(r->ctx, last);
  return AS_OK;
}

as_status as_recommender_prepare(as_recommender *r) {
  r->purchase = as_interaction_type_find(&r->types, "purchase", strlen("purchase"));
  r->customers = as_feature_identity(as_interactions_customers(r->interactions));
  as_status status = as_seen_products(r->interactions, &r->seen_starts, &r->seen);
  if (status == AS_OK) status = count_purchases(r);
  if (status == AS_OK) status = as_vectors_make(r->ctx, r->model, &r->features.matrix, true, &r->item_vectors);
  if (status == AS_OK) status = as_vectors_make(r->ctx, r->model, &r->customers, false, &r->user_vectors);
  return status;
}
