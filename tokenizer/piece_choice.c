/* Expectation, maximization, pruning (Kudo 2018, section 3.2, with the figures of SentencePiece). */
#include "tokenizer/piece_choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/piece_counts.h"

enum { ROUNDS = 2 };         /* of expectation and maximization between two prunings */
#define SHRINKING 0.75       /* what a pruning leaves */
#define MORE_THAN_WANTED 1.1 /* pruning ends at so many; the best of them are taken */
#define LEAST_USES 0.5       /* a piece with fewer expected uses goes */
#define SCORE_STEPS 1024.0   /* scores are rounded to such parts: see unigram_trainer.h */

as_status as_piece_choice_init(as_piece_choice *choice, as_context *ctx, as_buffer *pool,
                               const as_training_piece *words, size_t word_count) {
  *choice = (as_piece_choice){.ctx = ctx, .pool = pool, .words = words, .word_count = word_count};
  return AS_OK;
}

void as_piece_choice_free(as_piece_choice *choice) {
  if (choice->ctx) as_free(choice->ctx, choice->pieces);
}

as_status as_piece_choice_append(as_piece_choice *choice, const as_training_piece *pieces, size_t count) {
  size_t needed = choice->count + count;
  as_training_piece *all = as_grow(choice->ctx, choice->pieces, &choice->capacity, needed, sizeof *all);
  if (!all) return AS_E_NOMEM;
  choice->pieces = all;
  if (count) memcpy(all + choice->count, pieces, count * sizeof *all);
  choice->count = needed;
  return AS_OK;
}

as_status as_piece_choice_add(as_piece_choice *choice, uint32_t code_point, int64_t count) {
  char bytes[4];
  uint32_t length = (uint32_t)as_utf8_encode(code_point, bytes);
  as_training_piece piece = {.start = choice->pool->length, .length = length, .characters = 1, .count = count};
  as_buffer_append(choice->pool, bytes, length);
  as_status status = as_buffer_status(choice->pool);
  return status == AS_OK ? as_piece_choice_append(choice, &piece, 1) : status;
}

/* ---- scores --------------------------------------------------------------------------------------------------- */

/* The derivative of log gamma: recurrence to x >= 7, then the asymptotic series (Abramowitz and Stegun 6.3.5, 6.3.18).
 */
static double digamma(double x) {
  double result = 0;
  for (; x < 7; x++) result -= 1 / x;
  x -= 0.5;
  double xx = 1 / x, xx2 = xx * xx, xx4 = xx2 * xx2;
  return result + log(x) + xx2 / 24 - 7.0 / 960 * xx4 + 31.0 / 8064 * xx4 * xx2 - 127.0 / 30720 * xx4 * xx4;
}

/* The first scores: the share of the characters that a piece covers. */
static void first_scores(as_piece_choice *choice) {
  double all = 0;
  for (size_t i = 0; i < choice->count; i++) all += (double)choice->pieces[i].count * choice->pieces[i].characters;
  for (size_t i = 0; i < choice->count; i++)
    choice->pieces[i].score = log((double)choice->pieces[i].count * choice->pieces[i].characters / all);
}

/* Scores from expected uses; pieces that are hardly used go, characters stay. */
static void maximize(as_piece_choice *choice, const double *uses) {
  double all = 0;
  size_t kept = 0;
  for (size_t i = 0; i < choice->count; i++) {
    as_training_piece piece = choice->pieces[i];
    if (uses[i] < LEAST_USES && piece.characters > 1) continue;
    piece.score = uses[i] > LEAST_USES ? uses[i] : LEAST_USES;
    all += piece.score;
    choice->pieces[kept++] = piece;
  }
  choice->count = kept;
  double whole = digamma(all);
  for (size_t i = 0; i < kept; i++) choice->pieces[i].score = digamma(choice->pieces[i].score) - whole;
}

/* One counter serves one set of pieces: `maximize` may leave some out. */
static as_status expect_and_maximize(as_piece_choice *choice, double *uses) {
  as_piece_counter counter;
  as_status status = as_piece_counter_init(&counter, choice->ctx, choice->pool->data, choice->words, choice->word_count,
                                           choice->pieces, choice->count);
  if (status == AS_OK) {
    as_expected_counts(&counter, uses);
    maximize(choice, uses);
  }
  as_piece_counter_free(&counter);
  return status;
}

/* ---- pruning -------------------------------------------------------------------------------------------------- */

/* A piece that may go, and how much likelihood the texts would lose. */
typedef struct candidate {
  double loss;
  size_t piece;
} candidate;

static int compare_losses(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->loss != y->loss) return x->loss < y->loss ? 1 : -1;
  return (x->piece > y->piece) - (x->piece < y->piece);
}

/* What the likelihood loses if the best other way to cut the piece takes its place everywhere. */
static double loss_of(const double *uses, double all, double words, size_t piece, const uint32_t *parts, size_t count) {
  double with = log(uses[piece]) - log(all), without = 0, all_without = log(all + uses[piece] * (double)(count - 1));
  for (size_t i = 0; i < count; i++) without += log(uses[parts[i]] + uses[piece]) - all_without;
  return uses[piece] / words * (with - without);
}

