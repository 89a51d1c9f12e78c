/* The recommender from data to answers: the kinds against the shop's numbers, the folder, calibration, updates, and
 * what happens with wrong input and without memory. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "recommend/train.h"
#include "tests/folder_fixture.h"
#include "tests/program.h"

#define SHOP "tests/golden/recommend/shop/"

static as_recommend_settings quick(as_lightfm_loss loss) {
  as_recommend_settings s = as_recommend_settings_usual(loss);
  s.dim = 6;
  s.epochs = 3;
  return s;
}

static as_status train_shop(as_context *c, as_lightfm_loss loss, as_recommender **out) {
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  const as_recommend_settings settings = quick(loss);
  as_products *products = NULL;
  as_interactions *interactions = NULL;
  *out = NULL;
  as_status status = as_products_read(c, as_source_path(SHOP "products.csv"), NULL, &products);
  if (status == AS_OK)
    status = as_interactions_read(c, as_source_path(SHOP "interactions.csv"), products, &options, &interactions);
  if (status == AS_OK)
    return as_recommender_train(c, products, interactions, &types, &settings, AS_HOLDOUT_TIME, NULL, out);
  as_products_free(products);
  return status;
}

static as_recommender *shop(as_lightfm_loss loss) {
  as_recommender *r;
  ck_assert_ok(ctx, train_shop(ctx, loss, &r));
  return r;
}

static int32_t product_of(const as_recommender *r, const char *id) {
  const int64_t product = as_products_find(r->products, id, strlen(id));
  if (product < 0) ck_abort_msg("no product %s", id);
  return (int32_t)product;
}

/* A golden table of the shop, row by row. */
static as_csv_reader *open_table(const char *name) {
  char path[200];
  as_csv_reader *csv;
  snprintf(path, sizeof path, SHOP "%s", name);
  ck_assert_ok(ctx, as_csv_open(ctx, as_source_path(path), NULL, &csv));
  return csv;
}

static const as_csv_row *next_row(as_csv_reader *csv) {
  const as_csv_row *row;
  ck_assert_ok(ctx, as_csv_next(csv, &row));
  return row;
}

static void assert_near(const char *what, const as_csv_row *row, double actual, const char *expected) {
  const double wanted = atof(expected);
  if (!(fabs(actual - wanted) <= 1e-9 + 1e-9 * fabs(wanted)))
    ck_abort_msg("%s, line %llu: %.12g, expected %s", what, (unsigned long long)row->line, actual, expected);
}

/* ---- the kinds --------------------------------------------------------------------------------------------------- */

START_TEST(cross_sell_is_the_shops) {
  as_recommender *r = shop(AS_LIGHTFM_WARP);
  as_csv_reader *csv = open_table("cross_sell.csv");
  as_joint_purchase *joint = NULL;
  int64_t count = 0, at = 0;
  int32_t anchor = -1;
  for (const as_csv_row *row; (row = next_row(csv)) != NULL; at++) {
    if (anchor < 0 || product_of(r, row->fields[0].text) != anchor) {
      ck_assert_int_eq(at, count);
      as_free(ctx, joint);
      anchor = product_of(r, row->fields[0].text);
      ck_assert_ok(ctx, as_cross_sell(r, anchor, &joint, &count));
      at = 0;
    }
    ck_assert_int_lt(at, count);
    ck_assert_str_eq(as_products_id(r->products, joint[at].product, NULL), row->fields[1].text);
    ck_assert_int_eq(r->buyers[anchor], atoll(row->fields[2].text));
    ck_assert_int_eq(r->buyers[joint[at].product], atoll(row->fields[3].text));
    ck_assert_int_eq(joint[at].both, atoll(row->fields[4].text));
    ck_assert_int_eq(r->buying_customers, atoll(row->fields[5].text));
    assert_near("lift", row, joint[at].lift, row->fields[6].text);
    assert_near("score", row, joint[at].score, row->fields[7].text);
  }
  ck_assert_int_eq(at, count);
  as_free(ctx, joint);
  as_csv_close(csv);
  as_recommender_free(r);
}
END_TEST

START_TEST(trending_is_the_shops) {
  as_recommender *r = shop(AS_LIGHTFM_WARP);
  as_csv_reader *csv = open_table("trending.csv");
  as_trend *trends;
  int64_t at = 0;
  ck_assert_ok(ctx, as_trending(r, &trends));
  for (const as_csv_row *row; (row = next_row(csv)) != NULL; at++) {
    ck_assert_str_eq(as_products_id(r->products, trends[at].product, NULL), row->fields[0].text);
    ck_assert_int_eq(trends[at].purchases, atoll(row->fields[1].text));
    assert_near("decayed", row, trends[at].decayed, row->fields[2].text);
    assert_near("expected", row, trends[at].expected, row->fields[3].text);
    assert_near("z", row, trends[at].z, row->fields[4].text);
  }
  ck_assert_int_eq(at, as_products_count(r->products));
  as_free(ctx, trends);
  as_csv_close(csv);
  as_recommender_free(r);
}
END_TEST

