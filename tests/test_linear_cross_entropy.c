/* linear_cross_entropy against as_linear and as_cross_entropy one after the other and against a plain sum in double,
 * with more rows than are held and than fit a chunk; and the same bits whatever is held. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tensor/node.h"
#include "tests/harness.h"

/* One pass over a problem; everything is kept for comparison. */
typedef struct problem {
  int64_t rows, in, classes;
  bool bias, tied;
  as_linear_cross_entropy_options options;
  float *x, *weight, *b, *dx, *dweight, *db;
  int32_t *labels, *ids;
  float loss;
} problem;

static float *numbers(size_t count, uint64_t stream, double scale) {
  float *x = malloc((count + 1) * sizeof *x);
  as_random random = as_random_start(3, stream);
  for (size_t i = 0; i < count; i++) x[i] = (float)(scale * as_random_normal(&random));
  return x;
}

static problem problem_new(int64_t rows, int64_t in, int64_t classes, bool bias, bool tied,
                           as_linear_cross_entropy_options o) {
  problem p = {rows, in, classes, bias, tied, o, .loss = NAN};
  size_t x = (size_t)(rows * in), w = (size_t)(classes * in);
  p.x = numbers(x, 1, 1);
  p.weight = numbers(w, 2, 0.3);
  p.b = numbers((size_t)classes, 3, 0.5);
  p.dx = numbers(x, 4, 1);
  p.dweight = numbers(w, 5, 1);
  p.db = numbers((size_t)classes, 6, 1);
  p.labels = malloc((size_t)(rows + 1) * sizeof *p.labels);
  p.ids = malloc((size_t)(rows + 1) * sizeof *p.ids);
  as_random random = as_random_start(4, 0);
  for (int64_t i = 0; i < rows; i++) {
    p.labels[i] = i % 7 == 3 ? o.ignore_index : (int32_t)as_random_below(&random, (uint32_t)classes);
    p.ids[i] = (int32_t)as_random_below(&random, (uint32_t)classes);
  }
  return p;
}

static void problem_free(problem *p) {
  free(p->x), free(p->weight), free(p->b), free(p->dx), free(p->dweight), free(p->db), free(p->labels), free(p->ids);
}

typedef enum how { FUSED, PLAIN } how;
typedef struct conditions {
  how how;
  int threads, recompute;
  bool accumulate;
} conditions;

static size_t run(problem *p, conditions c) {
  as_context *ctx = as_test_context(c.threads);
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  as_graph_set_recompute(g, c.recompute);
  as_graph_set_accumulate(g, c.accumulate);
  as_graph_set_debug(g, true);
  as_tensor *x = as_leaf(g, 2, (int64_t[]){p->rows, p->in}, p->x, p->dx);
  as_tensor *weight = as_leaf(g, 2, (int64_t[]){p->classes, p->in}, p->weight, p->dweight);
  as_tensor *bias = p->bias ? as_leaf(g, 1, &p->classes, p->b, p->db) : NULL;
  as_tensor *labels = as_input_i32(g, 1, &p->rows, p->labels), *hidden = x, *loss;
  if (p->tied) hidden = as_add(g, x, as_embedding(g, weight, as_input_i32(g, 1, &p->rows, p->ids), -1));
  if (c.how == FUSED) {
    loss = as_linear_cross_entropy(g, hidden, weight, bias, p->bias, labels, &p->options);
  } else {
    as_cross_entropy_options o = {NULL, p->options.label_smoothing, p->options.ignore_index, p->options.denominator};
    hidden = as_affine(g, hidden, p->options.scale, 0);
    loss = as_cross_entropy(g, as_linear(g, hidden, weight, bias, p->bias, AS_UNARY_NONE), labels, &o);
  }
  loss = as_affine(g, as_keep(g, loss), 3, 0); /* so that the gradient of the loss is not 1 */
  ck_assert_ok(ctx, as_graph_plan(g, loss));
  as_graph_forward(g);
  as_graph_backward(g, loss);
  ck_assert_str_eq(as_graph_debug_text(g), "");
  p->loss = *as_tensor_f32(g->nodes[g->nodes_count - 1]->inputs[0]);
  size_t bytes = as_graph_bytes(g);
  as_graph_free(g);
  as_test_context_free(ctx);
  return bytes;
}

