/* The working memory of one encoding: the text on its way through the stages, the words, the tokens.
 *
 * Invariant: it belongs to one as_encoding, so to one thread at a time; it only grows, so encoding again allocates
 * nothing once it has been large enough. */
#ifndef AS_TOKENIZER_WORK_H
#define AS_TOKENIZER_WORK_H

#include "base/buffer.h"
#include "tokenizer/bpe_word.h"
#include "tokenizer/nfd.h"
#include "tokenizer/span.h"

/* A piece of text and where it came from. */
typedef struct as_text_view {
  const char *bytes;
  const as_span *origin; /* [length] what each byte stands for; NULL: byte i is byte base + i of the original */
  uint32_t base, length; /* base: where the piece of the original that it was made of begins */
} as_text_view;

/* What the character of `size` bytes at `at` stands for. */
static inline as_span as_view_span(const as_text_view *view, uint32_t at, uint32_t size) {
  return view->origin ? view->origin[at] : (as_span){view->base + at, view->base + at + size};
}

/* A text that was rewritten, and for each byte the bytes of the original that it stands for. */
typedef struct as_aligned_text {
  char *bytes;     /* [length] */
  as_span *origin; /* [length] */
  size_t length, capacity, origin_capacity;
} as_aligned_text;

/* A piece of an aligned text: an added token, or text that is still to be split or tokenized. */
typedef struct as_split {
  uint32_t start, end;
  int32_t added; /* index into the added tokens; -1: text */
} as_split;

typedef struct as_split_list {
  as_split *items;
  size_t length, capacity;
} as_split_list;

typedef struct as_token {
  int32_t id;
  int32_t surface; /* index into surfaces: what it shows instead of the vocabulary's string; -1: nothing */
  as_span span;    /* bytes of the original text */
} as_token;

typedef struct as_token_list {
  as_token *items;
  size_t length, capacity;
} as_token_list;

/* A string in surface_pool. */
typedef struct as_surface {
  size_t start, length;
} as_surface;

/* A token's string, as decoders get it. */
typedef struct as_token_text {
  const char *text;
  size_t length;
} as_token_text;

/* Tokens [start, end) of a text. */
typedef struct as_window {
  size_t start, end;
} as_window;

typedef struct as_window_list {
  as_window *items;
  size_t length, capacity;
} as_window_list;

/* The best way to cut a text up to here: its score, and its last token. */
typedef struct as_lattice_node {
  double score;
  uint32_t start; /* where the last token begins; AS_NO_START: there is no way yet */
  int32_t id;
} as_lattice_node;
#define AS_NO_START UINT32_MAX

typedef struct as_work {
  as_context *ctx;
  as_aligned_text text, spare;        /* the text; a second one for a stage that rewrites it and then swaps the two */
  as_split_list splits, spare_splits; /* its pieces in order; the same */
  as_aligned_text between[2];         /* what passes between the members of a sequence of normalizers */
  as_nfd nfd;
  as_bpe_word bpe;          /* the word that is being merged */
  as_text_view source[2];   /* the texts, repaired; borrowed for the call */
  as_lattice_node *lattice; /* [bytes of the word + 1] the best paths of Unigram */
  size_t lattice_capacity;
  as_token_list tokens[2]; /* of the first and the second text */
  as_token_list *list;     /* the one that is being filled */
  as_buffer repaired[2];   /* the texts, where their UTF-8 had to be repaired */
  as_buffer surface_pool;  /* the strings of surfaces, each ended by NUL */
  as_surface *surfaces;
  size_t surface_count, surface_capacity;
  as_window_list windows[2]; /* what truncation leaves of the two texts: the first window is the answer */
  uint32_t *char_index;      /* [bytes + 1] code points before each byte */
  size_t char_index_capacity;
  void *block;         /* the arrays of the encoding, but part_start */
  int32_t *surface_of; /* [tokens of the encoding] in `block` */
  size_t capacity;     /* tokens that `block` has room for */
  size_t part_capacity;
} as_work;

as_work *as_work_new(as_context *ctx); /* NULL on failure */
void as_work_free(as_work *work);

/* Makes room for `extra` more bytes. */
AS_MUST_CHECK as_status as_aligned_reserve(as_work *work, as_aligned_text *text, size_t extra);

/* Appends bytes that all stand for `origin`; there must be room. */
static inline void as_aligned_put(as_aligned_text *text, const char *bytes, size_t count, as_span origin) {
  for (size_t i = 0; i < count; i++) {
    text->bytes[text->length] = bytes[i];
    text->origin[text->length++] = origin;
  }
}

AS_MUST_CHECK as_status as_split_put(as_work *work, as_split_list *list, size_t start, size_t end, int32_t added);

/* Makes the spare text and its pieces the text and its pieces. */
void as_work_swap(as_work *work);

/* Appends a token that covers bytes [start, end) of work->text to work->list. */
AS_MUST_CHECK as_status as_work_emit(as_work *work, int32_t id, uint32_t start, uint32_t end);
/* The same for a token that shows a text of its own. */
AS_MUST_CHECK as_status as_work_emit_surface(as_work *work, int32_t id, uint32_t start, uint32_t end, const char *text,
                                             size_t length);

#endif
