/* Training runs of a classifier: the same bytes whatever the threads, the recomputation and the interruptions; early
 * stopping, checkpoints, and what must be refused. */
#include "tests/small_training.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "models/encoder.h"
#include "train/training_state.h"

#define ROWS 48 /* 6 steps an epoch; asked twice before the first, before each, and at each validation */

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
static as_recipe usual(void) {
  return as_small_recipe(as_small_csv(ctx, folder, "data.csv", ROWS, 0));
}

/* ---- a listener that stops the run and remembers what it heard -------------------------------------------------- */
typedef struct ear {
  int64_t asked, stop_after; /* questions answered with "go on"; below 0: never stop */
  int64_t steps, epochs, validated, best_epochs[16], best_count, resumed_step, notes;
  double macro_f1[16];
  as_training_summary summary; /* only its numbers are good after the call */
  int64_t recompute, batch_rows, accumulate;
} ear;

static bool ear_interrupted(void *user) {
  ear *e = user;
  return e->stop_after >= 0 && ++e->asked > e->stop_after;
}

static void ear_summary(void *user, const as_training_summary *summary) {
  ear *e = user;
  e->summary = *summary;
  e->resumed_step = summary->resumed_step;
  e->recompute = summary->recipe->recompute;
  e->batch_rows = summary->recipe->batch_rows;
  e->accumulate = summary->recipe->accumulate;
}

static void ear_step(void *user, const as_training_step *step) {
  (void)step;
  ((ear *)user)->steps++;
}

static void ear_epoch(void *user, const as_training_epoch *epoch) {
  ear *e = user;
  if (e->epochs < 16) e->macro_f1[e->epochs] = as_training_epoch_metric(epoch, "macro_f1");
  e->epochs++;
  e->validated += epoch->validated;
  if (epoch->is_best && e->best_count < 16) e->best_epochs[e->best_count++] = epoch->epoch;
}

static void ear_note(void *user, const char *text) {
  ((ear *)user)->notes += text[0] != 0;
}

static as_training_listener listen(ear *e, int64_t stop_after) {
  *e = (ear){.stop_after = stop_after};
  return (as_training_listener){ear_summary, ear_step, ear_epoch, ear_note, ear_interrupted, e};
}

/* Resumes again and again, each time stopped after `stop_after` questions, until the run is done; how often that was.
 */
static int resume_to_the_end(const char *out, int64_t stop_after) {
  as_training_result result;
  as_status status = AS_E_INTERRUPTED;
  int times = 0;
  for (; status == AS_E_INTERRUPTED; times++) {
    ear e;
    as_training_listener listener = listen(&e, stop_after);
    ck_assert_int_lt(times, 200);
    status = as_train_classifier_resume(ctx, out, &listener, &result);
  }
  ck_assert_ok(ctx, status);
  return times;
}

static void assert_same_run(const char *out, const char *undisturbed) {
  static const char *const files[] = {"model.safetensors", "train.jsonl", "config.json", "tokenizer.json",
                                      "recipe.json"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    as_assert_same_file(ctx, as_small_path(out, files[i]), as_small_path(undisturbed, files[i]));
  ck_assert_msg(!as_path_exists(as_small_path(out, "training")), "the optimizer's state is still there");
}

/* ---- the same bytes --------------------------------------------------------------------------------------------- */
START_TEST(any_number_of_threads_gives_the_same_bytes) {
  static const int threads[] = {2, 3, 8};
  begin();
  as_recipe recipe = usual();
  as_small_train(ctx, &recipe, in_folder("one"));
  for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
    as_context *other = as_test_context(threads[i]);
    char name[32];
    snprintf(name, sizeof name, "threads-%d", threads[i]);
    as_small_train(other, &recipe, in_folder(name));
    assert_same_run(in_folder(name), in_folder("one"));
    as_test_context_free(other);
  }
  end();
}
END_TEST

START_TEST(an_interrupted_run_ends_as_if_undisturbed) {
  static const int64_t stops[] = {0, 1, 2, 3, 5, 7, 8, 9, 14, 15};
  begin();
  as_recipe recipe = usual();
  as_small_train(ctx, &recipe, in_folder("whole"));
  for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
    ear e;
    as_training_listener listener = listen(&e, stops[i]);
    as_training_result result;
    char name[32];
    snprintf(name, sizeof name, "stop-%d", (int)stops[i]);
    ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder(name), false, &listener, &result),
                      AS_E_INTERRUPTED, "--resume");
    resume_to_the_end(in_folder(name), -1);
    assert_same_run(in_folder(name), in_folder("whole"));
  }
  end();
}
END_TEST

