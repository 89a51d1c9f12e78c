/* train intent, train sentiment: from the options to a recipe, and what a person sees of a run: the summary before,
 * progress, epochs, and where the model is. The run itself is train/classifier.h; what differs between tasks is in
 * models/classification_task.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/machine.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/csv_options.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "train/classifier.h"

#define MOST_BYTES 9e15 /* exact in a double, as a recipe stores it */
#define FEW_ROWS 500 /* a class with fewer rows gets a warning */

static as_status check_memory_limit(as_context *ctx, const char *value);

/* clang-format off */
static const as_option data_rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "F.csv", .required = true, .excludes = "resume",
     .help = "training data: CSV with a header"},
    {.name = "valid", .type = AS_OPTION_FILE, .argument = "F.csv|none", .initial_note = "10 % of the training data",
     .help = "validation data, or none to train on every row"},
    {.name = "label-col", .type = AS_OPTION_TEXT, .argument = "NAME", .initial_note = "the task's name",
     .help = "column of the labels"},
};
static const as_option model_rows[] = {
    {.name = "from", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "size arch",
     .help = "Hugging Face folder to start from"},
    {.name = "size", .type = AS_OPTION_CHOICE, .words = "tiny|mini|small|base", .initial_note = "mini, without --from",
     .help = "size of a fresh model"},
    {.name = "arch", .type = AS_OPTION_CHOICE, .words = "distilbert|roberta",
     .initial_note = "distilbert for intents, roberta for sentiments", .help = "architecture of a fresh model"},
    {.name = "vocab-size", .type = AS_OPTION_INT, .argument = "N", .minimum = 100, .maximum = 1e7, .initial = "8000",
     .help = "vocabulary of a fresh model"},
    {.name = "out", .type = AS_OPTION_FOLDER, .argument = "DIR", .initial_note = "the task's folder below --models",
     .help = "where the model goes"},
    {.name = "overwrite", .type = AS_OPTION_FLAG, .help = "replace the model or unfinished training in --out"},
    {.name = "resume", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "*", .command_line_only = true,
     .help = "go on with the interrupted training in DIR"},
};
static const as_option recipe_rows[] = {
    {.name = "epochs", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6, .initial_note = "by size",
     .help = "passes over the data"},
    {.name = "lr", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 10, .open_minimum = true,
     .initial_note = "by size", .help = "highest learning rate"},
    {.name = "batch", .type = AS_OPTION_INT, .argument = "ROWS", .minimum = 1, .maximum = 1e6,
     .excludes = "batch-tokens", .initial_note = "by size", .help = "rows a batch"},
    {.name = "batch-tokens", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e7,
     .help = "tokens a batch, instead of rows"},
    {.name = "accumulate", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 65536, .initial = "1",
     .help = "batches a step"},
    {.name = "max-length", .type = AS_OPTION_INT, .argument = "N", .minimum = 3, .maximum = 65536, .initial = "128",
     .help = "tokens kept of a text"},
    {.name = "warmup", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1e9, .initial = "0.06",
     .help = "warm-up: a share of the steps below 1, else steps"},
    {.name = "schedule", .type = AS_OPTION_CHOICE, .words = "linear|cosine|constant|inverse_sqrt", .initial = "linear",
     .help = "course of the learning rate after warm-up"},
    {.name = "weight-decay", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 10, .initial = "0.01",
     .help = "decoupled weight decay, not on biases and norms"},
    {.name = "max-grad-norm", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1e9, .initial = "1",
     .help = "gradients are clipped to this norm; 0: not"},
    {.name = "dropout", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 0.99,
     .initial_note = "the model's", .help = "every dropout probability"},
    {.name = "label-smoothing", .type = AS_OPTION_NUMBER, .argument = "E", .minimum = 0, .maximum = 0.99,
     .initial = "0", .help = "share of the target spread over all classes"},
    {.name = "class-weights", .type = AS_OPTION_TEXT, .argument = "WHAT", .initial = "none",
     .help = "none, balanced, or LABEL=W pairs with commas between"},
    {.name = "freeze", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 1000, .initial = "0",
     .help = "keep the embeddings and the first N - 1 layers"},
    {.name = "patience", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 1e6, .initial = "3",
     .help = "epochs without gain before stopping; the best is kept. 0: run all and keep the last"},
    {.name = "metric", .type = AS_OPTION_CHOICE, .words = "macro_f1|accuracy|loss", .initial = "macro_f1",
     .help = "what gain is measured by, on the validation data"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 9e15, .initial = "1",
     .help = "of everything that is drawn"},
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
static const as_option_group data_group = AS_OPTION_GROUP("Data", data_rows);
static const as_option_group model_group = AS_OPTION_GROUP("Model", model_rows);
static const as_option_group recipe_group = AS_OPTION_GROUP("Recipe", recipe_rows);
static const as_option_group run_group = AS_OPTION_GROUP("Run", run_rows);
static const as_option_group *const groups[] = {&data_group, &as_options_csv, &as_options_bad_rows, &model_group,
                                                &recipe_group, &run_group, NULL};

/* ---- options to recipe ------------------------------------------------------------------------------------------ */
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

/* The place of the option's word among its choices. */
static int choice(const as_arguments *a, const char *name, const char *const *words) {
  for (int i = 0; words[i]; i++)
    if (as_option_is(a, name, words[i])) return i;
  return 0;
}

static as_status copy_text(as_cli *cli, const char *text, char **out) {
  *out = text ? as_strdup(cli->ctx, text) : NULL;
  return text && !*out ? AS_E_NOMEM : AS_OK;
}

static as_status copy_texts(as_cli *cli, const as_classification_task *task, as_recipe *r) {
  const as_arguments *a = cli->arguments;
  const char *label = as_option_text(a, "label-col"), *weights = as_option_text(a, "class-weights");
  const char *valid = as_option_text(a, "valid"), *from = as_option_text(a, "from"), *size = as_option_text(a, "size");
  const char *architecture = as_option_text(a, "arch");
  r->valid_none = valid && strcmp(valid, "none") == 0;
  r->class_weights = AS_WEIGHTS_GIVEN;
  if (strcmp(weights, "none") == 0) r->class_weights = AS_WEIGHTS_NONE;
  if (strcmp(weights, "balanced") == 0) r->class_weights = AS_WEIGHTS_BALANCED;
  const struct {
    const char *text;
    char **out;
  } texts[] = {{as_option_text(a, "data"), &r->data},
               {r->valid_none ? NULL : valid, &r->valid},
               {as_option_text(a, "text-col"), &r->text_column},
               {label ? label : task->label_column, &r->label_column},
               {as_option_text(a, "delimiter"), &r->delimiter},
               {as_option_text(a, "encoding"), &r->encoding},
               {r->class_weights == AS_WEIGHTS_GIVEN ? weights : NULL, &r->given_weights},
               {from, &r->from},
               {from ? NULL : size ? size : "mini", &r->size},
               {from ? NULL : architecture ? architecture : task->architecture, &r->architecture}};
  as_status status = AS_OK;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (copy_text(cli, texts[i].text, texts[i].out) != AS_OK) status = AS_E_NOMEM;
  return status;
}

static void copy_numbers(as_cli *cli, as_recipe *r) {
  const as_arguments *a = cli->arguments;
  static const char *const schedules[] = {"linear", "cosine", "constant", "inverse_sqrt", NULL};
  static const char *const metrics[] = {"macro_f1", "accuracy", "loss", NULL};
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
              {"seed", &r->seed, NULL},
              {"save-every", &r->save_every, NULL},
              {"vocab-size", &r->vocab_size, NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (!as_option_text(a, rows[i].name)) continue; /* the preset holds */
    if (rows[i].integer) *rows[i].integer = as_option_int(a, rows[i].name);
    if (rows[i].number) *rows[i].number = as_option_number(a, rows[i].name);
  }
  r->schedule = choice(a, "schedule", schedules);
  r->metric = choice(a, "metric", metrics);
  r->recompute = choice(a, "recompute", modes);
  r->skip_bad_rows = as_option_is(a, "on-error", "skip");
  if (as_option_text(a, "batch")) r->batch_rows = as_option_int(a, "batch");
  if (as_option_text(a, "batch-tokens")) {
    r->batch_tokens = as_option_int(a, "batch-tokens");
    r->batch_rows = 0;
  }
}

static as_status make_recipe(as_cli *cli, const as_classification_task *task, as_recipe *r) {
  const char *size = as_option_text(cli->arguments, "size"), *limit = as_option_text(cli->arguments, "memory-limit");
  *r = as_recipe_preset(as_option_text(cli->arguments, "from") ? NULL : size ? size : "mini");
  copy_numbers(cli, r);
  as_machine_memory machine;
  as_machine_memory_read(&machine);
  if (limit && parse_memory_limit(limit, &r->memory_limit, &r->memory_auto) && r->memory_limit == 0 &&
      machine.available <= (uint64_t)MOST_BYTES)
    r->memory_limit = (int64_t)machine.available;
  return copy_texts(cli, task, r);
}

/* ---- what a person sees ----------------------------------------------------------------------------------------- */
typedef struct view {
  as_cli *cli;
  as_progress progress;
  bool running;
} view;

static void show_note(void *user, const char *text) { as_console_note(((view *)user)->cli->console, "%s", text); }

static void show_classes(as_console *console, const as_training_summary *s) {
  size_t few = 0;
  for (size_t c = 0; c < s->labels->count; c++) few += s->label_rows[c] < FEW_ROWS;
  for (size_t c = 0; c < s->labels->count; c++) {
    if (s->labels->count > 24 && c == 12) {
      as_console_note(console, "    ... %zu more classes ...", s->labels->count - 24);
      c = s->labels->count - 12;
    }
    as_console_note(console, "    %8lld  %.60s%s", (long long)s->label_rows[c], s->labels->names[c],
                    s->label_rows[c] < FEW_ROWS && s->labels->count <= 24 ? "  (few)" : "");
  }
  if (few) {
    char text[160];
    snprintf(text, sizeof text, "%zu of %zu classes have fewer than %d rows; expect them to be less certain", few,
             s->labels->count, FEW_ROWS);
    as_console_warn(console, text);
  }
}

static void show_data(as_console *console, const as_training_summary *s) {
  as_console_note(console, "data      %lld training rows, %lld for validation", (long long)s->train_rows,
                  (long long)s->valid_rows);
  show_classes(console, s);
  as_console_note(console, "tokens    %lld median, %lld at 90 %%, %lld at 95 %%, %lld at 99 %%, %lld longest",
                  (long long)s->length_percentiles[0], (long long)s->length_percentiles[1],
                  (long long)s->length_percentiles[2], (long long)s->length_percentiles[3],
                  (long long)s->length_percentiles[4]);
  if (s->truncated)
    as_console_note(console, "          %lld rows (%.1f %%) are cut to --max-length", (long long)s->truncated,
                    100.0 * (double)s->truncated / (double)s->train_rows);
}

static void show_recipe(as_console *console, const as_training_summary *s) {
  static const char *const schedules[] = {"linear", "cosine", "constant", "inverse_sqrt"};
  const as_recipe *r = s->recipe;
  char batch[64];
  snprintf(batch, sizeof batch, r->batch_tokens ? "%lld tokens" : "%lld rows",
           (long long)(r->batch_tokens ? r->batch_tokens : r->batch_rows));
  as_console_note(console, "model     %s, %s, %lld parameters%s, vocabulary %lld", s->architecture,
                  r->from ? r->from : r->size, (long long)s->parameters,
                  s->trained_parameters < s->parameters ? " (some frozen)" : "", (long long)s->vocab_size);
  if (s->head_replaced)
    as_console_note(console, "          the labels differ from the folder's: its head is replaced by a fresh one");
  if (s->head_absent && !s->fresh)
    as_console_note(console, "          the folder has no classification head: a fresh one is made");
  as_console_note(console, "recipe    %lld epochs, batches of %s x %lld, lr %g %s, warm-up %lld steps",
                  (long long)r->epochs, batch, (long long)r->accumulate, r->lr, schedules[r->schedule],
                  (long long)s->warmup);
  as_console_note(console, "          weight decay %g, clipping %g, label smoothing %g, patience %lld, seed %lld",
                  r->weight_decay, r->max_grad_norm, r->label_smoothing, (long long)r->patience, (long long)r->seed);
  as_console_note(console, "memory    %.1f MiB: %.1f parameters and moments, %.1f activations (recompute %lld)",
                  (double)(s->parameter_bytes + s->graph_bytes) / 1048576, (double)s->parameter_bytes / 1048576,
                  (double)s->graph_bytes / 1048576, (long long)r->recompute);
  as_console_note(console, "steps     %lld%s", (long long)s->steps, s->resumed_step ? ", going on" : "");
  if (s->resumed_step) as_console_note(console, "          after step %lld", (long long)s->resumed_step);
}

static void show_summary(void *user, const as_training_summary *s) {
  view *v = user;
  as_data_report_warn(v->cli->ctx, s->report, s->recipe->data);
  if (s->valid_report) as_data_report_warn(v->cli->ctx, s->valid_report, s->recipe->valid);
  show_data(v->cli->console, s);
  show_recipe(v->cli->console, s);
  as_progress_start(&v->progress, v->cli->console, s->resumed_step);
  v->running = true;
}

static void show_step(void *user, const as_training_step *step) {
  as_progress_figures figures = {.epoch = step->epoch, .epochs = step->epochs, .step = step->step,
                                 .steps = step->steps, .loss = step->loss, .lr = step->lr,
                                 .rate = step->tokens_per_second, .unit = "tokens"};
  as_progress_update(&((view *)user)->progress, &figures);
}

static void show_epoch(void *user, const as_training_epoch *e) {
  as_console *console = ((view *)user)->cli->console;
  char figures[256] = "";
  size_t used = 0;
  for (int i = 0; i < e->metric_count; i++) {
    const as_training_metric *m = &e->metrics[i];
    used += (size_t)snprintf(figures + used, sizeof figures - used, m->is_share ? ", %s %.2f %%" : ", %s %.4g", m->label,
                             m->is_share ? 100 * m->value : m->value);
  }
  if (e->validated)
    as_console_note(console, "epoch %lld/%lld  loss %.4f  validation: loss %.4f%s%s", (long long)e->epoch,
                    (long long)e->epochs, e->train_loss, e->valid_loss, figures, e->is_best ? "  best" : "");
  else
    as_console_note(console, "epoch %lld/%lld  loss %.4f", (long long)e->epoch, (long long)e->epochs, e->train_loss);
}

/* ---- running ---------------------------------------------------------------------------------------------------- */
static int run(as_cli *cli) {
  const as_classification_task *task = as_cli_task(cli);
  view v = {.cli = cli};
  as_training_listener listener = {show_summary, show_step, show_epoch, show_note, as_interrupted, &v};
  as_training_result result = {0};
  as_recipe recipe = {0};
  const char *resume = as_option_text(cli->arguments, "resume");
  char *out = resume ? as_strdup(cli->ctx, resume) : as_cli_model_folder(cli, "out", task->folder);
  as_status status = out ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && resume) status = as_train_task_resume(cli->ctx, task, out, &listener, &result);
  if (status == AS_OK && !resume) {
    status = make_recipe(cli, task, &recipe);
    if (status == AS_OK)
      status = as_train_task(cli->ctx, task, &recipe, out, as_option_flag(cli->arguments, "overwrite"), &listener, &result);
    as_recipe_free(cli->ctx, &recipe);
  }
  if (v.running) as_progress_end(&v.progress);
  if (status == AS_OK) {
    as_console_note(cli->console, "trained in %.1f s, %.0f tokens/s%s; the weights of epoch %lld are in %s",
                    result.seconds, result.tokens_per_second, result.stopped_early ? ", stopped early" : "",
                    (long long)result.best_epoch, out);
  }
  int code = status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
  as_free(cli->ctx, out);
  return code;
}

