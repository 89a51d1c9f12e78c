/* The table of trainers. */
#include "tokenizer/trainer.h"

#include <string.h>

#include "tokenizer/byte_bpe_trainer.h"
#include "tokenizer/unigram_trainer.h"
#include "tokenizer/wordpiece_trainer.h"

static as_status train_wordpiece(as_context *ctx, size_t vocab_size, as_text_source next, void *user,
                                 as_tokenizer **out) {
  return as_wordpiece_train(ctx, &(as_wordpiece_training){.vocab_size = vocab_size}, next, user, out);
}

static as_status train_byte_bpe(as_context *ctx, size_t vocab_size, as_text_source next, void *user,
                                as_tokenizer **out) {
  return as_byte_bpe_train(ctx, &(as_byte_bpe_training){.vocab_size = vocab_size}, next, user, out);
}

static as_status train_unigram(as_context *ctx, size_t vocab_size, as_text_source next, void *user,
                               as_tokenizer **out) {
  return as_unigram_train(ctx, &(as_unigram_training){.vocab_size = vocab_size}, next, user, out);
}

static const struct {
  const char *model;
  as_status (*train)(as_context *ctx, size_t vocab_size, as_text_source next, void *user, as_tokenizer **out);
} trainers[] = {{"WordPiece", train_wordpiece}, {"BPE", train_byte_bpe}, {"Unigram", train_unigram}};

as_status as_tokenizer_train(as_context *ctx, const char *model, size_t vocab_size, as_text_source next, void *user,
                             as_tokenizer **out) {
  *out = NULL;
  for (size_t i = 0; i < sizeof trainers / sizeof *trainers; i++)
    if (strcmp(trainers[i].model, model) == 0) return trainers[i].train(ctx, vocab_size, next, user, out);
  return as_fail(ctx, AS_E_INVALID,
                 "no tokenizer of the kind \"%.60s\" can be trained; there are WordPiece, BPE and Unigram", model);
}
