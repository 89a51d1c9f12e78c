/* Domain pretraining: masks as they are drawn, and runs, which are the same bytes whatever the threads, the
 * recomputation and the interruptions; the folders that go in and come out; what must be refused; failing allocations.
 */
#include "tests/small_training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/encoder.h"
#include "tokenizer/trainer.h"
#include "train/masking.h"
#include "train/pretraining.h"

static as_context *ctx;
static const char *folder;
static const char *const architectures[] = {"distilbert", "roberta"};
enum { ARCHITECTURES = 2, TEXTS = 60 };

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

/* ---- masks ------------------------------------------------------------------------------------------------------ */
static as_status next_text(void *user, const char **text, size_t *length) {
  static const char words[] = "where is my red lamp and who has seen the two books about birds of the old house";
  int *given = user;
  *text = (*given)++ ? NULL : words;
  *length = sizeof words - 1;
  return AS_OK;
}

static as_tokenizer *small_tokenizer(void) {
  as_tokenizer *tokenizer;
  int given = 0;
  ck_assert_ok(ctx, as_tokenizer_train(ctx, "WordPiece", 120, next_text, &given, &tokenizer));
  return tokenizer;
}

START_TEST(masks_have_their_shares_and_spare_special_tokens) {
  enum { LENGTH = 40, ROWS = 2000 };
  begin();
  as_tokenizer *tokenizer = small_tokenizer();
  as_masking masking;
  ck_assert_ok(ctx, as_masking_init(&masking, ctx, tokenizer, 3, "here"));
  int32_t cls = as_tokenizer_special(tokenizer, AS_TOKEN_CLS), sep = as_tokenizer_special(tokenizer, AS_TOKEN_SEP);
  int32_t mask = as_tokenizer_special(tokenizer, AS_TOKEN_MASK), plain = masking.vocab_size - 1;
  int64_t chosen = 0, masked = 0, kept = 0, drawn = 0;
  for (int64_t row = 0; row < ROWS; row++) {
    int32_t ids[LENGTH], places[LENGTH], labels[LENGTH];
    for (int i = 0; i < LENGTH; i++) ids[i] = plain;
    ids[0] = cls;
    ids[LENGTH - 1] = sep;
    int64_t count = as_masking_count(&masking, 1, row, ids, LENGTH);
    ck_assert_int_eq(as_masking_apply(&masking, 1, row, ids, LENGTH, places, labels), count);
    ck_assert(ids[0] == cls && ids[LENGTH - 1] == sep);
    for (int64_t i = 0; i < count; i++) {
      ck_assert(places[i] > 0 && places[i] < LENGTH - 1 && (i == 0 || places[i] > places[i - 1]));
      ck_assert_int_eq(labels[i], plain);
      int32_t now = ids[places[i]];
      ck_assert(now >= 0 && now < masking.vocab_size);
      masked += now == mask;
      kept += now == plain;
      drawn += now != mask && now != plain;
    }
    int64_t changed = 0;
    for (int i = 1; i < LENGTH - 1; i++) changed += ids[i] != plain;
    ck_assert_int_le(changed, count);
    chosen += count;
  }
  /* Four standard deviations of a binomial share; a drawn token may be the mask or the one that stood there. */
  double n = ROWS * (LENGTH - 2), share = (double)chosen / n, of = (double)chosen;
  ck_assert_msg(fabs(share - 0.15) < 4 * sqrt(0.15 * 0.85 / n), "%g of the tokens are chosen", share);
  ck_assert_msg(fabs((double)masked / of - 0.8) < 4 * sqrt(0.16 / of) + 0.1 / masking.vocab_size, "%g are masked",
                (double)masked / of);
  ck_assert_msg(fabs((double)kept / of - 0.1) < 4 * sqrt(0.09 / of) + 0.1 / masking.vocab_size, "%g are kept",
                (double)kept / of);
  ck_assert_msg(fabs((double)drawn / of - 0.1) < 4 * sqrt(0.09 / of) + 0.2 / masking.vocab_size, "%g are drawn",
                (double)drawn / of);
  as_masking_free(&masking);
  as_tokenizer_free(tokenizer);
  end();
}
END_TEST

