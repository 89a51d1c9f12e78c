/* See replies.h. */
#include "eval/replies.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/bleu.h"
#include "eval/chrf.h"
#include "eval/rouge.h"
#include "eval/text_match.h"

/* ---- lengths ---------------------------------------------------------------------------------------------------- */
static int64_t count_words(as_string_view text) {
  int64_t words = 0;
  for (bool inside = false; text.length > 0;) {
    bool space = as_is_space(as_next_code_point(&text));
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

static int by_value(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

static as_status measure_lengths(as_context *ctx, const as_string_view *texts, int64_t count,
                                 as_length_statistics *out) {
  int64_t *lengths = as_alloc(ctx, (size_t)count, sizeof *lengths), total = 0;
  if (!lengths) return AS_E_NOMEM;
  for (int64_t i = 0; i < count; i++) total += lengths[i] = count_words(texts[i]);
  qsort(lengths, (size_t)count, sizeof *lengths, by_value);
  *out = (as_length_statistics){.shortest = lengths[0],
                                .median = lengths[(count - 1) / 2],
                                .longest = lengths[count - 1],
                                .mean = (double)total / (double)count};
  as_free(ctx, lengths);
  return AS_OK;
}

/* ---- placeholders ----------------------------------------------------------------------------------------------- */
/* The next "{{...}}" of the text, braces included, without a brace inside; takes all up to its end off the front. */
static bool next_placeholder(as_string_view *rest, as_string_view *found) {
  for (; rest->length >= 5; rest->text++, rest->length--) {
    if (memcmp(rest->text, "{{", 2) != 0) continue;
    size_t end = 2;
    while (end < rest->length && rest->text[end] != '{' && rest->text[end] != '}') end++;
    if (end == 2 || end + 2 > rest->length || memcmp(rest->text + end, "}}", 2) != 0) continue;
    *found = (as_string_view){rest->text, end + 2};
    rest->text += end + 2;
    rest->length -= end + 2;
    return true;
  }
  return false;
}

static bool has_part(as_string_view text, as_string_view part) {
  for (size_t at = 0; at + part.length <= text.length; at++)
    if (memcmp(text.text + at, part.text, part.length) == 0) return true;
  return false;
}

static void count_placeholders(as_string_view reply, as_string_view reference, double *all, double *kept) {
  as_string_view rest = reference, found;
  while (next_placeholder(&rest, &found)) {
    as_string_view before = {reference.text, (size_t)(found.text - reference.text)};
    if (has_part(before, found)) continue;
    *all += 1;
    *kept += has_part(reply, found);
  }
}

/* ---- what a row adds -------------------------------------------------------------------------------------------- */
/* Where the sums lie. */
enum {
  BLEU_MATCHES,
  BLEU_TOTALS = BLEU_MATCHES + AS_BLEU_ORDER,
  BLEU_LENGTH = BLEU_TOTALS + AS_BLEU_ORDER,
  BLEU_REFERENCE,
  CHRF_HYPOTHESIS,
  CHRF_REFERENCE = CHRF_HYPOTHESIS + AS_CHRF_CHARACTER_ORDER,
  CHRF_MATCHES = CHRF_REFERENCE + AS_CHRF_CHARACTER_ORDER,
  ROUGE = CHRF_MATCHES + AS_CHRF_CHARACTER_ORDER, /* 1, 2, L */
  EXACT = ROUGE + 3,
  EXACT_NORMALIZED,
  WORDS,
  PLACEHOLDERS,
  PLACEHOLDERS_KEPT,
  SUMS
};
_Static_assert((int)SUMS == (int)AS_REPLY_SUMS, "replies.h says how many sums there are");

static void put_counts(const as_bleu_counts *bleu, const as_chrf_counts *chrf, double *sums) {
  for (int n = 0; n < AS_BLEU_ORDER; n++) {
    sums[BLEU_MATCHES + n] = (double)bleu->matches[n];
    sums[BLEU_TOTALS + n] = (double)bleu->totals[n];
  }
  sums[BLEU_LENGTH] = (double)bleu->hypothesis_length;
  sums[BLEU_REFERENCE] = (double)bleu->reference_length;
  for (int n = 0; n < AS_CHRF_CHARACTER_ORDER; n++) {
    sums[CHRF_HYPOTHESIS + n] = (double)chrf->hypothesis[n];
    sums[CHRF_REFERENCE + n] = (double)chrf->reference[n];
    sums[CHRF_MATCHES + n] = (double)chrf->matches[n];
  }
}

as_status as_reply_row_sums(as_context *ctx, as_string_view reply, as_string_view reference,
                            double sums[AS_REPLY_SUMS]) {
  as_bleu_counts bleu = {0};
  as_chrf_counts chrf = {0};
  as_rouge_score rouge[AS_ROUGE_MEASURES];
  bool same = false;
  as_status status = as_bleu_add(ctx, &bleu, reply, &reference, 1, false);
  if (status == AS_OK) status = as_chrf_add(ctx, &chrf, reply, &reference, 1, false);
  if (status == AS_OK) status = as_rouge_measure_text(ctx, reply, reference, false, rouge);
  if (status == AS_OK) status = as_exact_match_normalized(ctx, reply, reference, &same);
  if (status != AS_OK) return status;
  memset(sums, 0, AS_REPLY_SUMS * sizeof *sums);
  put_counts(&bleu, &chrf, sums);
  sums[ROUGE] = rouge[AS_ROUGE_1].f;
  sums[ROUGE + 1] = rouge[AS_ROUGE_2].f;
  sums[ROUGE + 2] = rouge[AS_ROUGE_L].f;
  sums[EXACT] = as_exact_match(reply, reference);
  sums[EXACT_NORMALIZED] = same;
  sums[WORDS] = (double)count_words(reply);
  count_placeholders(reply, reference, &sums[PLACEHOLDERS], &sums[PLACEHOLDERS_KEPT]);
  return AS_OK;
}

static double bleu_of(const double *sums, bool effective_order) {
  as_bleu_counts bleu = {.hypothesis_length = (int64_t)sums[BLEU_LENGTH],
                         .reference_length = (int64_t)sums[BLEU_REFERENCE]};
  for (int n = 0; n < AS_BLEU_ORDER; n++) {
    bleu.matches[n] = (int64_t)sums[BLEU_MATCHES + n];
    bleu.totals[n] = (int64_t)sums[BLEU_TOTALS + n];
  }
  return as_bleu_score(&bleu, effective_order).score;
}

static double chrf_of(const double *sums) {
  as_chrf_counts chrf = {0};
  for (int n = 0; n < AS_CHRF_CHARACTER_ORDER; n++) {
    chrf.hypothesis[n] = (int64_t)sums[CHRF_HYPOTHESIS + n];
    chrf.reference[n] = (int64_t)sums[CHRF_REFERENCE + n];
    chrf.matches[n] = (int64_t)sums[CHRF_MATCHES + n];
  }
  return as_chrf_score(&chrf, false);
}

void as_reply_figures_of(const double *sums, int64_t rows, double *figures) {
  const double n = (double)rows;
  figures[AS_REPLY_BLEU] = bleu_of(sums, false);
  figures[AS_REPLY_CHRF] = chrf_of(sums);
  for (int k = 0; k < 3; k++) figures[AS_REPLY_ROUGE1 + k] = sums[ROUGE + k] / n;
  figures[AS_REPLY_EXACT] = sums[EXACT] / n;
  figures[AS_REPLY_EXACT_NORMALIZED] = sums[EXACT_NORMALIZED] / n;
  figures[AS_REPLY_WORDS] = sums[WORDS] / n;
  figures[AS_REPLY_KEPT] = sums[PLACEHOLDERS] > 0 ? sums[PLACEHOLDERS_KEPT] / sums[PLACEHOLDERS] : NAN;
}

double as_reply_row_bleu(const double sums[AS_REPLY_SUMS]) {
  return bleu_of(sums, true);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */
static void take_figures(const double *sums, as_reply_scores *out) {
  double figures[AS_REPLY_FIGURES];
  as_reply_figures_of(sums, out->rows, figures);
  out->bleu = figures[AS_REPLY_BLEU];
  out->chrf = figures[AS_REPLY_CHRF];
  out->rouge1 = figures[AS_REPLY_ROUGE1];
  out->rouge2 = figures[AS_REPLY_ROUGE2];
  out->rouge_l = figures[AS_REPLY_ROUGE_L];
  out->exact_match = figures[AS_REPLY_EXACT];
  out->exact_match_normalized = figures[AS_REPLY_EXACT_NORMALIZED];
  out->placeholders = (int64_t)sums[PLACEHOLDERS];
  out->placeholders_kept = (int64_t)sums[PLACEHOLDERS_KEPT];
}

as_status as_reply_scores_measure(as_context *ctx, const as_string_view *replies, const as_string_view *references,
                                  int64_t rows, as_reply_scores *out) {
  double sums[AS_REPLY_SUMS] = {0}, row[AS_REPLY_SUMS];
  as_distinct distinct1, distinct2;
  *out = (as_reply_scores){.rows = rows};
  if (rows < 1) return as_fail(ctx, AS_E_INVALID, "there are no replies to measure");
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < rows; i++) {
    status = as_reply_row_sums(ctx, replies[i], references[i], row);
    for (int k = 0; status == AS_OK && k < AS_REPLY_SUMS; k++) sums[k] += row[k];
  }
  if (status == AS_OK) status = as_distinct_measure(ctx, replies, (size_t)rows, 1, &distinct1);
  if (status == AS_OK) status = as_distinct_measure(ctx, replies, (size_t)rows, 2, &distinct2);
  if (status == AS_OK) status = measure_lengths(ctx, replies, rows, &out->length);
  if (status == AS_OK) status = measure_lengths(ctx, references, rows, &out->reference_length);
  if (status != AS_OK) return status;
  take_figures(sums, out);
  out->distinct1 = distinct1.value;
  out->distinct2 = distinct2.value;
  return AS_OK;
}

static void write_lengths(as_json_writer *w, const char *key, const as_length_statistics *l) {
  as_json_open_object(w, key);
  as_json_int(w, "min", l->shortest);
  as_json_int(w, "median", l->median);
  as_json_double(w, "mean", l->mean);
  as_json_int(w, "max", l->longest);
  as_json_close_object(w);
}

void as_reply_scores_json(as_json_writer *w, const as_reply_scores *s) {
  const struct {
    const char *name;
    double value;
  } numbers[] = {{"bleu", s->bleu},
                 {"chrf", s->chrf},
                 {"rouge1", s->rouge1},
                 {"rouge2", s->rouge2},
                 {"rougeL", s->rouge_l},
                 {"exact_match", s->exact_match},
                 {"exact_match_normalized", s->exact_match_normalized},
                 {"distinct1", s->distinct1},
                 {"distinct2", s->distinct2}};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) as_json_double(w, numbers[i].name, numbers[i].value);
  write_lengths(w, "length", &s->length);
  write_lengths(w, "reference_length", &s->reference_length);
  as_json_int(w, "placeholders", s->placeholders);
  as_json_int(w, "placeholders_kept", s->placeholders_kept);
}
