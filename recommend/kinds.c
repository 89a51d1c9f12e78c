/* The five kinds of recommendation, similar products, and folding in a new customer. */
#include "recommend/recommender.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/random.h"

#define JOINT_SECONDS (30 * (int64_t)AS_DAY_SECONDS) /* cross-sell: bought within this of each other */
#define JOINT_SHRINKAGE 10.0
#define TREND_HALF_LIFE 7.0 /* days */
#define UPSELL_RATIO 2

const char *as_recommend_kind_name(as_recommend_kind kind) {
  static const char *const names[AS_RECOMMEND_KINDS] = {"personalized", "purchase", "cross-sell", "upsell", "trending"};
  return names[kind];
}

static int compare_ids(const as_products *p, int32_t a, int32_t b) {
  return strcmp(as_products_id(p, a, NULL), as_products_id(p, b, NULL));
}

/* ---- scores ----------------------------------------------------------------------------------------------------- */

static float dot(const float *a, const float *b, size_t width) {
  float sum = 0;
  for (size_t j = 0; j < width; j++) sum += a[j] * b[j];
  return sum;
}

static void score_all(const as_recommender *r, const float *user, float *scores) {
  const size_t w = r->item_vectors.width;
  for (int64_t i = 0; i < r->item_vectors.rows; i++) scores[i] = dot(user, r->item_vectors.values + (size_t)i * w, w);
}

void as_recommender_scores(const as_recommender *r, int64_t customer, float *scores) {
  score_all(r, r->user_vectors.values + (size_t)customer * r->user_vectors.width, scores);
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
  if (o->products->prices[x] != o->products->prices[y])
    return o->products->prices[x] < o->products->prices[y] ? -1 : 1;
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

/* ---- who asks, and for what ------------------------------------------------------------------------------------- */

typedef struct asking {
  const as_recommender *r;
  const as_recommend_request *request;
  int64_t customer;   /* number; -1: unknown, or none */
  const int32_t *own; /* ascending: what is left out */
  int64_t own_count;
  int32_t *own_room;
  float *scores; /* [products] of the customer or the session; NULL: nobody is known */
  bool *allowed; /* [products] */
  const char *why_trending; /* put before the reason */
  const char *fits;         /* the words of the message were found in products of a category */
  as_recommendation *out;
  int64_t count;
} asking;

static bool in_category(const as_recommender *r, int64_t product, const char *category) {
  const char *have = as_products_category(r->products, product);
  if (strcasecmp(have, category) == 0) return true;
  const size_t length = strlen(category);
  for (const char *at = have; *at;) { /* "a|b" is in both */
    const size_t part = strcspn(at, "|");
    if (part == length && strncasecmp(at, category, length) == 0) return true;
    at += part + (at[part] == '|');
  }
  return false;
}

/* The customer's bought products (purchases only, for the other kinds of interaction don't own anything). */
static as_status find_own(asking *a) {
  const as_recommender *r = a->r;
  if (a->customer < 0 || a->request->keep_seen) return AS_OK;
  const as_interactions *t = r->interactions;
  const int64_t first = t->starts[a->customer], end = t->starts[a->customer + 1];
  a->own_room = as_alloc(r->ctx, (size_t)(end - first), sizeof *a->own_room);
  if (!a->own_room) return AS_E_NOMEM;
  int64_t count = 0;
  for (int64_t i = first; i < end; i++)
    if (r->purchase < 0 || (int)t->rows[i].type == r->purchase) a->own_room[count++] = t->rows[i].product;
  a->own = a->own_room;
  a->own_count = as_distinct_products(a->own_room, count);
  return AS_OK;
}

static as_status find_session(asking *a) {
  const as_recommender *r = a->r;
  float *vector = as_alloc(r->ctx, r->item_vectors.width, sizeof *vector);
  a->own_room = as_alloc(r->ctx, (size_t)a->request->session_count, sizeof *a->own_room);
  as_status status = vector && a->own_room ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) status = as_recommender_fold_in(r, a->request->session, a->request->session_count, vector);
  if (status == AS_OK) {
    score_all(r, vector, a->scores);
    memcpy(a->own_room, a->request->session, (size_t)a->request->session_count * sizeof *a->own_room);
    a->own = a->request->keep_seen ? NULL : a->own_room;
    a->own_count = a->request->keep_seen ? 0 : as_distinct_products(a->own_room, a->request->session_count);
  }
  as_free(r->ctx, vector);
  return status;
}

