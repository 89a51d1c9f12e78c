/* The graph: every operation's gradient, bit-identity over threads and recompute modes, planned memory, errors that
 * stick, failing allocations. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tensor/node.h"
#include "tests/harness.h"

START_TEST(every_operation_has_the_right_gradient) {
  as_context *ctx = as_test_context(2);
  const as_op *op = as_op_table_f64[_i];
  ck_assert_msg(op->name && op->formula && op->infer && op->forward && op->backward, "row %d is not complete", _i);
  ck_assert_msg(op->check != NULL, "%s has no gradient check", op->name);
  double worst = 0;
  as_status status = op->check(ctx, &worst);
  ck_assert_msg(status == AS_OK, "%s: %s", op->name, as_error_text(ctx));
  ck_assert_msg(worst > 0 || strcmp(op->name, "embedding") == 0, "%s: the check compared nothing", op->name);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(both_tables_name_the_same_operations) {
  for (int i = 0; i < AS_OP_COUNT; i++) {
    ck_assert_str_eq(as_op_table_f32[i]->name, as_op_table_f64[i]->name);
    for (int j = 0; j < i; j++) ck_assert_str_ne(as_op_table_f32[i]->name, as_op_table_f32[j]->name);
  }
}
END_TEST

/* ---- a small encoder block over packed sequences, with everything that training uses ---------------------------- */
enum { DIM = 24, HEADS = 3, HIDDEN = 40, TOKENS = 61, VOCABULARY = 50, CLASSES = 5, BLOCKS = 3 };
static const int32_t cu_seqlens[] = {0, 1, 8, 40, 61};

typedef struct model {
  float *weights, *gradients;
  size_t used;
  int32_t ids[TOKENS], positions[TOKENS], first[4], labels[4];
} model;

static void model_init(model *m, as_context *ctx) {
  size_t count = 100000;
  m->weights = as_alloc_zero(ctx, count, sizeof(float));
  m->gradients = as_alloc_zero(ctx, count, sizeof(float));
  as_random random = as_random_start(11, 0);
  for (size_t i = 0; i < count; i++) m->weights[i] = (float)(0.3 * as_random_normal(&random));
  for (int s = 0; s < 4; s++) {
    m->first[s] = cu_seqlens[s];
    m->labels[s] = (int32_t)as_random_below(&random, CLASSES);
    for (int32_t i = cu_seqlens[s]; i < cu_seqlens[s + 1]; i++) m->positions[i] = i - cu_seqlens[s];
  }
  for (int i = 0; i < TOKENS; i++) m->ids[i] = (int32_t)as_random_below(&random, VOCABULARY);
}

static void model_free(model *m, as_context *ctx) {
  as_free(ctx, m->weights);
  as_free(ctx, m->gradients);
}

static as_tensor *take(as_graph *g, model *m, int64_t rows, int64_t cols) {
  size_t at = m->used;
  m->used += (size_t)(rows * (cols ? cols : 1));
  return as_leaf(g, cols ? 2 : 1, (int64_t[]){rows, cols}, m->weights + at, m->gradients + at);
}

