/* Making SentencePiece's stages, with the checks that SentencePiece makes when it opens a file. */
#include "tokenizer/piece_stages.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tokenizer/added_tokens_json.h"
#include "tokenizer/components.h"
#include "tokenizer/construct.h"
#include "tokenizer/fields.h"
#include "tokenizer/sentencepiece.h"
#include "tokenizer/tokenizer_config.h"

enum { MAX_EXTRA_IDS = 10000 };

/* ---- normalizer ----------------------------------------------------------------------------------------------- */

static as_status make_normalizer(as_loader *loader, const as_piece_model *model) {
  const as_vocabulary *vocabulary = &loader->tokenizer->vocabulary;
  as_status status = as_put_stage(loader->tokenizer, AS_STAGE_NORMALIZER, &as_sentencepiece_normalizer.component,
                                  as_alloc_zero(loader->ctx, 1, sizeof(as_sp_normalizer)));
  if (status != AS_OK) return status;
  as_sp_normalizer *self = loader->tokenizer->stages[AS_STAGE_NORMALIZER].state;
  self->add_dummy_prefix = model->add_dummy_prefix;
  self->remove_extra_whitespaces = model->remove_extra_whitespaces;
  self->escape_whitespaces = model->escape_whitespaces;
  as_trie_init(&self->user_defined, loader->ctx);
  for (size_t id = 0; id < vocabulary->limit && status == AS_OK; id++) {
    if (model->types[id] != AS_PIECE_USER_DEFINED) continue;
    size_t length;
    const char *piece = as_vocabulary_token(vocabulary, (int64_t)id, &length);
    status = as_trie_put(&self->user_defined, piece, length, (int32_t)id, NULL);
  }
  if (status != AS_OK || model->map_length == 0) return status;
  status = as_charsmap_read(loader->ctx, model->map, model->map_length, &self->map);
  self->has_map = status == AS_OK;
  if (status == AS_E_MODEL)
    status = as_fail_prefix(loader->ctx, status, "%s: normalizer_spec.precompiled_charsmap", loader->path);
  return status;
}

/* ---- model ---------------------------------------------------------------------------------------------------- */

/* The unknown piece, of which there must be one, and byte pieces only where they are used. */
static as_status find_unknown(const as_loader *loader, const as_piece_model *model, as_unigram *unigram) {
  unigram->unk_id = -1;
  for (size_t id = 0; id < loader->tokenizer->vocabulary.limit; id++) {
    char where[32];
    snprintf(where, sizeof where, "pieces[%zu]", id);
    if (model->types[id] == AS_PIECE_BYTE && !model->byte_fallback)
      return as_field_fail(loader, where, "", "stands for a byte, but trainer_spec.byte_fallback is false");
    if (model->types[id] != AS_PIECE_UNKNOWN) continue;
    if (unigram->unk_id >= 0)
      return as_field_fail(loader, where, "", "is a second unknown piece beside piece %" PRId32, unigram->unk_id);
    unigram->unk_id = (int32_t)id;
  }
  return unigram->unk_id >= 0 ? AS_OK : as_field_fail(loader, "pieces", "", "have none for the unknown");
}

/* Gives each piece the score that it is tokenized with. */
static void settle_scores(as_vocabulary *vocabulary, const as_piece_model *model, as_unigram *unigram) {
  double least = INFINITY;
  for (size_t id = 0; id < vocabulary->limit; id++)
    if (model->types[id] == AS_PIECE_NORMAL && vocabulary->scores[id] < least) least = vocabulary->scores[id];
  unigram->unk_score = (float)((least == INFINITY ? 0.0 : least) - AS_UNKNOWN_PENALTY);
  for (size_t id = 0; id < vocabulary->limit; id++) {
    size_t length;
    as_vocabulary_token(vocabulary, (int64_t)id, &length);
    if (model->types[id] == AS_PIECE_USER_DEFINED)
      vocabulary->scores[id] = (float)(0.1 * (double)(length - 1));
    else if (model->types[id] != AS_PIECE_NORMAL)
      vocabulary->scores[id] = AS_NOT_IN_TEXTS;
  }
}

static as_status make_model(as_loader *loader, as_piece_model *model) {
  as_vocabulary *vocabulary = &loader->tokenizer->vocabulary;
  as_status status = as_put_stage(loader->tokenizer, AS_STAGE_MODEL, &as_sentencepiece_model.component,
                                  as_alloc_zero(loader->ctx, 1, sizeof(as_sp_model)));
  if (status != AS_OK) return status;
  as_sp_model *self = loader->tokenizer->stages[AS_STAGE_MODEL].state;
  self->unigram.single = true;
  status = find_unknown(loader, model, &self->unigram);
  if (status != AS_OK) return status;
  settle_scores(vocabulary, model, &self->unigram);
  if (model->byte_fallback) {
    as_unigram_find_bytes(&self->unigram, vocabulary);
    if (!self->unigram.byte_fallback)
      return as_field_fail(loader, "trainer_spec", "byte_fallback", "is true, but not every byte has a piece");
  }
  self->file = model->file;
  self->file_length = model->file_length;
  model->file = NULL;
  return AS_OK;
}

/* ---- decoder -------------------------------------------------------------------------------------------------- */

