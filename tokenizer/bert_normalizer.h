/* BERT's normalizer; the one stage whose switches tokenizer_config.json knows, too. */
#ifndef AS_TOKENIZER_BERT_NORMALIZER_H
#define AS_TOKENIZER_BERT_NORMALIZER_H

#include "tokenizer/stages.h"

typedef enum as_tristate { AS_UNSET = -1, AS_FALSE = 0, AS_TRUE = 1 } as_tristate;

typedef struct as_bert_switches {
  bool clean_text;
  bool handle_chinese_chars;
  as_tristate strip_accents; /* unset: as lowercase */
  bool lowercase;
} as_bert_switches;

extern const as_normalizer_type as_bert_normalizer;

/* The normalizer's state for these switches; NULL on failure. */
void *as_bert_normalizer_new(as_context *ctx, as_bert_switches switches);
const as_bert_switches *as_bert_normalizer_switches(const void *state);

#endif
