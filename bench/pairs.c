/* Pairs to measure with: read from files, or made up. See recommend.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "bench/recommend.h"
#include "recommend/features.h"
#include "recommend/recommender.h"

enum { TASTES = 32, CUSTOMER_STREAM = 0x71, PRODUCT_STREAM = 0x72, TASTE_STREAM = 0x73, DRAW_STREAM = 0x74 };
#define ACTIVITY 0.6
#define POPULARITY 0.9

void as_bench_pairs_free(as_bench_pairs *p) {
  if (!p->ctx) return;
  as_free(p->ctx, p->starts);
  as_free(p->ctx, p->users);
  as_free(p->ctx, p->items);
  as_feature_matrix_free(p->ctx, &p->features);
  *p = (as_bench_pairs){0};
}

/* users from starts. */
static as_status fill_users(as_bench_pairs *p) {
  p->count = p->starts[p->customers];
  p->users = as_alloc(p->ctx, (size_t)p->count, sizeof *p->users);
  if (!p->users) return AS_E_NOMEM;
  for (int64_t c = 0; c < p->customers; c++)
    for (int64_t i = p->starts[c]; i < p->starts[c + 1]; i++) p->users[i] = (int32_t)c;
  return AS_OK;
}

as_status as_bench_pairs_read(as_context *ctx, const char *interactions, const char *products, int kinds,
                              as_bench_pairs *out) {
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  as_products *catalogue = NULL;
  as_interactions *table = NULL;
  as_product_features features = {0};
  *out = (as_bench_pairs){.ctx = ctx};
  as_status status = as_products_read(ctx, products, NULL, &catalogue);
  if (status == AS_OK) status = as_interactions_read(ctx, interactions, catalogue, &options, &table);
  if (status == AS_OK) status = as_product_features_make(ctx, catalogue, kinds, &features);
  if (status == AS_OK) {
    out->customers = as_interactions_customers(table);
    out->products = as_products_count(catalogue);
    out->features = features.matrix;
    features.matrix = (as_feature_matrix){0};
    status = as_seen_products(table, &out->starts, &out->items);
  }
  as_interactions_free(table);
  as_products_free(catalogue);
  as_product_features_free(ctx, &features);
  if (status == AS_OK) status = fill_users(out);
  if (status != AS_OK) as_bench_pairs_free(out);
  return status;
}

as_status as_bench_pairs_write(const as_bench_pairs *p, const char *path) {
  as_file_writer writer;
  as_status status = as_file_begin(p->ctx, &writer, path);
  if (status != AS_OK) return status;
  fputs("customer_id,product_id\n", writer.stream); /* as_file_commit looks at the stream's errors */
  for (int64_t i = 0; i < p->count; i++)
    fprintf(writer.stream, "%" PRId32 ",%" PRId32 "\n", p->users[i] + 1, p->items[i] + 1);
  status = as_file_commit(p->ctx, &writer);
  as_file_abandon(p->ctx, &writer);
  return status;
}

/* ---- made up ---------------------------------------------------------------------------------------------------- */

typedef struct making {
  as_bench_pairs *pairs;
  uint64_t seed;
  as_permutation customers, products; /* from a number to its place in the order of activity or popularity, and back */
  double *popularity;                 /* [products] cumulated, by place */
  unsigned char *topics;              /* [products] */
  int32_t *owner;                     /* [products] the last customer that met it */
} making;

