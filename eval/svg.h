/* What the pictures share: an SVG document that stands alone, is read in light and in dark, and says in words what it
 * shows.
 *
 * Coordinates are whole numbers, tenths of a pixel: no locale writes them with a comma. Colours come from the classes
 * of the style sheet: `ink`, `soft` (text), `axis`, `grid`, `ideal`, `line` (strokes), `bar`, `gap`, `mark`, `dot`,
 * `count` (areas). Text from outside goes through as_svg_text or as_svg_escape. */
#ifndef AS_EVAL_SVG_H
#define AS_EVAL_SVG_H

#include "base/buffer.h"

/* Appends text of an XML element: markup is escaped, what is no UTF-8 becomes U+FFFD, and control characters, which
 * XML 1.0 cannot hold, become blanks. */
void as_svg_escape(as_buffer *out, const char *text);

/* Opens the document: `title` and `description` are for those who cannot see it. as_svg_close ends it. */
void as_svg_open(as_buffer *out, int width, int height, const char *title, const char *description);
void as_svg_close(as_buffer *out);

typedef enum as_svg_anchor { AS_SVG_START, AS_SVG_MIDDLE, AS_SVG_END } as_svg_anchor;
/* A line of text of `size` (120 is 12 pixels) with its base line at y. */
void as_svg_text(as_buffer *out, int x, int y, int size, as_svg_anchor anchor, const char *class_name,
                 const char *text);
/* The same for text that may be long: what is more than `columns` >= 2 wide ends in "..". */
void as_svg_text_at_most(as_buffer *out, int x, int y, int size, as_svg_anchor anchor, const char *class_name,
                         const char *text, int columns);
void as_svg_line(as_buffer *out, int x1, int y1, int x2, int y2, const char *class_name);
/* A rectangle; nothing without an area. */
void as_svg_box(as_buffer *out, int x, int y, int width, int height, const char *class_name);

#endif
