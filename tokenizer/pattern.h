/* What a Replace looks for: a text, or a run of one character ("\s+", " {2,}"). Those are the regular expressions that
 * tokenizers of SentencePiece's kind have; others are refused when they are read. */
#ifndef AS_TOKENIZER_PATTERN_H
#define AS_TOKENIZER_PATTERN_H

#include "tokenizer/stages.h"

typedef struct as_pattern {
  char *source;  /* as the file has it */
  bool regex;    /* the file says Regex, not String */
  char *literal; /* [length] the text, or the character of a run; NULL: any white space */
  size_t length;
  size_t least, most; /* how many of them */
} as_pattern;

/* Reads {"String": S} or {"Regex": R}, the member "pattern" of `json`. */
AS_MUST_CHECK as_status as_pattern_read(as_loader *loader, const json_t *json, as_pattern *out);
void as_pattern_write(const as_pattern *pattern, as_json_writer *writer);
void as_pattern_free(as_pattern *pattern, as_context *ctx);

/* The bytes that match at text[0], 0 if none do. */
size_t as_pattern_match(const as_pattern *pattern, const char *text, size_t length);

#endif
