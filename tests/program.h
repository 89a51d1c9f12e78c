/* The program in this process: a command line in; exit code, standard output and standard error out. So a test watches
 * its memory, fails its allocations, and needs no shell. */
#ifndef AS_TESTS_PROGRAM_H
#define AS_TESTS_PROGRAM_H

#include <jansson.h>

#include "base/context.h"

typedef struct as_program {
  int code;
  char *out, *err; /* err is without warnings, which go to as_test_warnings */
} as_program;

/* Runs "assistify" with the words up to NULL. Free with as_program_free. */
as_program as_run_program(as_context *ctx, const char *const *words);
void as_program_free(as_program *program);
/* Standard output as JSON of one line; fails the test if it is anything else, or if the exit code is not 0. */
json_t *as_program_json(as_context *ctx, const as_program *program);

#endif
