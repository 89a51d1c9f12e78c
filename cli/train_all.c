/* train all: every model whose files are in a folder, one after the other, by the training commands themselves.
 *
 * Invariant: train_all.json in the store (lifecycle/training_list.h) says at every moment what is done, begun and left,
 * so --resume ends with the same weights as if nobody had interrupted or killed the program. A training that fails is
 * told, and the others go on. */
#include "cli/train_all.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/signals.h"
#include "cli/subcommand.h"

static as_status check_names(as_context *ctx, const char *value) {
  for (const char *at = value; *at || at == value;) {
    const size_t length = strcspn(at, ",");
    bool known = false;
    for (int i = 0; i < AS_TRAINABLES && !known; i++)
      known = strlen(as_trainables[i].model) == length && memcmp(as_trainables[i].model, at, length) == 0;
    if (!known)
      return as_fail(ctx, AS_E_INVALID, "\"%.*s\" is none of intent, sentiment, response and recommend", (int)length,
                     at);
    at += length;
    if (*at == ',' && at[1]) at++;
  }
  return AS_OK;
}

/* clang-format off */
static const as_option what_rows[] = {
    {.name = "data-dir", .type = AS_OPTION_FOLDER, .argument = "DIR", .required = true, .excludes = "resume",
     .help = "folder with messages.csv, interactions.csv and products.csv, or some of them"},
    {.name = "only", .type = AS_OPTION_TEXT, .argument = "MODEL,...", .check = check_names, .repeats = true,
     .excludes = "without resume", .help = "these alone: intent, sentiment, response, recommend"},
    {.name = "without", .type = AS_OPTION_TEXT, .argument = "MODEL,...", .check = check_names, .repeats = true,
     .excludes = "resume", .help = "all but these"},
    {.name = "dry-run", .type = AS_OPTION_FLAG, .command_line_only = true,
     .excludes = "resume overwrite", .help = "show the plan and train nothing"},
    {.name = "resume", .type = AS_OPTION_FLAG, .command_line_only = true, .excludes = "overwrite",
     .help = "go on with what was interrupted"},
    {.name = "overwrite", .type = AS_OPTION_FLAG, .command_line_only = true,
     .help = "give up what was interrupted and begin anew"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "the summary, or the plan of --dry-run, as JSON"},
};
static const as_option how_rows[] = {
    {.name = "size", .type = AS_OPTION_CHOICE, .words = "tiny|mini|small|base", .excludes = "resume",
     .initial_note = "mini", .help = "size of fresh models"},
    {.name = "from-intent", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "resume",
     .help = "Hugging Face folder for intents to start from"},
    {.name = "from-sentiment", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "resume",
     .help = "the same for sentiments"},
    {.name = "from-response", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "resume",
     .help = "the same for replies, a T5"},
    {.name = "epochs", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6, .excludes = "resume",
     .initial_note = "by size", .help = "passes over the messages"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 9e15, .excludes = "resume",
     .initial_note = "1", .help = "of everything that is drawn"},
    {.name = "hold-out", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 0.9, .excludes = "resume",
     .initial_note = "0", .help = "keep this share of all rows for tests"},
    {.name = "memory-limit", .type = AS_OPTION_TEXT, .argument = "SIZE[,auto]", .excludes = "resume",
     .help = "as `train intent` has it, for each of those that learn from messages"},
};
/* clang-format on */
static const as_option_group what_group = AS_OPTION_GROUP("What", what_rows);
static const as_option_group how_group = AS_OPTION_GROUP("How", how_rows);
static const as_option_group *const groups[] = {&what_group, &how_group, NULL};

/* ---- one training ----------------------------------------------------------------------------------------------- */

/* Before a training begins. What somebody else's has left to become a version is not what this one makes. */
static as_status find_newest(const as_training_list *list, as_listed_training *t) {
  as_status status = as_store_finish_training(list->store, t->model);
  as_version version = {.number = 0};
  if (status == AS_OK) status = as_store_newest(list->store, t->model, &version);
  t->before = version.number;
  return status;
}