/* The scores that the shop's upsell goes by, for a customer. */
static void personal_scores(const as_recommender *r, const char *customer, float *scores) {
  as_csv_reader *csv = open_table("personal_scores.csv");
  const as_csv_field *header = as_csv_header(csv);
  bool found = false;
  for (const as_csv_row *row; !found && (row = next_row(csv)) != NULL;) {
    found = strcmp(row->fields[0].text, customer) == 0;
    for (size_t c = 1; found && c < row->count; c++)
      scores[product_of(r, header[c].text)] = (float)atof(row->fields[c].text);
  }
  ck_assert(found);
  as_csv_close(csv);
}

START_TEST(upsell_is_the_shops) {
  as_recommender *r = shop(AS_LIGHTFM_WARP);
  as_csv_reader *csv = open_table("upsell.csv");
  float scores[100] = {0};
  char customer[40] = "", anchor[40] = "";
  int32_t *order = NULL;
  int64_t count = 0, at = 0, rows = 0;
  for (const as_csv_row *row; (row = next_row(csv)) != NULL; at++, rows++) {
    if (strcmp(customer, row->fields[0].text) != 0 || strcmp(anchor, row->fields[1].text) != 0) {
      ck_assert_int_eq(at, count);
      if (strcmp(customer, row->fields[0].text) != 0) personal_scores(r, row->fields[0].text, scores);
      snprintf(customer, sizeof customer, "%s", row->fields[0].text);
      snprintf(anchor, sizeof anchor, "%s", row->fields[1].text);
      as_free(ctx, order);
      ck_assert_ok(ctx, as_upsell(r, product_of(r, anchor), scores, &order, &count));
      at = 0;
    }
    ck_assert_int_lt(at, count);
    ck_assert_str_eq(as_products_id(r->products, order[at], NULL), row->fields[3].text);
    ck_assert_int_eq(at + 1, atoll(row->fields[2].text));
    ck_assert_int_eq(r->products->prices[order[at]] - r->products->prices[product_of(r, anchor)],
                     atoll(row->fields[5].text));
  }
  ck_assert_int_eq(at, count);
  ck_assert_int_gt(rows, 100);
  as_free(ctx, order);
  as_csv_close(csv);
  as_recommender_free(r);
}
END_TEST

static bool bought(const as_recommender *r, int64_t customer, int32_t product) {
  const as_interactions *t = r->interactions;
  for (int64_t i = t->starts[customer]; i < t->starts[customer + 1]; i++)
    if (t->rows[i].product == product && (int)t->rows[i].type == r->purchase) return true;
  return false;
}

START_TEST(personal_answers_leave_out_what_was_bought) {
  as_recommender *r = shop(AS_LIGHTFM_WARP);
  as_recommendation out[100];
  float scores[100];
  int64_t count, with_seen;
  const int64_t customer = as_interactions_find(r->interactions, "C001", 4);
  as_recommend_request q = {.customer = "C001", .n = 40, .product = -1};
  ck_assert_ok(ctx, as_recommend(r, &q, out, &count));
  as_recommender_scores(r, customer, scores);
  ck_assert_int_gt(count, 0);
  for (int64_t i = 0; i < count; i++) {
    ck_assert(!bought(r, customer, out[i].product));
    ck_assert(out[i].score >= 0 && out[i].score <= 1);
    ck_assert_float_eq((float)out[i].raw, scores[out[i].product]);
    if (i > 0) ck_assert(out[i].raw <= out[i - 1].raw && out[i].score <= out[i - 1].score);
  }
  q.keep_seen = true;
  ck_assert_ok(ctx, as_recommend(r, &q, out, &with_seen));
  ck_assert_int_eq(with_seen, 40);
  ck_assert_int_lt(count, with_seen);
  as_recommender_free(r);
}
END_TEST

START_TEST(unknown_customers_get_what_is_trending_and_are_told) {
  as_recommender *r = shop(AS_LIGHTFM_WARP);
  as_recommendation out[100];
  as_trend *trends;
  int64_t count;
  const as_recommend_request q = {.customer = "nobody", .n = 3, .product = -1};
  ck_assert_ok(ctx, as_trending(r, &trends));
  ck_assert_ok(ctx, as_recommend(r, &q, out, &count));
  ck_assert_int_eq(count, 3);
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(out[i].product, trends[i].product);
    ck_assert_ptr_nonnull(strstr(out[i].reason, "not known"));
  }
  as_free(ctx, trends);
  as_recommender_free(r);
}
END_TEST

