/* Looking at a tokenizer from outside: a JSON line in, a JSON line out, in the format of the golden files, so that any
 * other implementation can be compared with a few lines of script. */
#ifndef AS_TOKENIZER_TOKENIZE_JSON_H
#define AS_TOKENIZER_TOKENIZE_JSON_H

#include "tokenizer/tokenizer.h"

typedef struct as_tokenize_json_options {
  bool decode;       /* the line gives "ids", even if it has a "text", too */
  size_t max_length; /* truncate to this many tokens (longest_first, right); 0: do not */
} as_tokenize_json_options;

/* Reads one line: {"text": T, "text_pair": U (optional)} or {"ids": [...]}; other members are passed over. Appends one
 * line (ended by a new line) to `out`: {"ids", "tokens", "char_offsets", "byte_offsets", "type_ids"}, the offsets flat
 * as [start0, end0, start1, ...], or {"text", "text_skip_special"}. Special tokens are among them, but not if the
 * tokenizer is a spiece.model alone, which knows none: then a last member "ids_special" is the ids with them.
 * `encoding` is memory for it, to be used again. AS_E_DATA if the line is not that; the text does not name file or
 * line, which the caller knows. On failure nothing is appended. */
AS_MUST_CHECK as_status as_tokenize_json_line(const as_tokenizer *tokenizer, const char *line, size_t length,
                                              const as_tokenize_json_options *options, as_encoding *encoding,
                                              as_buffer *out);

#endif