/* Whether the products of a category were met in words of the message: the category's own words or a name's. */
static bool word_in(const char *text, const char *word, size_t length) {
  for (const char *at = text; *at; at++)
    if ((at == text || !isalnum((unsigned char)at[-1])) && strncasecmp(at, word, length) == 0 &&
        !islower((unsigned char)at[length]) && !isupper((unsigned char)at[length]))
      return true;
  return false;
}

/* How many words of the message, of three letters or more, the text has; a plural s of the message may be missing. */
static int words_in_common(const char *message, const char *text) {
  int common = 0;
  for (const char *at = message; *at;) {
    size_t length = 0;
    while (isalnum((unsigned char)at[length])) length++;
    const bool plural = length > 3 && tolower((unsigned char)at[length - 1]) == 's';
    if (length >= 3 && (word_in(text, at, length) || (plural && word_in(text, at, length - 1)))) common++;
    at += length ? length : 1;
  }
  return common;
}

/* Restricts to the category asked for, or to the categories with most words of the message. */
static as_status restrict_products(asking *a) {
  const as_recommender *r = a->r;
  const as_recommend_request *q = a->request;
  const int64_t products = as_products_count(r->products);
  const bool plain = r->features.names.count == 0; /* without features an unmet product's score means nothing */
  int64_t left = 0;
  a->allowed = as_alloc(r->ctx, (size_t)products, sizeof *a->allowed);
  if (!a->allowed) return AS_E_NOMEM;
  for (int64_t p = 0; p < products; p++) {
    a->allowed[p] = !q->category || in_category(r, p, q->category);
    left += a->allowed[p];
    if (plain && !r->met[p] && a->scores) a->allowed[p] = false;
  }
  if (left == 0)
    return as_fail(r->ctx, AS_E_INVALID, "there is no product of the category \"%.100s\"", q->category);
  if (q->kind != AS_RECOMMEND_PURCHASE || !q->message || q->category) return AS_OK;
  int most = 0;
  for (int64_t p = 0; p < products; p++) {
    const int words = 2 * words_in_common(q->message, as_products_category(r->products, p)) +
                      words_in_common(q->message, as_products_name(r->products, p));
    if (words > most) {
      most = words;
      a->fits = as_products_category(r->products, p);
    }
  }
  for (int64_t p = 0; a->fits && p < products; p++)
    a->allowed[p] = a->allowed[p] && strcmp(as_products_category(r->products, p), a->fits) == 0;
  return AS_OK;
}

static bool is_own(const asking *a, int32_t product) {
  int64_t low = 0, high = a->own_count;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (a->own[middle] < product)
      low = middle + 1;
    else
      high = middle;
  }
  return low < a->own_count && a->own[low] == product;
}

static as_recommendation *add(asking *a, int32_t product, double score, double raw) {
  as_recommendation *one = &a->out[a->count++];
  *one = (as_recommendation){.product = product, .score = score, .raw = raw};
  return one;
}

/* ---- the kinds -------------------------------------------------------------------------------------------------- */

/* The customer's product that is nearest to this one, as a reason; -1 if there is none. */
static int32_t nearest_own(const asking *a, int32_t product) {
  const as_recommender *r = a->r;
  const int32_t *own = a->own;
  int64_t count = a->own_count;
  if (a->customer >= 0) {
    own = r->seen + r->seen_starts[a->customer];
    count = r->seen_starts[a->customer + 1] - r->seen_starts[a->customer];
  }
  const size_t w = r->item_vectors.width, d = (size_t)r->model->dim;
  const float *v = r->item_vectors.values + (size_t)product * w;
  int32_t best = -1;
  float most = 0;
  for (int64_t i = 0; i < count; i++) {
    const float *u = r->item_vectors.values + (size_t)own[i] * w;
    const float norm = sqrtf(dot(u, u, d));
    const float cosine = norm > 0 ? dot(u, v, d) / norm : 0;
    if (own[i] != product && cosine > most) {
      most = cosine;
      best = own[i];
    }
  }
  return best;
}

static const char *name_of(const as_recommender *r, int32_t product) {
  const char *name = as_products_name(r->products, product);
  return *name ? name : as_products_id(r->products, product, NULL);
}

