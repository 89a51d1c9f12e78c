/* Has what comes in changed? The prediction log of some time, as distributions (eval/reference.h). */
#ifndef AS_LIFECYCLE_DRIFT_H
#define AS_LIFECYCLE_DRIFT_H

#include "eval/reference.h"
#include "lifecycle/predictions.h"

/* Counts the rows into `out`, which is as as_reference_like made it. */
AS_MUST_CHECK as_status as_drift_count_log(as_database *database, const as_prediction_query *query, as_reference *out);
/* Makes a reference of the rows: their labels, and edges at the deciles of their confidences and lengths. Free with
 * as_reference_free, after a failure too. */
AS_MUST_CHECK as_status as_drift_reference_of_log(as_database *database, const as_prediction_query *query,
                                                  as_reference *out);

#endif
