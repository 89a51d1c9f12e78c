/* The history of figures as a picture: a chart for each metric of each model, with the time along the bottom, the
 * versions where they were measured first, a line for each of them, and the last value in the title. */
#ifndef AS_LIFECYCLE_METRIC_PLOT_H
#define AS_LIFECYCLE_METRIC_PLOT_H

#include "lifecycle/metric_history.h"

typedef struct as_metric_plot as_metric_plot;

AS_MUST_CHECK as_status as_metric_plot_new(as_context *ctx, as_metric_plot **out);
void as_metric_plot_free(as_metric_plot *plot); /* NULL is allowed */

/* Adds a figure; rows come as as_metrics_read gives them, by model, metric and time. One that is not finite, or beyond
 * 1e300, is passed over. AS_E_DATA when its timestamp is none. */
AS_MUST_CHECK as_status as_metric_plot_add(as_metric_plot *plot, const as_metric_row *row);

/* Appends the SVG document; without a figure it says so. */
AS_MUST_CHECK as_status as_metric_plot_svg(const as_metric_plot *plot, as_buffer *out);

#endif
