/* See svg.h. */
#include "eval/svg.h"

#include <string.h>

#include "base/columns.h"
#include "base/utf8.h"

/* Characters that XML 1.0 has, without the ones that would be markup. */
static bool is_character(uint32_t c) {
  return (c >= 0x20 && c != 0x7f && c != 0xfffe && c != 0xffff);
}

void as_svg_escape(as_buffer *out, const char *text) {
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
    } else if (is_character(code_point)) {
      as_buffer_append(out, utf8, (size_t)as_utf8_encode(code_point, utf8));
    } else {
      as_buffer_char(out, ' ');
    }
    text += bytes;
    left -= bytes;
  }
}

/* Colours with enough contrast on their ground; a viewer that knows no media queries shows the light ones. */
static const char style[] =
    "<style>\n"
    "svg{font-family:system-ui,sans-serif;font-variant-numeric:tabular-nums}\n"
    ".ground{fill:#fff}.ink{fill:#1f2328}.soft{fill:#59636e}\n"
    ".axis,.grid,.ideal,.line{fill:none}.axis{stroke:#818b98;stroke-width:10}.grid{stroke:#d8dee4;stroke-width:8}\n"
    ".ideal{stroke:#59636e;stroke-width:12;stroke-dasharray:50 40}.line{stroke:#0969da;stroke-width:16;"
    "stroke-linejoin:round}\n"
    ".bar{fill:#5290cf}.gap{fill:#cf5b52;fill-opacity:.45}.mark{fill:#bc4c00}.dot{fill:#0969da}.count{fill:#a8b3be}\n"
    "@media (prefers-color-scheme:dark){.ground{fill:#0d1117}.ink{fill:#f0f6fc}.soft{fill:#9198a1}"
    ".axis{stroke:#656c76}.grid{stroke:#2a3038}.ideal{stroke:#9198a1}.line{stroke:#58a6ff}.bar{fill:#3a76b5}"
    ".gap{fill:#e5746b}.mark{fill:#f0883e}.dot{fill:#58a6ff}.count{fill:#4d5661}}\n"
    "</style>\n";

void as_svg_open(as_buffer *out, int width, int height, const char *title, const char *description) {
  as_buffer_printf(out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
                   "role=\"img\" aria-labelledby=\"title description\">\n<title id=\"title\">",
                   (width + 9) / 10, (height + 9) / 10, width, height);
  as_svg_escape(out, title);
  as_buffer_text(out, "</title>\n<desc id=\"description\">");
  as_svg_escape(out, description);
  as_buffer_printf(out, "</desc>\n%s<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n", style, width, height);
}

void as_svg_close(as_buffer *out) {
  as_buffer_text(out, "</svg>\n");
}

void as_svg_text(as_buffer *out, int x, int y, int size, as_svg_anchor anchor, const char *class_name,
                 const char *text) {
  static const char *const anchors[] = {"start", "middle", "end"};
  as_buffer_printf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\" font-size=\"%d\" text-anchor=\"%s\">", class_name, x, y,
                   size, anchors[anchor]);
  as_svg_escape(out, text);
  as_buffer_text(out, "</text>\n");
}

void as_svg_text_at_most(as_buffer *out, int x, int y, int size, as_svg_anchor anchor, const char *class_name,
                         const char *text, int columns) {
  as_buffer cut;
  as_buffer_init(&cut, out->ctx);
  as_buffer_columns_at_most(&cut, text, columns);
  as_svg_text(out, x, y, size, anchor, class_name, as_buffer_string(&cut));
  if (as_buffer_status(&cut) != AS_OK) out->failed = true;
  as_buffer_free(&cut);
}

void as_svg_line(as_buffer *out, int x1, int y1, int x2, int y2, const char *class_name) {
  as_buffer_printf(out, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", class_name, x1, y1, x2, y2);
}

void as_svg_box(as_buffer *out, int x, int y, int width, int height, const char *class_name) {
  if (width <= 0 || height <= 0) return;
  as_buffer_printf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", class_name, x, y, width,
                   height);
}
