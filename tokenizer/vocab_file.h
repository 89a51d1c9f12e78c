/* A vocabulary in files: the object of tokenizer.json that maps tokens to ids, which vocab.json is alone, and
 * vocab.txt, a token a line. */
#ifndef AS_TOKENIZER_VOCAB_FILE_H
#define AS_TOKENIZER_VOCAB_FILE_H

#include "tokenizer/stages.h"

/* Fills the vocabulary of loader->tokenizer from an object, the member `where`, unless as_scan_vocab has done so. */
AS_MUST_CHECK as_status as_read_vocab_object(as_loader *loader, json_t *object, const char *where);
/* Writes it under `key`, in the order of the ids. */
void as_write_vocab_object(const as_tokenizer *tokenizer, const char *key, as_json_writer *writer);

/* Fills it from the file loader->path, which is such an object. */
AS_MUST_CHECK as_status as_read_vocab_document(as_loader *loader);
/* Writes vocab.json into a folder. */
AS_MUST_CHECK as_status as_save_vocab_json(const as_tokenizer *tokenizer, const char *folder);

/* Fills it from the file loader->path: line n, counted from 0, is the token with id n. An empty line is
 * the empty token, which no text has. */
AS_MUST_CHECK as_status as_read_vocab_lines(as_loader *loader);
/* Writes vocab.txt into a folder. An id without a token is an empty line. */
AS_MUST_CHECK as_status as_save_vocab_txt(const as_tokenizer *tokenizer, const void *state, const char *folder);

#endif
