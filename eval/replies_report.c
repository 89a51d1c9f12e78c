/* The evaluation of a response model as JSON and as a table, and what is to be said of it plainly. */
#include <inttypes.h>
#include <math.h>

#include "eval/replies.h"

void as_reply_verdict(double model, double nearest, double frequent, as_buffer *out) {
  if (nearest > model)
    as_buffer_printf(out,
                     "the reply of the most similar training message is better than the model's: BLEU %.2f against "
                     "%.2f. Answer with that one, or train a larger model, longer, or from pretrained weights.",
                     nearest, model);
  if (frequent > model)
    as_buffer_printf(out,
                     "%sone fixed reply for everything reaches BLEU %.2f, the model %.2f: it has learned too little"
                     " to be used.",
                     nearest > model ? " Even " : "", frequent, model);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */
static void write_baseline(as_json_writer *w, const char *key, bool there, const as_reply_scores *scores) {
  if (!there) {
    as_json_null(w, key);
    return;
  }
  as_json_open_object(w, key);
  as_reply_scores_json(w, scores);
  as_json_close_object(w);
}

static void write_verdict(as_json_writer *w, const as_reply_evaluation *e) {
  as_buffer text;
  as_buffer_init(&text, w->out->ctx);
  if (e->has_baselines) as_reply_verdict(e->model.bleu, e->nearest.bleu, e->frequent.bleu, &text);
  if (text.length > 0)
    as_json_string(w, "verdict", as_buffer_string(&text));
  else
    as_json_null(w, "verdict");
  as_buffer_free(&text);
}

void as_reply_evaluation_json(as_json_writer *w, const as_reply_evaluation *e) {
  as_json_int(w, "n", e->model.rows);
  as_json_double(w, "loss", e->loss);
  as_json_double(w, "perplexity", e->perplexity);
  as_json_int(w, "tokens", e->tokens);
  as_json_int(w, "truncated", e->cut);
  as_json_int(w, "unfinished", e->unfinished);
  as_reply_scores_json(w, &e->model);
  as_json_open_object(w, "baselines");
  write_baseline(w, "most_frequent", e->has_baselines, &e->frequent);
  write_baseline(w, "nearest", e->has_baselines, &e->nearest);
  as_json_close_object(w);
  write_verdict(w, e);
}

/* ---- table ------------------------------------------------------------------------------------------------------ */
static void append_row(as_buffer *out, const char *name, int decimals, const as_reply_evaluation *e,
                       double (*value)(const as_reply_scores *)) {
  const as_reply_scores *columns[] = {&e->model, &e->nearest, &e->frequent};
  as_buffer_printf(out, "  %-28s", name);
  for (int i = 0; i < (e->has_baselines ? 3 : 1); i++) {
    double number = value(columns[i]);
    if (isnan(number))
      as_buffer_printf(out, "%14s", "-");
    else
      as_buffer_printf(out, "%14.*f", decimals, number);
  }
  as_buffer_char(out, '\n');
}

static double bleu(const as_reply_scores *s) {
  return s->bleu;
}
static double chrf(const as_reply_scores *s) {
  return s->chrf;
}
static double rouge1(const as_reply_scores *s) {
  return s->rouge1;
}
static double rouge2(const as_reply_scores *s) {
  return s->rouge2;
}
static double rouge_l(const as_reply_scores *s) {
  return s->rouge_l;
}
static double exact(const as_reply_scores *s) {
  return s->exact_match;
}
static double exact_normalized(const as_reply_scores *s) {
  return s->exact_match_normalized;
}
static double distinct1(const as_reply_scores *s) {
  return s->distinct1;
}
static double distinct2(const as_reply_scores *s) {
  return s->distinct2;
}
static double words(const as_reply_scores *s) {
  return s->length.mean;
}
static double kept(const as_reply_scores *s) {
  return s->placeholders ? (double)s->placeholders_kept / (double)s->placeholders : NAN;
}

void as_reply_evaluation_table(const as_reply_evaluation *e, as_buffer *out) {
  static const struct {
    const char *name;
    int decimals;
    double (*value)(const as_reply_scores *);
  } rows[] = {{"BLEU", 2, bleu},
              {"chrF", 2, chrf},
              {"ROUGE-1 F", 4, rouge1},
              {"ROUGE-2 F", 4, rouge2},
              {"ROUGE-L F", 4, rouge_l},
              {"exact match", 4, exact},
              {"exact match, normalized", 4, exact_normalized},
              {"distinct-1", 4, distinct1},
              {"distinct-2", 4, distinct2},
              {"words, mean", 1, words},
              {"placeholders kept, share", 4, kept}};
  const as_length_statistics *l = &e->model.reference_length, *own = &e->model.length;
  as_buffer_printf(out, "%" PRId64 " rows, %" PRId64 " tokens: loss %.4f, perplexity %.2f\n", e->model.rows, e->tokens,
                   e->loss, e->perplexity);
  if (e->cut) as_buffer_printf(out, "%" PRId64 " rows were cut to the limits of length\n", e->cut);
  if (e->unfinished) as_buffer_printf(out, "%" PRId64 " replies ended at the limit of their length\n", e->unfinished);
  as_buffer_printf(out, "\n  %-28s%14s", "", "model");
  if (e->has_baselines) as_buffer_printf(out, "%14s%14s", "nearest reply", "fixed reply");
  as_buffer_char(out, '\n');
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    append_row(out, rows[i].name, rows[i].decimals, e, rows[i].value);
  as_buffer_printf(out,
                   "\n  words of a reply: %" PRId64 " to %" PRId64 ", median %" PRId64 "; expected: %" PRId64
                   " to %" PRId64 ", median %" PRId64 ", mean %.1f\n",
                   own->shortest, own->longest, own->median, l->shortest, l->longest, l->median, l->mean);
  as_buffer_printf(out, "  placeholders of the expected replies: %" PRId64 "\n", e->model.placeholders);
  if (!e->has_baselines) {
    as_buffer_text(out, "\nNo baselines: the folder has no nearest_replies.csv.\n");
    return;
  }
  size_t before = out->length;
  as_buffer_text(out, "\nPlainly: ");
  size_t begun = out->length;
  as_reply_verdict(e->model.bleu, e->nearest.bleu, e->frequent.bleu, out);
  if (out->length == begun && !out->failed)
    out->data[out->length = before] = 0;
  else
    as_buffer_char(out, '\n');
}
