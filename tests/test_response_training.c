/* Training of response models: the same bytes for any number of threads, in all modes of recomputation, with both
 * optimizers and however often a run was interrupted; what is validated, stored and refused; failing allocations. */
#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/nearest_reply.h"
#include "infer/generate.h"
#include "models/t5_greedy.h"
#include "models/safetensors.h"
#include "models/t5_loss.h"
#include "models/task_file.h"
#include "tests/small_training.h"
#include "train/response.h"

#define ROWS 24

static as_context *ctx;
static const char *folder;

static const char *in_folder(const char *name) {
  return as_small_path(folder, name);
}

/* Messages of three kinds with their replies; of every fourth the intent is not known. */
static const char *write_csv(const char *name, int rows, int variant) {
  static const char *const messages[3] = {"where is my parcel", "I want my money back for the lamp",
                                          "can I buy a chair"};
  static const char *const replies[3] = {"Your parcel {{Order Number}} is on its way.",
                                         "We are sorry. You get your money back in two days.",
                                         "Yes, chairs are in stock. Shall I send you one?"};
  static const char *const intents[3] = {"track", "return", "purchase"};
  const char *path = in_folder(name);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_buffer_text(&out, "content,response,intent,sentiment\n");
  for (int i = 0; i < rows; i++) {
    as_buffer_printf(&out, "%s", messages[i % 3]);
    for (int more = 0; more < (i + variant) % 4; more++) as_buffer_text(&out, " please");
    as_buffer_printf(&out, " %d,\"%s\",%s,\n", i + 100 * variant, replies[i % 3], i % 4 ? intents[i % 3] : "");
  }
  ck_assert_ok(ctx, as_file_write(ctx, path, out.data, out.length));
  as_buffer_free(&out);
  return path;
}

/* One epoch of a tiny model in batches of 8. Texts are borrowed. */
static as_recipe recipe_for(const char *csv) {
  static char size[] = "tiny", data[4200];
  as_recipe recipe = as_response_preset(size);
  snprintf(data, sizeof data, "%s", csv);
  recipe.size = size;
  recipe.data = data;
  recipe.epochs = 1;
  recipe.batch_rows = 8;
  recipe.max_length = 40;
  recipe.max_target_length = 16;
  recipe.vocab_size = 100;
  recipe.valid_share = 0.25;
  return recipe;
}

static as_recipe begin(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
  return recipe_for(write_csv("data.csv", ROWS, 0));
}

