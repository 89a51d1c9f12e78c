/* See replies.h. */
#include "train/replies.h"

#include "base/memory.h"
#include "eval/bleu.h"
#include "models/t5_greedy.h"

void as_reply_list_free(as_reply_list *list) {
  if (!list->ctx) return;
  as_free(list->ctx, list->texts);
  as_buffer_free(&list->bytes);
  *list = (as_reply_list){0};
}

/* Decodes the answers; views are made when the block has stopped growing. */
static as_status decode(const as_tokenizer *tokenizer, const as_token_rows *answers, int64_t most, as_reply_list *out) {
  int64_t *ids = as_alloc(out->ctx, (size_t)most, sizeof *ids);
  out->texts = as_alloc(out->ctx, (size_t)answers->count, sizeof *out->texts);
  as_status status = ids && out->texts ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < answers->count; i++) {
    int64_t length = as_token_rows_length(answers, i);
    size_t before = out->bytes.length;
    for (int64_t k = 0; k < length; k++) ids[k] = answers->ids[answers->offsets[i] + k];
    status = as_tokenizer_decode(tokenizer, ids, (size_t)length, true, &out->bytes);
    out->texts[i].length = out->bytes.length - before;
  }
  const char *at = as_buffer_string(&out->bytes);
  for (int64_t i = 0; status == AS_OK && i < answers->count; at += out->texts[i++].length) out->texts[i].text = at;
  out->count = answers->count;
  out->unfinished = answers->truncated;
  as_free(out->ctx, ids);
  return status;
}

as_status as_replies_generate(as_context *ctx, const as_t5 *t5, const as_tokenizer *tokenizer,
                              const as_token_rows *sources, int64_t max_new_tokens, bool (*interrupted)(void *user),
                              void *user, as_reply_list *out) {
  as_t5_greedy_options options = {.max_new_tokens = max_new_tokens, .interrupted = interrupted, .user = user};
  as_token_rows answers;
  *out = (as_reply_list){.ctx = ctx};
  as_buffer_init(&out->bytes, ctx);
  as_token_rows_init(&answers, ctx);
  as_status status = as_t5_greedy(ctx, t5, sources, &options, &answers);
  if (status == AS_OK) status = decode(tokenizer, &answers, max_new_tokens, out);
  as_token_rows_free(&answers);
  return status;
}

as_status as_replies_bleu(as_context *ctx, const as_string_view *replies, const as_string_view *references,
                          int64_t count, double *bleu) {
  as_bleu_counts counts = {0};
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < count; i++)
    status = as_bleu_add(ctx, &counts, replies[i], &references[i], 1, false);
  *bleu = as_bleu_score(&counts, false).score;
  return status;
}
