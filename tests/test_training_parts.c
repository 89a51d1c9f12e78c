/* The parts of training by themselves: schedules against values by hand, AdamW against a replica in double precision,
 * batches, a step, class weights, freezing, replaced heads, memory limits, failing allocations. */
#include "tests/small_training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "models/encoder.h"
#include "train/batches.h"
#include "train/step.h"

/* ---- schedules -------------------------------------------------------------------------------------------------- */
static void assert_lr(as_schedule_kind kind, int64_t warmup, int64_t step, double expected) {
  as_schedule schedule = {.kind = kind, .lr = 0.8, .warmup = warmup, .steps = 20};
  double lr = as_schedule_lr(&schedule, step);
  ck_assert_msg(fabs(lr - expected) <= 1e-15, "kind %d, warm-up %d, step %d: %.17g, expected %.17g", (int)kind,
                (int)warmup, (int)step, lr, expected);
}

START_TEST(schedules_have_the_values_of_their_formulas) {
  for (int kind = AS_SCHEDULE_LINEAR; kind <= AS_SCHEDULE_INVERSE_SQRT; kind++) {
    assert_lr((as_schedule_kind)kind, 4, 0, 0);
    assert_lr((as_schedule_kind)kind, 4, 1, 0.2);
    assert_lr((as_schedule_kind)kind, 4, 3, 0.6);
    assert_lr((as_schedule_kind)kind, 4, 4, 0.8);
    assert_lr((as_schedule_kind)kind, 0, 0, 0.8);
  }
  assert_lr(AS_SCHEDULE_LINEAR, 4, 8, 0.6);
  assert_lr(AS_SCHEDULE_LINEAR, 4, 20, 0);
  assert_lr(AS_SCHEDULE_LINEAR, 4, 30, 0);
  assert_lr(AS_SCHEDULE_LINEAR, 20, 20, 0.8); /* nothing but warm-up */
  assert_lr(AS_SCHEDULE_COSINE, 4, 12, 0.4);
  assert_lr(AS_SCHEDULE_COSINE, 4, 8, 0.4 * (1 + sqrt(0.5)));
  assert_lr(AS_SCHEDULE_COSINE, 4, 20, 0);
  assert_lr(AS_SCHEDULE_CONSTANT, 4, 19, 0.8);
  assert_lr(AS_SCHEDULE_INVERSE_SQRT, 4, 16, 0.4);
  assert_lr(AS_SCHEDULE_INVERSE_SQRT, 0, 16, 0.2);
}
END_TEST

START_TEST(warm_up_is_a_share_below_1_and_steps_from_1_on) {
  ck_assert_int_eq(as_schedule_warmup(0, 100), 0);
  ck_assert_int_eq(as_schedule_warmup(0.06, 101), 7);
  ck_assert_int_eq(as_schedule_warmup(0.5, 100), 50);
  ck_assert_int_eq(as_schedule_warmup(1, 100), 1);
  ck_assert_int_eq(as_schedule_warmup(12, 100), 12);
}
END_TEST

/* ---- AdamW ------------------------------------------------------------------------------------------------------ */
enum { ADAMW_STEPS = 20, LARGE = 70001 }; /* more than one piece, and no round number */

/* Weights of roles that decay and that don't, and one that is frozen. */
static void declare_parameters(as_context *ctx, as_parameters *ps) {
  as_parameters_init(ps, ctx);
  as_parameters_declare(ps, AS_ROLE_WEIGHT, 1, LARGE, 0, "weight");
  as_parameters_declare(ps, AS_ROLE_BIAS, 1, 7, 0, "bias");
  as_parameters_declare(ps, AS_ROLE_EMBEDDING, 0, 5, 3, "frozen");
  as_parameters_declare(ps, AS_ROLE_NORM_WEIGHT, 1, 17, 0, "norm");
  as_parameters_declare(ps, AS_ROLE_EMBEDDING, 1, 3, 5, "embedding");
  ck_assert_ok(ctx, as_parameters_allocate(ps, true));
  as_parameters_freeze(ps, 1);
}