static as_status make_decoder(as_loader *loader, const as_piece_model *model) {
  const as_vocabulary *vocabulary = &loader->tokenizer->vocabulary;
  as_status status = as_put_stage(loader->tokenizer, AS_STAGE_DECODER, &as_sentencepiece_decoder.component,
                                  as_alloc_zero(loader->ctx, 1, sizeof(as_sp_decoder)));
  if (status != AS_OK) return status;
  as_sp_decoder *self = loader->tokenizer->stages[AS_STAGE_DECODER].state;
  as_trie_init(&self->types, loader->ctx);
  self->drops_leading = model->remove_extra_whitespaces;
  self->drops_first = model->add_dummy_prefix || model->remove_extra_whitespaces;
  self->unk_surface = as_strndup(loader->ctx, model->unk_surface, model->unk_surface_length);
  if (!self->unk_surface) return AS_E_NOMEM;
  for (size_t id = 0; id < vocabulary->limit && status == AS_OK; id++) {
    int8_t type = model->types[id];
    if (type != AS_PIECE_UNKNOWN && type != AS_PIECE_CONTROL && type != AS_PIECE_BYTE) continue;
    size_t length;
    const char *piece = as_vocabulary_token(vocabulary, (int64_t)id, &length);
    status = as_trie_put(&self->types, piece, length, type, NULL);
  }
  return status;
}

/* ---- special tokens ------------------------------------------------------------------------------------------- */

static as_status add_silent(as_loader *loader, const char *content, size_t length, int32_t id) {
  return as_added_tokens_put(
      &loader->tokenizer->added,
      (as_added_token){.content = (char *)content, .length = length, .id = id, .special = true, .silent = true});
}

/* T5's sentinels come after the pieces, <extra_id_0> last. */
static as_status add_extra_ids(as_loader *loader, const json_t *config) {
  int64_t count = 0;
  const char *class = "";
  as_status status = as_field_string(loader, config, "", "tokenizer_class", &class);
  if (strncmp(class, "T5Tokenizer", strlen("T5Tokenizer")) == 0) count = 100;
  if (status == AS_OK) status = as_field_int(loader, config, "", "extra_ids", 0, MAX_EXTRA_IDS, &count);
  size_t limit = loader->tokenizer->vocabulary.limit;
  for (int64_t i = 0; i < count && status == AS_OK; i++) {
    char content[32];
    int length = snprintf(content, sizeof content, "<extra_id_%" PRId64 ">", i);
    if (as_vocabulary_id(&loader->tokenizer->vocabulary, content, (size_t)length) >= 0) return AS_OK;
    status = add_silent(loader, content, (size_t)length, (int32_t)((int64_t)limit + count - 1 - i));
  }
  return status;
}

static as_status add_special_tokens(as_loader *loader, const as_piece_model *model, const json_t *config) {
  const as_vocabulary *vocabulary = &loader->tokenizer->vocabulary;
  as_status status = AS_OK;
  for (size_t id = 0; id < vocabulary->limit && status == AS_OK; id++) {
    if (model->types[id] != AS_PIECE_CONTROL && model->types[id] != AS_PIECE_UNKNOWN) continue;
    size_t length;
    const char *piece = as_vocabulary_token(vocabulary, (int64_t)id, &length);
    status = add_silent(loader, piece, length, (int32_t)id);
  }
  return status == AS_OK ? add_extra_ids(loader, config) : status;
}

static as_status make_template(as_loader *loader) {
  const as_tokenizer *tokenizer = loader->tokenizer;
  const char *const *names = (const char *const *)tokenizer->special;
  int32_t ids[AS_SPECIAL_TOKENS];
  for (int i = 0; i < AS_SPECIAL_TOKENS; i++)
    ids[i] = names[i] ? as_vocabulary_id(&tokenizer->vocabulary, names[i], strlen(names[i])) : -1;
  as_template form = {0};
  as_status status = AS_OK;
  if (ids[AS_TOKEN_CLS] >= 0 && ids[AS_TOKEN_SEP] >= 0)
    status = as_template_classifier(&form, loader->ctx, names[AS_TOKEN_CLS], ids[AS_TOKEN_CLS], names[AS_TOKEN_SEP],
                                    ids[AS_TOKEN_SEP], AS_FORM_BERT);
  else if (ids[AS_TOKEN_EOS] >= 0)
    status = as_template_ended(&form, loader->ctx, names[AS_TOKEN_EOS], ids[AS_TOKEN_EOS]);
  else
    return AS_OK;
  if (status != AS_OK) {
    as_template_free(&form, loader->ctx);
    return status;
  }
  return as_put_stage(loader->tokenizer, AS_STAGE_POST_PROCESSOR, &as_template_processing.component,
                      as_template_processing_new(loader->ctx, &form));
}

as_status as_make_piece_stages(as_loader *loader, as_piece_model *model) {
  json_t *config = NULL;
  as_status status = make_normalizer(loader, model);
  if (status == AS_OK) status = make_decoder(loader, model);
  if (status == AS_OK) status = make_model(loader, model);
  if (status == AS_OK) status = as_read_config(loader, &as_sentencepiece_model, &config);
  if (status == AS_OK) status = add_special_tokens(loader, model, config);
  if (status == AS_OK) status = make_template(loader);
  json_decref(config);
  return status;
}