static int ascending(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* How many pairs the customers have, so that they add up to all of them: in proportion to activity, half of the products
 * at most. What is cut off goes to those that are next in activity. */
static as_status divide_pairs(making *m, int64_t count) {
  as_bench_pairs *p = m->pairs;
  double total = 0;
  p->starts = as_alloc_zero(p->ctx, (size_t)p->customers + 1, sizeof *p->starts);
  if (!p->starts) return AS_E_NOMEM;
  for (int64_t place = 0; place < p->customers; place++) total += pow((double)place + 1, -ACTIVITY);
  double rest = (double)count, weights = total;
  int64_t left = count;
  for (int64_t place = 0; place < p->customers; place++) {
    const double weight = pow((double)place + 1, -ACTIVITY);
    int64_t mine = (int64_t)(rest * weight / weights + 0.5);
    if (mine > p->products / 2) mine = p->products / 2;
    if (mine > left || place + 1 == p->customers) mine = left;
    p->starts[as_permutation_at(&m->customers, (uint64_t)place) + 1] = mine;
    left -= mine;
    rest -= (double)mine;
    weights -= weight;
  }
  for (int64_t c = 0; c < p->customers; c++) p->starts[c + 1] += p->starts[c];
  return AS_OK;
}

static int32_t draw_product(const making *m, as_random *random) {
  const int64_t products = m->pairs->products;
  const double at = as_random_uniform(random) * m->popularity[products - 1];
  int64_t low = 0, high = products - 1;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (m->popularity[middle] <= at)
      low = middle + 1;
    else
      high = middle;
  }
  return (int32_t)as_permutation_at(&m->products, (uint64_t)low);
}

/* The products of one customer; when chance does not find new ones soon, the next in number are taken. */
static void draw_customer(making *m, int64_t customer) {
  as_bench_pairs *p = m->pairs;
  as_random random = as_random_start(m->seed, DRAW_STREAM | (uint64_t)customer << 8);
  const uint64_t taste = as_random_below(&random, TASTES);
  int32_t *mine = p->items + p->starts[customer];
  const int64_t wanted = p->starts[customer + 1] - p->starts[customer];
  for (int64_t found = 0, tries = 0; found < wanted;) {
    int32_t product = draw_product(m, &random);
    if (m->topics[product] != taste) product = draw_product(m, &random);
    if (tries++ > 50 * wanted)
      while (m->owner[product] == customer) product = (int32_t)((product + 1) % p->products);
    if (m->owner[product] == customer) continue;
    m->owner[product] = (int32_t)customer;
    mine[found++] = product;
  }
  qsort(mine, (size_t)wanted, sizeof *mine, ascending);
}

static as_status draw_all(making *m, int64_t count) {
  as_bench_pairs *p = m->pairs;
  const size_t products = (size_t)p->products;
  as_random random = as_random_start(m->seed, TASTE_STREAM);
  m->popularity = as_alloc(p->ctx, products, sizeof *m->popularity);
  m->topics = as_alloc(p->ctx, products, sizeof *m->topics);
  m->owner = as_alloc(p->ctx, products, sizeof *m->owner);
  p->items = as_alloc(p->ctx, (size_t)count, sizeof *p->items);
  if (!m->popularity || !m->topics || !m->owner || !p->items) return AS_E_NOMEM;
  double sum = 0;
  for (size_t i = 0; i < products; i++) {
    m->popularity[i] = sum += pow((double)i + 1, -POPULARITY);
    m->topics[i] = (unsigned char)as_random_below(&random, TASTES);
    m->owner[i] = -1;
  }
  as_status status = divide_pairs(m, count);
  for (int64_t c = 0; status == AS_OK && c < p->customers; c++) draw_customer(m, c);
  return status;
}

as_status as_bench_pairs_make(as_context *ctx, int64_t customers, int64_t products, int64_t count, uint64_t seed,
                              as_bench_pairs *out) {
  *out = (as_bench_pairs){.ctx = ctx, .customers = customers, .products = products,
                          .features = as_feature_identity(products)};
  if (customers < 1 || customers > INT32_MAX || products < 2 || products > INT32_MAX || count < 1 ||
      count / customers > products / 2 || customers * (products / 2) < count)
    return as_fail(ctx, AS_E_INVALID, "cannot make %" PRId64 " pairs of %" PRId64 " customers and %" PRId64 " products; "
                   "at most half of the possible ones", count, customers, products);
  making m = {.pairs = out, .seed = seed, .customers = as_permutation_start((uint64_t)customers, seed, CUSTOMER_STREAM),
              .products = as_permutation_start((uint64_t)products, seed, PRODUCT_STREAM)};
  as_status status = draw_all(&m, count);
  as_free(ctx, m.popularity);
  as_free(ctx, m.topics);
  as_free(ctx, m.owner);
  if (status == AS_OK) status = fill_users(out);
  if (status != AS_OK) as_bench_pairs_free(out);
  return status;
}