static as_status mark_done(as_training_list *list, as_listed_training *t, int64_t version) {
  t->state = AS_LISTED_DONE;
  t->version = version;
  t->exit_code = 0;
  as_free(list->ctx, t->why);
  t->why = NULL;
  return as_training_list_write(list);
}

/* Whether a training that had begun has a state to go on from: *folder is its place then (caller frees), else NULL. One
 * that had ended, and was killed before or after it became a version, is done. */
static as_status find_state(as_training_list *list, as_listed_training *t, char **folder) {
  static const char *const files[] = {"training/recipe.json", "training/config.json"};
  as_store_work work;
  as_version version;
  bool resumable = false;
  *folder = NULL;
  as_status status = as_store_begin_training(list->store, t->model, &work);
  for (int i = 0; status == AS_OK && i < 2; i++) {
    char *path = as_path_join(list->ctx, work.folder, files[i]);
    if (!path) status = AS_E_NOMEM;
    resumable = resumable || (path && as_path_exists(path));
    as_free(list->ctx, path);
  }
  if (status == AS_OK && resumable) {
    *folder = as_strdup(list->ctx, work.folder);
    if (!*folder) status = AS_E_NOMEM;
  }
  as_store_work_end(&work);
  if (status == AS_OK) status = as_store_newest(list->store, t->model, &version);
  if (status == AS_OK && version.number > t->before && !resumable) status = mark_done(list, t, version.number);
  return status;
}

/* Runs the training's command, or the one that goes on with it. */
static int run_words(as_cli *cli, const as_listed_training *t, const char *resume, bool anew) {
  const char *const go_on[] = {"train", t->model, "--resume", resume};
  if (resume) return as_cli_run_command(cli, go_on, 4);
  const char **words = as_alloc(cli->ctx, t->word_count + 1, sizeof *words);
  if (!words) return as_cli_failed(cli, AS_E_NOMEM);
  for (size_t i = 0; i < t->word_count; i++) words[i] = t->words[i];
  words[t->word_count] = "--overwrite";
  const int code = as_cli_run_command(cli, words, t->word_count + anew);
  as_free(cli->ctx, words);
  return code;
}

static as_status record_end(as_training_list *list, as_listed_training *t, int code, const char *why) {
  if (code == AS_EXIT_DONE) {
    as_version version;
    as_status status = as_store_newest(list->store, t->model, &version);
    if (status != AS_OK || version.number > t->before)
      return status == AS_OK ? mark_done(list, t, version.number) : status;
    code = AS_EXIT_MODEL;
    why = "the training left no new version in the store";
  }
  if (code != AS_EXIT_INTERRUPTED) {
    t->state = AS_LISTED_FAILED;
    t->exit_code = code;
    as_status status = as_listed_set_why(list->ctx, t, why);
    if (status != AS_OK) return status;
  }
  return as_training_list_write(list);
}

static as_status train_one(as_cli *cli, as_training_list *list, as_listed_training *t) {
  const bool begun = t->state == AS_LISTED_BEGUN || t->state == AS_LISTED_FAILED;
  char *resume = NULL;
  as_status status = begun ? find_state(list, t, &resume) : find_newest(list, t);
  if (status == AS_OK && t->state != AS_LISTED_DONE) {
    t->state = AS_LISTED_BEGUN;
    status = as_training_list_write(list);
  }
  if (status == AS_OK && t->state != AS_LISTED_DONE) {
    char why[1024];
    as_console_note(cli->console, "---- %s", t->model);
    const double started = as_seconds();
    const int code = run_words(cli, t, resume, begun);
    t->seconds += as_seconds() - started;
    snprintf(why, sizeof why, "%s", as_error_text(cli->ctx));
    status = record_end(list, t, code, why);
    if (status == AS_OK && code == AS_EXIT_INTERRUPTED) status = AS_E_INTERRUPTED;
  }
  as_free(list->ctx, resume);
  return status;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static bool is_left(const as_listed_training *t) {
  return t->state == AS_LISTED_WAITING || t->state == AS_LISTED_BEGUN;
}

/* Those that wait or were begun. AS_E_INTERRUPTED when the user wants to stop. */
static as_status train_list(as_cli *cli, as_training_list *list) {
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < list->count; i++) {
    if (!is_left(&list->list[i])) continue;
    status = as_interrupted(NULL) ? AS_E_INTERRUPTED : train_one(cli, list, &list->list[i]);
  }
  return status;
}

