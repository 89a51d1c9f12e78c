/* The growing buffer. Invariant: data is NULL, or data[length] is NUL and length < capacity. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

void as_buffer_init(as_buffer *buffer, as_context *ctx) {
  *buffer = (as_buffer){.ctx = ctx};
}

void as_buffer_free(as_buffer *buffer) {
  as_free(buffer->ctx, buffer->data);
  as_buffer_init(buffer, buffer->ctx);
}

void as_buffer_clear(as_buffer *buffer) {
  buffer->length = 0;
  if (buffer->data) buffer->data[0] = 0;
}

/* Room for `extra` bytes and the NUL; false when there is none. */
static bool reserve(as_buffer *buffer, size_t extra) {
  if (buffer->failed) return false;
  if (buffer->data && extra < buffer->capacity - buffer->length) return true;
  if (extra >= SIZE_MAX - buffer->length) {
    as_fail(buffer->ctx, AS_E_NOMEM, "out of memory: a buffer of %zu bytes cannot grow by %zu", buffer->length, extra);
    buffer->failed = true;
    return false;
  }
  char *grown = as_grow(buffer->ctx, buffer->data, &buffer->capacity, buffer->length + extra + 1, 1);
  if (!grown) {
    buffer->failed = true;
    return false;
  }
  buffer->data = grown;
  return true;
}

void as_buffer_append(as_buffer *buffer, const void *bytes, size_t length) {
  if (!reserve(buffer, length)) return;
  if (length) memcpy(buffer->data + buffer->length, bytes, length);
  buffer->length += length;
  buffer->data[buffer->length] = 0;
}

void as_buffer_text(as_buffer *buffer, const char *text) {
  as_buffer_append(buffer, text, strlen(text));
}

void as_buffer_char(as_buffer *buffer, char c) {
  as_buffer_append(buffer, &c, 1);
}

void as_buffer_printf(as_buffer *buffer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) {
    as_fail(buffer->ctx, AS_E_INVALID, "text cannot be formatted with \"%s\"", format);
    buffer->failed = true;
    return;
  }
  if (!reserve(buffer, (size_t)length)) return;
  va_start(arguments, format);
  vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
  va_end(arguments);
  buffer->length += (size_t)length;
}

const char *as_buffer_string(const as_buffer *buffer) {
  return buffer->data ? buffer->data : "";
}

char *as_buffer_take(as_buffer *buffer) {
  as_buffer_append(buffer, "", 0); /* an empty text is one, too */
  if (buffer->failed) return NULL;
  char *data = buffer->data;
  as_buffer_init(buffer, buffer->ctx);
  return data;
}

as_status as_buffer_status(const as_buffer *buffer) {
  return buffer->failed ? AS_E_NOMEM : AS_OK;
}
