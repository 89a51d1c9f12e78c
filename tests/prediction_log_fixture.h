/* The table predictions for tests: rows to add, and a look at the database that does not go through our code. */
#ifndef AS_TESTS_PREDICTION_LOG_FIXTURE_H
#define AS_TESTS_PREDICTION_LOG_FIXTURE_H

#include <sqlite3.h>

#include "lifecycle/prediction_log.h"
#include "tests/store_fixture.h"

/* Texts that files and tables have trouble with, and how they come out. */
typedef struct as_log_text_case {
  const char *text;
  size_t length;
  const char *kind; /* SQLite's type of it */
  const char *json; /* the member's value */
  const char *csv;  /* the field between its commas */
} as_log_text_case;
enum { AS_LOG_HOSTILE = 12 };
extern const as_log_text_case as_log_hostile[AS_LOG_HOSTILE];

extern const as_prediction_log_options as_log_hashed; /* hashes, no retention */

/* An answer "buy" (0.75, "return" has 0.25) of intent/3 to `input`. */
as_logged_prediction as_log_answer(const char *id, const char *input, size_t length);
/* Adds answers, each with an id of its own. */
void as_log_some(as_prediction_log *log, int count);
as_prediction_log *as_log_open(as_context *ctx, const char *path, const as_prediction_log_options *options);
/* Four rows: two requests aaaaaa... of intent/3 and intent/4, and one bbbbbb... of intent/4 and response/4. */
void as_log_fill(as_context *ctx, const char *path);

/* Any statement, on a connection of its own; the first column of the first row, 0 without one. */
int64_t as_log_ask(const char *path, const char *sql);
/* How many rows there are in a database that is whole. */
int64_t as_log_rows(const char *path);
int as_log_lines(const char *text); /* line ends in it */

#endif
