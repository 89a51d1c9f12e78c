/* Texts that look as if something had gone wrong with them before they came into the file. All that is found here is
 * valid UTF-8; what is not, the reading refuses. */
#ifndef AS_DATA_TEXT_FAULTS_H
#define AS_DATA_TEXT_FAULTS_H

#include "data/report.h"

/* MOJIBAKE: two to four characters in a row which are, as bytes of Windows-1252, the UTF-8 of one character:
 * "\u00c3\u00a4",
 * "\u00e2\u20ac\u2122". REPLACEMENT: U+FFFD. CONTROL: control characters other than tab and line ends, marks that turn
 * the direction of writing, a zero width space or a byte order mark. The first of these in this order; NONE: nothing.
 */
as_data_problem as_text_fault(const char *text, size_t length);

#endif
