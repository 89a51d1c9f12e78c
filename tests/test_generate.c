/* Decoding step by step against the whole graph, and generation: what a sequence gets does not depend on what else is
 * there or on threads; sampling, stopping, options, failing allocations. Agreement with transformers is
 * golden_inspect's. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "infer/generate.h"
#include "infer/stop_strings.h"
#include "infer/token_scores.h"
#include "tests/tokenizer_files.h"

static const int32_t source_ids[] = {5, 9, 3, 1, 7, 1, 2, 30, 31, 8, 6, 4, 11, 1};
static const int64_t source_lengths[] = {4, 2, 8};
enum { SOURCES = 3, VOCAB = 40 };

static as_t5 *new_t5(as_context *ctx, bool v1_1, bool packed) {
  as_t5_config c = as_t5_config_default();
  as_t5 *t5;
  c.vocab_size = VOCAB;
  c.d_model = 24;
  c.d_kv = 7;
  c.num_heads = 3;
  c.d_ff = 50;
  c.num_layers = 1;
  c.num_decoder_layers = 2;
  c.relative_attention_num_buckets = 8;
  c.relative_attention_max_distance = 20;
  c.initializer_factor = 1.5;
  c.feed_forward_proj = v1_1 ? AS_T5_GATED_GELU : AS_T5_RELU;
  c.scale_decoder_outputs = !v1_1;
  ck_assert_ok(ctx, as_t5_new(ctx, &c, !v1_1, &(as_t5_options){.packed = packed, .seed = 5, .dropout = 0}, &t5));
  return t5;
}

/* Sources [first, last). */
static void fill_sources(as_context *ctx, as_encoder_batch *batch, int first, int last) {
  const int32_t *ids = source_ids;
  as_encoder_batch_init(batch, ctx);
  for (int i = 0; i < last; i++) {
    if (i >= first) ck_assert_ok(ctx, as_encoder_batch_add(batch, ids, source_lengths[i], -100));
    ids += source_lengths[i];
  }
}

/* ---- the decoder ------------------------------------------------------------------------------------------------ */

/* Logits of the last position of source 0 after `count` ids, from the whole graph. */
static void whole_logits(as_context *ctx, const as_t5 *t5, const as_encoder_batch *source, const int32_t *ids,
                         int64_t count, float *out) {
  as_encoder_batch target;
  as_encoder_batch_init(&target, ctx);
  ck_assert_ok(ctx, as_encoder_batch_add(&target, ids, count, -100));
  as_graph *g = as_graph_new(ctx, AS_INFER);
  as_tensor *decoded = as_t5_record_decoder(g, t5, &target, as_t5_record_encoder(g, t5, source, NULL), source, NULL);
  as_tensor *logits = as_keep(g, as_t5_record_logits(g, t5, decoded));
  ck_assert_ok(ctx, as_graph_plan(g, NULL));
  as_graph_forward(g);
  memcpy(out, as_tensor_f32(logits) + (count - 1) * VOCAB, VOCAB * sizeof *out);
  as_graph_free(g);
  as_encoder_batch_free(&target);
}