static void end(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static void train_into(as_context *with, const as_recipe *recipe, const char *name) {
  as_training_result result;
  ck_assert_ok(with, as_response_train(with, recipe, in_folder(name), false, NULL, &result));
}

static void assert_same_run(const char *name, const char *expected) {
  static const char *const files[] = {"model.safetensors", "train.jsonl",    "tokenizer.json",
                                      "recipe.json",       "assistify.json", "nearest_replies.csv"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    as_assert_same_file(ctx, as_small_path(in_folder(name), files[i]), as_small_path(in_folder(expected), files[i]));
  ck_assert(!as_path_exists(as_small_path(in_folder(name), "training")));
}

/* ---- the same bytes --------------------------------------------------------------------------------------------- */
START_TEST(any_number_of_threads_gives_the_same_bytes) {
  static const int threads[] = {2, 3, 8};
  as_recipe recipe = begin();
  train_into(ctx, &recipe, "one");
  for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
    as_context *other = as_test_context(threads[i]);
    char name[32];
    snprintf(name, sizeof name, "threads-%d", threads[i]);
    train_into(other, &recipe, name);
    assert_same_run(name, "one");
    as_test_context_free(other);
  }
  end();
}
END_TEST

START_TEST(recomputation_gives_the_same_weights) {
  as_recipe recipe = begin();
  train_into(ctx, &recipe, "mode-0");
  for (recipe.recompute = 1; recipe.recompute <= 2; recipe.recompute++) {
    char name[32];
    snprintf(name, sizeof name, "mode-%d", (int)recipe.recompute);
    train_into(ctx, &recipe, name);
    as_assert_same_weights(ctx, in_folder(name), in_folder("mode-0"));
  }
  end();
}
END_TEST

typedef struct ear {
  int64_t asked, stop_after; /* questions answered before it stops; -1: never */
  int64_t truncated, targets_truncated, train_rows, valid_rows;
  size_t parameter_bytes, graph_bytes;
  double perplexity, bleu;
  char architecture[32], notes[4096];
} ear;

static bool ear_interrupted(void *user) {
  ear *e = user;
  return e->stop_after >= 0 && e->asked++ >= e->stop_after;
}
static void ear_summary(void *user, const as_training_summary *s) {
  ear *e = user;
  e->truncated = s->truncated;
  e->parameter_bytes = s->parameter_bytes;
  e->graph_bytes = s->graph_bytes;
  e->targets_truncated = s->targets_truncated;
  e->train_rows = s->train_rows;
  e->valid_rows = s->valid_rows;
  snprintf(e->architecture, sizeof e->architecture, "%s", s->architecture);
}
static void ear_epoch(void *user, const as_training_epoch *epoch) {
  ear *e = user;
  e->perplexity = as_training_epoch_metric(epoch, "perplexity");
  e->bleu = as_training_epoch_metric(epoch, "bleu");
  ck_assert(fabs(log(e->perplexity) - epoch->valid_loss) < 1e-9);
}
static void ear_note(void *user, const char *text) {
  ear *e = user;
  size_t length = strlen(e->notes);
  snprintf(e->notes + length, sizeof e->notes - length, "%s\n", text);
}

static as_training_listener listen(ear *e, int64_t stop_after) {
  *e = (ear){.stop_after = stop_after};
  return (as_training_listener){ear_summary, NULL, ear_epoch, ear_note, ear_interrupted, e};
}

/* Stops a run after so many questions and goes on with it, stopped again and again, until it is done. */
static void train_in_pieces(const as_recipe *recipe, const char *name, int64_t stop_after) {
  as_training_result result;
  ear e;
  as_training_listener listener = listen(&e, stop_after);
  as_status status = as_response_train(ctx, recipe, in_folder(name), false, &listener, &result);
  for (int times = 0; status == AS_E_INTERRUPTED; times++) {
    listener = listen(&e, stop_after + times);
    ck_assert_int_lt(times, 200);
    status = as_response_resume(ctx, in_folder(name), &listener, &result);
  }
  ck_assert_ok(ctx, status);
}

START_TEST(an_interrupted_run_ends_as_if_undisturbed) {
  static char v1_1[] = "t5-v1.1";
  static const int64_t stops[] = {0, 2, 3, 4, 6, 9};
  as_recipe recipe = begin();
  recipe.epochs = 2;
  recipe.metric = AS_METRIC_BLEU;
  for (int variant = 0; variant < 3; variant++) {
    char whole[32], name[32];
    recipe.optimizer = variant ? AS_OPTIMIZER_ADAFACTOR : AS_OPTIMIZER_ADAMW;
    recipe.architecture =
        variant ? v1_1 : NULL; /* its output matrix is not the embeddings': most rows get no gradient */
    recipe.scale_parameter = recipe.relative_step = recipe.warmup_init = variant == 2;
    snprintf(whole, sizeof whole, "whole-%d", variant);
    train_into(ctx, &recipe, whole);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
      snprintf(name, sizeof name, "stopped-%d-%d", variant, (int)i);
      train_in_pieces(&recipe, name, stops[i]);
      assert_same_run(name, whole);
    }
  }
  end();
}
END_TEST

