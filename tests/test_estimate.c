/* What a training will take, before it begins: what is counted is what the training itself then says, many rows are
 * looked at in part, nothing is written, and no failure or interruption leaves anything behind. */
#include <dirent.h>
#include <string.h>

#include "recommend/estimate.h"
#include "tests/small_training.h"
#include "train/response.h"
#include "train/run.h"

#define ROWS 48
#define SHOP "tests/golden/recommend/shop/"

static as_context *ctx;
static const char *folder;

static void setup(void) {
  as_small_task = &as_intent_task;
  ctx = as_test_context(1);
  folder = as_test_folder();
}
static void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static int files_in_folder(void) {
  int count = 0;
  DIR *dir = opendir(folder);
  ck_assert_ptr_nonnull(dir);
  while (readdir(dir)) count++;
  closedir(dir);
  return count - 2;
}

static void keep_summary(void *user, const as_training_summary *summary) {
  *(as_training_summary *)user = *summary;
}

static bool always(void *user) {
  ++*(int *)user;
  return true;
}

static void assert_agrees(const as_training_estimate *e, const as_training_summary *s, int64_t epochs) {
  ck_assert_int_eq(e->train_rows, s->train_rows);
  ck_assert_int_eq(e->valid_rows, s->valid_rows);
  ck_assert_int_eq(e->steps, s->steps);
  ck_assert_int_eq(e->epochs, epochs);
  ck_assert_int_eq(e->parameters, s->parameters);
  ck_assert_uint_eq(e->bytes, s->parameter_bytes + s->graph_bytes);
  ck_assert(e->preparing > 0 && e->stepping > 0 && e->validating > 0 && e->concluding > 0);
  ck_assert_double_eq_tol(e->seconds, e->preparing + e->stepping + e->validating + e->concluding, 1e-9);
}

START_TEST(a_classifier_takes_what_its_training_says) {
  as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", ROWS, 0));
  as_training_estimate e, twice;
  as_training_summary s;
  as_training_result result;
  const as_training_listener listener = {.summary = keep_summary, .user = &s};
  recipe.accumulate = 2;
  ck_assert_ok(ctx, as_train_task_estimate(ctx, as_small_task, &recipe, NULL, &e));
  ck_assert_int_eq(files_in_folder(), 1);
  ck_assert_ok(ctx,
               as_train_task(ctx, as_small_task, &recipe, as_small_path(folder, "out"), false, &listener, &result));
  assert_agrees(&e, &s, 2);
  recipe.epochs = 200;
  ck_assert_ok(ctx, as_train_task_estimate(ctx, as_small_task, &recipe, NULL, &twice));
  ck_assert_int_eq(twice.steps, 100 * e.steps);
  ck_assert(twice.stepping > 10 * e.stepping);
}
END_TEST

START_TEST(without_validation_none_is_counted) {
  as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", ROWS, 0));
  as_training_estimate e;
  recipe.valid_none = true;
  ck_assert_ok(ctx, as_train_task_estimate(ctx, as_small_task, &recipe, NULL, &e));
  ck_assert_int_eq(e.train_rows, ROWS);
  ck_assert_int_eq(e.valid_rows, 0);
  ck_assert_double_eq(e.validating, 0);
}
END_TEST

START_TEST(many_rows_are_looked_at_in_part) {
  enum { MANY = 2 * AS_ESTIMATE_ROWS + 10 };
  as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", MANY, 0));
  as_training_estimate e;
  recipe.epochs = 1;
  ck_assert_ok(ctx, as_train_task_estimate(ctx, as_small_task, &recipe, NULL, &e));
  ck_assert(e.train_rows + e.valid_rows >= MANY && e.train_rows + e.valid_rows < MANY + 3);
  ck_assert(e.steps >= e.train_rows / recipe.batch_rows && e.steps <= e.train_rows / recipe.batch_rows + 3);
}
END_TEST

START_TEST(replies_take_what_their_training_says) {
  static char size[] = "tiny", path[4200];
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_buffer_text(&out, "content,response,intent\n");
  for (int i = 0; i < ROWS; i++)
    as_buffer_printf(&out, "where is parcel %d,\"It comes on day %d, be patient.\",track\n", i, i % 7);
  snprintf(path, sizeof path, "%s", as_small_path(folder, "pairs.csv"));
  ck_assert_ok(ctx, as_file_write(ctx, path, out.data, out.length));
  as_buffer_free(&out);
  as_recipe recipe = as_response_preset(size);
  recipe.size = size;
  recipe.data = path;
  recipe.epochs = 2;
  recipe.batch_rows = 8;
  recipe.max_length = 40;
  recipe.max_target_length = 16;
  recipe.vocab_size = 100;
  as_training_estimate e, with_bleu;
  as_training_summary s;
  as_training_result result;
  const as_training_listener listener = {.summary = keep_summary, .user = &s};
  ck_assert_ok(ctx, as_response_estimate(ctx, &recipe, NULL, &e));
  ck_assert_int_eq(files_in_folder(), 1);
  ck_assert_ok(ctx, as_response_train(ctx, &recipe, as_small_path(folder, "out"), false, &listener, &result));
  assert_agrees(&e, &s, 2);
  recipe.metric = AS_METRIC_BLEU; /* replies after every epoch, too */
  recipe.epochs = 100;
  ck_assert_ok(ctx, as_response_estimate(ctx, &recipe, NULL, &with_bleu));
  ck_assert(with_bleu.validating > 2 * with_bleu.concluding);
}
END_TEST

