/* Reading the table predictions (lifecycle/prediction_log.h writes it), and the two changes that are made to it: what
 * turned out to be true, and forgetting what is old. */
#ifndef AS_LIFECYCLE_PREDICTIONS_H
#define AS_LIFECYCLE_PREDICTIONS_H

#include "base/buffer.h"
#include "lifecycle/database.h"

/* A row; everything is borrowed for the call. Texts may hold any bytes, [length], and end with a NUL too. */
typedef struct as_prediction_text {
  const char *text; /* NULL: none */
  size_t length;
} as_prediction_text;

typedef struct as_prediction_row {
  const char *timestamp, *request_id, *model, *version;
  as_prediction_text input, label, feedback;
  double confidence;                   /* NaN: none */
  as_prediction_text probabilities;    /* JSON: an object by label; of recommendations a list */
  int64_t tokens, unknown, latency_us; /* -1: not known */
  bool truncated;
} as_prediction_row;

/* Which rows. */
typedef struct as_prediction_query {
  const char *model, *version, *label; /* NULL: any */
  const char *since, *before;          /* since <= timestamp < before; NULL: any */
  double below;                        /* confidences below this; 0: any */
  int64_t newest;                      /* only so many, the last ones; 0: all */
} as_prediction_query;

/* Calls `take` with each row, the oldest first; what it answers ends the reading when it is not AS_OK. */
AS_MUST_CHECK as_status as_predictions_read(as_database *database, const as_prediction_query *query,
                                            as_status (*take)(void *user, const as_prediction_row *row), void *user);

/* What the rows of one version say together. A version is right where feedback equals the label; replies, which have
 * no probabilities, are not counted as right or wrong. */
typedef struct as_prediction_summary {
  const char *model, *version, *last; /* last: timestamp of the newest row */
  int64_t rows, feedback, right;
  double confidence, latency_us; /* means; NaN: none has one */
} as_prediction_summary;
/* The same rows by model and version; `newest` is passed over. */
AS_MUST_CHECK as_status as_predictions_summarize(as_database *database, const as_prediction_query *query,
                                                 as_status (*take)(void *user, const as_prediction_summary *summary),
                                                 void *user);

/* Records what was true for a request, in place of what was recorded before. `request` is its id, or the beginning of
 * it, at least 6 digits. `model` may be NULL when only one was asked for the request. AS_E_DATA: no such request.
 * AS_E_INVALID: several requests or models, and, unless `any_label`, a label that the version does not have. */
AS_MUST_CHECK as_status as_prediction_feedback(as_database *database, const char *request, const char *model,
                                               const char *label, bool any_label);

/* Deletes the rows before a timestamp, some thousand at a time, so that nobody who writes has to wait long. */
AS_MUST_CHECK as_status as_predictions_prune(as_database *database, const char *before, int64_t *removed);

/* ---- carrying rows elsewhere ------------------------------------------------------------------------------------ */
/* Appends a row as a line of CSV; NULL: the names of the columns. A text that a spreadsheet would take for a formula,
 * and one that begins with an apostrophe, gets an apostrophe in front. What is not UTF-8 becomes U+FFFD, and so does
 * NUL. */
void as_prediction_append_csv(as_buffer *out, const as_prediction_row *row);
/* Appends a row as a line of JSON; what is not UTF-8 is repaired. AS_E_NOMEM. */
AS_MUST_CHECK as_status as_prediction_append_json(as_context *ctx, as_buffer *out, const as_prediction_row *row);

#endif