START_TEST(a_checkpoint_of_another_optimizer_is_refused) {
  as_recipe recipe = begin();
  as_training_result result;
  as_safetensors_item item = {.name = "moments", .type = AS_STORED_F32, .ndim = 1, .shape = {1}, .data = &(float){0}};
  ear e;
  as_training_listener listener = listen(&e, 5);
  ck_assert_refused(ctx, as_response_train(ctx, &recipe, in_folder("run"), false, &listener, &result), AS_E_INTERRUPTED,
                    "");
  char *checkpoint = NULL;
  for (int step = 1; step < 9 && !checkpoint; step++) {
    char name[64];
    snprintf(name, sizeof name, "run/training/checkpoint-%d", step);
    if (as_path_is_folder(in_folder(name))) checkpoint = as_path_join(ctx, in_folder(name), "optimizer.safetensors");
  }
  ck_assert_ptr_nonnull(checkpoint);
  ck_assert_ok(ctx, as_safetensors_write(ctx, checkpoint, &item, 1));
  as_free(ctx, checkpoint);
  ck_assert_refused(ctx, as_response_resume(ctx, in_folder("run"), NULL, &result), AS_E_MODEL, "tensor m is missing");
  ck_assert_refused(ctx, as_train_classifier_resume(ctx, in_folder("run"), NULL, &result), AS_E_MODEL, "response");
  end();
}
END_TEST

/* ---- what comes of it ------------------------------------------------------------------------------------------- */
START_TEST(a_run_validates_and_stores_what_use_needs) {
  static char template[] = "{content} ({intent})", from[4200];
  as_recipe recipe = begin();
  as_training_result result;
  as_task_file file;
  as_nearest_reply *nearest;
  ear e;
  as_training_listener listener = listen(&e, -1);
  recipe.metric = AS_METRIC_BLEU;
  recipe.input_template = template;
  recipe.max_target_length = 6;
  ck_assert_ok(ctx, as_response_train(ctx, &recipe, in_folder("a"), false, &listener, &result));
  ck_assert_str_eq(e.architecture, "t5");
  ck_assert_int_eq(e.train_rows + e.valid_rows, ROWS);
  ck_assert_int_gt(e.valid_rows, 2);
  ck_assert_int_eq(e.truncated, 0);
  ck_assert_int_eq(e.targets_truncated, e.train_rows);
  ck_assert(e.perplexity > 1 && e.bleu >= 0);
  ck_assert_ptr_nonnull(strstr(e.notes, "nearest reply"));
  ck_assert_ptr_nonnull(strstr(e.notes, "plainly: the reply of the most similar training message is better"));
  ck_assert_ok(ctx, as_task_file_read(ctx, in_folder("a"), &file));
  ck_assert_str_eq(file.task, "response");
  ck_assert_str_eq(file.input_template, template);
  ck_assert_int_eq(file.validation.rows, e.valid_rows);
  ck_assert(file.validation.bleu == e.bleu && file.validation.nearest_bleu > file.validation.bleu);
  as_task_file_free(ctx, &file);
  ck_assert_ok(ctx, as_nearest_reply_open(ctx, in_folder("a"), &nearest));
  ck_assert_int_eq(as_nearest_reply_count(nearest), e.train_rows);
  as_nearest_reply_free(nearest);
  /* From that folder: its tokenizer and template; with a validation file, no row is held out. */
  recipe.input_template = recipe.size = NULL;
  recipe.valid =
      write_csv("valid.csv", 5, 3) ? (snprintf(from, sizeof from, "%s", in_folder("valid.csv")), from) : NULL;
  static char base[4200];
  snprintf(base, sizeof base, "%s", in_folder("a"));
  recipe.from = base;
  listener = listen(&e, -1);
  ck_assert_ok(ctx, as_response_train(ctx, &recipe, in_folder("b"), false, &listener, &result));
  ck_assert_int_eq(e.train_rows, ROWS);
  ck_assert_int_eq(e.valid_rows, 5);
  as_assert_same_file(ctx, in_folder("a/tokenizer.json"), in_folder("b/tokenizer.json"));
  ck_assert_ok(ctx, as_task_file_read(ctx, in_folder("b"), &file));
  ck_assert_str_eq(file.input_template, template);
  as_task_file_free(ctx, &file);
  end();
}
END_TEST

