/* The wire format: a field is a varint of its number and wire type, then a varint, 8 bytes, a length with bytes, or 4
 * bytes. Groups (wire types 3 and 4) were given up before the files that we read were thought of. */
#include "tokenizer/protobuf.h"

#include <string.h>

as_proto as_proto_start(const void *bytes, size_t length) {
  return (as_proto){.at = bytes, .end = (const unsigned char *)bytes + length};
}

static bool fail(as_proto *proto, const char *wrong) {
  proto->wrong = wrong;
  return false;
}

static bool read_varint(as_proto *proto, uint64_t *value) {
  *value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (proto->at == proto->end) return fail(proto, "ends in the middle of a number");
    unsigned char byte = *proto->at++;
    if (shift == 63 && byte > 1) break;
    *value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return fail(proto, "has a number of more than 64 bits");
}

static bool read_fixed(as_proto *proto, size_t size, uint64_t *value) {
  if ((size_t)(proto->end - proto->at) < size) return fail(proto, "ends in the middle of a number");
  *value = 0;
  for (size_t i = 0; i < size; i++) *value |= (uint64_t)proto->at[i] << (8 * i);
  proto->at += size;
  return true;
}

bool as_proto_next(as_proto *proto, as_proto_field *field) {
  uint64_t tag, length;
  if (proto->wrong || proto->at == proto->end || !read_varint(proto, &tag)) return false;
  *field = (as_proto_field){.number = (uint32_t)(tag >> 3), .wire = (int)(tag & 7)};
  if (tag >> 3 == 0 || tag >> 32 != 0) return fail(proto, "has a field whose number is not one");
  switch (field->wire) {
  case 0:
    return read_varint(proto, &field->value);
  case 1:
    return read_fixed(proto, 8, &field->value);
  case 5:
    return read_fixed(proto, 4, &field->value);
  case 2:
    if (!read_varint(proto, &length)) return false;
    if (length > (uint64_t)(proto->end - proto->at)) return fail(proto, "has a field that is longer than what is left");
    field->bytes = (const char *)proto->at;
    field->length = (size_t)length;
    proto->at += length;
    return true;
  default:
    return fail(proto, "has a field of a wire type that is not in use");
  }
}

bool as_proto_float(as_proto *proto, const as_proto_field *field, float *value) {
  if (field->wire != 5) return fail(proto, "has a field of the wrong type where a float should be");
  uint32_t bits = (uint32_t)field->value;
  memcpy(value, &bits, sizeof bits);
  return true;
}

bool as_proto_int(as_proto *proto, const as_proto_field *field, int32_t *value) {
  if (field->wire != 0) return fail(proto, "has a field of the wrong type where an integer should be");
  int64_t wide = (int64_t)field->value;
  if (wide < INT32_MIN || wide > INT32_MAX) return fail(proto, "has an integer that is too large");
  *value = (int32_t)wide;
  return true;
}

bool as_proto_is_bytes(as_proto *proto, const as_proto_field *field) {
  return field->wire == 2 || fail(proto, "has a field of the wrong type where text should be");
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

static void put_varint(as_buffer *out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) as_buffer_char(out, (char)(value | 0x80));
  as_buffer_char(out, (char)value);
}

void as_proto_put_bytes(as_buffer *out, uint32_t number, const void *bytes, size_t length) {
  put_varint(out, (uint64_t)number << 3 | 2);
  put_varint(out, length);
  as_buffer_append(out, bytes, length);
}

void as_proto_put_int(as_buffer *out, uint32_t number, int64_t value) {
  put_varint(out, (uint64_t)number << 3);
  put_varint(out, (uint64_t)value);
}

void as_proto_put_float(as_buffer *out, uint32_t number, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_varint(out, (uint64_t)number << 3 | 5);
  for (int i = 0; i < 4; i++) as_buffer_char(out, (char)(bits >> (8 * i)));
}
