/* The vocabulary is nearly all of a tokenizer.json, and a general JSON document of it costs ten times what the rest of
 * opening a tokenizer does. So it is read straight from the text, and only the rest goes to the JSON library. */
#ifndef AS_TOKENIZER_VOCAB_SCAN_H
#define AS_TOKENIZER_VOCAB_SCAN_H

#include "tokenizer/vocabulary.h"

/* Reads the object, or the list of [token, score], below the members `path` (ended by NULL; NULL: the document itself)
 * from a JSON text, which a NUL ends, into `vocabulary`, which is empty, and takes the members out of the text, but for
 * their line ends: line numbers stay what they were. If anything about them is unusual, or wrong, all is left as it
 * was: then the general way, which can say what is wrong, must be gone. AS_E_NOMEM, AS_E_LIMIT. */
AS_MUST_CHECK as_status as_scan_vocab(as_context *ctx, char *text, size_t *length, const char *const *path,
                                      as_vocabulary *vocabulary);

#endif