static void mask_one(const as_masking *masking, uint32_t epoch, int64_t row, int32_t ids[32]) {
  int32_t places[32], labels[32];
  for (int i = 0; i < 32; i++) ids[i] = masking->vocab_size - 1;
  as_masking_apply(masking, epoch, row, ids, 32, places, labels);
}

START_TEST(a_mask_follows_from_seed_epoch_and_row) {
  begin();
  as_tokenizer *tokenizer = small_tokenizer();
  as_masking masking, other;
  ck_assert_ok(ctx, as_masking_init(&masking, ctx, tokenizer, 3, "here"));
  ck_assert_ok(ctx, as_masking_init(&other, ctx, tokenizer, 4, "here"));
  int32_t first[32], again[32], changed[32];
  mask_one(&masking, 2, 7, first);
  mask_one(&masking, 2, 8, changed);
  ck_assert(memcmp(first, changed, sizeof first) != 0);
  mask_one(&masking, 3, 7, changed);
  ck_assert(memcmp(first, changed, sizeof first) != 0);
  mask_one(&masking, 2, 7 + ((int64_t)1 << 32), changed);
  ck_assert(memcmp(first, changed, sizeof first) != 0);
  mask_one(&other, 2, 7, changed);
  ck_assert(memcmp(first, changed, sizeof first) != 0);
  mask_one(&masking, 2, 7, again);
  ck_assert(memcmp(first, again, sizeof first) == 0);
  as_masking_free(&masking);
  as_masking_free(&other);
  as_tokenizer_free(tokenizer);
  end();
}
END_TEST

/* ---- runs ------------------------------------------------------------------------------------------------------- */
/* A file with a text a line, or CSV. */
static const char *write_texts(const char *name, bool csv) {
  static const char *const openings[3] = {"I want to buy", "please take back", "where is"};
  static const char *const things[5] = {"the red lamp", "a chair", "my parcel", "two books about birds",
                                        "this old coat"};
  as_buffer out;
  as_buffer_init(&out, ctx);
  if (csv) as_buffer_text(&out, "number,content\n");
  for (int i = 0; i < TEXTS; i++) {
    if (csv) as_buffer_printf(&out, "%d,", i);
    as_buffer_printf(&out, "%s %s", openings[i % 3], things[(i / 3) % 5]);
    for (int more = 0; more < i % 4; more++) as_buffer_text(&out, " today");
    as_buffer_printf(&out, " %d\n", i);
  }
  ck_assert_ok(ctx, as_file_write(ctx, in_folder(name), out.data, out.length));
  as_buffer_free(&out);
  return in_folder(name);
}

static as_recipe usual(int architecture) {
  static char size[] = "tiny", name[2][16], data[8][4200];
  static unsigned turn;
  as_recipe recipe = as_pretraining_preset(size);
  recipe.size = size;
  recipe.architecture = name[architecture];
  snprintf(recipe.architecture, sizeof name[0], "%s", architectures[architecture]);
  recipe.data = data[turn++ % 8];
  snprintf(recipe.data, sizeof data[0], "%s", write_texts("data.csv", true));
  recipe.epochs = 3;
  recipe.batch_tokens = 100;
  recipe.max_length = 24;
  recipe.vocab_size = 300;
  return recipe;
}

/* The first seed by which the validation row 0 has no token hidden in the places 1 to 3, or by which that of place 1 is
 * hidden: masks depend on places, not on tokens. */
static int64_t seed_that(bool hides) {
  uint8_t special[1] = {0};
  const int32_t ids[4] = {0};
  as_masking masking = {.special = special, .seed = 1};
  for (;; masking.seed++) {
    int32_t changed[2] = {0}, places[2], labels[2];
    int64_t of_all = as_masking_count(&masking, AS_MASK_VALIDATION, 0, ids, 4);
    int64_t of_two = as_masking_apply(&masking, AS_MASK_VALIDATION, 0, changed, 2, places, labels);
    if (hides ? of_two > 0 && places[of_two - 1] == 1 : of_all == 0) return (int64_t)masking.seed;
  }
}