static double greatest(const float *x, size_t count) {
  double most = 0;
  for (size_t i = 0; i < count; i++) most = fmax(most, fabs((double)x[i]));
  return most;
}

static void compare(const problem *a, const problem *b, double tolerance) {
  size_t x = (size_t)(a->rows * a->in), w = (size_t)(a->classes * a->in);
  as_assert_close("loss", &a->loss, &b->loss, 1, 0, tolerance);
  as_assert_close("gradient of x", a->dx, b->dx, x, tolerance * greatest(b->dx, x), 0);
  as_assert_close("gradient of the weight", a->dweight, b->dweight, w, tolerance * greatest(b->dweight, w), 0);
  if (a->bias)
    as_assert_close("gradient of the bias", a->db, b->db, (size_t)a->classes,
                    tolerance * greatest(b->db, (size_t)a->classes), 0);
}

static const struct {
  int64_t rows, in, classes;
  bool bias, tied;
  as_linear_cross_entropy_options options;
} shapes[] = {{1, 1, 2, true, false, {1, 0, -100, 0}},
              {3, 17, 65, false, true, {0.25, 0, -100, 0}},
              {70, 7, 129, true, true, {1, 0.1, -1, 50}},
              {200, 65, 3001, true, true, {0.5, 0.2, -100, 0}},
              {301, 20, 50003, true, false, {1, 0, -100, 0}}};
enum { SHAPES = sizeof shapes / sizeof *shapes };
static problem shape(int i) {
  return problem_new(shapes[i].rows, shapes[i].in, shapes[i].classes, shapes[i].bias, shapes[i].tied,
                     shapes[i].options);
}

/* Terms of the longest sum; rounding errors of both sides grow with its square root. */
static int64_t longest_sum(const problem *p) {
  return p->classes > p->rows ? p->classes : p->rows;
}

START_TEST(is_what_linear_and_cross_entropy_give) {
  for (int accumulate = 0; accumulate <= 1; accumulate++) {
    problem fused = shape(_i), plain = shape(_i);
    run(&fused, (conditions){FUSED, 2, 0, accumulate});
    run(&plain, (conditions){PLAIN, 2, 0, accumulate});
    compare(&fused, &plain, 1e-7 * sqrt((double)(100 + longest_sum(&fused))));
    problem_free(&fused);
    problem_free(&plain);
  }
}
END_TEST

START_TEST(is_what_the_formula_gives) {
  problem p = shape(2);
  const double e = p.options.label_smoothing, scale = p.options.scale;
  double loss = 0, *z = malloc((size_t)p.classes * sizeof *z);
  p.tied = false;
  run(&p, (conditions){FUSED, 1, 0, false});
  for (int64_t i = 0; i < p.rows; i++) {
    double total = 0, mean = 0;
    for (int64_t c = 0; c < p.classes; c++) {
      z[c] = (double)p.b[c];
      for (int64_t k = 0; k < p.in; k++) z[c] += scale * (double)p.x[i * p.in + k] * (double)p.weight[c * p.in + k];
      total += exp(z[c]);
      mean += z[c] / (double)p.classes;
    }
    if (p.labels[i] != p.options.ignore_index) loss += log(total) - (1 - e) * z[p.labels[i]] - e * mean;
  }
  ck_assert_msg(fabs((double)p.loss - loss / p.options.denominator) < 1e-6 * loss, "loss %.9g, expected %.9g",
                (double)p.loss, loss / p.options.denominator);
  free(z);
  problem_free(&p);
}
END_TEST