START_TEST(columns_beside_the_reply_may_be_absent) {
  static const char text[] = "content,response\nhello there,good day\nbye now,see you\nwho is it,it is me\n";
  as_recipe recipe = begin();
  ck_assert_ok(ctx, as_file_write(ctx, in_folder("data.csv"), text, strlen(text)));
  recipe.valid_none = true;
  train_into(ctx, &recipe, "two");
  as_task_file file;
  ck_assert_ok(ctx, as_task_file_read(ctx, in_folder("two"), &file));
  ck_assert_int_eq(file.validation.rows, 0);
  as_task_file_free(ctx, &file);
  end();
}
END_TEST

START_TEST(a_memory_limit_refuses_or_adapts) {
  as_recipe recipe = begin();
  as_training_result result;
  ear e;
  as_training_listener listener = listen(&e, -1);
  ck_assert_ok(ctx, as_response_train(ctx, &recipe, in_folder("first"), false, &listener, &result));
  size_t adamw = e.parameter_bytes;
  recipe.memory_limit = (int64_t)(e.parameter_bytes + e.graph_bytes) - 1;
  ck_assert_refused(ctx, as_response_train(ctx, &recipe, in_folder("out"), false, NULL, &result), AS_E_LIMIT,
                    "memory limit");
  recipe.memory_auto = true;
  train_into(ctx, &recipe, "out");
  as_recipe done;
  ck_assert_ok(ctx, as_recipe_read(ctx, in_folder("out/recipe.json"), &done));
  ck_assert_int_gt(done.recompute, 0);
  as_recipe_free(ctx, &done);
  recipe.memory_limit = 0;
  recipe.optimizer = AS_OPTIMIZER_ADAFACTOR;
  ck_assert_ok(ctx, as_response_train(ctx, &recipe, in_folder("factored"), false, &listener, &result));
  ck_assert(e.parameter_bytes < adamw * 6 / 10); /* weights, gradients, and next to no moments */
  end();
}
END_TEST

START_TEST(a_model_learns_replies) {
  as_recipe recipe = begin();
  as_training_result result;
  ear e;
  as_training_listener listener = listen(&e, -1);
  recipe.epochs = 60;
  recipe.patience = 0;
  recipe.max_target_length = 40;
  recipe.dropout = 0;
  recipe.vocab_size = 150;
  ck_assert_ok(ctx, as_response_train(ctx, &recipe, in_folder("out"), false, &listener, &result));
  ck_assert_msg(e.perplexity < 1.3, "perplexity %g after %d epochs", e.perplexity, (int)recipe.epochs);
  as_task_file file;
  ck_assert_ok(ctx, as_task_file_read(ctx, in_folder("out"), &file));
  ck_assert_msg(file.validation.bleu > 60, "BLEU %g", file.validation.bleu);
  as_task_file_free(ctx, &file);
  end();
}
END_TEST

