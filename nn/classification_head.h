/* The classification head of encoders: dropout, a dense layer, an activation, dropout, and the output projection.
 * DistilBERT: dense "pre_classifier" with ReLU, output "classifier"; RoBERTa: "classifier.dense" with tanh,
 * "classifier.out_proj". */
#ifndef AS_NN_CLASSIFICATION_HEAD_H
#define AS_NN_CLASSIFICATION_HEAD_H

#include "nn/parameters.h"
#include "tensor/ops.h"

typedef struct as_classification_head_config {
  int64_t dim, classes;
  as_unary activation; /* AS_UNARY_RELU or AS_UNARY_TANH */
  double input_dropout, dropout;
} as_classification_head_config;

typedef struct as_classification_head {
  int dense_weight, dense_bias, output_weight, output_bias;
} as_classification_head;

as_classification_head as_classification_head_declare(as_parameters *parameters,
                                                      const as_classification_head_config *config, int layer,
                                                      const char *dense, const char *output);
/* x [rows, dim] -> logits [rows, classes]. */
as_tensor *as_classification_head_record(as_graph *g, const as_parameters *parameters,
                                         const as_classification_head *head,
                                         const as_classification_head_config *config, as_tensor *x);

#endif
