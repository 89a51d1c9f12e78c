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

/* ---- agreement -------------------------------------------------------------------------------------------------- */
typedef struct sums {
  as_bleu_counts bleu;
  as_chrf_counts chrf;
  double rouge[AS_ROUGE_MEASURES];
  int64_t exact, exact_normalized;
} sums;

static as_status add_row(as_context *ctx, sums *s, as_string_view reply, as_string_view reference) {
  as_rouge_score rouge[AS_ROUGE_MEASURES];
  bool same = false;
  as_status status = as_bleu_add(ctx, &s->bleu, reply, &reference, 1, false);
  if (status == AS_OK) status = as_chrf_add(ctx, &s->chrf, reply, &reference, 1, false);
  if (status == AS_OK) status = as_rouge_measure_text(ctx, reply, reference, false, rouge);
  if (status == AS_OK) status = as_exact_match_normalized(ctx, reply, reference, &same);
  if (status != AS_OK) return status;
  for (int k = 0; k < AS_ROUGE_MEASURES; k++) s->rouge[k] += rouge[k].f;
  s->exact += as_exact_match(reply, reference);
  s->exact_normalized += same;
  return AS_OK;
}

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

static void count_placeholders(as_string_view reply, as_string_view reference, as_reply_scores *out) {
  as_string_view rest = reference, found;
  while (next_placeholder(&rest, &found)) {
    as_string_view before = {reference.text, (size_t)(found.text - reference.text)};
    if (has_part(before, found)) continue;
    out->placeholders++;
    out->placeholders_kept += has_part(reply, found);
  }
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */
as_status as_reply_scores_measure(as_context *ctx, const as_string_view *replies, const as_string_view *references,
                                  int64_t rows, as_reply_scores *out) {
  sums s = {0};
  as_distinct distinct1, distinct2;
  *out = (as_reply_scores){.rows = rows};
  if (rows < 1) return as_fail(ctx, AS_E_INVALID, "there are no replies to measure");
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < rows; i++) {
    status = add_row(ctx, &s, replies[i], references[i]);
    count_placeholders(replies[i], references[i], out);
  }
  if (status == AS_OK) status = as_distinct_measure(ctx, replies, (size_t)rows, 1, &distinct1);
  if (status == AS_OK) status = as_distinct_measure(ctx, replies, (size_t)rows, 2, &distinct2);
  if (status == AS_OK) status = measure_lengths(ctx, replies, rows, &out->length);
  if (status == AS_OK) status = measure_lengths(ctx, references, rows, &out->reference_length);
  if (status != AS_OK) return status;
  double n = (double)rows;
  out->bleu = as_bleu_score(&s.bleu, false).score;
  out->chrf = as_chrf_score(&s.chrf, false);
  out->rouge1 = s.rouge[AS_ROUGE_1] / n;
  out->rouge2 = s.rouge[AS_ROUGE_2] / n;
  out->rouge_l = s.rouge[AS_ROUGE_L] / n;
  out->exact_match = (double)s.exact / n;
  out->exact_match_normalized = (double)s.exact_normalized / n;
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
