/* The byte map, and the components that use it: ByteLevel before the model and as decoder. */
#include "tokenizer/byte_level.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"
#include "tokenizer/gpt2_words.h"

/* ---- the map -------------------------------------------------------------------------------------------------- */

uint32_t as_byte_character(unsigned char byte) {
  if (byte <= 0x20) return 0x100u + byte;
  if (byte >= 0x7F && byte <= 0xA0) return 0x121u + (byte - 0x7Fu);
  return byte == 0xAD ? 0x143 : byte;
}

int as_character_byte(uint32_t code_point) {
  if (code_point >= AS_BYTE_CHARACTERS) return -1;
  if (code_point >= 0x143) return 0xAD;
  if (code_point >= 0x121) return (int)code_point - 0x121 + 0x7F;
  if (code_point >= 0x100) return (int)code_point - 0x100;
  return as_byte_character((unsigned char)code_point) == code_point ? (int)code_point : -1;
}

/* ---- state ---------------------------------------------------------------------------------------------------- */

typedef struct byte_level {
  as_byte_level members;
  char map[256][2]; /* each byte's character in UTF-8; the second 0 if it is ASCII */
} byte_level;

void *as_byte_level_new(as_context *ctx, as_byte_level members) {
  byte_level *self = as_alloc_zero(ctx, 1, sizeof *self);
  if (!self) return NULL;
  self->members = members;
  for (int byte = 0; byte < 256; byte++) {
    char bytes[4] = {0};
    as_utf8_encode(as_byte_character((unsigned char)byte), bytes);
    self->map[byte][0] = bytes[0];
    self->map[byte][1] = bytes[1];
  }
  return self;
}

const as_byte_level *as_byte_level_members(const void *state) {
  return &((const byte_level *)state)->members;
}

as_status as_read_trimming(as_loader *loader, const json_t *json, as_byte_level *members) {
  as_status status = as_field_bool(loader, json, "", "add_prefix_space", &members->add_prefix_space);
  return status == AS_OK ? as_field_bool(loader, json, "", "trim_offsets", &members->trim_offsets) : status;
}

as_status as_read_byte_level(as_loader *loader, const json_t *json, as_byte_level *members) {
  as_status status = as_read_trimming(loader, json, members);
  return status == AS_OK ? as_field_bool(loader, json, "", "use_regex", &members->use_regex) : status;
}

void as_write_trimming(const as_byte_level *members, as_json_writer *writer) {
  as_json_bool(writer, "add_prefix_space", members->add_prefix_space);
  as_json_bool(writer, "trim_offsets", members->trim_offsets);
}

static as_status read_members(as_loader *loader, const json_t *json, void **state) {
  as_byte_level members = {.add_prefix_space = true, .trim_offsets = true, .use_regex = true};
  as_status status = as_read_byte_level(loader, json, &members);
  if (status != AS_OK) return status;
  *state = as_byte_level_new(loader->ctx, members);
  return *state ? AS_OK : AS_E_NOMEM;
}

static void write_members(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const as_byte_level *members = as_byte_level_members(state);
  (void)tokenizer;
  as_write_trimming(members, writer);
  as_json_bool(writer, "use_regex", members->use_regex);
}

static void release(as_context *ctx, void *state) {
  as_free(ctx, state);
}

/* ---- splitting ------------------------------------------------------------------------------------------------ */

/* Appends the character of a byte; there is room. */
static inline void put_byte(const byte_level *self, as_aligned_text *out, char byte, as_span origin) {
  const char *mapped = self->map[(unsigned char)byte];
  out->bytes[out->length] = mapped[0];
  out->origin[out->length++] = origin;
  if (!mapped[1]) return;
  out->bytes[out->length] = mapped[1];
  out->origin[out->length++] = origin;
}

/* A piece of text becomes words in work->spare and work->spare_splits. A space that is put before it has the origin of
 * its first character, as in the reference. */
static as_status split_piece(const byte_level *self, as_work *work, as_split piece) {
  const as_aligned_text *in = &work->text;
  as_aligned_text *out = &work->spare;
  if (piece.start == piece.end) return AS_OK;
  as_status status = as_aligned_reserve(work, out, 2 * ((size_t)(piece.end - piece.start) + 1));
  bool spaced = self->members.add_prefix_space && in->bytes[piece.start] != ' ';
  for (uint32_t at = piece.start; status == AS_OK && (at < piece.end || spaced); spaced = false) {
    uint32_t end = self->members.use_regex ? as_gpt2_word_end(in->bytes, at, piece.end, spaced) : piece.end;
    size_t start = out->length;
    if (spaced) put_byte(self, out, ' ', in->origin[at]);
    for (; at < end; at++) put_byte(self, out, in->bytes[at], in->origin[at]);
    status = as_split_put(work, &work->spare_splits, start, out->length, -1);
  }
  return status;
}

static as_status copy_added(as_work *work, as_split piece) {
  as_aligned_text *out = &work->spare;
  size_t start = out->length;
  as_status status = as_aligned_reserve(work, out, piece.end - piece.start);
  for (uint32_t at = piece.start; status == AS_OK && at < piece.end; at++)
    as_aligned_put(out, work->text.bytes + at, 1, work->text.origin[at]);
  return status == AS_OK ? as_split_put(work, &work->spare_splits, start, out->length, piece.added) : status;
}

static as_status split(const void *state, as_work *work) {
  as_status status = AS_OK;
  work->spare.length = work->spare_splits.length = 0;
  for (size_t i = 0; i < work->splits.length && status == AS_OK; i++) {
    as_split piece = work->splits.items[i];
    status = piece.added < 0 ? split_piece(state, work, piece) : copy_added(work, piece);
  }
  as_work_swap(work);
  return status;
}

/* ---- decoding ------------------------------------------------------------------------------------------------- */

/* Appends the bytes of a token's characters; the token itself if one of them is no byte's. */
static void put_token(as_buffer *out, as_token_text token) {
  size_t start = out->length;
  for (size_t at = 0; at < token.length;) {
    uint32_t code_point;
    int size = as_utf8_decode(token.text + at, token.length - at, &code_point), byte = as_character_byte(code_point);
    if (size < 0 || byte < 0) {
      if (out->data) out->length = start;
      as_buffer_append(out, token.text, token.length);
      return;
    }
    as_buffer_char(out, (char)byte);
    at += (size_t)size;
  }
}

/* The bytes of all tokens together are UTF-8, or repaired. */
static as_status decode(const void *state, as_context *ctx, const as_token_text *tokens, size_t count, as_buffer *out) {
  as_buffer bytes;
  (void)state;
  as_buffer_init(&bytes, ctx);
  for (size_t i = 0; i < count; i++) put_token(&bytes, tokens[i]);
  as_status status = as_buffer_status(&bytes);
  if (status == AS_OK) as_utf8_repair(out, as_buffer_string(&bytes), bytes.length);
  as_buffer_free(&bytes);
  return status == AS_OK ? as_buffer_status(out) : status;
}

const as_pre_tokenizer_type as_byte_level_pre_tokenizer = {
    .component = {.name = "ByteLevel", .read = read_members, .write = write_members, .release = release},
    .split = split,
};

const as_decoder_type as_byte_level_decoder = {
    .component = {.name = "ByteLevel", .read = read_members, .write = write_members, .release = release},
    .decode = decode,
};
