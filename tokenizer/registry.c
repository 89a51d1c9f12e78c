/* The tables of what we can read: a new component or file format is one more row here. */
#include "tokenizer/components.h"

static const as_component *const models[] = {&as_wordpiece_model.component, &as_bpe_model.component,
                                             &as_unigram_model.component, NULL};
static const as_component *const normalizers[] = {&as_bert_normalizer.component, &as_normalizer_sequence.component,
                                                  &as_precompiled_normalizer.component,
                                                  &as_replace_normalizer.component, NULL};
static const as_component *const pre_tokenizers[] = {
    &as_bert_pre_tokenizer.component,      &as_byte_level_pre_tokenizer.component, &as_pre_tokenizer_sequence.component,
    &as_metaspace_pre_tokenizer.component, &as_whitespace_split.component,         NULL};
static const as_component *const post_processors[] = {&as_template_processing.component, &as_bert_processing.component,
                                                      &as_roberta_processing.component,
                                                      &as_byte_level_processing.component, NULL};
static const as_component *const decoders[] = {
    &as_wordpiece_decoder.component, &as_byte_level_decoder.component,    &as_decoder_sequence.component,
    &as_metaspace_decoder.component, &as_replace_decoder.component,       &as_fuse_decoder.component,
    &as_strip_decoder.component,     &as_byte_fallback_decoder.component, NULL};

const as_component *const *const as_components[AS_STAGES] = {
    [AS_STAGE_MODEL] = models,
    [AS_STAGE_NORMALIZER] = normalizers,
    [AS_STAGE_PRE_TOKENIZER] = pre_tokenizers,
    [AS_STAGE_POST_PROCESSOR] = post_processors,
    [AS_STAGE_DECODER] = decoders,
};

const as_tokenizer_format as_tokenizer_formats[] = {
    {"tokenizer.json", as_read_tokenizer_json},
    {"vocab.txt", as_read_vocab_txt},
    {"vocab.json", as_read_vocab_json},
    {"spiece.model", as_read_piece_file},
    {NULL, NULL},
};