static as_tensor *record(as_graph *g, model *m) {
  m->used = 0;
  as_packed packed = {4, cu_seqlens};
  as_tensor *tables[2] = {take(g, m, VOCABULARY, DIM), take(g, m, TOKENS, DIM)};
  as_tensor *ids[2] = {as_input_i32(g, 1, (int64_t[]){TOKENS}, m->ids),
                       as_input_i32(g, 1, (int64_t[]){TOKENS}, m->positions)};
  as_tensor *x = as_embedding_layer_norm(g, 2, tables, ids, (int64_t[]){0, -1}, take(g, m, DIM, 0), take(g, m, DIM, 0),
                                         1e-12);
  x = as_dropout_apply(g, x, 0.1);
  for (int b = 0; b < BLOCKS; b++) {
    as_block_input(g, x);
    as_tensor *qkv = as_linear(g, x, take(g, m, 3 * DIM, DIM), take(g, m, 3 * DIM, 0), true, AS_UNARY_NONE);
    as_attention_options o = {.heads = HEADS, .head_dim = DIM / HEADS, .k_column = DIM, .v_column = 2 * DIM,
                              .scale = 1 / sqrt((double)DIM / HEADS), .dropout = 0.1};
    as_tensor *a = as_attention(g, qkv, qkv, packed, packed, &o);
    a = as_linear(g, a, take(g, m, DIM, DIM), take(g, m, DIM, 0), true, AS_UNARY_NONE);
    x = as_residual_layer_norm(g, a, x, take(g, m, DIM, 0), take(g, m, DIM, 0), 1e-12, 0);
    as_tensor *f = as_linear(g, x, take(g, m, HIDDEN, DIM), take(g, m, HIDDEN, 0), true, AS_UNARY_GELU);
    f = as_linear(g, f, take(g, m, DIM, HIDDEN), take(g, m, DIM, 0), true, AS_UNARY_NONE);
    x = as_residual_layer_norm(g, f, x, take(g, m, DIM, 0), take(g, m, DIM, 0), 1e-12, 0.1);
  }
  x = as_gather_rows(g, x, as_input_i32(g, 1, (int64_t[]){4}, m->first));
  x = as_linear(g, x, take(g, m, DIM, DIM), take(g, m, DIM, 0), true, AS_UNARY_RELU);
  x = as_linear(g, as_dropout_apply(g, x, 0.2), take(g, m, CLASSES, DIM), take(g, m, CLASSES, 0), true, AS_UNARY_NONE);
  as_cross_entropy_options o = {NULL, 0.1, -100, 0};
  return as_cross_entropy(g, x, as_input_i32(g, 1, (int64_t[]){4}, m->labels), &o);
}

/* One forward and backward pass; the gradients go to m->gradients, the loss is returned. */
static float pass(as_context *ctx, as_graph *g, model *m, int recompute, uint32_t step) {
  as_graph_reset(g);
  as_graph_set_recompute(g, recompute);
  as_graph_set_dropout(g, 5, step);
  as_tensor *loss = as_keep(g, record(g, m));
  ck_assert_ok(ctx, as_graph_plan(g, loss));
  as_graph_forward(g);
  as_graph_backward(g, loss);
  return *as_tensor_f32(loss);
}

START_TEST(gradients_are_the_same_bits_for_any_threads_and_recompute_mode) {
  static float expected[100000];
  float expected_loss = 0;
  for (int threads = 1, first = 1; threads <= 8; threads = threads < 3 ? threads + 1 : threads + 5) {
    for (int recompute = 0; recompute <= 2; recompute++, first = 0) {
      as_context *ctx = as_test_context(threads);
      model m = {0};
      model_init(&m, ctx);
      as_graph *g = as_graph_new(ctx, AS_TRAIN);
      as_graph_set_debug(g, recompute == 2);
      float loss = pass(ctx, g, &m, recompute, 3);
      ck_assert_str_eq(as_graph_debug_text(g), "");
      ck_assert_msg(isfinite(loss) && loss > 0, "loss %g", (double)loss);
      if (first) {
        memcpy(expected, m.gradients, m.used * sizeof(float));
        expected_loss = loss;
      }
      ck_assert_msg(memcmp(&loss, &expected_loss, sizeof loss) == 0, "loss %.9g, expected %.9g", (double)loss,
                    (double)expected_loss);
      for (size_t i = 0; i < m.used; i++)
        ck_assert_msg(memcmp(&m.gradients[i], &expected[i], sizeof(float)) == 0,
                      "gradient %zu is %.9g, expected %.9g (%d threads, recompute %d)", i, (double)m.gradients[i],
                      (double)expected[i], threads, recompute);
      as_graph_free(g);
      model_free(&m, ctx);
      as_test_context_free(ctx);
    }
  }
}
END_TEST