typedef struct ear {
  int64_t asked, stop_after;
  int64_t epochs, bytes;
  double first_loss, perplexity, valid_loss;
  bool head_absent, validated, noted; /* noted: that nothing is measured */
} ear;

static bool interrupted(void *user) {
  ear *e = user;
  return e->stop_after >= 0 && ++e->asked > e->stop_after;
}
static void hear_epoch(void *user, const as_training_epoch *epoch) {
  ear *e = user;
  if (!e->epochs++) e->first_loss = epoch->train_loss;
  e->perplexity = as_training_epoch_metric(epoch, "perplexity");
  e->valid_loss = epoch->valid_loss;
  e->validated = epoch->validated;
}
static void hear_note(void *user, const char *text) {
  if (strstr(text, "nothing is measured")) ((ear *)user)->noted = true;
}
static void hear_summary(void *user, const as_training_summary *summary) {
  ((ear *)user)->head_absent = summary->head_absent;
  ((ear *)user)->bytes = (int64_t)(summary->parameter_bytes + summary->graph_bytes);
  ck_assert_ptr_null(summary->labels);
}
static as_training_listener listen(ear *e, int64_t stop_after) {
  *e = (ear){.stop_after = stop_after};
  return (as_training_listener){
      .summary = hear_summary, .epoch = hear_epoch, .note = hear_note, .interrupted = interrupted, .user = e};
}

static void pretrain_with(as_context *with, const as_recipe *recipe, const char *out) {
  as_training_result result;
  ck_assert_ok(with, as_pretrain(with, recipe, out, false, NULL, &result));
}

static void assert_same_run(const char *out, const char *undisturbed) {
  static const char *const files[] = {"model.safetensors", "train.jsonl", "config.json", "tokenizer.json",
                                      "recipe.json"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    as_assert_same_file(ctx, as_small_path(out, files[i]), as_small_path(undisturbed, files[i]));
  ck_assert_msg(!as_path_exists(as_small_path(out, "training")), "the optimizer's state is still there");
}

START_TEST(any_number_of_threads_gives_the_same_bytes) {
  begin();
  as_recipe recipe = usual(_i);
  pretrain_with(ctx, &recipe, in_folder("one"));
  for (int threads = 2; threads <= 8; threads = threads == 2 ? 3 : threads + 5) {
    as_context *other = as_test_context(threads);
    char name[32];
    snprintf(name, sizeof name, "threads-%d", threads);
    pretrain_with(other, &recipe, in_folder(name));
    assert_same_run(in_folder(name), in_folder("one"));
    as_test_context_free(other);
  }
  end();
}
END_TEST

START_TEST(an_interrupted_run_ends_as_if_undisturbed) {
  static const int64_t stops[] = {0, 2, 3, 7, 8, 9, 12};
  begin();
  as_recipe recipe = usual(_i);
  recipe.accumulate = 2;
  recipe.batch_tokens = 60;
  pretrain_with(ctx, &recipe, in_folder("whole"));
  for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
    ear e;
    as_training_result result;
    as_training_listener listener = listen(&e, stops[i]);
    char name[32];
    snprintf(name, sizeof name, "stop-%d", (int)stops[i]);
    ck_assert_refused(ctx, as_pretrain(ctx, &recipe, in_folder(name), false, &listener, &result), AS_E_INTERRUPTED,
                      "--resume");
    as_status status = AS_E_INTERRUPTED;
    for (int times = 0; status == AS_E_INTERRUPTED; times++) {
      ck_assert_int_lt(times, 100);
      listener = listen(&e, 4);
      status = as_pretrain_resume(ctx, in_folder(name), &listener, &result);
    }
    ck_assert_ok(ctx, status);
    assert_same_run(in_folder(name), in_folder("whole"));
  }
  end();
}
END_TEST

