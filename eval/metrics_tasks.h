/* Private: the rows of the metrics table (eval/metrics_json.h). Each reads the fields of one line and writes its
 * answer's. */
#ifndef AS_EVAL_METRICS_TASKS_H
#define AS_EVAL_METRICS_TASKS_H

#include "base/json.h"

/* A confusion matrix of more classes than this would make an answer of many megabytes out of a line of a few bytes. */
enum { AS_METRICS_MAX_CLASSES = 1024 };

as_status as_metrics_classification(as_context *ctx, const json_t *line, as_json_writer *w);
as_status as_metrics_mcnemar(as_context *ctx, const json_t *line, as_json_writer *w);
as_status as_metrics_bootstrap(as_context *ctx, const json_t *line, as_json_writer *w);
as_status as_metrics_temperature(as_context *ctx, const json_t *line, as_json_writer *w);
as_status as_metrics_psi(as_context *ctx, const json_t *line, as_json_writer *w);
as_status as_metrics_proportions(as_context *ctx, const json_t *line, as_json_writer *w);
as_status as_metrics_text(as_context *ctx, const json_t *line, as_json_writer *w);
as_status as_metrics_tokens(as_context *ctx, const json_t *line, as_json_writer *w);
as_status as_metrics_ranking(as_context *ctx, const json_t *line, as_json_writer *w);

#endif
