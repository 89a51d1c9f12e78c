/* The options of recipe and run, and how they become a recipe. */
#include "cli/training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/machine.h"
#include "base/memory.h"

#define MOST_BYTES 9e15 /* exact in a double, as a recipe stores it */

static as_status check_memory_limit(as_context *ctx, const char *value);

/* clang-format off */
static const as_option recipe_rows[] = {
    {.name = "epochs", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6, .initial_note = "by size",
     .help = "passes over the data"},
    {.name = "lr", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 10, .open_minimum = true,
     .initial_note = "by size", .help = "highest learning rate"},
    {.name = "accumulate", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 65536, .initial = "1",
     .help = "batches a step"},
    {.name = "max-length", .type = AS_OPTION_INT, .argument = "N", .minimum = 3, .maximum = 65536, .initial = "128",
     .help = "tokens kept of a text"},
    {.name = "warmup", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1e9, .initial = "0.06",
     .help = "warm-up: a share of the steps below 1, else steps"},
    {.name = "schedule", .type = AS_OPTION_CHOICE, .words = "linear|cosine|constant|inverse_sqrt", .initial = "linear",
     .help = "course of the learning rate after warm-up"},
    {.name = "optimizer", .type = AS_OPTION_CHOICE, .words = "adamw|adafactor", .initial = "adamw",
     .help = "adafactor keeps a row and a column of moments for each matrix, so it needs less memory"},
    {.name = "scale-parameter", .type = AS_OPTION_FLAG,
     .help = "adafactor: the learning rate times the root mean square of the weights"},
    {.name = "relative-step", .type = AS_OPTION_FLAG,
     .help = "adafactor: its own learning rate in place of --lr, at most 0.01, falling with the root of the steps"},
    {.name = "warmup-init", .type = AS_OPTION_FLAG, .help = "adafactor with --relative-step: that begins low"},
    {.name = "weight-decay", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 10, .initial = "0.01",
     .help = "decoupled weight decay, not on biases and norms"},
    {.name = "max-grad-norm", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1e9, .initial = "1",
     .help = "gradients are clipped to this norm; 0: not"},
    {.name = "dropout", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 0.99,
     .initial_note = "the model's", .help = "every dropout probability"},
    {.name = "label-smoothing", .type = AS_OPTION_NUMBER, .argument = "E", .minimum = 0, .maximum = 0.99,
     .initial = "0", .help = "share of the target spread over all classes"},
    {.name = "freeze", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 1000, .initial = "0",
     .help = "keep the embeddings and the first N - 1 layers"},
    {.name = "patience", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 1e6, .initial = "3",
     .help = "epochs without gain before stopping; the best is kept. 0: run all and keep the last"},
    {.name = "hold-out", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 0.9, .initial = "0",
     .help = "keep this share of the rows, chosen by their text, for tests"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 9e15, .initial = "1",
     .help = "of everything that is drawn"},
    /* the last two: AS_CLI_BATCH_OPTIONS */
    {.name = "batch", .type = AS_OPTION_INT, .argument = "ROWS", .minimum = 1, .maximum = 1e6,
     .excludes = "batch-tokens", .initial_note = "by size", .help = "rows a batch"},
    {.name = "batch-tokens", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e7,
     .help = "tokens a batch, instead of rows"},
};
static const as_option run_rows[] = {
    {.name = "recompute", .type = AS_OPTION_CHOICE, .argument = "0|1|2", .words = "0|1|2", .initial = "0",
     .help = "save memory: 1 what is cheap, 2 all within a block"},
    {.name = "memory-limit", .type = AS_OPTION_TEXT, .argument = "SIZE[,auto]", .check = check_memory_limit,
     .help = "refuse to need more; with auto recompute more and shrink batches. auto alone: what the machine has free"},
    {.name = "save-every", .type = AS_OPTION_INT, .argument = "SECONDS", .minimum = 1, .maximum = 1e9, .initial = "600",
     .help = "time between checkpoints within an epoch"},
};
/* clang-format on */
const as_option_group as_options_recipe = AS_OPTION_GROUP("Recipe", recipe_rows);
const as_option_group as_options_recipe_but_batches = {
    "Recipe", recipe_rows, sizeof recipe_rows / sizeof recipe_rows[0] - AS_CLI_BATCH_OPTIONS};
const as_option_group as_options_run = AS_OPTION_GROUP("Run", run_rows);

/* "512M", "2G,auto" or "auto": bytes (0: what is free) and whether to adapt. */
static bool parse_memory_limit(const char *text, int64_t *bytes, bool *adapts) {
  double number = 0;
  char unit = 0;
  int used = 0;
  *adapts = strcmp(text, "auto") == 0;
  *bytes = 0;
  if (*adapts) return true;
  if (sscanf(text, "%lf%n", &number, &used) != 1 || !(number > 0) || !isfinite(number)) return false;
  const char *rest = text + used;
  static const char units[] = "KMGT";
  double scale = 1;
  const char *found = *rest ? strchr(units, unit = *rest) : NULL;
  if (found) {
    for (int i = 0; i <= found - units; i++) scale *= 1024;
    rest++;
  }
  *adapts = strcmp(rest, ",auto") == 0;
  if ((*rest && !*adapts) || number * scale > MOST_BYTES || number * scale < 1) return false;
  *bytes = (int64_t)(number * scale);
  return true;
}

