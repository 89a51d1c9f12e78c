/* Private to lifecycle/: what a card is made from, and the parts that are another for each kind of model. */
#ifndef AS_LIFECYCLE_CARD_INTERNAL_H
#define AS_LIFECYCLE_CARD_INTERNAL_H

#include "base/json.h"

typedef struct as_card {
  as_context *ctx;
  const char *model;
  as_buffer out;
  json_t *config, *recipe, *metrics, *origin; /* NULL: there is no such file */
} as_card;

/* The text of a member; "" if there is none. */
const char *as_card_text(const json_t *object, const char *key);

/* card_metrics.c: "Metrics", with what belongs to them, and "Limits". */
void as_card_put_metrics(as_card *card);
void as_card_put_limits(as_card *card);

#endif
