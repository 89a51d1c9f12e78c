/* Sequence: several normalizers, pre-tokenizers or decoders, one after the other. */
#include "tokenizer/sequence.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/fields.h"

enum { MAX_MEMBERS = 64 };

typedef struct sequence {
  as_stage items[MAX_MEMBERS];
  size_t count;
} sequence;

static void release(as_context *ctx, void *state) {
  sequence *self = state;
  for (size_t i = 0; i < self->count; i++)
    if (self->items[i].state) self->items[i].type->release(ctx, self->items[i].state);
  as_free(ctx, self);
}

void *as_sequence_new(as_context *ctx) {
  return as_alloc_zero(ctx, 1, sizeof(sequence));
}

void as_sequence_put(void *state, as_stage stage) {
  sequence *self = state;
  self->items[self->count++] = stage;
}

const as_stage *as_sequence_items(const void *state, size_t *count) {
  const sequence *self = state;
  *count = self->count;
  return self->items;
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

/* A Sequence in a Sequence would be the same as one; files do not have it, and depth needs no bound this way. */
static as_status read_member(as_loader *loader, as_stage_kind kind, const char *key, const json_t *json,
                             sequence *self) {
  char where[64];
  const char *type = json_string_value(json_object_get(json, "type"));
  snprintf(where, sizeof where, "%s[%zu]", key, self->count);
  if (type && strcmp(type, "Sequence") == 0)
    return as_field_fail(loader, where, "", "is a Sequence in a Sequence; put its members into the outer one");
  as_stage *stage = &self->items[self->count];
  as_status status = as_read_stage(loader, kind, json, where, stage);
  self->count++;
  const as_decoder_type *decoder = (const as_decoder_type *)stage->type;
  if (status == AS_OK && kind == AS_STAGE_DECODER && !decoder->chain) /* one that only knows whole texts */
    status = as_field_fail(loader, where, "type", "\"%s\" cannot stand in a Sequence", stage->type->name);
  return status;
}

static as_status read_members(as_loader *loader, as_stage_kind kind, const char *key, const json_t *json,
                              void **state) {
  const json_t *list = json_object_get(json, key), *item;
  size_t index;
  if (!json_is_array(list)) return as_field_fail(loader, "", key, "must be a list");
  if (json_array_size(list) > MAX_MEMBERS)
    return as_field_fail(loader, "", key, "has %zu members; %d are allowed", json_array_size(list), MAX_MEMBERS);
  sequence *self = as_sequence_new(loader->ctx);
  if (!self) return AS_E_NOMEM;
  *state = self;
  json_array_foreach(list, index, item) {
    as_status status = read_member(loader, kind, key, item, self);
    if (status != AS_OK) return status;
  }
  return AS_OK;
}

static void write_members(const as_tokenizer *tokenizer, const sequence *self, const char *key,
                          as_json_writer *writer) {
  as_json_open_array(writer, key);
  for (size_t i = 0; i < self->count; i++) {
    as_json_open_object(writer, NULL);
    as_json_string(writer, "type", self->items[i].type->name);
    if (self->items[i].type->write) self->items[i].type->write(tokenizer, self->items[i].state, writer);
    as_json_close_object(writer);
  }
  as_json_close_array(writer);
}

/* ---- normalizers ---------------------------------------------------------------------------------------------- */

static as_status read_normalizers(as_loader *loader, const json_t *json, void **state) {
  return read_members(loader, AS_STAGE_NORMALIZER, "normalizers", json, state);
}

static void write_normalizers(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  write_members(tokenizer, state, "normalizers", writer);
}

static as_status copy(as_work *work, const as_text_view *in, as_aligned_text *out) {
  as_status status = as_aligned_reserve(work, out, in->length);
  for (uint32_t at = 0, size; status == AS_OK && at < in->length; at += size) {
    uint32_t code_point;
    size = (uint32_t)as_utf8_decode(in->bytes + at, in->length - at, &code_point);
    as_aligned_put(out, in->bytes + at, size, as_view_span(in, at, size));
  }
  return status;
}

static as_status normalize(const void *state, as_work *work, as_text_view in, as_aligned_text *out) {
  const sequence *self = state;
  if (self->count == 0) return copy(work, &in, out);
  as_status status = AS_OK;
  for (size_t i = 0; i < self->count && status == AS_OK; i++) {
    const as_normalizer_type *type = (const as_normalizer_type *)self->items[i].type;
    as_aligned_text *to = i + 1 == self->count ? out : &work->between[i % 2];
    if (to != out) to->length = 0;
    status = type->normalize(self->items[i].state, work, in, to);
    if (to != out) {
      in.bytes = to->length ? to->bytes : "";
      in.origin = to->origin;
      in.length = (uint32_t)to->length;
    }
  }
  return status;
}

const as_normalizer_type as_normalizer_sequence = {
    .component = {.name = "Sequence", .read = read_normalizers, .write = write_normalizers, .release = release},
    .normalize = normalize,
};

/* ---- pre-tokenizers ------------------------------------------------------------------------------------------- */

static as_status read_pre_tokenizers(as_loader *loader, const json_t *json, void **state) {
  return read_members(loader, AS_STAGE_PRE_TOKENIZER, "pretokenizers", json, state);
}

static void write_pre_tokenizers(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  write_members(tokenizer, state, "pretokenizers", writer);
}

static as_status split(const void *state, as_work *work) {
  const sequence *self = state;
  as_status status = AS_OK;
  for (size_t i = 0; i < self->count && status == AS_OK; i++)
    status = ((const as_pre_tokenizer_type *)self->items[i].type)->split(self->items[i].state, work);
  return status;
}

const as_pre_tokenizer_type as_pre_tokenizer_sequence = {
    .component = {.name = "Sequence", .read = read_pre_tokenizers, .write = write_pre_tokenizers, .release = release},
    .split = split,
};

/* ---- decoders ------------------------------------------------------------------------------------------------- */

static as_status read_decoders(as_loader *loader, const json_t *json, void **state) {
  return read_members(loader, AS_STAGE_DECODER, "decoders", json, state);
}

static void write_decoders(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  write_members(tokenizer, state, "decoders", writer);
}

static as_status chain(const void *state, const as_chain *from, as_chain *to) {
  const sequence *self = state;
  as_status status = AS_OK;
  as_chain between[2];
  for (int i = 0; i < 2; i++) as_chain_init(&between[i], to->pool.ctx);
  for (size_t i = 0; i < self->count && status == AS_OK; i++) {
    as_chain *out = i + 1 == self->count ? to : &between[i % 2];
    as_chain_clear(out);
    status = ((const as_decoder_type *)self->items[i].type)->chain(self->items[i].state, from, out);
    from = out;
  }
  for (size_t i = 0; i < from->count && self->count == 0 && status == AS_OK; i++) {
    size_t length;
    const char *text = as_chain_text(from, i, &length);
    as_buffer_append(&to->pool, text, length);
    status = as_chain_end(to);
  }
  for (int i = 0; i < 2; i++) as_chain_free(&between[i]);
  return status;
}

const as_decoder_type as_decoder_sequence = {
    .component = {.name = "Sequence", .read = read_decoders, .write = write_decoders, .release = release},
    .chain = chain,
};
