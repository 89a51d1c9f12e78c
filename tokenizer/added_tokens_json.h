/* Added tokens in JSON, as tokenizer.json and tokenizer_config.json both have them. */
#ifndef AS_TOKENIZER_ADDED_TOKENS_JSON_H
#define AS_TOKENIZER_ADDED_TOKENS_JSON_H

#include "tokenizer/stages.h"

/* Adds a token from {"content", "single_word", "lstrip", "rstrip", "normalized", "special"}. Its id is the vocabulary's
 * if that has the content, else the next free one; a warning tells when that is not the id that the file says. */
AS_MUST_CHECK as_status as_read_added_token(as_loader *loader, const json_t *json, const char *where, int32_t id);

/* Adds `content`, which is in the vocabulary, as a special token, with or without the flag `lstrip`. */
AS_MUST_CHECK as_status as_add_special_token(as_loader *loader, const char *content, bool lstrip);

/* Writes those members, without the id. */
void as_write_added_token(const as_added_token *token, as_json_writer *writer);

#endif
