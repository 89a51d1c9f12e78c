/* From templates to text. Private to data/. */
#ifndef AS_DATA_SYNTH_TEXT_H
#define AS_DATA_SYNTH_TEXT_H

#include "base/buffer.h"
#include "base/random.h"

enum { AS_SYNTH_MAX_SLOTS = 32 };

/* The values of the slots in one row: a slot is given a value where it is first met and keeps it. */
typedef struct as_synth_values {
  as_random *random;
  int64_t week; /* whose values are used; 0: all */
  as_buffer values[AS_SYNTH_MAX_SLOTS]; /* by position in as_synth_slots */
  bool set[AS_SYNTH_MAX_SLOTS];
} as_synth_values;

void as_synth_values_init(as_synth_values *values, as_context *ctx, as_random *random);
void as_synth_values_clear(as_synth_values *values); /* for the next row */
void as_synth_values_free(as_synth_values *values);

/* Appends the template's text. Where a message named no product, order, name ..., the slots of an answer that build on
 * it (the_product, your_order, comma_name ...) have a form without. False if a template is malformed: an unclosed
 * bracket, an unknown slot, nesting beyond 8; or if memory ran out (then out->failed). */
bool as_synth_expand(as_synth_values *values, const char *template, as_buffer *out);

/* One of a NULL-ended list. _in: of those in use in a week, or of all when none is. */
const char *as_synth_pick(as_random *random, const char *const *list);
const char *as_synth_pick_in(as_random *random, const char *const *list, int64_t week);
bool as_synth_chance(as_random *random, unsigned percent);

/* How people write. Each changes the ASCII letters of `text` only and keeps UTF-8 valid. */
void as_synth_shorten(as_random *random, as_buffer *text); /* "please" to "pls" and the like */
void as_synth_mistype(as_random *random, as_buffer *text); /* one typing error in a longer word */
void as_synth_capitals(as_buffer *text, bool upper);       /* all capitals, or none */

#endif
