/* LightFM's model: the exact replay against LightFM's own numbers, the kernels against their reference on every
 * instruction set, and training that does not depend on the number of threads. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "recommend/fit.h"
#include "recommend/pairwise.h"
#include "tests/harness.h"
#include "tests/program.h"

/* ---- against LightFM -------------------------------------------------------------------------------------------- */

/* Both texts have the same words; numbers may differ by 1e-6. */
static void assert_same_text(const char *file, const char *actual, const char *expected) {
  const char *a = actual, *b = expected;
  for (int64_t line = 1; *a || *b;) {
    char *end_a, *end_b;
    const double x = strtod(a, &end_a), y = strtod(b, &end_b);
    if (end_a != a && end_b != b && (*end_b == ' ' || *end_b == '\n')) {
      if (!(fabs(x - y) <= 1e-6 + 1e-6 * fabs(y))) ck_abort_msg("%s: line %d: %.17g, expected %.17g", file, (int)line, x, y);
      for (; b < end_b; b++) line += *b == '\n';
      a = end_a;
      continue;
    }
    if (*a != *b) ck_abort_msg("%s: line %d: '%.20s', expected '%.20s'", file, (int)line, a, b);
    line += *b == '\n';
    a++;
    b++;
  }
}

static void replay_file(as_context *ctx, const char *path) {
  char *expected;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_DATA, &expected, &length));
  const char *const words[] = {"inspect", "lightfm", path, NULL};
  as_program program = as_run_program(ctx, words);
  ck_assert_int_eq(program.code, 0);
  assert_same_text(path, program.out, expected);
  as_program_free(&program);
  as_free(ctx, expected);
}

