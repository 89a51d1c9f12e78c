/* Tokenizers: text to the ids that a model reads, and back, exactly as Hugging Face's `tokenizers` does it.
 *
 * A tokenizer is a line of stages, each as its file names it: added tokens are cut out of the raw text, a normalizer
 * rewrites what lies between, a pre-tokenizer splits it into words, a model turns each word into tokens, a
 * post-processor puts special tokens around, a decoder goes back. It comes from a model folder (tokenizer.json is
 * preferred, else the vocabulary file and tokenizer_config.json) or from training.
 *
 * Invariant: a tokenizer does not change once it is made, so any number of threads may use it, each with an as_encoding
 * of its own. */
#ifndef AS_TOKENIZER_TOKENIZER_H
#define AS_TOKENIZER_TOKENIZER_H

#include "base/buffer.h"

typedef struct as_tokenizer as_tokenizer;

/* Special tokens by their use, under the names that tokenizer_config.json gives them. */
typedef enum as_special_token {
  AS_TOKEN_UNK,  /* unk_token */
  AS_TOKEN_SEP,  /* sep_token */
  AS_TOKEN_PAD,  /* pad_token */
  AS_TOKEN_CLS,  /* cls_token */
  AS_TOKEN_MASK, /* mask_token */
  AS_TOKEN_BOS,  /* bos_token */
  AS_TOKEN_EOS,  /* eos_token */
  AS_SPECIAL_TOKENS
} as_special_token;

/* ---- files ---------------------------------------------------------------------------------------------------- */

/* Opens a folder, or one file by its name (tokenizer.json, vocab.txt, spiece.model). Anything wrong with it gives
 * AS_E_MODEL and a text that names the file and the field or line, or the type of a component that we do not have. The
 * truncation and padding that a tokenizer.json asks for are not taken over: as_encode_options says them. */
AS_MUST_CHECK as_status as_tokenizer_open(as_context *ctx, const char *path, as_tokenizer **out);

/* NULL is allowed. */
void as_tokenizer_free(as_tokenizer *tokenizer);

/* Writes tokenizer.json (but for one that was read from a spiece.model alone, which is written as it was), the
 * vocabulary file, tokenizer_config.json and special_tokens_map.json into a folder, which is made if need be; each file
 * is replaced atomically. transformers opens it and gives the same ids. `model_max_length` is what
 * tokenizer_config.json says of the model's limit (0: keep what was read, if anything). */
AS_MUST_CHECK as_status as_tokenizer_save(const as_tokenizer *tokenizer, const char *folder, size_t model_max_length);

/* ---- looking at it -------------------------------------------------------------------------------------------- */

/* All ids are below this: the rows that an embedding needs. */
size_t as_tokenizer_vocab_size(const as_tokenizer *tokenizer);
/* The token of an id, added tokens included, ended by NUL, and its length (`length` may be NULL); NULL if there is
 * none. Valid as long as the tokenizer. */
const char *as_tokenizer_token(const as_tokenizer *tokenizer, int64_t id, size_t *length);
/* The id of a token given with its length; -1 if it is none. */
int32_t as_tokenizer_id(const as_tokenizer *tokenizer, const char *token, size_t length);
/* The id of a special token; -1 if this tokenizer has none of that use. */
int32_t as_tokenizer_special(const as_tokenizer *tokenizer, as_special_token which);
/* Whether skip_special_tokens leaves out this id when decoding. */
bool as_tokenizer_is_special(const as_tokenizer *tokenizer, int64_t id);
/* The model's type as tokenizer.json calls it ("WordPiece"). */
const char *as_tokenizer_model(const as_tokenizer *tokenizer);
/* model_max_length of tokenizer_config.json; 0 if it says nothing. */
size_t as_tokenizer_model_max_length(const as_tokenizer *tokenizer);
/* How many special tokens the post-processor adds to one text, or to a pair. */
size_t as_tokenizer_added(const as_tokenizer *tokenizer, bool pair);

