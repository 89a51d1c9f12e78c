/* Porter's stemmer (Porter, "An algorithm for suffix stripping", Program 14, 1980) with the extensions that nltk's
 * PorterStemmer has by default, since ROUGE's reference implementation stems with it. */
#ifndef AS_EVAL_PORTER_H
#define AS_EVAL_PORTER_H

#include "base/buffer.h"

/* Appends the stem of `word`, lower-case ASCII letters and digits, to the empty buffer `out`. */
void as_porter_stem(as_buffer *out, const char *word, size_t length);

#endif