static void draw(float *out, size_t count, uint64_t stream, double scale) {
  as_random random = as_random_start(7, stream);
  for (size_t i = 0; i < count; i++) out[i] = (float)(scale * as_random_normal(&random));
}

/* Replays the updates of one parameter in double, from the same floats as they are stored between the steps. */
static void replay(const as_parameter *p, float *w, float *m, float *v, const float *g, double t, double lr,
                   double scale, const as_adamw_options *o) {
  double decay = as_parameter_decays(p) ? o->weight_decay : 0;
  for (size_t i = 0; i < p->elements; i++) {
    double gradient = scale * (double)g[i];
    double m1 = o->beta1 * (double)m[i] + (1 - o->beta1) * gradient,
           v1 = o->beta2 * (double)v[i] + (1 - o->beta2) * gradient * gradient;
    double step = lr / (1 - pow(o->beta1, t)) * m1 / (sqrt(v1) / sqrt(1 - pow(o->beta2, t)) + o->eps);
    w[i] = (float)((double)w[i] * (1 - lr * decay) - step);
    m[i] = (float)m1;
    v[i] = (float)v1;
  }
}

START_TEST(adamw_agrees_with_a_replica_in_double) {
  as_context *ctx = as_test_context(2);
  as_parameters ps;
  as_adamw adamw;
  const as_adamw_options options = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.1};
  declare_parameters(ctx, &ps);
  size_t n = ps.elements;
  draw(ps.weights, n, 0, 0.5);
  ck_assert_ok(ctx, as_adamw_init(&adamw, ctx, &ps, &options));
  float *w = as_alloc(ctx, n, sizeof *w), *m = as_alloc_zero(ctx, n, sizeof *m), *v = as_alloc_zero(ctx, n, sizeof *v);
  memcpy(w, ps.weights, n * sizeof *w);
  /* One row of an embedding never has a gradient: it must come out as if it had been computed like the others. */
  int table = as_parameters_find(&ps, "embedding");
  memset(ps.touched, 1, ps.embedding_rows);
  as_parameter_touched(&ps, table)[1] = 0;
  for (int t = 1; t <= ADAMW_STEPS; t++) {
    double norm = 0, lr = 1e-3 * t;
    draw(ps.gradients, n, (uint64_t)t, 0.01);
    memset(as_parameter_gradients(&ps, table) + 5, 0, 5 * sizeof(float));
    for (size_t k = 0; k < ps.count; k++)
      for (size_t i = 0; !ps.list[k].frozen && i < ps.list[k].elements; i++)
        norm += (double)ps.gradients[ps.list[k].offset + i] * (double)ps.gradients[ps.list[k].offset + i];
    norm = sqrt(norm);
    double measured = as_adamw_gradient_norm(&adamw), scale = as_clip_scale(measured, 1);
    ck_assert_msg(fabs(measured - norm) <= 1e-6 * norm, "norm %.9g, expected %.9g", measured, norm);
    ck_assert_msg(fabs(scale - 1 / (norm + 1e-6)) <= 1e-6, "scale %.9g for norm %.9g", scale, norm);
    as_adamw_update(&adamw, lr, scale);
    for (size_t k = 0; k < ps.count; k++) {
      size_t at = ps.list[k].offset;
      if (!ps.list[k].frozen) replay(&ps.list[k], w + at, m + at, v + at, ps.gradients + at, t, lr, scale, &options);
    }
  }
  ck_assert_int_eq(adamw.steps, ADAMW_STEPS);
  as_assert_close("weights", ps.weights, w, n, 2e-6, 2e-6);
  as_assert_close("m", adamw.m, m, n, 1e-9, 1e-5);
  as_assert_close("v", adamw.v, v, n, 1e-12, 1e-5);
  int frozen = as_parameters_find(&ps, "frozen");
  ck_assert_int_eq(
      memcmp(as_parameter_weights(&ps, frozen), w + ps.list[frozen].offset, ps.list[frozen].elements * sizeof *w), 0);
  as_free(ctx, w);
  as_free(ctx, m);
  as_free(ctx, v);
  as_adamw_free(&adamw);
  as_parameters_free(&ps);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(clipping_scales_down_only) {
  ck_assert_double_eq(as_clip_scale(0.5, 1), 1);
  ck_assert_double_eq(as_clip_scale(5, 0), 1);
  ck_assert_double_eq_tol(as_clip_scale(4, 2), 0.5, 1e-6);
}
END_TEST