START_TEST(purchases_fit_the_category_or_the_message) {
  as_recommender *r = shop(AS_LIGHTFM_WARP);
  as_recommendation out[100];
  int64_t count;
  as_recommend_request q = {
      .kind = AS_RECOMMEND_PURCHASE, .customer = "C002", .n = 40, .product = -1, .keep_seen = true};
  q.category = "kitchen";
  ck_assert_ok(ctx, as_recommend(r, &q, out, &count));
  ck_assert_int_gt(count, 0);
  for (int64_t i = 0; i < count; i++) ck_assert_str_eq(as_products_category(r->products, out[i].product), "Kitchen");
  q.category = NULL;
  q.message = "which lamps do you have?";
  ck_assert_ok(ctx, as_recommend(r, &q, out, &count));
  ck_assert_int_gt(count, 0);
  for (int64_t i = 0; i < count; i++) ck_assert_str_eq(as_products_category(r->products, out[i].product), "Lighting");
  ck_assert_ptr_nonnull(strstr(out[0].reason, "named"));
  bool named = true; /* those that are named come first, each part by score */
  for (int64_t i = 1; i < count; i++) {
    const bool now = strstr(out[i].reason, "named") != NULL;
    ck_assert(named || !now);
    if (named == now) ck_assert(out[i].raw <= out[i - 1].raw);
    named = now;
  }
  q.message = "with the and for xyzzy";
  ck_assert_ok(ctx, as_recommend(r, &q, out, &count));
  ck_assert_int_eq(count, as_products_count(r->products));
  q.category = "Submarines";
  ck_assert_refused(ctx, as_recommend(r, &q, out, &count), AS_E_INVALID, "Submarines");
  as_recommender_free(r);
}
END_TEST

START_TEST(a_session_is_folded_in_for_every_loss) {
  const as_lightfm_loss losses[] = {AS_LIGHTFM_WARP, AS_LIGHTFM_ALS};
  for (int l = 0; l < 2; l++) {
    as_recommender *r;
    as_recommendation out[100];
    int64_t count;
    ck_assert_ok(ctx, train_shop(ctx, losses[l], &r));
    const int32_t session[] = {product_of(r, "P005"), product_of(r, "P001")};
    const as_recommend_request q = {.session = session, .session_count = 2, .n = 40, .product = -1};
    ck_assert_ok(ctx, as_recommend(r, &q, out, &count));
    ck_assert_int_ge(count, 30);
    for (int64_t i = 0; i < count; i++) {
      ck_assert_int_ne(out[i].product, session[0]);
      ck_assert_int_ne(out[i].product, session[1]);
    }
    as_recommender_free(r);
  }
}
END_TEST

START_TEST(similar_products_are_sorted_and_not_the_product_itself) {
  as_recommender *r = shop(AS_LIGHTFM_WARP);
  as_recommendation out[100];
  int64_t count;
  ck_assert_ok(ctx, as_similar_products(r, 3, 1000, out, &count));
  ck_assert_int_eq(count, as_products_count(r->products) - 1);
  for (int64_t i = 0; i < count; i++) {
    ck_assert_int_ne(out[i].product, 3);
    if (i > 0) ck_assert(out[i].raw <= out[i - 1].raw);
  }
  ck_assert_refused(ctx, as_similar_products(r, 1000, 1, out, &count), AS_E_INVALID, "catalogue");
  as_recommender_free(r);
}
END_TEST

START_TEST(requests_without_sense_are_refused) {
  as_recommender *r = shop(AS_LIGHTFM_WARP);
  as_recommendation out[4];
  int64_t count;
  const int32_t wrong[] = {1000};
  const as_recommend_request none = {.customer = "C001", .n = 0, .product = -1};
  const as_recommend_request anchor = {.kind = AS_RECOMMEND_UPSELL, .customer = "C001", .n = 1, .product = -1};
  const as_recommend_request session = {.session = wrong, .session_count = 1, .n = 1, .product = -1};
  ck_assert_refused(ctx, as_recommend(r, &none, out, &count), AS_E_INVALID, "at least one");
  ck_assert_refused(ctx, as_recommend(r, &anchor, out, &count), AS_E_INVALID, "upsell needs a product");
  ck_assert_refused(ctx, as_recommend(r, &session, out, &count), AS_E_INVALID, "session");
  as_recommender_free(r);
}
END_TEST

/* ---- training and the folder --------------------------------------------------------------------------------------
 */

static void read_whole(const char *path, char **bytes, size_t *length) {
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_DATA, bytes, length));
}

