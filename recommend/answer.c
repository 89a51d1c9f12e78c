/* Answering a request: who asks, which products may be answered with, in which order, and why. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "recommend/scores.h"

const char *as_recommend_kind_name(as_recommend_kind kind) {
  static const char *const names[AS_RECOMMEND_KINDS] = {"personalized", "purchase", "cross-sell", "upsell", "trending"};
  return names[kind];
}

/* ---- who asks, and for what ------------------------------------------------------------------------------------- */

/* Whether a product may be answered with: not at all, yes, or before the others. */
enum { AS_PLACE_NONE, AS_PLACE_FITS, AS_PLACE_NAMED };

typedef struct asking {
  const as_recommender *r;
  const as_recommend_request *request;
  int64_t customer;   /* number; -1: unknown, or none */
  const int32_t *own; /* ascending: what is left out */
  int64_t own_count;
  int32_t *own_room;
  float *scores;            /* [products] of the customer or the session; NULL: nobody is known */
  unsigned char *allowed;   /* [products] AS_PLACE_* */
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
    as_score_products(r, vector, a->scores);
    memcpy(a->own_room, a->request->session, (size_t)a->request->session_count * sizeof *a->own_room);
    a->own = a->request->keep_seen ? NULL : a->own_room;
    a->own_count = a->request->keep_seen ? 0 : as_distinct_products(a->own_room, a->request->session_count);
  }
  as_free(r->ctx, vector);
  return status;
}

/* Whether the text has the word, as a word. */
static bool word_in(const char *text, const char *word, size_t length) {
  for (const char *at = text; *at; at++)
    if ((at == text || !isalnum((unsigned char)at[-1])) && strncasecmp(at, word, length) == 0 &&
        !islower((unsigned char)at[length]) && !isupper((unsigned char)at[length]))
      return true;
  return false;
}

/* Words that tell nothing about what is wanted, though names of products have them. */
static bool is_empty_word(const char *word, size_t length) {
  static const char *const empty[] = {"and", "for", "from", "set", "the", "with", "without", "you", "your"};
  for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
    if (strlen(empty[i]) == length && strncasecmp(empty[i], word, length) == 0) return true;
  return false;
}

/* How many words of the message, of three letters or more, the text has; a plural s of the message may be missing. */
static int words_in_common(const char *message, const char *text) {
  int common = 0;
  for (const char *at = message; *at;) {
    size_t length = 0;
    while (isalnum((unsigned char)at[length])) length++;
    const bool plural = length > 3 && tolower((unsigned char)at[length - 1]) == 's';
    if (length >= 3 && !is_empty_word(at, length) &&
        (word_in(text, at, length) || (plural && word_in(text, at, length - 1))))
      common++;
    at += length ? length : 1;
  }
  return common;
}

/* Puts the category with most words of the message in place, and of its products those first that the message names. */
static void read_message(asking *a) {
  const as_recommender *r = a->r;
  const char *message = a->request->message;
  const int64_t products = as_products_count(r->products);
  int most = 0, named = 0;
  for (int64_t p = 0; p < products; p++) {
    const int words = 2 * words_in_common(message, as_products_category(r->products, p)) +
                      words_in_common(message, as_products_name(r->products, p));
    if (words <= most) continue;
    most = words;
    a->fits = as_products_category(r->products, p);
    named = words_in_common(message, as_products_name(r->products, p));
  }
  for (int64_t p = 0; a->fits && p < products; p++) {
    if (strcmp(as_products_category(r->products, p), a->fits) != 0)
      a->allowed[p] = AS_PLACE_NONE;
    else if (a->allowed[p] && named > 0 && words_in_common(message, as_products_name(r->products, p)) == named)
      a->allowed[p] = AS_PLACE_NAMED;
  }
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
    a->allowed[p] = !q->category || in_category(r, p, q->category) ? AS_PLACE_FITS : AS_PLACE_NONE;
    left += a->allowed[p] != AS_PLACE_NONE;
    if (plain && !r->met[p] && a->scores) a->allowed[p] = AS_PLACE_NONE;
  }
  if (left == 0) return as_fail(r->ctx, AS_E_INVALID, "there is no product of the category \"%.100s\"", q->category);
  if (q->kind == AS_RECOMMEND_PURCHASE && q->message && !q->category) read_message(a);
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
    const float norm = sqrtf(as_dot(u, u, d));
    const float cosine = norm > 0 ? as_dot(u, v, d) / norm : 0;
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
    const char *how = t->purchases == 0 ? "not bought yet"
                      : t->z > 0        ? "bought more of late than usual"
                                        : "bought as usual or less of late";
    snprintf(one->reason, sizeof one->reason, "%s%s (%lld purchases)", a->why_trending, how, (long long)t->purchases);
  }
  as_free(a->r->ctx, trends);
  return status;
}

