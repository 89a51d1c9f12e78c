/* See metric_plot.h. Charts lie in two columns, one alone is larger. */
#include "lifecycle/metric_plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/columns.h"
#include "base/memory.h"
#include "data/text_index.h"
#include "data/timestamp.h"
#include "eval/svg.h"

enum {
  MARGIN = 200,
  HEAD = 700, /* of the picture */
  LEFT = 750, /* of a chart: what stands around its plot */
  RIGHT = 250,
  ABOVE = 500,
  BELOW = 550,
  TEXT = 115,
  MOST_VERSION = 12, /* columns of a version */
  MOST_CHARTS = 2000,
  DOTS = 150 /* points that are drawn as dots, too */
};

#define LARGEST 1e300 /* of a value: so that the difference of two is a number */

typedef struct point {
  uint32_t time;
  uint64_t version; /* of plot->versions */
  double value;
} point;

typedef struct chart {
  size_t first, count; /* of plot->points */
} chart;

/* A version within a chart: its first point, and the last one (while lines are drawn, the one before). */
typedef struct trace {
  size_t first, last;
} trace;

struct as_metric_plot {
  as_context *ctx;
  as_text_block titles; /* of the charts: "intent accuracy" */
  as_text_block versions;
  as_text_index version_index;
  point *points;
  size_t point_count, point_room;
  chart *charts;
  size_t chart_count, chart_room;
};

as_status as_metric_plot_new(as_context *ctx, as_metric_plot **out) {
  *out = as_alloc_zero(ctx, 1, sizeof **out);
  if (!*out) return AS_E_NOMEM;
  (*out)->ctx = ctx;
  return AS_OK;
}

void as_metric_plot_free(as_metric_plot *p) {
  if (!p) return;
  as_text_block_free(p->ctx, &p->titles);
  as_text_block_free(p->ctx, &p->versions);
  as_text_index_free(p->ctx, &p->version_index);
  as_free(p->ctx, p->points);
  as_free(p->ctx, p->charts);
  as_free(p->ctx, p);
}

/* ---- adding ----------------------------------------------------------------------------------------------------- */

/* Makes sure that the last chart is the row's. */
static as_status find_chart(as_metric_plot *p, const as_metric_row *row) {
  as_buffer title;
  as_buffer_init(&title, p->ctx);
  as_buffer_printf(&title, "%s %s", row->model, row->metric);
  as_status status = as_buffer_status(&title);
  if (status == AS_OK && (!p->chart_count || strcmp(as_text_block_get(&p->titles, p->chart_count - 1, NULL),
                                                    as_buffer_string(&title)) != 0)) {
    chart *charts = as_grow(p->ctx, p->charts, &p->chart_room, p->chart_count + 1, sizeof *charts);
    if (charts) p->charts = charts;
    if (charts && as_text_block_add(p->ctx, &p->titles, title.data, title.length))
      charts[p->chart_count++] = (chart){.first = p->point_count};
    else
      status = AS_E_NOMEM;
  }
  as_buffer_free(&title);
  return status;
}

static as_status find_version(as_metric_plot *p, const char *version, uint64_t *out) {
  const size_t length = strlen(version);
  if (!as_text_index_put(p->ctx, &p->version_index, &p->versions, version, length, p->versions.count, out))
    return AS_E_NOMEM;
  if (*out != UINT64_MAX) return AS_OK;
  *out = p->versions.count;
  return as_text_block_add(p->ctx, &p->versions, version, length) ? AS_OK : AS_E_NOMEM;
}

as_status as_metric_plot_add(as_metric_plot *p, const as_metric_row *row) {
  point added = {.value = row->value};
  if (!(fabs(row->value) <= LARGEST)) return AS_OK;
  if (!as_timestamp_read(row->timestamp, strlen(row->timestamp), &added.time))
    return as_fail(p->ctx, AS_E_DATA, "model_metrics: \"%.40s\" of %.60s %.60s is no timestamp", row->timestamp,
                   row->model, row->metric);
  as_status status = find_chart(p, row);
  if (status == AS_OK) status = find_version(p, row->version, &added.version);
  if (status != AS_OK) return status;
  point *points = as_grow(p->ctx, p->points, &p->point_room, p->point_count + 1, sizeof *points);
  if (!points) return AS_E_NOMEM;
  p->points = points;
  points[p->point_count++] = added;
  p->charts[p->chart_count - 1].count++;
  return AS_OK;
}

/* ---- a chart ---------------------------------------------------------------------------------------------------- */

/* Where a chart's plot lies, and what its edges stand for. */
typedef struct frame {
  int left, top, width, height;
  double from, to;    /* seconds */
  double least, most; /* values */
} frame;

static int x_of(const frame *f, double time) {
  return f->left + (int)lround(f->to > f->from ? f->width * (time - f->from) / (f->to - f->from) : f->width / 2.0);
}
static int y_of(const frame *f, double value) {
  return f->top + f->height - (int)lround(f->height * (value - f->least) / (f->most - f->least));
}

