/* inspect generate: replays runs of generation over given token ids, to compare tokens and scores with another
 * implementation. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/inspect.h"
#include "infer/generate.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "inputs", .type = AS_OPTION_FILE, .argument = "FILE", .required = true,
     .help = "JSON with input_ids and attention_mask"},
    {.name = "runs", .type = AS_OPTION_FILE, .argument = "FILE", .required = true,
     .help = "JSON with runs, each a name and options"},
};
/* clang-format on */
static const as_option_group running = AS_OPTION_GROUP("Running", rows);
static const as_option_group *const groups[] = {&running, NULL};

/* ---- options of a run ------------------------------------------------------------------------------------------- */

static as_status read_integer(const as_inspect_object *o, const char *name, int64_t *value) {
  return as_inspect_has(o, name) ? as_inspect_integer(o, name, 0, INT32_MAX, value) : AS_OK;
}

static as_status read_number(const as_inspect_object *o, const char *name, double *value) {
  return as_inspect_has(o, name) ? as_inspect_number(o, name, -1e6, 1e6, value) : AS_OK;
}

static as_status read_flag(const as_inspect_object *o, const char *name, bool *value) {
  const json_t *given = json_object_get(o->object, name);
  if (!given) return AS_OK;
  *value = json_is_true(given);
  return json_is_boolean(given) ? AS_OK : as_inspect_fail(o, name, " must be true or false");
}

static as_status read_early_stopping(const as_inspect_object *o, as_early_stopping *value) {
  const json_t *given = json_object_get(o->object, "early_stopping");
  if (!given) return AS_OK;
  *value = json_is_true(given) ? AS_EARLY_STOPPING_TRUE : AS_EARLY_STOPPING_FALSE;
  if (json_is_boolean(given)) return AS_OK;
  *value = AS_EARLY_STOPPING_NEVER;
  if (json_is_string(given) && strcmp(json_string_value(given), "never") == 0) return AS_OK;
  return as_inspect_fail(o, "early_stopping", " must be true, false or \"never\"");
}

static as_status read_options(const as_inspect_object *run, as_generate_options *out) {
  static const char *const known[] = {"max_new_tokens",       "min_new_tokens",     "num_beams",
                                      "num_return_sequences", "length_penalty",     "early_stopping",
                                      "repetition_penalty",   "no_repeat_ngram_size", "do_sample",
                                      "temperature",          "top_k",              "top_p",
                                      "seed",                 NULL};
  as_inspect_object o;
  int64_t seed = 0;
  *out = as_generate_default();
  as_status status = as_inspect_member(run, "options", &o);
  if (status != AS_OK) return status;
  as_inspect_warn_unknown(&o, known);
  const struct {
    const char *name;
    int64_t *value;
  } integers[] = {{"max_new_tokens", &out->max_new_tokens}, {"min_new_tokens", &out->min_new_tokens},
                  {"num_beams", &out->num_beams},           {"num_return_sequences", &out->num_return_sequences},
                  {"top_k", &out->top_k},                   {"no_repeat_ngram_size", &out->no_repeat_ngram_size},
                  {"seed", &seed}};
  const struct {
    const char *name;
    double *value;
  } numbers[] = {{"length_penalty", &out->length_penalty},
                 {"repetition_penalty", &out->repetition_penalty},
                 {"temperature", &out->temperature},
                 {"top_p", &out->top_p}};
  for (size_t i = 0; status == AS_OK && i < sizeof integers / sizeof integers[0]; i++)
    status = read_integer(&o, integers[i].name, integers[i].value);
  for (size_t i = 0; status == AS_OK && i < sizeof numbers / sizeof numbers[0]; i++)
    status = read_number(&o, numbers[i].name, numbers[i].value);
  if (status == AS_OK) status = read_flag(&o, "do_sample", &out->do_sample);
  if (status == AS_OK) status = read_early_stopping(&o, &out->early_stopping);
  out->seed = (uint64_t)seed;
  return status;
}

/* ---- inputs ----------------------------------------------------------------------------------------------------- */

static as_status read_sources(const as_inspect_object *inputs, const as_t5_config *config, as_encoder_batch *sources) {
  static const char *const known[] = {"input_ids", "attention_mask", "lengths", NULL};
  const as_inspect_row_fields fields = {.ids = "input_ids", .mask = "attention_mask", .lengths = "lengths",
                                        .vocab_size = config->vocab_size, .max_tokens = 1 << 20};
  as_inspect_rows read = {0};
  as_inspect_warn_unknown(inputs, known);
  as_status status = as_inspect_rows_read(inputs, &fields, &read);
  for (int64_t i = 0; status == AS_OK && i < read.count; i++)
    status = as_encoder_batch_add(sources, read.ids + i * read.width, read.lengths[i], AS_NO_LABEL);
  as_inspect_rows_free(&read);
  return status;
}

/* ---- results ---------------------------------------------------------------------------------------------------- */

/* One row as transformers returns it: the start token first, and filled up to the longest: by padding, or in beam
 * search, where a padding id of 0 counts as not set, by the end token. */