/* ---- batches ---------------------------------------------------------------------------------------------------- */
enum { BATCH_ROWS_TOTAL = 701 };

static void fill_rows(as_context *ctx, as_token_rows *rows) {
  int32_t ids[64] = {0};
  as_random random = as_random_start(3, 0);
  as_token_rows_init(rows, ctx);
  for (int i = 0; i < BATCH_ROWS_TOTAL; i++) {
    ids[0] = i;
    ck_assert_ok(ctx, as_token_rows_add(rows, ids, 1 + (int64_t)as_random_below(&random, 64), i % 5, false));
  }
}

static void assert_each_once(const as_batches *b) {
  bool seen[BATCH_ROWS_TOTAL] = {false};
  ck_assert_int_eq(b->start[0], 0);
  ck_assert_int_eq(b->start[b->count], BATCH_ROWS_TOTAL);
  for (int i = 0; i < BATCH_ROWS_TOTAL; i++) {
    ck_assert_msg(!seen[b->order[i]], "row %d comes twice", (int)b->order[i]);
    seen[b->order[i]] = true;
  }
}

START_TEST(an_epoch_has_every_row_once_and_keeps_its_bounds) {
  static const struct {
    int64_t rows, tokens;
  } bounds[] = {{8, 0}, {1, 0}, {7, 0}, {5000, 0}, {0, 200}, {0, 64}, {0, 10}, {0, 1000000}};
  as_context *ctx = as_test_context(1);
  as_token_rows rows;
  fill_rows(ctx, &rows);
  for (size_t k = 0; k < sizeof bounds / sizeof bounds[0]; k++) {
    as_batches b, again;
    ck_assert_ok(ctx, as_batches_init(&b, ctx, rows.offsets, rows.count, bounds[k].rows, bounds[k].tokens, 5));
    ck_assert_ok(ctx, as_batches_init(&again, ctx, rows.offsets, rows.count, bounds[k].rows, bounds[k].tokens, 5));
    for (int64_t epoch = 0; epoch < 3; epoch++) {
      ck_assert_ok(ctx, as_batches_epoch(&b, epoch));
      assert_each_once(&b);
      for (int64_t i = 0; i < b.count; i++) {
        int64_t count = b.start[i + 1] - b.start[i];
        ck_assert_int_ge(count, 1);
        if (bounds[k].rows) ck_assert_int_le(count, bounds[k].rows);
        if (bounds[k].tokens && count > 1) ck_assert_int_le(as_batches_tokens(&b, i), bounds[k].tokens);
      }
    }
    ck_assert_ok(ctx, as_batches_epoch(&again, 2)); /* without going through the epochs before */
    ck_assert_int_eq(again.count, b.count);
    ck_assert_int_eq(memcmp(again.order, b.order, sizeof *b.order * BATCH_ROWS_TOTAL), 0);
    as_batches_free(&b);
    as_batches_free(&again);
  }
  as_token_rows_free(&rows);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(batches_differ_by_epoch_and_seed_and_group_lengths) {
  as_context *ctx = as_test_context(1);
  as_token_rows rows;
  as_batches b, other;
  fill_rows(ctx, &rows);
  ck_assert_ok(ctx, as_batches_init(&b, ctx, rows.offsets, rows.count, 8, 0, 5));
  ck_assert_ok(ctx, as_batches_init(&other, ctx, rows.offsets, rows.count, 8, 0, 6));
  ck_assert_ok(ctx, as_batches_epoch(&b, 0));
  ck_assert_ok(ctx, as_batches_epoch(&other, 0));
  ck_assert_int_ne(memcmp(other.order, b.order, sizeof *b.order * BATCH_ROWS_TOTAL), 0);
  int64_t spread = 0;
  for (int64_t i = 0; i < b.count; i++)
    spread +=
        as_token_rows_length(&rows, b.order[b.start[i + 1] - 1]) - as_token_rows_length(&rows, b.order[b.start[i]]);
  ck_assert_msg(spread <= 4 * b.count, "a batch's lengths are %.1f apart on average", (double)spread / (double)b.count);
  memcpy(other.order, b.order, sizeof *b.order * BATCH_ROWS_TOTAL);
  ck_assert_ok(ctx, as_batches_epoch(&b, 1));
  ck_assert_int_ne(memcmp(other.order, b.order, sizeof *b.order * BATCH_ROWS_TOTAL), 0);
  as_encoder_batch batch;
  as_encoder_batch_init(&batch, ctx);
  ck_assert_ok(ctx, as_encoder_batch_fill(&batch, &rows, b.order + b.start[3], b.start[4] - b.start[3]));
  ck_assert_int_eq(batch.sequences, b.start[4] - b.start[3]);
  ck_assert_int_eq(batch.tokens, as_batches_tokens(&b, 3));
  for (int64_t i = 0; i < batch.sequences; i++) {
    ck_assert_int_eq(batch.ids[batch.cu_seqlens[i]], b.order[b.start[3] + i]);
    ck_assert_int_eq(batch.labels[i], b.order[b.start[3] + i] % 5);
  }
  as_encoder_batch_free(&batch);
  as_batches_free(&b);
  as_batches_free(&other);
  as_token_rows_free(&rows);
  as_test_context_free(ctx);
}
END_TEST

/* ---- a step ----------------------------------------------------------------------------------------------------- */
typedef struct stepper {
  as_context *ctx;
  as_encoder *encoder;
  as_adamw adamw;
  as_graph *graph;
} stepper;

static void stepper_start(stepper *s, int threads, double dropout) {
  static char a[] = "a", b[] = "b", c[] = "c";
  char *names[] = {a, b, c};
  const as_labels labels = {.names = names, .count = 3};
  const as_encoder_options options = {.gradients = true, .labels = &labels, .seed = 1, .dropout = dropout};
  const as_adamw_options adamw = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.01};
  s->ctx = as_test_context(threads);
  ck_assert_ok(s->ctx, as_encoder_new(s->ctx, &as_distilbert, as_distilbert.presets, 50, 0,
                                      &options, &s->encoder));
  ck_assert_ok(s->ctx, as_adamw_init(&s->adamw, s->ctx, as_encoder_parameters(s->encoder), &adamw));
  s->graph = as_graph_new(s->ctx, AS_TRAIN);
  ck_assert_ptr_nonnull(s->graph);
}