/* ---- greedy search and loss -------------------------------------------------------------------------------------- */
START_TEST(greedy_search_is_that_of_generation) {
  as_recipe recipe = begin();
  as_t5_options options = {.dropout = -1};
  as_generate_options generate = as_generate_default();
  as_t5_greedy_options greedy = {.max_new_tokens = 12};
  as_t5 *t5;
  as_generator *generator;
  as_generations generations;
  as_encoder_batch batch;
  as_token_rows sources, answers;
  recipe.epochs = 3;
  train_into(ctx, &recipe, "out");
  ck_assert_ok(ctx, as_t5_open(ctx, in_folder("out"), &options, &t5));
  as_encoder_batch_init(&batch, ctx);
  as_token_rows_init(&sources, ctx);
  as_token_rows_init(&answers, ctx);
  for (int i = 0; i < 35; i++) { /* more than a group */
    int32_t ids[8];
    int length = 1 + i % 7;
    for (int k = 0; k < length; k++) ids[k] = k + 1 == length ? 1 : 3 + (i * 7 + k * 11) % 90;
    ck_assert_ok(ctx, as_token_rows_add(&sources, ids, length, -100, false));
    ck_assert_ok(ctx, as_encoder_batch_add(&batch, ids, length, -100));
  }
  ck_assert_ok(ctx, as_t5_greedy(ctx, t5, &sources, &greedy, &answers));
  generate.max_new_tokens = 12;
  ck_assert_ok(ctx, as_generator_new(ctx, t5, &generator));
  ck_assert_ok(ctx, as_generate(generator, &batch, &generate, &generations));
  ck_assert_int_eq(answers.count, generations.count);
  for (int64_t i = 0; i < answers.count; i++) {
    int64_t length = generations.offsets[i + 1] - generations.offsets[i];
    ck_assert_int_eq(as_token_rows_length(&answers, i), length);
    ck_assert_int_eq(memcmp(answers.ids + answers.offsets[i], generations.ids + generations.offsets[i],
                            (size_t)length * sizeof(int32_t)),
                     0);
  }
  greedy.max_new_tokens = 0;
  ck_assert_refused(ctx, as_t5_greedy(ctx, t5, &sources, &greedy, &answers), AS_E_INVALID, "max_new_tokens");
  as_generations_free(&generations);
  as_generator_free(generator);
  as_encoder_batch_free(&batch);
  as_token_rows_free(&sources);
  as_token_rows_free(&answers);
  as_t5_free(t5);
  end();
}
END_TEST

START_TEST(the_loss_does_not_depend_on_batches) {
  as_t5_options options = {.dropout = -1};
  as_t5 *t5;
  as_pair_rows rows;
  double sums[2];
  int64_t tokens[2];
  as_recipe recipe = begin();
  train_into(ctx, &recipe, "out");
  ck_assert_ok(ctx, as_t5_open(ctx, in_folder("out"), &options, &t5));
  as_pair_rows_init(&rows, ctx);
  for (int i = 0; i < 9; i++) {
    const int32_t source[] = {5, 9, 20 + i, 7, 1}, target[] = {30, 31 + i, 8, 1};
    ck_assert_ok(ctx, as_pair_rows_add(&rows, source + i % 3, 5 - i % 3, false, target + i % 4, 4 - i % 4, false));
  }
  for (int i = 0; i < 2; i++) {
    as_t5_loss_options o = {.batch_tokens = i ? 1 : 0};
    ck_assert_ok(ctx, as_t5_loss(ctx, t5, &rows, &o, &sums[i], &tokens[i]));
    ck_assert_int_eq(tokens[i], rows.targets.offsets[9]);
  }
  ck_assert_msg(fabs(sums[0] - sums[1]) < 1e-5 * sums[0], "%.9g and %.9g", sums[0], sums[1]);
  as_pair_rows_free(&rows);
  as_t5_free(t5);
  end();
}
END_TEST