/* The smallest of 1, 2, 5 times a power of ten that cuts `span` into at most `most` parts. */
static double nice_step(double span, int most) {
  static const double factors[] = {1, 2, 5, 10};
  const double power = pow(10, floor(log10(span / most)));
  for (int i = 0; i < 4; i++)
    if (power * factors[i] * most >= span) return power * factors[i];
  return power * 10;
}

static void fit_values(const as_metric_plot *p, const chart *c, frame *f) {
  f->least = INFINITY;
  f->most = -INFINITY;
  for (size_t i = c->first; i < c->first + c->count; i++) {
    f->least = fmin(f->least, p->points[i].value);
    f->most = fmax(f->most, p->points[i].value);
  }
  const double size = fmax(fabs(f->least), fabs(f->most));
  double margin = 0.12 * (f->most - f->least);
  if (!(margin > size * 1e-9)) margin = size > 0 ? 0.05 * size : 1;
  f->least -= margin;
  f->most += margin;
}

static void put_values(as_buffer *out, const frame *f) {
  const double step = nice_step(f->most - f->least, 5);
  const double first = ceil(f->least / step);
  if (!isfinite(step) || !(step > 0)) return;
  for (int i = 0; i <= 5 && (first + i) * step <= f->most; i++) {
    char text[32];
    const double value = (first + i) * step;
    const int y = y_of(f, value);
    snprintf(text, sizeof text, "%.6g", fabs(value) < step / 2 ? 0 : value);
    as_svg_line(out, f->left, y, f->left + f->width, y, "grid");
    as_svg_text(out, f->left - 70, y + 40, TEXT, AS_SVG_END, "soft", text);
  }
}

/* The time between two ticks, in seconds, so that at most `most` fit. */
static double time_step(double span, int most) {
  static const int64_t steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200};
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
    if ((double)steps[i] * most >= span) return (double)steps[i];
  const double days = span / AS_DAY_SECONDS;
  return AS_DAY_SECONDS * (days <= 2 * most ? 2 : days <= 7 * most ? 7 : 7 * ceil(days / 7 / most));
}

/* Days are written as dates, shorter steps as times of the day with the date where it changes. */
static void write_time(double time, double step, bool with_date, char *text, size_t size) {
  char whole[AS_TIMESTAMP_TEXT];
  as_timestamp_write((uint32_t)time, whole);
  if (step >= AS_DAY_SECONDS)
    snprintf(text, size, "%.10s", whole);
  else
    snprintf(text, size, "%.*s%.*s", with_date ? 6 : 0, whole + 5, step >= 60 ? 5 : 8, whole + 11);
}

static void put_times(as_buffer *out, const frame *f) {
  char text[AS_TIMESTAMP_TEXT];
  const int y = f->top + f->height;
  if (!(f->to > f->from)) {
    as_timestamp_write((uint32_t)f->from, text);
    as_svg_text(out, f->left + f->width / 2, y + 200, TEXT, AS_SVG_MIDDLE, "soft", text);
    return;
  }
  const double step = time_step(f->to - f->from, f->width / 900);
  double day = -1;
  for (double time = fmax(0, ceil(f->from / step)) * step; time <= fmin(f->to, UINT32_MAX); time += step) {
    const int x = x_of(f, time);
    write_time(time, step, day < floor(time / AS_DAY_SECONDS), text, sizeof text);
    day = floor(time / AS_DAY_SECONDS);
    as_svg_line(out, x, y, x, y + 50, "axis");
    as_svg_text(out, x, y + 200, TEXT, AS_SVG_MIDDLE, "soft", text);
  }
}

/* A version's number as "v3", or the last part of a folder's name. */
static void write_version(const char *version, char *text, size_t size) {
  const char *slash = strrchr(version, '/');
  const bool is_number = version[strspn(version, "0123456789")] == 0;
  snprintf(text, size, "%s%s", is_number ? "v" : "", slash && slash[1] ? slash + 1 : version);
}

/* Each version where it was measured first; those for which there is no room have their mark only. */
static void put_versions(const as_metric_plot *p, const chart *c, const frame *f, const trace *traces, as_buffer *out) {
  const int bottom = f->top + f->height;
  int free_from = f->left - 600;
  for (size_t i = c->first; i < c->first + c->count; i++) {
    const point *at = &p->points[i];
    if (traces[at->version].first != i) continue;
    char text[80];
    write_version(as_text_block_get(&p->versions, at->version, NULL), text, sizeof text);
    int columns = as_text_columns(text);
    if (columns > MOST_VERSION) columns = MOST_VERSION;
    const int x = x_of(f, at->time), half = 35 * columns;
    as_svg_box(out, x - 8, bottom - 90, 16, 90, "mark");
    if (x - half < free_from) continue;
    as_svg_text_at_most(out, x, f->top - 60, 100, AS_SVG_MIDDLE, "soft", text, MOST_VERSION);
    as_svg_line(out, x, f->top, x, bottom - 90, "grid");
    free_from = x + half + 80;
  }
}

