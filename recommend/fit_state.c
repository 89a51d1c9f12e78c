/* Packing and unpacking; see pairwise.h for the layout. */
#include "recommend/fit_state.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

/* Mask and ones of both sides lie in one block: the users' mask begins it. */
static as_status make_masks(as_context *ctx, int32_t dim, as_pair_model *out) {
  const size_t w = out->width;
  float *masks = as_alloc_zero(ctx, 4 * w, sizeof *masks);
  if (!masks) return AS_E_NOMEM;
  for (size_t j = 0; j < w; j++) {
    masks[j] = j != (size_t)dim;
    masks[w + j] = j == (size_t)dim;
    masks[2 * w + j] = j != (size_t)dim + 1;
    masks[3 * w + j] = j == (size_t)dim + 1;
  }
  out->users.mask = masks;
  out->users.ones = masks + w;
  out->items.mask = masks + 2 * w;
  out->items.ones = masks + 3 * w;
  return AS_OK;
}

/* One block of a row: embedding, its bias at place `bias`, `constant` at the place of the constant, `rest` in the
 * padding. */
typedef struct layout {
  int32_t dim;
  size_t width, bias, constant;
} layout;

static void pack_block(const layout *l, float *to, const float *embedding, float bias, float constant, float rest) {
  memcpy(to, embedding, (size_t)l->dim * sizeof *to);
  for (size_t j = (size_t)l->dim; j < l->width; j++) to[j] = rest;
  to[l->bias] = bias;
  to[l->constant] = constant;
}

static void free_arrays(as_context *ctx, as_lightfm_side *side) {
  float **const all[] = {&side->embeddings, &side->biases,        &side->embedding_sq,
                         &side->bias_sq,    &side->embedding_mom, &side->bias_mom};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    as_free(ctx, *all[i]);
    *all[i] = NULL;
  }
}

static as_status pack_side(as_lightfm *m, as_lightfm_side *side, const layout *l, as_pair_side *out) {
  const bool adadelta = m->schedule == AS_LIGHTFM_ADADELTA;
  const float unit = adadelta ? 0 : 1; /* squares that nothing touches */
  out->stride = round_up(l->width * (adadelta ? 3 : 2), AS_PAIR_SLICE);
  out->rows = as_alloc_zero(m->ctx, (size_t)side->features * out->stride, sizeof *out->rows);
  if (!out->rows) return AS_E_NOMEM;
  for (int64_t f = 0; f < side->features; f++) {
    float *row = out->rows + (size_t)f * out->stride;
    const int64_t at = f * l->dim;
    pack_block(l, row, side->embeddings + at, side->biases[f], 1, 0);
    pack_block(l, row + l->width, side->embedding_sq + at, side->bias_sq[f], unit, unit);
    if (adadelta) pack_block(l, row + 2 * l->width, side->embedding_mom + at, side->bias_mom[f], 0, 0);
  }
  free_arrays(m->ctx, side);
  return AS_OK;
}

static layout layout_of(const as_lightfm *m, const as_pair_model *packed, bool items) {
  const size_t dim = (size_t)m->dim;
  return (layout){m->dim, packed->width, items ? dim : dim + 1, items ? dim + 1 : dim};
}

as_status as_fit_state_pack(as_lightfm *m, const as_feature_matrix *users, const as_feature_matrix *items,
                            as_pair_model *out) {
  *out = (as_pair_model){.width = round_up((size_t)m->dim + 2, 8), .adadelta = m->schedule == AS_LIGHTFM_ADADELTA};
  out->users.features = *users;
  out->items.features = *items;
  const layout user = layout_of(m, out, false), item = layout_of(m, out, true);
  as_status status = make_masks(m->ctx, m->dim, out);
  if (status == AS_OK) status = pack_side(m, &m->users, &user, &out->users);
  if (status == AS_OK) status = pack_side(m, &m->items, &item, &out->items);
  return status;
}

static bool unpack_block(const layout *l, const float *from, float *embedding, float *bias) {
  float sum = from[l->bias] - from[l->bias];
  memcpy(embedding, from, (size_t)l->dim * sizeof *embedding);
  *bias = from[l->bias];
  for (int32_t j = 0; j < l->dim; j++) sum += embedding[j] - embedding[j]; /* 0 unless one is not finite */
  return sum == 0;
}

static as_status unpack_side(as_lightfm *m, as_lightfm_side *side, const layout *l, as_pair_side *packed,
                             bool *finite) {
  const size_t n = (size_t)side->features, d = (size_t)l->dim;
  const bool adadelta = m->schedule == AS_LIGHTFM_ADADELTA;
  bool ok = packed->rows != NULL;
  ok = ok && (side->embeddings = as_alloc(m->ctx, n * d, sizeof(float))) != NULL;
  ok = ok && (side->biases = as_alloc(m->ctx, n, sizeof(float))) != NULL;
  ok = ok && (side->embedding_sq = as_alloc(m->ctx, n * d, sizeof(float))) != NULL;
  ok = ok && (side->bias_sq = as_alloc(m->ctx, n, sizeof(float))) != NULL;
  if (adadelta) {
    ok = ok && (side->embedding_mom = as_alloc(m->ctx, n * d, sizeof(float))) != NULL;
    ok = ok && (side->bias_mom = as_alloc(m->ctx, n, sizeof(float))) != NULL;
  }
  for (size_t f = 0; ok && f < n; f++) {
    const float *row = packed->rows + f * packed->stride;
    *finite = unpack_block(l, row, side->embeddings + f * d, side->biases + f) && *finite;
    *finite = unpack_block(l, row + l->width, side->embedding_sq + f * d, side->bias_sq + f) && *finite;
    if (adadelta) unpack_block(l, row + 2 * l->width, side->embedding_mom + f * d, side->bias_mom + f);
  }
  as_free(m->ctx, packed->rows);
  packed->rows = NULL;
  return ok ? AS_OK : AS_E_NOMEM;
}

as_status as_fit_state_unpack(as_lightfm *m, as_pair_model *packed) {
  const layout user = layout_of(m, packed, false), item = layout_of(m, packed, true);
  bool finite = true;
  as_status status = packed->users.rows ? unpack_side(m, &m->users, &user, &packed->users, &finite) : AS_OK;
  as_status other = packed->items.rows ? unpack_side(m, &m->items, &item, &packed->items, &finite) : AS_OK;
  as_free(m->ctx, (void *)(uintptr_t)packed->users.mask);
  packed->users.mask = NULL;
  if (status == AS_OK) status = other;
  if (status == AS_OK && !finite)
    status = as_fail(m->ctx, AS_E_DIVERGED, "the recommender's training diverged: a parameter is not finite; try a lower "
                                            "learning rate or more L2");
  return status;
}

as_status as_fit_met_items(as_context *ctx, const int32_t *items, int64_t rows, int64_t item_count, int32_t **out,
                           int64_t *count) {
  int32_t *met = as_alloc_zero(ctx, (size_t)item_count, sizeof *met);
  *out = NULL;
  *count = 0;
  if (!met) return AS_E_NOMEM;
  for (int64_t r = 0; r < rows; r++) met[items[r]] = 1;
  for (int64_t i = 0; i < item_count; i++)
    if (met[i]) met[(*count)++] = (int32_t)i; /* never ahead of i */
  if (*count == item_count) {
    as_free(ctx, met);
    met = NULL;
  }
  *out = met;
  return AS_OK;
}
