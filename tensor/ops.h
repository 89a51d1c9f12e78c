/* The operations. Each is a row of the op table and has its own file in tensor/ops/ with its formula, shapes, forward,
 * backward and gradient check. All return NULL after an error, which stays in the graph (tensor/graph.h).
 *
 * Broadcasting is that of NumPy and PyTorch: shapes are aligned at the last dimension, and a dimension of 1 is
 * repeated. "rows" means all dimensions but the last taken together. */
#ifndef AS_TENSOR_OPS_H
#define AS_TENSOR_OPS_H

#include "tensor/graph.h"
#include "tensor/kernels/kernels.h"

/* ---- plain operations ------------------------------------------------------------------------------------------- */
as_tensor *as_add(as_graph *g, as_tensor *a, as_tensor *b); /* broadcast */
as_tensor *as_sub(as_graph *g, as_tensor *a, as_tensor *b);
as_tensor *as_mul(as_graph *g, as_tensor *a, as_tensor *b);
as_tensor *as_div(as_graph *g, as_tensor *a, as_tensor *b);
as_tensor *as_affine(as_graph *g, as_tensor *x, double scale, double offset); /* scale * x + offset */

as_tensor *as_gelu(as_graph *g, as_tensor *x);      /* with erf */
as_tensor *as_gelu_tanh(as_graph *g, as_tensor *x); /* "gelu_new" */
as_tensor *as_relu(as_graph *g, as_tensor *x);
as_tensor *as_tanh(as_graph *g, as_tensor *x);
as_tensor *as_sigmoid(as_graph *g, as_tensor *x);
as_tensor *as_exp(as_graph *g, as_tensor *x);
as_tensor *as_log(as_graph *g, as_tensor *x);

/* a [..., m, k] times b [..., k, n] -> [..., m, n]; leading dimensions are broadcast. */
as_tensor *as_matmul(as_graph *g, as_tensor *a, as_tensor *b);
/* swaps two dimensions; negative: from the end */
as_tensor *as_transpose(as_graph *g, as_tensor *x, int dim0, int dim1);
/* same elements; one size may be -1 */
as_tensor *as_reshape(as_graph *g, as_tensor *x, int ndim, const int64_t *shape);
as_tensor *as_slice(as_graph *g, as_tensor *x, int dim, int64_t start, int64_t length);
as_tensor *as_concat(as_graph *g, as_tensor *const *parts, int count, int dim); /* count from 1 to 8 */

#define AS_ALL_DIMS 127 /* as `dim`: reduce to a single element, shape [1] */
as_tensor *as_sum(as_graph *g, as_tensor *x, int dim, bool keep_dim);
as_tensor *as_mean(as_graph *g, as_tensor *x, int dim, bool keep_dim);
as_tensor *as_max(as_graph *g, as_tensor *x, int dim, bool keep_dim); /* the gradient goes to the first maximum */

as_tensor *as_softmax(as_graph *g, as_tensor *x);     /* over the last dimension */
as_tensor *as_log_softmax(as_graph *g, as_tensor *x); /* over the last dimension */
as_tensor *as_dropout_apply(as_graph *g, as_tensor *x, double p);

/* table [n, dim] looked up at ids (i32, any shape) -> [ids..., dim]. Row padding_index gets no gradient (-1: none). */
as_tensor *as_embedding(as_graph *g, as_tensor *table, as_tensor *ids, int64_t padding_index);
/* Rows of x [rows, cols] chosen by index (i32 [n]) -> [n, cols]. */
as_tensor *as_gather_rows(as_graph *g, as_tensor *x, as_tensor *index);
/* weight and bias [cols]; over the last dimension. */
as_tensor *as_layer_norm(as_graph *g, as_tensor *x, as_tensor *weight, as_tensor *bias, double eps);
as_tensor *as_rms_norm(as_graph *g, as_tensor *x, as_tensor *weight, double eps);

/* ---- fused operations ------------------------------------------------------------------------------------------- */
/* activation(x weight^T + bias): x [rows, in], weight [out, in], bias [out] or NULL with `has_bias` false; activation
 * GELU, GELU_TANH, RELU or NONE. */
as_tensor *as_linear(as_graph *g, as_tensor *x, as_tensor *weight, as_tensor *bias, bool has_bias, as_unary activation);

/* dropout(activation(x weight^T + bias)): nothing more is kept for the dropout. */
as_tensor *as_linear_dropout(as_graph *g, as_tensor *x, as_tensor *weight, as_tensor *bias, bool has_bias,
                             as_unary activation, double dropout);
/* dropout(activation(a) * b), where a and b are the left and the right half of each row of x [rows, 2 cols] -> [rows,
 * cols] (Shazeer 2020); activation GELU, GELU_TANH or RELU. */
