/* Generation of text by T5: greedy search, beam search and sampling, as transformers' generate has them: the same
 * tokens, and scores to its float rounding.
 *
 * Sequences of a batch do not influence each other: each gets what it would get alone, whatever the number of threads.
 */
#ifndef AS_INFER_GENERATE_H
#define AS_INFER_GENERATE_H

#include "models/t5_decoder.h"

/* When a beam search ends, once there are num_beams finished sequences: at once; when the best running one can't become
 * better than the worst of them by its present length; or by the most favourable length it could reach. */
typedef enum as_early_stopping {
  AS_EARLY_STOPPING_FALSE,
  AS_EARLY_STOPPING_TRUE,
  AS_EARLY_STOPPING_NEVER
} as_early_stopping;

typedef struct as_generate_options {
  int64_t max_new_tokens, min_new_tokens; /* without the start token; no end token before min_new_tokens others */
  int64_t num_beams;                      /* 1: greedy search or sampling */
  int64_t num_return_sequences;           /* of each source: at most num_beams, or any number when sampling */
  double length_penalty;                  /* a beam's score is the sum of log-probabilities / length^length_penalty */
  as_early_stopping early_stopping;
  double repetition_penalty;    /* 1: none (Keskar et al. 2019) */
  int64_t no_repeat_ngram_size; /* 0: any may repeat */
  bool do_sample;
  double temperature; /* of sampling: logits are divided by it */
  int64_t top_k;      /* only the most likely ones; 0: all */
  double top_p;       /* only the smallest set of likely ones whose probability reaches it; 1: all */
  uint64_t seed;
  uint64_t first_sequence; /* the number of the first source's first sequence: each draws by seed and number */
  /* Whether a sequence that does not end with the end token is to stop here; ids [count] without the start token
   * (infer/stop_strings.h). NULL: never. */
  bool (*stops)(void *user, const int32_t *ids, int64_t count);
  /* Told of each token of each sequence as it is chosen, except in beam search, which chooses late. NULL: nobody. */
  void (*on_token)(void *user, int64_t sequence, int32_t token);
  bool (*interrupted)(void *user); /* asked before each step; NULL: never */
  void *user;
} as_generate_options;

/* The defaults of transformers, with max_new_tokens 128. */
as_generate_options as_generate_default(void);

typedef enum as_finish_reason {
  AS_FINISH_EOS,    /* the end token */
  AS_FINISH_LENGTH, /* max_new_tokens */
  AS_FINISH_STOP    /* `stops` said so */
} as_finish_reason;

/* `count` sequences, those of a source next to each other and, from a beam search, the best first. */
typedef struct as_generations {
  as_context *ctx;
  int64_t count;
  int64_t *offsets;          /* [count + 1] */
  int32_t *ids;              /* [offsets[count]], without start token, with the end token if there is one */
  double *scores;            /* [count]: of beams as length_penalty has it; else the sum of log-probabilities */
  as_finish_reason *reasons; /* [count] */
} as_generations;

typedef struct as_generator as_generator;

/* For an opened model, best a packed one, which is borrowed. Caller frees. One thread at a time. */
AS_MUST_CHECK as_status as_generator_new(as_context *ctx, const as_t5 *t5, as_generator **out);
void as_generator_free(as_generator *generator); /* NULL is allowed */

/* Answers the sources. AS_E_INVALID names an option that makes no sense; AS_E_INTERRUPTED. Caller frees *out with
 * as_generations_free, after a failure too. */
AS_MUST_CHECK as_status as_generate(as_generator *generator, const as_encoder_batch *sources,
                                    const as_generate_options *options, as_generations *out);
void as_generations_free(as_generations *generations);

#endif
