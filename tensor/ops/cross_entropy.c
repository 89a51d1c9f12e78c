/* Cross entropy with class weights, label smoothing and ignored labels, as torch.nn.functional.cross_entropy with
 * reduction "mean" (weights and smoothing together weigh the uniform part by class too). For a row with label t:
 *   loss = ((1-e) w_t (lse - z_t) + e/C sum_c w_c (lse - z_c)) / denominator
 *   dz_c = ((1-e) w_t (p_c - [c = t]) + e/C (p_c sum w - w_c)) / denominator
 * The state is the log-sum-exp of each row, and the denominator. */
#include "tensor/ops/op.h"

#define ROWS_PER_CHUNK 8

static const as_cross_entropy_options *attributes(const as_node *n) {
  return (const as_cross_entropy_options *)(const void *)n->attributes;
}

static bool infer(as_node *n) {
  const as_tensor *logits = n->inputs[0], *labels = n->inputs[1];
  const as_cross_entropy_options *o = attributes(n);
  if (logits->ndim != 2 || logits->dtype == AS_I32 || logits->shape[1] == 0 || labels->dtype != AS_I32 ||
      labels->ndim != 1 || labels->shape[0] != logits->shape[0])
    return as_op_refuse(n, "logits must be [rows, classes] and labels integers [rows]");
  if (!(o->label_smoothing >= 0 && o->label_smoothing < 1) || !(o->denominator >= 0))
    return as_op_refuse(n, "label smoothing must be in [0, 1) and the denominator not negative");
  for (int64_t i = 0; i < labels->elements; i++) {
    int32_t label = ((const int32_t *)labels->data)[i];
    if (label != o->ignore_index && (label < 0 || label >= logits->shape[1]))
      return as_op_refuse(n, "label %d at row %lld is not in [0, %lld)", (int)label, (long long)i,
                          (long long)logits->shape[1]);
  }
  as_set_shape(n->output, 1, (int64_t[]){1});
  return true;
}

static size_t state(const as_node *n) { return (size_t)(n->inputs[0]->shape[0] + 1) * sizeof(real); }
static size_t scratch_forward(const as_node *n) { return (size_t)n->inputs[0]->elements * sizeof(real); }

static double class_weight(const as_node *n, int64_t c) {
  return attributes(n)->class_weights ? (double)attributes(n)->class_weights[c] : 1;
}

static double weight_total(const as_node *n) {
  double total = 0;
  for (int64_t c = 0; c < n->inputs[0]->shape[1]; c++) total += class_weight(n, c);
  return total;
}

static bool counts(const as_node *n, int64_t row) { return as_in_i32(n, 1)[row] != attributes(n)->ignore_index; }

static double denominator_of(const as_node *n) {
  if (attributes(n)->denominator > 0) return attributes(n)->denominator;
  double total = 0;
  for (int64_t i = 0; i < n->inputs[0]->shape[0]; i++)
    if (counts(n, i)) total += class_weight(n, as_in_i32(n, 1)[i]);
  return total > 0 ? total : 1;
}

static void lse_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t cols = n->inputs[0]->shape[1], first, rows = as_piece(n->inputs[0]->shape[0], ROWS_PER_CHUNK, chunk, &first);
  as_node_kernels(n)->softmax((size_t)rows, (size_t)cols, as_in(n, 0) + first * cols, (real *)n->scratch + first * cols,
                              (real *)n->state + first);
}

static double row_loss(const as_node *n, int64_t row) {
  int64_t classes = n->inputs[0]->shape[1];
  const real *z = as_in(n, 0) + row * classes;
  double e = attributes(n)->label_smoothing, lse = (double)((const real *)n->state)[row], uniform = 0;
  int32_t label = as_in_i32(n, 1)[row];
  for (int64_t c = 0; e > 0 && c < classes; c++) uniform += class_weight(n, c) * (lse - (double)z[c]);
  return (1 - e) * class_weight(n, label) * (lse - (double)z[label]) + e / (double)classes * uniform;
}

