/* A generation under way, for the files that share it. */
#ifndef AS_INFER_GENERATION_H
#define AS_INFER_GENERATION_H

#include "infer/token_scores.h"

struct as_generator {
  as_context *ctx;
  const as_t5 *t5;
  as_t5_decoder *decoder;
  const as_kernels_f32 *kernels;
};

/* What one call works with. */
typedef struct as_generation {
  as_generator *generator;
  const as_generate_options *options;
  as_token_rules rules;
  int64_t sources;
  int32_t start;
  uint8_t *marks;           /* a row of [vocab_size] for each lane, zeros */
  float *scratch;           /* a row of [vocab_size] for each lane */
  as_t5_decoder_row *rows;  /* of a step */
  as_generations *out;
} as_generation;

/* Both put the sequences of all sources into generation->out. */
AS_MUST_CHECK as_status as_generate_one_by_one(as_generation *generation); /* greedy search and sampling */
AS_MUST_CHECK as_status as_generate_by_beams(as_generation *generation);

/* Adds the next sequence to the result: `count` ids, without start token. */
void as_generations_add(as_generation *generation, const int32_t *ids, int64_t count, double score,
                        as_finish_reason reason);
/* AS_E_INTERRUPTED when options->interrupted says so. */
AS_MUST_CHECK as_status as_generation_continues(const as_generation *generation);

#endif
