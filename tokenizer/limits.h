/* The largest tokenizer files that are read: more than any that exists, and a bound on what a hostile one can cost. */
#ifndef AS_TOKENIZER_LIMITS_H
#define AS_TOKENIZER_LIMITS_H

#define AS_MAX_TOKENIZER_FILE ((size_t)64 << 20)
#define AS_MAX_CONFIG_FILE ((size_t)4 << 20)

/* The longest piece of a Unigram vocabulary, bytes: cutting a text costs at most so many steps a byte. */
enum { AS_MAX_PIECE = 512 };

/* Ids may go up to twice the number of tokens and this, so that a table of them stays in proportion to its file. */
enum { AS_MAX_ID_HOLES = 1024 };

#endif
