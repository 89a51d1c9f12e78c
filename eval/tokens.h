/* Lists of tokens, and the tokenizers that the reference implementations of BLEU and ROUGE cut texts with. */
#ifndef AS_EVAL_TOKENS_H
#define AS_EVAL_TOKENS_H

#include "base/buffer.h"
#include "base/text_unicode.h"

/* Tokens one after another. Errors stick, as in as_buffer: as_tokens_status tells in the end. */
typedef struct as_tokens {
  as_context *ctx;
  as_buffer bytes;
  size_t *ends; /* [count] where each token ends in `bytes` */
  size_t count;
  size_t capacity;
  bool failed;
} as_tokens;

void as_tokens_init(as_tokens *tokens, as_context *ctx);
void as_tokens_free(as_tokens *tokens);
void as_tokens_add(as_tokens *tokens, as_string_view token);
as_string_view as_tokens_at(const as_tokens *tokens, size_t index); /* borrowed until the next token is added */
as_status as_tokens_status(const as_tokens *tokens);

/* str.split(): at white space. */
void as_split_words(as_tokens *out, as_string_view text);

/* BLEU's mteval-v13a as in sacrebleu's Tokenizer13a, on the text without white space at its end. Non-ASCII letters are
 * never split. With `lower`, str.lower() comes first. */
void as_tokenize_13a(as_tokens *out, as_string_view text, bool lower);

/* rouge_score's: str.lower(), then every run of a-z and 0-9 is a token. With `stemmer`, tokens of more than three
 * characters are replaced by their Porter stem (eval/porter.h). */
void as_tokenize_rouge(as_tokens *out, as_string_view text, bool stemmer);

/* chrF++'s words: split at white space, then one ASCII punctuation mark cut off the end or else the beginning. */
void as_tokenize_chrf(as_tokens *out, as_string_view text);

#endif
