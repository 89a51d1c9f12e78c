/* Metrics over texts: a hypothesis against its references, and what the tokenizers make of a text. */
#include "eval/metrics_tasks.h"

#include "base/memory.h"
#include "eval/bleu.h"
#include "eval/chrf.h"
#include "eval/json_fields.h"
#include "eval/rouge.h"
#include "eval/text_match.h"
#include "eval/tokens.h"

typedef struct text_line {
  as_string_view hypothesis;
  as_string_view *references; /* [count], at least 1 */
  size_t count;
} text_line;

static as_status read_references(as_context *ctx, const json_t *line, text_line *in) {
  const json_t *array;
  const as_status status = as_line_array(ctx, line, "refs", &array);
  if (status != AS_OK) return status;
  in->count = json_array_size(array);
  if (in->count == 0) return as_fail(ctx, AS_E_DATA, "refs is empty");
  in->references = as_alloc(ctx, in->count, sizeof *in->references);
  if (!in->references) return AS_E_NOMEM;
  for (size_t i = 0; i < in->count; i++) {
    const json_t *value = json_array_get(array, i);
    if (!json_is_string(value)) return as_fail(ctx, AS_E_DATA, "refs[%zu] is not a string", i);
    in->references[i] = (as_string_view){json_string_value(value), json_string_length(value)};
  }
  return AS_OK;
}

/* ---- BLEU and chrF --------------------------------------------------------------------------------------------- */

static void write_bleu(as_json_writer *w, const as_bleu_counts *counts) {
  const as_bleu bleu = as_bleu_score(counts, true);
  as_json_open_object(w, "bleu");
  as_json_double(w, "score", bleu.score);
  as_json_open_array(w, "precisions");
  for (int n = 0; n < AS_BLEU_ORDER; n++) as_json_double(w, NULL, bleu.precisions[n]);
  as_json_close_array(w);
  as_json_open_array(w, "counts");
  for (int n = 0; n < AS_BLEU_ORDER; n++) as_json_int(w, NULL, counts->matches[n]);
  as_json_close_array(w);
  as_json_open_array(w, "totals");
  for (int n = 0; n < AS_BLEU_ORDER; n++) as_json_int(w, NULL, counts->totals[n]);
  as_json_close_array(w);
  as_json_double(w, "bp", bleu.brevity_penalty);
  as_json_int(w, "sys_len", counts->hypothesis_length);
  as_json_int(w, "ref_len", counts->reference_length);
  as_json_close_object(w);
  as_json_double(w, "bleu_no_effective_order", as_bleu_score(counts, false).score);
}

static as_status measure_bleu(as_context *ctx, const text_line *in, as_json_writer *w) {
  as_bleu_counts counts = {0};
  const as_status status = as_bleu_add(ctx, &counts, in->hypothesis, in->references, in->count, false);
  if (status == AS_OK) write_bleu(w, &counts);
  return status;
}

static as_status measure_chrf(as_context *ctx, const text_line *in, as_json_writer *w) {
  as_chrf_counts characters = {0}, words = {0};
  as_status status = as_chrf_add(ctx, &characters, in->hypothesis, in->references, in->count, false);
  if (status == AS_OK) status = as_chrf_add(ctx, &words, in->hypothesis, in->references, in->count, true);
  if (status != AS_OK) return status;
  as_json_double(w, "chrf", as_chrf_score(&characters, false));
  as_json_double(w, "chrf_pp", as_chrf_score(&words, true));
  return AS_OK;
}

/* ---- ROUGE ----------------------------------------------------------------------------------------------------- */

static void write_rouge(as_json_writer *w, const char *key, const as_rouge_score *scores) {
  as_json_open_object(w, key);
  for (int k = 0; k < AS_ROUGE_MEASURES; k++) {
    as_json_open_array(w, as_rouge_name((as_rouge_measure)k));
    as_json_double(w, NULL, scores[k].precision);
    as_json_double(w, NULL, scores[k].recall);
    as_json_double(w, NULL, scores[k].f);
    as_json_close_array(w);
  }
  as_json_close_object(w);
}

static as_status measure_rouge(as_context *ctx, const text_line *in, as_json_writer *w) {
  as_rouge_score plain[AS_ROUGE_MEASURES], stemmed[AS_ROUGE_MEASURES], best[AS_ROUGE_MEASURES];
  as_status status = as_rouge_measure_text(ctx, in->hypothesis, in->references[0], false, plain);
  if (status == AS_OK) status = as_rouge_measure_text(ctx, in->hypothesis, in->references[0], true, stemmed);
  if (status == AS_OK) status = as_rouge_measure_best(ctx, in->hypothesis, in->references, in->count, false, best);
  if (status != AS_OK) return status;
  as_json_open_object(w, "rouge");
  write_rouge(w, "no_stemmer", plain);
  write_rouge(w, "stemmer", stemmed);
  as_json_close_object(w);
  if (in->count > 1) write_rouge(w, "rouge_best_of_refs_no_stemmer", best);
  return AS_OK;
}

static as_status measure_match(as_context *ctx, const text_line *in, as_json_writer *w) {
  bool same = false;
  const as_status status = as_exact_match_normalized(ctx, in->hypothesis, in->references[0], &same);
  as_json_bool(w, "exact_match", as_exact_match(in->hypothesis, in->references[0]));
  as_json_bool(w, "exact_match_normalized", same);
  return status;
}

as_status as_metrics_text(as_context *ctx, const json_t *line, as_json_writer *w) {
  text_line in = {0};
  as_status status = as_line_string(ctx, line, "hyp", &in.hypothesis.text, &in.hypothesis.length);
  if (status == AS_OK) status = read_references(ctx, line, &in);
  if (status == AS_OK) status = measure_bleu(ctx, &in, w);
  if (status == AS_OK) status = measure_chrf(ctx, &in, w);
  if (status == AS_OK) status = measure_rouge(ctx, &in, w);
  if (status == AS_OK) status = measure_match(ctx, &in, w);
  as_free(ctx, in.references);
  return status;
}

/* ---- tokens ---------------------------------------------------------------------------------------------------- */

static as_status write_tokens(as_json_writer *w, const char *key, as_tokens *tokens) {
  as_json_open_array(w, key);
  for (size_t i = 0; i < tokens->count; i++) {
    const as_string_view token = as_tokens_at(tokens, i);
    as_json_string_n(w, NULL, token.text, token.length);
  }
  as_json_close_array(w);
  const as_status status = as_tokens_status(tokens);
  as_tokens_free(tokens);
  return status;
}

as_status as_metrics_tokens(as_context *ctx, const json_t *line, as_json_writer *w) {
  as_string_view text;
  as_tokens tokens;
  as_tokens_init(&tokens, ctx);
  as_status status = as_line_string(ctx, line, "text", &text.text, &text.length);
  if (status != AS_OK) return status;
  as_tokenize_13a(&tokens, text, false);
  status = write_tokens(w, "bleu_13a", &tokens);
  if (status == AS_OK) {
    as_tokenize_rouge(&tokens, text, false);
    status = write_tokens(w, "rouge", &tokens);
  }
  if (status == AS_OK) {
    as_tokenize_rouge(&tokens, text, true);
    status = write_tokens(w, "rouge_stemmed", &tokens);
  }
  return status;
}