/* Two sequences part from a common beginning and change their slots. */
START_TEST(steps_over_the_cache_give_the_logits_of_the_whole) {
  static const int32_t tokens[2][6] = {{0, 7, 7, 9, 30, 2}, {0, 7, 12, 3, 3, 5}};
  static const int32_t slots[2][6] = {{0, 1, 2, 0, 0, 1}, {0, 1, 0, 2, 1, 2}};
  as_context *ctx = as_test_context(2);
  as_t5 *t5 = new_t5(ctx, _i % 2, _i / 2);
  as_encoder_batch source;
  as_t5_decoder *decoder;
  fill_sources(ctx, &source, 2, 3);
  ck_assert_ok(ctx, as_t5_decoder_new(ctx, t5, &decoder));
  for (int again = 0; again < 2; again++) { /* the second time in memory that was used before */
    ck_assert_ok(ctx, as_t5_decoder_begin(decoder, &source, 3, 6));
    for (int t = 0; t < 6; t++) {
      as_t5_decoder_row rows[2];
      float expected[VOCAB];
      int count = t < 2 ? 1 : 2;
      for (int r = 0; r < count; r++)
        rows[r] = (as_t5_decoder_row){0, slots[r][t], t ? slots[r][t - 1] : 0, tokens[r][t]};
      const float *logits = as_t5_decoder_step(decoder, rows, count);
      for (int r = 0; r < count; r++) {
        whole_logits(ctx, t5, &source, tokens[r], t + 1, expected);
        double largest = 0; /* without scaling logits are up to 30, and sums of such */
        for (int v = 0; v < VOCAB; v++) largest = fmax(largest, fabs((double)expected[v]));
        as_assert_close("logits", logits + r * VOCAB, expected, VOCAB, 4e-6 * largest, 0);
      }
    }
  }
  ck_assert_refused(ctx, as_t5_decoder_begin(decoder, &source, 0, 6), AS_E_INVALID, "a slot");
  ck_assert_refused(ctx, as_t5_decoder_begin(decoder, &source, 1 << 20, INT32_MAX), AS_E_LIMIT, "too many");
  as_t5_decoder_free(decoder);
  as_encoder_batch_free(&source);
  as_t5_free(t5);
  as_test_context_free(ctx);
}
END_TEST

/* ---- generation ------------------------------------------------------------------------------------------------- */

static as_generate_options options_of(int number) {
  as_generate_options o = as_generate_default();
  o.max_new_tokens = 12;
  if (number == 1) {
    o.num_beams = 4;
    o.num_return_sequences = 3;
    o.length_penalty = 0.7;
    o.no_repeat_ngram_size = 2;
  }
  if (number == 2) {
    o.do_sample = true;
    o.num_return_sequences = 3;
    o.top_p = 0.9;
    o.temperature = 2;
    o.seed = 9;
    o.repetition_penalty = 1.2;
  }
  return o;
}

static void generate(as_context *ctx, const as_t5 *t5, int first, int last, const as_generate_options *options,
                     as_generations *out) {
  as_encoder_batch sources;
  as_generator *generator;
  fill_sources(ctx, &sources, first, last);
  ck_assert_ok(ctx, as_generator_new(ctx, t5, &generator));
  ck_assert_ok(ctx, as_generate(generator, &sources, options, out));
  as_generator_free(generator);
  as_encoder_batch_free(&sources);
}

static void assert_same_sequence(const as_generations *a, int64_t i, const as_generations *b, int64_t k) {
  int64_t count = a->offsets[i + 1] - a->offsets[i];
  ck_assert_int_eq(count, b->offsets[k + 1] - b->offsets[k]);
  ck_assert_int_eq(memcmp(a->ids + a->offsets[i], b->ids + b->offsets[k], (size_t)count * sizeof *a->ids), 0);
  ck_assert_msg(memcmp(&a->scores[i], &b->scores[k], sizeof *a->scores) == 0, "score %.17g, expected %.17g",
                a->scores[i], b->scores[k]);
  ck_assert_int_eq(a->reasons[i], b->reasons[k]);
}

START_TEST(sequences_depend_neither_on_each_other_nor_on_threads) {
  as_generate_options options = options_of(_i);
  int64_t each = options.num_return_sequences;
  as_context *first_ctx = as_test_context(1);
  as_t5 *t5 = new_t5(first_ctx, true, true);
  as_generations all;
  generate(first_ctx, t5, 0, SOURCES, &options, &all);
  ck_assert_int_eq(all.count, SOURCES * each);
  for (int threads = 2; threads <= 8; threads += 3) {
    as_context *ctx = as_test_context(threads);
    as_t5 *other = new_t5(ctx, true, threads == 2);
    as_generations again, alone;
    generate(ctx, other, 0, SOURCES, &options, &again);
    for (int64_t i = 0; i < all.count; i++) assert_same_sequence(&again, i, &all, i);
    for (int s = 0; s < SOURCES; s++) {
      as_generate_options own = options;
      own.first_sequence = (uint64_t)(s * each);
      generate(ctx, other, s, s + 1, &own, &alone);
      for (int64_t i = 0; i < each; i++) assert_same_sequence(&alone, i, &all, s * each + i);
      as_generations_free(&alone);
    }
    as_generations_free(&again);
    as_t5_free(other);
    as_test_context_free(ctx);
  }
  as_generations_free(&all);
  as_t5_free(t5);
  as_test_context_free(first_ctx);
}
END_TEST

