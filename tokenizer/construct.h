/* Making a tokenizer: an empty one, then a format's reader or a trainer fills it, then finishing. */
#ifndef AS_TOKENIZER_CONSTRUCT_H
#define AS_TOKENIZER_CONSTRUCT_H

#include "tokenizer/stages.h"

as_tokenizer *as_tokenizer_new(as_context *ctx); /* NULL on failure; freed with as_tokenizer_free however far it came */

/* Calls the special tokens what the model calls them if nobody says otherwise (as_model_type.special_tokens). */
AS_MUST_CHECK as_status as_name_special_tokens(as_loader *loader, const as_model_type *model);

/* Puts a component to work; AS_E_NOMEM if `state` is NULL. */
AS_MUST_CHECK as_status as_put_stage(as_tokenizer *tokenizer, as_stage_kind kind, const as_component *type,
                                     void *state);

/* Makes the template of an encoder from cls_token and sep_token. AS_E_MODEL if the vocabulary lacks them; what *form
 * holds is freed then. */
AS_MUST_CHECK as_status as_make_template(as_loader *loader, as_classifier_form which, as_template *form);

/* The special tokens that the vocabulary has become added tokens; the mask with its flag `lstrip`. */
AS_MUST_CHECK as_status as_add_special_tokens(as_loader *loader, bool mask_lstrip);

/* Makes added tokens findable, looks up the special tokens and checks the template; the last step. */
AS_MUST_CHECK as_status as_tokenizer_finish(as_loader *loader);

#endif
