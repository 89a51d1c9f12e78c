/* A BERT tokenizer without a tokenizer.json: the stages are always the same, and the vocabulary, the special tokens'
 * names and a few switches say the rest. */
#include <string.h>

#include "tokenizer/added_tokens_json.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"
#include "tokenizer/tokenizer_config.h"
#include "tokenizer/vocab_file.h"

static as_status find(as_loader *loader, as_special_token which, const char *key, const char **token, int32_t *id) {
  *token = loader->tokenizer->special[which];
  *id = as_vocabulary_id(&loader->tokenizer->vocabulary, *token, strlen(*token));
  return *id < 0 ? as_field_fail(loader, "", key, "\"%s\" is not in the vocabulary", *token) : AS_OK;
}

static as_status put_stage(as_tokenizer *tokenizer, as_stage_kind kind, const as_component *type, void *state) {
  tokenizer->stages[kind].type = type;
  tokenizer->stages[kind].state = state;
  return state ? AS_OK : AS_E_NOMEM;
}

static as_status make_template(as_loader *loader) {
  as_tokenizer *tokenizer = loader->tokenizer;
  const char *cls = NULL, *sep = NULL;
  int32_t cls_id = 0, sep_id = 0;
  as_status status = find(loader, AS_TOKEN_CLS, "cls_token", &cls, &cls_id);
  if (status == AS_OK) status = find(loader, AS_TOKEN_SEP, "sep_token", &sep, &sep_id);
  if (status != AS_OK) return status;
  as_template form = {0};
  status = as_template_classifier(&form, loader->ctx, cls, cls_id, sep, sep_id, 1);
  if (status != AS_OK) {
    as_template_free(&form, loader->ctx);
    return status;
  }
  return put_stage(tokenizer, AS_STAGE_POST_PROCESSOR, &as_template_processing.component,
                   as_template_processing_new(loader->ctx, &form));
}

as_status as_make_bert_words(as_loader *loader, as_bert_switches switches) {
  loader->tokenizer->stages[AS_STAGE_PRE_TOKENIZER].type = &as_bert_pre_tokenizer.component;
  return put_stage(loader->tokenizer, AS_STAGE_NORMALIZER, &as_bert_normalizer.component,
                   as_bert_normalizer_new(loader->ctx, switches));
}

as_status as_make_bert_tokens(as_loader *loader) {
  as_tokenizer *tokenizer = loader->tokenizer;
  void *model = NULL;
  as_status status = as_wordpiece_new(loader, tokenizer->special[AS_TOKEN_UNK], "##", 100, &model);
  if (status != AS_OK) return status;
  status = put_stage(tokenizer, AS_STAGE_MODEL, &as_wordpiece_model.component, model);
  if (status == AS_OK)
    status = put_stage(tokenizer, AS_STAGE_DECODER, &as_wordpiece_decoder.component,
                       as_wordpiece_decoder_new(loader->ctx, "##", true));
  if (status == AS_OK) status = make_template(loader);
  for (int i = 0; i < AS_SPECIAL_TOKENS && status == AS_OK; i++) {
    const char *name = tokenizer->special[i];
    if (name && as_vocabulary_id(&tokenizer->vocabulary, name, strlen(name)) >= 0)
      status = as_add_special_token(loader, name);
  }
  return status;
}

as_status as_read_vocab_txt(as_loader *loader) {
  json_t *config = NULL;
  as_bert_switches switches = {
      .clean_text = true, .handle_chinese_chars = true, .strip_accents = AS_UNSET, .lowercase = true};
  as_status status = as_read_vocab_lines(loader);
  if (status == AS_OK) status = as_read_config(loader, as_wordpiece_model.special_tokens, &config);
  if (status == AS_OK) status = as_config_switches(loader, config, &switches);
  if (status == AS_OK) status = as_make_bert_words(loader, switches);
  if (status == AS_OK) status = as_make_bert_tokens(loader);
  if (status == AS_OK) status = as_config_added_tokens(loader, config);
  json_decref(config);
  return status;
}
