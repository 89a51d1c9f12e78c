/* A RoBERTa tokenizer without a tokenizer.json: the stages are always the same, and vocab.json, merges.txt, the special
 * tokens' names and two switches say the rest. */
#include "base/file.h"
#include "base/memory.h"
#include "tokenizer/bpe.h"
#include "tokenizer/components.h"
#include "tokenizer/construct.h"
#include "tokenizer/fields.h"
#include "tokenizer/merges_file.h"
#include "tokenizer/tokenizer_config.h"
#include "tokenizer/vocab_file.h"

as_status as_make_byte_words(as_loader *loader, as_byte_level members) {
  return as_put_stage(loader->tokenizer, AS_STAGE_PRE_TOKENIZER, &as_byte_level_pre_tokenizer.component,
                      as_byte_level_new(loader->ctx, members));
}

as_status as_make_roberta_tokens(as_loader *loader, as_byte_level members) {
  as_tokenizer *tokenizer = loader->tokenizer;
  as_template form = {0};
  as_status status = as_put_stage(tokenizer, AS_STAGE_DECODER, &as_byte_level_decoder.component,
                                  as_byte_level_new(loader->ctx, members));
  if (status == AS_OK) status = as_make_template(loader, AS_FORM_ROBERTA, &form);
  if (status == AS_OK)
    status = as_put_stage(tokenizer, AS_STAGE_POST_PROCESSOR, &as_roberta_processing.component,
                          as_roberta_processing_new(loader->ctx, &form, members));
  return status == AS_OK ? as_add_special_tokens(loader, true) : status;
}

/* The rules lie beside the vocabulary. */
static as_status read_merges(as_loader *loader, as_bpe *bpe) {
  as_loader other = *loader;
  char *path = as_path_beside(loader->ctx, loader->path, "merges.txt");
  if (!path) return AS_E_NOMEM;
  other.path = path;
  as_status status = as_read_merges_txt(&other, bpe);
  as_free(loader->ctx, path);
  return status;
}

static as_status read_model(as_loader *loader) {
  as_bpe *bpe = as_bpe_new(loader->ctx);
  as_status status = as_put_stage(loader->tokenizer, AS_STAGE_MODEL, &as_bpe_model.component, bpe);
  if (status == AS_OK) status = as_read_vocab_document(loader);
  if (status == AS_OK) status = read_merges(loader, bpe);
  if (status == AS_OK) as_bpe_finish(loader, bpe);
  return status;
}

as_status as_read_vocab_json(as_loader *loader) {
  json_t *config = NULL;
  as_byte_level members = {.trim_offsets = true, .use_regex = true};
  as_status status = read_model(loader);
  if (status == AS_OK) status = as_read_config(loader, &as_bpe_model, &config);
  if (status == AS_OK) status = as_config_trimming(loader, config, &members);
  if (status == AS_OK) status = as_make_byte_words(loader, members);
  if (status == AS_OK) status = as_make_roberta_tokens(loader, members);
  if (status == AS_OK) status = as_config_added_tokens(loader, config);
  json_decref(config);
  return status;
}
