/* Rows and values of the options of generation. */
#include "cli/generation_options.h"

#include <string.h>

#include "base/memory.h"

/* Takes a text that names at least one string, none of them empty. */
static as_status check_stop(as_context *ctx, const char *value) {
  bool empty = true;
  for (const char *at = value;; at++) {
    if (*at == '\\' && at[1] && !strchr("nt,\\", at[1]))
      return as_fail(ctx, AS_E_INVALID, "\"\\%c\" stands for nothing; there are \\n, \\t, \\, and \\\\", at[1]);
    if ((!*at || *at == ',') && empty) return as_fail(ctx, AS_E_INVALID, "an empty string is in every text");
    if (!*at) return AS_OK;
    empty = *at == ',';
    if (*at == '\\' && at[1]) at++;
  }
}

/* clang-format off */
static const as_option rows[] = {
    {.name = "max-new-tokens", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 65536,
     .initial_note = "as in training", .help = "most tokens of a reply"},
    {.name = "min-new-tokens", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 65536, .initial = "0",
     .help = "fewest tokens of a reply"},
    {.name = "beams", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1000, .initial = "1",
     .help = "search with so many beams; 1: take the likeliest token"},
    {.name = "length-penalty", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = -100, .maximum = 100, .initial = "1",
     .help = "of beams: above 0 prefers long replies, below short ones"},
    {.name = "early-stopping", .type = AS_OPTION_CHOICE, .words = "false|true|never", .initial = "false",
     .help = "of beams: end when there are enough replies, or when none can get better"},
    {.name = "num-return-sequences", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1000,
     .initial = "1", .help = "replies to each message"},
    {.name = "sample", .type = AS_OPTION_FLAG, .excludes = "beams", .help = "draw tokens by their probability"},
    {.name = "temperature", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 1e-6, .maximum = 1e6,
     .initial_note = "1", .excludes = "beams", .help = "of sampling: below 1 keeps to likely tokens"},
    {.name = "top-k", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 1 << 28, .initial_note = "50",
     .excludes = "beams", .help = "of sampling: only the N likeliest tokens; 0: all"},
    {.name = "top-p", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 1e-9, .maximum = 1, .initial_note = "1",
     .excludes = "beams", .help = "of sampling: only the likeliest tokens that together reach this probability"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 2147483647, .initial = "0",
     .help = "of sampling: the same seed gives the same replies"},
    {.name = "repetition-penalty", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 1e-6, .maximum = 1e6,
     .initial = "1", .help = "above 1 makes tokens that are there already less likely"},
    {.name = "no-repeat-ngram-size", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 65536,
     .initial = "0", .help = "no N tokens in a row twice; 0: any may repeat"},
    {.name = "stop", .type = AS_OPTION_TEXT, .argument = "TEXT", .repeats = true, .check = check_stop,
     .help = "end a reply before this text; \\n is a line feed, and commas separate texts"},
};
/* clang-format on */
const as_option_group as_options_generation = AS_OPTION_GROUP("Generation", rows);

bool as_cli_generation_given(const as_cli *cli) {
  for (size_t i = 0; i < as_options_generation.count; i++)
    if (as_option_given(cli->arguments, rows[i].name)) return true;
  return false;
}

void as_cli_generation(const as_cli *cli, as_generate_options *out) {
  const as_arguments *a = cli->arguments;
  if (as_option_text(a, "max-new-tokens")) out->max_new_tokens = as_option_int(a, "max-new-tokens");
  out->min_new_tokens = as_option_int(a, "min-new-tokens");
  out->num_beams = as_option_int(a, "beams");
  out->length_penalty = as_option_number(a, "length-penalty");
  out->early_stopping = as_option_is(a, "early-stopping", "true")    ? AS_EARLY_STOPPING_TRUE
                        : as_option_is(a, "early-stopping", "never") ? AS_EARLY_STOPPING_NEVER
                                                                     : AS_EARLY_STOPPING_FALSE;
  out->num_return_sequences = as_option_int(a, "num-return-sequences");
  out->do_sample = as_option_flag(a, "sample") || as_option_text(a, "temperature") || as_option_text(a, "top-k") ||
                   as_option_text(a, "top-p");
  if (as_option_text(a, "temperature")) out->temperature = as_option_number(a, "temperature");
  if (as_option_text(a, "top-k")) out->top_k = as_option_int(a, "top-k");
  if (as_option_text(a, "top-p")) out->top_p = as_option_number(a, "top-p");
  out->seed = (uint64_t)as_option_int(a, "seed");
  out->repetition_penalty = as_option_number(a, "repetition-penalty");
  out->no_repeat_ngram_size = as_option_int(a, "no-repeat-ngram-size");
}

/* The escaped character `c`. */
static char unescaped(char c) {
  return (char)(c == 'n' ? '\n' : c == 't' ? '\t' : c);
}

as_status as_cli_stop_strings(const as_cli *cli, as_stop_list *out) {
  const char *text = as_option_text(cli->arguments, "stop");
  *out = (as_stop_list){.ctx = cli->ctx};
  if (!text) return AS_OK;
  const size_t length = strlen(text);
  char *to = out->bytes = as_alloc(cli->ctx, length + 1, 1);
  out->strings = as_alloc(cli->ctx, length + 1, sizeof *out->strings);
  if (!out->bytes || !out->strings) return AS_E_NOMEM;
  out->strings[out->count++] = to;
  for (const char *at = text; *at; at++) {
    if (*at == ',') {
      *to++ = '\0';
      out->strings[out->count++] = to;
    } else if (*at == '\\' && at[1]) {
      *to++ = unescaped(*++at);
    } else {
      *to++ = *at;
    }
  }
  *to = '\0';
  return AS_OK;
}

void as_stop_list_free(as_stop_list *list) {
  if (!list->ctx) return;
  as_free(list->ctx, list->bytes);
  as_free(list->ctx, list->strings);
  *list = (as_stop_list){0};
}
