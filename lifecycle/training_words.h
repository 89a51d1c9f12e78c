/* The command that made a version (the "command" of lifecycle/origin.h), taken apart and put together again: what a
 * retraining keeps of it. Words are JSON arrays of texts, as they stand in the file.
 *
 * An option is "--name" with the next word as its value, "--name=value", or "--name" alone when an option or nothing
 * follows; that is how the program writes it. */
#ifndef AS_LIFECYCLE_TRAINING_WORDS_H
#define AS_LIFECYCLE_TRAINING_WORDS_H

#include "base/json.h"

/* The value of an option in a command, the last one if it stands there more than once: "" for one without a value, NULL
 * without the option. Borrowed. */
const char *as_training_words_value(const json_t *command, const char *option);
/* Appends the options of a command, those that `without` (ended by NULL) names left out. AS_E_NOMEM. */
AS_MUST_CHECK as_status as_training_words_copy(as_context *ctx, const json_t *command, const char *const *without,
                                               json_t *words);
/* Appends "--option" and, unless it is NULL, the value. AS_E_NOMEM. */
AS_MUST_CHECK as_status as_training_words_add(as_context *ctx, json_t *words, const char *option, const char *value);
/* Whether the options of `a`, but for those in `without`, stand in `b` too with the same values. */
bool as_training_words_within(const json_t *a, const json_t *b, const char *const *without);
/* Whether two commands have the same options with the same values in any order, but for those in `without`. */
bool as_training_words_same(const json_t *a, const json_t *b, const char *const *without);

#endif
