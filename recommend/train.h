/* Training a recommender from a catalogue and interactions. */
#ifndef AS_RECOMMEND_TRAIN_H
#define AS_RECOMMEND_TRAIN_H

#include "recommend/recommender.h"

/* Which interactions a calibration holds back. */
typedef enum as_holdout {
  AS_HOLDOUT_TIME,   /* the newest tenth of all: nothing of the future is learned from */
  AS_HOLDOUT_LAST,   /* each customer's last tenth, at least one of two */
  AS_HOLDOUT_RANDOM, /* any tenth */
  AS_HOLDOUT_NONE    /* no calibration: scores are 1 / (1 + exp(-raw)) */
} as_holdout;

/* warp, adagrad, 32 components, 30 epochs (ALS 15), no half-life, all built-in features (ALS none). */
as_recommend_settings as_recommend_settings_usual(as_lightfm_loss loss);

typedef struct as_recommend_listener {
  bool (*progress)(void *user, bool calibrating, const as_fit_progress *progress); /* false: stop */
  void *user;
} as_recommend_listener;

/* Trains on all rows, after a run on the rows that are not held back, which gives the calibration. Takes `products` and
 * `interactions` over, also on failure. `listener` may be NULL. AS_E_INTERRUPTED: *out is not trained to the end and
 * can only be saved, resumed and freed. After other errors *out is NULL. Caller frees *out. */
AS_MUST_CHECK as_status as_recommender_train(as_context *ctx, as_products *products, as_interactions *interactions,
                                             const as_interaction_types *types, const as_recommend_settings *settings,
                                             as_holdout holdout, const as_recommend_listener *listener,
                                             as_recommender **out);

/* Trains with the settings, types and catalogue of `like` on other interactions, whose product and type numbers are
 * those of `like`; no calibration. Takes `interactions` over, also on failure. Caller frees *out. */
AS_MUST_CHECK as_status as_recommender_train_alike(const as_recommender *like, as_interactions *interactions,
                                                   const as_recommend_listener *listener, as_recommender **out);

/* Goes on with a trained recommender for `epochs` more, after new products and interactions have been added to it: new
 * customers and products get rows of their own, everything else keeps its numbers. `interactions` holds old and new
 * rows, customers of before with their numbers; it is taken over. AS_E_INTERRUPTED: as above; after other errors the
 * recommender can only be freed. */
AS_MUST_CHECK as_status as_recommender_update(as_recommender *recommender, as_interactions *interactions,
                                              int64_t epochs, as_holdout holdout,
                                              const as_recommend_listener *listener);

/* Goes on with training that was interrupted, and ends with the same bytes as if it had not been (but with hogwild). */
AS_MUST_CHECK as_status as_recommender_resume(as_recommender *recommender, const as_recommend_listener *listener);

#endif
