/* The tokens of a model, found by id and by their bytes.
 *
 * Invariant: an id has at most one token and a token at most one id; ids may have holes. */
#ifndef AS_TOKENIZER_VOCABULARY_H
#define AS_TOKENIZER_VOCABULARY_H

#include "base/buffer.h"
#include "tokenizer/trie.h"

typedef struct as_vocabulary_entry {
  uint32_t start, length; /* bytes in `pool`; length is AS_NO_TOKEN at a hole */
} as_vocabulary_entry;
#define AS_NO_TOKEN UINT32_MAX

typedef struct as_vocabulary {
  as_context *ctx;
  as_trie trie;                 /* token -> id */
  as_buffer pool;               /* all tokens, each ended by a NUL */
  as_vocabulary_entry *entries; /* [limit] */
  double *scores;               /* [limit] if it was filled with as_vocabulary_add_piece, else NULL */
  size_t capacity, scores_capacity;
  size_t limit; /* all ids are below it */
  size_t count; /* tokens */
} as_vocabulary;

void as_vocabulary_init(as_vocabulary *vocabulary, as_context *ctx);
void as_vocabulary_free(as_vocabulary *vocabulary);

/* Adds a token. The caller has made sure that the id is free and in proportion to the number of tokens (a table up to
 * it is allocated). A token that had another id loses it, which becomes a hole. AS_E_NOMEM, AS_E_LIMIT. */
AS_MUST_CHECK as_status as_vocabulary_add(as_vocabulary *vocabulary, const char *token, size_t length, int32_t id);

/* Adds a token that is new, with the next id and a score: for vocabularies that have one with each token. */
AS_MUST_CHECK as_status as_vocabulary_add_piece(as_vocabulary *vocabulary, const char *token, size_t length,
                                                double score);

/* The token, ended by NUL, and its length (`length` may be NULL); NULL for an id that has none. */
const char *as_vocabulary_token(const as_vocabulary *vocabulary, int64_t id, size_t *length);
int32_t as_vocabulary_id(const as_vocabulary *vocabulary, const char *token, size_t length); /* -1: not a token */

#endif