START_TEST(bits_depend_neither_on_threads_nor_on_what_is_held) {
  problem first = shape(_i);
  run(&first, (conditions){FUSED, 1, 0, false});
  for (int threads = 1; threads <= 8; threads = threads < 3 ? threads + 1 : threads + 5) {
    for (int recompute = 0; recompute <= 2; recompute++) {
      problem p = shape(_i);
      run(&p, (conditions){FUSED, threads, recompute, false});
      ck_assert(memcmp(&p.loss, &first.loss, sizeof p.loss) == 0);
      ck_assert(memcmp(p.dx, first.dx, (size_t)(p.rows * p.in) * sizeof(float)) == 0);
      ck_assert(memcmp(p.dweight, first.dweight, (size_t)(p.classes * p.in) * sizeof(float)) == 0);
      if (p.bias) ck_assert(memcmp(p.db, first.db, (size_t)p.classes * sizeof(float)) == 0);
      problem_free(&p);
    }
  }
  problem_free(&first);
}
END_TEST

/* More rows must not cost a row of logits each: 8,000 logits of 32 KB would be 260 MB. */
START_TEST(memory_does_not_grow_with_rows_times_classes) {
  as_linear_cross_entropy_options o = {1, 0, -100, 0};
  problem few = problem_new(1300, 8, 8000, false, false, o), many = problem_new(4000, 8, 8000, false, false, o);
  size_t small = run(&few, (conditions){FUSED, 2, 0, false}), large = run(&many, (conditions){FUSED, 2, 0, false});
  ck_assert_msg(large < small + ((size_t)1 << 20), "%zu and %zu bytes", small, large);
  size_t recomputed = run(&many, (conditions){FUSED, 2, 1, false});
  ck_assert_msg(recomputed < large, "%zu and %zu bytes", recomputed, large);
  problem_free(&few);
  problem_free(&many);
}
END_TEST

START_TEST(no_row_that_counts_gives_no_loss_and_no_gradient) {
  for (int64_t rows = 0; rows <= 5; rows += 5) {
    problem p = problem_new(rows, 3, 11, true, false, (as_linear_cross_entropy_options){1, 0, -100, 0});
    for (int64_t i = 0; i < rows; i++) p.labels[i] = -100;
    run(&p, (conditions){FUSED, 2, 0, false});
    ck_assert(p.loss == 0.0f);
    for (int i = 0; i < 33; i++) ck_assert(p.dweight[i] == 0.0f);
    for (int i = 0; i < 11; i++) ck_assert(p.db[i] == 0.0f);
    for (int64_t i = 0; i < rows * 3; i++) ck_assert(p.dx[i] == 0.0f);
    problem_free(&p);
  }
}
END_TEST

START_TEST(a_frozen_weight_leaves_the_gradient_of_x_as_it_is) {
  as_context *ctx = as_test_context(2);
  problem p = shape(3);
  p.tied = false;
  run(&p, (conditions){FUSED, 2, 0, false});
  float *dx = numbers((size_t)(p.rows * p.in), 9, 1);
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  as_tensor *x = as_leaf(g, 2, (int64_t[]){p.rows, p.in}, p.x, dx);
  as_tensor *weight = as_leaf(g, 2, (int64_t[]){p.classes, p.in}, p.weight, NULL),
            *bias = as_leaf(g, 1, &p.classes, p.b, NULL);
  as_tensor *loss = as_affine(
      g, as_linear_cross_entropy(g, x, weight, bias, true, as_input_i32(g, 1, &p.rows, p.labels), &p.options), 3, 0);
  ck_assert_ok(ctx, as_graph_plan(g, loss));
  as_graph_forward(g);
  as_graph_backward(g, loss);
  ck_assert(memcmp(dx, p.dx, (size_t)(p.rows * p.in) * sizeof *dx) == 0);
  free(dx);
  as_graph_free(g);
  problem_free(&p);
  as_test_context_free(ctx);
}
END_TEST