/* What one row of the table of commands has for its task. `what` is the model in words. */
#define DESCRIPTION(what)                                                                                             \
  "Reads texts and labels, trains " what ", and writes a Hugging Face model folder. "                                  \
  "With --from it starts from a pretrained folder, of whichever architecture that is. "                                \
  "Without it the model is fresh and its vocabulary is made from the data. Ctrl-C saves the "                          \
  "state; --resume DIR goes on and ends with the same bytes as an undisturbed run."

const as_command as_command_train_intent = {
    .name = "train intent", .summary = "train an intent classifier from a CSV file", .groups = groups,
    .catches_signals = true, .works_long = true, .run = run,
    .description = DESCRIPTION("a classifier of intents (DistilBERT, or RoBERTa with --arch)"),
    .examples = "assistify train intent --data messages.csv --size mini\n"
                "assistify train intent --data messages.csv --from distilbert --epochs 3\n"
                "assistify train intent --resume trained_models/intent_classifier"};

const as_command as_command_train_sentiment = {
    .name = "train sentiment", .summary = "train a sentiment classifier from a CSV file", .groups = groups,
    .catches_signals = true, .works_long = true, .run = run,
    .description = DESCRIPTION("a classifier of sentiments (RoBERTa, or DistilBERT with --arch)")
                   " The labels may be any words, not only negative, neutral and positive.",
    .examples = "assistify train sentiment --data messages.csv --size mini\n"
                "assistify train sentiment --data messages.csv --from roberta-base --epochs 3\n"
                "assistify train sentiment --resume trained_models/sentiment_analyzer"};
