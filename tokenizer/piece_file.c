/* spiece.model: reading it into the stages of SentencePiece, and writing one for a Unigram of tokenizer.json.
 *
 * The numbers of the fields are those of sentencepiece_model.proto. */
#include "tokenizer/piece_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "tokenizer/byte_token.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"
#include "tokenizer/limits.h"
#include "tokenizer/piece_stages.h"
#include "tokenizer/protobuf.h"
#include "tokenizer/scored_vocab.h"
#include "tokenizer/sentencepiece.h"

enum { MODEL_PIECES = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3, MODEL_DENORMALIZER = 5 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };
enum { TRAINER_MODEL_TYPE = 3, TRAINER_SUFFIX = 24, TRAINER_BYTE_FALLBACK = 35, TRAINER_UNK_SURFACE = 44 };
enum { NORMALIZER_NAME = 1, NORMALIZER_MAP = 2, NORMALIZER_DUMMY = 3, NORMALIZER_EXTRA = 4, NORMALIZER_ESCAPE = 5 };
enum { UNIGRAM = 1 };

/* ---- reading messages ----------------------------------------------------------------------------------------- */

/* Says what a message's reader found wrong, AS_OK if nothing. */
static as_status finish(const as_loader *loader, const as_proto *proto, const char *where) {
  return proto->wrong ? as_field_fail(loader, where, "", "%s", proto->wrong) : AS_OK;
}

static as_status read_piece(as_loader *loader, const as_proto_field *message, as_piece_model *model) {
  as_vocabulary *vocabulary = &loader->tokenizer->vocabulary;
  as_proto proto = as_proto_start(message->bytes, message->length);
  as_proto_field field, text = {0};
  float score = 0;
  int32_t type = AS_PIECE_NORMAL;
  char where[32];
  snprintf(where, sizeof where, "pieces[%zu]", vocabulary->limit);
  while (as_proto_next(&proto, &field)) {
    if (field.number == PIECE_TEXT && as_proto_is_bytes(&proto, &field)) text = field;
    if (field.number == PIECE_SCORE) as_proto_float(&proto, &field, &score);
    if (field.number == PIECE_TYPE) as_proto_int(&proto, &field, &type);
  }
  as_status status = finish(loader, &proto, where);
  if (status != AS_OK) return status;
  if (type < AS_PIECE_NORMAL || type > AS_PIECE_BYTE)
    return as_field_fail(loader, where, "type", "is %" PRId32 ", which is none", type);
  if (type == AS_PIECE_BYTE && as_byte_token(text.bytes, text.length) < 0)
    return as_field_fail(loader, where, "", "is a byte piece, but not of the form <0x00>");
  status = as_add_piece(loader, where, text.bytes, text.length, score);
  if (status != AS_OK) return status;
  int8_t *types = as_grow(loader->ctx, model->types, &model->types_capacity, vocabulary->limit, sizeof *types);
  if (!types) return AS_E_NOMEM;
  model->types = types;
  types[vocabulary->limit - 1] = (int8_t)type;
  return AS_OK;
}

static as_status read_trainer(const as_loader *loader, const as_proto_field *message, as_piece_model *model) {
  as_proto proto = as_proto_start(message->bytes, message->length);
  as_proto_field field;
  int32_t type = UNIGRAM, suffix = 0, fallback = model->byte_fallback;
  while (as_proto_next(&proto, &field)) {
    if (field.number == TRAINER_MODEL_TYPE) as_proto_int(&proto, &field, &type);
    if (field.number == TRAINER_SUFFIX) as_proto_int(&proto, &field, &suffix);
    if (field.number == TRAINER_BYTE_FALLBACK) as_proto_int(&proto, &field, &fallback);
    if (field.number == TRAINER_UNK_SURFACE && as_proto_is_bytes(&proto, &field)) {
      model->unk_surface = field.bytes;
      model->unk_surface_length = field.length;
    }
  }
  model->byte_fallback = fallback != 0;
  as_status status = finish(loader, &proto, "trainer_spec");
  static const char *const names[] = {"UNIGRAM", "BPE", "WORD", "CHAR"};
  if (status == AS_OK && type != UNIGRAM)
    return as_field_fail(loader, "trainer_spec", "model_type",
                         "is %s; only Unigram models of SentencePiece can be read. A tokenizer.json made from it with "
                         "transformers may be",
                         type >= 1 && type <= 4 ? names[type - 1] : "none that is known");
  if (status == AS_OK && suffix)
    return as_field_fail(loader, "trainer_spec", "treat_whitespace_as_suffix", "is not supported");
  return status;
}

