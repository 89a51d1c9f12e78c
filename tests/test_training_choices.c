/* What a recipe can ask for: class weights, freezing, starting from a folder with the same or another set of labels,
 * memory limits; and what happens when memory runs out at any point of a run. */
#include "tests/small_training.h"

#include <stdio.h>
#include <string.h>

#include "models/encoder.h"

#define ROWS 24

static as_context *ctx;
static const char *folder;

static void begin(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
}

static void end(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static const char *in_folder(const char *name) {
  return as_small_path(folder, name);
}

/* One epoch on all rows. */
static as_recipe usual(void) {
  as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", ROWS, 0));
  recipe.epochs = 1;
  recipe.valid_none = true;
  return recipe;
}

/* ---- class weights ---------------------------------------------------------------------------------------------- */
START_TEST(class_weights_are_none_balanced_or_given) {
  static char equal[] = "buy=1,return=1,track=1", uneven[] = "buy=5,return=1,track=0.5";
  begin();
  as_recipe recipe = usual();
  as_small_train(ctx, &recipe, in_folder("none"));
  recipe.class_weights = AS_WEIGHTS_GIVEN;
  recipe.given_weights = equal;
  as_small_train(ctx, &recipe, in_folder("equal"));
  as_assert_same_weights(ctx, in_folder("none"), in_folder("equal"));
  recipe.class_weights = AS_WEIGHTS_BALANCED; /* the file has as many rows of each: all weights are 1 */
  recipe.given_weights = NULL;
  as_small_train(ctx, &recipe, in_folder("balanced"));
  as_assert_same_weights(ctx, in_folder("none"), in_folder("balanced"));
  recipe.class_weights = AS_WEIGHTS_GIVEN;
  recipe.given_weights = uneven;
  as_small_train(ctx, &recipe, in_folder("uneven"));
  char *a, *b;
  size_t length, length_b;
  ck_assert_ok(ctx, as_file_read(ctx, in_folder("none/model.safetensors"), 0, AS_E_IO, &a, &length));
  ck_assert_ok(ctx, as_file_read(ctx, in_folder("uneven/model.safetensors"), 0, AS_E_IO, &b, &length_b));
  ck_assert_uint_eq(length, length_b);
  ck_assert_int_ne(memcmp(a, b, length), 0);
  as_free(ctx, a);
  as_free(ctx, b);
  end();
}
END_TEST

START_TEST(wrong_class_weights_are_refused) {
  static const struct {
    char text[64];
    const char *fragment;
  } wrong[] = {{"buy=1,return=1", "\"track\""},
               {"buy=1,return=1,track=-1", "track=-1"},
               {"buy=1,return=1,track=x", "track=x"},
               {"buy=1,return=1,sell=1", "sell=1"},
               {"buy", "\"buy\""},
               {"buy=1,,track=1", "\"\""},
               {"buy=inf,return=1,track=1", "buy=inf"},
               {"buy=nan,return=1,track=1", "buy=nan"},
               {"buy=1x,return=1,track=1", "buy=1x"},
               {"=1", "=1"},
               {"buy=1,buy=2,return=1,track=1", "twice"}};
  begin();
  as_recipe recipe = usual();
  as_training_result result;
  recipe.class_weights = AS_WEIGHTS_GIVEN;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    char text[64];
    memcpy(text, wrong[i].text, sizeof text);
    recipe.given_weights = text;
    ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("out"), true, NULL, &result), AS_E_INVALID,
                      wrong[i].fragment);
  }
  end();
}
END_TEST

/* ---- starting from a folder ------------------------------------------------------------------------------------- */
static as_encoder *open_encoder(const char *path) {
  const as_encoder_options options = {.dropout = -1};
  as_encoder *encoder;
  ck_assert_ok(ctx, as_encoder_open(ctx, path, &options, &encoder));
  return encoder;
}