START_TEST(what_cannot_be_trained_cannot_be_estimated) {
  as_recipe recipe = as_small_recipe(as_small_csv_of(ctx, folder, "data.csv", "hello,buy\nyou,buy\n"));
  as_training_estimate e;
  int asked = 0;
  const as_training_listener impatient = {.interrupted = always, .user = &asked};
  ck_assert_refused(ctx, as_train_task_estimate(ctx, as_small_task, &recipe, NULL, &e), AS_E_DATA,
                    "needs at least two labels");
  recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", ROWS, 0));
  recipe.memory_limit = 1000;
  ck_assert_refused(ctx, as_train_task_estimate(ctx, as_small_task, &recipe, NULL, &e), AS_E_LIMIT,
                    "the memory limit is");
  recipe.memory_limit = 0;
  ck_assert_refused(ctx, as_train_task_estimate(ctx, as_small_task, &recipe, &impatient, &e), AS_E_INTERRUPTED,
                    "nothing has been trained yet");
  ck_assert_int_eq(asked, 1);
  recipe.epochs = 0;
  ck_assert_refused(ctx, as_train_task_estimate(ctx, as_small_task, &recipe, NULL, &e), AS_E_INVALID, "epochs");
}
END_TEST

START_TEST(failing_allocations_leave_nothing) {
  as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", ROWS, 0));
  as_training_estimate e;
  const size_t used = as_memory_used(ctx);
  bool failed = true;
  for (uint64_t n = 1; failed; n += n / 8 + 1) { /* every one of the first, then fewer */
    as_test_fail_at(ctx, n);
    as_status status = as_train_task_estimate(ctx, as_small_task, &recipe, NULL, &e);
    failed = as_test_failed_cleanly(ctx, status, used);
  }
}
END_TEST

/* ---- the recommender -------------------------------------------------------------------------------------------- */

static as_status estimate_shop(int64_t epochs, bool (*interrupted)(void *user), void *user,
                               as_recommend_estimate *out) {
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  as_recommend_settings settings = as_recommend_settings_usual(AS_LIGHTFM_WARP);
  as_products *products = NULL;
  as_interactions *interactions = NULL;
  settings.epochs = epochs;
  as_status status = as_products_read(ctx, as_source_path(SHOP "products.csv"), NULL, &products);
  if (status == AS_OK)
    status = as_interactions_read(ctx, as_source_path(SHOP "interactions.csv"), products, &options, &interactions);
  if (status == AS_OK)
    return as_recommender_estimate(ctx, products, interactions, &types, &settings, AS_HOLDOUT_TIME, interrupted, user,
                                   out);
  as_products_free(products);
  return status;
}

START_TEST(a_recommender_is_estimated_by_a_second_of_it) {
  as_recommend_estimate few, many;
  ck_assert_ok(ctx, estimate_shop(2, NULL, NULL, &few));
  ck_assert(few.rows > 0 && few.customers > 0 && few.products > 0 && few.bytes > 0);
  ck_assert_int_eq(few.epochs, 2);
  ck_assert(few.seconds > 0);
  ck_assert_ok(ctx, estimate_shop(1000000, NULL, NULL, &many));
  ck_assert(many.seconds > 1000 * few.seconds);
}
END_TEST

START_TEST(a_recommender_can_be_interrupted_and_fail) {
  as_recommend_estimate e;
  int asked = 0;
  ck_assert_refused(ctx, estimate_shop(30, always, &asked, &e), AS_E_INTERRUPTED, "nothing has been trained yet");
  ck_assert_int_eq(asked, 1);
  const size_t used = as_memory_used(ctx);
  bool failed = true;
  for (uint64_t n = 1; failed; n += n / 8 + 1) {
    as_test_fail_at(ctx, n);
    failed = as_test_failed_cleanly(ctx, estimate_shop(2, NULL, NULL, &e), used);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("estimate");
  TCase *all = tcase_create("estimates");
  tcase_set_timeout(all, 120);
  tcase_add_checked_fixture(all, setup, teardown);
  tcase_add_test(all, a_classifier_takes_what_its_training_says);
  tcase_add_test(all, without_validation_none_is_counted);
  tcase_add_test(all, many_rows_are_looked_at_in_part);
  tcase_add_test(all, replies_take_what_their_training_says);
  tcase_add_test(all, what_cannot_be_trained_cannot_be_estimated);
  tcase_add_test(all, failing_allocations_leave_nothing);
  tcase_add_test(all, a_recommender_is_estimated_by_a_second_of_it);
  tcase_add_test(all, a_recommender_can_be_interrupted_and_fail);
  suite_add_tcase(suite, all);
  return suite;
}
