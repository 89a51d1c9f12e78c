/* SIGINT and SIGTERM as a flag that long work looks at; SIGPIPE as an ordinary write error.
 *
 * A signal handler can reach nothing but static memory, so here, and only here, the program has a global variable. */
#ifndef AS_CLI_SIGNALS_H
#define AS_CLI_SIGNALS_H

#include <stdbool.h>

/* Writing to a closed pipe gives EPIPE from now on, and file descriptors 0 to 2 are open, so that no data file can land
 * on a number that standard output would have. Called first. */
void as_signals_start(void);
/* From now on the first SIGINT or SIGTERM sets the flag; the next SIGINT ends the program at once. */
void as_signals_catch(void);
/* Whether to stop and save. The argument is not used: the function has the type of the library's callbacks. */
bool as_interrupted(void *unused);

#endif
