/* The state of a BPE model, for what makes one and looks at it: its readers, its writer, the trainer. */
#ifndef AS_TOKENIZER_BPE_H
#define AS_TOKENIZER_BPE_H

#include "tokenizer/byte_level.h"
#include "tokenizer/merge_table.h"

typedef struct as_bpe {
  as_merge_table merges;
  char *unk_token;                        /* NULL: a character without a token is left out */
  int32_t unk_id;                         /* -1 without unk_token */
  bool fuse_unk;                          /* unknown characters in a row are one token */
  bool ignore_merges;                     /* a word that is a token is that token, whatever the rules make of it */
  int32_t characters[AS_BYTE_CHARACTERS]; /* the id of each character of the byte map; -1 if it has none */
} as_bpe;

/* An empty model, to be filled; NULL on failure. Freed with as_bpe_free, or by the tokenizer whose stage it is. */
as_bpe *as_bpe_new(as_context *ctx);
void as_bpe_free(as_context *ctx, as_bpe *bpe);

/* The last step: looks up the characters in the vocabulary of loader->tokenizer. */
void as_bpe_finish(as_loader *loader, as_bpe *bpe);

#endif
