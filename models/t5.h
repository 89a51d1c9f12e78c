/* T5 (Raffel et al. 2020) and T5 v1.1: an encoder and a decoder that attends to it, as transformers'
 * T5ForConditionalGeneration. */
#ifndef AS_MODELS_T5_H
#define AS_MODELS_T5_H

#include "models/t5_batch.h"
#include "models/t5_config.h"
#include "nn/t5_block.h"

/* Sizes for training from nothing; small and base are t5-small and t5-base. */
typedef struct as_t5_preset {
  const char *name; /* tiny, mini, small, base */
  int64_t d_model, d_kv, d_ff, num_heads, num_layers;
} as_t5_preset;
extern const as_t5_preset as_t5_presets[]; /* ended by a NULL name */
/* NULL if there is none of this name. */
const as_t5_preset *as_t5_preset_find(const char *name);

/* The configuration of a fresh model: of v1.1 (gated GELU, output matrix of its own, no scaling) or of v1.0. */
as_t5_config as_t5_config_preset(const as_t5_preset *preset, int64_t vocab_size, bool v1_1);

typedef struct as_t5 as_t5;

typedef struct as_t5_options {
  bool gradients;   /* room for gradients */
  bool packed;      /* for generation alone: weights only in the form for products with few rows; not with gradients */
  uint64_t seed;    /* of what is fresh */
  double dropout;   /* below 0: as configured */
} as_t5_options;

/* Opens a Hugging Face folder. AS_E_MODEL with a text that names the file and the field or tensor. Whether the output
 * matrix is the embeddings' is decided by the file: lm_head.weight is there and differs from shared.weight, or not. On
 * failure *out is NULL. */
AS_MUST_CHECK as_status as_t5_open(as_context *ctx, const char *folder, const as_t5_options *options, as_t5 **out);
/* A fresh one; `tied`: the output matrix is the embeddings'. */
AS_MUST_CHECK as_status as_t5_new(as_context *ctx, const as_t5_config *config, bool tied, const as_t5_options *options,
                                  as_t5 **out);
void as_t5_free(as_t5 *t5); /* NULL is allowed */
/* Writes config.json and model.safetensors into the folder, which must exist. */
AS_MUST_CHECK as_status as_t5_save(const as_t5 *t5, const char *folder);

const as_t5_config *as_t5_get_config(const as_t5 *t5);
as_parameters *as_t5_parameters(as_t5 *t5);
const as_parameters *as_t5_const_parameters(const as_t5 *t5);
bool as_t5_is_tied(const as_t5 *t5);
/* What the output projection multiplies its input with: d_model^-0.5, or 1 where it is not scaled. */
double as_t5_output_scale(const as_t5 *t5);

/* The parameters in their places, for those who compute with them outside of a graph. */
typedef struct as_t5_layout {
  int shared, position_bias, final_norm, output; /* position bias and norm of the decoder; output: lm_head, or shared */
  const as_t5_block *blocks;                     /* of the decoder */
  as_t5_block_config block;
} as_t5_layout;
as_t5_layout as_t5_decoder_layout(const as_t5 *t5);

/* ---- recording -------------------------------------------------------------------------------------------------- */

/* Records the encoder on the sources -> [tokens, d_model], after the final norm. With `hidden` (room for num_layers)
 * hidden[i] is the output of block i + 1, before that norm. */
as_tensor *as_t5_record_encoder(as_graph *g, const as_t5 *t5, const as_encoder_batch *source, as_tensor **hidden);

/* Records the decoder on the targets, attending to `encoded` -> [tokens, d_model], after the final norm and before any
 * scaling. `hidden` as above, num_decoder_layers. */
as_tensor *as_t5_record_decoder(as_graph *g, const as_t5 *t5, const as_encoder_batch *target, as_tensor *encoded,
                                const as_encoder_batch *source, as_tensor **hidden);

/* x [rows, d_model] from the decoder -> logits [rows, vocab_size]. */
as_tensor *as_t5_record_logits(as_graph *g, const as_t5 *t5, as_tensor *x);

/* Records the whole, and the cross entropy of the batch's labels summed and divided by `denominator` (0: by the number
 * of labels that count) -> [1]. The logits of all tokens are never there at the same time. */
as_tensor *as_t5_record_loss(as_graph *g, const as_t5 *t5, const as_t5_batch *batch, double label_smoothing,
                             double denominator);

#endif