static void write_sequence(as_json_writer *w, const as_generations *g, int64_t row, int64_t width, int64_t start,
                           int64_t fill) {
  int64_t count = g->offsets[row + 1] - g->offsets[row];
  as_json_open_array(w, NULL);
  as_json_int(w, NULL, start);
  for (int64_t i = 0; i < width; i++) as_json_int(w, NULL, i < count ? g->ids[g->offsets[row] + i] : fill);
  as_json_close_array(w);
}

static void write_run(as_json_writer *w, const char *name, const as_generations *g, const as_t5_config *config,
                      bool beams) {
  int64_t fill = beams && config->pad_token_id == 0 ? config->eos_token_id : config->pad_token_id, width = 0;
  for (int64_t i = 0; i < g->count; i++)
    if (g->offsets[i + 1] - g->offsets[i] > width) width = g->offsets[i + 1] - g->offsets[i];
  as_json_open_object(w, NULL);
  as_json_string(w, "name", name);
  as_json_open_array(w, "sequences");
  for (int64_t i = 0; i < g->count; i++) write_sequence(w, g, i, width, config->decoder_start_token_id, fill);
  as_json_close_array(w);
  as_json_open_array(w, "scores");
  for (int64_t i = 0; i < g->count; i++) as_json_double(w, NULL, g->scores[i]);
  as_json_close_array(w);
  as_json_close_object(w);
}

/* An option that makes no sense is the file's fault. */
static as_status generate(as_generator *generator, const as_inspect_object *run, const as_encoder_batch *sources,
                          const as_generate_options *options, as_generations *out) {
  as_status status = as_generate(generator, sources, options, out);
  return status == AS_E_INVALID ? as_fail_prefix(run->ctx, AS_E_DATA, "%s: %soptions", run->file, run->where) : status;
}

static as_status replay(as_cli *cli, const as_t5 *t5, const as_inspect_object *runs, const as_encoder_batch *sources,
                        as_json_writer *w) {
  const json_t *list;
  as_generator *generator = NULL;
  as_status status = as_inspect_list(runs, "runs", &list);
  if (status == AS_OK) status = as_generator_new(cli->ctx, t5, &generator);
  for (size_t i = 0; status == AS_OK && i < json_array_size(list); i++) {
    as_inspect_object run;
    as_generate_options options;
    as_generations generations = {0};
    const char *name = "";
    status = as_inspect_element(runs, "runs", i, &run);
    if (status == AS_OK) status = as_inspect_text(&run, "name", &name);
    if (status == AS_OK) status = read_options(&run, &options);
    if (status == AS_OK) status = generate(generator, &run, sources, &options, &generations);
    if (status == AS_OK) write_run(w, name, &generations, as_t5_get_config(t5), options.num_beams > 1);
    as_generations_free(&generations);
  }
  as_generator_free(generator);
  return status;
}

static as_status run_all(as_cli *cli, const as_inspect_object *inputs, const as_inspect_object *runs) {
  as_t5 *t5 = NULL;
  as_encoder_batch sources;
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  as_encoder_batch_init(&sources, cli->ctx);
  as_json_writer w = as_json_writer_start(&out, 0);
  as_status status =
      as_t5_open(cli->ctx, cli->arguments->operands[0], &(as_t5_options){.packed = true, .dropout = -1}, &t5);
  if (status == AS_OK) status = read_sources(inputs, as_t5_get_config(t5), &sources);
  as_json_open_array(&w, NULL);
  if (status == AS_OK) status = replay(cli, t5, runs, &sources, &w);
  as_json_close_array(&w);
  as_buffer_char(&out, '\n');
  if (status == AS_OK) status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(cli->console, &out);
  as_encoder_batch_free(&sources);
  as_buffer_free(&out);
  as_t5_free(t5);
  return status;
}

static int run(as_cli *cli) {
  json_t *inputs_root = NULL, *runs_root = NULL;
  as_inspect_object inputs, runs;
  as_status status = as_inspect_inputs_read(cli->ctx, as_option_text(cli->arguments, "inputs"), &inputs_root, &inputs);
  if (status == AS_OK)
    status = as_inspect_inputs_read(cli->ctx, as_option_text(cli->arguments, "runs"), &runs_root, &runs);
  if (status == AS_OK) status = run_all(cli, &inputs, &runs);
  json_decref(inputs_root);
  json_decref(runs_root);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_inspect_generate = {
    .name = "inspect generate",
    .operands = "DIR",
    .min_operands = 1,
    .max_operands = 1,
    .operand = AS_OPERAND_FOLDER,
    .summary = "replay runs of generation over given token ids",
    .description =
        "Lets the T5 model in DIR answer the inputs as each of the runs says, whose options are those of transformers' "
        "generate: max_new_tokens, min_new_tokens, num_beams, num_return_sequences, length_penalty, early_stopping, "
        "repetition_penalty, no_repeat_ngram_size, do_sample, temperature, top_k, top_p, seed.\n\n"
        "Prints [{\"name\", \"sequences\", \"scores\"}, ...]. Sequences begin with the start token and are filled up "
        "to "
        "the longest. The score of a beam is its log-probability divided by length^length_penalty; without beams it is "
        "the sum of the log-probabilities.",
    .examples = "assistify inspect generate my_t5 --inputs in.json --runs runs.json",
    .groups = groups,
    .run = run,
};