static void assert_same_file(const char *a, const char *b, const char *name) {
  char pa[4200], pb[4200], *x, *y;
  size_t nx, ny;
  snprintf(pa, sizeof pa, "%s/%s", a, name);
  snprintf(pb, sizeof pb, "%s/%s", b, name);
  read_whole(pa, &x, &nx);
  read_whole(pb, &y, &ny);
  if (nx != ny || memcmp(x, y, nx) != 0) ck_abort_msg("%s differs", name);
  as_free(ctx, x);
  as_free(ctx, y);
}

static void assert_same_folder(const char *a, const char *b) {
  static const char *const files[] = {"config.json", "model.safetensors", "products.csv", "customers.csv",
                                      "features.csv", "metrics.json"};
  for (size_t f = 0; f < sizeof files / sizeof *files; f++) assert_same_file(a, b, files[f]);
}

START_TEST(the_folder_is_the_same_for_any_threads_and_when_read_and_written) {
  static const as_lightfm_loss losses[] = {AS_LIGHTFM_WARP, AS_LIGHTFM_WARP_KOS, AS_LIGHTFM_BPR, AS_LIGHTFM_LOGISTIC,
                                           AS_LIGHTFM_ALS};
  static const int threads[] = {1, 3, 8};
  as_recommender *r = shop(losses[_i]), *again;
  ck_assert_ok(ctx, as_recommender_save(r, below("a")));
  ck_assert_ok(ctx, as_recommender_open(ctx, below("a"), &again));
  ck_assert_ok(ctx, as_recommender_save(again, below("b")));
  ck_assert_ok(ctx, as_recommender_save(again, below("b"))); /* replaces what is there */
  assert_same_folder(below("a"), below("b"));
  as_recommender_free(r);
  as_recommender_free(again);
  for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
    as_context *other = as_test_context(threads[i]);
    ck_assert_ok(other, train_shop(other, losses[_i], &r));
    ck_assert_ok(other, as_recommender_save(r, below("c")));
    as_recommender_free(r);
    as_test_context_free(other);
    assert_same_folder(below("a"), below("c"));
  }
}
END_TEST

/* Replaces `from` by `to` in a file of the folder. */
static void damage(const char *model, const char *name, const char *from, const char *to) {
  char path[4200], *bytes;
  size_t length;
  as_buffer out;
  snprintf(path, sizeof path, "%s/%s", model, name);
  read_whole(path, &bytes, &length);
  as_buffer_init(&out, ctx);
  char *at = memmem(bytes, length, from, strlen(from));
  if (!at) ck_abort_msg("%s has no %s", name, from);
  as_buffer_append(&out, bytes, (size_t)(at - bytes));
  as_buffer_text(&out, to);
  as_buffer_append(&out, at + strlen(from), length - (size_t)(at - bytes) - strlen(from));
  ck_assert_ok(ctx, as_file_write(ctx, path, out.data, out.length));
  as_buffer_free(&out);
  as_free(ctx, bytes);
}

START_TEST(damaged_folders_are_refused) {
  static const struct {
    const char *file, *from, *to, *says;
  } cases[] = {
      {"config.json", "\"lightfm\"", "\"bert\"", "model_type"},
      {"config.json", "\"dim\": 6", "\"dim\": 7", "embeddings"},
      {"config.json", "\"dim\": 6", "\"dim\": 0", "dim"},
      {"config.json", "\"warp\"", "\"hinge\"", "loss"},
      {"config.json", "\"view\": 1", "\"view\": -1", "interaction_weights"},
      {"config.json", "\"calibration_slope\"", "\"slope\"", "calibration_slope"},
      {"products.csv", "P002", "P001", "line 3"},
      {"products.csv", "P040", "P040,x\nP041", "products.csv"},
      {"customers.csv", "C001", "C002", "customers.csv"},
      {"customers.csv", "C001\n", "", "interactions.starts"},
      {"features.csv", "category:Lighting\n", "", "model.safetensors"},
      {"metrics.json", "{", "[", "metrics.json"},
      {"metrics.json", "\"k\": 10", "\"k\": 10, \"k\": 11", "metrics.json"},
      {"model.safetensors", "item_biases", "item_blases", "item_biases"},
      {"model.safetensors", "interactions.times", "interactions.tlmes", "interactions.times"},
  };
  as_recommender *r = shop(AS_LIGHTFM_WARP), *again;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ck_assert_ok(ctx, as_recommender_save(r, below("m")));
    damage(below("m"), cases[i].file, cases[i].from, cases[i].to);
    as_status status = as_recommender_open(ctx, below("m"), &again);
    if (status != AS_E_MODEL || !strstr(as_error_text(ctx), cases[i].says))
      ck_abort_msg("case %zu: status %d: %s", i, (int)status, as_error_text(ctx));
  }
  ck_assert_refused(ctx, as_recommender_open(ctx, below("absent"), &again), AS_E_MODEL, "no such folder");
  as_recommender_free(r);
}
END_TEST

