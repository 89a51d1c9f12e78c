/* Memory, initial values and scores of the model. */
#include "recommend/lightfm.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* Streams of the model's random numbers: one for each feature of a side. */
enum { ITEM_STREAM = 0x11, USER_STREAM = 0x12 };

static const char *const loss_names[AS_LIGHTFM_LOSSES] = {"warp", "warp-kos", "bpr", "logistic", "als"};
static const char *const schedule_names[AS_LIGHTFM_SCHEDULES] = {"adagrad", "adadelta"};

static int find_name(const char *const *names, int count, const char *name) {
  for (int i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0) return i;
  return -1;
}

const char *as_lightfm_loss_name(as_lightfm_loss loss) { return loss_names[loss]; }

bool as_lightfm_loss_find(const char *name, as_lightfm_loss *out) {
  int i = find_name(loss_names, AS_LIGHTFM_LOSSES, name);
  if (i >= 0) *out = (as_lightfm_loss)i;
  return i >= 0;
}

const char *as_lightfm_schedule_name(as_lightfm_schedule schedule) { return schedule_names[schedule]; }

bool as_lightfm_schedule_find(const char *name, as_lightfm_schedule *out) {
  int i = find_name(schedule_names, AS_LIGHTFM_SCHEDULES, name);
  if (i >= 0) *out = (as_lightfm_schedule)i;
  return i >= 0;
}

/* ---- features --------------------------------------------------------------------------------------------------- */

as_feature_matrix as_feature_identity(int64_t rows) { return (as_feature_matrix){.rows = rows, .features = rows}; }

void as_feature_matrix_free(as_context *ctx, as_feature_matrix *matrix) {
  as_free(ctx, matrix->starts);
  as_free(ctx, matrix->indices);
  as_free(ctx, matrix->weights);
  *matrix = (as_feature_matrix){0};
}

as_feature_row as_feature_row_of(const as_feature_matrix *matrix, int64_t row) {
  if (!matrix->starts) return (as_feature_row){.count = 1, .own = (int32_t)row};
  const int64_t start = matrix->starts[row];
  return (as_feature_row){.count = matrix->starts[row + 1] - start,
                          .indices = matrix->indices + start,
                          .weights = matrix->weights + start};
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

/* Lengthens an array from `from` to `to` rows of `width`; false without memory, and then it is as it was. */
static bool lengthen(as_context *ctx, float **array, int64_t to, int32_t width) {
  float *longer = as_realloc(ctx, *array, (size_t)to * (size_t)width, sizeof *longer);
  if (longer) *array = longer;
  return longer != NULL;
}

static void fill(float *array, int64_t from, int64_t to, int32_t width, float value) {
  for (int64_t i = from * width; i < to * width; i++) array[i] = value;
}

static void draw_embeddings(as_lightfm_side *side, int32_t dim, int64_t from, int64_t to, uint64_t seed,
                            uint64_t stream) {
  for (int64_t f = from; f < to; f++) {
    as_random random = as_random_start(seed, stream | (uint64_t)f << 8);
    for (int32_t j = 0; j < dim; j++)
      side->embeddings[f * dim + j] = (float)((as_random_uniform(&random) - 0.5) / dim);
  }
}

static as_status grow_side(as_lightfm *m, as_lightfm_side *side, int64_t features, uint64_t seed, uint64_t stream) {
  const bool adadelta = m->schedule == AS_LIGHTFM_ADADELTA;
  const float square = adadelta ? 0 : 1;
  const int64_t from = side->features;
  if (features <= from && side->embeddings) return AS_OK;
  if (!lengthen(m->ctx, &side->embeddings, features, m->dim) || !lengthen(m->ctx, &side->biases, features, 1) ||
      !lengthen(m->ctx, &side->embedding_sq, features, m->dim) || !lengthen(m->ctx, &side->bias_sq, features, 1) ||
      (adadelta && (!lengthen(m->ctx, &side->embedding_mom, features, m->dim) ||
                    !lengthen(m->ctx, &side->bias_mom, features, 1))))
    return AS_E_NOMEM;
  draw_embeddings(side, m->dim, from, features, seed, stream);
  fill(side->biases, from, features, 1, 0);
  fill(side->embedding_sq, from, features, m->dim, square);
  fill(side->bias_sq, from, features, 1, square);
  if (adadelta) {
    fill(side->embedding_mom, from, features, m->dim, 0);
    fill(side->bias_mom, from, features, 1, 0);
  }
  side->features = features;
  return AS_OK;
}

as_status as_lightfm_grow(as_lightfm *model, int64_t item_features, int64_t user_features, uint64_t seed) {
  const int64_t most = (int64_t)INT32_MAX;
  if (item_features > most || user_features > most || item_features < 0 || user_features < 0)
    return as_fail(model->ctx, AS_E_INVALID, "a recommender cannot have %" PRId64 " and %" PRId64 " features",
                   item_features, user_features);
  as_status status = grow_side(model, &model->items, item_features, seed, ITEM_STREAM);
  if (status == AS_OK) status = grow_side(model, &model->users, user_features, seed, USER_STREAM);
  return status;
}

as_status as_lightfm_new(as_context *ctx, int32_t dim, as_lightfm_schedule schedule, int64_t item_features,
                         int64_t user_features, uint64_t seed, as_lightfm **out) {
  *out = NULL;
  if (dim < 1 || dim > AS_LIGHTFM_MOST_DIM)
    return as_fail(ctx, AS_E_INVALID, "the recommender's dimension is %d, but must be in 1..%d", (int)dim,
                   AS_LIGHTFM_MOST_DIM);
  as_lightfm *model = as_alloc_zero(ctx, 1, sizeof *model);
  if (!model) return AS_E_NOMEM;
  *model = (as_lightfm){.ctx = ctx, .dim = dim, .schedule = schedule};
  as_status status = as_lightfm_grow(model, item_features, user_features, seed);
  if (status != AS_OK) {
    as_lightfm_free(model);
    return status;
  }
  *out = model;
  return AS_OK;
}

static void free_side(as_context *ctx, as_lightfm_side *side) {
  float *const all[] = {side->embeddings, side->biases,        side->embedding_sq,
                        side->bias_sq,    side->embedding_mom, side->bias_mom};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) as_free(ctx, all[i]);
}

void as_lightfm_free(as_lightfm *model) {
  if (!model) return;
  free_side(model->ctx, &model->items);
  free_side(model->ctx, &model->users);
  as_free(model->ctx, model);
}

/* ---- scores ----------------------------------------------------------------------------------------------------- */

void as_lightfm_represent(const as_lightfm_side *side, int32_t dim, as_feature_row row, double scale, float *out) {
  memset(out, 0, ((size_t)dim + 1) * sizeof *out);
  for (int64_t i = 0; i < row.count; i++) {
    const int64_t feature = as_feature_index(&row, i);
    const float weight = (float)((double)as_feature_weight(&row, i) * scale);
    const float *embedding = side->embeddings + feature * dim;
    for (int32_t j = 0; j < dim; j++) out[j] += weight * embedding[j];
    out[dim] += weight * side->biases[feature];
  }
}

float as_lightfm_score(const float *user, const float *item, int32_t dim) {
  float score = user[dim] + item[dim];
  for (int32_t j = 0; j < dim; j++) score += user[j] * item[j];
  return score;
}
