/* WordPiece: a word becomes the longest token that it begins with, then, with the continuing prefix before what is
 * left, the longest again; a word with a part that no token matches, or of too many characters, is one unknown token.
 * (Devlin et al., "BERT", and the reference implementation's greedy longest-match-first.)
 *
 * The tokens that may continue a word are the subtree of the vocabulary's trie below the prefix. A word's cost is
 * bounded by its length limit times the longest token. */
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"
#include "tokenizer/vocab_file.h"

enum { LONGEST_WORD = 1 << 16 };

typedef struct wordpiece {
  char *unk_token, *prefix;
  size_t max_chars;
  int32_t unk_id;
  int64_t continuing; /* the trie's node below the prefix; -1: no token continues a word */
} wordpiece;

/* ---- state ---------------------------------------------------------------------------------------------------- */

static void release(as_context *ctx, void *state) {
  wordpiece *self = state;
  as_free(ctx, self->unk_token);
  as_free(ctx, self->prefix);
  as_free(ctx, self);
}

as_status as_wordpiece_new(as_loader *loader, const char *unk_token, const char *continuing_subword_prefix,
                           size_t max_input_chars_per_word, void **state) {
  as_context *ctx = loader->ctx;
  const as_vocabulary *vocabulary = &loader->tokenizer->vocabulary;
  int32_t unk_id = as_vocabulary_id(vocabulary, unk_token, strlen(unk_token));
  if (unk_id < 0) return as_field_fail(loader, "", "unk_token", "\"%s\" is not in the vocabulary", unk_token);
  wordpiece *self = as_alloc_zero(ctx, 1, sizeof *self);
  if (!self) return AS_E_NOMEM;
  self->unk_token = as_strdup(ctx, unk_token);
  self->prefix = as_strdup(ctx, continuing_subword_prefix);
  if (!self->unk_token || !self->prefix) {
    release(ctx, self);
    return AS_E_NOMEM;
  }
  self->max_chars = max_input_chars_per_word;
  self->unk_id = unk_id;
  self->continuing = as_trie_node(&vocabulary->trie, self->prefix, strlen(self->prefix));
  *state = self;
  return AS_OK;
}

static as_status read_model(as_loader *loader, const json_t *json, void **state) {
  const char *unk_token = "[UNK]", *prefix = "##";
  int64_t max_chars = 100;
  as_status status = as_field_string(loader, json, "", "unk_token", &unk_token);
  if (status == AS_OK) status = as_field_string(loader, json, "", "continuing_subword_prefix", &prefix);
  if (status == AS_OK) status = as_field_int(loader, json, "", "max_input_chars_per_word", 1, LONGEST_WORD, &max_chars);
  if (status == AS_OK) status = as_read_vocab_object(loader, json_object_get(json, "vocab"), "vocab");
  if (status == AS_OK) status = as_wordpiece_new(loader, unk_token, prefix, (size_t)max_chars, state);
  return status;
}

static void write_model(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const wordpiece *self = state;
  as_json_string(writer, "unk_token", self->unk_token);
  as_json_string(writer, "continuing_subword_prefix", self->prefix);
  as_json_int(writer, "max_input_chars_per_word", (int64_t)self->max_chars);
  as_write_vocab_object(tokenizer, "vocab", writer);
}

/* Whether the pipeline is what transformers builds as BertTokenizer: from the vocabulary, the special tokens and three
 * switches alone, whatever tokenizer.json says. */
static bool is_bert(const as_tokenizer *tokenizer, const wordpiece *self) {
  const as_template *form = as_template_of(tokenizer);
  const int32_t *ids = tokenizer->special_ids;
  if (tokenizer->stages[AS_STAGE_NORMALIZER].type != &as_bert_normalizer.component ||
      tokenizer->stages[AS_STAGE_PRE_TOKENIZER].type != &as_bert_pre_tokenizer.component ||
      tokenizer->stages[AS_STAGE_DECODER].type != &as_wordpiece_decoder.component || !form)
    return false;
  return as_bert_normalizer_switches(tokenizer->stages[AS_STAGE_NORMALIZER].state)->clean_text &&
         as_wordpiece_decoder_is_usual(tokenizer->stages[AS_STAGE_DECODER].state) && strcmp(self->prefix, "##") == 0 &&
         self->max_chars == 100 && self->unk_id == ids[AS_TOKEN_UNK] &&
         as_template_is_classifier(form, ids[AS_TOKEN_CLS], ids[AS_TOKEN_SEP], AS_FORM_BERT);
}

static void write_config(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  bool bert = is_bert(tokenizer, state);
  as_json_string(writer, "tokenizer_class", bert ? "BertTokenizer" : "PreTrainedTokenizerFast");
  if (!bert) return;
  const as_bert_switches *switches = as_bert_normalizer_switches(tokenizer->stages[AS_STAGE_NORMALIZER].state);
  as_json_bool(writer, "do_lower_case", switches->lowercase);
  if (switches->strip_accents == AS_UNSET)
    as_json_null(writer, "strip_accents");
  else
    as_json_bool(writer, "strip_accents", switches->strip_accents == AS_TRUE);
  as_json_bool(writer, "tokenize_chinese_chars", switches->handle_chinese_chars);
}

/* ---- running -------------------------------------------------------------------------------------------------- */

static size_t count_characters(const char *text, size_t length) {
  size_t count = 0;
  for (size_t i = 0; i < length; i++) count += ((unsigned char)text[i] & 0xC0) != 0x80;
  return count;
}

static as_status tokenize(const as_tokenizer *tokenizer, const void *state, as_work *work, uint32_t start,
                          uint32_t end) {
  const wordpiece *self = state;
  const as_trie *trie = &tokenizer->vocabulary.trie;
  const char *text = work->text.bytes;
  size_t first_token = work->list->length, size;
  if (end - start > self->max_chars && count_characters(text + start, end - start) > self->max_chars)
    return as_work_emit(work, self->unk_id, start, end);
  for (uint32_t at = start; at < end; at += (uint32_t)size) {
    int64_t node = at == start ? 0 : self->continuing;
    int32_t id = node < 0 ? -1 : as_trie_longest(trie, (uint32_t)node, text + at, end - at, &size);
    if (id < 0) {
      work->list->length = first_token;
      return as_work_emit(work, self->unk_id, start, end);
    }
    as_status status = as_work_emit(work, id, at, at + (uint32_t)size);
    if (status != AS_OK) return status;
  }
  return AS_OK;
}

const as_model_type as_wordpiece_model = {
    .component = {.name = "WordPiece",
                  .telltale = "max_input_chars_per_word",
                  .read = read_model,
                  .write = write_model,
                  .release = release},
    .tokenize = tokenize,
    .save = as_save_vocab_txt,
    .special_tokens = {[AS_TOKEN_UNK] = "[UNK]",
                       [AS_TOKEN_SEP] = "[SEP]",
                       [AS_TOKEN_PAD] = "[PAD]",
                       [AS_TOKEN_CLS] = "[CLS]",
                       [AS_TOKEN_MASK] = "[MASK]"},
    .write_config = write_config,
};