/* Asks everything; what comes out does not matter. */
static void ask_everything(const as_recommender *r) {
  as_recommendation out[8];
  int64_t count;
  const int32_t session[] = {0, 3};
  for (int kind = 0; kind < AS_RECOMMEND_KINDS; kind++) {
    as_recommend_request q = {.kind = (as_recommend_kind)kind, .customer = "C001", .n = 8, .product = 2};
    as_status status = as_recommend(r, &q, out, &count);
    q.customer = NULL;
    q.session = session;
    q.session_count = 2;
    if (status == AS_OK) status = as_recommend(r, &q, out, &count);
    if (status == AS_OK) status = as_similar_products(r, 1, 8, out, &count);
    (void)status;
  }
}

/* Bytes changed, taken away and put in anywhere: the folder is refused, or is one that answers. */
START_TEST(any_damage_is_survived) {
  static const char *const files[] = {"config.json", "model.safetensors", "products.csv", "customers.csv",
                                      "features.csv"};
  as_random random = as_random_start(11, (uint64_t)_i);
  as_recommender *r = shop(AS_LIGHTFM_WARP);
  int refused = 0;
  for (int turn = 0; turn < 60; turn++) {
    char path[4300], *bytes;
    size_t length;
    snprintf(path, sizeof path, "%s/%s", below("m"), files[as_random_below(&random, 5)]);
    ck_assert_ok(ctx, as_recommender_save(r, below("m")));
    ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_MODEL, &bytes, &length));
    const size_t head = length < 2000 ? length : 2000; /* the structure stands in front */
    for (uint64_t changes = 1 + as_random_below(&random, 3); changes > 0; changes--)
      bytes[as_random_below(&random, as_random_below(&random, 2) ? head : length)] = (char)as_random_u32(&random);
    if (as_random_below(&random, 4) == 0) length = (size_t)as_random_below(&random, length);
    ck_assert_ok(ctx, as_file_write(ctx, path, bytes, length));
    as_free(ctx, bytes);
    as_recommender *again;
    const as_status status = as_recommender_open(ctx, below("m"), &again);
    if (status == AS_OK) ask_everything(again);
    if (status != AS_OK && status != AS_E_MODEL)
      ck_abort_msg("turn %d: status %d: %s", turn, (int)status, as_error_text(ctx));
    refused += status == AS_E_MODEL;
    as_recommender_free(again);
  }
  ck_assert_int_gt(refused, 10);
  as_recommender_free(r);
}
END_TEST

START_TEST(an_update_adds_customers_and_products) {
  as_recommender *r = shop(AS_LIGHTFM_WARP);
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  const int64_t products = as_products_count(r->products), customers = as_interactions_customers(r->interactions);
  const char *rows = "customer_id,product_id,interaction_type,timestamp\nnew one,P999,purchase,2025-05-01\nnew "
                     "one,P001,purchase,2025-05-02\nC001,P999,purchase,2025-05-03\n";
  as_interactions *fresh, *all;
  ck_assert(as_products_add(r->products, (as_csv_field){"P999", 4}, (as_csv_field){"Brass Lamp", 10},
                            (as_csv_field){"Lighting", 8}, 5000, NULL));
  ck_assert_ok(ctx, as_file_write(ctx, below("new.csv"), rows, strlen(rows)));
  ck_assert_ok(ctx, as_interactions_read(ctx, below("new.csv"), r->products, &options, &fresh));
  ck_assert_ok(ctx, as_interactions_join(ctx, r->interactions, fresh, &all));
  as_interactions_free(fresh);
  char *before = r->metrics;
  r->metrics = NULL;
  ck_assert_ok(ctx, as_recommender_update(r, all, 5, AS_HOLDOUT_TIME, NULL));
  ck_assert_str_ne(r->metrics, before); /* measured anew */
  as_free(ctx, before);
  ck_assert_int_eq(as_products_count(r->products), products + 1);
  ck_assert_int_eq(as_interactions_customers(r->interactions), customers + 1);
  ck_assert_int_eq(r->model->users.features, customers + 1);
  ck_assert_int_eq(r->buyers[products], 2);
  as_recommendation out[100];
  int64_t count;
  const as_recommend_request q = {.customer = "new one", .n = 5, .product = -1};
  ck_assert_ok(ctx, as_recommend(r, &q, out, &count));
  ck_assert_int_eq(count, 5);
  ck_assert_ptr_null(strstr(out[0].reason, "not known"));
  ck_assert_ok(ctx, as_recommender_save(r, below("m")));
  as_recommender *again;
  ck_assert_ok(ctx, as_recommender_open(ctx, below("m"), &again));
  as_recommender_free(again);
  as_recommender_free(r);
}
END_TEST

