/* From the content of a spiece.model to a tokenizer. */
#ifndef AS_TOKENIZER_PIECE_STAGES_H
#define AS_TOKENIZER_PIECE_STAGES_H

#include "tokenizer/stages.h"

/* What the file says, beside the pieces and scores, which are in the vocabulary. Texts point into `file`. */
typedef struct as_piece_model {
  char *file; /* [file_length]; NULL when it was taken over */
  size_t file_length;
  int8_t *types; /* [pieces] as_piece_type */
  size_t types_capacity;
  bool byte_fallback, add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces;
  const char *unk_surface, *map; /* map: the charsmap; NULL: there is none */
  size_t unk_surface_length, map_length;
} as_piece_model;

/* Makes all stages of loader->tokenizer: SentencePiece's own, and a template by the special tokens that the vocabulary
 * has ([CLS] and [SEP]: ALBERT's; else </s>: T5's). tokenizer_config.json may name other special tokens, and says how
 * many extra ids follow the pieces. Takes model->file over on success. */
AS_MUST_CHECK as_status as_make_piece_stages(as_loader *loader, as_piece_model *model);

#endif
