/* Masks for masked language modelling as transformers' DataCollatorForLanguageModeling draws them (Devlin et al. 2019,
 * section 3.1): each token that is not special is chosen with probability 0.15; of the chosen 80 % become the mask
 * token, 10 % a token drawn from the whole vocabulary, 10 % stay.
 *
 * Invariant: what becomes of a row follows from (seed, epoch, row) alone. Token i draws the four words of Philox with
 * counter { i, row low, epoch, "MLM" and row high } and key { seed low, seed high }. */
#ifndef AS_TRAIN_MASKING_H
#define AS_TRAIN_MASKING_H

#include "tokenizer/tokenizer.h"

#define AS_MASK_VALIDATION UINT32_MAX /* as epoch: the masks of validation rows, the same in all epochs */

typedef struct as_masking {
  as_context *ctx;
  uint64_t seed;
  int32_t mask_id, vocab_size;
  uint8_t *special; /* [vocab_size] 1: never chosen */
} as_masking;

/* AS_E_MODEL when the tokenizer has no mask token; `where` is named in the text. */
AS_MUST_CHECK as_status as_masking_init(as_masking *masking, as_context *ctx, const as_tokenizer *tokenizer,
                                        uint64_t seed, const char *where);
void as_masking_free(as_masking *masking); /* zeroed is allowed */

/* How many tokens of the row are chosen. */
int64_t as_masking_count(const as_masking *masking, uint32_t epoch, int64_t row, const int32_t *ids, int64_t count);
/* The same, putting what they become into `ids` [count], and their places and what stood there into `places` and
 * `labels`, which have room for `count`. */
int64_t as_masking_apply(const as_masking *masking, uint32_t epoch, int64_t row, int32_t *ids, int64_t count,
                         int32_t *places, int32_t *labels);

#endif