/* Stops at the n-th progress. */
static bool stop_at(void *user, bool calibrating, const as_fit_progress *progress) {
  (void)calibrating;
  (void)progress;
  return --*(int *)user > 0;
}

static as_status start_shop(as_recommend_settings settings, int stop, as_recommender **out) {
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  const as_recommend_listener listener = {stop_at, &stop};
  as_products *products;
  as_interactions *interactions;
  ck_assert_ok(ctx, as_products_read(ctx, as_source_path(SHOP "products.csv"), NULL, &products));
  ck_assert_ok(ctx,
               as_interactions_read(ctx, as_source_path(SHOP "interactions.csv"), products, &options, &interactions));
  return as_recommender_train(ctx, products, interactions, &types, &settings, AS_HOLDOUT_TIME, stop ? &listener : NULL,
                              out);
}

/* For each way to train: stopped at many places, saved, opened, gone on with, stopped again, ... */
START_TEST(interrupted_training_ends_with_the_same_bytes) {
  as_recommend_settings settings = quick(_i == 1 ? AS_LIGHTFM_ALS : _i == 3 ? AS_LIGHTFM_LOGISTIC : AS_LIGHTFM_WARP);
  settings.compat = _i == 2;
  settings.schedule = _i == 3 ? AS_LIGHTFM_ADADELTA : AS_LIGHTFM_ADAGRAD;
  as_recommender *r, *again;
  ck_assert_ok(ctx, start_shop(settings, 0, &r));
  ck_assert_ok(ctx, as_recommender_save(r, below("whole")));
  as_recommender_free(r);
  int stops = 0;
  for (int first = 1;; first += first < 6 ? 1 : 7) {
    as_status status = start_shop(settings, first, &r);
    if (status == AS_OK) break;
    for (int more = 3; status == AS_E_INTERRUPTED; more += 5) {
      int left = more;
      const as_recommend_listener listener = {stop_at, &left};
      ck_assert_ok(ctx, as_recommender_save(r, below("part")));
      as_recommender_free(r);
      ck_assert_refused(ctx, as_recommender_open(ctx, below("part"), &again), AS_E_MODEL, "--resume");
      ck_assert_ok(ctx, as_recommender_open_unfinished(ctx, below("part"), &r));
      status = as_recommender_resume(r, &listener);
      stops++;
    }
    ck_assert_ok(ctx, status);
    ck_assert_ok(ctx, as_recommender_save(r, below("part")));
    as_recommender_free(r);
    assert_same_folder(below("whole"), below("part"));
  }
  as_recommender_free(r);
  ck_assert_int_gt(stops, 5);
  ck_assert_refused(ctx, as_recommender_open_unfinished(ctx, below("whole"), &again), AS_E_MODEL,
                    "nothing to go on with");
}
END_TEST

START_TEST(a_position_that_can_not_be_is_refused) {
  as_recommender *r;
  ck_assert_int_eq(start_shop(quick(AS_LIGHTFM_WARP), 20, &r), AS_E_INTERRUPTED);
  r->run.phase = AS_RECOMMEND_LEARNING;
  for (int i = 0; i < 3; i++) {
    r->run.row = i == 0 ? -128 : i == 1 ? 1 : INT64_C(1) << 40;
    ck_assert_refused(ctx, as_recommender_resume(r, NULL), AS_E_INVALID, "can't go on from row");
  }
  as_recommender_free(r);
}
END_TEST

START_TEST(every_failing_allocation_is_reported_and_nothing_leaks) {
  char path[4200];
  snprintf(path, sizeof path, "%s/m", folder);
  for (uint64_t n = 1;; n += n < 400 ? 1 : 37) {
    as_context *c = as_test_context(1);
    as_recommender *r = NULL, *again = NULL;
    as_recommendation out[5];
    int64_t count;
    const as_recommend_request q = {.customer = "C001", .n = 5, .product = -1};
    as_test_fail_at(c, n);
    as_status status = train_shop(c, AS_LIGHTFM_WARP, &r);
    if (status == AS_OK) status = as_recommender_save(r, path);
    if (status == AS_OK) status = as_recommender_open(c, path, &again);
    if (status == AS_OK) status = as_recommend(again, &q, out, &count);
    const bool failed = as_test_failed_one(c);
    if (status != (failed ? AS_E_NOMEM : AS_OK))
      ck_abort_msg("allocation %llu: status %d: %s", (unsigned long long)n, (int)status, as_error_text(c));
    as_recommender_free(r);
    as_recommender_free(again);
    as_test_context_free(c);
    if (!failed) break;
  }
}
END_TEST