START_TEST(a_run_interrupted_at_every_step_ends_as_if_undisturbed) {
  begin();
  as_recipe recipe = usual();
  as_training_result result;
  ear e;
  as_small_train(ctx, &recipe, in_folder("whole"));
  as_training_listener listener = listen(&e, 0);
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("halting"), false, &listener, &result),
                    AS_E_INTERRUPTED, "");
  int times =
      resume_to_the_end(in_folder("halting"), 3); /* asked twice while preparing: one step or validation a time */
  ck_assert_int_ge(times, 12);
  assert_same_run(in_folder("halting"), in_folder("whole"));
  end();
}
END_TEST

START_TEST(accumulation_and_token_batches_resume_too) {
  begin();
  as_recipe recipe = usual();
  recipe.batch_rows = 0;
  recipe.batch_tokens = 40;
  recipe.accumulate = 3;
  recipe.schedule = AS_SCHEDULE_COSINE;
  recipe.label_smoothing = 0.1;
  recipe.class_weights = AS_WEIGHTS_BALANCED;
  as_small_train(ctx, &recipe, in_folder("whole"));
  ear e;
  as_training_result result;
  as_training_listener listener = listen(&e, 4);
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("halting"), false, &listener, &result),
                    AS_E_INTERRUPTED, "");
  resume_to_the_end(in_folder("halting"), 5);
  assert_same_run(in_folder("halting"), in_folder("whole"));
  end();
}
END_TEST

START_TEST(recomputing_changes_no_byte) {
  begin();
  as_recipe recipe = usual();
  as_small_train(ctx, &recipe, in_folder("mode-0"));
  for (int mode = 1; mode <= 2; mode++) {
    char name[32];
    snprintf(name, sizeof name, "mode-%d", mode);
    recipe.recompute = mode;
    as_small_train(ctx, &recipe, in_folder(name));
    as_assert_same_weights(ctx, in_folder(name), in_folder("mode-0"));
  }
  end();
}
END_TEST

START_TEST(another_seed_gives_other_weights) {
  begin();
  as_recipe recipe = usual();
  char *a, *b;
  size_t length_a, length_b;
  as_small_train(ctx, &recipe, in_folder("a"));
  recipe.seed = 2;
  as_small_train(ctx, &recipe, in_folder("b"));
  ck_assert_ok(ctx, as_file_read(ctx, in_folder("a/model.safetensors"), 0, AS_E_IO, &a, &length_a));
  ck_assert_ok(ctx, as_file_read(ctx, in_folder("b/model.safetensors"), 0, AS_E_IO, &b, &length_b));
  ck_assert(length_a != length_b || memcmp(a, b, length_a) != 0);
  as_free(ctx, a);
  as_free(ctx, b);
  end();
}
END_TEST

/* ---- epochs ----------------------------------------------------------------------------------------------------- */
START_TEST(early_stopping_keeps_the_best_epoch) {
  begin();
  as_recipe recipe = usual();
  ear e;
  as_training_listener listener = listen(&e, -1);
  as_training_result result;
  recipe.epochs = 12;
  recipe.patience = 2;
  recipe.schedule = AS_SCHEDULE_CONSTANT; /* so that a run of as many epochs as the best goes the same way */
  recipe.warmup = 2;
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("stopped"), false, &listener, &result));
  ck_assert_msg(result.stopped_early, "macro-F1 rose through all 12 epochs");
  ck_assert_int_eq(result.best_epoch, e.best_epochs[e.best_count - 1]);
  ck_assert_int_eq(result.epochs, result.best_epoch + 2);
  ck_assert_int_eq(e.validated, result.epochs);
  recipe.epochs = result.best_epoch;
  recipe.patience = 0;
  as_small_train(ctx, &recipe, in_folder("until-best"));
  as_assert_same_weights(ctx, in_folder("stopped"), in_folder("until-best"));
  end();
}
END_TEST

START_TEST(patience_0_runs_all_epochs_and_keeps_the_last) {
  begin();
  as_recipe recipe = usual();
  ear e;
  as_training_listener listener = listen(&e, -1);
  as_training_result result;
  recipe.epochs = 5;
  recipe.patience = 0;
  recipe.lr = 1e-9; /* nothing gains after the first epoch */
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("all"), false, &listener, &result));
  ck_assert_int_eq(result.epochs, 5);
  ck_assert_int_eq(result.best_epoch, 5);
  ck_assert(!result.stopped_early);
  end();
}
END_TEST

