/* See labelled_rows.h. */
#include "infer/labelled_rows.h"

#include <string.h>

#include "base/memory.h"

as_status as_labelled_rows_make(as_context *ctx, const as_messages *messages, const as_labels *labels, bool skip,
                                const char *who, as_labelled_rows *out) {
  const int64_t all = messages ? as_messages_count(messages) : 0;
  *out = (as_labelled_rows){.ctx = ctx, .messages = messages};
  out->rows = as_alloc(ctx, (size_t)all, sizeof *out->rows);
  out->truth = as_alloc(ctx, (size_t)all, sizeof *out->truth);
  if (!out->rows || !out->truth) return AS_E_NOMEM;
  for (int64_t row = 0; row < all; row++) {
    const char *name = as_messages_value(messages, 0, row);
    const int64_t label = as_labels_find(labels, name);
    if (label < 0 && !skip)
      return as_fail(ctx, AS_E_DATA, "%s: line %llu: %s label \"%s\"", as_messages_path(messages),
                     (unsigned long long)as_messages_line(messages, row), who, name);
    out->unknown += label < 0;
    if (label < 0) continue;
    out->rows[out->count] = row;
    out->truth[out->count++] = (int32_t)label;
  }
  return AS_OK;
}

void as_labelled_rows_free(as_labelled_rows *rows) {
  if (!rows->ctx) return;
  as_free(rows->ctx, rows->rows);
  as_free(rows->ctx, rows->truth);
  *rows = (as_labelled_rows){0};
}

as_status as_labels_join(as_context *ctx, const as_labels *first, const as_labels *second, as_labels *out) {
  const char **names = as_alloc(ctx, first->count + second->count, sizeof *names);
  size_t count = 0;
  *out = (as_labels){0};
  if (!names) return AS_E_NOMEM;
  for (size_t i = 0; i < first->count; i++) names[count++] = first->names[i];
  for (size_t i = 0; i < second->count; i++)
    if (as_labels_find(first, second->names[i]) < 0) names[count++] = second->names[i];
  as_status status = as_labels_set(ctx, out, names, count);
  as_free(ctx, names);
  return status;
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

enum { GROUP_ROWS = 1024 }; /* asked together */

typedef struct asking {
  as_text *texts;         /* [count] */
  as_prediction *answers; /* [count] */
  float *probabilities;   /* [count, own] */
  int32_t *numbers;       /* [own] of the classifier's labels */
} asking;

/* Group by group, so that it can be watched and stopped; the bits of an answer do not depend on the group. */
static as_status ask(const as_labelled_rows *rows, as_classifier *c, asking *a, float *logits,
                     const as_answer_listener *listener) {
  const size_t own = as_classifier_labels(c)->count;
  for (int64_t i = 0; i < rows->count; i++) {
    a->texts[i].text = as_messages_text(rows->messages, rows->rows[i], &a->texts[i].length);
    a->answers[i].probabilities = a->probabilities + (size_t)i * own;
  }
  as_status status = AS_OK;
  for (int64_t done = 0; status == AS_OK && done < rows->count;) {
    const int64_t group = rows->count - done < GROUP_ROWS ? rows->count - done : GROUP_ROWS;
    status = as_classifier_predict_logits(c, a->texts + done, group, a->answers + done,
                                          logits ? logits + (size_t)done * own : NULL);
    done += group;
    if (status == AS_OK && listener && !listener->goes_on(listener->user, done, rows->count))
      status = as_fail(rows->ctx, AS_E_INTERRUPTED, "interrupted after %lld of %lld rows", (long long)done,
                       (long long)rows->count);
  }
  return status;
}

as_status as_labelled_rows_answer(const as_labelled_rows *rows, as_classifier *c, const as_labels *labels,
                                  int32_t *predicted, double *probabilities, float *logits,
                                  const as_answer_listener *listener) {
  as_context *ctx = rows->ctx;
  const as_labels *own = as_classifier_labels(c);
  const size_t n = (size_t)rows->count;
  asking a = {.texts = as_alloc(ctx, n, sizeof *a.texts),
              .answers = as_alloc(ctx, n, sizeof *a.answers),
              .probabilities = as_alloc(ctx, n * own->count, sizeof *a.probabilities),
              .numbers = as_alloc(ctx, own->count, sizeof *a.numbers)};
  as_status status = a.texts && a.answers && a.probabilities && a.numbers ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) status = ask(rows, c, &a, logits, listener);
  for (size_t k = 0; status == AS_OK && k < own->count; k++)
    a.numbers[k] = (int32_t)as_labels_find(labels, own->names[k]);
  if (status == AS_OK) memset(probabilities, 0, n * labels->count * sizeof *probabilities);
  for (size_t i = 0; status == AS_OK && i < n; i++) {
    predicted[i] = a.numbers[a.answers[i].label];
    for (size_t k = 0; k < own->count; k++)
      probabilities[i * labels->count + (size_t)a.numbers[k]] = (double)a.answers[i].probabilities[k];
  }
  as_free(ctx, a.texts);
  as_free(ctx, a.answers);
  as_free(ctx, a.probabilities);
  as_free(ctx, a.numbers);
  return status;
}
