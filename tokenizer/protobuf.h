/* Reading the wire format of Protocol Buffers, from a file that may be anything: a cursor that never leaves its message
 * and never recurses; a message in a message is read with a cursor of its own. And writing it. */
#ifndef AS_TOKENIZER_PROTOBUF_H
#define AS_TOKENIZER_PROTOBUF_H

#include "base/buffer.h"

typedef struct as_proto {
  const unsigned char *at, *end;
  const char *wrong; /* what is wrong with the message; NULL as long as nothing is */
} as_proto;

/* One field: its number and what stands there, by wire type. */
typedef struct as_proto_field {
  uint32_t number;
  int wire; /* 0: value is a varint; 1, 5: value is 8 or 4 bytes; 2: bytes [length] */
  uint64_t value;
  const char *bytes;
  size_t length;
} as_proto_field;

as_proto as_proto_start(const void *bytes, size_t length);
/* The next field; false at the end, and where something is wrong (then `wrong` says what). */
bool as_proto_next(as_proto *proto, as_proto_field *field);
/* The value of a float field; false, with `wrong` set, if it is not one. */
bool as_proto_float(as_proto *proto, const as_proto_field *field, float *value);
/* An integer, enum or bool; false, with `wrong` set, if it is none or does not fit 32 bits. */
bool as_proto_int(as_proto *proto, const as_proto_field *field, int32_t *value);
/* Whether it is text, bytes or a message; else `wrong` is set. */
bool as_proto_is_bytes(as_proto *proto, const as_proto_field *field);

void as_proto_put_bytes(as_buffer *out, uint32_t number, const void *bytes, size_t length);
void as_proto_put_int(as_buffer *out, uint32_t number, int64_t value);
void as_proto_put_float(as_buffer *out, uint32_t number, float value);

#endif
