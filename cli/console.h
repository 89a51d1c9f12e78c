/* The two streams of the program: results on standard output; progress, notes, warnings and errors on standard error.
 *
 * Invariant: whatever is written, a progress line on the terminal never mixes with it: it is wiped before and drawn
 * again after. What an error text brings from a file (a name, a field) can't steer the terminal: control characters are
 * shown as \x1b. Everything here may be called from several threads. */
#ifndef AS_CLI_CONSOLE_H
#define AS_CLI_CONSOLE_H

#include <pthread.h>
#include <stdio.h>

#include "base/buffer.h"

typedef struct as_console {
  FILE *out, *err;
  bool quiet;    /* no progress and no notes; warnings and errors remain */
  bool muted;    /* no warnings: what goes on is a rehearsal */
  bool terminal; /* err is a terminal that can redraw a line */
  bool out_terminal;
  pthread_mutex_t lock;
  char progress[256]; /* the line that is drawn now; "" if none */
  int out_errno;      /* why standard output failed; 0: it did not */
} as_console;

void as_console_start(as_console *console, FILE *out, FILE *err);
/* Flushes standard output and returns the exit code: `code`, or 1 with a message if results were lost. A reader that
 * went away (`assistify ... | head`) is no failure and gets no message. */
int as_console_finish(as_console *console, int code);

/* Results. False when standard output takes no more: then stop working; as_console_finish says why. */
bool as_console_out(as_console *console, const char *text, size_t length);
bool as_console_print(as_console *console, const char *format, ...) AS_PRINTF(2, 3); /* at most 1023 bytes */
bool as_console_buffer(as_console *console, const as_buffer *buffer); /* the whole buffer; false if it failed too */
bool as_console_flush(as_console *console);                           /* for a reader that waits for each answer */

/* "assistify: text", "assistify: warning: text", and "text" unless quiet (at most 1023 bytes); each on its own line. */
void as_console_error(as_console *console, const char *text);
void as_console_warn(void *console, const char *text); /* has the type of as_context_options.warn */
void as_console_note(as_console *console, const char *format, ...) AS_PRINTF(2, 3);

/* Draws the progress line (terminal only), in place of the one before; "" wipes it. */
void as_console_progress(as_console *console, const char *line);
int as_console_width(const as_console *console); /* columns of the terminal of `err`, 80 if that can't be found out */

#endif
