/* The recommender's model: LightFM (Kula, "Metadata embeddings for user and item cold-start recommendations", 2015).
 *
 * A customer and a product are sums of the embeddings and biases of their features; a score is the dot product of the
 * two sums plus both biases. With one feature of its own for each row (the identity) that is matrix factorisation.
 *
 * Invariant: all arrays of a side have `features` rows; squares and momenta are what the optimiser of training needs to
 * go on where it stopped. */
#ifndef AS_RECOMMEND_LIGHTFM_H
#define AS_RECOMMEND_LIGHTFM_H

#include "base/context.h"

typedef enum as_lightfm_loss {
  AS_LIGHTFM_WARP,     /* weighted approximate-rank pairwise (Weston, Bengio and Usunier 2011) */
  AS_LIGHTFM_WARP_KOS, /* k-th order statistic WARP (Weston, Yee and Weiss 2013) */
  AS_LIGHTFM_BPR,      /* Bayesian personalised ranking (Rendle et al. 2009) */
  AS_LIGHTFM_LOGISTIC, /* pointwise */
  AS_LIGHTFM_ALS,      /* weighted alternating least squares (Hu, Koren and Volinsky 2008); no gradient steps */
  AS_LIGHTFM_LOSSES
} as_lightfm_loss;

typedef enum as_lightfm_schedule {
  AS_LIGHTFM_ADAGRAD,  /* Duchi, Hazan and Singer 2011 */
  AS_LIGHTFM_ADADELTA, /* Zeiler 2012 */
  AS_LIGHTFM_SCHEDULES
} as_lightfm_schedule;

/* "warp", "warp-kos", "bpr", "logistic", "als"; "adagrad", "adadelta". False if there is none of this name. */
const char *as_lightfm_loss_name(as_lightfm_loss loss);
bool as_lightfm_loss_find(const char *name, as_lightfm_loss *out);
const char *as_lightfm_schedule_name(as_lightfm_schedule schedule);
bool as_lightfm_schedule_find(const char *name, as_lightfm_schedule *out);

/* Which features each row (a customer or a product) has, in compressed rows. `starts` NULL: the identity. */
typedef struct as_feature_matrix {
  int64_t rows, features;
  int64_t *starts;  /* [rows + 1] into the next two */
  int32_t *indices; /* [starts[rows]] */
  float *weights;   /* [starts[rows]] */
} as_feature_matrix;

as_feature_matrix as_feature_identity(int64_t rows);
void as_feature_matrix_free(as_context *ctx, as_feature_matrix *matrix); /* a zeroed one is allowed */

/* The features of one row. */
typedef struct as_feature_row {
  int64_t count;
  const int32_t *indices; /* NULL: the one feature `own`, weight 1 */
  const float *weights;
  int32_t own;
} as_feature_row;
as_feature_row as_feature_row_of(const as_feature_matrix *matrix, int64_t row);
static inline int32_t as_feature_index(const as_feature_row *row, int64_t i) {
  return row->indices ? row->indices[i] : row->own;
}
static inline float as_feature_weight(const as_feature_row *row, int64_t i) {
  return row->weights ? row->weights[i] : 1.0f;
}

/* Parameters and the optimiser's state, of the users or of the items. */
typedef struct as_lightfm_side {
  int64_t features;
  float *embeddings;    /* [features, dim] */
  float *biases;        /* [features] */
  float *embedding_sq;  /* [features, dim] sums (adagrad) or running means (adadelta) of squared gradients */
  float *bias_sq;       /* [features] */
  float *embedding_mom; /* [features, dim] running means of squared steps; NULL with adagrad */
  float *bias_mom;      /* [features] */
} as_lightfm_side;

typedef struct as_lightfm {
  as_context *ctx;
  int32_t dim;
  as_lightfm_schedule schedule;
  as_lightfm_side items, users;
} as_lightfm;

enum { AS_LIGHTFM_MOST_DIM = 1024 };

/* Makes room. Embeddings are drawn from `seed`, uniform in [-0.5, 0.5) / dim as LightFM draws them, feature by feature,
 * so that a feature's numbers do not depend on how many there are; biases are 0, squares 1 (adagrad) or 0 (adadelta).
 * AS_E_INVALID for sizes out of range. Caller frees. */
AS_MUST_CHECK as_status as_lightfm_new(as_context *ctx, int32_t dim, as_lightfm_schedule schedule,
                                       int64_t item_features, int64_t user_features, uint64_t seed, as_lightfm **out);
/* The same with more features on either side: those that were there keep their numbers. */
AS_MUST_CHECK as_status as_lightfm_grow(as_lightfm *model, int64_t item_features, int64_t user_features, uint64_t seed);
void as_lightfm_free(as_lightfm *model); /* NULL is allowed */

/* out[0 .. dim) = sum of weight * embedding, out[dim] = sum of weight * bias: a row's representation, its features added
 * one after another in single precision, as LightFM does. `scale` multiplies every weight (1 but in the exact replay). */
void as_lightfm_represent(const as_lightfm_side *side, int32_t dim, as_feature_row row, double scale,
                          float *out /* [dim + 1] */);
/* The score of two representations: biases first, then component by component, in single precision. */
float as_lightfm_score(const float *user /* [dim + 1] */, const float *item /* [dim + 1] */, int32_t dim);

#endif