/* ---- small and odd shops ------------------------------------------------------------------------------------------
 */

START_TEST(odd_shops_have_answers) {
  static const struct {
    const char *rows;
    int64_t count;                        /* recommendations for customer 1 */
  } cases[] = {{"1,7,purchase,100\n", 0}, /* one customer, and nobody met the rest */
               {"1,7,purchase,100\n1,8,purchase,100\n1,9,purchase,100\n", 0}, /* has everything */
               {"1,7,view,100\n2,8,view,100\n", 2},                           /* no purchase at all: views don't own */
               {"1,7,purchase,5\n2,7,purchase,5\n2,8,purchase,5\n", 1}};
  const char *products = "product_id,name,category,price\n7,a,,\n8,b,,\n9,c,,\n";
  ck_assert_ok(ctx, as_file_write(ctx, below("p.csv"), products, strlen(products)));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char rows[400];
    snprintf(rows, sizeof rows, "customer_id,product_id,interaction_type,timestamp\n%s", cases[i].rows);
    ck_assert_ok(ctx, as_file_write(ctx, below("i.csv"), rows, strlen(rows)));
    const char *const train[] = {"train", "recommend", "--interactions", below("i.csv"), "--products", below("p.csv"),
                                 "--out", below("m"),  "--overwrite",    "--features",   "none",       "--quiet",
                                 NULL};
    as_program program = as_run_program(ctx, train);
    if (program.code != 0) ck_abort_msg("case %zu: %s", i, program.err);
    as_program_free(&program);
    const char *const ask[] = {"recommend", "1", "-n", "100", "--model", below("m"), NULL};
    program = as_run_program(ctx, ask);
    json_t *answer = as_program_json(ctx, &program);
    const json_t *list = json_object_get(answer, "recommendations");
    if ((int64_t)json_array_size(list) != cases[i].count) ck_abort_msg("case %zu: %s", i, program.out);
    if (cases[i].count) ck_assert(json_is_integer(json_object_get(json_array_get(list, 0), "product_id")));
    json_decref(answer);
    as_program_free(&program);
  }
}
END_TEST

