/* What text metrics and the search for similar texts need to know of Unicode, as Python's str methods define it. */
#ifndef AS_BASE_TEXT_UNICODE_H
#define AS_BASE_TEXT_UNICODE_H

#include "base/buffer.h"

/* A text that is not owned; it may hold anything, what is not UTF-8 counts as U+FFFD. */
typedef struct as_string_view {
  const char *text;
  size_t length;
} as_string_view;

as_string_view as_string_view_of(const char *text);

bool as_is_space(uint32_t code_point); /* str.isspace: where str.split() splits */
bool as_is_word(uint32_t code_point);  /* \w of a regular expression: letters, numbers, underscore */
bool as_is_ascii_punctuation(uint32_t code_point);

/* Takes the next code point off the front of `*rest`, which is not empty. */
uint32_t as_next_code_point(as_string_view *rest);

/* Without the white space at the end. */
as_string_view as_strip_end(as_string_view text);

/* str.lower(): full lower-casing, so U+0130 gives two code points and a capital sigma at the end of a word a final one.
 */
void as_append_lower(as_buffer *out, as_string_view text);

#endif