START_TEST(without_validation_every_row_trains) {
  begin();
  as_recipe recipe = usual();
  ear e;
  as_training_listener listener = listen(&e, -1);
  as_training_result result;
  recipe.valid_none = true;
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("none"), false, &listener, &result));
  ck_assert_int_eq(e.summary.train_rows, ROWS);
  ck_assert_int_eq(e.summary.valid_rows, 0);
  ck_assert_int_eq(e.validated, 0);
  ck_assert_int_eq(result.best_epoch, 2);
  ck_assert_int_eq(e.steps, 12);
  ck_assert_int_eq(e.summary.steps, 12);
  end();
}
END_TEST

START_TEST(a_validation_file_is_used_and_may_have_no_other_label) {
  begin();
  as_recipe recipe = usual();
  ear e;
  as_training_listener listener = listen(&e, -1);
  as_training_result result;
  char valid[4200];
  snprintf(valid, sizeof valid, "%s", as_small_csv(ctx, folder, "valid.csv", 12, 1));
  recipe.valid = valid;
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("with"), false, &listener, &result));
  ck_assert_int_eq(e.summary.train_rows, ROWS);
  ck_assert_int_eq(e.summary.valid_rows, 12);
  as_small_csv_of(ctx, folder, "valid.csv", "where is it,track\nsing a song,sing\n");
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("other"), false, NULL, &result), AS_E_DATA,
                    "valid.csv: line 3: the label \"sing\"");
  end();
}
END_TEST

/* ---- folders ---------------------------------------------------------------------------------------------------- */
/* Names in folder/training that begin with `prefix`. */
static int count_entries(const char *out, const char *prefix) {
  DIR *dir = opendir(as_small_path(out, "training"));
  int count = 0;
  ck_assert_ptr_nonnull(dir);
  for (struct dirent *entry; (entry = readdir(dir));) count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
  closedir(dir);
  return count;
}

START_TEST(two_checkpoints_and_the_best_are_kept) {
  begin();
  as_recipe recipe = usual();
  ear e;
  recipe.epochs = 6;
  recipe.lr = 1e-9; /* the first epoch stays the best */
  recipe.patience = 6;
  as_training_listener listener = listen(&e, 2 + 5 * 7 + 3); /* in the middle of the sixth epoch */
  as_training_result result;
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("out"), false, &listener, &result),
                    AS_E_INTERRUPTED, "");
  ck_assert_int_eq(e.epochs, 5);
  ck_assert_int_eq(count_entries(in_folder("out"), "checkpoint-"), 2);
  ck_assert_int_eq(count_entries(in_folder("out"), "best-"), 1);
  ck_assert_int_eq(count_entries(in_folder("out"), "."), 2); /* itself and its parent: nothing half written */
  resume_to_the_end(in_folder("out"), -1);
  ck_assert(!as_path_exists(in_folder("out/training")));
  end();
}
END_TEST

START_TEST(a_folder_in_use_is_refused_without_overwrite) {
  begin();
  as_recipe recipe = usual();
  as_training_result result;
  ear e;
  as_training_listener listener = listen(&e, 4);
  as_small_train(ctx, &recipe, in_folder("model"));
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("model"), false, NULL, &result), AS_E_INVALID,
                    "holds a model");
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("model"), true, NULL, &result));
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("run"), false, &listener, &result),
                    AS_E_INTERRUPTED, "");
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("run"), false, NULL, &result), AS_E_INVALID,
                    "unfinished");
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("run"), true, NULL, &result));
  as_assert_same_weights(ctx, in_folder("model"), in_folder("run"));
  ck_assert_ok(ctx, as_file_write(ctx, in_folder("file"), "x", 1));
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("file"), false, NULL, &result), AS_E_INVALID,
                    "not a folder");
  ck_assert_refused(ctx, as_train_classifier_resume(ctx, in_folder("model"), NULL, &result), AS_E_MODEL,
                    "no unfinished training");
  end();
}
END_TEST

/* What a kill between making the folder and writing the recipe leaves is no run: it is in nobody's way. */
START_TEST(an_empty_training_folder_is_no_run) {
  begin();
  as_recipe recipe = usual();
  ck_assert_ok(ctx, as_make_folders(ctx, in_folder("out/training")));
  as_small_train(ctx, &recipe, in_folder("out"));
  end();
}
END_TEST

