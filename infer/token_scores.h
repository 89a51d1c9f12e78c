/* From a row of logits to the next token: what changes the scores of tokens, and what chooses among them. */
#ifndef AS_INFER_TOKEN_SCORES_H
#define AS_INFER_TOKEN_SCORES_H

#include "infer/generate.h"
#include "tensor/kernels/kernels.h"

/* A token, with its score; of beams also where it comes from. */
typedef struct as_candidate {
  float score;
  int32_t token;
  int32_t beam;
} as_candidate;

/* What a row is judged with. */
typedef struct as_token_rules {
  const as_generate_options *options;
  const as_kernels_f32 *kernels;
  int64_t vocab_size;
  int32_t eos_token_id;
} as_token_rules;

/* Applies, in this order, repetition penalty, no_repeat_ngram_size and min_new_tokens to scores [vocab_size], for a
 * sequence of `length` ids, start token included. `marks` has a byte for each token, zero before and after. */
void as_token_rules_apply(const as_token_rules *rules, const int32_t *ids, int64_t length, float *scores,
                          uint8_t *marks);

/* Turns scores [vocab_size] into log-probabilities. `scratch` [vocab_size]. */
void as_log_probabilities(const as_token_rules *rules, float *scores, float *scratch);

/* The `count` highest scores [vocab_size] in descending order, equal ones by token, into best [count]. */
void as_top_candidates(const as_token_rules *rules, const float *scores, int64_t count, as_candidate *best);

/* The token with the highest score; *log_probability is its share. The scores are used up. */
int32_t as_greedy_token(const as_token_rules *rules, float *scores, double *log_probability);
/* A token drawn by `uniform` from [0, 1), from what temperature, top_k and top_p leave. `candidates` and `scratch`
 * have room for vocab_size. The scores are used up. */
int32_t as_sampled_token(const as_token_rules *rules, float *scores, double uniform, as_candidate *candidates,
                         float *scratch, double *log_probability);

#endif