static as_status answer_trending(asking *a) {
  as_trend *trends;
  as_status status = as_trending(a->r, &trends);
  for (int64_t i = 0; status == AS_OK && i < as_products_count(a->r->products) && a->count < a->request->n; i++) {
    const as_trend *t = &trends[i];
    if (!a->allowed[t->product] || is_own(a, t->product)) continue;
    as_recommendation *one = add(a, t->product, 0.5 * erfc(-t->z / sqrt(2)), t->z);
    const char *how = t->purchases == 0 ? "not bought yet" : t->z > 0 ? "bought more of late than usual" : "bought as usual or less of late";
    snprintf(one->reason, sizeof one->reason, "%s%s (%lld purchases)", a->why_trending, how, (long long)t->purchases);
  }
  as_free(a->r->ctx, trends);
  return status;
}

static as_status answer_by_score(asking *a) {
  const as_recommender *r = a->r;
  const int64_t products = as_products_count(r->products);
  const int64_t n = a->request->n < products ? a->request->n : products;
  as_best *best = as_alloc(r->ctx, (size_t)n, sizeof *best);
  int32_t *out = as_alloc(r->ctx, (size_t)products, sizeof *out);
  as_status status = best && out ? AS_OK : AS_E_NOMEM;
  int64_t left_out = 0, count = 0;
  for (int64_t p = 0; status == AS_OK && p < products; p++)
    if (!a->allowed[p] || is_own(a, (int32_t)p)) out[left_out++] = (int32_t)p;
  if (status == AS_OK) count = as_select_best(a->scores, products, out, left_out, n, best);
  for (int64_t i = 0; i < count; i++) {
    const double raw = (double)best[i].score;
    as_recommendation *one = add(a, best[i].item, as_platt_probability(r->platt, raw), raw);
    const int32_t near = nearest_own(a, best[i].item);
    const char *fits = a->request->category ? a->request->category : a->fits;
    if (a->request->kind == AS_RECOMMEND_PURCHASE && fits)
      snprintf(one->reason, sizeof one->reason, "fits what was asked for: %.80s", fits);
    else if (near >= 0)
      snprintf(one->reason, sizeof one->reason, "goes with %.120s", name_of(r, near));
    else
      snprintf(one->reason, sizeof one->reason, "liked by customers with the same taste");
  }
  as_free(r->ctx, best);
  as_free(r->ctx, out);
  return status;
}

static as_status answer_cross_sell(asking *a) {
  const as_recommender *r = a->r;
  const int32_t anchor = a->request->product;
  as_joint_purchase *joint;
  int64_t count;
  as_status status = as_cross_sell(r, anchor, &joint, &count);
  for (int64_t i = 0; status == AS_OK && i < count && a->count < a->request->n; i++) {
    const as_joint_purchase *j = &joint[i];
    if (!a->allowed[j->product] || is_own(a, j->product)) continue;
    as_recommendation *one = add(a, j->product, (double)j->both / (double)r->buyers[anchor], j->score);
    snprintf(one->reason, sizeof one->reason, "%lld of %lld buyers of %.80s bought it within 30 days, %.1f times chance",
             (long long)j->both, (long long)r->buyers[anchor], name_of(r, anchor), j->lift);
  }
  as_free(r->ctx, joint);
  return status;
}

/* By the customer's scores; when nobody is known, by the share of buying customers who bought a product. */
static as_status answer_upsell(asking *a) {
  const as_recommender *r = a->r;
  const int32_t anchor = a->request->product;
  const int64_t products = as_products_count(r->products);
  int32_t *candidates = NULL;
  int64_t count = 0;
  float *shares = a->scores ? NULL : as_alloc(r->ctx, (size_t)products, sizeof *shares);
  if (!a->scores && !shares) return AS_E_NOMEM;
  for (int64_t p = 0; shares && p < products; p++)
    shares[p] = (float)r->buyers[p] / (float)(r->buying_customers > 0 ? r->buying_customers : 1);
  as_status status = as_upsell(r, anchor, a->scores ? a->scores : shares, &candidates, &count);
  for (int64_t i = 0; status == AS_OK && i < count && a->count < a->request->n; i++) {
    const int32_t p = candidates[i];
    if (!a->allowed[p] || is_own(a, p)) continue;
    const double raw = (double)(a->scores ? a->scores : shares)[p];
    as_recommendation *one = add(a, p, a->scores ? as_platt_probability(r->platt, raw) : raw, raw);
    snprintf(one->reason, sizeof one->reason, "%s%.2f times the price of %.80s, same category", a->why_trending,
             (double)r->products->prices[p] / (double)r->products->prices[anchor], name_of(r, anchor));
  }
  as_free(r->ctx, candidates);
  as_free(r->ctx, shares);
  return status;
}

