/* The words of GPT-2's pattern,
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * (Radford et al., "Language models are unsupervised multitask learners", and its published code), by a scanner instead
 * of a regular expression. Every byte is in one word. */
#ifndef AS_TOKENIZER_GPT2_WORDS_H
#define AS_TOKENIZER_GPT2_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* Where the word ends that begins at text[start], start < end; text[end] is the end of all text, which is UTF-8. If
 * `spaced`, a space that the text does not have stands before text[start] and begins the word; then the word may have
 * nothing of the text, and the answer be `start`. */
uint32_t as_gpt2_word_end(const char *text, uint32_t start, uint32_t end, bool spaced);

#endif