/* Data that can't be used: exit code 3, and the text names the file and the line. */
START_TEST(bad_data_are_named_with_file_and_line) {
  static const char *const good_products = "product_id,name,category,price\n7,a,x,1\n8,b,x,2\n";
  static const char *const good_rows = "customer_id,product_id,interaction_type,timestamp\n1,7,view,5\n";
  static const struct {
    const char *products, *rows, *file, *says;
  } cases[] = {
      {NULL, "customer_id,product_id,interaction_type,timestamp\n1,7,view,5\n1,9,view,5\n", "i.csv: line 3", "9"},
      {NULL, "customer_id,product_id,interaction_type,timestamp\n1,7,stare,5\n", "i.csv: line 2", "stare"},
      {NULL, "customer_id,product_id,interaction_type,timestamp\n1,7,view,yesterday\n", "i.csv: line 2", "yesterday"},
      {NULL, "customer_id,product_id,interaction_type,timestamp\n1,7,view,2025-02-30\n", "i.csv: line 2", "2025-02-30"},
      {NULL, "customer_id,product_id,interaction_type,timestamp\n,7,view,5\n", "i.csv: line 2", "customer_id"},
      {NULL, "customer_id,product_id,interaction_type,timestamp\n", "i.csv", ""},
      {NULL, "", "i.csv", ""},
      {NULL, "customer_id,product_id,interaction_type\n1,7,view\n", "i.csv", "timestamp"},
      {"product_id,name,category,price\n7,a,x,1\n7,b,x,2\n", NULL, "p.csv: line 3", "7"},
      {"product_id,name,category,price\n7,a,x,cheap\n", NULL, "p.csv: line 2", "price"},
      {"product_id,name,category,price\n7,a,x,-1\n", NULL, "p.csv: line 2", "price"},
      {"product_id,name,category,price\n,a,x,1\n", NULL, "p.csv: line 2", "product_id"},
      {"product_id,name,category,price\n", NULL, "p.csv", ""},
      {"name,category,price\na,x,1\n", NULL, "p.csv", "product_id"},
      {"", NULL, "p.csv", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *products = cases[i].products ? cases[i].products : good_products;
    const char *rows = cases[i].rows ? cases[i].rows : good_rows;
    ck_assert_ok(ctx, as_file_write(ctx, below("p.csv"), products, strlen(products)));
    ck_assert_ok(ctx, as_file_write(ctx, below("i.csv"), rows, strlen(rows)));
    const char *const words[] = {"train",        "recommend",  "--interactions",
                                 below("i.csv"), "--products", below("p.csv"),
                                 "--out",        below("m"),   NULL};
    as_program program = as_run_program(ctx, words);
    if (program.code != 3 || !strstr(program.err, cases[i].file) || !strstr(program.err, cases[i].says))
      ck_abort_msg("case %zu: exit %d: %s", i, program.code, program.err);
    as_program_free(&program);
    ck_assert(!as_path_exists(below("m")));
  }
}
END_TEST

START_TEST(rows_that_can_not_be_used_are_skipped_when_asked) {
  const char *products = "product_id,name,category,price\n7,a,x,1\n7,b,x,2\n8,c,x,nothing\n9,d,x,3\n";
  const char *rows =
      "customer_id,product_id,interaction_type,timestamp\n1,7,view,5\n1,6,view,5\n2,9,view,soon\n2,9,view,6\n";
  ck_assert_ok(ctx, as_file_write(ctx, below("p.csv"), products, strlen(products)));
  ck_assert_ok(ctx, as_file_write(ctx, below("i.csv"), rows, strlen(rows)));
  const char *const words[] = {"train", "recommend", "--interactions", below("i.csv"), "--products", below("p.csv"),
                               "--out", below("m"),  "--on-error",     "skip",         NULL};
  as_program program = as_run_program(ctx, words);
  if (program.code != 0 || !strstr(program.err, "2 interactions of 2 customers with 2 products"))
    ck_abort_msg("exit %d: %s", program.code, program.err);
  as_program_free(&program);
}
END_TEST

START_TEST(the_commands_answer_and_refuse) {
  static const struct {
    int code;
    const char *says;
    const char *words[12];
  } cases[] = {
      {2, "--products", {"train", "recommend", "--interactions", "x.csv"}},
      {2, "--interactions", {"train", "recommend", "--products", "x.csv"}},
      {2, "purchase=5", {"train", "recommend", "--weight", "view"}},
      {3,
       "no-such.csv",
       {"train", "recommend", "--interactions", "i", "--products", "no-such.csv", "--out", "/tmp/none"}},
      {4, "no such folder", {"train", "recommend", "--resume", "/no/such/model"}},
      {2, "--resume", {"train", "recommend", "--resume", "/no/such/model", "--dim", "8"}},
      {2, "needs --product", {"recommend", "1", "--type", "upsell"}},
      {2, "no use for --product", {"recommend", "1", "--product", "7"}},
      {2, "CUSTOMER or --session", {"recommend"}},
      {2, "not both", {"recommend", "1", "--session", "7"}},
      {4, "no such folder", {"recommend", "1", "--model", "/no/such/model"}},
      {2, "from 1 to", {"recommend", "1", "-n", "0"}},
      {4, "no such folder", {"similar", "1", "--model", "/no/such/model"}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    as_program program = as_run_program(ctx, cases[i].words);
    if (program.code != cases[i].code || !strstr(program.err, cases[i].says))
      ck_abort_msg("case %zu: exit %d: %s", i, program.code, program.err);
    as_program_free(&program);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("recommender");
  TCase *tcase = tcase_create("recommender");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_test(tcase, cross_sell_is_the_shops);
  tcase_add_test(tcase, trending_is_the_shops);
  tcase_add_test(tcase, upsell_is_the_shops);
  tcase_add_test(tcase, personal_answers_leave_out_what_was_bought);
  tcase_add_test(tcase, unknown_customers_get_what_is_trending_and_are_told);
  tcase_add_test(tcase, purchases_fit_the_category_or_the_message);
  tcase_add_test(tcase, a_session_is_folded_in_for_every_loss);
  tcase_add_test(tcase, similar_products_are_sorted_and_not_the_product_itself);
  tcase_add_test(tcase, requests_without_sense_are_refused);
  tcase_add_loop_test(tcase, the_folder_is_the_same_for_any_threads_and_when_read_and_written, 0, 5);
  tcase_add_test(tcase, damaged_folders_are_refused);
  tcase_add_loop_test(tcase, any_damage_is_survived, 0, 4);
  tcase_add_test(tcase, an_update_adds_customers_and_products);
  tcase_add_loop_test(tcase, interrupted_training_ends_with_the_same_bytes, 0, 4);
  tcase_add_test(tcase, a_position_that_can_not_be_is_refused);
  tcase_add_test(tcase, every_failing_allocation_is_reported_and_nothing_leaks);
  tcase_add_test(tcase, odd_shops_have_answers);
  tcase_add_test(tcase, bad_data_are_named_with_file_and_line);
  tcase_add_test(tcase, rows_that_can_not_be_used_are_skipped_when_asked);
  tcase_add_test(tcase, the_commands_answer_and_refuse);
  suite_add_tcase(suite, tcase);
  return suite;
}