/* The measurements of one version are joined: two versions that were measured together are two lines. */
static void put_lines(const as_metric_plot *p, const chart *c, const frame *f, trace *traces, as_buffer *out) {
  as_buffer_text(out, "<path class=\"line\" d=\"");
  for (size_t i = c->first; i < c->first + c->count; i++) {
    const point *at = &p->points[i];
    trace *t = &traces[at->version];
    const point *before = i > t->first ? &p->points[t->last] : NULL;
    if (before && t->last + 1 != i) as_buffer_printf(out, "M%d %d", x_of(f, before->time), y_of(f, before->value));
    as_buffer_printf(out, "%c%d %d", before ? 'L' : 'M', x_of(f, at->time), y_of(f, at->value));
    t->last = i;
  }
  as_buffer_text(out, "\"/>\n");
}

/* Every point while they are few; of many those that no line joins. */
static void put_dots(const as_metric_plot *p, const chart *c, const frame *f, const trace *traces, as_buffer *out) {
  for (size_t i = c->first; i < c->first + c->count; i++) {
    const point *at = &p->points[i];
    const trace *t = &traces[at->version];
    if (c->count > DOTS && t->first != t->last) continue;
    char time[AS_TIMESTAMP_TEXT];
    as_timestamp_write(at->time, time);
    as_buffer_printf(out, "<circle class=\"dot\" cx=\"%d\" cy=\"%d\" r=\"%d\"><title>%s, version ", x_of(f, at->time),
                     y_of(f, at->value), c->count <= 60 ? 30 : 20, time);
    as_svg_escape(out, as_text_block_get(&p->versions, at->version, NULL));
    as_buffer_printf(out, ": %.6g</title></circle>\n", at->value);
  }
}

/* Where each version of the chart begins. */
static void find_traces(const as_metric_plot *p, const chart *c, trace *traces) {
  for (size_t i = c->first + c->count; i-- > c->first;) traces[p->points[i].version].first = i;
  for (size_t i = c->first; i < c->first + c->count; i++) traces[p->points[i].version].last = i;
}

static void put_chart(const as_metric_plot *p, const chart *c, const frame *place, trace *traces, as_buffer *out) {
  char last[48];
  frame f = {.left = place->left + LEFT,
             .top = place->top + ABOVE,
             .width = place->width - LEFT - RIGHT,
             .height = place->height - ABOVE - BELOW,
             .from = p->points[c->first].time,
             .to = p->points[c->first].time};
  for (size_t i = c->first; i < c->first + c->count; i++) { /* a clock may have gone backwards */
    f.from = fmin(f.from, p->points[i].time);
    f.to = fmax(f.to, p->points[i].time);
  }
  const double edge = 0.03 * (f.to - f.from);
  f.from -= edge;
  f.to += edge;
  fit_values(p, c, &f);
  find_traces(p, c, traces);
  as_svg_text_at_most(out, f.left, place->top + 220, 130, AS_SVG_START, "ink",
                      as_text_block_get(&p->titles, (size_t)(c - p->charts), NULL), f.width / 90);
  snprintf(last, sizeof last, "%.6g", p->points[c->first + c->count - 1].value);
  as_svg_text(out, f.left + f.width, place->top + 220, 130, AS_SVG_END, "ink", last);
  put_values(out, &f);
  put_versions(p, c, &f, traces, out);
  as_buffer_printf(out, "<rect class=\"axis\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", f.left, f.top, f.width,
                   f.height);
  put_lines(p, c, &f, traces, out);
  put_dots(p, c, &f, traces, out);
  put_times(out, &f);
}

/* ---- the picture ------------------------------------------------------------------------------------------------ */

as_status as_metric_plot_svg(const as_metric_plot *p, as_buffer *out) {
  const char *title = p->chart_count ? "How the figures of the models went" : "There are no such figures";
  const int columns = p->chart_count > 1 ? 2 : 1;
  frame place = {.width = columns == 2 ? 4900 : 9000, .height = columns == 2 ? 2300 : 4200};
  char description[200];
  if (p->chart_count > MOST_CHARTS)
    return as_fail(p->ctx, AS_E_LIMIT, "%zu charts are more than the %d that a picture holds; name a model or a metric",
                   p->chart_count, MOST_CHARTS);
  trace *traces = as_alloc_zero(p->ctx, p->versions.count, sizeof *traces);
  if (!traces) return AS_E_NOMEM;
  const int rows = ((int)p->chart_count + columns - 1) / columns;
  snprintf(
      description, sizeof description,
      "Figures over time (UTC): %zu charts, one for each metric of each model, with %zu measurements in all. A mark "
      "at the bottom is where a version was measured first.",
      p->chart_count, p->point_count);
  as_svg_open(out, columns * place.width + 2 * MARGIN, HEAD + rows * place.height + MARGIN, title, description);
  as_svg_text(out, MARGIN + LEFT, 450, 170, AS_SVG_START, "ink", title);
  for (int i = 0; i < (int)p->chart_count; i++) {
    place.left = MARGIN + i % columns * place.width;
    place.top = HEAD + i / columns * place.height;
    put_chart(p, &p->charts[i], &place, traces, out);
  }
  as_svg_close(out);
  as_free(p->ctx, traces);
  return as_buffer_status(out);
}
