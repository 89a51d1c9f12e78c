/* See report.h. */
#include "base/report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/columns.h"

enum { PAGE_WIDTH = 80, LONGEST = 1024 };

as_report as_report_start(as_buffer *out, bool markdown) {
  return (as_report){.out = out, .markdown = markdown};
}

void as_markdown_text(as_buffer *out, const char *text) {
  for (; *text; text++) {
    if (strchr("\\`*_[]<>|#&", *text)) as_buffer_char(out, '\\');
    as_buffer_char(out, (unsigned char)*text < ' ' ? ' ' : *text);
  }
}

void as_shell_word(as_buffer *out, const char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=,:@%+-";
  if (*word && word[strspn(word, plain)] == 0) {
    as_buffer_text(out, word);
    return;
  }
  as_buffer_char(out, '\'');
  for (; *word; word++)
    if (*word == '\'')
      as_buffer_text(out, "'\\''");
    else
      as_buffer_char(out, *word);
  as_buffer_char(out, '\'');
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

static void end_table(as_report *r) {
  r->columns = NULL;
  if (r->out->length > 0) as_buffer_char(r->out, '\n');
}

void as_report_title(as_report *r, const char *text) {
  if (r->markdown) as_buffer_text(r->out, "# ");
  if (r->markdown)
    as_markdown_text(r->out, text);
  else
    as_buffer_columns_at_most(r->out, text, PAGE_WIDTH);
  as_buffer_char(r->out, '\n');
}

void as_report_section(as_report *r, const char *text) {
  end_table(r);
  as_buffer_printf(r->out, r->markdown ? "## %s\n" : "%s\n", text);
}

/* Words up to the line's end, the lines after the first indented; blanks between words are one. `used` columns of the
 * first line are taken. */
static void append_wrapped(as_buffer *out, char *text, int used, int indent) {
  char *rest;
  bool fresh = true; /* nothing stands before on this line */
  for (char *word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
    const int columns = as_text_columns(word);
    if (!fresh && used + 1 + columns > PAGE_WIDTH) {
      as_buffer_printf(out, "\n%*s", indent, "");
      used = indent;
      fresh = true;
    }
    if (!fresh) as_buffer_char(out, ' ');
    as_buffer_columns_at_most(out, word, PAGE_WIDTH - indent);
    used += !fresh + columns;
    fresh = false;
  }
  as_buffer_char(out, '\n');
}

void as_report_paragraph(as_report *r, const char *format, ...) {
  char text[LONGEST];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  end_table(r);
  if (!r->markdown) {
    append_wrapped(r->out, text, 0, 0);
    return;
  }
  as_markdown_text(r->out, text);
  as_buffer_char(r->out, '\n');
}

void as_report_item(as_report *r, const char *word, const char *format, ...) {
  enum { WORD = 10 };
  char text[LONGEST];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  r->columns = NULL;
  if (r->markdown) {
    as_buffer_printf(r->out, "- %s: ", word);
    as_markdown_text(r->out, text);
    as_buffer_char(r->out, '\n');
    return;
  }
  as_buffer_text(r->out, "  ");
  as_buffer_columns(r->out, word, WORD - 2);
  append_wrapped(r->out, text, WORD, WORD);
}

void as_report_code(as_report *r, const char *text) {
  const char *indent = r->markdown ? "    " : "  ";
  end_table(r);
  as_buffer_text(r->out, indent);
  for (; *text; text++) {
    as_buffer_char(r->out, *text);
    if (*text == '\n') as_buffer_text(r->out, indent); /* a line that began at the margin would end the code */
  }
  as_buffer_char(r->out, '\n');
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static void put_cell(as_report *r, const char *text) {
  if (!r->columns) return;
  const int width = r->columns[r->next].width;
  if (r->markdown) {
    as_buffer_text(r->out, r->next == 0 ? "| " : " ");
    as_markdown_text(r->out, text);
    as_buffer_text(r->out, " |");
  } else if (width < 0) {
    const int blanks = -width - as_text_columns(text);
    as_buffer_printf(r->out, "%*s%s", blanks > 1 ? blanks : 1, "", text);
  } else {
    as_buffer_text(r->out, r->next == 0 ? "  " : " ");
    if (r->next + 1 < r->count)
      as_buffer_columns(r->out, text, width);
    else
      as_buffer_columns_at_most(r->out, text, width);
  }
  if (++r->next < r->count) return;
  while (!r->out->failed && !r->markdown && r->out->data[r->out->length - 1] == ' ') r->out->data[--r->out->length] = 0;
  as_buffer_char(r->out, '\n');
  r->next = 0;
}

void as_report_table(as_report *r, const as_report_column *columns, size_t count) {
  end_table(r);
  r->columns = columns;
  r->count = count;
  r->next = 0;
  for (size_t i = 0; i < count; i++) put_cell(r, columns[i].head);
  for (size_t i = 0; r->markdown && i < count; i++) as_buffer_text(r->out, columns[i].width < 0 ? "|--:" : "|---");
  if (r->markdown) as_buffer_text(r->out, "|\n");
}

void as_report_cell(as_report *r, const char *format, ...) {
  char text[LONGEST];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  put_cell(r, text);
}

void as_report_number(as_report *r, double value, int decimals, bool sign) {
  if (isnan(value))
    put_cell(r, "-");
  else
    as_report_cell(r, sign ? "%+.*f" : "%.*f", decimals, value);
}

void as_report_interval(as_report *r, double low, double high, int decimals, bool sign) {
  if (isnan(low) || isnan(high))
    put_cell(r, "");
  else
    as_report_cell(r, sign ? "%+.*f to %+.*f" : "%.*f to %.*f", decimals, low, decimals, high);
}
