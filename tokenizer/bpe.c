/* BPE: a word becomes its characters, then neighbours are joined by the merge rules. What byte-level BPE adds to that
 * are the stages around it (byte_level.c). */
#include "tokenizer/bpe.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"
#include "tokenizer/merges_file.h"
#include "tokenizer/vocab_file.h"

/* ---- state ---------------------------------------------------------------------------------------------------- */

as_bpe *as_bpe_new(as_context *ctx) {
  as_bpe *self = as_alloc_zero(ctx, 1, sizeof *self);
  if (!self) return NULL;
  as_merge_table_init(&self->merges, ctx);
  self->unk_id = -1;
  return self;
}

void as_bpe_free(as_context *ctx, as_bpe *bpe) {
  if (!bpe) return;
  as_merge_table_free(&bpe->merges);
  as_free(ctx, bpe->unk_token);
  as_free(ctx, bpe);
}

static void release(as_context *ctx, void *state) {
  as_bpe_free(ctx, state);
}

void as_bpe_finish(as_loader *loader, as_bpe *bpe) {
  for (uint32_t c = 0; c < AS_BYTE_CHARACTERS; c++) {
    char bytes[4];
    size_t size = (size_t)as_utf8_encode(c, bytes);
    bpe->characters[c] = as_vocabulary_id(&loader->tokenizer->vocabulary, bytes, size);
  }
}

/* ---- reading and writing -------------------------------------------------------------------------------------- */

/* Refuses what makes other tokens than the rules alone. */
static as_status check_members(as_loader *loader, const json_t *json) {
  static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
  const json_t *dropout = json_object_get(json, "dropout");
  bool byte_fallback = false;
  if (json_is_number(dropout) && json_number_value(dropout) != 0)
    return as_field_fail(loader, "", "dropout", "is for training and is not supported: remove it");
  for (int i = 0; i < 2; i++) {
    const char *affix = "";
    as_status status = as_field_string(loader, json, "", affixes[i], &affix);
    if (status != AS_OK) return status;
    if (*affix) return as_field_fail(loader, "", affixes[i], "\"%.60s\" is not supported", affix);
  }
  as_status status = as_field_bool(loader, json, "", "byte_fallback", &byte_fallback);
  if (status == AS_OK && byte_fallback) return as_field_fail(loader, "", "byte_fallback", "is not supported");
  return status;
}

static as_status read_unknown(as_loader *loader, const json_t *json, as_bpe *self) {
  const char *unk_token = NULL;
  as_status status = as_field_string(loader, json, "", "unk_token", &unk_token);
  if (status != AS_OK || !unk_token) return status;
  self->unk_token = as_strdup(loader->ctx, unk_token);
  if (!self->unk_token) return AS_E_NOMEM;
  self->unk_id = as_vocabulary_id(&loader->tokenizer->vocabulary, unk_token, strlen(unk_token));
  return self->unk_id < 0 ? as_field_fail(loader, "", "unk_token", "\"%.60s\" is not in the vocabulary", unk_token)
                          : AS_OK;
}

static as_status read_members(as_loader *loader, const json_t *json, as_bpe *self) {
  as_status status = check_members(loader, json);
  if (status == AS_OK) status = as_field_bool(loader, json, "", "fuse_unk", &self->fuse_unk);
  if (status == AS_OK) status = as_field_bool(loader, json, "", "ignore_merges", &self->ignore_merges);
  if (status == AS_OK) status = as_read_vocab_object(loader, json_object_get(json, "vocab"), "vocab");
  if (status == AS_OK) status = read_unknown(loader, json, self);
  if (status == AS_OK) status = as_read_merges_list(loader, json, self);
  if (status == AS_OK) as_bpe_finish(loader, self);
  return status;
}

static as_status read_model(as_loader *loader, const json_t *json, void **state) {
  as_bpe *self = as_bpe_new(loader->ctx);
  if (!self) return AS_E_NOMEM;
  *state = self;
  return read_members(loader, json, self);
}

static void write_model(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const as_bpe *self = state;
  as_json_null(writer, "dropout");
  if (self->unk_token)
    as_json_string(writer, "unk_token", self->unk_token);
  else
    as_json_null(writer, "unk_token");
  as_json_string(writer, "continuing_subword_prefix", "");
  as_json_string(writer, "end_of_word_suffix", "");
  as_json_bool(writer, "fuse_unk", self->fuse_unk);
  as_json_bool(writer, "byte_fallback", false);
  as_json_bool(writer, "ignore_merges", self->ignore_merges);
  as_write_vocab_object(tokenizer, "vocab", writer);
  as_write_merges_list(tokenizer, self, writer);
}

static as_status save(const as_tokenizer *tokenizer, const void *state, const char *folder) {
  as_status status = as_save_vocab_json(tokenizer, folder);
  return status == AS_OK ? as_save_merges_txt(tokenizer, state, folder) : status;
}

