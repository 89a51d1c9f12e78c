/* The list of operations: the one place that names them all. A row X(name) here, and a file in tensor/ops/ that defines
 * AS_REAL(as_op_name), make an operation. */
#ifndef AS_TENSOR_OP_LIST_H
#define AS_TENSOR_OP_LIST_H

#define AS_OP_LIST(X)                                                                                                  \
  X(add) X(sub) X(mul) X(div) X(affine)                                                                                \
  X(gelu) X(gelu_tanh) X(relu) X(tanh) X(sigmoid) X(exp) X(log)                                                        \
  X(matmul) X(transpose) X(reshape) X(slice) X(concat)                                                                 \
  X(sum) X(mean) X(max) X(softmax) X(log_softmax) X(dropout)                                                           \
  X(embedding) X(gather_rows) X(layer_norm) X(rms_norm)                                                                \
  X(linear) X(residual_layer_norm) X(embedding_layer_norm) X(attention) X(cross_entropy)                               \
  X(residual_dropout) X(gated_linear_unit) X(linear_cross_entropy)

typedef enum as_op_id {
#define X(name) AS_OP_##name,
  AS_OP_LIST(X)
#undef X
  AS_OP_COUNT
} as_op_id;

#endif
