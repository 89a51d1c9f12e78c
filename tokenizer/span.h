/* A range of bytes of the original text. */
#ifndef AS_TOKENIZER_SPAN_H
#define AS_TOKENIZER_SPAN_H

#include <stdint.h>

typedef struct as_span {
  uint32_t start, end; /* [start, end) */
} as_span;

#endif
