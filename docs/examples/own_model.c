/* A model of your own: a small network that tells points inside a ring from points outside, written from plain
 * operations.
 *
 *   cc own_model.c $(pkg-config --cflags --libs assistify) -o own_model && ./own_model
 *
 * The order is always the same: record the computation on a graph, plan it once, and run it as often as you like. The
 * gradients come with the operations; as_gradcheck shows that they are right. */
#include <stdio.h>

#include "assistify.h"

enum { POINTS = 240, HIDDEN = 16, CLASSES = 2, STEPS = 300 };

/* The model, written once: logits = tanh(x w1 + b1) w2 + b2. Training records it in float, the gradient check in
 * double. A recording function that fails returns NULL and those after it pass that through, so nothing has to be
 * looked at here. */
static as_tensor *record_logits(as_graph *g, as_tensor *const *leaves, void *unused) {
  as_tensor *x = leaves[0];  /* [points, 2] */
  as_tensor *w1 = leaves[1]; /* [2, hidden] */
  as_tensor *b1 = leaves[2]; /* [hidden], added to every row */
  as_tensor *w2 = leaves[3]; /* [hidden, classes] */
  as_tensor *b2 = leaves[4]; /* [classes] */
  (void)unused;
  as_tensor *hidden = as_tanh(g, as_add(g, as_matmul(g, x, w1), b1));
  return as_add(g, as_matmul(g, hidden, w2), b2);
}

/* Compares the gradients with finite differences, in double precision, for small sizes: enough to see that the model is
 * recorded as meant. */
static as_status check_gradients(as_context *ctx) {
  const as_gradcheck_input inputs[] = {
      {2, {5, 2}, -1, 1}, {2, {2, 7}, -1, 1}, {1, {7}, -1, 1}, {2, {7, 3}, -1, 1}, {1, {3}, -1, 1}};
  double worst = 0;
  as_status status = as_gradcheck(ctx, record_logits, NULL, 5, inputs, NULL, &worst);
  if (status == AS_OK) printf("gradients agree with finite differences to %.1e\n", worst);
  return status;
}

/* Points of a square, labelled 1 within the ring. Deterministic: the generator's state is a seed and a counter. */
static void make_points(float points[POINTS][2], int32_t labels[POINTS]) {
  as_random random = as_random_start(1, 0);
  for (int i = 0; i < POINTS; i++) {
    points[i][0] = (float)(2 * as_random_uniform(&random) - 1);
    points[i][1] = (float)(2 * as_random_uniform(&random) - 1);
    float radius2 = points[i][0] * points[i][0] + points[i][1] * points[i][1];
    labels[i] = radius2 < 0.5f;
  }
}

static double accuracy_of(const float *logits /* [POINTS, CLASSES] */, const int32_t *labels) {
  int right = 0;
  for (int i = 0; i < POINTS; i++) right += (logits[2 * i + 1] > logits[2 * i]) == (labels[i] == 1);
  return (double)right / POINTS;
}

/* Trains all parameters with AdamW on all points at once; *accuracy is what the last step began with. */
static as_status train(as_graph *g, as_parameters *parameters, as_adamw *optimizer, double *accuracy) {
  static float points[POINTS][2];
  static int32_t labels[POINTS];
  const int64_t points_shape[] = {POINTS, 2}, labels_shape[] = {POINTS};
  make_points(points, labels);

  as_tensor *leaves[5] = {as_input(g, 2, points_shape, points)};
  for (int i = 0; i < 4; i++) leaves[1 + i] = as_parameter_leaf(g, parameters, i);
  as_tensor *logits = as_keep(g, record_logits(g, leaves, NULL)); /* kept: to be read after the run */
  const as_cross_entropy_options options = {.ignore_index = -100};
  as_tensor *loss = as_keep(g, as_cross_entropy(g, logits, as_input_i32(g, 1, labels_shape, labels), &options));

  as_status status = as_graph_plan(g, loss); /* the one place where a graph can fail */
  if (status != AS_OK) return status;
  for (int step = 1; step <= STEPS; step++) { /* nothing in this loop allocates or can fail */
    as_graph_forward(g);
    as_graph_backward(g, loss);
    as_adamw_update(optimizer, 0.02, as_clip_scale(as_adamw_gradient_norm(optimizer), 1));
    if (step % 100 == 0) printf("step %d: loss %.4f\n", step, (double)*as_tensor_f32(loss));
  }
  *accuracy = accuracy_of(as_tensor_f32(logits), labels);
  return AS_OK;
}

static as_status run(as_context *ctx, double *accuracy) {
  as_status status = check_gradients(ctx);
  if (status != AS_OK) return status;

  /* Declared first, then given room together: weights and gradients lie in one block each. */
  as_parameters parameters;
  as_parameters_init(&parameters, ctx);
  as_parameters_declare(&parameters, AS_ROLE_WEIGHT, 0, 2, HIDDEN, "w1");
  as_parameters_declare(&parameters, AS_ROLE_BIAS, 0, HIDDEN, 0, "b1");
  as_parameters_declare(&parameters, AS_ROLE_WEIGHT, 0, HIDDEN, CLASSES, "w2");
  as_parameters_declare(&parameters, AS_ROLE_BIAS, 0, CLASSES, 0, "b2");
  status = as_parameters_allocate(&parameters, true);
  for (int i = 0; status == AS_OK && i < 4; i++) as_parameters_initialize(&parameters, i, 0.5, 1);

  as_adamw optimizer = {0};
  const as_adamw_options options = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.01};
  if (status == AS_OK) status = as_adamw_init(&optimizer, ctx, &parameters, &options);
  as_graph *g = status == AS_OK ? as_graph_new(ctx, AS_TRAIN) : NULL;
  if (status == AS_OK) status = g ? train(g, &parameters, &optimizer, accuracy) : AS_E_NOMEM;

  as_graph_free(g);
  as_adamw_free(&optimizer);
  as_parameters_free(&parameters);
  return status;
}

int main(void) {
  as_context *ctx;
  double accuracy = 0;
  if (as_context_new(&ctx, NULL) != AS_OK) return 1;
  as_status status = run(ctx, &accuracy);
  if (status == AS_OK)
    printf("accuracy %.3f\n", accuracy);
  else
    fprintf(stderr, "own_model: %s\n", as_error_text(ctx));
  as_context_free(ctx);
  return status == AS_OK ? 0 : 1;
}
