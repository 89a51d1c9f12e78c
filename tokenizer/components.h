/* Every component that can stand in a tokenizer.json, and what is needed to make one without a file. */
#ifndef AS_TOKENIZER_COMPONENTS_H
#define AS_TOKENIZER_COMPONENTS_H

#include "tokenizer/bert_normalizer.h"
#include "tokenizer/stages.h"

extern const as_pre_tokenizer_type as_bert_pre_tokenizer;
extern const as_model_type as_wordpiece_model;
extern const as_post_processor_type as_template_processing;
extern const as_post_processor_type as_bert_processing;
extern const as_decoder_type as_wordpiece_decoder;

/* The readers of as_tokenizer_formats. */
as_status as_read_tokenizer_json(as_loader *loader);
as_status as_read_vocab_txt(as_loader *loader);

/* The model over the vocabulary of loader->tokenizer, which is complete. AS_E_MODEL if it lacks the unknown token. */
AS_MUST_CHECK as_status as_wordpiece_new(as_loader *loader, const char *unk_token,
                                         const char *continuing_subword_prefix, size_t max_input_chars_per_word,
                                         void **state);
/* The state of a template with the pieces of `form`, which is taken over; NULL on failure (then it is freed). */
void *as_template_processing_new(as_context *ctx, as_template *form);
void *as_wordpiece_decoder_new(as_context *ctx, const char *prefix, bool cleanup);

/* Makes the stages of a BERT tokenizer around its vocabulary: all but the vocabulary, the special tokens' names and the
 * added tokens, which must be there. AS_E_MODEL if unk_token, cls_token or sep_token is not in the vocabulary. */
AS_MUST_CHECK as_status as_make_bert(as_loader *loader, as_bert_switches switches);

#endif
