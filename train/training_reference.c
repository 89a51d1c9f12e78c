/* See training_reference.h. */
#include "train/training_reference.h"

#include "base/memory.h"
#include "eval/classification.h"
#include "eval/reference.h"

enum { ASKED_ROWS = 2000 };

static as_status add_training(as_reference *r, const as_training_reference *t) {
  const as_token_rows *rows = t->training;
  const int32_t unknown = as_tokenizer_special(t->tokenizer, AS_TOKEN_UNK);
  double *lengths = as_alloc(r->ctx, (size_t)rows->count, sizeof *lengths);
  if (!lengths) return AS_E_NOMEM;
  for (int64_t i = 0; i < rows->count; i++) {
    int64_t unknown_here = 0;
    for (int64_t k = rows->offsets[i]; k < rows->offsets[i + 1]; k++) unknown_here += rows->ids[k] == unknown;
    const int64_t length = as_token_rows_length(rows, i);
    lengths[i] = (double)length;
    as_reference_add_tokens(r, length, unknown_here);
    if (rows->labels[i] >= 0 && rows->labels[i] < r->label_count) r->training_labels[rows->labels[i]]++;
  }
  as_histogram_fit(lengths, rows->count, &r->length);
  as_free(r->ctx, lengths);
  return AS_OK;
}

static as_status add_answers(as_reference *r, int64_t count, const int32_t *predicted, const float *probabilities) {
  double *confidences = as_alloc(r->ctx, (size_t)count, sizeof *confidences);
  if (!confidences) return AS_E_NOMEM;
  for (int64_t i = 0; i < count; i++) {
    confidences[i] = (double)probabilities[i * r->label_count + predicted[i]];
    r->answers[predicted[i]]++;
  }
  as_histogram_fit(confidences, count, &r->confidence);
  as_free(r->ctx, confidences);
  return AS_OK;
}

/* Rows from everywhere: a file may be in the order of its labels. */
static as_status choose_rows(const as_token_rows *all, as_token_rows *some) {
  const int64_t count = all->count < ASKED_ROWS ? all->count : ASKED_ROWS;
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    const int64_t row = i * all->count / count;
    status =
        as_token_rows_add(some, all->ids + all->offsets[row], as_token_rows_length(all, row), all->labels[row], false);
  }
  return status;
}

static as_status ask_training_rows(as_reference *r, const as_training_reference *t, as_encoder_predictor *predictor,
                                   const as_encoder_predict_options *options) {
  as_token_rows some;
  const as_encoder_predict_options asked = {.interrupted = options->interrupted, .user = options->user};
  as_token_rows_init(&some, r->ctx);
  as_status status = choose_rows(t->training, &some);
  float *probabilities = as_alloc(r->ctx, (size_t)(some.count * r->label_count), sizeof *probabilities);
  int32_t *predicted = as_alloc(r->ctx, (size_t)some.count, sizeof *predicted);
  if (status == AS_OK && !(probabilities && predicted)) status = AS_E_NOMEM;
  if (status == AS_OK) status = as_encoder_predict(predictor, &some, &asked, probabilities);
  for (int64_t i = 0; status == AS_OK && i < some.count; i++)
    predicted[i] = as_argmax_float(probabilities + i * r->label_count, r->label_count);
  if (status == AS_OK) status = add_answers(r, some.count, predicted, probabilities);
  r->answers_training = true;
  as_free(r->ctx, probabilities);
  as_free(r->ctx, predicted);
  as_token_rows_free(&some);
  return status;
}

as_status as_training_reference_write(as_context *ctx, const as_training_reference *t, as_encoder_predictor *predictor,
                                      const as_encoder_predict_options *options, const char *folder) {
  as_reference r;
  as_status status = as_reference_init(ctx, (const char *const *)t->labels->names, (int64_t)t->labels->count, &r);
  r.max_length = t->max_length;
  if (status == AS_OK) status = add_training(&r, t);
  if (status == AS_OK)
    status = t->answers ? add_answers(&r, t->answers, t->predicted, t->probabilities)
                        : ask_training_rows(&r, t, predictor, options);
  if (status == AS_OK) status = as_reference_write(&r, folder);
  as_reference_free(&r);
  return status;
}
