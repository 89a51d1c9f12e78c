/* Ending a generation at strings, as transformers' stop_strings: when the text that the ids stand for has one in it. */
#ifndef AS_INFER_STOP_STRINGS_H
#define AS_INFER_STOP_STRINGS_H

#include "tokenizer/tokenizer.h"

typedef struct as_stop_strings {
  const as_tokenizer *tokenizer; /* borrowed */
  const char *const *strings;    /* [count], borrowed, none empty */
  size_t count;
  as_buffer text; /* what the ids of the last call say */
  int64_t *ids;   /* [id_capacity] */
  size_t id_capacity;
  as_status status; /* AS_E_NOMEM when memory ran out on the way: then nothing stopped from there on */
} as_stop_strings;

/* AS_E_INVALID for an empty string. Free with as_stop_strings_free. */
AS_MUST_CHECK as_status as_stop_strings_init(as_stop_strings *stop, as_context *ctx, const as_tokenizer *tokenizer,
                                             const char *const *strings, size_t count);
void as_stop_strings_free(as_stop_strings *stop);

/* Whether the text of ids [count], special tokens left out, has one of the strings in it: `stops` of
 * as_generate_options, with the as_stop_strings as its user. */
bool as_stop_strings_met(void *stop, const int32_t *ids, int64_t count);
/* Bytes of text [length] before the first of the strings in it; `length` if there is none. */
size_t as_stop_strings_cut(const as_stop_strings *stop, const char *text, size_t length);

#endif
