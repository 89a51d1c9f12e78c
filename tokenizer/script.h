/* The script of a code point, as coarsely as training needs it: pieces do not mix scripts. */
#ifndef AS_TOKENIZER_SCRIPT_H
#define AS_TOKENIZER_SCRIPT_H

#include <stdint.h>

enum {
  AS_SCRIPT_COMMON = 0,    /* digits, punctuation, symbols */
  AS_SCRIPT_INHERITED = 1, /* marks: that of the character before */
  AS_SCRIPT_FIRST = 2      /* scripts of letters, from here on */
};

/* Han, Hiragana and Katakana are one. */
int as_script(uint32_t code_point);

#endif
