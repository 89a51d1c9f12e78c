/* ROUGE. The table of a longest common subsequence is kept as one bit a cell, which is all that walking back needs. */
#include "eval/rouge.h"

#include <string.h>

#include "base/memory.h"
#include "eval/ngrams.h"

static const uint64_t most_cells = UINT64_C(1) << 31;

const char *as_rouge_name(as_rouge_measure measure) {
  static const char *const names[AS_ROUGE_MEASURES] = {"rouge1", "rouge2", "rougeL", "rougeLsum"};
  return names[measure];
}

static as_rouge_score score_of(int64_t hits, int64_t hypothesis, int64_t reference) {
  if (hits == 0) return (as_rouge_score){0, 0, 0};
  const double precision = (double)hits / (double)hypothesis, recall = (double)hits / (double)reference;
  return (as_rouge_score){precision, recall, 2 * precision * recall / (precision + recall)};
}

/* A text cut into lines, and those into words: the words of line i are lines[i] .. lines[i+1]-1. */
typedef struct lines_of_text {
  const uint32_t *words; /* numbers; the same word has the same number in both texts */
  size_t *lines;         /* [count + 1] */
  size_t count;
} lines_of_text;

typedef struct comparison {
  as_context *ctx;
  lines_of_text hypothesis, reference;
  uint32_t *rows;     /* [2, hypothesis words + 1] of the table of lengths */
  uint8_t *left;      /* a bit a cell: the walk back goes to the left */
  uint8_t *in_union;  /* [reference words] */
  int64_t *remaining; /* [2, words] occurrences that may still be hit: in the hypothesis, in the reference */
} comparison;

/* ---- longest common subsequence -------------------------------------------------------------------------------- */

/* Fills the table for reference words a[0 .. n) against hypothesis words b[0 .. m) and returns the subsequence's
 * length. */
static uint32_t fill_table(comparison *c, const uint32_t *a, size_t n, const uint32_t *b, size_t m) {
  uint32_t *above = c->rows, *row = c->rows + m + 1;
  memset(above, 0, (m + 1) * sizeof *above);
  memset(c->left, 0, (n * m + 7) / 8);
  for (size_t i = 0; i < n; i++) {
    row[0] = 0;
    for (size_t j = 0; j < m; j++) {
      const bool left = row[j] > above[j + 1];
      row[j + 1] = a[i] == b[j] ? above[j] + 1 : left ? row[j] : above[j + 1];
      if (left) c->left[(i * m + j) / 8] |= (uint8_t)(1U << (i * m + j) % 8);
    }
    uint32_t *const kept = above;
    above = row;
    row = kept;
  }
  return above[m];
}

/* Marks the reference words of the subsequence that the reference implementation's walk back finds. */
static void walk_back(const comparison *c, const uint32_t *a, size_t n, const uint32_t *b, size_t m, uint8_t *marks) {
  size_t i = n, j = m;
  while (i > 0 && j > 0) {
    const size_t cell = (i - 1) * m + j - 1;
    if (a[i - 1] == b[j - 1]) {
      marks[i - 1] = 1;
      i--;
      j--;
    } else if (c->left[cell / 8] >> cell % 8 & 1) {
      j--;
    } else {
      i--;
    }
  }
}

/* ---- the measures ---------------------------------------------------------------------------------------------- */

/* How many words of reference line [start, end) are hit: those in the union of its subsequences with each of the
 * hypothesis's lines, no word more often than either text has it. */
static int64_t hits_of_line(comparison *c, size_t start, size_t end) {
  const uint32_t *line = c->reference.words + start;
  const size_t words = c->hypothesis.lines[c->hypothesis.count] + c->reference.lines[c->reference.count];
  memset(c->in_union, 0, end - start);
  for (size_t k = 0; k < c->hypothesis.count; k++) {
    const size_t from = c->hypothesis.lines[k], length = c->hypothesis.lines[k + 1] - from;
    fill_table(c, line, end - start, c->hypothesis.words + from, length);
    walk_back(c, line, end - start, c->hypothesis.words + from, length, c->in_union);
  }
  int64_t hits = 0;
  for (size_t i = 0; i < end - start; i++) {
    int64_t *in_hypothesis = c->remaining + line[i], *in_reference = in_hypothesis + words;
    if (!c->in_union[i] || *in_hypothesis == 0 || *in_reference == 0) continue;
    (*in_hypothesis)--;
    (*in_reference)--;
    hits++;
  }
  return hits;
}

static as_rouge_score score_summary(comparison *c) {
  const size_t m = c->hypothesis.lines[c->hypothesis.count], n = c->reference.lines[c->reference.count];
  for (size_t j = 0; j < m; j++) c->remaining[c->hypothesis.words[j]]++;
  for (size_t i = 0; i < n; i++) c->remaining[m + n + c->reference.words[i]]++;
  int64_t hits = 0;
  for (size_t k = 0; k < c->reference.count; k++) {
    hits += hits_of_line(c, c->reference.lines[k], c->reference.lines[k + 1]);
  }
  return score_of(hits, (int64_t)m, (int64_t)n);
}

