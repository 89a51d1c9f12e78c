/* Added tokens: strings that are cut out of a text before it is split into words, special tokens such as [MASK] among
 * them.
 *
 * Those with `normalized` off are looked for in the raw text, the others, in their own normalized form, in the
 * normalized text between. The leftmost match wins, among those the longest; case and position inside a word do not
 * matter unless `single_word` says so. Invariant: after as_added_tokens_finish the tokens are in the order of their
 * ids, no two with the same id or content. */
#ifndef AS_TOKENIZER_ADDED_TOKENS_H
#define AS_TOKENIZER_ADDED_TOKENS_H

#include "tokenizer/tokenizer.h"
#include "tokenizer/trie.h"
#include "tokenizer/work.h"

enum { AS_MAX_ADDED_TOKEN = 512 }; /* bytes: searching costs at most this many steps a byte of text */

typedef struct as_added_token {
  char *content; /* [length], and a NUL */
  size_t length;
  char *shown; /* what decoding gives for it: its normal form if it is `normalized`, else the content */
  size_t shown_length;
  int32_t id;
  bool skipped; /* skip_special_tokens leaves it out: `shown` is the content of a special token */
  bool special;
  bool single_word; /* only where no word character stands beside it */
  bool lstrip;      /* swallows the white space before it */
  bool rstrip;      /* swallows the white space after it */
  bool normalized;  /* is looked for in the normalized text */
  bool silent;      /* is not looked for at all: only decoding knows it */
} as_added_token;

/* The strings looked for in one of the two passes; the values are indices of tokens. */
typedef struct as_added_set {
  as_trie trie;
  bool begins[256]; /* a string begins with this byte */
  bool any;
} as_added_set;

typedef struct as_added_tokens {
  as_context *ctx;
  as_added_token *items;
  size_t count, capacity;
  size_t limit;         /* all ids are below it */
  as_trie contents;     /* content -> index */
  as_added_set sets[2]; /* in the raw text, in the normalized text */
} as_added_tokens;

void as_added_tokens_init(as_added_tokens *added, as_context *ctx);
void as_added_tokens_free(as_added_tokens *added);

/* Adds a token, or changes the flags of the one that has its content; `content` is copied, `shown` is not looked at. */
AS_MUST_CHECK as_status as_added_tokens_put(as_added_tokens *added, as_added_token token);

/* Sorts the tokens by id and makes them findable. Of two with the same form the one with the lower id is found.
 * `normalize` appends a content's normal form to a buffer. */
AS_MUST_CHECK as_status as_added_tokens_finish(as_added_tokens *added, const as_tokenizer *tokenizer,
                                               as_status (*normalize)(const as_tokenizer *tokenizer, const char *text,
                                                                      size_t length, as_buffer *out));

const as_added_token *as_added_token_by_id(const as_added_tokens *added, int64_t id); /* NULL: none */
const as_added_token *as_added_token_by_content(const as_added_tokens *added, const char *content, size_t length);

/* Cuts text[start, end) at the tokens of a pass and appends the pieces, in order and without empty ones between tokens,
 * to `list`; positions are those of `text`. */
AS_MUST_CHECK as_status as_added_tokens_cut(const as_added_tokens *added, int pass, as_work *work, const char *text,
                                            size_t start, size_t end, as_split_list *list);

#endif