START_TEST(sampling_is_steered_by_seed_and_options) {
  as_context *ctx = as_test_context(2);
  as_t5 *t5 = new_t5(ctx, false, true);
  as_generate_options o = options_of(2);
  as_generations a, b, greedy;
  generate(ctx, t5, 0, SOURCES, &o, &a);
  o.seed = 10;
  generate(ctx, t5, 0, SOURCES, &o, &b);
  ck_assert(a.offsets[a.count] != b.offsets[b.count] ||
            memcmp(a.ids, b.ids, (size_t)a.offsets[a.count] * sizeof *a.ids) != 0);
  as_generations_free(&b);
  o.num_return_sequences = 1; /* with the most likely token alone it is greedy search */
  o.top_k = 1;
  generate(ctx, t5, 0, SOURCES, &o, &b);
  o.do_sample = false;
  generate(ctx, t5, 0, SOURCES, &o, &greedy);
  for (int64_t i = 0; i < SOURCES; i++) {
    int64_t count = greedy.offsets[i + 1] - greedy.offsets[i];
    ck_assert_int_eq(b.offsets[i + 1] - b.offsets[i], count);
    ck_assert_int_eq(memcmp(b.ids + b.offsets[i], greedy.ids + greedy.offsets[i], (size_t)count * sizeof *b.ids), 0);
    ck_assert_double_eq_tol(b.scores[i], 0, 1e-12);
  }
  as_generations_free(&a);
  as_generations_free(&b);
  as_generations_free(&greedy);
  as_t5_free(t5);
  as_test_context_free(ctx);
}
END_TEST