/* Whether the pipeline is what transformers builds as RobertaTokenizer: from vocabulary, merges, special tokens and two
 * switches alone, whatever tokenizer.json says. */
static bool is_roberta(const as_tokenizer *tokenizer, const as_bpe *self) {
  const as_stage *stages = tokenizer->stages;
  const as_template *form = as_template_of(tokenizer);
  const int32_t *ids = tokenizer->special_ids;
  if (stages[AS_STAGE_NORMALIZER].type ||
      stages[AS_STAGE_PRE_TOKENIZER].type != &as_byte_level_pre_tokenizer.component ||
      stages[AS_STAGE_POST_PROCESSOR].type != &as_roberta_processing.component ||
      stages[AS_STAGE_DECODER].type != &as_byte_level_decoder.component)
    return false;
  const as_byte_level *before = as_byte_level_members(stages[AS_STAGE_PRE_TOKENIZER].state);
  const as_byte_level *after = as_roberta_processing_members(stages[AS_STAGE_POST_PROCESSOR].state);
  return before->use_regex && before->add_prefix_space == after->add_prefix_space && !self->unk_token &&
         !self->ignore_merges && as_template_is_classifier(form, ids[AS_TOKEN_CLS], ids[AS_TOKEN_SEP], AS_FORM_ROBERTA);
}

static void write_config(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  bool roberta = is_roberta(tokenizer, state);
  as_json_string(writer, "tokenizer_class", roberta ? "RobertaTokenizer" : "PreTrainedTokenizerFast");
  if (roberta)
    as_write_trimming(as_roberta_processing_members(tokenizer->stages[AS_STAGE_POST_PROCESSOR].state), writer);
}

/* ---- running -------------------------------------------------------------------------------------------------- */

static int32_t character_id(const as_tokenizer *tokenizer, const as_bpe *self, const char *text, size_t length,
                            size_t *size) {
  uint32_t code_point;
  int decoded = as_utf8_decode(text, length, &code_point);
  *size = (size_t)(decoded < 0 ? -decoded : decoded);
  if (code_point < AS_BYTE_CHARACTERS && decoded > 0) return self->characters[code_point];
  return as_vocabulary_id(&tokenizer->vocabulary, text, *size);
}

/* Puts the characters of a word into work->bpe. One without a token becomes the unknown one, or nothing at all: then
 * what follows takes its place, also in the offsets, as in the reference. */
static as_status spell(const as_tokenizer *tokenizer, const as_bpe *self, as_work *work, const char *text,
                       size_t length) {
  as_bpe_word *word = &work->bpe;
  bool unknown = false; /* the last symbol is the unknown one */
  as_status status = AS_OK;
  word->count = 0;
  for (size_t at = 0, size; at < length && status == AS_OK; at += size) {
    int32_t id = character_id(tokenizer, self, text + at, length - at, &size);
    if (id < 0 && unknown && self->fuse_unk) {
      word->symbols[word->count - 1].length += (uint32_t)size;
      continue;
    }
    unknown = id < 0;
    if (unknown) id = self->unk_id;
    if (id >= 0) status = as_bpe_word_put(word, work->ctx, id, size);
    unknown = unknown && self->unk_id >= 0;
  }
  return status;
}

static as_status tokenize(const as_tokenizer *tokenizer, const void *state, as_work *work, uint32_t start,
                          uint32_t end) {
  const as_bpe *self = state;
  if (start == end) return AS_OK;
  if (self->ignore_merges) {
    int32_t id = as_vocabulary_id(&tokenizer->vocabulary, work->text.bytes + start, end - start);
    if (id >= 0) return as_work_emit(work, id, start, end);
  }
  as_status status = spell(tokenizer, self, work, work->text.bytes + start, end - start);
  if (status == AS_OK) status = as_bpe_word_merge(&work->bpe, &self->merges, work->ctx);
  const as_bpe_word *word = &work->bpe;
  for (size_t i = 0; i < word->count && status == AS_OK; i++) {
    const as_bpe_symbol *symbol = &word->symbols[i];
    if (symbol->length == 0) continue;
    status = as_work_emit(work, symbol->id, start, start + symbol->length);
    start += symbol->length;
  }
  return status;
}

const as_model_type as_bpe_model = {
    .component = {.name = "BPE", .telltale = "merges", .read = read_model, .write = write_model, .release = release},
    .tokenize = tokenize,
    .save = save,
    .special_tokens = {[AS_TOKEN_UNK] = "<unk>",
                       [AS_TOKEN_SEP] = "</s>",
                       [AS_TOKEN_PAD] = "<pad>",
                       [AS_TOKEN_CLS] = "<s>",
                       [AS_TOKEN_MASK] = "<mask>",
                       [AS_TOKEN_BOS] = "<s>",
                       [AS_TOKEN_EOS] = "</s>"},
    .write_config = write_config,
};
