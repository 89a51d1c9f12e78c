/* SentencePiece's own file, spiece.model: a ModelProto message of Protocol Buffers. */
#ifndef AS_TOKENIZER_PIECE_FILE_H
#define AS_TOKENIZER_PIECE_FILE_H

#include "tokenizer/stages.h"

/* Reads loader->path into loader->tokenizer. */
as_status as_read_piece_file(as_loader *loader);

/* Writes spiece.model for a Unigram of tokenizer.json. */
AS_MUST_CHECK as_status as_save_piece_file(const as_tokenizer *tokenizer, const void *state, const char *folder);
/* What tokenizer_config.json says of such a tokenizer's class. */
void as_write_piece_config(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer);

#endif
