/* Every component that can stand in a tokenizer.json, and what is needed to make one without a file. */
#ifndef AS_TOKENIZER_COMPONENTS_H
#define AS_TOKENIZER_COMPONENTS_H

#include "tokenizer/bert_normalizer.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/precompiled.h"
#include "tokenizer/sequence.h"
#include "tokenizer/stages.h"
#include "tokenizer/unigram.h"

extern const as_pre_tokenizer_type as_bert_pre_tokenizer;
extern const as_model_type as_wordpiece_model;
extern const as_post_processor_type as_template_processing;
extern const as_post_processor_type as_bert_processing;
extern const as_decoder_type as_wordpiece_decoder;
extern const as_model_type as_bpe_model;
extern const as_pre_tokenizer_type as_byte_level_pre_tokenizer;
extern const as_post_processor_type as_roberta_processing;
extern const as_post_processor_type as_byte_level_processing;
extern const as_decoder_type as_byte_level_decoder;
extern const as_normalizer_type as_replace_normalizer;
extern const as_decoder_type as_replace_decoder;
extern const as_decoder_type as_byte_fallback_decoder;
extern const as_decoder_type as_fuse_decoder;
extern const as_decoder_type as_strip_decoder;

/* The readers of as_tokenizer_formats. */
as_status as_read_tokenizer_json(as_loader *loader);
as_status as_read_vocab_txt(as_loader *loader);
as_status as_read_vocab_json(as_loader *loader);
as_status as_read_piece_file(as_loader *loader);

/* The model over the vocabulary of loader->tokenizer, which is complete. AS_E_MODEL if it lacks the unknown token. */
AS_MUST_CHECK as_status as_wordpiece_new(as_loader *loader, const char *unk_token,
                                         const char *continuing_subword_prefix, size_t max_input_chars_per_word,
                                         void **state);
/* The state of a template with the pieces of `form`, which is taken over; NULL on failure (then it is freed). */
void *as_template_processing_new(as_context *ctx, as_template *form);
/* The members "sep" and "cls" of BertProcessing and RobertaProcessing, each a token and its id, as a template. What a
 * failure leaves in *form is the caller's. */
AS_MUST_CHECK as_status as_read_classifier(as_loader *loader, const json_t *json, as_classifier_form which,
                                           as_template *form);
void as_write_classifier(const as_template *form, as_json_writer *writer);
/* The state of RobertaProcessing with a template, which is taken over; NULL on failure (then it is freed). */
void *as_roberta_processing_new(as_context *ctx, as_template *form, as_byte_level members);
const as_byte_level *as_roberta_processing_members(const void *state);
void *as_wordpiece_decoder_new(as_context *ctx, const char *prefix, bool cleanup);
bool as_wordpiece_decoder_is_usual(const void *state); /* prefix ##, with cleanup */

/* The stages of a BERT tokenizer that make words of a text: normalizer and pre-tokenizer. */
AS_MUST_CHECK as_status as_make_bert_words(as_loader *loader, as_bert_switches switches);
/* Its other stages, around the vocabulary and the special tokens' names, which must be there; special tokens that the
 * vocabulary has become added tokens. AS_E_MODEL if it lacks unk_token, cls_token or sep_token. */
AS_MUST_CHECK as_status as_make_bert_tokens(as_loader *loader);

/* The same for a RoBERTa tokenizer: its pre-tokenizer, */
AS_MUST_CHECK as_status as_make_byte_words(as_loader *loader, as_byte_level members);
/* and its other stages but the model. AS_E_MODEL if the vocabulary lacks cls_token or sep_token. */
AS_MUST_CHECK as_status as_make_roberta_tokens(as_loader *loader, as_byte_level members);

#endif
