/* The figures of a training: how well a model of the same recipe foresaw the rows that the calibration held back. */
#ifndef AS_RECOMMEND_VALIDATE_H
#define AS_RECOMMEND_VALIDATE_H

#include "data/interaction_split.h"
#include "recommend/recommender.h"

/* Measures `model`, which was trained on the rows of recommender->interactions that `held` [rows] does not mark, with
 * the others, and puts what comes out into recommender->metrics, the text of metrics.json: the fields of
 * as_recommend_evaluation_json (lists of 10, the popular baseline beside) and "split", "held_rows", "positives". Of the
 * customers with rows on both sides at most 2000 are asked about, drawn by the seed, fewer with a large catalogue.
 * Purchases count, or any row when none was held back. Nothing else of the recommender changes; when no customer can be
 * measured, there are no metrics. */
AS_MUST_CHECK as_status as_recommender_validate(as_recommender *recommender, as_lightfm *model, const bool *held,
                                                as_split_by split);

#endif
