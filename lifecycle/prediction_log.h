/* Writing the table predictions: every answer of every model, for feedback, accuracy and drift.
 *
 *   predictions(timestamp, request_id, model, version, input, label, confidence, probabilities, tokens, unknown,
 *               latency_us, truncated, feedback)
 *
 * Invariant: logging never slows or fails a prediction. as_prediction_log_add puts a row into a queue of bounded size
 * and returns; a thread of the log's own writes batches, one transaction each, and it alone meets the database: one
 * that is busy it waits for, the oldest rows giving way when the queue is full; for one that cannot be written (a full
 * disk) it warns once and tries again now and then. A process that is killed leaves what was committed, and a whole
 * database. */
#ifndef AS_LIFECYCLE_PREDICTION_LOG_H
#define AS_LIFECYCLE_PREDICTION_LOG_H

#include "base/context.h"

enum { AS_REQUEST_ID = 33 }; /* 128 random bits as hexadecimal digits, and a NUL */
/* A new id: from the system's generator, so that no two processes make the same. */
void as_request_id(char out[AS_REQUEST_ID]);

/* What is kept of texts, which may be anybody's private words: of inputs, and of answers that are texts. */
typedef enum as_log_text {
  AS_LOG_TEXT_HASH, /* SHA-256 in hexadecimal: equal texts can be told, no text can be read */
  AS_LOG_TEXT_FULL,
  AS_LOG_TEXT_NONE /* NULL */
} as_log_text;

typedef struct as_prediction_log_options {
  as_log_text text;
  int64_t days;       /* rows that are older are deleted, some with each batch; 0: none is */
  size_t queue_bytes; /* that rows may take which wait; 0: 16 MiB */
  int close_wait;     /* milliseconds that as_prediction_log_close waits for a busy database; 0: 10 seconds */
} as_prediction_log_options;

/* An answer. What is borrowed is so for the call. */
typedef struct as_logged_prediction {
  const char *request_id;      /* models that are asked for one request share it */
  const char *model, *version; /* "intent", "3"; the folder of a model that is in no store */
  const char *input;           /* [input_length] any bytes; NULL: none */
  size_t input_length;
  const char *label;          /* the class, the reply, the first product; NULL: none */
  bool label_is_text;         /* it is treated as texts are */
  double confidence;          /* NaN: none */
  const char *const *names;   /* [classes] of `probabilities` */
  const float *probabilities; /* [classes], kept as a JSON object; NULL: see scores */
  size_t classes;
  const char *scores;      /* JSON that stands in their place; NULL: none */
  int64_t tokens, unknown; /* that the model read, and how many it has no token for; -1: not known */
  int64_t latency_us;      /* of this request; of a batch its share */
  bool truncated;
} as_logged_prediction;

typedef struct as_prediction_log as_prediction_log;

/* Starts a log into the database `path`, which is opened by the log's thread: one that cannot be is a warning. Fails
 * for lack of memory or of a thread only. Everything comes from `ctx`, where warnings go too. Caller closes. */
AS_MUST_CHECK as_status as_prediction_log_open(as_context *ctx, const char *path,
                                               const as_prediction_log_options *options, as_prediction_log **out);
/* Any number of threads may add. A row for which there is no memory counts as lost. */
void as_prediction_log_add(as_prediction_log *log, const as_logged_prediction *prediction);
/* Returns when what was added is in the database, or it cannot be written now, or `wait` milliseconds have passed. */
void as_prediction_log_flush(as_prediction_log *log, int wait);
typedef struct as_prediction_log_counts {
  uint64_t written, lost;
} as_prediction_log_counts;
as_prediction_log_counts as_prediction_log_count(as_prediction_log *log);
/* Writes what waits and ends the log; says how many rows are written and lost. NULL is allowed. */
as_prediction_log_counts as_prediction_log_close(as_prediction_log *log);

#endif
