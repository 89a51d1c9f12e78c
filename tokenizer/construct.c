/* What the readers of vocabulary files and the trainers share: they make the stages that no file describes. */
#include "tokenizer/construct.h"

#include <string.h>

#include "base/memory.h"
#include "tokenizer/added_tokens_json.h"
#include "tokenizer/fields.h"

as_status as_name_special_tokens(as_loader *loader, const as_model_type *model) {
  for (int i = 0; i < AS_SPECIAL_TOKENS; i++) {
    if (!model->special_tokens[i]) continue;
    loader->tokenizer->special[i] = as_strdup(loader->ctx, model->special_tokens[i]);
    if (!loader->tokenizer->special[i]) return AS_E_NOMEM;
  }
  return AS_OK;
}

as_status as_put_stage(as_tokenizer *tokenizer, as_stage_kind kind, const as_component *type, void *state) {
  tokenizer->stages[kind].type = type;
  tokenizer->stages[kind].state = state;
  return state ? AS_OK : AS_E_NOMEM;
}

static as_status find(as_loader *loader, as_special_token which, const char *key, const char **token, int32_t *id) {
  *token = loader->tokenizer->special[which];
  *id = as_vocabulary_id(&loader->tokenizer->vocabulary, *token, strlen(*token));
  return *id < 0 ? as_field_fail(loader, "", key, "\"%s\" is not in the vocabulary", *token) : AS_OK;
}

as_status as_make_template(as_loader *loader, as_classifier_form which, as_template *form) {
  const char *cls = NULL, *sep = NULL;
  int32_t cls_id = 0, sep_id = 0;
  as_status status = find(loader, AS_TOKEN_CLS, "cls_token", &cls, &cls_id);
  if (status == AS_OK) status = find(loader, AS_TOKEN_SEP, "sep_token", &sep, &sep_id);
  if (status != AS_OK) return status;
  status = as_template_classifier(form, loader->ctx, cls, cls_id, sep, sep_id, which);
  if (status != AS_OK) as_template_free(form, loader->ctx);
  return status;
}

as_status as_add_special_tokens(as_loader *loader, bool mask_lstrip) {
  as_tokenizer *tokenizer = loader->tokenizer;
  as_status status = AS_OK;
  for (int i = 0; i < AS_SPECIAL_TOKENS && status == AS_OK; i++) {
    const char *name = tokenizer->special[i];
    if (name && as_vocabulary_id(&tokenizer->vocabulary, name, strlen(name)) >= 0)
      status = as_add_special_token(loader, name, i == AS_TOKEN_MASK && mask_lstrip);
  }
  return status;
}