as_tensor *as_gated_linear_unit(as_graph *g, as_tensor *x, as_unary activation, double dropout);

/* residual + dropout(x), both of one shape: the end of each part of a block that normalises first. */
as_tensor *as_residual_dropout(as_graph *g, as_tensor *x, as_tensor *residual, double dropout);
/* layer_norm(residual + dropout(x)): both [rows, cols]. */
as_tensor *as_residual_layer_norm(as_graph *g, as_tensor *x, as_tensor *residual, as_tensor *weight, as_tensor *bias,
                                  double eps, double dropout);

/* layer_norm(sum over i of tables[i][ids[i]]): `count` tables [n_i, cols] (1 to 3) with ids i32 [rows];
 * padding_index[i] as in as_embedding. */
as_tensor *as_embedding_layer_norm(as_graph *g, int count, as_tensor *const *tables, as_tensor *const *ids,
                                   const int64_t *padding_index, as_tensor *weight, as_tensor *bias, double eps);

/* Multi-head scaled dot-product attention on packed sequences (Vaswani et al. 2017, eq. 1): for every sequence and head
 * softmax(scale Q K^T) V, with dropout on the weights, computed in blocks of queries so that no queries x keys matrix
 * is kept. Q is columns [q_column, q_column + heads * head_dim) of `q` [query rows, *]; K and V are columns of `kv`
 * [key rows, *], which may be the same tensor as `q`. Sequence i of the queries attends to sequence i of the keys. A
 * sequence without keys gives zeros. -> [query rows, heads * head_dim]. */
typedef struct as_attention_options {
  int heads, head_dim;
  int64_t q_column, k_column, v_column;
  double scale;   /* 1/sqrt(head_dim), or 1 for T5 */
  double dropout; /* on the attention weights */
  bool causal;    /* query row j of a sequence sees its keys 0..j */
  /* Relative position bias (Raffel et al. 2020, section 2.1): [buckets, heads], added to the scores by the bucket of
   * key minus query position; NULL: none. Several operations may share the table. */
  as_tensor *position_bias;
  bool bidirectional;   /* half of the buckets for keys behind the query; otherwise these share bucket 0 */
  int64_t max_distance; /* from here on distances share the last bucket */
} as_attention_options;
as_tensor *as_attention(as_graph *g, as_tensor *q, as_tensor *kv, as_packed queries, as_packed keys,
                        const as_attention_options *options);
/* The bucket of `distance`, key minus query position, as T5 has it in transformers: half of the buckets (of a
 * direction) for single distances, the others in logarithmic steps up to max_distance. buckets >= 2, bidirectional >=
 * 4; max_distance more than the single distances. */
int64_t as_relative_position_bucket(int64_t distance, bool bidirectional, int64_t buckets, int64_t max_distance);

/* Cross entropy of logits [rows, classes] and labels (i32 [rows]) -> [1], as torch.nn.functional.cross_entropy: labels
 * equal to ignore_index count nothing; with class weights w (host array [classes] or NULL) and smoothing e the loss of
 * a row with label t is (1-e) w[t] (-log p[t]) + e/classes sum_c w[c] (-log p[c]), divided by `denominator`, or, when
 * that is 0, by the sum of w[t] over the rows that count. No such row: the loss is 0. */
typedef struct as_cross_entropy_options {
  const float *class_weights; /* borrowed as long as the graph that recorded it is used */
  double label_smoothing;     /* in [0, 1) */
  int32_t ignore_index;       /* usually -100 */
  double denominator;
} as_cross_entropy_options;
as_tensor *as_cross_entropy(as_graph *g, as_tensor *logits, as_tensor *labels, const as_cross_entropy_options *options);

/* Cross entropy of the logits scale * x weight^T + bias, for outputs with so many classes (a vocabulary) that logits of
 * all rows should not exist at once: x [rows, in], weight [classes, in] (a tied embedding may be it), bias [classes] or
 * NULL with `has_bias` false, labels as in as_cross_entropy -> [1]. The loss is as as_cross_entropy(as_linear(...))
 * without class weights has it; a denominator of 0 is the number of rows that count. No such row: the loss is 0. */
typedef struct as_linear_cross_entropy_options {
  double scale;           /* of x: 1, or d_model^-0.5 where T5 ties its output */
  double label_smoothing; /* in [0, 1) */
  int32_t ignore_index;   /* usually -100 */
  double denominator;
} as_linear_cross_entropy_options;
as_tensor *as_linear_cross_entropy(as_graph *g, as_tensor *x, as_tensor *weight, as_tensor *bias, bool has_bias,
                                   as_tensor *labels, const as_linear_cross_entropy_options *options);

#endif
