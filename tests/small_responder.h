/* A model folder for tests of replies: a Unigram vocabulary from a few sentences, and a T5 that is small enough to be
 * made in no time. */
#ifndef AS_TESTS_SMALL_RESPONDER_H
#define AS_TESTS_SMALL_RESPONDER_H

#include "models/t5.h"
#include "tests/text_source.h"

static const char *const as_shop_talk[] = {
    "respond intent: tracking sentiment: negative message: Where is my order?",
    "respond intent: support sentiment: positive message: Cancel the gold package, please",
    "Your order is on its way, and will be there today.",
    "We have cancelled the order: the money is on its way to your account.",
    "caf\xC3\xA9 orders 123 and 1234, \xE4\xB8\xAD\xE6\x96\x87 today and today",
    NULL};

/* A model that has learned nothing: any token may follow any other. */
static inline void as_write_small_responder(as_context *ctx, const char *folder) {
  as_lines_source from = {as_shop_talk, 0};
  as_tokenizer *tokenizer;
  ck_assert_ok(ctx, as_tokenizer_train(ctx, "Unigram", 120, as_next_line, &from, &tokenizer));
  as_t5_config config = as_t5_config_preset(&as_t5_presets[0], (int64_t)as_tokenizer_vocab_size(tokenizer), true);
  config.num_layers = config.num_decoder_layers = 1;
  config.d_model = 32;
  config.d_ff = 64;
  as_t5 *t5;
  ck_assert_ok(ctx, as_t5_new(ctx, &config, false, &(as_t5_options){.seed = 1, .dropout = 0}, &t5));
  ck_assert_ok(ctx, as_t5_save(t5, folder));
  ck_assert_ok(ctx, as_tokenizer_save(tokenizer, folder, 0));
  as_t5_free(t5);
  as_tokenizer_free(tokenizer);
}

#endif
