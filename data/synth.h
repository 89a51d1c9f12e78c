/* Synthetic customer-support messages of our own making: the sample data, and as much more of it as anybody wants.
 *
 * Columns content, intent, sentiment, response. Six intents with the same number of rows; every row is put together
 * from parts of sentences (data/templates.h) with products, orders, dates and names, then roughened as people write:
 * typing errors, shorthand, missing capitals and marks. About one message in nine is not clear-cut: some could be filed
 * under two intents and stand under either, some hold two requests and are filed mostly under the first.
 *
 * The same seed and number of rows give the same bytes on every machine.
 *
 * Without a week the shop stands still. With one, the rows are what the shop would export at the end of that week: the
 * messages of its last weeks, oldest first. The classes' shares and the wording change from week to week
 * (data/synth_drift.h says how), and a message stays the same in every export that it is in; texts may then repeat. */
#ifndef AS_DATA_SYNTH_H
#define AS_DATA_SYNTH_H

#include "base/buffer.h"

/* What data/samples/messages.csv was made with. */
#define AS_SYNTH_SAMPLE_ROWS 650
#define AS_SYNTH_SAMPLE_SEED 42

typedef struct as_synth_options {
  int64_t rows_per_class; /* 1 to 10,000,000 */
  uint64_t seed;
  int64_t week;  /* 0: the shop stands still; else 1 to AS_SYNTH_MOST_WEEKS, and rows_per_class is the mean of a week */
  int64_t weeks; /* with a week: so many weeks are exported, as far as there were; 0: all since the first */
} as_synth_options;

enum { AS_SYNTH_MOST_WEEKS = 10000 };

/* Gets the CSV piece by piece, whole rows, the header first; returns AS_OK, or what as_synth shall return at once. */
typedef as_status (*as_synth_sink)(void *user, const char *bytes, size_t length);

/* Writes to `user`, a FILE of an as_file_writer, whose commit tells of errors. */
as_status as_synth_to_stream(void *user, const char *bytes, size_t length);

/* Generates the rows in random order. No text comes twice, as long as the templates have enough to say. Memory grows
 * with the number of rows, of which a hash table is kept. AS_E_INVALID: rows_per_class, week or weeks out of
 * range. */
AS_MUST_CHECK as_status as_synth(as_context *ctx, const as_synth_options *options, as_synth_sink sink, void *user);

/* The same into a file, written atomically. */
AS_MUST_CHECK as_status as_synth_file(as_context *ctx, const as_synth_options *options, const char *path);

#endif