/* ---- encoding ------------------------------------------------------------------------------------------------- */

typedef enum as_side { AS_SIDE_RIGHT, AS_SIDE_LEFT } as_side;

typedef enum as_truncation { AS_LONGEST_FIRST, AS_ONLY_FIRST, AS_ONLY_SECOND } as_truncation;

/* All zero is the usual: special tokens, no truncation, no padding, no offsets. */
typedef struct as_encode_options {
  bool no_special_tokens;
  bool offsets;             /* also fill char_offsets, which takes a second look at texts that are not ASCII */
  size_t max_length;        /* tokens with the special ones; 0: no limit. Less than the special ones: no limit either */
  as_truncation truncation; /* what gives way in a pair */
  as_side truncation_side;  /* the side that is cut off */
  bool windows;             /* also give what was cut off, in windows */
  size_t stride;            /* tokens of text that a window shares with the one before; below a window's own length */
  size_t pad_to;            /* pad to this length; 0: do not */
  size_t pad_to_multiple;   /* round the padded length up to a multiple; 0: do not */
  as_side padding_side;
} as_encode_options;

/* One text or pair as ids. The caller owns it; encoding again reuses its memory, so that nothing is allocated once it
 * has been large enough. The arrays hold `parts` encodings one after another, the first being the answer and the rest
 * the windows of what was cut off: part p is [part_start[p], part_start[p + 1]). */
typedef struct as_encoding {
  size_t length;      /* tokens of the first part */
  size_t parts;       /* 1 without windows */
  size_t *part_start; /* [parts + 1] */
  int32_t *ids;       /* [part_start[parts]], as all below */
  int32_t *type_ids;  /* token_type_ids */
  uint8_t *attention; /* 0 at padding */
  uint8_t *special;   /* 1 at tokens that the post-processor or padding added */
  int8_t *sequence;   /* 0 first text, 1 second, -1 neither */
  uint32_t
      *byte_offsets; /* [tokens, 2] start and end in the UTF-8 bytes of the token's own text; 0, 0 at special ones */
  uint32_t *char_offsets; /* [tokens, 2] the same in code points; only filled with options->offsets */
  size_t cut;             /* tokens of text that the first part lacks because of max_length */
  size_t repaired;      /* invalid UTF-8 sequences that were read as U+FFFD; offsets then count in the repaired text */
  as_context *ctx;      /* private */
  struct as_work *work; /* private */
} as_encoding;

/* Makes an empty encoding; allocates nothing. `ctx` gives the memory and takes the errors. */
void as_encoding_init(as_encoding *encoding, as_context *ctx);
void as_encoding_free(as_encoding *encoding);

/* Encodes a text, or a pair if `pair` is not NULL (its length may be 0). The texts may hold any bytes, NUL included, up
 * to 256 MiB. AS_E_INVALID: only_first or only_second cannot make room, a stride as long as its window, padding without
 * a padding token. AS_E_LIMIT: a longer text, or more windows than 2^27 tokens. On failure the encoding is empty. */
AS_MUST_CHECK as_status as_tokenizer_encode(const as_tokenizer *tokenizer, const char *text, size_t length,
                                            const char *pair, size_t pair_length, const as_encode_options *options,
                                            as_encoding *encoding);

/* The string of token `index` (of all parts) as `tokenizers` shows it: the vocabulary's, except that an added token
 * shows the piece of text that it stands for, which may have another case or white space around it. Owned by the
 * encoding or the tokenizer, ended by NUL; *length may be NULL. */
const char *as_encoding_token(const as_tokenizer *tokenizer, const as_encoding *encoding, size_t index, size_t *length);

/* ---- decoding ------------------------------------------------------------------------------------------------- */

/* Appends the text of `ids` [count] to `out`. Ids without a token are left out, as are special tokens if asked. */
AS_MUST_CHECK as_status as_tokenizer_decode(const as_tokenizer *tokenizer, const int64_t *ids, size_t count,
                                            bool skip_special_tokens, as_buffer *out);

#endif
