/* Text in columns of a terminal: how many it takes, and cutting and padding it to a width. What would move the cursor
 * or turn the direction of writing takes one column and is shown as '?', so text from a file can't steer the terminal.
 */
#ifndef AS_BASE_COLUMNS_H
#define AS_BASE_COLUMNS_H

#include "base/buffer.h"

int as_text_columns(const char *text);
/* Appends `text` in exactly `width` >= 2 columns; one that is too long ends in "..". */
void as_buffer_columns(as_buffer *out, const char *text, int width);
/* The same without padding behind: at most `width` columns. */
void as_buffer_columns_at_most(as_buffer *out, const char *text, int width);

#endif