/* ---- what is refused --------------------------------------------------------------------------------------------- */
START_TEST(wrong_data_and_recipes_are_refused) {
  static char column[] = "intent", none[] = "no {content", other[] = "gpt", from[4200];
  static const char absent[] = "content,intent\nhello,a\n", broken[] = "content,response\nhello,hi\n\"x,y\n";
  as_recipe recipe = begin(), wrong;
  as_training_result result;
#define REFUSED(status, fragment)                                                                                      \
  ck_assert_refused(ctx, as_response_train(ctx, &wrong, in_folder("out"), false, NULL, &result), status, fragment)
  wrong = recipe, wrong.label_column = column;
  REFUSED(AS_E_INVALID, "label column");
  wrong = recipe, wrong.metric = AS_METRIC_ACCURACY;
  REFUSED(AS_E_INVALID, "loss or bleu");
  wrong = recipe, wrong.input_template = none;
  REFUSED(AS_E_INVALID, "template");
  wrong = recipe, wrong.architecture = other;
  REFUSED(AS_E_INVALID, "there are t5 and t5-v1.1");
  wrong = recipe, wrong.size = other;
  REFUSED(AS_E_INVALID, "there is no size");
  wrong = recipe, wrong.relative_step = true;
  REFUSED(AS_E_INVALID, "Adafactor");
  wrong.optimizer = AS_OPTIMIZER_ADAFACTOR, wrong.relative_step = false, wrong.warmup_init = true;
  REFUSED(AS_E_INVALID, "warmup_init");
  wrong = recipe, wrong.max_target_length = 1;
  REFUSED(AS_E_INVALID, "max_target_length");
  wrong = recipe, wrong.freeze = 100;
  REFUSED(AS_E_INVALID, "freeze");
  ck_assert(!as_path_exists(in_folder("out")));
  as_small_task = &as_intent_task; /* an encoder is not what to start from */
  as_recipe classifier = as_small_recipe(as_small_csv(ctx, folder, "intents.csv", 24, 0));
  classifier.epochs = 1;
  as_small_train(ctx, &classifier, in_folder("intent"));
  wrong = recipe, wrong.size = NULL, wrong.from = from;
  snprintf(from, sizeof from, "%s", in_folder("intent"));
  REFUSED(AS_E_MODEL, "model_type");
  ck_assert_ok(ctx, as_file_write(ctx, in_folder("data.csv"), absent, strlen(absent)));
  wrong = recipe;
  REFUSED(AS_E_DATA, "response");
  ck_assert_ok(ctx, as_file_write(ctx, in_folder("data.csv"), broken, strlen(broken)));
  REFUSED(AS_E_DATA, "line 3");
  ck_assert_refused(ctx, as_response_resume(ctx, in_folder("out"), NULL, &result), AS_E_MODEL,
                    "no unfinished training");
  end();
}
END_TEST

START_TEST(divergence_names_the_rows) {
  as_recipe recipe = begin();
  as_training_result result;
  recipe.lr = 10;
  recipe.warmup = 0;
  recipe.weight_decay = 10;
  recipe.max_grad_norm = 0;
  recipe.epochs = 60;
  recipe.patience = 0;
  ck_assert_refused(ctx, as_response_train(ctx, &recipe, in_folder("out"), false, NULL, &result), AS_E_DIVERGED,
                    "training diverged on the rows of lines");
  end();
}
END_TEST

START_TEST(a_failing_allocation_ends_training_without_a_leak) {
  as_recipe recipe = begin();
  as_training_result result;
  recipe.metric = AS_METRIC_BLEU;
  recipe.max_target_length = 4;
  uint64_t before = as_allocation_count(ctx);
  train_into(ctx, &recipe, "whole");
  uint64_t all = as_allocation_count(ctx) - before;
  for (uint64_t n = 1, stride = all / 90 + 1; n <= all; n += stride) {
    as_test_fail_at(ctx, n);
    as_status status = as_response_train(ctx, &recipe, in_folder("failing"), true, NULL, &result);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_msg(!failed || status == AS_E_NOMEM, "allocation %d failed: status %d, %s", (int)n, (int)status,
                  as_error_text(ctx));
    ck_assert_msg(as_memory_used(ctx) == 0, "allocation %d failed: %zu bytes leaked", (int)n, as_memory_used(ctx));
  }
  ck_assert_ok(ctx, as_response_train(ctx, &recipe, in_folder("failing"), true, NULL, &result));
  as_assert_same_weights(ctx, in_folder("whole"), in_folder("failing"));
  end();
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {any_number_of_threads_gives_the_same_bytes,
                                recomputation_gives_the_same_weights,
                                an_interrupted_run_ends_as_if_undisturbed,
                                a_checkpoint_of_another_optimizer_is_refused,
                                a_run_validates_and_stores_what_use_needs,
                                columns_beside_the_reply_may_be_absent,
                                a_memory_limit_refuses_or_adapts,
                                a_model_learns_replies,
                                greedy_search_is_that_of_generation,
                                the_loss_does_not_depend_on_batches,
                                wrong_data_and_recipes_are_refused,
                                divergence_names_the_rows,
                                a_failing_allocation_ends_training_without_a_leak};
  Suite *suite = suite_create("response training");
  for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    TCase *tcase = tcase_create(tests[i]->name);
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
  }
  return suite;
}
