/* Quoting after RFC 4180. Invariant: what the reader makes of the written row is what was given. */
#include "data/csv_write.h"

#include <string.h>

#include "base/json.h"

static bool is_space(char c) {
  return c == ' ' || c == '\t';
}

static bool needs_quotes(const as_csv_field *field, bool alone, char delimiter) {
  if (field->length == 0) return alone;
  if (is_space(field->text[0]) || is_space(field->text[field->length - 1])) return true;
  for (size_t i = 0; i < field->length; i++) {
    char c = field->text[i];
    if (c == delimiter || c == '"' || c == '\r' || c == '\n') return true;
  }
  return false;
}

static void append_quoted(as_buffer *out, const as_csv_field *field) {
  const char *at = field->text, *end = at + field->length;
  as_buffer_char(out, '"');
  while (at < end) {
    const char *quote = memchr(at, '"', (size_t)(end - at));
    const char *stop = quote ? quote + 1 : end;
    as_buffer_append(out, at, (size_t)(stop - at));
    if (quote) as_buffer_char(out, '"');
    at = stop;
  }
  as_buffer_char(out, '"');
}

void as_csv_append_row(as_buffer *out, const as_csv_field *fields, size_t count, char delimiter) {
  for (size_t i = 0; i < count; i++) {
    if (i > 0) as_buffer_char(out, delimiter);
    if (needs_quotes(&fields[i], count == 1, delimiter))
      append_quoted(out, &fields[i]);
    else
      as_buffer_append(out, fields[i].text, fields[i].length);
  }
  as_buffer_char(out, '\n');
}

as_csv_field as_csv_text(const char *text) {
  return (as_csv_field){text, strlen(text)};
}

as_csv_field as_csv_number(as_buffer *room, double value) {
  as_buffer_clear(room);
  as_json_writer writer = as_json_writer_start(room, 0);
  as_json_double(&writer, NULL, value);
  return (as_csv_field){as_buffer_string(room), room->length};
}
