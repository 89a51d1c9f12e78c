/* The parameters as training moves them (recommend/pairwise.h), made from a model and put back. Private to recommend/. */
#ifndef AS_RECOMMEND_FIT_STATE_H
#define AS_RECOMMEND_FIT_STATE_H

#include "recommend/pairwise.h"

/* Takes over the model's parameters: its arrays are freed as they are packed, so that they lie in memory once.
 * The matrices are borrowed. */
AS_MUST_CHECK as_status as_fit_state_pack(as_lightfm *model, const as_feature_matrix *users,
                                          const as_feature_matrix *items, as_pair_model *out);
/* Gives them back and frees the packed ones. AS_E_DIVERGED when one of them is not finite. */
AS_MUST_CHECK as_status as_fit_state_unpack(as_lightfm *model, as_pair_model *packed);

/* The sorted numbers of the items that have a row; NULL when all have (*count is then their number). */
AS_MUST_CHECK as_status as_fit_met_items(as_context *ctx, const int32_t *items /* [rows] */, int64_t rows,
                                         int64_t item_count, int32_t **out, int64_t *count);

#endif