START_TEST(a_failed_start_leaves_the_folder_free) {
  static char nothing[] = "nothing";
  begin();
  as_recipe recipe = usual(), wrong = recipe;
  as_training_result result;
  wrong.label_column = nothing;
  ck_assert_refused(ctx, as_train_classifier(ctx, &wrong, in_folder("out"), false, NULL, &result), AS_E_DATA,
                    "nothing");
  wrong = recipe;
  wrong.memory_limit = 1000;
  ck_assert_refused(ctx, as_train_classifier(ctx, &wrong, in_folder("out"), false, NULL, &result), AS_E_LIMIT,
                    "memory limit");
  wrong = recipe;
  wrong.freeze = 4; /* two layers */
  ck_assert_refused(ctx, as_train_classifier(ctx, &wrong, in_folder("out"), false, NULL, &result), AS_E_INVALID,
                    "freeze");
  ck_assert_refused(ctx, as_train_classifier_resume(ctx, in_folder("out"), NULL, &result), AS_E_MODEL,
                    "no unfinished training");
  recipe.freeze = 3; /* the head alone */
  as_small_train(ctx, &recipe, in_folder("out"));
  end();
}
END_TEST

/* Folders that were there stay, with what is in them; folders that the start made go, and so do the ones above. */
START_TEST(a_checkpoint_must_fit_on_the_disk) {
  begin();
  as_training_files files;
  ck_assert_ok(ctx, as_training_files_init(&files, ctx, in_folder("out")));
  ck_assert_ok(ctx, as_training_check_room(&files, 1000));
  ck_assert_refused(ctx, as_training_check_room(&files, (size_t)1 << 56), AS_E_IO, "make room");
  as_training_files_free(&files);
  end();
}
END_TEST

START_TEST(a_failed_start_leaves_no_folder_behind) {
  static char nothing[] = "nothing";
  begin();
  as_recipe recipe = usual(), wrong = recipe;
  as_training_result result;
  wrong.label_column = nothing;
  ck_assert_refused(ctx, as_train_classifier(ctx, &wrong, in_folder("new/models/out"), false, NULL, &result), AS_E_DATA,
                    "nothing");
  ck_assert(!as_path_exists(in_folder("new")));
  wrong = recipe;
  wrong.memory_limit = 1000;
  ck_assert_refused(ctx, as_train_classifier(ctx, &wrong, in_folder("new/out/"), false, NULL, &result), AS_E_LIMIT,
                    "memory limit");
  ck_assert(!as_path_exists(in_folder("new")));
  ck_assert_ok(ctx, as_make_folders(ctx, in_folder("mine")));
  ck_assert_ok(ctx, as_file_write(ctx, in_folder("mine/notes.txt"), "x", 1));
  wrong = recipe;
  wrong.lr = wrong.weight_decay = 10; /* diverges before the first checkpoint: its steps stay to be read */
  wrong.epochs = 1;
  wrong.batch_rows = 2;
  wrong.warmup = 0;
  wrong.max_grad_norm = 0;
  ck_assert_refused(ctx, as_train_classifier(ctx, &wrong, in_folder("mine"), false, NULL, &result), AS_E_DIVERGED, "");
  ck_assert(as_path_exists(in_folder("mine/notes.txt")) && as_path_exists(in_folder("mine/train.jsonl")));
  ck_assert(!as_path_exists(in_folder("mine/training")));
  as_small_train(ctx, &recipe, in_folder("mine"));
  end();
}
END_TEST

static void stop_in_the_second_epoch(const as_recipe *recipe, const char *out) {
  ear e;
  as_training_listener listener = listen(&e, 2 + 7 + 3);
  as_training_result result;
  ck_assert_refused(ctx, as_train_classifier(ctx, recipe, out, false, &listener, &result), AS_E_INTERRUPTED, "");
}

/* The record of steps is for people. One that is gone, or was cut short, costs a warning and nothing else. */
START_TEST(a_run_without_its_log_goes_on) {
  begin();
  as_recipe recipe = usual();
  char *log, *whole;
  size_t length, whole_length;
  as_small_train(ctx, &recipe, in_folder("whole"));
  ck_assert_ok(ctx, as_file_read(ctx, in_folder("whole/train.jsonl"), 0, AS_E_IO, &whole, &whole_length));
  stop_in_the_second_epoch(&recipe, in_folder("out"));
  ck_assert_int_eq(unlink(in_folder("out/train.jsonl")), 0);
  resume_to_the_end(in_folder("out"), -1);
  as_assert_same_weights(ctx, in_folder("out"), in_folder("whole"));
  ck_assert_msg(strstr(as_test_warnings(ctx), "train.jsonl: the lines of steps before 10 are missing") != NULL, "%s",
                as_test_warnings(ctx));
  ck_assert_ok(ctx, as_file_read(ctx, in_folder("out/train.jsonl"), 0, AS_E_IO, &log, &length));
  ck_assert(length < whole_length && memcmp(log, "{\"event\":\"step\",\"step\":10,", 26) == 0);
  ck_assert_str_eq(log, whole + whole_length - length);
  as_free(ctx, log);

  stop_in_the_second_epoch(&recipe, in_folder("short"));
  ck_assert_int_eq(truncate(in_folder("short/train.jsonl"), 200), 0); /* in the middle of its second line */
  resume_to_the_end(in_folder("short"), -1);
  ck_assert_ok(ctx, as_file_read(ctx, in_folder("short/train.jsonl"), 0, AS_E_IO, &log, &length));
  const char *second = strchr(log, '\n') + 1;
  ck_assert(strncmp(log, whole, (size_t)(second - log)) == 0);
  ck_assert_str_eq(second, whole + whole_length - strlen(second));
  as_free(ctx, log);
  as_free(ctx, whole);
  end();
}
END_TEST