static as_status read_normalizer(const as_loader *loader, const as_proto_field *message, as_piece_model *model) {
  as_proto proto = as_proto_start(message->bytes, message->length);
  as_proto_field field;
  int32_t dummy = model->add_dummy_prefix, extra = model->remove_extra_whitespaces, escape = model->escape_whitespaces;
  while (as_proto_next(&proto, &field)) {
    if (field.number == NORMALIZER_MAP && as_proto_is_bytes(&proto, &field)) {
      model->map = field.bytes;
      model->map_length = field.length;
    }
    if (field.number == NORMALIZER_DUMMY) as_proto_int(&proto, &field, &dummy);
    if (field.number == NORMALIZER_EXTRA) as_proto_int(&proto, &field, &extra);
    if (field.number == NORMALIZER_ESCAPE) as_proto_int(&proto, &field, &escape);
  }
  model->add_dummy_prefix = dummy != 0;
  model->remove_extra_whitespaces = extra != 0;
  model->escape_whitespaces = escape != 0;
  return finish(loader, &proto, "normalizer_spec");
}

/* Rules for decoding are not in use. */
static as_status read_denormalizer(const as_loader *loader, const as_proto_field *message) {
  as_proto proto = as_proto_start(message->bytes, message->length);
  as_proto_field field;
  while (as_proto_next(&proto, &field))
    if (field.number == NORMALIZER_MAP && field.length > 0)
      return as_field_fail(loader, "denormalizer_spec", "precompiled_charsmap", "is not supported");
  return finish(loader, &proto, "denormalizer_spec");
}

static as_status read_model(as_loader *loader, as_piece_model *model) {
  as_proto proto = as_proto_start(model->file, model->file_length);
  as_proto_field field;
  as_status status = AS_OK;
  while (status == AS_OK && as_proto_next(&proto, &field)) {
    if (field.number > MODEL_DENORMALIZER || !as_proto_is_bytes(&proto, &field)) continue;
    if (field.number == MODEL_PIECES) status = read_piece(loader, &field, model);
    if (field.number == MODEL_TRAINER) status = read_trainer(loader, &field, model);
    if (field.number == MODEL_NORMALIZER) status = read_normalizer(loader, &field, model);
    if (field.number == MODEL_DENORMALIZER) status = read_denormalizer(loader, &field);
  }
  if (status == AS_OK) status = finish(loader, &proto, "");
  if (status == AS_OK && loader->tokenizer->vocabulary.count == 0)
    return as_field_fail(loader, "", "", "holds no pieces; it is not a file of SentencePiece");
  return status;
}

as_status as_read_piece_file(as_loader *loader) {
  as_piece_model model = {.unk_surface = " \xE2\x81\x87 ",
                          .unk_surface_length = 5, /* U+2047 between spaces, unless the file says */
                          .add_dummy_prefix = true,
                          .remove_extra_whitespaces = true,
                          .escape_whitespaces = true};
  as_status status =
      as_file_read(loader->ctx, loader->path, AS_MAX_TOKENIZER_FILE, AS_E_MODEL, &model.file, &model.file_length);
  if (status == AS_OK) status = read_model(loader, &model);
  if (status == AS_OK) status = as_make_piece_stages(loader, &model);
  as_free(loader->ctx, model.types);
  as_free(loader->ctx, model.file);
  return status;
}
