/* A suffix array over all words, sorted by the first AS_SEED_CHARACTERS characters of each suffix (no piece is longer,
 * so no more is needed), last character first, in stable counting passes. Neighbours with a common beginning form the
 * intervals of the array; each interval's beginning is a candidate, its count the words' counts added up. */
#include "tokenizer/seed_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/script.h"

enum { CODE_POINTS = 0x110000, SPACE_MARK = 0x2581 };

typedef struct seeds {
  as_context *ctx;
  const char *pool;
  size_t count;      /* suffixes: characters of all words */
  uint32_t *symbols; /* [count] rank of the character, from 1 */
  uint8_t *left;     /* [count] characters to the end of the word, at most AS_SEED_CHARACTERS */
  uint8_t *valid;    /* [count] how many characters from here may be one piece */
  size_t *bytes;     /* [count] where the character is in the pool */
  int64_t *weights;  /* [count] how often the word occurs */
  uint32_t *order;   /* [count] the suffix array */
  uint32_t *other;   /* [count] the same, before a pass */
  uint32_t symbol_count;
  as_training_piece *pieces;
  size_t piece_count, piece_capacity;
} seeds;

static uint32_t decode(const char *text, size_t length, size_t *size) {
  uint32_t code_point;
  int decoded = as_utf8_decode(text, length, &code_point);
  *size = (size_t)(decoded < 0 ? -decoded : decoded);
  return code_point;
}

/* ---- characters ----------------------------------------------------------------------------------------------- */

static as_status allocate(seeds *s, const as_training_piece *words, size_t word_count) {
  for (size_t i = 0; i < word_count; i++) s->count += words[i].characters;
  if (s->count >= UINT32_MAX)
    return as_fail(s->ctx, AS_E_LIMIT, "the different words of the texts have 2^32 characters or more");
  s->symbols = as_alloc(s->ctx, s->count, sizeof *s->symbols);
  s->left = as_alloc(s->ctx, s->count, 1);
  s->valid = as_alloc(s->ctx, s->count, 1);
  s->bytes = as_alloc(s->ctx, s->count, sizeof *s->bytes);
  s->weights = as_alloc(s->ctx, s->count, sizeof *s->weights);
  s->order = as_alloc(s->ctx, s->count, sizeof *s->order);
  s->other = as_alloc(s->ctx, s->count, sizeof *s->other);
  return s->symbols && s->left && s->valid && s->bytes && s->weights && s->order && s->other ? AS_OK : AS_E_NOMEM;
}

/* How far a piece may go from each character of [first, end): one script, and no U+2581 inside. */
static void mark_valid(seeds *s, size_t first, size_t end) {
  for (size_t i = first; i < end; i++) {
    int script = -1;
    size_t to = i;
    for (; to < end && to - i < AS_SEED_CHARACTERS; to++) {
      if (s->symbols[to] == SPACE_MARK) {
        if (to > i) break;
        continue;
      }
      int next = as_script(s->symbols[to]);
      if (next == AS_SCRIPT_INHERITED) continue;
      if (script >= 0 && next != script) break;
      script = next;
    }
    s->valid[i] = (uint8_t)(to - i);
  }
}

static void spell(seeds *s, const as_training_piece *words, size_t word_count) {
  size_t used = 0;
  for (size_t w = 0; w < word_count; w++) {
    size_t first = used, end = used + words[w].characters;
    for (size_t at = 0, size; at < words[w].length; at += size, used++) {
      s->symbols[used] = decode(s->pool + words[w].start + at, words[w].length - at, &size);
      s->bytes[used] = words[w].start + at;
      s->weights[used] = words[w].count;
      s->left[used] = (uint8_t)(end - used < AS_SEED_CHARACTERS ? end - used : AS_SEED_CHARACTERS);
    }
    mark_valid(s, first, end);
  }
}

/* Code points become ranks, which keep their order. */
static as_status rank_symbols(seeds *s) {
  uint32_t *rank = as_alloc_zero(s->ctx, CODE_POINTS, sizeof *rank);
  if (!rank) return AS_E_NOMEM;
  for (size_t i = 0; i < s->count; i++) rank[s->symbols[i]] = 1;
  s->symbol_count = 1;
  for (uint32_t c = 0; c < CODE_POINTS; c++)
    if (rank[c]) rank[c] = s->symbol_count++;
  for (size_t i = 0; i < s->count; i++) s->symbols[i] = rank[s->symbols[i]];
  as_free(s->ctx, rank);
  return AS_OK;
}

/* ---- the suffix array ----------------------------------------------------------------------------------------- */

/* The character at `depth` of a suffix; 0 behind its word. */
static inline uint32_t symbol_at(const seeds *s, uint32_t suffix, uint32_t depth) {
  return depth < s->left[suffix] ? s->symbols[suffix + depth] : 0;
}

static as_status sort_suffixes(seeds *s) {
  size_t *places = as_alloc(s->ctx, s->symbol_count + 1, sizeof *places);
  if (!places) return AS_E_NOMEM;
  for (uint32_t i = 0; i < s->count; i++) s->order[i] = i;
  for (uint32_t depth = AS_SEED_CHARACTERS; depth-- > 0;) {
    memset(places, 0, (s->symbol_count + 1) * sizeof *places);
    uint32_t *from = s->order;
    for (size_t i = 0; i < s->count; i++) places[symbol_at(s, from[i], depth) + 1]++;
    for (uint32_t c = 0; c < s->symbol_count; c++) places[c + 1] += places[c];
    for (size_t i = 0; i < s->count; i++) s->other[places[symbol_at(s, from[i], depth)]++] = from[i];
    s->order = s->other;
    s->other = from;
  }
  as_free(s->ctx, places);
  return AS_OK;
}

