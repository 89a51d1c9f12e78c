/* The table model_metrics: every figure of every evaluation.
 *
 *   model_metrics(model_name, model_version, metric_name, metric_value, timestamp)
 *
 * model_version is a version's number, or the folder of a model that is in no store; timestamp is UTC, "2026-01-31
 * 12:30:00", the same for all figures of one evaluation. A figure that is no number has no row. */
#ifndef AS_LIFECYCLE_METRIC_HISTORY_H
#define AS_LIFECYCLE_METRIC_HISTORY_H

#include "base/json.h"
#include "lifecycle/database.h"

/* Adds every number of an evaluation's JSON object (`evaluate --json`) in one transaction: "accuracy", "f1.macro", of
 * an interval "ci95.accuracy.low" and ".high", of a list with an element for each of "labels" "f1.per_class.LABEL".
 * Other lists (the confusion matrix) are left out. *added is how many. */
AS_MUST_CHECK as_status as_metrics_add(as_database *database, const char *model, const char *version,
                                       const json_t *evaluation, int64_t *added);

typedef struct as_metric_row {
  const char *model, *version, *metric, *timestamp; /* borrowed for the call */
  double value;
} as_metric_row;

/* Which rows; NULL: any. A metric ends with '%' for all that begin so. `since` is a timestamp. */
typedef struct as_metric_query {
  const char *model, *metric, *since;
} as_metric_query;
/* Calls `take` with each row, by model, metric and time; what `take` answers ends the reading when it is not AS_OK. */
AS_MUST_CHECK as_status as_metrics_read(as_database *database, const as_metric_query *query,
                                        as_status (*take)(void *user, const as_metric_row *row), void *user);

#endif
