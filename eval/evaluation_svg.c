/* The reliability diagram: for each bin of confidence a bar as high as its accuracy, the gap to its mean confidence,
 * the diagonal on which a calibrated classifier's bars end, and below how many rows the bin has. Where a temperature
 * was applied, the same rows without it stand beside. */
#include "eval/evaluation.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "eval/svg.h"

enum {
  LEFT = 650,
  SIDE = 3300, /* of a plot */
  RIGHT = 250,
  TOP = 1150,
  PANEL = LEFT + SIDE + RIGHT,
  COUNTS = 600, /* the rows of the bins below */
  COUNTS_TOP = TOP + SIDE + 650,
  LEGEND = COUNTS_TOP + COUNTS + 320,
  HEIGHT = LEGEND + 250,
  BIN = SIDE / AS_RELIABILITY_BINS,
  TEXT = 120
};

static int scaled(double share) {
  return (int)lround(SIDE * share);
}
static int y_of(double accuracy) {
  return TOP + SIDE - scaled(accuracy);
}

static void put_axes(as_buffer *out, int left) {
  static const char *const labels[] = {"0", "0.2", "0.4", "0.6", "0.8", "1"};
  for (int tick = 0; tick <= 5; tick++) {
    const int x = left + scaled(tick / 5.0), y = y_of(tick / 5.0);
    as_svg_line(out, left, y, left + SIDE, y, "grid");
    as_svg_text(out, x, TOP + SIDE + 190, TEXT, AS_SVG_MIDDLE, "soft", labels[tick]);
    as_svg_text(out, left - 70, y + 40, TEXT, AS_SVG_END, "soft", labels[tick]);
  }
  as_svg_text(out, left + SIDE / 2, TOP + SIDE + 400, TEXT, AS_SVG_MIDDLE, "ink", "confidence");
  as_buffer_printf(out,
                   "<text class=\"ink\" font-size=\"%d\" transform=\"translate(%d %d) rotate(-90)\" "
                   "text-anchor=\"middle\">accuracy</text>\n",
                   TEXT, left - 430, TOP + SIDE / 2);
}

static void put_bin(as_buffer *out, const as_reliability *r, int bin, int left, int64_t most) {
  if (r->count[bin] == 0) return;
  const int x = left + bin * BIN + 10, bar = y_of(r->accuracy[bin]), mean = y_of(r->confidence[bin]);
  as_buffer_printf(out, "<g><title>%" PRId64 " rows, accuracy %.4f, mean confidence %.4f</title>\n", r->count[bin],
                   r->accuracy[bin], r->confidence[bin]);
  as_svg_box(out, x, bar, BIN - 20, TOP + SIDE - bar, "bar");
  as_svg_box(out, x, bar < mean ? bar : mean, BIN - 20, bar < mean ? mean - bar : bar - mean, "gap");
  as_svg_box(out, x, mean - 8, BIN - 20, 16, "mark");
  int height = (int)lround(COUNTS * ((double)r->count[bin] / (double)most));
  if (height < 8) height = 8; /* one row of many thousand is one, too */
  as_svg_box(out, x, COUNTS_TOP + COUNTS - height, BIN - 20, height, "count");
  as_buffer_text(out, "</g>\n");
}

static void put_panel(as_buffer *out, const as_reliability *r, const char *name, int left) {
  char text[96];
  int64_t most = 1;
  for (int bin = 0; bin < AS_RELIABILITY_BINS; bin++) most = r->count[bin] > most ? r->count[bin] : most;
  as_svg_text(out, left, TOP - 370, 140, AS_SVG_START, "ink", name);
  snprintf(text, sizeof text, "calibration error (ECE) %.4f, largest gap %.4f", r->ece, r->mce);
  as_svg_text(out, left, TOP - 160, TEXT, AS_SVG_START, "soft", text);
  put_axes(out, left);
  for (int bin = 0; bin < AS_RELIABILITY_BINS; bin++) put_bin(out, r, bin, left, most);
  as_svg_line(out, left, y_of(0), left + SIDE, y_of(1), "ideal");
  as_buffer_printf(out, "<rect class=\"axis\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", left, TOP, SIDE, SIDE);
  as_svg_line(out, left, COUNTS_TOP + COUNTS, left + SIDE, COUNTS_TOP + COUNTS, "axis");
  snprintf(text, sizeof text, "%" PRId64, most);
  as_svg_text(out, left - 70, COUNTS_TOP + 90, TEXT, AS_SVG_END, "soft", text);
  as_svg_text(out, left - 70, COUNTS_TOP + COUNTS, TEXT, AS_SVG_END, "soft", "rows");
}

static void put_legend(as_buffer *out) {
  as_svg_box(out, LEFT, LEGEND - 95, 110, 110, "bar");
  as_svg_text(out, LEFT + 160, LEGEND, TEXT, AS_SVG_START, "soft", "accuracy");
  as_svg_box(out, LEFT + 930, LEGEND - 48, 150, 16, "mark");
  as_svg_text(out, LEFT + 1130, LEGEND, TEXT, AS_SVG_START, "soft", "mean confidence");
  as_svg_box(out, LEFT + 2300, LEGEND - 95, 110, 110, "gap");
  as_svg_text(out, LEFT + 2460, LEGEND, TEXT, AS_SVG_START, "soft", "the gap");
}

as_status as_evaluation_svg(const as_evaluation *e, const char *title, as_buffer *out) {
  const as_classifier_calibration *c = e->calibration;
  const bool both = c && !isnan(c->temperature);
  char text[400], name[64];
  snprintf(name, sizeof name, both ? "with temperature %.4g" : "probabilities as the model has them",
           both ? c->temperature : 1);
  const int used = snprintf(text, sizeof text,
                            "Accuracy of %" PRId64
                            " rows over the confidence of their answers, in %d bins. The expected calibration "
                            "error is %.4f, the largest gap %.4f",
                            e->scores.rows, AS_RELIABILITY_BINS, e->scores.reliability.ece, e->scores.reliability.mce);
  if (both)
    snprintf(text + used, sizeof text - (size_t)used, "; before calibration they were %.4f and %.4f.",
             c->before.reliability.ece, c->before.reliability.mce);
  else
    snprintf(text + used, sizeof text - (size_t)used, ".");
  as_svg_open(out, both ? 2 * PANEL : PANEL, HEIGHT, title, text);
  as_svg_text_at_most(out, LEFT, 350, 170, AS_SVG_START, "ink", title, both ? 80 : 38);
  if (both) put_panel(out, &c->before.reliability, "before calibration", LEFT);
  put_panel(out, &e->scores.reliability, name, both ? PANEL + LEFT : LEFT);
  put_legend(out);
  as_svg_close(out);
  return as_buffer_status(out);
}
