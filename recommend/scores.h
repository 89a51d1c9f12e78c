/* Scores one customer at a time. Private to recommend/; many customers are for recommend/topn.h. */
#ifndef AS_RECOMMEND_SCORES_H
#define AS_RECOMMEND_SCORES_H

#include "recommend/recommender.h"

float as_dot(const float *a, const float *b, size_t width); /* [width] each */
/* scores [products] of a user's vector [width of the item vectors]. */
void as_score_products(const as_recommender *recommender, const float *user, float *scores);

#endif
