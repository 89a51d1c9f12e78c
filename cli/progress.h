/* How far long work has come: one line on a terminal, redrawn in place; on anything else a plain line now and then.
 *
 * Invariant: the line on a terminal is shorter than the terminal is wide, so that it can always be wiped. */
#ifndef AS_CLI_PROGRESS_H
#define AS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/console.h"

typedef struct as_progress_figures {
  int64_t epoch, epochs; /* epochs 0: not shown */
  int64_t step, steps;   /* done and in all; steps 0: the end is not known */
  double loss, lr;       /* NaN: not shown */
  double rate;           /* per second; NaN: not shown */
  const char *unit;      /* "tokens", "rows" */
} as_progress_figures;

typedef struct as_progress {
  as_console *console;
  double started, shown; /* seconds of the monotonic clock; shown < 0: never */
  int64_t first_step;    /* where this run began: not 0 after a resume */
  double shown_fraction;
} as_progress;

void as_progress_start(as_progress *progress, as_console *console, int64_t first_step);
/* Shows the figures if it is time to; cheap otherwise, so it may be called at every step. */
void as_progress_update(as_progress *progress, const as_progress_figures *figures);
void as_progress_end(as_progress *progress); /* wipes the line */

/* Rows that are answered, as a callback: `user` is the as_progress. False once the user wants to stop. */
bool as_progress_rows(void *user, int64_t done, int64_t count);

/* The line for a terminal of `width` columns, at least 40 (of a narrower one it is cut): less important figures give
 * way. `seconds_left` negative: not known. */
void as_progress_line(const as_progress_figures *figures, double seconds_left, int width, char *line, size_t size);
/* as_progress_update at a time of the caller's. */
void as_progress_update_at(as_progress *progress, const as_progress_figures *figures, double now);

#endif