START_TEST(recomputing_changes_no_byte) {
  begin();
  as_recipe recipe = usual(_i);
  pretrain_with(ctx, &recipe, in_folder("mode-0"));
  for (int mode = 1; mode <= 2; mode++) {
    char name[32];
    snprintf(name, sizeof name, "mode-%d", mode);
    recipe.recompute = mode;
    pretrain_with(ctx, &recipe, in_folder(name));
    as_assert_same_weights(ctx, in_folder(name), in_folder("mode-0"));
  }
  end();
}
END_TEST

START_TEST(a_text_a_line_trains_as_the_column_of_a_csv_file_does) {
  begin();
  as_recipe recipe = usual(_i);
  pretrain_with(ctx, &recipe, in_folder("csv"));
  snprintf(recipe.data, 4200, "%s", write_texts("texts.txt", false));
  pretrain_with(ctx, &recipe, in_folder("txt"));
  as_assert_same_weights(ctx, in_folder("csv"), in_folder("txt"));
  end();
}
END_TEST

START_TEST(it_learns_and_reports_the_perplexity_of_what_it_keeps) {
  begin();
  as_recipe recipe = usual(_i);
  ear e;
  as_training_result result;
  recipe.epochs = 12;
  recipe.lr = 3e-3;
  recipe.patience = 0;
  as_training_listener listener = listen(&e, -1);
  ck_assert_ok(ctx, as_pretrain(ctx, &recipe, in_folder("model"), false, &listener, &result));
  ck_assert_double_eq_tol(e.perplexity, exp(e.valid_loss), 1e-9 * e.perplexity);
  ck_assert_double_eq(result.watched, -e.valid_loss);
  ck_assert_msg(e.valid_loss < e.first_loss - 1, "from %g to %g", e.first_loss, e.valid_loss);
  end();
}
END_TEST

/* Few rows to measure on may have no hidden token: that is no perplexity of 1. */
START_TEST(validation_rows_without_a_hidden_token_are_not_measured) {
  begin();
  as_recipe recipe = usual(_i);
  ear e;
  as_training_result result;
  char valid[4200];
  snprintf(valid, sizeof valid, "%s", in_folder("valid.txt"));
  ck_assert_ok(ctx, as_file_write(ctx, valid, "a\n", 2));
  recipe.valid = valid;
  recipe.patience = 1;
  recipe.seed = seed_that(false);
  as_training_listener listener = listen(&e, -1);
  ck_assert_ok(ctx, as_pretrain(ctx, &recipe, in_folder("spared"), false, &listener, &result));
  ck_assert(!e.validated && e.noted && isnan(result.watched));
  ck_assert_int_eq(result.best_epoch, recipe.epochs); /* none stopped it */
  recipe.seed = seed_that(true);
  listener = listen(&e, -1);
  ck_assert_ok(ctx, as_pretrain(ctx, &recipe, in_folder("hidden"), false, &listener, &result));
  ck_assert(e.validated && !e.noted && e.perplexity > 1);
  end();
}
END_TEST

START_TEST(a_folder_with_a_head_goes_on_with_it) {
  begin();
  as_recipe recipe = usual(_i);
  ear e;
  as_training_result result;
  recipe.epochs = 12;
  recipe.lr = 3e-3;
  pretrain_with(ctx, &recipe, in_folder("model"));
  char from[4200];
  snprintf(from, sizeof from, "%s", in_folder("model"));
  recipe.from = from;
  recipe.size = recipe.architecture = NULL;
  recipe.epochs = 1;
  recipe.lr = 1e-4;
  as_training_listener listener = listen(&e, -1);
  ck_assert_ok(ctx, as_pretrain(ctx, &recipe, in_folder("more"), false, &listener, &result));
  ck_assert(!e.head_absent);
  ck_assert_msg(e.first_loss < log(300) - 1, "the first loss is %g", e.first_loss);
  end();
}
END_TEST