START_TEST(frozen_layers_keep_their_bytes) {
  begin();
  as_recipe recipe = usual();
  as_small_train(ctx, &recipe, in_folder("base"));
  char from[4200];
  snprintf(from, sizeof from, "%s", in_folder("base"));
  recipe.size = NULL;
  recipe.from = from;
  recipe.freeze = 2; /* embeddings and the first of two blocks */
  as_small_train(ctx, &recipe, in_folder("tuned"));
  as_encoder *base = open_encoder(from), *tuned = open_encoder(in_folder("tuned"));
  as_parameters *a = as_encoder_parameters(base), *b = as_encoder_parameters(tuned);
  ck_assert_uint_eq(a->count, b->count);
  int frozen = 0, trained = 0;
  for (size_t i = 0; i < a->count; i++) {
    const as_parameter *p = &a->list[i];
    bool same =
        memcmp(as_parameter_weights(a, (int)i), as_parameter_weights(b, (int)i), p->elements * sizeof(float)) == 0;
    /* A key's bias shifts all scores of a query alike: its gradient is rounding noise, so it says nothing here. */
    if (p->layer < 2) ck_assert_msg(same, "%s is frozen and has changed", p->name);
    bool key_bias = strstr(p->name, "k_lin.bias") || strstr(p->name, "key.bias");
    if (p->layer >= 2 && !key_bias) ck_assert_msg(!same, "%s was not trained", p->name);
    frozen += p->layer < 2;
    trained += p->layer >= 2;
  }
  ck_assert_int_gt(frozen, 4);
  ck_assert_int_gt(trained, 4);
  as_encoder_free(base);
  as_encoder_free(tuned);
  end();
}
END_TEST

typedef struct seen {
  bool replaced, absent, fresh, was_called;
  int64_t recompute, batch_rows, accumulate;
  size_t parameter_bytes, graph_bytes;
} seen;

static void see(void *user, const as_training_summary *s) {
  *(seen *)user =
      (seen){s->head_replaced,      s->head_absent,        s->fresh,           true,          s->recipe->recompute,
             s->recipe->batch_rows, s->recipe->accumulate, s->parameter_bytes, s->graph_bytes};
}

START_TEST(another_set_of_labels_replaces_the_head_and_the_same_keeps_its_order) {
  static const char *const turned[] = {"track", "buy", "return"};
  begin();
  as_recipe recipe = usual();
  as_training_result result;
  seen heard = {0};
  const as_training_listener listener = {.summary = see, .user = &heard};
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("base"), false, &listener, &result));
  ck_assert(heard.fresh && !heard.replaced);
  /* The folder's labels in another order than by byte. */
  as_encoder *encoder = open_encoder(in_folder("base"));
  as_labels *labels = (as_labels *)(uintptr_t)as_encoder_labels(encoder);
  as_labels_free(ctx, labels);
  ck_assert_ok(ctx, as_labels_set(ctx, labels, turned, 3));
  ck_assert_ok(ctx, as_encoder_save(encoder, in_folder("base")));
  as_encoder_free(encoder);

  char from[4200], data[4200];
  snprintf(from, sizeof from, "%s", in_folder("base"));
  recipe.size = NULL;
  recipe.from = from;
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("same"), false, &listener, &result));
  ck_assert(!heard.fresh && !heard.replaced && !heard.absent);
  encoder = open_encoder(in_folder("same"));
  for (int i = 0; i < 3; i++) ck_assert_str_eq(as_encoder_labels(encoder)->names[i], turned[i]);
  as_encoder_free(encoder);

  snprintf(data, sizeof data, "%s",
           as_small_csv_of(ctx, folder, "other.csv",
                           "where is it,track\nsing a song,sing\nwhere,track\nsing it,sing\n"));
  recipe.data = data;
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("other"), false, &listener, &result));
  ck_assert(heard.replaced);
  encoder = open_encoder(in_folder("other"));
  ck_assert_uint_eq(as_encoder_labels(encoder)->count, 2);
  ck_assert_str_eq(as_encoder_labels(encoder)->names[0], "sing");
  as_encoder_free(encoder);
  end();
}
END_TEST