static void explain(const asking *a, as_recommendation *one) {
  const char *fits = a->request->category ? a->request->category : a->fits;
  const int32_t near = nearest_own(a, one->product);
  if (a->request->kind == AS_RECOMMEND_PURCHASE && a->allowed[one->product] == AS_PLACE_NAMED)
    snprintf(one->reason, sizeof one->reason, "named in what was asked for");
  else if (a->request->kind == AS_RECOMMEND_PURCHASE && fits)
    snprintf(one->reason, sizeof one->reason, "fits what was asked for: %.80s", fits);
  else if (near >= 0)
    snprintf(one->reason, sizeof one->reason, "goes with %.120s", name_of(a->r, near));
  else
    snprintf(one->reason, sizeof one->reason, "liked by customers with the same taste");
}

/* First the products that were named, then those that fit, each by score. */
static as_status answer_by_score(asking *a) {
  const as_recommender *r = a->r;
  const int64_t products = as_products_count(r->products);
  const int64_t n = a->request->n < products ? a->request->n : products;
  as_best *best = as_alloc(r->ctx, (size_t)n, sizeof *best);
  int32_t *out = as_alloc(r->ctx, (size_t)products, sizeof *out);
  as_status status = best && out ? AS_OK : AS_E_NOMEM;
  for (int place = AS_PLACE_NAMED; status == AS_OK && place >= AS_PLACE_FITS && a->count < n; place--) {
    int64_t left_out = 0;
    for (int64_t p = 0; p < products; p++)
      if (a->allowed[p] != place || is_own(a, (int32_t)p)) out[left_out++] = (int32_t)p;
    const int64_t count = as_select_best(a->scores, products, out, left_out, n - a->count, best);
    for (int64_t i = 0; i < count; i++) {
      const double raw = (double)best[i].score;
      explain(a, add(a, best[i].item, as_platt_probability(r->platt, raw), raw));
    }
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
    snprintf(one->reason, sizeof one->reason,
             "%lld of %lld buyers of %.80s bought it within 30 days, %.1f times chance", (long long)j->both,
             (long long)r->buyers[anchor], name_of(r, anchor), j->lift);
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

as_status as_recommend(const as_recommender *r, const as_recommend_request *q, as_recommendation *out, int64_t *count) {
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
    return as_fail(r->ctx, AS_E_INVALID,
                   "similar products need a product of the catalogue, and at least one is asked for");
  float *scores = as_alloc(r->ctx, (size_t)products, sizeof *scores);
  const int64_t most = n < products ? n : products;
  as_best *best = as_alloc(r->ctx, (size_t)most, sizeof *best);
  as_status status = scores && best ? AS_OK : AS_E_NOMEM;
  const float *v = r->item_vectors.values + (size_t)product * w;
  const float norm = sqrtf(as_dot(v, v, d));
  for (int64_t p = 0; status == AS_OK && p < products; p++) {
    const float *u = r->item_vectors.values + (size_t)p * w;
    const float other = sqrtf(as_dot(u, u, d));
    scores[p] = norm > 0 && other > 0 ? as_dot(u, v, d) / (norm * other) : 0;
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