START_TEST(a_classifier_starts_from_it_and_it_from_a_classifier) {
  begin();
  ear e;
  as_training_result result;
  as_recipe recipe = usual(_i);
  as_small_task = &as_intent_task;
  char model[4200], classifier[4200];
  pretrain_with(ctx, &recipe, in_folder("model"));
  snprintf(model, sizeof model, "%s", in_folder("model"));
  as_recipe tuning = as_small_recipe(as_small_csv(ctx, folder, "labelled.csv", 48, 0));
  tuning.from = model;
  tuning.size = tuning.architecture = NULL;
  tuning.epochs = 1;
  ck_assert_ok(ctx, as_train_task(ctx, &as_intent_task, &tuning, in_folder("classifier"), false, NULL, &result));
  snprintf(classifier, sizeof classifier, "%s", in_folder("classifier"));
  recipe.from = classifier;
  recipe.size = recipe.architecture = NULL;
  as_training_listener listener = listen(&e, -1);
  ck_assert_ok(ctx, as_pretrain(ctx, &recipe, in_folder("again"), false, &listener, &result));
  ck_assert(e.head_absent);
  ck_assert_str_eq(as_test_warnings(ctx), "");
  /* Written over a classifier, it is none. */
  recipe.from = model;
  ck_assert(as_path_exists(as_small_path(classifier, "assistify.json")));
  ck_assert_ok(ctx, as_pretrain(ctx, &recipe, classifier, true, NULL, &result));
  ck_assert(!as_path_exists(as_small_path(classifier, "assistify.json")));
  end();
}
END_TEST

START_TEST(a_memory_limit_refuses_or_adapts) {
  begin();
  as_recipe recipe = usual(_i);
  ear all, adapted;
  as_training_result result;
  as_training_listener listener = listen(&all, -1);
  ck_assert_ok(ctx, as_pretrain(ctx, &recipe, in_folder("all"), false, &listener, &result));
  recipe.memory_limit = all.bytes - 1;
  ck_assert_refused(ctx, as_pretrain(ctx, &recipe, in_folder("refused"), false, NULL, &result), AS_E_LIMIT, "MiB");
  recipe.memory_auto = true;
  listener = listen(&adapted, -1);
  ck_assert_ok(ctx, as_pretrain(ctx, &recipe, in_folder("adapted"), false, &listener, &result));
  ck_assert_int_le(adapted.bytes, recipe.memory_limit);
  as_assert_same_weights(ctx, in_folder("all"), in_folder("adapted")); /* recomputing was enough */
  end();
}
END_TEST

START_TEST(the_wrong_command_does_not_resume) {
  begin();
  as_recipe recipe = usual(_i);
  ear e;
  as_training_result result;
  as_training_listener listener = listen(&e, 6);
  ck_assert_int_eq(as_pretrain(ctx, &recipe, in_folder("run"), false, &listener, &result), AS_E_INTERRUPTED);
  ck_assert_refused(ctx, as_train_classifier_resume(ctx, in_folder("run"), NULL, &result), AS_E_MODEL,
                    "is of another kind (pretraining)");
  ck_assert_ok(ctx, as_pretrain_resume(ctx, in_folder("run"), NULL, &result));
  end();
}
END_TEST

/* Makes the mask token one that is in no vocabulary. */
static void rename_mask(const char *path) {
  static const char *const masks[] = {"[MASK]", "<mask>"};
  char *text, *at;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_IO, &text, &length));
  for (int i = 0; i < 2; i++)
    while ((at = strstr(text, masks[i]))) memcpy(at, i ? "<gone>" : "[GONE]", 6);
  ck_assert_ok(ctx, as_file_write(ctx, path, text, length));
  as_free(ctx, text);
}

