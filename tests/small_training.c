#include "tests/small_training.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const as_classification_task *as_small_task;

static void begin_intent(void) {
  as_small_task = &as_intent_task;
}
static void begin_sentiment(void) {
  as_small_task = &as_sentiment_task;
}

void as_small_cases(Suite *suite, const TTest *const *tests, size_t count) {
  static void (*const begin[])(void) = {begin_intent, begin_sentiment};
  static char names[64][200];                                         /* which the cases keep pointers to */
  if (2 * count > sizeof names / sizeof names[0]) exit(EXIT_FAILURE); /* no test runs yet that could fail */
  for (size_t i = 0; i < 2 * count; i++) {
    snprintf(names[i], sizeof names[i], "%s, %s", as_classification_tasks[i % 2]->name, tests[i / 2]->name);
    TCase *tcase = tcase_create(names[i]);
    tcase_add_checked_fixture(tcase, begin[i % 2], NULL);
    tcase_add_test(tcase, tests[i / 2]);
    suite_add_tcase(suite, tcase);
  }
}

const char *as_small_path(const char *folder, const char *name) {
  static char paths[16][4200];
  static unsigned turn;
  char *path = paths[turn++ % 16];
  if (snprintf(path, sizeof paths[0], "%s/%s", folder, name) >= (int)sizeof paths[0])
    ck_abort_msg("path too long: %s", name);
  return path;
}

const char *as_small_csv(as_context *ctx, const char *folder, const char *name, int rows, int variant) {
  static const char *const openings[3] = {"I want to buy", "please take back", "where is"};
  static const char *const things[5] = {"the red lamp", "a chair", "my parcel", "two books about birds",
                                        "this old coat"};
  static const char *const labels[3] = {"buy", "return", "track"};
  const char *path = as_small_path(folder, name);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_buffer_printf(&out, "content,%s\n", as_small_task->label_column);
  for (int i = 0; i < rows; i++) {
    int number = i + 1000 * variant;
    as_buffer_printf(&out, "%s %s", openings[i % 3], things[(number / 3) % 5]);
    for (int more = 0; more < number % 4; more++) as_buffer_text(&out, " today");
    as_buffer_printf(&out, " %d,%s\n", number, labels[i % 3]);
  }
  ck_assert_ok(ctx, as_file_write(ctx, path, out.data, out.length));
  as_buffer_free(&out);
  return path;
}

const char *as_small_csv_of(as_context *ctx, const char *folder, const char *name, const char *rows) {
  const char *path = as_small_path(folder, name);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_buffer_printf(&out, "content,%s\n%s", as_small_task->label_column, rows);
  ck_assert_ok(ctx, as_file_write(ctx, path, out.data, out.length));
  as_buffer_free(&out);
  return path;
}

as_recipe as_small_recipe(const char *csv) {
  static char size[] = "tiny", label[64], architecture[64], data[8][4200];
  static unsigned turn;
  as_recipe recipe = as_recipe_preset(size);
  recipe.size = size;
  snprintf(label, sizeof label, "%s", as_small_task->label_column);
  snprintf(architecture, sizeof architecture, "%s", as_small_task->architecture);
  recipe.label_column = label;
  recipe.architecture = architecture;
  recipe.data = data[turn++ % 8];
  snprintf(recipe.data, sizeof data[0], "%s", csv);
  recipe.epochs = 2;
  recipe.batch_rows = 8;
  recipe.max_length = 24;
  recipe.vocab_size = 300;
  return recipe;
}

void as_small_train(as_context *ctx, const as_recipe *recipe, const char *out) {
  as_training_result result;
  ck_assert_ok(ctx, as_train_classifier(ctx, recipe, out, false, NULL, &result));
}

void as_assert_same_file(as_context *ctx, const char *a, const char *b) {
  char *bytes_a, *bytes_b;
  size_t length_a, length_b;
  ck_assert_ok(ctx, as_file_read(ctx, a, 0, AS_E_IO, &bytes_a, &length_a));
  ck_assert_ok(ctx, as_file_read(ctx, b, 0, AS_E_IO, &bytes_b, &length_b));
  size_t at = 0;
  while (at < length_a && at < length_b && bytes_a[at] == bytes_b[at]) at++;
  if (at < length_a || at < length_b)
    ck_abort_msg("%s (%zu bytes) and %s (%zu) differ from byte %zu on", a, length_a, b, length_b, at);
  as_free(ctx, bytes_a);
  as_free(ctx, bytes_b);
}

void as_assert_same_weights(as_context *ctx, const char *folder_a, const char *folder_b) {
  as_assert_same_file(ctx, as_small_path(folder_a, "model.safetensors"), as_small_path(folder_b, "model.safetensors"));
}