static void stepper_end(stepper *s) {
  as_graph_free(s->graph);
  as_adamw_free(&s->adamw);
  as_encoder_free(s->encoder);
  as_test_context_free(s->ctx);
}

/* Sequences first .. last - 1 of an endless row of them. */
static void fill_batch(as_context *ctx, as_encoder_batch *batch, int first, int last) {
  as_encoder_batch_init(batch, ctx);
  for (int s = first; s < last; s++) {
    int32_t ids[16];
    int64_t length = 2 + s * 5 % 11;
    for (int64_t i = 0; i < length; i++) ids[i] = (int32_t)((s * 7 + i * 3) % 50);
    ck_assert_ok(ctx, as_encoder_batch_add(batch, ids, length, s % 3));
  }
}

START_TEST(accumulating_is_as_one_large_batch) {
  static const float weights[3] = {0.5f, 2, 1};
  stepper parts, whole;
  as_encoder_batch micro[2], large;
  as_step_options options = {.class_weights = weights, .label_smoothing = 0.1, .max_grad_norm = 1, .seed = 1};
  as_step_result of_parts, of_whole;
  stepper_start(&parts, 1, 0);
  stepper_start(&whole, 1, 0);
  fill_batch(parts.ctx, &micro[0], 0, 5);
  fill_batch(parts.ctx, &micro[1], 5, 8);
  fill_batch(whole.ctx, &large, 0, 8);
  ck_assert_ok(parts.ctx,
               as_encoder_step(parts.graph, parts.encoder, &parts.adamw, micro, 2, &options, 0, 1e-3, &of_parts));
  ck_assert_ok(whole.ctx,
               as_encoder_step(whole.graph, whole.encoder, &whole.adamw, &large, 1, &options, 0, 1e-3, &of_whole));
  ck_assert_double_eq_tol(of_parts.loss, of_whole.loss, 1e-6);
  ck_assert_double_eq_tol(of_parts.grad_norm, of_whole.grad_norm, 1e-5);
  const as_parameters *p = as_encoder_parameters(parts.encoder), *w = as_encoder_parameters(whole.encoder);
  as_assert_close("gradients", p->gradients, w->gradients, p->elements, 1e-6, 1e-4);
  as_encoder_batch_free(&micro[0]);
  as_encoder_batch_free(&micro[1]);
  as_encoder_batch_free(&large);
  stepper_end(&parts);
  stepper_end(&whole);
}
END_TEST

