/* What came of every retraining: a line in STORE/retrain.jsonl, which holds the last AS_RETRAIN_LINES of them, and a
 * report for people, STORE/reports/000012-intent.md, of which the newest are kept.
 *
 * Retrainings are numbered; the number says the order, whatever the clock did. The log is replaced as a whole, so a
 * reader sees the old one or the new one. */
#ifndef AS_LIFECYCLE_RETRAIN_LOG_H
#define AS_LIFECYCLE_RETRAIN_LOG_H

#include "base/json.h"

#define AS_RETRAIN_LOG "retrain.jsonl"
#define AS_RETRAIN_REPORTS "reports"
#define AS_RETRAIN_LINES 1000

/* How a retraining of one model ended. */
typedef enum as_retrain_verdict {
  AS_RETRAIN_PROMOTED,
  AS_RETRAIN_FIRST,   /* there was no champion; this is it */
  AS_RETRAIN_WAITS,   /* the gate was passed, and nobody promoted it */
  AS_RETRAIN_SAME,    /* the data is what the champion learned from: nothing to do */
  AS_RETRAIN_REFUSED, /* by the gate */
  AS_RETRAIN_DATA,    /* the data is not fit to train on */
  AS_RETRAIN_FAILED,
  AS_RETRAIN_INTERRUPTED
} as_retrain_verdict;
const char *as_retrain_verdict_name(as_retrain_verdict verdict); /* "promoted", as in the log */

typedef struct as_retrain_entry {
  const char *model;
  as_retrain_verdict verdict;
  const char *reason;             /* "" for none */
  int64_t champion, version;      /* before; the one that was trained. 0: none */
  const char *metric;             /* that the two are told by; NULL: none was measured */
  double of_champion, of_version; /* NaN: not measured */
  const char *drift;              /* "alarm", "none", "unknown" (nothing to compare); NULL: not looked at */
  int64_t rows, usable;           /* of the data */
  double seconds;
} as_retrain_entry;

/* Members of an entry, in an open object. */
void as_retrain_entry_json(as_json_writer *writer, const as_retrain_entry *entry);
/* Writes report and line, and removes reports beyond the newest `keep`. *number (may be NULL) is the retraining's. */
AS_MUST_CHECK as_status as_retrain_log_add(as_context *ctx, const char *root, const as_retrain_entry *entry,
                                           const as_buffer *report, int64_t keep, int64_t *number);
/* The log as an array of objects, oldest first; a line that is none is left out, no log is an empty one. Caller frees
 * with json_decref. */
AS_MUST_CHECK as_status as_retrain_log_read(as_context *ctx, const char *root, json_t **out);

#endif