START_TEST(what_cannot_be_is_refused) {
  begin();
  as_recipe recipe = usual(_i), wrong = recipe;
  as_training_result result;
  char label[] = "number", data[4200];
  wrong.label_column = label;
  ck_assert_refused(ctx, as_pretrain(ctx, &wrong, in_folder("out"), false, NULL, &result), AS_E_INVALID,
                    "label column");
  wrong = recipe;
  wrong.text_column = label + 6; /* "" */
  ck_assert_refused(ctx, as_pretrain(ctx, &wrong, in_folder("out"), false, NULL, &result), AS_E_DATA,
                    "data.csv: line 1");
  static const char bytes[] = "good text\nbad \xff text\n\ngood again\n";
  ck_assert_ok(ctx, as_file_write(ctx, in_folder("bytes.txt"), bytes, sizeof bytes - 1));
  wrong = recipe;
  wrong.data = data;
  snprintf(data, sizeof data, "%s", in_folder("bytes.txt"));
  char utf8[] = "utf-8";
  wrong.encoding = utf8;
  ck_assert_refused(ctx, as_pretrain(ctx, &wrong, in_folder("out"), false, NULL, &result), AS_E_DATA,
                    "bytes.txt: line 2: ");
  ck_assert(!as_path_exists(in_folder("out")));
  /* A tokenizer without a mask token. */
  pretrain_with(ctx, &recipe, in_folder("model"));
  char from[4200];
  snprintf(from, sizeof from, "%s", in_folder("model"));
  static const char *const files[] = {"tokenizer_config.json", "special_tokens_map.json"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) rename_mask(as_small_path(from, files[i]));
  wrong = recipe;
  wrong.from = from;
  wrong.size = wrong.architecture = NULL;
  ck_assert_refused(ctx, as_pretrain(ctx, &wrong, in_folder("out"), false, NULL, &result), AS_E_MODEL,
                    "model: the tokenizer has no mask token");
  end();
}
END_TEST

START_TEST(a_failing_allocation_ends_it_without_a_leak) {
  begin();
  as_recipe recipe = usual(_i);
  as_training_result result;
  recipe.epochs = 1;
  recipe.vocab_size = _i ? 280 : 100;
  uint64_t before = as_allocation_count(ctx);
  pretrain_with(ctx, &recipe, in_folder("whole"));
  uint64_t all = as_allocation_count(ctx) - before, n = 1;
  for (bool failed = true; failed; n += all / 80 + 1) {
    as_test_fail_at(ctx, n);
    as_status status = as_pretrain(ctx, &recipe, in_folder("failing"), true, NULL, &result);
    failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    if (failed)
      ck_assert_msg(status == AS_E_NOMEM, "allocation %d failed: status %d, %s", (int)n, (int)status,
                    as_error_text(ctx));
    ck_assert_msg(as_memory_used(ctx) == 0, "allocation %d failed: %zu bytes leaked", (int)n, as_memory_used(ctx));
  }
  as_assert_same_weights(ctx, in_folder("whole"), in_folder("failing"));
  end();
}
END_TEST

Suite *as_suite(void) {
  const TTest *const of_each[] = {any_number_of_threads_gives_the_same_bytes,
                                  an_interrupted_run_ends_as_if_undisturbed,
                                  recomputing_changes_no_byte,
                                  a_text_a_line_trains_as_the_column_of_a_csv_file_does,
                                  it_learns_and_reports_the_perplexity_of_what_it_keeps,
                                  validation_rows_without_a_hidden_token_are_not_measured,
                                  a_folder_with_a_head_goes_on_with_it,
                                  a_classifier_starts_from_it_and_it_from_a_classifier,
                                  a_memory_limit_refuses_or_adapts,
                                  the_wrong_command_does_not_resume,
                                  what_cannot_be_is_refused,
                                  a_failing_allocation_ends_it_without_a_leak};
  Suite *suite = suite_create("pretraining");
  TCase *masks = tcase_create("masks"), *runs = tcase_create("runs");
  tcase_add_test(masks, masks_have_their_shares_and_spare_special_tokens);
  tcase_add_test(masks, a_mask_follows_from_seed_epoch_and_row);
  for (size_t i = 0; i < sizeof of_each / sizeof of_each[0]; i++)
    tcase_add_loop_test(runs, of_each[i], 0, ARCHITECTURES);
  suite_add_tcase(suite, masks);
  suite_add_tcase(suite, runs);
  return suite;
}
