/* The stages of SentencePiece, which a spiece.model stands for: its normalizer over the whole text, its Unigram in
 * single precision, its decoder. They have no place in a tokenizer.json; `tokenizers` works differently (see
 * precompiled.c and unigram.h), and what was read from a spiece.model alone is what SentencePiece makes of it. */
#ifndef AS_TOKENIZER_SENTENCEPIECE_H
#define AS_TOKENIZER_SENTENCEPIECE_H

#include "tokenizer/charsmap.h"
#include "tokenizer/unigram.h"

/* What a piece is: the numbers of the file. */
typedef enum as_piece_type {
  AS_PIECE_NORMAL = 1,
  AS_PIECE_UNKNOWN = 2,
  AS_PIECE_CONTROL = 3,      /* no text has it */
  AS_PIECE_USER_DEFINED = 4, /* is taken wherever a text has it, before normalizing */
  AS_PIECE_UNUSED = 5,
  AS_PIECE_BYTE = 6
} as_piece_type;

typedef struct as_sp_normalizer {
  as_charsmap map;
  bool has_map;
  bool add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces;
  as_trie user_defined;
} as_sp_normalizer;

typedef struct as_sp_model {
  as_unigram unigram;
  char *file; /* [file_length] the spiece.model as it was read */
  size_t file_length;
} as_sp_model;

typedef struct as_sp_decoder {
  as_trie types; /* the pieces that are not decoded as they are -> as_piece_type */
  char *unk_surface;
  bool drops_first;   /* the mark of a space at the very beginning goes */
  bool drops_leading; /* so do those of the pieces after it, as long as there is no text */
} as_sp_decoder;

extern const as_normalizer_type as_sentencepiece_normalizer; /* state: as_sp_normalizer */
extern const as_model_type as_sentencepiece_model;           /* state: as_sp_model */
extern const as_decoder_type as_sentencepiece_decoder;       /* state: as_sp_decoder */

#endif