/* That of the first failure; that something is left; or that there was nothing to do. */
static int exit_code(const as_training_list *list, bool interrupted) {
  bool nothing = true;
  for (size_t i = 0; !interrupted && i < list->count; i++) {
    if (list->list[i].state == AS_LISTED_FAILED) return list->list[i].exit_code;
    nothing = nothing && list->list[i].state == AS_LISTED_LEFT_OUT;
  }
  return interrupted ? AS_EXIT_INTERRUPTED : nothing ? AS_EXIT_DATA : AS_EXIT_DONE;
}

/* Whether --resume would have something to do that beginning anew has not: a training with a state. */
static as_status find_rest(const as_training_list *list, bool *rest) {
  as_status status = AS_OK;
  *rest = false;
  for (size_t i = 0; status == AS_OK && i < list->count && !*rest; i++) {
    const as_listed_training *t = &list->list[i];
    if (is_left(t)) *rest = true;
    if (t->state != AS_LISTED_FAILED) continue;
    char *model = as_path_join(list->ctx, as_store_root(list->store), t->model);
    char *training = model ? as_path_join(list->ctx, model, "unfinished/training") : NULL;
    if (!training) status = AS_E_NOMEM;
    /* one that failed before it had begun here has left nothing: what is there was there before */
    *rest = training && as_path_exists(training) && t->word_count > 0;
    as_free(list->ctx, model);
    as_free(list->ctx, training);
  }
  return status;
}

/* Trains, shows what came of it, and keeps the list if something is left. */
static int work(as_cli *cli, as_training_list *list) {
  as_status status = train_list(cli, list);
  const bool interrupted = status == AS_E_INTERRUPTED;
  bool rest = true;
  if (interrupted) status = AS_OK;
  if (status == AS_OK) status = find_rest(list, &rest);
  if (status == AS_OK && !rest) status = as_training_list_remove(list);
  const int code = exit_code(list, interrupted);
  if (status == AS_OK) status = as_train_all_show_summary(cli, list, code);
  if (status != AS_OK) return as_cli_failed(cli, status);
  if (rest) as_console_note(cli->console, "go on with: assistify train all --resume");
  return code;
}

/* ---- beginning, going on ---------------------------------------------------------------------------------------- */

/* An earlier `train all` must not be lost unasked. */
static as_status check_earlier(as_cli *cli, as_training_list *list) {
  if (!as_training_list_exists(list) || as_option_flag(cli->arguments, "overwrite")) return AS_OK;
  return as_fail(cli->ctx, AS_E_INVALID,
                 "%s: an earlier `train all` has not ended here; go on with it by `assistify train all --resume`, or "
                 "give it up with --overwrite",
                 list->path);
}

static as_status check_data(as_cli *cli) {
  const char *folder = as_option_text(cli->arguments, "data-dir");
  if (as_path_is_folder(folder)) return AS_OK;
  return as_fail(cli->ctx, AS_E_DATA,
                 "%s: is no folder; it should have messages.csv, or interactions.csv and "
                 "products.csv",
                 folder);
}

static bool something_is(const as_training_list *list, as_listed_state state) {
  for (size_t i = 0; i < list->count; i++)
    if (list->list[i].state == state) return true;
  return false;
}

/* Takes the lock and writes the list: from here on there is something to go on with. */
static as_status open_list(as_cli *cli, as_training_list *list, size_t *made) {
  as_status status = as_make_folders_for_now(cli->ctx, as_store_root(list->store), made);
  if (status == AS_OK && list->lock < 0) status = as_training_list_lock(list);
  if (status == AS_OK) status = check_earlier(cli, list);
  if (status == AS_OK) status = as_training_list_write(list);
  if (status != AS_OK) as_unmake_folders(cli->ctx, as_store_root(list->store), *made);
  return status;
}