START_TEST(changed_data_and_changed_recipes_are_refused_at_resume) {
  begin();
  as_recipe recipe = usual(), other;
  as_training_result result;
  ear e;
  as_training_listener listener = listen(&e, 6);
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("out"), false, &listener, &result),
                    AS_E_INTERRUPTED, "");
  as_small_csv(ctx, folder, "data.csv", ROWS, 1);
  ck_assert_refused(ctx, as_train_classifier_resume(ctx, in_folder("out"), NULL, &result), AS_E_DATA,
                    "data.csv: line 1:");
  as_small_csv(ctx, folder, "data.csv", ROWS, 0);
  ck_assert_ok(ctx, as_recipe_read(ctx, in_folder("out/training/recipe.json"), &other));
  other.lr *= 2;
  ck_assert_ok(ctx, as_recipe_write(ctx, &other, in_folder("out/training/recipe.json")));
  ck_assert_refused(ctx, as_train_classifier_resume(ctx, in_folder("out"), NULL, &result), AS_E_MODEL, "recipe.json");
  other.lr /= 2;
  ck_assert_ok(ctx, as_recipe_write(ctx, &other, in_folder("out/training/recipe.json")));
  resume_to_the_end(in_folder("out"), -1);
  as_recipe_free(ctx, &other);
  end();
}
END_TEST

START_TEST(a_divergence_names_step_and_lines_and_keeps_the_checkpoint) {
  begin();
  as_recipe recipe = usual();
  as_training_result result;
  ear e;
  as_training_listener listener = listen(&e, -1);
  recipe.epochs = 50;
  recipe.batch_rows = 24;
  recipe.lr = 10;
  recipe.weight_decay = 10; /* each step multiplies the weights by -99 */
  recipe.warmup = 0;
  recipe.max_grad_norm = 0;
  recipe.patience = 0;
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder("out"), false, &listener, &result), AS_E_DIVERGED,
                    "data.csv");
  char step[32];
  snprintf(step, sizeof step, "step %lld:", (long long)e.steps + 1);
  ck_assert_msg(strstr(as_error_text(ctx), step) != NULL, "lacks \"%s\": %s", step, as_error_text(ctx));
  ck_assert_msg(strstr(as_error_text(ctx), "lines ") != NULL, "%s", as_error_text(ctx));
  ck_assert_int_ge(e.epochs, 1);
  ck_assert_int_ge(count_entries(in_folder("out"), "checkpoint-"), 1);
  ck_assert_refused(ctx, as_train_classifier_resume(ctx, in_folder("out"), NULL, &result), AS_E_DIVERGED, "diverged");
  end();
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {any_number_of_threads_gives_the_same_bytes,
                                an_interrupted_run_ends_as_if_undisturbed,
                                a_run_interrupted_at_every_step_ends_as_if_undisturbed,
                                accumulation_and_token_batches_resume_too,
                                recomputing_changes_no_byte,
                                another_seed_gives_other_weights,
                                early_stopping_keeps_the_best_epoch,
                                patience_0_runs_all_epochs_and_keeps_the_last,
                                without_validation_every_row_trains,
                                a_validation_file_is_used_and_may_have_no_other_label,
                                two_checkpoints_and_the_best_are_kept,
                                a_folder_in_use_is_refused_without_overwrite,
                                an_empty_training_folder_is_no_run,
                                a_failed_start_leaves_the_folder_free,
                                a_checkpoint_must_fit_on_the_disk,
                                a_failed_start_leaves_no_folder_behind,
                                a_run_without_its_log_goes_on,
                                changed_data_and_changed_recipes_are_refused_at_resume,
                                a_divergence_names_step_and_lines_and_keeps_the_checkpoint};
  Suite *suite = suite_create("training");
  as_small_cases(suite, tests, sizeof tests / sizeof tests[0]);
  return suite;
}
