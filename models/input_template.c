/* See input_template.h. */
#include "models/input_template.h"

#include <string.h>

#include "base/utf8.h"

#define MOST_BYTES 1000

typedef enum place { CONTENT, INTENT, SENTIMENT, PLACES, LITERAL } place;
static const char *const names[PLACES] = {"{content}", "{intent}", "{sentiment}"};

/* Which place begins at `at`; LITERAL if none does. */
static place place_at(const char *at) {
  for (int p = 0; p < PLACES; p++)
    if (strncmp(at, names[p], strlen(names[p])) == 0) return (place)p;
  return LITERAL;
}

as_status as_input_template_check(as_context *ctx, const char *template, as_status kind, const char *where) {
  int seen[PLACES] = {0};
  size_t length = strlen(template);
  if (length > MOST_BYTES)
    return as_fail(ctx, kind, "%s: the template has %zu bytes; at most %d are taken", where, length, MOST_BYTES);
  if (!as_utf8_valid(template, length)) return as_fail(ctx, kind, "%s: the template is not UTF-8", where);
  for (const char *at = template; *at;) {
    place p = place_at(at);
    if ((unsigned char)*at < 0x20 || *at == 0x7f)
      return as_fail(ctx, kind, "%s: the template has a control character at byte %zu", where, (size_t)(at - template));
    if (p == LITERAL && (*at == '{' || *at == '}'))
      return as_fail(ctx, kind,
                     "%s: the template has a brace at byte %zu that is not of {content}, {intent} or {sentiment}",
                     where, (size_t)(at - template));
    if (p != LITERAL && seen[p]++) return as_fail(ctx, kind, "%s: the template has %s twice", where, names[p]);
    at += p == LITERAL ? 1 : strlen(names[p]);
  }
  return seen[CONTENT] ? AS_OK : as_fail(ctx, kind, "%s: the template lacks {content}", where);
}

void as_input_template_render(const char *template, const as_input_values *values, as_buffer *out) {
  for (const char *at = template; *at;) {
    place p = place_at(at);
    if (p == CONTENT) as_buffer_append(out, values->content, values->content_length);
    if (p == INTENT && values->intent) as_buffer_text(out, values->intent);
    if (p == SENTIMENT && values->sentiment) as_buffer_text(out, values->sentiment);
    if (p == LITERAL) as_buffer_char(out, *at);
    at += p == LITERAL ? 1 : strlen(names[p]);
  }
}