static void forward(as_node *n) {
  int64_t rows = n->inputs[0]->shape[0];
  as_parallel_for(as_node_context(n), as_chunks(rows, ROWS_PER_CHUNK), lse_chunk, n);
  double loss = 0, denominator = denominator_of(n);
  for (int64_t i = 0; i < rows; i++)
    if (counts(n, i)) loss += row_loss(n, i);
  ((real *)n->state)[rows] = (real)denominator;
  as_out(n)[0] = (real)(loss / denominator);
}

typedef struct backward_call {
  const as_node *node;
  double weight_total;
} backward_call;

static void backward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const backward_call *call = argument;
  const as_node *n = call->node;
  int64_t total = n->inputs[0]->shape[0], cols = n->inputs[0]->shape[1], first;
  int64_t rows = as_piece(total, ROWS_PER_CHUNK, chunk, &first);
  const real *lse = n->state;
  double e = attributes(n)->label_smoothing, scale = (double)as_dout(n)[0] / (double)lse[total];
  for (int64_t r = first; r < first + rows; r++) {
    const real *z = as_in(n, 0) + r * cols;
    real *dz = as_din(n, 0) + r * cols;
    int32_t label = as_in_i32(n, 1)[r];
    double hit = counts(n, r) ? (1 - e) * class_weight(n, label) : 0, spread = counts(n, r) ? e / (double)cols : 0;
    for (int64_t c = 0; c < cols; c++) {
      double p = (double)AS_REAL_EXP(z[c] - lse[r]);
      double gradient = scale * (hit * (p - (c == label)) + spread * (p * call->weight_total - class_weight(n, c)));
      dz[c] = as_adds(n, 0) ? dz[c] + (real)gradient : (real)gradient;
    }
  }
}

static void backward(as_node *n) {
  backward_call call = {n, weight_total(n)};
  if (as_din(n, 0))
    as_parallel_for(as_node_context(n), as_chunks(n->inputs[0]->shape[0], ROWS_PER_CHUNK), backward_chunk, &call);
}

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  static const int32_t labels[17] = {0, 2, -100, 1, 6, 5, 5, 3, -100, 4, 2, 0, 0, 1, 6, 3, 2};
  as_tensor *target = as_input_i32(g, 1, (int64_t[]){17}, labels);
  return as_record(g, AS_OP_cross_entropy, (as_tensor *const[]){leaves[0], target}, 2, user,
                   sizeof(as_cross_entropy_options));
}

static as_status check(as_context *ctx, double *worst) {
  static const float weights[7] = {0.5f, 1, 2, 0.25f, 1.5f, 3, 0.75f};
  as_cross_entropy_options cases[] = {{NULL, 0, -100, 0}, {NULL, 0.1, -100, 31}, {weights, 0, -100, 0},
                                      {weights, 0.3, -100, 0}};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < sizeof cases / sizeof cases[0]; i++)
    status = as_gradcheck(ctx, build, &cases[i], 1, &(as_gradcheck_input){2, {17, 7}, -3, 3}, NULL, worst);
  return status;
}

const as_op AS_REAL(as_op_cross_entropy) = {.name = "cross_entropy",
                                            .formula = "y = mean_i w[t_i] (lse(x_i) - x_i[t_i]), smoothed",
                                            .infer = infer, .forward = forward, .backward = backward,
                                            .saves = AS_SAVES_INPUT(0) | AS_SAVES_INPUT(1), .state = state,
                                            .scratch_forward = scratch_forward, .check = check};

#if AS_RECORDS
as_tensor *as_cross_entropy(as_graph *g, as_tensor *logits, as_tensor *labels,
                            const as_cross_entropy_options *options) {
  return as_record(g, AS_OP_cross_entropy, (as_tensor *const[]){logits, labels}, 2, options, sizeof *options);
}
#endif
