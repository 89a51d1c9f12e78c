/* The plan of `train all`: which models can be trained from a folder of data, and what that will take. Nothing is
 * written to disk here. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/csv_options.h"
#include "cli/model_store.h"
#include "cli/recommend_options.h"
#include "cli/subcommand.h"
#include "cli/train_all.h"

enum { MOST_WORDS = 32 };

const as_trainable as_trainables[AS_TRAINABLES] = {
    {"intent", {"messages.csv"}, {"--data"}, "intent", "from-intent", as_cli_plan_classifier},
    {"sentiment", {"messages.csv"}, {"--data"}, "sentiment", "from-sentiment", as_cli_plan_classifier},
    {"response", {"messages.csv"}, {"--data"}, "response", "from-response", as_cli_plan_response},
    {AS_RECOMMENDER_NAME,
     {"interactions.csv", "products.csv"},
     {"--interactions", "--products"},
     NULL,
     NULL,
     as_cli_plan_recommend},
};

/* ---- which ------------------------------------------------------------------------------------------------------ */

static bool names_model(const char *list, const char *model) {
  const size_t length = strlen(model);
  for (const char *at = list; at && *at;) {
    const size_t here = strcspn(at, ",");
    if (here == length && memcmp(at, model, here) == 0) return true;
    at += here + (at[here] == ',');
  }
  return false;
}

static as_status leave_out(as_cli *cli, as_listed_training *t, const char *why, const char *what) {
  char text[512];
  snprintf(text, sizeof text, "%s%s", why, what);
  t->state = AS_LISTED_LEFT_OUT;
  return as_listed_set_why(cli->ctx, t, text);
}

