/* How the input of a response model is put together from a message and what is known about it: a text with {content},
 * {intent} and {sentiment} in it. It lies in the model's folder, so that training and use cannot differ. */
#ifndef AS_MODELS_INPUT_TEMPLATE_H
#define AS_MODELS_INPUT_TEMPLATE_H

#include "base/buffer.h"

#define AS_INPUT_TEMPLATE_DEFAULT "respond intent: {intent} sentiment: {sentiment} message: {content}"

/* Takes a template that is UTF-8 without control characters, at most 1,000 bytes, with {content} once and {intent} and
 * {sentiment} at most once, and no other brace. Otherwise fails with `kind` and a text that begins with `where`. */
AS_MUST_CHECK as_status as_input_template_check(as_context *ctx, const char *template, as_status kind,
                                                const char *where);

typedef struct as_input_values {
  const char *content; /* [content_length] may hold any bytes, braces included, which mean nothing in it */
  size_t content_length;
  const char *intent, *sentiment; /* NULL: not known, nothing is put in their place */
} as_input_values;

/* Appends the input to `out`. The template must have been checked. */
void as_input_template_render(const char *template, const as_input_values *values, as_buffer *out);

#endif
