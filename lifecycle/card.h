/* card.md of a version: for the people who answer for it. Made from what else is in the folder, config.json,
 * recipe.json, metrics.json and training.json, so it says nothing that these don't; what is missing is said to be
 * missing. */
#ifndef AS_LIFECYCLE_CARD_H
#define AS_LIFECYCLE_CARD_H

#include "base/context.h"

#define AS_CARD_NAME "card.md"

/* Writes folder/card.md about a model of this name. AS_E_MODEL when one of the files is no JSON object. */
AS_MUST_CHECK as_status as_card_write(as_context *ctx, const char *folder, const char *model);

#endif
