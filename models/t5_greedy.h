/* Greedy search with T5 and nothing else, for measuring a model while it is trained. Generation with all its options is
 * infer/generate.h, whose greedy search gives the same ids. */
#ifndef AS_MODELS_T5_GREEDY_H
#define AS_MODELS_T5_GREEDY_H

#include "models/t5_decoder.h"

typedef struct as_t5_greedy_options {
  int64_t max_new_tokens;          /* with the end token */
  bool (*interrupted)(void *user); /* asked before each step; NULL: never */
  void *user;
} as_t5_greedy_options;

/* Answers each of the sources: adds to `answers`, which is not cleared, a row for each in their order, without the
 * start token and with the end token if there is one; a row without it counts as truncated. AS_E_INTERRUPTED when
 * `interrupted` said so. */
AS_MUST_CHECK as_status as_t5_greedy(as_context *ctx, const as_t5 *t5, const as_token_rows *sources,
                                     const as_t5_greedy_options *options, as_token_rows *answers);

#endif
