/* ByteLevel: bytes as printable characters, so that a vocabulary over them spells every text (GPT-2's byte map).
 *
 * Printable Latin-1 bytes stand for themselves, the 68 others, in their order, for U+0100 and on: a space is U+0120. */
#ifndef AS_TOKENIZER_BYTE_LEVEL_H
#define AS_TOKENIZER_BYTE_LEVEL_H

#include "tokenizer/stages.h"

enum { AS_BYTE_CHARACTERS = 0x144 }; /* all of them are below */

/* The character of a byte. */
uint32_t as_byte_character(unsigned char byte);
/* The byte of a character; -1 if it is none's. */
int as_character_byte(uint32_t code_point);

/* The members that the pre-tokenizer, the post-processor and the decoder of this name all have. */
typedef struct as_byte_level {
  bool add_prefix_space; /* a piece of text that does not begin with a space is read as if it did */
  bool trim_offsets;     /* of tokens: without the white space at their ends */
  bool use_regex;        /* split by GPT-2's pattern */
} as_byte_level;

/* Reads them; one that is absent leaves what `members` has. */
AS_MUST_CHECK as_status as_read_byte_level(as_loader *loader, const json_t *json, as_byte_level *members);
/* Reads and writes the first two, which RobertaProcessing has, too. */
AS_MUST_CHECK as_status as_read_trimming(as_loader *loader, const json_t *json, as_byte_level *members);
void as_write_trimming(const as_byte_level *members, as_json_writer *writer);

/* A state of the three components; NULL on failure. */
void *as_byte_level_new(as_context *ctx, as_byte_level members);
const as_byte_level *as_byte_level_members(const void *state);

#endif