START_TEST(recompute_modes_need_less_memory) {
  as_context *ctx = as_test_context(1);
  model m = {0};
  model_init(&m, ctx);
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  size_t bytes[3];
  for (int mode = 0; mode <= 2; mode++) {
    pass(ctx, g, &m, mode, 0);
    bytes[mode] = as_graph_bytes(g);
  }
  ck_assert_msg(bytes[1] < bytes[0] && bytes[2] < bytes[1], "%zu, %zu, %zu bytes", bytes[0], bytes[1], bytes[2]);
  as_graph_free(g);
  model_free(&m, ctx);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_step_after_the_first_allocates_nothing_and_uses_what_was_planned) {
  as_context *ctx = as_test_context(2);
  model m = {0};
  model_init(&m, ctx);
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  size_t before = as_memory_used(ctx);
  pass(ctx, g, &m, 0, 0);
  ck_assert_uint_eq(as_graph_capacity(g), as_graph_bytes(g));
  ck_assert_uint_ge(as_memory_used(ctx) - before, as_graph_bytes(g));
  uint64_t allocations = as_allocation_count(ctx);
  for (uint32_t step = 1; step < 4; step++) pass(ctx, g, &m, 0, step);
  ck_assert_uint_eq(as_allocation_count(ctx), allocations);
  as_graph_free(g);
  model_free(&m, ctx);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(dropout_depends_on_the_step_and_only_on_it) {
  as_context *ctx = as_test_context(1);
  model m = {0};
  model_init(&m, ctx);
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  float a = pass(ctx, g, &m, 0, 1), b = pass(ctx, g, &m, 0, 2), again = pass(ctx, g, &m, 0, 1);
  ck_assert(a != b);
  ck_assert(a == again);
  as_graph_set_evaluation(g, true);
  float without = pass(ctx, g, &m, 0, 1), other = pass(ctx, g, &m, 0, 2);
  ck_assert(without == other);
  as_graph_free(g);
  model_free(&m, ctx);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(accumulation_adds_to_the_gradients) {
  as_context *ctx = as_test_context(2);
  model m = {0};
  model_init(&m, ctx);
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  pass(ctx, g, &m, 0, 1);
  float *once = as_alloc(ctx, m.used, sizeof *once);
  memcpy(once, m.gradients, m.used * sizeof *once);
  as_graph_set_accumulate(g, true);
  pass(ctx, g, &m, 0, 1);
  for (size_t i = 0; i < m.used; i++) once[i] *= 2;
  as_assert_close("twice the gradient", m.gradients, once, m.used, 1e-6, 1e-5);
  as_free(ctx, once);
  as_graph_free(g);
  model_free(&m, ctx);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(the_first_error_sticks_and_names_operation_and_shapes) {
  as_context *ctx = as_test_context(1);
  as_graph *g = as_graph_new(ctx, AS_INFER);
  static const float data[64];
  as_tensor *a = as_input(g, 2, (int64_t[]){3, 4}, data), *b = as_input(g, 2, (int64_t[]){5, 4}, data);
  as_tensor *bad = as_matmul(g, a, b);
  ck_assert_ptr_null(bad);
  ck_assert_ptr_null(as_add(g, bad, a));
  ck_assert_ptr_null(as_reshape(g, a, 1, (int64_t[]){7}));
  ck_assert_refused(ctx, as_graph_plan(g, NULL), AS_E_INVALID,
                    "matmul: the inner dimensions differ; operands [3, 4], [5, 4]");
  as_graph_reset(g);
  as_keep(g, as_add(g, as_input(g, 1, (int64_t[]){4}, data), as_input(g, 1, (int64_t[]){1}, data)));
  ck_assert_ok(ctx, as_graph_plan(g, NULL));
  as_graph_free(g);
  as_test_context_free(ctx);
}
END_TEST

/* Each case must be refused with a text that contains the fragment. */
typedef struct refusal {
  as_tensor *(*record)(as_graph *g, as_tensor *m34, as_tensor *ids);
  const char *fragment;
} refusal;

static as_tensor *bad_slice(as_graph *g, as_tensor *x, as_tensor *ids) { (void)ids; return as_slice(g, x, 1, 3, 2); }
static as_tensor *bad_dim(as_graph *g, as_tensor *x, as_tensor *ids) { (void)ids; return as_sum(g, x, 2, false); }
static as_tensor *bad_id(as_graph *g, as_tensor *x, as_tensor *ids) { return as_embedding(g, x, ids, -1); }
static as_tensor *bad_dropout(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  return as_dropout_apply(g, x, 1.0);
}
static as_tensor *bad_norm(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  return as_layer_norm(g, x, x, x, 1e-5);
}
static as_tensor *bad_linear(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  return as_linear(g, x, as_transpose(g, x, 0, 1), NULL, false, AS_UNARY_NONE);
}
static as_tensor *bad_type(as_graph *g, as_tensor *x, as_tensor *ids) { return as_add(g, x, ids); }
static as_tensor *bad_label(as_graph *g, as_tensor *x, as_tensor *ids) {
  as_cross_entropy_options o = {NULL, 0, -100, 0};
  return as_cross_entropy(g, x, ids, &o);
}
static as_tensor *bad_concat(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  return as_concat(g, (as_tensor *const[]){x, as_transpose(g, x, 0, 1)}, 2, 0);
}
static as_tensor *bad_activation(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  return as_linear(g, x, x, NULL, false, AS_UNARY_LOG);
}
static as_tensor *bad_attention(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  static const int32_t cu[] = {0, 2, 4};
  as_attention_options o = {.heads = 1, .head_dim = 1, .k_column = 1, .v_column = 2, .scale = 1};
  return as_attention(g, x, x, (as_packed){2, cu}, (as_packed){2, cu}, &o);
}

/* Attention of one head over x [3, 4] with a table of position biases. */
static as_tensor *biased(as_graph *g, as_tensor *x, as_tensor *table, int64_t max_distance, bool bidirectional) {
  static const int32_t cu[] = {0, 3};
  as_attention_options o = {.heads = 1, .head_dim = 1, .k_column = 1, .v_column = 2, .scale = 1, .position_bias = table,
                            .max_distance = max_distance, .bidirectional = bidirectional};
  return as_attention(g, x, x, (as_packed){1, cu}, (as_packed){1, cu}, &o);
}
static as_tensor *bad_bias(as_graph *g, as_tensor *x, as_tensor *ids) { (void)ids; return biased(g, x, x, 128, false); }
static as_tensor *bad_buckets(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  return biased(g, x, as_slice(g, x, 1, 0, 1), 128, true);
}
static as_tensor *bad_distance(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  return biased(g, x, as_slice(g, x, 1, 0, 1), 1, false);
}
static as_tensor *bad_residual(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  return as_residual_dropout(g, x, as_transpose(g, x, 0, 1), 0);
}
static as_tensor *bad_halves(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  return as_gated_linear_unit(g, as_slice(g, x, 1, 0, 3), AS_UNARY_GELU, 0);
}
static as_tensor *bad_gate(as_graph *g, as_tensor *x, as_tensor *ids) {
  (void)ids;
  return as_gated_linear_unit(g, x, AS_UNARY_TANH, 0);
}

static const refusal refusals[] = {
    {bad_slice, "slice: the range"}, {bad_dim, "no such dimension"}, {bad_id, "id 9 at position 2 is not in [0, 3)"},
    {bad_dropout, "dropout: p must be in"}, {bad_norm, "layer_norm: weight"}, {bad_linear, "linear: x must be"},
    {bad_type, "integers cannot"}, {bad_label, "label 9 at row 2"}, {bad_concat, "concat: the parts differ"},
    {bad_activation, "activation must be"}, {bad_attention, "attention: cu_seqlens"},
    {bad_bias, "position bias must be [buckets, 1], with at least 2"}, {bad_buckets, "with at least 4"},
    {bad_distance, "max_distance is 1"}, {bad_residual, "residual must have one shape"}, {bad_halves, "two halves"},
    {bad_gate, "activation must be"}};

START_TEST(wrong_operands_are_refused) {
  as_context *ctx = as_test_context(1);
  as_graph *g = as_graph_new(ctx, AS_INFER);
  static const float data[12];
  static const int32_t ids[3] = {0, 1, 9};
  as_tensor *x = as_input(g, 2, (int64_t[]){3, 4}, data), *i = as_input_i32(g, 1, (int64_t[]){3}, ids);
  ck_assert_ptr_null(refusals[_i].record(g, x, i));
  ck_assert_refused(ctx, as_graph_plan(g, NULL), AS_E_INVALID, refusals[_i].fragment);
  as_graph_free(g);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_memory_limit_refuses_before_running) {
  as_context *ctx = as_test_context(1);
  model m = {0};
  model_init(&m, ctx);
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  as_graph_set_memory_limit(g, 1000);
  as_tensor *loss = record(g, &m);
  ck_assert_refused(ctx, as_graph_plan(g, loss), AS_E_LIMIT, "the limit is 1000");
  as_graph_free(g);
  model_free(&m, ctx);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(every_failing_allocation_is_reported_and_leaks_nothing) {
  for (uint64_t n = 1;; n++) {
    as_context *ctx = as_test_context(2);
    model m = {0};
    model_init(&m, ctx);
    as_test_fail_at(ctx, n);
    as_graph *g = as_graph_new(ctx, AS_TRAIN);
    as_status status = g ? as_graph_plan(g, record(g, &m)) : AS_E_NOMEM;
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    if (failed) ck_assert_int_eq(status, AS_E_NOMEM);
    as_graph_free(g);
    model_free(&m, ctx);
    as_test_context_free(ctx);
    if (!failed) {
      ck_assert_int_eq(status, AS_OK);
      ck_assert_uint_gt(n, 5);
      break;
    }
  }
}
END_TEST

static as_tensor *wrong_gradient(as_graph *g, as_tensor *const *leaves, void *user) {
  (void)user;
  return as_max(g, leaves[0], 0, false); /* all values equal: not differentiable, the check must object */
}

START_TEST(gradcheck_can_fail) {
  as_context *ctx = as_test_context(1);
  as_gradcheck_input equal = {1, {3}, 0.5, 0.5};
  ck_assert_refused(ctx, as_gradcheck(ctx, wrong_gradient, NULL, 1, &equal, NULL, NULL), AS_E_INVALID,
                    "leaf 0, element");
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("graph");
  TCase *tcase = tcase_create("graph");
  tcase_add_loop_test(tcase, every_operation_has_the_right_gradient, 0, AS_OP_COUNT);
  tcase_add_test(tcase, both_tables_name_the_same_operations);
  tcase_add_test(tcase, gradients_are_the_same_bits_for_any_threads_and_recompute_mode);
  tcase_add_test(tcase, recompute_modes_need_less_memory);
  tcase_add_test(tcase, a_step_after_the_first_allocates_nothing_and_uses_what_was_planned);
  tcase_add_test(tcase, dropout_depends_on_the_step_and_only_on_it);
  tcase_add_test(tcase, accumulation_adds_to_the_gradients);
  tcase_add_test(tcase, the_first_error_sticks_and_names_operation_and_shapes);
  tcase_add_loop_test(tcase, wrong_operands_are_refused, 0, (int)(sizeof refusals / sizeof refusals[0]));
  tcase_add_test(tcase, a_memory_limit_refuses_before_running);
  tcase_add_test(tcase, every_failing_allocation_is_reported_and_leaks_nothing);
  tcase_add_test(tcase, gradcheck_can_fail);
  suite_add_tcase(suite, tcase);
  return suite;
}