static as_status score_subsequences(comparison *c, as_rouge_score *scores) {
  const size_t m = c->hypothesis.lines[c->hypothesis.count], n = c->reference.lines[c->reference.count];
  if (m > 0 && n > most_cells / m) {
    return as_fail(c->ctx, AS_E_LIMIT, "texts of %zu and %zu words are too long for ROUGE-L", m, n);
  }
  c->rows = as_alloc(c->ctx, 2 * (m + 1), sizeof *c->rows);
  c->left = c->rows ? as_alloc(c->ctx, m * n / 8 + 1, sizeof *c->left) : NULL;
  c->in_union = c->left ? as_alloc(c->ctx, n, sizeof *c->in_union) : NULL;
  c->remaining = c->in_union ? as_alloc_zero(c->ctx, 2 * (m + n), sizeof *c->remaining) : NULL;
  if (!c->remaining) return AS_E_NOMEM;
  const int64_t common = fill_table(c, c->reference.words, n, c->hypothesis.words, m);
  scores[AS_ROUGE_L] = score_of(common, (int64_t)m, (int64_t)n);
  scores[AS_ROUGE_LSUM] = score_summary(c);
  return AS_OK;
}

static void score_ngrams(as_ngrams *ngrams, as_rouge_score *scores) {
  for (int n = AS_ROUGE_1; n <= AS_ROUGE_2; n++) {
    if (n > AS_ROUGE_1) as_ngrams_next(ngrams);
    scores[n] = score_of(as_ngrams_matches(ngrams, 0, 1, 1), as_ngrams_total(ngrams, 0), as_ngrams_total(ngrams, 1));
  }
}

/* ---- one pair of texts ----------------------------------------------------------------------------------------- */

static size_t count_lines(as_string_view text) {
  size_t lines = 1;
  for (size_t i = 0; i < text.length; i++) lines += text.text[i] == '\n';
  return lines;
}

/* Tokenizes line by line; a line break is a break between tokens too, so the tokens of the text are those of its lines.
 * Lines without a token are left out, which keeps the number of pairs of lines below that of pairs of words. */
static as_status tokenize_lines(as_context *ctx, as_string_view text, bool stemmer, as_tokens *tokens,
                                lines_of_text *out) {
  const size_t start = tokens->count;
  out->lines = as_alloc(ctx, count_lines(text) + 1, sizeof *out->lines);
  if (!out->lines) return AS_E_NOMEM;
  out->lines[0] = 0;
  while (text.length > 0) {
    const char *end = memchr(text.text, '\n', text.length);
    const size_t length = end ? (size_t)(end - text.text) : text.length;
    as_tokenize_rouge(tokens, (as_string_view){text.text, length}, stemmer);
    if (tokens->count - start > out->lines[out->count]) out->lines[++out->count] = tokens->count - start;
    text.text += length + (end != NULL);
    text.length -= length + (end != NULL);
  }
  return as_tokens_status(tokens);
}

static as_status score_tokens(comparison *c, const as_tokens *tokens, as_rouge_score *scores) {
  const size_t words = c->hypothesis.lines[c->hypothesis.count], starts[] = {0, words, tokens->count};
  as_ngrams ngrams;
  as_status status = as_ngrams_of_tokens(c->ctx, tokens, starts, 2, &ngrams);
  if (status != AS_OK) return status;
  c->hypothesis.words = ngrams.units;
  c->reference.words = ngrams.units + words;
  score_ngrams(&ngrams, scores);
  status = score_subsequences(c, scores);
  as_ngrams_free(&ngrams);
  return status;
}

as_status as_rouge_measure_text(as_context *ctx, as_string_view hypothesis, as_string_view reference, bool stemmer,
                                as_rouge_score scores[AS_ROUGE_MEASURES]) {
  comparison c = {.ctx = ctx};
  as_tokens tokens;
  as_tokens_init(&tokens, ctx);
  as_status status = tokenize_lines(ctx, hypothesis, stemmer, &tokens, &c.hypothesis);
  if (status == AS_OK) status = tokenize_lines(ctx, reference, stemmer, &tokens, &c.reference);
  if (status == AS_OK) status = score_tokens(&c, &tokens, scores);
  as_free(ctx, c.hypothesis.lines);
  as_free(ctx, c.reference.lines);
  as_free(ctx, c.rows);
  as_free(ctx, c.left);
  as_free(ctx, c.in_union);
  as_free(ctx, c.remaining);
  as_tokens_free(&tokens);
  return status;
}

as_status as_rouge_measure_best(as_context *ctx, as_string_view hypothesis, const as_string_view *references,
                                size_t reference_count, bool stemmer, as_rouge_score scores[AS_ROUGE_MEASURES]) {
  as_status status = as_rouge_measure_text(ctx, hypothesis, references[0], stemmer, scores);
  for (size_t r = 1; r < reference_count && status == AS_OK; r++) {
    as_rouge_score others[AS_ROUGE_MEASURES];
    status = as_rouge_measure_text(ctx, hypothesis, references[r], stemmer, others);
    for (int k = 0; status == AS_OK && k < AS_ROUGE_MEASURES; k++) {
      if (others[k].f > scores[k].f) scores[k] = others[k];
    }
  }
  return status;
}