static as_status check_memory_limit(as_context *ctx, const char *value) {
  int64_t bytes;
  bool adapts;
  if (parse_memory_limit(value, &bytes, &adapts)) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "\"%s\" is not a size such as 512M or 1.5G, a size with \",auto\", or auto", value);
}

int as_cli_choice(const as_arguments *a, const char *name, const char *const *words) {
  for (int i = 0; words[i]; i++)
    if (as_option_is(a, name, words[i])) return i;
  return 0;
}

as_status as_cli_copy(as_cli *cli, const char *text, char **out) {
  *out = text ? as_strdup(cli->ctx, text) : NULL;
  return text && !*out ? AS_E_NOMEM : AS_OK;
}

static as_status copy_texts(as_cli *cli, const char *architecture, as_recipe *r) {
  const as_arguments *a = cli->arguments;
  const char *valid = as_option_text(a, "valid"), *from = as_option_text(a, "from"), *arch = as_option_text(a, "arch");
  r->valid_none = valid && strcmp(valid, "none") == 0;
  const struct {
    const char *text;
    char **out;
  } texts[] = {{as_option_text(a, "data"), &r->data},
               {r->valid_none ? NULL : valid, &r->valid},
               {as_option_text(a, "text-col"), &r->text_column},
               {as_option_text(a, "delimiter"), &r->delimiter},
               {as_option_text(a, "encoding"), &r->encoding},
               {from, &r->from},
               {as_cli_fresh_size(cli), &r->size},
               {from   ? NULL
                : arch ? arch
                       : architecture,
                &r->architecture}};
  as_status status = AS_OK;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (as_cli_copy(cli, texts[i].text, texts[i].out) != AS_OK) status = AS_E_NOMEM;
  return status;
}

static void copy_numbers(as_cli *cli, as_recipe *r) {
  const as_arguments *a = cli->arguments;
  static const char *const schedules[] = {"linear", "cosine", "constant", "inverse_sqrt", NULL};
  static const char *const optimizers[] = {"adamw", "adafactor", NULL};
  static const char *const modes[] = {"0", "1", "2", NULL};
  const struct {
    const char *name;
    int64_t *integer;
    double *number;
  } rows[] = {{"epochs", &r->epochs, NULL},
              {"lr", NULL, &r->lr},
              {"accumulate", &r->accumulate, NULL},
              {"max-length", &r->max_length, NULL},
              {"warmup", NULL, &r->warmup},
              {"weight-decay", NULL, &r->weight_decay},
              {"max-grad-norm", NULL, &r->max_grad_norm},
              {"dropout", NULL, &r->dropout},
              {"label-smoothing", NULL, &r->label_smoothing},
              {"freeze", &r->freeze, NULL},
              {"patience", &r->patience, NULL},
              {"hold-out", NULL, &r->hold_out},
              {"seed", &r->seed, NULL},
              {"save-every", &r->save_every, NULL},
              {"vocab-size", &r->vocab_size, NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (!as_option_text(a, rows[i].name)) continue; /* the preset holds */
    if (rows[i].integer) *rows[i].integer = as_option_int(a, rows[i].name);
    if (rows[i].number) *rows[i].number = as_option_number(a, rows[i].name);
  }
  r->optimizer = as_cli_choice(a, "optimizer", optimizers);
  r->scale_parameter = as_option_flag(a, "scale-parameter");
  r->relative_step = as_option_flag(a, "relative-step");
  r->warmup_init = as_option_flag(a, "warmup-init");
  r->schedule = as_cli_choice(a, "schedule", schedules);
  r->recompute = as_cli_choice(a, "recompute", modes);
  r->skip_bad_rows = as_option_is(a, "on-error", "skip");
  if (as_option_text(a, "batch")) {
    r->batch_rows = as_option_int(a, "batch");
    r->batch_tokens = 0;
  }
  if (as_option_text(a, "batch-tokens")) {
    r->batch_tokens = as_option_int(a, "batch-tokens");
    r->batch_rows = 0;
  }
}

as_plan as_cli_plan_of(const as_cli *cli, const as_training_estimate *e) {
  const char *size = as_cli_fresh_size(cli), *from = as_option_text(cli->arguments, "from");
  as_plan plan = {.rows = e->train_rows,
                  .valid_rows = e->valid_rows,
                  .epochs = e->epochs,
                  .bytes = e->bytes,
                  .seconds = e->seconds};
  const char *slash = from ? strrchr(from, '/') : NULL;
  snprintf(plan.size, sizeof plan.size, "%s%.50s", size ? "" : "from ", size ? size : slash && slash[1] ? slash + 1 : from);
  return plan;
}

const char *as_cli_fresh_size(const as_cli *cli) {
  const char *size = as_option_text(cli->arguments, "size");
  if (as_option_text(cli->arguments, "from")) return NULL;
  return size ? size : "mini";
}

as_status as_cli_recipe(as_cli *cli, const char *architecture, as_recipe *r) {
  const char *limit = as_option_text(cli->arguments, "memory-limit");
  copy_numbers(cli, r);
  as_machine_memory machine;
  as_machine_memory_read(&machine);
  if (limit && parse_memory_limit(limit, &r->memory_limit, &r->memory_auto) && r->memory_limit == 0 &&
      machine.available <= (uint64_t)MOST_BYTES)
    r->memory_limit = (int64_t)machine.available;
  return copy_texts(cli, architecture, r);
}