/* A table of which few rows get a gradient by the embedding gets one in every row by the output layer. */
START_TEST(a_tied_table_is_touched_in_every_row) {
  as_context *ctx = as_test_context(2);
  problem p = shape(1);
  uint8_t touched[65] = {0};
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  as_tensor *weight = as_leaf_table(g, p.classes, p.in, p.weight, p.dweight, touched);
  as_tensor *x = as_embedding(g, weight, as_input_i32(g, 1, &p.rows, p.ids), -1);
  as_tensor *loss =
      as_linear_cross_entropy(g, x, weight, NULL, false, as_input_i32(g, 1, &p.rows, p.labels), &p.options);
  ck_assert_ok(ctx, as_graph_plan(g, loss));
  as_graph_forward(g);
  as_graph_backward(g, loss);
  for (int i = 0; i < 65; i++) ck_assert_int_eq(touched[i], 1);
  as_graph_free(g);
  problem_free(&p);
  as_test_context_free(ctx);
}
END_TEST

static const struct refusal {
  int64_t x[2], weight[2], labels, bias;
  as_linear_cross_entropy_options options;
  const char *fragment;
} refusals[] = {{{2, 3}, {5, 4}, 2, 5, {1, 0, -100, 0}, "x must be [rows, in]"},
                {{2, 4}, {5, 4}, 3, 5, {1, 0, -100, 0}, "labels must be integers [rows]"},
                {{2, 4}, {5, 4}, 2, 4, {1, 0, -100, 0}, "the bias must be [classes]"},
                {{2, 4}, {0, 4}, 2, 0, {1, 0, -100, 0}, "x must be [rows, in]"},
                {{2, 4}, {5, 4}, 2, 5, {1, 1, -100, 0}, "label smoothing must be in [0, 1)"},
                {{2, 4}, {5, 4}, 2, 5, {NAN, 0, -100, 0}, "the scale finite"},
                {{2, 4}, {3, 4}, 2, 3, {1, 0, -100, 0}, "label 4 at row 1 is not in [0, 3)"}};
enum { REFUSALS = sizeof refusals / sizeof *refusals };

START_TEST(wrong_operands_are_refused) {
  as_context *ctx = as_test_context(1);
  const struct refusal *r = &refusals[_i];
  static const float data[64];
  static const int32_t labels[4] = {2, 4, 0, 0};
  as_graph *g = as_graph_new(ctx, AS_INFER);
  as_tensor *bias = as_input(g, 1, &r->bias, data);
  as_linear_cross_entropy(g, as_input(g, 2, r->x, data), as_input(g, 2, r->weight, data), bias, true,
                          as_input_i32(g, 1, &r->labels, labels), &r->options);
  ck_assert_refused(ctx, as_graph_plan(g, NULL), AS_E_INVALID, r->fragment);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "linear_cross_entropy: "));
  as_graph_free(g);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("linear_cross_entropy");
  TCase *tcase = tcase_create("linear_cross_entropy");
  tcase_add_loop_test(tcase, is_what_linear_and_cross_entropy_give, 0, SHAPES);
  tcase_add_test(tcase, is_what_the_formula_gives);
  tcase_add_loop_test(tcase, bits_depend_neither_on_threads_nor_on_what_is_held, 0, SHAPES);
  tcase_add_test(tcase, memory_does_not_grow_with_rows_times_classes);
  tcase_add_test(tcase, no_row_that_counts_gives_no_loss_and_no_gradient);
  tcase_add_test(tcase, a_frozen_weight_leaves_the_gradient_of_x_as_it_is);
  tcase_add_test(tcase, a_tied_table_is_touched_in_every_row);
  tcase_add_loop_test(tcase, wrong_operands_are_refused, 0, REFUSALS);
  suite_add_tcase(suite, tcase);
  return suite;
}