static int replay_folder(as_context *ctx, const char *folder) {
  DIR *entries = opendir(folder);
  int files = 0;
  char path[4200];
  ck_assert_ptr_nonnull(entries);
  for (struct dirent *e; (e = readdir(entries)) != NULL;) {
    if (e->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    replay_file(ctx, path);
    files++;
  }
  closedir(entries);
  return files;
}

START_TEST(updates_epochs_and_predictions_are_lightfms) {
  as_context *ctx = as_test_context(1);
  ck_assert_int_ge(replay_folder(ctx, as_source_path("tests/golden/recommend/updates")), 4);
  ck_assert_int_ge(replay_folder(ctx, as_source_path("tests/golden/recommend/epochs")), 4);
  ck_assert_int_ge(replay_folder(ctx, as_source_path("tests/golden/recommend/predict")), 2);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(all_of_lightfms_golden_files_agree) {
  if (!getenv("ASSISTIFY_GOLDEN")) return;
  as_context *ctx = as_test_context(1);
  ck_assert_int_eq(replay_folder(ctx, as_golden("recommend/updates")), 16);
  ck_assert_int_eq(replay_folder(ctx, as_golden("recommend/epochs")), 8);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(random_numbers_are_lightfms) {
  static const uint32_t first[] = {798103066, 662333491, 2673421, 404012694};
  uint32_t state = 12345;
  for (size_t i = 0; i < 4; i++) ck_assert_uint_eq(as_lightfm_rand(&state), first[i]);
}
END_TEST

START_TEST(damaged_replay_files_are_refused) {
  static const struct {
    const char *text, *says;
  } cases[] = {
      {"", "no line 'd'"},
      {"d 0\n", "out of range"},
      {"d 2\nusers 1\nitems 1\nuser_features 1\n", "no line 'item_features'"},
      {"d 2\nusers 1\nitems 1\nuser_features 1\nitem_features 1\nuser_matrix_indptr 0 2\nuser_matrix_indices 0\n"
       "user_matrix_data 1\n", "out of range"},
      {"loss hinge\n", "must be warp"},
      {"loss warp\n", "adagrad or adadelta"},
      {"loss warp\nschedule adagrad\nd x\n", "line 3: d:"},
  };
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  char path[4200];
  snprintf(path, sizeof path, "%s/f.txt", folder);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ck_assert_ok(ctx, as_file_write(ctx, path, cases[i].text, strlen(cases[i].text)));
    const char *const words[] = {"inspect", "lightfm", path, NULL};
    as_program program = as_run_program(ctx, words);
    ck_assert_int_eq(program.code, 3);
    if (!strstr(program.err, cases[i].says)) ck_abort_msg("case %zu: %s", i, program.err);
    as_program_free(&program);
  }
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

/* ---- kernels ---------------------------------------------------------------------------------------------------- */

START_TEST(words_are_those_of_the_stream) {
  bool supported;
  for (size_t k = 0; as_pair_kernels_at(k, &supported); k++) {
    if (!supported) continue;
    uint32_t out[400];
    as_pair_kernels_at(k, NULL)->words(77, 0x1234500000022u, 4096, 400, out);
    as_random random = as_random_start(77, 0x1234500000022u);
    random.position = 4096;
    for (size_t i = 0; i < 400; i++) ck_assert_uint_eq(out[i], as_random_u32(&random));
  }
}
END_TEST

enum { USERS = 40, ITEMS = 30, GENRES = 4 };

/* A small problem: each user likes the items of its own remainder. */
typedef struct problem {
  int64_t starts[USERS + 1];
  int32_t users[USERS * ITEMS], items[USERS * ITEMS];
  float weights[USERS * ITEMS];
  int64_t feature_starts[ITEMS + 1];
  int32_t features[2 * ITEMS];
  float feature_weights[2 * ITEMS];
  as_fit_rows rows;
  as_feature_matrix user_matrix, item_matrix;
} problem;

static void make_problem(problem *p, bool features, bool weights) {
  int64_t n = 0;
  for (int32_t u = 0; u < USERS; u++) {
    for (int32_t i = 0; i < ITEMS; i++) {
      if (i % GENRES != u % GENRES || (i + u) % 3 == 0) continue;
      p->users[n] = u;
      p->items[n] = i;
      p->weights[n++] = (float)(1 + (u + i) % 3);
    }
    p->starts[u + 1] = n;
  }
  p->starts[0] = 0;
  for (int32_t i = 0; i <= ITEMS; i++) p->feature_starts[i] = 2 * i;
  for (int32_t i = 0; i < ITEMS; i++) {
    p->features[2 * i] = i;
    p->features[2 * i + 1] = ITEMS + i % GENRES;
    p->feature_weights[2 * i] = 1;
    p->feature_weights[2 * i + 1] = 0.5f;
  }
  p->rows = (as_fit_rows){n, p->users, p->items, weights ? p->weights : NULL, {p->starts, p->items}};
  p->user_matrix = as_feature_identity(USERS);
  p->item_matrix = as_feature_identity(ITEMS);
  if (features)
    p->item_matrix = (as_feature_matrix){ITEMS, ITEMS + GENRES, p->feature_starts, p->features, p->feature_weights};
}

typedef struct setting {
  as_lightfm_loss loss;
  as_lightfm_schedule schedule;
  bool features, weights;
  int32_t dim;
  double alpha;
} setting;
static const setting settings[] = {
    {AS_LIGHTFM_WARP, AS_LIGHTFM_ADAGRAD, false, false, 5, 0},       {AS_LIGHTFM_WARP, AS_LIGHTFM_ADADELTA, true, true, 17, 0.01},
    {AS_LIGHTFM_WARP_KOS, AS_LIGHTFM_ADAGRAD, true, false, 30, 0},   {AS_LIGHTFM_BPR, AS_LIGHTFM_ADAGRAD, false, true, 32, 0.001},
    {AS_LIGHTFM_LOGISTIC, AS_LIGHTFM_ADADELTA, false, true, 64, 0},  {AS_LIGHTFM_LOGISTIC, AS_LIGHTFM_ADAGRAD, true, false, 70, 0},
    {AS_LIGHTFM_WARP, AS_LIGHTFM_ADAGRAD, true, true, 14, 0.01},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static as_lightfm *fit(as_context *ctx, const setting *s, int64_t epochs, bool hogwild) {
  static problem p;
  as_lightfm *model;
  as_fit_options options = as_fit_options_usual();
  make_problem(&p, s->features, s->weights);
  options.loss = s->loss;
  options.item_alpha = options.user_alpha = s->alpha;
  options.epochs = epochs;
  options.max_sampled = 7;
  options.hogwild = hogwild;
  ck_assert_ok(ctx, as_lightfm_new(ctx, s->dim, s->schedule, p.item_matrix.features, USERS, 3, &model));
  ck_assert_ok(ctx, as_lightfm_fit(model, &p.user_matrix, &p.item_matrix, &p.rows, &options, NULL));
  return model;
}

START_TEST(instruction_sets_agree_with_the_reference) {
  bool supported;
  const setting *s = &settings[_i];
  setenv("ASSISTIFY_ISA", "scalar", 1);
  as_context *ctx = as_test_context(1);
  as_lightfm *expected = fit(ctx, s, 1, false);
  for (size_t k = 1; as_pair_kernels_at(k, &supported); k++) {
    if (!supported) continue;
    setenv("ASSISTIFY_ISA", as_pair_kernels_at(k, NULL)->isa, 1);
    as_context *other = as_test_context(1);
    as_lightfm *actual = fit(other, s, 1, false);
    const size_t items = (size_t)(actual->items.features * s->dim), users = (size_t)(USERS * s->dim);
    as_assert_close("items", actual->items.embeddings, expected->items.embeddings, items, 2e-5, 1e-4);
    as_assert_close("users", actual->users.embeddings, expected->users.embeddings, users, 2e-5, 1e-4);
    as_assert_close("biases", actual->items.biases, expected->items.biases, (size_t)actual->items.features, 2e-5, 1e-4);
    as_assert_close("squares", actual->items.embedding_sq, expected->items.embedding_sq, items, 1e-4, 1e-3);
    as_lightfm_free(actual);
    as_test_context_free(other);
  }
  as_lightfm_free(expected);
  as_test_context_free(ctx);
  unsetenv("ASSISTIFY_ISA");
}
END_TEST

/* How often a liked item is above one of another remainder. */
static double pairs_right(const as_lightfm *m, const setting *s) {
  static problem p;
  float u[100], a[100], b[100];
  int64_t right = 0, all = 0;
  make_problem(&p, s->features, s->weights);
  for (int32_t user = 0; user < USERS; user++)
    for (int32_t i = 0; i < ITEMS; i++)
      for (int32_t j = 0; j < ITEMS; j++) {
        if (i % GENRES != user % GENRES || j % GENRES == user % GENRES) continue;
        as_lightfm_represent(&m->users, m->dim, as_feature_row_of(&p.user_matrix, user), 1, u);
        as_lightfm_represent(&m->items, m->dim, as_feature_row_of(&p.item_matrix, i), 1, a);
        as_lightfm_represent(&m->items, m->dim, as_feature_row_of(&p.item_matrix, j), 1, b);
        right += as_lightfm_score(u, a, m->dim) > as_lightfm_score(u, b, m->dim);
        all++;
      }
  return (double)right / (double)all;
}

START_TEST(every_loss_learns_and_hogwild_too) {
  for (int hogwild = 0; hogwild < 2; hogwild++) {
    as_context *ctx = as_test_context(2);
    as_lightfm *m = fit(ctx, &settings[_i], 40, hogwild == 1);
    const double right = pairs_right(m, &settings[_i]);
    if (!(right > 0.95)) ck_abort_msg("setting %d, hogwild %d: only %.3f of the pairs are right", _i, hogwild, right);
    as_lightfm_free(m);
    as_test_context_free(ctx);
  }
}
END_TEST

START_TEST(threads_do_not_change_a_byte) {
  as_context *one = as_test_context(1);
  as_lightfm *expected = fit(one, &settings[_i], 3, false);
  for (int threads = 2; threads <= 5; threads += 3) {
    as_context *ctx = as_test_context(threads);
    as_lightfm *actual = fit(ctx, &settings[_i], 3, false);
    const size_t d = (size_t)actual->dim * sizeof(float);
    ck_assert_mem_eq(actual->items.embeddings, expected->items.embeddings, (size_t)actual->items.features * d);
    ck_assert_mem_eq(actual->users.embeddings, expected->users.embeddings, USERS * d);
    ck_assert_mem_eq(actual->items.embedding_sq, expected->items.embedding_sq, (size_t)actual->items.features * d);
    as_lightfm_free(actual);
    as_test_context_free(ctx);
  }
  as_lightfm_free(expected);
  as_test_context_free(one);
}
END_TEST

START_TEST(every_failing_allocation_is_reported_and_nothing_leaks) {
  static problem p;
  make_problem(&p, true, true);
  as_fit_options options = as_fit_options_usual();
  options.epochs = 1;
  for (uint64_t n = 1;; n++) {
    as_context *ctx = as_test_context(1);
    as_lightfm *model = NULL;
    as_test_fail_at(ctx, n);
    as_status status = as_lightfm_new(ctx, 6, AS_LIGHTFM_ADADELTA, ITEMS + GENRES, USERS, 1, &model);
    if (status == AS_OK) status = as_lightfm_fit(model, &p.user_matrix, &p.item_matrix, &p.rows, &options, NULL);
    const bool failed = as_test_failed_one(ctx);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    as_lightfm_free(model);
    as_test_context_free(ctx);
    if (!failed) break;
  }
}
END_TEST

START_TEST(wrong_options_and_rows_are_refused) {
  static problem p;
  as_context *ctx = as_test_context(1);
  as_lightfm *model;
  as_fit_options options = as_fit_options_usual();
  make_problem(&p, false, false);
  ck_assert_refused(ctx, as_lightfm_new(ctx, 0, AS_LIGHTFM_ADAGRAD, 3, 3, 1, &model), AS_E_INVALID, "dimension");
  ck_assert_ok(ctx, as_lightfm_new(ctx, 4, AS_LIGHTFM_ADAGRAD, ITEMS, USERS, 1, &model));
  options.max_sampled = 0;
  ck_assert_refused(ctx, as_lightfm_fit(model, &p.user_matrix, &p.item_matrix, &p.rows, &options, NULL), AS_E_INVALID,
                    "out of range");
  options = as_fit_options_usual();
  p.items[3] = ITEMS;
  ck_assert_refused(ctx, as_lightfm_fit(model, &p.user_matrix, &p.item_matrix, &p.rows, &options, NULL), AS_E_INVALID,
                    "row 3");
  make_problem(&p, true, false);
  ck_assert_refused(ctx, as_lightfm_fit(model, &p.user_matrix, &p.item_matrix, &p.rows, &options, NULL), AS_E_INVALID,
                    "fit");
  as_lightfm_free(model);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(ranks_are_counted) {
  bool supported;
  float scores[1003];
  for (int i = 0; i < 1003; i++) scores[i] = (float)((i * 37) % 101);
  for (size_t k = 0; as_pair_kernels_at(k, &supported); k++) {
    if (!supported) continue;
    int64_t equal, expected = 0, same = 0;
    for (int i = 0; i < 1003; i++) {
      expected += scores[i] > 50;
      same += scores[i] == 50;
    }
    ck_assert_int_eq(as_pair_kernels_at(k, NULL)->count_above(scores, 1003, 50, &equal), expected);
    ck_assert_int_eq(equal, same);
  }
}
END_TEST

START_TEST(a_permutation_has_every_place_once) {
  static const uint64_t counts[] = {1, 2, 3, 5, 64, 1000, 4097};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    bool met[4097] = {false};
    const as_permutation p = as_permutation_start(counts[c], 9, c);
    for (uint64_t i = 0; i < counts[c]; i++) {
      const uint64_t at = as_permutation_at(&p, i);
      ck_assert_uint_lt(at, counts[c]);
      ck_assert(!met[at]);
      met[at] = true;
    }
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("lightfm");
  TCase *tcase = tcase_create("lightfm");
  tcase_add_test(tcase, updates_epochs_and_predictions_are_lightfms);
  tcase_add_test(tcase, all_of_lightfms_golden_files_agree);
  tcase_add_test(tcase, random_numbers_are_lightfms);
  tcase_add_test(tcase, damaged_replay_files_are_refused);
  tcase_add_test(tcase, words_are_those_of_the_stream);
  tcase_add_loop_test(tcase, instruction_sets_agree_with_the_reference, 0, SETTINGS);
  tcase_add_loop_test(tcase, every_loss_learns_and_hogwild_too, 0, SETTINGS);
  tcase_add_loop_test(tcase, threads_do_not_change_a_byte, 0, SETTINGS);
  tcase_add_test(tcase, every_failing_allocation_is_reported_and_nothing_leaks);
  tcase_add_test(tcase, wrong_options_and_rows_are_refused);
  tcase_add_test(tcase, ranks_are_counted);
  tcase_add_test(tcase, a_permutation_has_every_place_once);
  suite_add_tcase(suite, tcase);
  return suite;
}
