/* Transformer encoders with a classification head or that of a masked language model: one code for every architecture
 * that a description can tell apart.
 *
 * An architecture (models/distilbert.c, ...) turns its config.json into an as_encoder_description: sizes, dropouts,
 * names of tensors. From there on, declaring parameters, loading, recording and saving are the same for all. */
#ifndef AS_MODELS_ENCODER_H
#define AS_MODELS_ENCODER_H

#include "base/buffer.h"
#include "models/checkpoint.h"
#include "models/encoder_batch.h"
#include "models/encoder_config.h"
#include "nn/classification_head.h"
#include "nn/encoder_block.h"
#include "nn/masked_lm_head.h"

#define AS_ENCODER_MAX_TABLES 3

/* An embedding table: its parameter, its rows, and which index array of the batch chooses from it. */
typedef enum as_encoder_index { AS_INDEX_IDS, AS_INDEX_POSITIONS, AS_INDEX_TYPES } as_encoder_index;
typedef struct as_encoder_table {
  const char *name;
  as_encoder_index index;
  int64_t rows;
  int64_t padding_row; /* -1: none */
  bool fixed;          /* never trained */
} as_encoder_table;

typedef struct as_encoder_description {
  int64_t vocab_size, layers, max_tokens;
  int64_t pad_token_id;
  int64_t first_position; /* position id of the first token */
  /* a token equal to pad_token_id gets position pad_token_id and is not counted (RoBERTa) */
  bool positions_skip_padding;
  double initializer_range;
  int table_count;
  as_encoder_table tables[AS_ENCODER_MAX_TABLES];
  const char *embedding_norm; /* stem */
  double embedding_dropout;
  as_encoder_block_config block;
  const char *block_prefix; /* followed by ".<number from 0>." */
  const as_encoder_block_names *block_names;
  as_classification_head_config head; /* classes: as the file has them */
  const char *head_dense, *head_output;
  as_masked_lm_head_config masked_lm_head;
  const char *prefix; /* of the body's tensors: "distilbert." */
} as_encoder_description;

/* Sizes for training from nothing. */
typedef struct as_encoder_preset {
  const char *name; /* tiny, mini, small, base */
  int64_t dim, hidden_dim, heads, layers;
} as_encoder_preset;

/* What an architecture has to say. `config` is its own struct, which `format` describes. */
typedef struct as_encoder_architecture {
  const as_encoder_config_format *format; /* its model_type is the architecture's name */
  const as_encoder_preset *presets;       /* ended by a NULL name */
  const char *tokenizer;                  /* of a fresh model: the kind as tokenizer.json calls it, "WordPiece" */
  /* Puts these into a configuration that has the defaults. */
  void (*set_sizes)(void *config, const as_encoder_preset *preset, int64_t vocab_size, int64_t pad_token_id);
  void (*set_dropout)(void *config, double dropout); /* every dropout probability */
  as_encoder_description (*describe)(const void *config);
} as_encoder_architecture;
extern const as_encoder_architecture as_distilbert, as_roberta;
extern const as_encoder_architecture *const as_encoder_architectures[]; /* ended by NULL */

/* NULL if there is none of this name. */
const as_encoder_architecture *as_encoder_architecture_find(const char *model_type);
const as_encoder_preset *as_encoder_preset_find(const as_encoder_architecture *architecture, const char *name);
/* Adds the names of all architectures: "distilbert, roberta". */
void as_encoder_architectures_list(as_buffer *out);

typedef struct as_encoder as_encoder;

/* Where the head of an opened encoder comes from. */
typedef enum as_encoder_head {
  AS_HEAD_LOADED,
  AS_HEAD_ABSENT,  /* the folder has none; it is fresh */
  AS_HEAD_REPLACED /* the labels differ; it is fresh */
} as_encoder_head;

