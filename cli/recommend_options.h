/* What the recommender's commands share. */
#ifndef AS_CLI_RECOMMEND_OPTIONS_H
#define AS_CLI_RECOMMEND_OPTIONS_H

#include "cli/prediction_logging.h"
#include "recommend/recommender.h"

#define AS_RECOMMENDER_NAME "recommend"              /* in the model store */
#define AS_RECOMMENDER_FOLDER "product_recommender" /* below --models, of a recommender that is not in the store */

/* The recommender of --model, or else the champion. *where, unless `where` is NULL, is its folder or NULL, also after a
 * failure; the caller frees it. */
AS_MUST_CHECK as_status as_cli_recommender(as_cli *cli, as_recommender **out, char **where);
/* The product of this id; AS_E_INVALID if the catalogue does not have it. */
AS_MUST_CHECK as_status as_cli_product(const as_recommender *r, const char *id, int32_t *out);
/* A product's id as a member: a number when it is written as a whole number would be. */
void as_cli_product_json(as_json_writer *writer, const char *key, const as_recommender *r, int32_t product);
/* The members customer_id to recommendations of an answer to this request. */
void as_cli_recommendation_json(as_json_writer *writer, const as_recommender *r, const as_recommend_request *request,
                                const as_recommendation *list, int64_t count);
/* Logs that answer; `input` is what was asked about, NULL: nothing. */
void as_cli_log_recommendation(as_cli_logging *logging, const char *request_id, const as_cli_identity *identity,
                               const as_recommender *r, const char *input, const as_recommendation *list,
                               int64_t count, int64_t latency_us);
/* The members product_id, score, rank, raw_score, name, category and reason of each. */
void as_cli_recommendations_json(as_json_writer *writer, const as_recommender *r, const as_recommendation *list,
                                 int64_t count);
/* Marks the types of --positives; one that `types` has no weight for gets one, so that its rows are read. */
AS_MUST_CHECK as_status as_cli_positives(as_cli *cli, as_interaction_types *types,
                                         bool positive[AS_MOST_INTERACTION_TYPES]);
/* What the error at another type says of that. */
extern const char as_cli_type_advice[];

#endif
