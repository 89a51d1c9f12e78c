/* The parameters of a model, by name.
 *
 * For training they are one flat block of weights and one of gradients, one parameter directly after another in the
 * order of declaration: so neighbours that a fused product reads as one matrix (query, key and value) can be taken as
 * one view, and the optimizer, clipping and averaging are one loop each.
 *
 * For answering, parameters may be borrowed from where they lie already (a mapped file); only neighbours that are
 * joined are brought together in memory. Matrices then move into packed views, and as_parameters_settle lets go of
 * where they lay: a model that answers holds each weight once, also on the way there.
 *
 * Invariant: names are unique; views into weights and gradients have the same offsets. */
#ifndef AS_NN_PARAMETERS_H
#define AS_NN_PARAMETERS_H

#include "tensor/graph.h"

#define AS_PARAMETER_NAME_MAX 128

/* What a parameter is for: decides its fresh value and whether weight decay acts on it (on weights and embeddings). */
typedef enum as_parameter_role {
  AS_ROLE_WEIGHT,      /* normal */
  AS_ROLE_EMBEDDING,   /* normal */
  AS_ROLE_POSITION_BIAS, /* normal: a table of biases on attention scores */
  AS_ROLE_BIAS,        /* 0 */
  AS_ROLE_NORM_WEIGHT, /* 1 */
  AS_ROLE_NORM_BIAS    /* 0 */
} as_parameter_role;

typedef struct as_parameter {
  char name[AS_PARAMETER_NAME_MAX]; /* as in the checkpoint */
  as_parameter_role role;
  int layer; /* 0 embeddings, 1.. blocks, then the head: what freezing counts */
  int ndim;  /* 1 or 2 */
  int64_t shape[2];
  size_t elements;
  size_t offset;         /* in elements, into both blocks; of a borrowed one without meaning */
  const float *borrowed; /* where its numbers lie outside the block; NULL: in it */
  bool joined;           /* must lie next to its neighbours in the block */
  bool packed_only;      /* its numbers are in a packed view alone */
  int64_t padding_row;   /* row of an embedding that is never updated and starts as 0; -1: none */
  size_t rows_offset;    /* embeddings: into `touched` */
  bool frozen;
} as_parameter;

/* `count` neighbouring matrices from `index` on, joined by rows and packed for products with few rows. */
typedef struct as_packed_view {
  int index, count;
  float *packed;
} as_packed_view;

typedef struct as_parameters {
  as_context *ctx;
  as_parameter *list;
  size_t count, capacity;
  size_t elements;                      /* of a block */
  float *weights;                       /* [elements]; NULL when all are packed or borrowed */
  float *gradients;                     /* [elements]; NULL when none were asked for */
  uint8_t *touched;                     /* [embedding_rows] see as_leaf_table; NULL without gradients */
  size_t embedding_rows;                /* of all embeddings together */
  as_packed_view *packed;               /* [packed_count] */
  const struct as_kernels_f32 *kernels; /* whose form the packed views have */
  size_t packed_count, packed_capacity;
  bool failed; /* a declaration failed; the context has the error */
} as_parameters;

void as_parameters_init(as_parameters *parameters, as_context *ctx);
void as_parameters_free(as_parameters *parameters); /* leaves it empty */

/* Declares a parameter [rows, columns], or [rows] when columns is 0; returns its number, or -1 after a failure, which
 * sticks and is reported by as_parameters_allocate. */
int as_parameters_declare(as_parameters *parameters, as_parameter_role role, int layer, int64_t rows, int64_t columns,
                          const char *name_format, ...) AS_PRINTF(6, 7);
/* Says that `count` neighbours from `index` on are read as one matrix or vector: as_parameter_leaf_joined asks for it.
 */
void as_parameters_join(as_parameters *parameters, int index, int count);
/* Before as_parameters_allocate, for use without gradients: the parameter's numbers [elements] lie at `weights` and
 * stay there until as_parameters_settle or as_parameters_free. NULL and one that is joined: nothing is borrowed. */
void as_parameters_borrow(as_parameters *parameters, int index, const float *weights);
/* Gives all parameters that are not borrowed room: weights, and gradients (zeroed) if wanted. */
AS_MUST_CHECK as_status as_parameters_allocate(as_parameters *parameters, bool gradients);
/* Number of the parameter of this name, -1 if there is none. */
int as_parameters_find(const as_parameters *parameters, const char *name);
/* [elements]; NULL once it is packed. Not to be written if borrowed. */
float *as_parameter_weights(const as_parameters *parameters, int index);
float *as_parameter_gradients(const as_parameters *parameters, int index); /* NULL without gradients */
/* Which rows of an embedding have ever had a gradient, [rows]; NULL for other parameters and without gradients. */
uint8_t *as_parameter_touched(const as_parameters *parameters, int index);
bool as_parameter_decays(const as_parameter *parameter);

/* Fresh values by role: normal with this standard deviation, 0 or 1; drawn from (seed, the parameter's number), so a
 * parameter's values do not depend on what else is there. */
void as_parameters_initialize(as_parameters *parameters, int index, double standard_deviation, uint64_t seed);
/* Sets all elements. */
void as_parameters_fill(as_parameters *parameters, int index, float value);
/* Freezes the parameters of the layers below `layers`: they keep their values and cost no gradient. */
void as_parameters_freeze(as_parameters *parameters, int layers);

/* Moves a view into the form for products with few rows: for use without gradients. The memory of the plain numbers is
 * given back to the system while the packed ones are made, so each weight is held once. From then on the parameters can
 * be recorded as this view only, as a weight of as_linear or, a matrix alone, as a table of as_embedding; nobody may be
 * recording meanwhile. After a failure the view is as it was. */
AS_MUST_CHECK as_status as_parameters_pack(as_parameters *parameters, int index, int count);
/* The packed form of a view, NULL if there is none. */
const float *as_parameters_packed(const as_parameters *parameters, int index, int count);

/* After all that shall be packed: what was not is brought together in a block of its own, also what is borrowed, so
 * that nothing outside is needed any more. */
AS_MUST_CHECK as_status as_parameters_settle(as_parameters *parameters);
/* The parameter's numbers, wherever they are. */
void as_parameters_export(const as_parameters *parameters, int index, float *out /* [elements] */);

/* The parameter as a leaf of a graph; `count` neighbours with the same columns joined by rows into one. */
as_tensor *as_parameter_leaf(as_graph *g, const as_parameters *parameters, int index);
as_tensor *as_parameter_leaf_joined(as_graph *g, const as_parameters *parameters, int index, int count);

#endif