/* Sets keep[count]: whether a piece must stay (1), goes (0), or is a candidate; returns the number of candidates. */
static size_t find_candidates(const as_piece_counter *counter, const double *uses, unsigned char *keep,
                              candidate *candidates) {
  double all = 0, words = 0;
  size_t count = 0;
  for (size_t i = 0; i < counter->piece_count; i++) all += uses[i];
  for (size_t i = 0; i < counter->word_count; i++) words += (double)counter->words[i].count;
  for (size_t i = 0; i < counter->piece_count; i++) {
    uint32_t parts[AS_SEED_CHARACTERS];
    size_t part_count;
    const as_training_piece *piece = &counter->pieces[i];
    keep[i] = piece->characters == 1;
    if (keep[i] || uses[i] == 0) continue;
    double without = as_best_without(counter, i, parts, &part_count);
    if (without > piece->score) continue; /* not even itself would use it */
    candidates[count++] = (candidate){.loss = loss_of(uses, all, words, i, parts, part_count), .piece = i};
  }
  return count;
}

static as_status prune_with(as_piece_choice *choice, const as_piece_counter *counter, const double *uses,
                            size_t wanted) {
  unsigned char *keep = as_alloc(choice->ctx, choice->count, 1);
  candidate *candidates = as_alloc(choice->ctx, choice->count, sizeof *candidates);
  if (keep && candidates) {
    size_t count = find_candidates(counter, uses, keep, candidates), kept = 0, left = 0;
    size_t target = (size_t)(SHRINKING * (double)choice->count);
    if (target < wanted) target = wanted;
    qsort(candidates, count, sizeof *candidates, compare_losses);
    for (size_t i = 0; i < choice->count; i++) kept += keep[i];
    for (size_t i = 0; i < count && kept < target; i++, kept++) keep[candidates[i].piece] = 1;
    for (size_t i = 0; i < choice->count; i++)
      if (keep[i]) choice->pieces[left++] = choice->pieces[i];
    choice->count = left;
  }
  as_status status = keep && candidates ? AS_OK : AS_E_NOMEM;
  as_free(choice->ctx, keep);
  as_free(choice->ctx, candidates);
  return status;
}

static as_status prune(as_piece_choice *choice, double *uses, size_t wanted) {
  as_piece_counter counter;
  as_status status = as_piece_counter_init(&counter, choice->ctx, choice->pool->data, choice->words, choice->word_count,
                                           choice->pieces, choice->count);
  if (status == AS_OK) {
    as_best_counts(&counter, uses);
    status = prune_with(choice, &counter, uses, wanted);
  }
  as_piece_counter_free(&counter);
  return status;
}

/* ---- all of it ------------------------------------------------------------------------------------------------ */

static int compare_scores(const void *a, const void *b) {
  const as_training_piece *x = a, *y = b;
  if (x->score != y->score) return x->score < y->score ? 1 : -1;
  return (x->count < y->count) - (x->count > y->count); /* `count` is the place among equals by now */
}

/* Rounds the scores and takes the best pieces, but every character. */
static void finish(as_piece_choice *choice, size_t wanted) {
  size_t characters = 0, kept = 0;
  for (size_t i = 0; i < choice->count; i++) {
    as_training_piece *piece = &choice->pieces[i];
    piece->score = round(piece->score * SCORE_STEPS) / SCORE_STEPS;
    piece->count = (int64_t)(choice->count - i);
    characters += piece->characters == 1;
  }
  qsort(choice->pieces, choice->count, sizeof *choice->pieces, compare_scores);
  size_t others = wanted > characters ? wanted - characters : 0;
  for (size_t i = 0; i < choice->count; i++) {
    bool character = choice->pieces[i].characters == 1;
    if (!character && others == 0) continue;
    others -= !character;
    choice->pieces[kept++] = choice->pieces[i];
  }
  choice->count = kept;
}

as_status as_choose_pieces(as_piece_choice *choice, size_t wanted) {
  size_t enough = (size_t)(MORE_THAN_WANTED * (double)wanted), before;
  double *uses = as_alloc(choice->ctx, choice->count, sizeof *uses);
  if (!uses) return AS_E_NOMEM;
  first_scores(choice);
  as_status status = AS_OK;
  do {
    for (int i = 0; i < ROUNDS && status == AS_OK; i++) status = expect_and_maximize(choice, uses);
    before = choice->count;
    if (status == AS_OK && before > enough) status = prune(choice, uses, enough);
  } while (status == AS_OK && choice->count > enough && choice->count < before);
  if (status == AS_OK && choice->count < before)
    for (int i = 0; i < ROUNDS && status == AS_OK; i++) status = expect_and_maximize(choice, uses);
  as_free(choice->ctx, uses);
  if (status == AS_OK) finish(choice, wanted);
  return status;
}
