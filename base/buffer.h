/* A growing byte buffer; the text in it is always ended by a NUL that is not counted.
 *
 * Errors stick: after a failed append the buffer takes nothing more and `failed` is true, so a writer checks once. */
#ifndef AS_BASE_BUFFER_H
#define AS_BASE_BUFFER_H

#include "base/context.h"

typedef struct as_buffer {
  as_context *ctx;
  char *data;    /* NULL only before the first append */
  size_t length; /* bytes, without the NUL */
  size_t capacity;
  bool failed; /* an allocation failed; the context has the error */
} as_buffer;

void as_buffer_init(as_buffer *buffer, as_context *ctx);
void as_buffer_free(as_buffer *buffer);  /* leaves an empty, usable buffer */
void as_buffer_clear(as_buffer *buffer); /* length 0; keeps the memory, and `failed` as it is */
void as_buffer_append(as_buffer *buffer, const void *bytes, size_t length);
void as_buffer_text(as_buffer *buffer, const char *text);
void as_buffer_char(as_buffer *buffer, char c);
void as_buffer_printf(as_buffer *buffer, const char *format, ...) AS_PRINTF(2, 3);
/* The text; "" when nothing was appended. Owned by the buffer. */
const char *as_buffer_string(const as_buffer *buffer);
/* Hands the memory over: the caller frees it with as_free; the buffer is empty again. NULL if it failed. */
char *as_buffer_take(as_buffer *buffer);
/* AS_OK, or AS_E_NOMEM if an append failed. */
as_status as_buffer_status(const as_buffer *buffer);

#endif
