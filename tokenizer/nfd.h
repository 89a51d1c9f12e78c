/* Canonical decomposition (NFD) of a stream of code points, with what each result stands for.
 *
 * A mark may have to move before marks that came earlier, so marks are held back until a starter follows; each then
 * gets the origin that the reference gives it, which goes by place: the n-th code point that began a source character
 * stands for the n-th source character, whatever was moved where. */
#ifndef AS_TOKENIZER_NFD_H
#define AS_TOKENIZER_NFD_H

#include "base/context.h"
#include "tokenizer/span.h"

typedef struct as_nfd_item {
  uint32_t code_point;
  uint8_t combining_class;
  bool first; /* it begins the decomposition of its source character */
  as_span origin;
} as_nfd_item;

typedef struct as_nfd {
  as_nfd_item *held, *sorted;
  size_t count, held_capacity, sorted_capacity;
  as_span previous; /* the source of the last starter */
} as_nfd;

void as_nfd_free(as_nfd *nfd, as_context *ctx);

/* Holds a mark back. */
AS_MUST_CHECK as_status as_nfd_hold(as_nfd *nfd, as_context *ctx, as_nfd_item item);

/* The held marks in canonical order with their origins, *count of them; nothing is held any more. The array is valid
 * until the next as_nfd_hold. NULL on failure. */
const as_nfd_item *as_nfd_release(as_nfd *nfd, as_context *ctx, size_t *count);

#endif