START_TEST(a_step_after_the_first_allocates_nothing) {
  for (int mode = 0; mode <= 2; mode++) {
    stepper s;
    as_encoder_batch batches[3];
    as_step_options options = {.max_grad_norm = 1, .seed = 1, .recompute = mode};
    as_step_result result;
    stepper_start(&s, 2, 0.1);
    fill_batch(s.ctx, &batches[0], 0, 9);
    fill_batch(s.ctx, &batches[1], 0, 9);
    fill_batch(s.ctx, &batches[2], 2, 7);
    ck_assert_ok(s.ctx, as_encoder_step(s.graph, s.encoder, &s.adamw, batches, 2, &options, 0, 1e-3, &result));
    uint64_t allocations = as_allocation_count(s.ctx);
    size_t used = as_memory_used(s.ctx);
    for (int64_t step = 1; step < 6; step++) /* as large, and smaller */
      ck_assert_ok(s.ctx,
                   as_encoder_step(s.graph, s.encoder, &s.adamw, batches + step % 3, 1, &options, step, 1e-3, &result));
    ck_assert_uint_eq(as_allocation_count(s.ctx) - allocations, 0);
    ck_assert_uint_eq(as_memory_used(s.ctx), used);
    for (int i = 0; i < 3; i++) as_encoder_batch_free(&batches[i]);
    stepper_end(&s);
  }
}
END_TEST

START_TEST(a_step_that_diverges_updates_nothing) {
  stepper s;
  as_encoder_batch batch;
  as_step_options options = {.seed = 1};
  as_step_result result;
  stepper_start(&s, 1, 0);
  fill_batch(s.ctx, &batch, 0, 4);
  as_parameters *ps = as_encoder_parameters(s.encoder);
  float *before = as_alloc(s.ctx, ps->elements, sizeof *before);
  as_parameter_weights(ps, as_parameters_find(ps, "classifier.bias"))[1] = NAN;
  memcpy(before, ps->weights, ps->elements * sizeof *before);
  ck_assert_refused(s.ctx, as_encoder_step(s.graph, s.encoder, &s.adamw, &batch, 1, &options, 4, 1e-3, &result),
                    AS_E_DIVERGED, "step 5");
  ck_assert(isnan(result.loss));
  ck_assert_int_eq(memcmp(before, ps->weights, ps->elements * sizeof *before), 0);
  ck_assert_int_eq(s.adamw.steps, 0);
  as_free(s.ctx, before);
  as_encoder_batch_free(&batch);
  stepper_end(&s);
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {schedules_have_the_values_of_their_formulas,
                                warm_up_is_a_share_below_1_and_steps_from_1_on,
                                adamw_agrees_with_a_replica_in_double,
                                clipping_scales_down_only,
                                an_epoch_has_every_row_once_and_keeps_its_bounds,
                                batches_differ_by_epoch_and_seed_and_group_lengths,
                                accumulating_is_as_one_large_batch,
                                a_step_after_the_first_allocates_nothing,
                                a_step_that_diverges_updates_nothing};
  Suite *suite = suite_create("training parts");
  for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    TCase *tcase = tcase_create(tests[i]->name);
    tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
  }
  return suite;
}
