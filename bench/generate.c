/* The speed of generation. See t5.h. */
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/t5.h"
#include "infer/generate.h"

enum { VOCAB_SIZE = 32128 };

as_status as_bench_t5_new(as_context *ctx, const as_bench_model *model, bool gradients, as_t5 **out) {
  const as_t5_options options = {.gradients = gradients, .packed = !gradients, .seed = model->seed, .dropout = -1};
  const as_t5_preset *preset = as_t5_presets;
  if (model->folder) return as_t5_open(ctx, model->folder, &options, out);
  while (preset->name && strcmp(preset->name, model->size) != 0) preset++;
  *out = NULL;
  if (!preset->name) return as_fail(ctx, AS_E_INVALID, "there is no size \"%s\"", model->size);
  const as_t5_config config = as_t5_config_preset(preset, VOCAB_SIZE, false);
  return as_t5_new(ctx, &config, true, &options, out);
}

/* Random ids, ended by the end token as texts are. */
static as_status fill_sources(const as_t5 *t5, uint64_t seed, const as_bench_generation *g, as_encoder_batch *sources) {
  const as_t5_config *c = as_t5_get_config(t5);
  int32_t *ids = as_alloc(sources->ctx, (size_t)g->prompt_tokens, sizeof *ids);
  as_status status = ids ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < g->batch; i++) {
    as_workload_ids(seed, i, c->vocab_size, g->prompt_tokens, ids);
    ids[g->prompt_tokens - 1] = (int32_t)c->eos_token_id;
    status = as_encoder_batch_add(sources, ids, g->prompt_tokens, -100);
  }
  as_free(sources->ctx, ids);
  return status;
}

/* Generates exactly `new_tokens` for each source, `repeats` times. */
static as_status time_runs(as_generator *generator, const as_encoder_batch *sources, int64_t beams, int64_t new_tokens,
                           int64_t repeats, double *seconds /* [repeats] */, as_spread *out) {
  as_generate_options options = as_generate_default();
  options.num_beams = beams;
  options.max_new_tokens = options.min_new_tokens = new_tokens;
  for (int64_t i = -1; i < repeats; i++) {
    as_generations generations;
    const double start = as_seconds();
    as_status status = as_generate(generator, sources, &options, &generations);
    as_generations_free(&generations);
    if (status != AS_OK) return status;
    if (i >= 0) seconds[i] = as_seconds() - start;
  }
  *out = as_spread_of(seconds, repeats);
  return AS_OK;
}

as_status as_bench_generate(as_context *ctx, const as_t5 *t5, uint64_t seed, int64_t repeats,
                            as_bench_generation *out) {
  as_generator *generator = NULL;
  as_encoder_batch sources;
  as_encoder_batch_init(&sources, ctx);
  double *seconds = as_alloc(ctx, (size_t)repeats, sizeof *seconds);
  as_status status = seconds ? fill_sources(t5, seed, out, &sources) : AS_E_NOMEM;
  if (status == AS_OK) status = as_generator_new(ctx, t5, &generator);
  if (status == AS_OK)
    status = time_runs(generator, &sources, out->beams, out->new_tokens, repeats, seconds, &out->seconds);
  if (status == AS_OK)
    status = time_runs(generator, &sources, out->beams, 1, repeats, seconds, &out->first_token_seconds);
  as_generator_free(generator);
  as_encoder_batch_free(&sources);
  as_free(ctx, seconds);
  return status;
}
