/* The options of generation, under the names of transformers' generate. */
#ifndef AS_CLI_GENERATION_OPTIONS_H
#define AS_CLI_GENERATION_OPTIONS_H

#include "cli/command.h"
#include "infer/generate.h"

extern const as_option_group as_options_generation;

/* Whether the user gave any of them. */
bool as_cli_generation_given(const as_cli *cli);
/* Puts what was given, or has a default, into *out; what has neither stays. Any of --temperature, --top-k and --top-p
 * asks for sampling as --sample does. */
void as_cli_generation(const as_cli *cli, as_generate_options *out);

/* The strings of --stop, in which \n, \t, \, and \\ stand for a line feed, a tab, a comma and a backslash. */
typedef struct as_stop_list {
  as_context *ctx;
  char *bytes;
  const char **strings; /* [count] */
  size_t count;
} as_stop_list;
AS_MUST_CHECK as_status as_cli_stop_strings(const as_cli *cli, as_stop_list *out); /* caller frees, after a failure too */
void as_stop_list_free(as_stop_list *list);

#endif