/* ---- memory ----------------------------------------------------------------------------------------------------- */
START_TEST(a_memory_limit_refuses_or_adapts) {
  begin();
  as_recipe recipe = usual();
  as_training_result result;
  seen whole = {0}, lower = {0};
  as_training_listener listener = {.summary = see, .user = &whole};
  recipe.batch_rows = ROWS;
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("whole"), false, &listener, &result));
  listener.user = &lower;
  recipe.memory_limit = (int64_t)(whole.parameter_bytes + whole.graph_bytes);
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("exact"), false, &listener, &result));
  ck_assert_int_eq(lower.recompute, 0);
  lower.was_called = false;
  recipe.memory_limit--;
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("less"), false, &listener, &result), AS_E_LIMIT,
                    "memory limit");
  ck_assert(!lower.was_called);
  recipe.memory_auto = true;
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("less"), true, &listener, &result));
  ck_assert_int_ge(lower.recompute, 1);
  ck_assert_int_eq(lower.batch_rows, ROWS);
  as_assert_same_weights(ctx, in_folder("whole"), in_folder("less"));
  recipe.memory_limit = (int64_t)(whole.parameter_bytes + whole.graph_bytes / 6);
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("little"), false, &listener, &result));
  ck_assert_int_lt(lower.batch_rows, ROWS);
  ck_assert_int_ge(lower.accumulate * lower.batch_rows, ROWS);
  ck_assert_uint_le(lower.parameter_bytes + lower.graph_bytes, (size_t)recipe.memory_limit);
  recipe.memory_limit = (int64_t)whole.parameter_bytes + 1000;
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("none"), false, NULL, &result), AS_E_LIMIT,
                    "one row");
  end();
}
END_TEST

/* Every allocation of a run fails once, in steps of `stride`; nothing may leak, and the folder must be good for a new
 * run. */
static void fail_each(as_recipe *recipe, uint64_t first, uint64_t stride) {
  as_training_result result;
  uint64_t n = first;
  for (bool failed = true; failed; n += stride) {
    as_test_fail_at(ctx, n);
    as_status status = as_train_classifier(ctx, recipe, in_folder("failing"), true, NULL, &result);
    failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    if (failed)
      ck_assert_msg(status == AS_E_NOMEM, "allocation %d failed: status %d, %s", (int)n, (int)status,
                    as_error_text(ctx));
    ck_assert_msg(as_memory_used(ctx) == 0, "allocation %d failed: %zu bytes leaked", (int)n, as_memory_used(ctx));
  }
  ck_assert_uint_gt(n, 200);
}

START_TEST(a_failing_allocation_ends_training_without_a_leak) {
  begin();
  as_recipe recipe = usual();
  recipe.valid_none = false;
  recipe.valid_share = 0.3;
  recipe.vocab_size = 100;
  uint64_t before = as_allocation_count(ctx);
  as_small_train(ctx, &recipe, in_folder("whole"));
  uint64_t all = as_allocation_count(ctx) - before;
  fail_each(&recipe, 1, all / 60 + 1);
  fail_each(&recipe, 3, all / 40 + 1);
  as_assert_same_weights(ctx, in_folder("whole"), in_folder("failing"));
  end();
}
END_TEST

START_TEST(a_failing_allocation_while_resuming_leaves_the_run) {
  begin();
  as_recipe recipe = usual();
  as_training_result result;
  recipe.lr = 10;
  recipe.weight_decay = 10;
  recipe.warmup = 0;
  recipe.max_grad_norm = 0;
  recipe.epochs = 40;
  recipe.patience = 0;
  /* A run that has diverged has a checkpoint, and each resuming reads all of it, makes a few steps and diverges again.
   */
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("run"), false, NULL, &result), AS_E_DIVERGED,
                    "diverged");
  uint64_t before = as_allocation_count(ctx);
  ck_assert_int_eq(as_train_classifier_resume(ctx, in_folder("run"), NULL, &result), AS_E_DIVERGED);
  uint64_t all = as_allocation_count(ctx) - before;
  for (uint64_t n = 1; n <= all; n += all / 60 + 1) {
    as_test_fail_at(ctx, n);
    as_status status = as_train_classifier_resume(ctx, in_folder("run"), NULL, &result);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_msg(status == (failed ? AS_E_NOMEM : AS_E_DIVERGED), "allocation %d: status %d, %s", (int)n, (int)status,
                  as_error_text(ctx));
    ck_assert_uint_eq(as_memory_used(ctx), 0);
  }
  end();
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {class_weights_are_none_balanced_or_given,
                                wrong_class_weights_are_refused,
                                frozen_layers_keep_their_bytes,
                                another_set_of_labels_replaces_the_head_and_the_same_keeps_its_order,
                                a_memory_limit_refuses_or_adapts,
                                a_failing_allocation_ends_training_without_a_leak,
                                a_failing_allocation_while_resuming_leaves_the_run};
  Suite *suite = suite_create("training choices");
  as_small_cases(suite, tests, sizeof tests / sizeof tests[0]);
  return suite;
}
