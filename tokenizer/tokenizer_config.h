/* tokenizer_config.json and special_tokens_map.json: what transformers wants to know beside the pipeline. */
#ifndef AS_TOKENIZER_TOKENIZER_CONFIG_H
#define AS_TOKENIZER_TOKENIZER_CONFIG_H

#include "tokenizer/bert_normalizer.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/stages.h"

/* Reads the two files that lie beside loader->path, if they do: the special tokens' names (a name that they do not give
 * is the model's own) and model_max_length. *config is the first file's document, NULL if there is none; the caller
 * frees it with json_decref. */
AS_MUST_CHECK as_status as_read_config(as_loader *loader, const as_model_type *model, json_t **config);

/* BERT's switches as the document gives them. */
AS_MUST_CHECK as_status as_config_switches(as_loader *loader, const json_t *config, as_bert_switches *switches);

/* RoBERTa's switches as the document gives them. */
AS_MUST_CHECK as_status as_config_trimming(as_loader *loader, const json_t *config, as_byte_level *members);

/* Adds the document's added_tokens_decoder to the added tokens. */
AS_MUST_CHECK as_status as_config_added_tokens(as_loader *loader, const json_t *config);

/* Writes the two files. */
AS_MUST_CHECK as_status as_save_config(const as_tokenizer *tokenizer, const char *folder, size_t model_max_length);

#endif