static as_status fail(as_cli *cli, as_listed_training *t, as_status status) {
  char text[1024];
  snprintf(text, sizeof text, "%s", as_error_text(cli->ctx));
  t->state = AS_LISTED_FAILED;
  t->exit_code = as_exit_of(status);
  return as_listed_set_why(cli->ctx, t, text);
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

typedef struct words {
  const char *list[MOST_WORDS];
  char *paths[2]; /* of the files; owned */
  size_t count;
} words;

/* What was said for `train all` itself. What stands in the file for several commands reaches the one that is run by
 * itself, and gives way there to what is said for that one. */
static const char *own_value(const as_cli *cli, const char *option) {
  const as_value *value = as_option_value(cli->arguments, option);
  const bool own = value->source == AS_FROM_COMMAND_LINE || (value->source > AS_FROM_INITIAL && value->section == 2);
  return own ? value->text : NULL;
}

static void add_words(words *w, const char *option, const char *value) {
  if (!value) return;
  w->list[w->count++] = option;
  w->list[w->count++] = value;
}

static as_status make_words(as_cli *cli, const as_trainable *kind, words *w) {
  const char *folder = as_option_text(cli->arguments, "data-dir");
  *w = (words){.list = {"train", kind->model}, .count = 2};
  for (int i = 0; i < 2 && kind->files[i]; i++) {
    w->paths[i] = as_path_join(cli->ctx, folder, kind->files[i]);
    if (!w->paths[i]) return AS_E_NOMEM;
    add_words(w, kind->options[i], w->paths[i]);
  }
  add_words(w, "--seed", own_value(cli, "seed"));
  add_words(w, "--hold-out", own_value(cli, "hold-out"));
  if (kind->from_option) {
    const char *from = as_option_text(cli->arguments, kind->from_option);
    add_words(w, from ? "--from" : "--size", from ? from : own_value(cli, "size"));
    add_words(w, "--epochs", own_value(cli, "epochs"));
    add_words(w, "--memory-limit", own_value(cli, "memory-limit"));
  }
  if (as_option_flag(cli->arguments, "overwrite")) w->list[w->count++] = "--overwrite";
  return AS_OK;
}

/* ---- whether it can be trained ---------------------------------------------------------------------------------- */

/* The state that an earlier training left in the store, which this one would have to give up. */
static as_status check_unfinished(as_cli *cli, const as_training_list *list, const as_trainable *kind) {
  char *model = as_path_join(cli->ctx, as_store_root(list->store), kind->model);
  char *training = model ? as_path_join(cli->ctx, model, "unfinished/training") : NULL;
  as_status status = training ? AS_OK : AS_E_NOMEM;
  if (training && as_path_exists(training) && !as_option_flag(cli->arguments, "overwrite"))
    status = as_fail(cli->ctx, AS_E_INVALID,
                     "%s/unfinished holds an unfinished training; end it with `assistify train %s --resume "
                     "%s/unfinished`, or give it up with --overwrite",
                     model, kind->model, model);
  as_free(cli->ctx, model);
  as_free(cli->ctx, training);
  return status;
}

/* Looks for the columns; *missing is the name of one that is not there, or NULL. */
static as_status find_columns(as_cli *cli, const as_trainable *kind, const char *path, const char **missing) {
  const bool labelled = strcmp(cli->arguments->command->name, "train response") != 0;
  const char *own = labelled ? as_option_text(cli->arguments, "label-col") : NULL;
  const char *const names[] = {as_option_text(cli->arguments, "text-col"), own ? own : kind->column};
  as_csv_options options;
  as_csv_reader *reader = NULL;
  *missing = NULL;
  as_status status = as_cli_csv(cli, &options);
  if (status == AS_OK) status = as_csv_open(cli->ctx, path, &options, &reader);
  for (int i = 0; status == AS_OK && i < 2 && !*missing; i++)
    if (!as_csv_has_column(reader, names[i])) *missing = names[i];
  as_csv_close(reader);
  return status;
}

/* `inner` has the arguments of the training command. */
static as_status plan_command(as_cli *inner, const as_trainable *kind, const words *w, as_listed_training *t) {
  as_plan plan = {.rows = 0};
  const char *missing = NULL;
  char text[400];
  as_status status = kind->column ? find_columns(inner, kind, w->paths[0], &missing) : AS_OK;
  if (status == AS_OK && missing) {
    snprintf(text, sizeof text, "%.300s has no column ", w->paths[0]);
    return leave_out(inner, t, text, missing);
  }
  for (int i = 0; status == AS_OK && i < 2 && w->paths[i]; i++) status = as_listed_add_file(inner->ctx, t, w->paths[i]);
  if (status == AS_OK) status = kind->plan(inner, &plan);
  if (status != AS_OK) return status;
  snprintf(t->size, sizeof t->size, "%s", plan.size);
  t->rows = plan.rows;
  t->valid_rows = plan.valid_rows;
  t->epochs = plan.epochs;
  t->bytes = (int64_t)plan.bytes;
  t->expected = plan.seconds;
  t->state = AS_LISTED_WAITING;
  return as_listed_set_words(inner->ctx, t, w->list, w->count);
}

static int plan_one(as_cli *cli, const as_training_list *list, const as_trainable *kind, as_listed_training *t) {
  const char *only = as_option_text(cli->arguments, "only"), *without = as_option_text(cli->arguments, "without");
  words w = {.count = 0};
  as_subcommand command = {.length = 0};
  int code = AS_EXIT_DONE;
  as_status status = make_words(cli, kind, &w);
  const char *absent = NULL;
  for (int i = 0; i < 2 && status == AS_OK && !absent; i++)
    if (w.paths[i] && !as_path_exists(w.paths[i])) absent = w.paths[i];
  if (status == AS_OK && only && !names_model(only, kind->model))
    status = leave_out(cli, t, "not one of --only", "");
  else if (status == AS_OK && names_model(without, kind->model))
    status = leave_out(cli, t, "--without", "");
  else if (status == AS_OK && absent)
    status = leave_out(cli, t, "there is no ", absent);
  else if (status == AS_OK) {
    as_console_note(cli->console, "planning %s", kind->model);
    code = as_subcommand_parse(cli, w.list, w.count, &command);
    if (code == AS_EXIT_DONE) status = as_cli_expect_version(&command.cli);
    if (code == AS_EXIT_DONE && status == AS_OK) status = check_unfinished(cli, list, kind);
    if (code == AS_EXIT_DONE && status == AS_OK) status = plan_command(&command.cli, kind, &w, t);
    if (status != AS_OK && status != AS_E_INTERRUPTED && status != AS_E_NOMEM) status = fail(cli, t, status);
  }
  if (status == AS_OK && only && t->state == AS_LISTED_LEFT_OUT && names_model(only, kind->model)) {
    t->state = AS_LISTED_FAILED; /* it was asked for by name */
    t->exit_code = AS_EXIT_DATA;
  }
  as_subcommand_end(&command);
  for (int i = 0; i < 2; i++) as_free(cli->ctx, w.paths[i]);
  return status == AS_OK ? code : as_cli_failed(cli, status);
}

int as_train_all_plan(as_cli *cli, as_training_list *list) {
  const bool muted = cli->console->muted;
  int code = AS_EXIT_DONE;
  cli->console->muted = true; /* the trainings will say again what there is to warn of */
  for (int i = 0; code == AS_EXIT_DONE && i < AS_TRAINABLES; i++) {
    as_listed_training *t = &list->list[list->count++];
    *t = (as_listed_training){.state = AS_LISTED_LEFT_OUT};
    snprintf(t->model, sizeof t->model, "%s", as_trainables[i].model);
    code = plan_one(cli, list, &as_trainables[i], t);
  }
  cli->console->muted = muted;
  return code;
}