typedef struct as_encoder_options {
  bool gradients;          /* room for gradients */
  bool borrow;             /* the weights are only read: F32 in a safetensors file stay in the file, mapped */
  bool masked_lm;          /* with the head of a masked language model in place of the classification head */
  bool fresh_head;         /* an absent head is made fresh; otherwise it is refused */
  /* NULL: the folder's. Another set of labels replaces the head; the same set keeps the folder's order */
  const as_labels *labels;
  uint64_t seed;           /* of what is fresh */
  double dropout;          /* below 0: as configured */
} as_encoder_options;

/* Opens a Hugging Face folder. AS_E_MODEL with a text that names the file and the field or tensor. On failure *out is
 * NULL. */
AS_MUST_CHECK as_status as_encoder_open(as_context *ctx, const char *folder, const as_encoder_options *options,
                                        as_encoder **out);
/* A fresh one. Labels are copied. */
AS_MUST_CHECK as_status as_encoder_new(as_context *ctx, const as_encoder_architecture *architecture,
                                       const as_encoder_preset *preset, int64_t vocab_size, int64_t pad_token_id,
                                       const as_encoder_options *options, as_encoder **out);
void as_encoder_free(as_encoder *encoder); /* NULL is allowed */
/* Writes config.json and model.safetensors into the folder, which must exist. */
AS_MUST_CHECK as_status as_encoder_save(const as_encoder *encoder, const char *folder);

/* Packs all matrices for repeated use without training: faster on short inputs. The packed form replaces the weights
 * and what was borrowed of a file, so hidden states of the last layer can't be recorded from then on. Nobody may be
 * recording meanwhile. */
AS_MUST_CHECK as_status as_encoder_pack(as_encoder *encoder);

as_parameters *as_encoder_parameters(as_encoder *encoder);
const as_encoder_description *as_encoder_describe(const as_encoder *encoder);
const as_encoder_architecture *as_encoder_get_architecture(const as_encoder *encoder);
const as_labels *as_encoder_labels(const as_encoder *encoder);
as_encoder_head as_encoder_head_origin(const as_encoder *encoder);

/* Whether it has the head of a masked language model; then it has no labels. */
bool as_encoder_is_masked_lm(const as_encoder *encoder);

/* AS_E_MODEL when a tokenizer with so many ids, which adds so many special tokens to a text, is not one for this
 * encoder; `where` is named in the text. */
AS_MUST_CHECK as_status as_encoder_check_tokenizer(const as_encoder *encoder, size_t ids, size_t added,
                                                   const char *where);

/* Fills batch->positions: the position id of each token, as as_encoder_record has it. */
void as_encoder_positions(const as_encoder *encoder, as_encoder_batch *batch);

/* Records the encoder on the batch -> logits [sequences, classes]. Fills batch->positions. With `hidden` (room for
 * layers + 1) every row of every layer is computed and hidden[i] is the output of layer i, hidden[0] of the embeddings;
 * with NULL, the last layer computes the first token of each sequence only, past keys and values. */
as_tensor *as_encoder_record(as_graph *g, const as_encoder *encoder, as_encoder_batch *batch, as_tensor **hidden);

/* ---- masked language models -------------------------------------------------------------------------------------- */
/* Tokens of a batch at which a masked language model is to say what stood there. Arrays are borrowed as long as the
 * graph. */
typedef struct as_masked_tokens {
  int64_t count;
  const int32_t *rows;   /* [count] rows of the batch, ascending */
  const int32_t *labels; /* [count] the ids that stood there; only the loss reads them */
  as_packed queries;     /* how many of them each sequence has */
} as_masked_tokens;

/* Records the logits of the tokens [count, vocab_size] over the vocabulary. Of the last layer only their rows are
 * computed. Fills batch->positions. */
as_tensor *as_encoder_record_token_logits(as_graph *g, const as_encoder *encoder, as_encoder_batch *batch,
                                          const as_masked_tokens *masked);
/* Records their cross entropy, the sum divided by `denominator` (0: by their number) -> [1]. Logits are never all there
 * at once. */
as_tensor *as_encoder_record_masked_loss(as_graph *g, const as_encoder *encoder, as_encoder_batch *batch,
                                         const as_masked_tokens *masked, double label_smoothing, double denominator);

#endif