/* Tokens come as often as temperature, top_k and top_p say. */
START_TEST(tokens_are_drawn_by_their_probability) {
  enum { TOKENS = 700, DRAWS = 4000 };
  static const struct {
    double temperature, top_p;
    int64_t top_k;
    int kept;
  } cases[] = {{1, 1, 0, TOKENS}, {1, 0.5, 0, 0}, {2, 1, 5, 5}, {0.5, 0.6, 4, 0}, {1, 0.999, 0, 0}};
  as_context *ctx = as_test_context(1);
  as_generate_options o = as_generate_default();
  const as_kernels_f32 *kernels;
  as_candidate candidates[TOKENS];
  float logits[TOKENS], scores[TOKENS], scratch[TOKENS];
  double expected[TOKENS] = {0}, total = 0;
  int drawn[TOKENS] = {0}, order[TOKENS];
  ck_assert_ok(ctx, as_kernels_select(ctx, &kernels));
  o.temperature = cases[_i].temperature;
  o.top_p = cases[_i].top_p;
  o.top_k = cases[_i].top_k;
  as_token_rules rules = {&o, kernels, TOKENS, 1};
  for (int i = 0; i < TOKENS; i++) logits[i] = (float)(6 * sin(i * 1.7) - 0.001 * i), order[i] = i;
  for (int i = 0; i < TOKENS; i++) /* plainly: order, probabilities, top_k, top_p */
    for (int k = i; k > 0 && logits[order[k]] > logits[order[k - 1]]; k--) {
      int swapped = order[k];
      order[k] = order[k - 1];
      order[k - 1] = swapped;
    }
  int most = o.top_k ? (int)o.top_k : TOKENS, kept = 0;
  for (int i = 0; i < most; i++) total += exp((double)logits[order[i]] / o.temperature);
  double above = 0, share = 0;
  for (; kept < most && (o.top_p >= 1 || above < o.top_p); kept++) {
    expected[order[kept]] = exp((double)logits[order[kept]] / o.temperature) / total;
    above += expected[order[kept]];
  }
  if (cases[_i].kept) ck_assert_int_eq(kept, cases[_i].kept);
  for (int i = 0; i < TOKENS; i++) share += expected[i];
  for (int d = 0; d < DRAWS; d++) {
    double log_probability;
    memcpy(scores, logits, sizeof logits);
    int32_t token = as_sampled_token(&rules, scores, (d + 0.5) / DRAWS, candidates, scratch, &log_probability);
    ck_assert_msg(expected[token] > 0, "token %d was drawn", (int)token);
    ck_assert_double_eq_tol(log_probability, log(expected[token] / share), 1e-5);
    drawn[token]++;
  }
  for (int i = 0; i < TOKENS; i++) /* evenly spread draws miss a share by one at each of its ends */
    ck_assert_msg(fabs(drawn[i] - DRAWS * expected[i] / share) <= 1.001, "token %d: %d of %g draws", i, drawn[i],
                  DRAWS * expected[i] / share);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(the_best_candidates_are_in_order) {
  as_context *ctx = as_test_context(1);
  const as_kernels_f32 *kernels;
  float scores[1000];
  as_candidate best[1000];
  ck_assert_ok(ctx, as_kernels_select(ctx, &kernels));
  as_token_rules rules = {.kernels = kernels, .vocab_size = 1000};
  for (int i = 0; i < 1000; i++) scores[i] = i % 7 == 3 ? -INFINITY : (float)(i * 37 % 101);
  for (int count = 1; count <= 1000; count = count < 5 ? count + 1 : count * 3 > 1000 ? count + 600 : count * 3) {
    if (count > 1000) break;
    as_top_candidates(&rules, scores, count, best);
    for (int i = 1; i < count; i++)
      ck_assert(best[i - 1].score > best[i].score ||
                (best[i - 1].score == best[i].score && best[i - 1].token < best[i].token));
    int above = 0; /* none that is better is missing */
    for (int i = 0; i < 1000; i++) above += scores[i] > best[count - 1].score;
    ck_assert_int_le(above, count - 1);
    for (int i = 0; i < count; i++) ck_assert(scores[best[i].token] == best[i].score);
  }
  as_test_context_free(ctx);
}
END_TEST

/* ---- stopping --------------------------------------------------------------------------------------------------- */

typedef struct watch {
  int tokens[SOURCES * 4];
  int steps, stop_length;
} watch;

static bool stops(void *user, const int32_t *ids, int64_t count) {
  (void)ids;
  return count >= ((watch *)user)->stop_length;
}
static void on_token(void *user, int64_t sequence, int32_t token) {
  ck_assert(token >= 0 && token < VOCAB);
  ((watch *)user)->tokens[sequence]++;
}
static bool interrupted(void *user) { return ++((watch *)user)->steps > 4; }

START_TEST(sequences_stop_where_they_are_told_to) {
  as_context *ctx = as_test_context(2);
  as_t5 *t5 = new_t5(ctx, true, true);
  for (int beams = 1; beams <= 3; beams += 2) {
    watch w = {.stop_length = 3};
    as_generate_options o = options_of(0);
    as_generations out;
    o.min_new_tokens = 5;
    o.num_beams = beams;
    o.user = &w;
    o.stops = stops;
    o.on_token = on_token;
    generate(ctx, t5, 0, SOURCES, &o, &out);
    for (int64_t i = 0; i < out.count; i++) {
      ck_assert_int_eq(out.offsets[i + 1] - out.offsets[i], 3);
      ck_assert_int_eq(out.reasons[i], AS_FINISH_STOP);
      ck_assert_int_eq(w.tokens[i], beams == 1 ? 3 : 0);
    }
    as_generations_free(&out);
    o.stops = NULL;
    o.min_new_tokens = o.max_new_tokens;
    generate(ctx, t5, 0, SOURCES, &o, &out);
    for (int64_t i = 0; i < out.count; i++) {
      ck_assert_int_eq(out.offsets[i + 1] - out.offsets[i], 12);
      ck_assert_int_eq(out.reasons[i], AS_FINISH_LENGTH);
    }
    as_generations_free(&out);
  }
  as_t5_free(t5);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(strings_stop_where_the_text_has_them) {
  static const char *const strings[] = {"order un", "caf"};
  static const char *const empty[] = {"a", ""};
  static const int32_t ids[] = {2, 8, 9, 10, 11, 12, 14, 13}; /* [CLS] where is my order un##able##a */
  as_context *ctx = as_test_context(1);
  as_tokenizer *tokenizer = open_small_vocab(ctx, NULL);
  as_stop_strings stop;
  ck_assert_ok(ctx, as_stop_strings_init(&stop, ctx, tokenizer, strings, 2));
  for (int64_t count = 1; count <= 8; count++)
    ck_assert_msg(as_stop_strings_met(&stop, ids, count) == (count >= 6), "after %d ids", (int)count);
  ck_assert_uint_eq(as_stop_strings_cut(&stop, "a cafe order un", 15), 2);
  ck_assert_uint_eq(as_stop_strings_cut(&stop, "no\0a caf", 8), 5);
  ck_assert_uint_eq(as_stop_strings_cut(&stop, "nothing", 7), 7);
  for (uint64_t n = 1; n <= 2; n++) { /* memory runs out: it says so, and nothing stops */
    as_stop_strings other;
    ck_assert_ok(ctx, as_stop_strings_init(&other, ctx, tokenizer, strings, 2));
    as_test_fail_at(ctx, n);
    ck_assert(!as_stop_strings_met(&other, ids, 8));
    as_test_fail_at(ctx, 0);
    ck_assert_int_eq(other.status, AS_E_NOMEM);
    as_stop_strings_free(&other);
  }
  as_stop_strings_free(&stop);
  ck_assert_refused(ctx, as_stop_strings_init(&stop, ctx, tokenizer, empty, 2), AS_E_INVALID, "is empty");
  as_stop_strings_free(&stop);
  as_tokenizer_free(tokenizer);
  as_test_context_free(ctx);
}
END_TEST

static const struct {
  as_generate_options options; /* what is not 0 replaces the default */
  const char *fragment;
} wrong[] = {{{.max_new_tokens = -1}, "max_new_tokens is -1"},
             {{.min_new_tokens = 13}, "min_new_tokens is 13"},
             {{.num_beams = 21}, "num_beams is 21"},
             {{.num_return_sequences = 2}, "num_return_sequences is 2"},
             {{.length_penalty = 1000}, "length_penalty is 1000"},
             {{.repetition_penalty = -1}, "repetition_penalty is -1"},
             {{.temperature = -2}, "temperature is -2"},
             {{.top_p = 1.5}, "top_p is 1.5"},
             {{.do_sample = true, .num_beams = 2}, "exclude each other"}};

START_TEST(options_that_make_no_sense_are_refused) {
  as_context *ctx = as_test_context(1);
  as_t5 *t5 = new_t5(ctx, false, false);
  as_encoder_batch sources;
  as_generator *generator;
  as_generations out;
  as_generate_options o = options_of(0);
  const as_generate_options *w = &wrong[_i].options;
  if (w->max_new_tokens) o.max_new_tokens = w->max_new_tokens;
  if (w->min_new_tokens) o.min_new_tokens = w->min_new_tokens;
  if (w->num_beams) o.num_beams = w->num_beams;
  if (w->num_return_sequences) o.num_return_sequences = w->num_return_sequences;
  if (w->length_penalty != 0) o.length_penalty = w->length_penalty;
  if (w->repetition_penalty != 0) o.repetition_penalty = w->repetition_penalty;
  if (w->temperature != 0) o.temperature = w->temperature;
  if (w->top_p != 0) o.top_p = w->top_p;
  o.do_sample = w->do_sample;
  fill_sources(ctx, &sources, 0, 1);
  ck_assert_ok(ctx, as_generator_new(ctx, t5, &generator));
  ck_assert_refused(ctx, as_generate(generator, &sources, &o, &out), AS_E_INVALID, wrong[_i].fragment);
  as_generations_free(&out);
  as_generator_free(generator);
  as_encoder_batch_free(&sources);
  as_t5_free(t5);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(an_interrupted_generation_says_so) {
  as_context *ctx = as_test_context(1);
  as_t5 *t5 = new_t5(ctx, false, false);
  for (int number = 0; number < 3; number++) {
    as_encoder_batch sources;
    as_generator *generator;
    as_generations out;
    watch w = {.stop_length = 100};
    as_generate_options o = options_of(number);
    o.min_new_tokens = o.max_new_tokens;
    o.interrupted = interrupted;
    o.user = &w;
    fill_sources(ctx, &sources, 0, 2);
    ck_assert_ok(ctx, as_generator_new(ctx, t5, &generator));
    ck_assert_refused(ctx, as_generate(generator, &sources, &o, &out), AS_E_INTERRUPTED, "interrupted");
    as_generations_free(&out);
    as_generator_free(generator);
    as_encoder_batch_free(&sources);
  }
  as_t5_free(t5);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  for (uint64_t n = 1;; n++) {
    as_context *ctx = as_test_context(2);
    as_t5 *t5 = new_t5(ctx, true, true);
    as_encoder_batch sources;
    as_generator *generator = NULL;
    as_generations out = {0};
    as_generate_options options = options_of(_i);
    options.max_new_tokens = 3;
    fill_sources(ctx, &sources, 0, 2);
    as_test_fail_at(ctx, n);
    as_status status = as_generator_new(ctx, t5, &generator);
    if (status == AS_OK) status = as_generate(generator, &sources, &options, &out);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    as_generations_free(&out);
    as_generator_free(generator);
    as_encoder_batch_free(&sources);
    as_t5_free(t5);
    as_test_context_free(ctx);
    if (!failed) break;
  }
}
END_TEST

/* ---- memory ----------------------------------------------------------------------------------------------------- */

START_TEST(steps_allocate_nothing) {
  as_context *ctx = as_test_context(2);
  as_t5 *t5 = new_t5(ctx, true, true);
  as_encoder_batch sources;
  as_t5_decoder *decoder;
  fill_sources(ctx, &sources, 0, SOURCES);
  ck_assert_ok(ctx, as_t5_decoder_new(ctx, t5, &decoder));
  ck_assert_ok(ctx, as_t5_decoder_begin(decoder, &sources, 2, 20));
  uint64_t allocations = as_allocation_count(ctx);
  for (int t = 0; t < 20; t++) {
    as_t5_decoder_row rows[2 * SOURCES];
    for (int i = 0; i < 2 * SOURCES; i++)
      rows[i] = (as_t5_decoder_row){i / 2, i % 2, t ? 1 - i % 2 : 0, (i * 7 + t) % VOCAB};
    as_t5_decoder_step(decoder, rows, 2 * SOURCES);
  }
  ck_assert_uint_eq(as_allocation_count(ctx), allocations);
  as_t5_decoder_free(decoder);
  as_encoder_batch_free(&sources);
  as_t5_free(t5);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("generate");
  TCase *tcase = tcase_create("generate");
  tcase_add_loop_test(tcase, steps_over_the_cache_give_the_logits_of_the_whole, 0, 4);
  tcase_add_loop_test(tcase, sequences_depend_neither_on_each_other_nor_on_threads, 0, 3);
  tcase_add_test(tcase, sampling_is_steered_by_seed_and_options);
  tcase_add_loop_test(tcase, tokens_are_drawn_by_their_probability, 0, 5);
  tcase_add_test(tcase, the_best_candidates_are_in_order);
  tcase_add_test(tcase, sequences_stop_where_they_are_told_to);
  tcase_add_test(tcase, strings_stop_where_the_text_has_them);
  tcase_add_loop_test(tcase, options_that_make_no_sense_are_refused, 0, (int)(sizeof wrong / sizeof wrong[0]));
  tcase_add_test(tcase, an_interrupted_generation_says_so);
  tcase_add_loop_test(tcase, failing_allocations_are_reported, 0, 3);
  tcase_add_test(tcase, steps_allocate_nothing);
  suite_add_tcase(suite, tcase);
  return suite;
}