static as_status check_request(const as_recommender *r, const as_recommend_request *q) {
  const bool anchored = q->kind == AS_RECOMMEND_CROSS_SELL || q->kind == AS_RECOMMEND_UPSELL;
  if (q->n < 1) return as_fail(r->ctx, AS_E_INVALID, "at least one recommendation must be asked for");
  if (anchored && (q->product < 0 || q->product >= as_products_count(r->products)))
    return as_fail(r->ctx, AS_E_INVALID, "%s needs a product", as_recommend_kind_name(q->kind));
  for (int64_t i = 0; i < q->session_count; i++)
    if (q->session[i] < 0 || q->session[i] >= as_products_count(r->products))
      return as_fail(r->ctx, AS_E_INVALID, "the session has a product that is not in the catalogue");
  return AS_OK;
}

as_status as_recommend(const as_recommender *r, const as_recommend_request *q, as_recommendation *out,
                       int64_t *count) {
  asking a = {.r = r, .request = q, .customer = -1, .why_trending = "", .out = out};
  *count = 0;
  as_status status = check_request(r, q);
  if (status != AS_OK) return status;
  if (q->customer) a.customer = as_interactions_find(r->interactions, q->customer, strlen(q->customer));
  if (a.customer >= 0 || q->session_count > 0) {
    a.scores = as_alloc(r->ctx, (size_t)as_products_count(r->products), sizeof *a.scores);
    if (!a.scores) return AS_E_NOMEM;
  }
  if (a.customer >= 0) {
    as_recommender_scores(r, a.customer, a.scores);
    status = find_own(&a);
  } else if (q->session_count > 0) {
    status = find_session(&a);
  } else if (q->customer) {
    a.why_trending = "customer not known yet; ";
  }
  if (status == AS_OK) status = restrict_products(&a);
  if (status == AS_OK) {
    if (q->kind == AS_RECOMMEND_CROSS_SELL)
      status = answer_cross_sell(&a);
    else if (q->kind == AS_RECOMMEND_UPSELL)
      status = answer_upsell(&a);
    else if (q->kind == AS_RECOMMEND_TRENDING || !a.scores)
      status = answer_trending(&a);
    else
      status = answer_by_score(&a);
  }
  as_free(r->ctx, a.scores);
  as_free(r->ctx, a.own_room);
  as_free(r->ctx, a.allowed);
  *count = a.count;
  return status;
}

as_status as_similar_products(const as_recommender *r, int32_t product, int64_t n, as_recommendation *out,
                              int64_t *count) {
  const int64_t products = as_products_count(r->products);
  const size_t w = r->item_vectors.width, d = (size_t)r->model->dim;
  *count = 0;
  if (product < 0 || product >= products || n < 1)
    return as_fail(r->ctx, AS_E_INVALID, "similar products need a product of the catalogue, and at least one is asked for");
  float *scores = as_alloc(r->ctx, (size_t)products, sizeof *scores);
  const int64_t most = n < products ? n : products;
  as_best *best = as_alloc(r->ctx, (size_t)most, sizeof *best);
  as_status status = scores && best ? AS_OK : AS_E_NOMEM;
  const float *v = r->item_vectors.values + (size_t)product * w;
  const float norm = sqrtf(dot(v, v, d));
  for (int64_t p = 0; status == AS_OK && p < products; p++) {
    const float *u = r->item_vectors.values + (size_t)p * w;
    const float other = sqrtf(dot(u, u, d));
    scores[p] = norm > 0 && other > 0 ? dot(u, v, d) / (norm * other) : 0;
  }
  if (status == AS_OK) *count = as_select_best(scores, products, &product, 1, most, best);
  for (int64_t i = 0; i < *count; i++) {
    const double cosine = (double)best[i].score;
    out[i] = (as_recommendation){.product = best[i].item, .score = fmin(1, fmax(0, cosine)), .raw = cosine};
    snprintf(out[i].reason, sizeof out[i].reason, "liked by the same customers as %.120s", name_of(r, product));
  }
  as_free(r->ctx, scores);
  as_free(r->ctx, best);
  return status;
}