static int plan_and_train(as_cli *cli, as_training_list *list) {
  const as_arguments *a = cli->arguments;
  const bool json = as_option_flag(a, "json"), dry = as_option_flag(a, "dry-run");
  size_t made = 0;
  as_status status = check_data(cli);
  if (status == AS_OK && !dry && as_path_is_folder(as_store_root(list->store))) status = as_training_list_lock(list);
  if (status == AS_OK && !dry) status = check_earlier(cli, list);
  if (status != AS_OK) return as_cli_failed(cli, status);
  int code = as_train_all_plan(cli, list);
  if (code != AS_EXIT_DONE) return code;
  const bool ends = dry || !something_is(list, AS_LISTED_WAITING); /* the plan is all there is to show */
  if (!json) status = as_train_all_show_plan(cli, list);
  if (status == AS_OK && json && ends) status = as_train_all_show_summary(cli, list, exit_code(list, false));
  if (status == AS_OK && ends && exit_code(list, false) == AS_EXIT_DATA && !something_is(list, AS_LISTED_FAILED))
    status = as_fail(cli->ctx, AS_E_DATA,
                     "%s: there is nothing to train here; messages.csv has the columns content, intent, sentiment and "
                     "response, or some of them; interactions.csv comes with products.csv",
                     as_option_text(a, "data-dir"));
  if (status == AS_OK && !ends) status = open_list(cli, list, &made);
  if (status != AS_OK) return as_cli_failed(cli, status);
  return ends ? exit_code(list, false) : work(cli, list);
}

static int resume(as_cli *cli, as_training_list *list) {
  as_status status = AS_OK;
  if (!as_training_list_exists(list))
    status = as_fail(cli->ctx, AS_E_MODEL, "%s: there is no `train all` here that was interrupted", list->path);
  if (status == AS_OK) status = as_training_list_lock(list);
  if (status == AS_OK) status = as_training_list_read(list);
  if (status == AS_OK) status = as_training_list_check_files(list);
  if (status != AS_OK) return as_cli_failed(cli, status);
  for (size_t i = 0; i < list->count; i++) /* what failed may do better now */
    if (list->list[i].state == AS_LISTED_FAILED && list->list[i].word_count) list->list[i].state = AS_LISTED_BEGUN;
  return work(cli, list);
}

static int run(as_cli *cli) {
  as_store *store = NULL;
  as_training_list list = {.lock = -1};
  as_status status = as_store_open(cli->ctx, as_option_text(cli->arguments, "models"), &store);
  if (status == AS_OK) status = as_training_list_init(&list, store);
  int code;
  if (status != AS_OK)
    code = as_cli_failed(cli, status);
  else if (as_option_flag(cli->arguments, "resume"))
    code = resume(cli, &list);
  else
    code = plan_and_train(cli, &list);
  as_training_list_free(&list);
  as_store_close(store);
  return code;
}

const as_command as_command_train_all = {
    .name = "train all",
    .summary = "train every model whose data are in a folder",
    .groups = groups,
    .catches_signals = true,
    .works_long = true,
    .run = run,
    .description =
        "Trains intent, sentiment and response from the columns of messages.csv, and recommend from interactions.csv "
        "and products.csv, by the commands of these names; what is not said here they take from their sections of the "
        "configuration file. Each becomes the next version in the model store.\n\n"
        "First comes the plan: a little of each training is run to measure what it will take on this machine, all "
        "epochs counted. Last comes a summary, with the figures on validation rows beside those of the simplest "
        "answers. When one training fails the others go on, and the exit code is that of the first failure. Ctrl-C, a "
        "kill or a power cut lose nothing: --resume goes on with the whole and ends with the same weights.",
    .examples = "assistify train all --data-dir data\n"
                "assistify train all --data-dir data --size tiny --dry-run\n"
                "assistify train all --resume"};
