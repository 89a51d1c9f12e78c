/* What the tests of training and of classifiers share: running each for every task, a small CSV file of three classes,
 * a recipe that trains a tiny model on it in a fraction of a second, and comparison of files. */
#ifndef AS_TESTS_SMALL_TRAINING_H
#define AS_TESTS_SMALL_TRAINING_H

#include "tests/harness.h"
#include "train/classifier.h"

/* The task that the running test is about: its label column is in the files, its architecture in the recipe. */
extern const as_classification_task *as_small_task;
/* Adds a case for each of the tests and each task. */
void as_small_cases(Suite *suite, const TTest *const *tests /* [count] */, size_t count);

/* folder/name; static memory, 16 in turn. */
const char *as_small_path(const char *folder, const char *name);

/* Writes folder/name with `rows` rows of text and label; row i is about label i % 3 of buy, return and track. The texts
 * are all different and of different lengths; another `variant` gives others. Returns the path, as as_small_path
 * does. */
const char *as_small_csv(as_context *ctx, const char *folder, const char *name, int rows, int variant);

/* Writes these rows under the same header. Returns the path, as as_small_path does. */
const char *as_small_csv_of(as_context *ctx, const char *folder, const char *name, const char *rows);

/* Tiny model, 2 epochs, batches of 8 rows, at most 24 tokens, a vocabulary of 300. Texts are borrowed: not to be freed.
 */
as_recipe as_small_recipe(const char *csv);

/* Trains without a listener; fails the test when that fails. */
void as_small_train(as_context *ctx, const as_recipe *recipe, const char *out);

/* Fails the test, naming both, unless the two files have the same bytes. */
void as_assert_same_file(as_context *ctx, const char *a, const char *b);
/* The same for model.safetensors of two folders. */
void as_assert_same_weights(as_context *ctx, const char *folder_a, const char *folder_b);

#endif
