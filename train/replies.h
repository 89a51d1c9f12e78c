/* Replies of a response model to many rows, as texts, and their BLEU beside that of replies that need no model. */
#ifndef AS_TRAIN_REPLIES_H
#define AS_TRAIN_REPLIES_H

#include "base/text_unicode.h"
#include "models/t5.h"
#include "models/token_rows.h"
#include "tokenizer/tokenizer.h"

/* Texts in one block. */
typedef struct as_reply_list {
  as_context *ctx;
  as_buffer bytes;
  as_string_view *texts; /* [count], into `bytes` once all are there */
  int64_t count;
  int64_t unfinished; /* that ended at the limit of their length */
} as_reply_list;

/* Answers each source by greedy search with at most max_new_tokens; AS_E_INTERRUPTED when `interrupted` (may be NULL)
 * said so. Caller frees *out with as_reply_list_free, after a failure too. */
AS_MUST_CHECK as_status as_replies_generate(as_context *ctx, const as_t5 *t5, const as_tokenizer *tokenizer,
                                            const as_token_rows *sources, int64_t max_new_tokens,
                                            bool (*interrupted)(void *user), void *user, as_reply_list *out);
void as_reply_list_free(as_reply_list *list);

/* BLEU of replies against references, each [count]. */
AS_MUST_CHECK as_status as_replies_bleu(as_context *ctx, const as_string_view *replies,
                                        const as_string_view *references, int64_t count, double *bleu);

#endif
