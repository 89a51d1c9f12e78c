/* A BERT tokenizer without a tokenizer.json: the stages are always the same, and the vocabulary, the special tokens'
 * names and a few switches say the rest. */
#include "tokenizer/components.h"
#include "tokenizer/construct.h"
#include "tokenizer/tokenizer_config.h"
#include "tokenizer/vocab_file.h"

static as_status make_template(as_loader *loader) {
  as_template form = {0};
  as_status status = as_make_template(loader, AS_FORM_BERT, &form);
  if (status != AS_OK) return status;
  return as_put_stage(loader->tokenizer, AS_STAGE_POST_PROCESSOR, &as_template_processing.component,
                      as_template_processing_new(loader->ctx, &form));
}

as_status as_make_bert_words(as_loader *loader, as_bert_switches switches) {
  loader->tokenizer->stages[AS_STAGE_PRE_TOKENIZER].type = &as_bert_pre_tokenizer.component;
  return as_put_stage(loader->tokenizer, AS_STAGE_NORMALIZER, &as_bert_normalizer.component,
                      as_bert_normalizer_new(loader->ctx, switches));
}

as_status as_make_bert_tokens(as_loader *loader) {
  as_tokenizer *tokenizer = loader->tokenizer;
  void *model = NULL;
  as_status status = as_wordpiece_new(loader, tokenizer->special[AS_TOKEN_UNK], "##", 100, &model);
  if (status != AS_OK) return status;
  status = as_put_stage(tokenizer, AS_STAGE_MODEL, &as_wordpiece_model.component, model);
  if (status == AS_OK)
    status = as_put_stage(tokenizer, AS_STAGE_DECODER, &as_wordpiece_decoder.component,
                          as_wordpiece_decoder_new(loader->ctx, "##", true));
  if (status == AS_OK) status = make_template(loader);
  if (status == AS_OK) status = as_add_special_tokens(loader, false);
  return status;
}

as_status as_read_vocab_txt(as_loader *loader) {
  json_t *config = NULL;
  as_bert_switches switches = {
      .clean_text = true, .handle_chinese_chars = true, .strip_accents = AS_UNSET, .lowercase = true};
  as_status status = as_read_vocab_lines(loader);
  if (status == AS_OK) status = as_read_config(loader, &as_wordpiece_model, &config);
  if (status == AS_OK) status = as_config_switches(loader, config, &switches);
  if (status == AS_OK) status = as_make_bert_words(loader, switches);
  if (status == AS_OK) status = as_make_bert_tokens(loader);
  if (status == AS_OK) status = as_config_added_tokens(loader, config);
  json_decref(config);
  return status;
}