/* Characters that two suffixes begin with alike. */
static uint32_t common(const seeds *s, uint32_t a, uint32_t b) {
  uint32_t depth = 0, most = s->left[a] < s->left[b] ? s->left[a] : s->left[b];
  while (depth < most && s->symbols[a + depth] == s->symbols[b + depth]) depth++;
  return depth;
}

/* ---- candidates ----------------------------------------------------------------------------------------------- */

static as_status put(seeds *s, uint32_t suffix, uint32_t characters, int64_t count) {
  if (characters < 2 || count < 2) return AS_OK;
  as_training_piece *pieces = as_grow(s->ctx, s->pieces, &s->piece_capacity, s->piece_count + 1, sizeof *pieces);
  if (!pieces) return AS_E_NOMEM;
  s->pieces = pieces;
  size_t start = s->bytes[suffix], last = s->bytes[suffix + characters - 1], size;
  decode(s->pool + last, 4, &size);
  pieces[s->piece_count++] = (as_training_piece){
      .start = start, .length = (uint32_t)(last + size - start), .characters = characters, .count = count};
  return AS_OK;
}

/* An interval of the array that is still open: all of it begins with `depth` characters of `suffix`. */
typedef struct interval {
  uint32_t suffix, depth;
  int64_t count;
} interval;

/* Walks the array with the open intervals on a stack; there are at most as many as a piece has characters. A suffix
 * longer than what it shares with its neighbours is an interval of its own. Where an interval's beginning may not be a
 * piece, because it has two scripts, say, as much of it is one as may be. */
static as_status collect(seeds *s) {
  interval open[AS_SEED_CHARACTERS + 2] = {{0}};
  size_t top = 0;
  as_status status = AS_OK;
  for (size_t i = 0; i < s->count && status == AS_OK; i++) {
    uint32_t suffix = s->order[i], shared = i + 1 < s->count ? common(s, suffix, s->order[i + 1]) : 0;
    if (s->left[suffix] > open[top].depth) open[++top] = (interval){suffix, s->left[suffix], 0};
    open[top].count += s->weights[suffix];
    while (open[top].depth > shared && status == AS_OK) { /* these end here */
      interval closed = open[top--];
      uint32_t above = open[top].depth > shared ? open[top].depth : shared, valid = s->valid[closed.suffix];
      uint32_t characters = closed.depth < valid ? closed.depth : valid;
      if (characters > above) status = put(s, closed.suffix, characters, closed.count);
      if (open[top].depth < shared) open[++top] = (interval){closed.suffix, shared, 0};
      open[top].count += closed.count;
    }
  }
  return status;
}

/* ---- choosing ------------------------------------------------------------------------------------------------- */

static int64_t coverage(const as_training_piece *piece) {
  return piece->count * (int64_t)piece->characters;
}

static int compare_coverage(const void *a, const void *b) {
  int64_t x = coverage(a), y = coverage(b);
  return (x < y) - (x > y);
}

/* Leaves the `limit` pieces of the largest coverage, those at the edge by the order that they are in. */
static as_status choose(seeds *s, size_t limit) {
  if (s->piece_count <= limit) return AS_OK;
  as_training_piece *sorted = as_alloc(s->ctx, s->piece_count, sizeof *sorted);
  if (!sorted) return AS_E_NOMEM;
  memcpy(sorted, s->pieces, s->piece_count * sizeof *sorted);
  qsort(sorted, s->piece_count, sizeof *sorted, compare_coverage);
  int64_t least = limit > 0 ? coverage(&sorted[limit - 1]) : INT64_MAX;
  size_t above = 0, kept = 0;
  while (above < limit && coverage(&sorted[above]) > least) above++;
  as_free(s->ctx, sorted);
  size_t at_edge = limit - above;
  for (size_t i = 0; i < s->piece_count; i++) {
    int64_t covered = coverage(&s->pieces[i]);
    if (covered < least || (covered == least && at_edge == 0)) continue;
    if (covered == least) at_edge--;
    s->pieces[kept++] = s->pieces[i];
  }
  s->piece_count = kept;
  return AS_OK;
}

as_status as_seed_pieces(as_context *ctx, const char *pool, const as_training_piece *words, size_t word_count,
                         size_t limit, as_training_piece **pieces, size_t *piece_count) {
  seeds s = {.ctx = ctx, .pool = pool};
  as_status status = allocate(&s, words, word_count);
  if (status == AS_OK) {
    spell(&s, words, word_count);
    status = rank_symbols(&s);
  }
  if (status == AS_OK) status = sort_suffixes(&s);
  if (status == AS_OK) status = collect(&s);
  if (status == AS_OK) status = choose(&s, limit);
  as_free(ctx, s.symbols);
  as_free(ctx, s.left);
  as_free(ctx, s.valid);
  as_free(ctx, s.bytes);
  as_free(ctx, s.weights);
  as_free(ctx, s.order);
  as_free(ctx, s.other);
  if (status != AS_OK) as_free(ctx, s.pieces);
  *pieces = status == AS_OK ? s.pieces : NULL;
  *piece_count = status == AS_OK ? s.piece_count : 0;
  return status;
}
