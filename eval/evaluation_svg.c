/* The reliability diagram: a bar per bin of confidence as high as its accuracy, a mark at its mean confidence, and the
 * diagonal on which a calibrated classifier's bars would end. */
#include "eval/evaluation.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/utf8.h"

/* In the units of the viewBox, tenths of a pixel: whole numbers, which no locale writes with a comma. */
enum { PLOT_LEFT = 600, PLOT_TOP = 500, PLOT_SIDE = 4500, PICTURE_WIDTH = 5400, PICTURE_HEIGHT = 5800 };
enum { BIN_WIDTH = PLOT_SIDE / AS_RELIABILITY_BINS };

/* Text of an XML element: no markup, and no control characters, which XML 1.0 cannot hold. */
static void append_escaped(as_buffer *out, const char *text) {
  uint32_t code_point;
  for (size_t left = strlen(text); left > 0;) {
    const int decoded = as_utf8_decode(text, left, &code_point);
    const size_t bytes = (size_t)(decoded < 0 ? -decoded : decoded);
    char utf8[4];
    if (code_point == '&') {
      as_buffer_text(out, "&amp;");
    } else if (code_point == '<') {
      as_buffer_text(out, "&lt;");
    } else if (code_point == '>') {
      as_buffer_text(out, "&gt;");
    } else if (code_point >= 0x20 && code_point != 0xfffe && code_point != 0xffff) {
      as_buffer_append(out, utf8, (size_t)as_utf8_encode(code_point, utf8));
    } else {
      as_buffer_char(out, ' ');
    }
    text += bytes;
    left -= bytes;
  }
}

static int scaled(double share) {
  return (int)lround(PLOT_SIDE * share);
}
static int x_of(double confidence) {
  return PLOT_LEFT + scaled(confidence);
}
static int y_of(double accuracy) {
  return PLOT_TOP + PLOT_SIDE - scaled(accuracy);
}

static void append_axes(as_buffer *out) {
  as_buffer_printf(
      out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#888\" stroke-width=\"10\"/>\n",
      PLOT_LEFT, PLOT_TOP, PLOT_SIDE, PLOT_SIDE);
  static const char *const labels[] = {"0", "0.2", "0.4", "0.6", "0.8", "1"};
  for (int tick = 0; tick <= 5; tick++) {
    as_buffer_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x_of(tick / 5.0), y_of(0) + 180,
                     labels[tick]);
    as_buffer_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", x_of(0) - 80,
                     y_of(tick / 5.0) + 40, labels[tick]);
  }
  as_buffer_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">confidence</text>\n", x_of(0.5), y_of(0) + 400);
  as_buffer_printf(out, "<text transform=\"translate(180 %d) rotate(-90)\" text-anchor=\"middle\">accuracy</text>\n",
                   y_of(0.5));
}

static void append_bar(as_buffer *out, const as_reliability *r, int bin) {
  if (r->count[bin] == 0) return;
  as_buffer_printf(
      out,
      "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#4878a8\" stroke=\"#fff\" stroke-width=\"10\">"
      "<title>%" PRId64 " rows, accuracy %.4f, mean confidence %.4f</title></rect>\n",
      PLOT_LEFT + bin * BIN_WIDTH, y_of(r->accuracy[bin]), BIN_WIDTH, scaled(r->accuracy[bin]), r->count[bin],
      r->accuracy[bin], r->confidence[bin]);
  as_buffer_printf(out, "<circle cx=\"%d\" cy=\"%d\" r=\"30\" fill=\"#c04020\"/>\n", x_of(r->confidence[bin]),
                   y_of(r->accuracy[bin]));
}

as_status as_reliability_svg(const as_reliability *reliability, const char *title, as_buffer *out) {
  as_buffer_printf(out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
                   "font-family=\"sans-serif\" font-size=\"120\" stroke-width=\"0\">\n"
                   "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                   PICTURE_WIDTH / 10, PICTURE_HEIGHT / 10, PICTURE_WIDTH, PICTURE_HEIGHT);
  as_buffer_printf(out, "<text x=\"%d\" y=\"200\" font-size=\"150\">", PLOT_LEFT);
  append_escaped(out, title);
  as_buffer_printf(out, "</text>\n<text x=\"%d\" y=\"380\">ECE %.4f, largest gap %.4f</text>\n", PLOT_LEFT,
                   reliability->ece, reliability->mce);
  for (int bin = 0; bin < AS_RELIABILITY_BINS; bin++) append_bar(out, reliability, bin);
  as_buffer_printf(out,
                   "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#333\" stroke-width=\"10\" "
                   "stroke-dasharray=\"50 40\"/>\n",
                   x_of(0), y_of(0), x_of(1), y_of(1));
  append_axes(out);
  as_buffer_text(out, "</svg>\n");
  return as_buffer_status(out);
}
