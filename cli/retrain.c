/* retrain: the next version of each model, made, compared and promoted without anybody looking. See retrain.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/comparison.h"
#include "cli/retrain.h"
#include "cli/signals.h"
#include "data/timestamp.h"

#define LOCK_NAME "retrain.lock"

/* clang-format off */
static const as_option data_rows[] = {
    {.name = "data-dir", .type = AS_OPTION_FOLDER, .argument = "DIR", .required = true,
     .help = "folder with messages.csv, interactions.csv and products.csv, as far as there are such models"},
    {.name = "hold-out", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 0.9, .open_minimum = true,
     .initial = "0.1", .help = "share of the rows, chosen by what they say, that versions are compared on"},
    {.name = "least-rows", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e12, .initial = "100",
     .help = "usable rows, or the data is refused"},
    {.name = "least-class-rows", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e12,
     .initial = "10", .help = "the same of each class"},
    {.name = "most-unusable", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 1, .initial = "0.05",
     .help = "share of the rows that may be broken or empty"},
    {.name = "most-contradictions", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 1,
     .initial = "0.05", .help = "share whose text may have stood before with another label"},
    {.name = "most-shrinkage", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 1,
     .initial = "0.34", .help = "how much smaller the file may be than the champion's"},
};
static const as_option training_rows[] = {
    {.name = "start", .type = AS_OPTION_CHOICE, .words = "base|champion|fresh", .initial = "base",
     .help = "train as the champion was, from its weights, or from nothing"},
    {.name = "force", .type = AS_OPTION_FLAG, .help = "train although the data is what a version was made from already"},
};
static const as_option decision_rows[] = {
    {.name = "promote", .type = AS_OPTION_CHOICE, .words = "auto|ask|never", .initial = "auto",
     .help = "what to do when the gate is passed"},
    {.name = "max-fall", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 1, .words = "none",
     .initial = "0.2", .help = "how far the version may be below what the champion had when it became that, as a share"},
};
static const as_option store_rows[] = {
    {.name = "keep", .type = AS_OPTION_INT, .argument = "K", .minimum = 1, .maximum = 1e6, .initial = "5",
     .help = "versions that stay; refused ones go first, those with an alias never"},
    {.name = "keep-reports", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6, .initial = "200",
     .help = "reports that stay"},
    {.name = "min-free", .type = AS_OPTION_SIZE, .argument = "SIZE", .minimum = 0, .maximum = 9e15, .initial = "100M",
     .help = "disk space that shall stay free"},
    {.name = "wait", .type = AS_OPTION_INT, .argument = "SECONDS", .minimum = 0, .maximum = 1e6, .initial = "5",
     .help = "how long to wait for another retrain of this store"},
    {.name = "drift", .type = AS_OPTION_FLAG,
     .help = "put into the report how what was asked differs from the training data (monitor drift)"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "what came of it as JSON"},
};
/* clang-format on */
static const as_option_group data_group = AS_OPTION_GROUP("Data", data_rows);
static const as_option_group training_group = AS_OPTION_GROUP("Training", training_rows);
static const as_option_group decision_group = AS_OPTION_GROUP("Decision", decision_rows);
static const as_option_group store_group = AS_OPTION_GROUP("Store and output", store_rows);
static const as_option_group *const groups[] = {&data_group,      &training_group, &decision_group,
                                                &as_options_gate, &store_group,    NULL};

/* ---- one at a time ---------------------------------------------------------------------------------------------- */

/* What the process that has the lock wrote into the file. */
static void read_holder(int fd, char *text, size_t size) {
  const ssize_t length = pread(fd, text, size - 1, 0);
  text[length > 0 ? length : 0] = '\0';
  text[strcspn(text, "\n")] = '\0';
}

static void write_holder(int fd) {
  char now[AS_TIMESTAMP_TEXT], text[128];
  as_timestamp_write((uint32_t)time(NULL), now);
  const int length = snprintf(text, sizeof text, "process %ld, since %s UTC\n", (long)getpid(), now);
  /* Who it is is only told; the lock itself does not depend on it. */
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length) return;
}

/* The lock ends with the process, so it never has to be cleared. */
static as_status take_lock(as_cli *cli, const char *root, int *fd) {
  const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
  char holder[128];
  char *path = as_path_join(cli->ctx, root, LOCK_NAME);
  *fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666) : -1;
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (path && *fd < 0) status = as_fail(cli->ctx, AS_E_IO, "%s: cannot be written: %s", path, strerror(errno));
  int64_t tries = 20 * as_option_int(cli->arguments, "wait");
  while (status == AS_OK && flock(*fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      status = as_fail(cli->ctx, AS_E_IO, "%s: cannot be locked: %s", path, strerror(errno));
    } else if (as_interrupted(NULL)) {
      status = as_fail(cli->ctx, AS_E_INTERRUPTED, "interrupted while waiting; nothing was done");
    } else if (tries-- <= 0) {
      read_holder(*fd, holder, sizeof holder);
      status = as_fail(cli->ctx, AS_E_IO, "%s: this store is being retrained (%s); try again when that has ended", path,
                       *holder ? holder : "another process");
    } else {
      nanosleep(&pause, NULL);
    }
  }
  if (status == AS_OK) write_holder(*fd);
  as_free(cli->ctx, path);
  return status;
}

/* With the lock: what a killed run was writing. */
static as_status clean_up(as_context *ctx, const char *root) {
  static const char *const names[] = {AS_RETRAIN_LOG, AS_RETRAIN_COMPARISON};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < sizeof names / sizeof names[0]; i++) {
    char *path = as_path_join(ctx, root, names[i]);
    status = path ? as_file_remove_temporaries(ctx, path) : AS_E_NOMEM;
    if (status == AS_OK && strcmp(names[i], AS_RETRAIN_COMPARISON) == 0 && unlink(path) != 0 && errno != ENOENT)
      status = as_fail(ctx, AS_E_IO, "%s: cannot be removed: %s", path, strerror(errno));
    as_free(ctx, path);
  }
  return status;
}

/* ---- which models ----------------------------------------------------------------------------------------------- */

enum { MOST_KINDS = 8 };

static const as_retrain_kind *kind_named(const char *name) {
  for (const as_retrain_kind *k = as_retrain_kinds; k->trained; k++)
    if (strcmp(k->trained->model, name) == 0) return k;
  return NULL;
}

/* Whether there is something to train a first version of this kind on. */
static as_status has_data(as_cli *cli, const as_retrain_kind *kind, bool *has) {
  const as_csv_options csv = {0};
  as_status status = AS_OK;
  *has = true;
  for (int i = 0; status == AS_OK && *has && i < AS_RETRAIN_FILES && kind->trained->files[i]; i++) {
    char *path = as_path_join(cli->ctx, as_option_text(cli->arguments, "data-dir"), kind->trained->files[i]);
    as_csv_reader *reader = NULL;
    *has = path && as_path_exists(path);
    status = path ? AS_OK : AS_E_NOMEM;
    if (*has && kind->is_messages) {
      *has = as_csv_open(cli->ctx, path, &csv, &reader) == AS_OK && as_csv_has_column(reader, kind->trained->column);
      as_csv_close(reader);
    }
    as_free(cli->ctx, path);
  }
  return status;
}

/* The models that are named; without names, those that have a champion or could have one. */
static as_status choose(const as_retraining *of, const as_retrain_kind **chosen, size_t *count) {
  const as_arguments *a = of->cli->arguments;
  const bool all = a->operand_count == 0 || (a->operand_count == 1 && strcmp(a->operands[0], "all") == 0);
  *count = 0;
  for (size_t i = 0; !all && i < a->operand_count && i < MOST_KINDS; i++)
    chosen[(*count)++] = kind_named(a->operands[i]);
  for (const as_retrain_kind *k = as_retrain_kinds; all && k->trained; k++) {
    as_version champion;
    bool wanted = true;
    as_status status = as_store_champion(of->store, k->trained->model, &champion);
    if (status == AS_E_MODEL)
      status = AS_OK; /* a broken alias: the retraining says so */
    else if (status == AS_OK && !champion.number)
      status = has_data(of->cli, k, &wanted);
    if (status != AS_OK) return status;
    if (wanted) chosen[(*count)++] = k;
  }
  if (*count > 0) return AS_OK;
  return as_fail(of->ctx, AS_E_DATA,
                 "%s: there is neither a messages.csv with a column intent, sentiment or response nor an "
                 "interactions.csv with a products.csv, and the store has no model",
                 as_option_text(a, "data-dir"));
}

/* ---- what came of it -------------------------------------------------------------------------------------------- */

static void put_version(as_buffer *out, int64_t number, const char *model) {
  if (number > 0)
    as_buffer_printf(out, "%s/%" PRId64, model, number);
  else
    as_buffer_text(out, "none");
}

static void put_figure(as_buffer *out, double value) {
  if (isnan(value))
    as_buffer_char(out, '-');
  else
    as_buffer_printf(out, "%.4f", value);
}

static void write_report(const as_retrain_entry *e, const as_buffer *comparison, as_buffer *out) {
  char now[AS_TIMESTAMP_TEXT];
  as_timestamp_write((uint32_t)time(NULL), now);
  as_buffer_printf(out, "# Retraining of %s: %s\n\n%s UTC, %.1f s.\n\n| | |\n|---|---|\n| champion before | ", e->model,
                   as_retrain_verdict_name(e->verdict), now, e->seconds);
  put_version(out, e->champion, e->model);
  as_buffer_text(out, " |\n| trained | ");
  put_version(out, e->version, e->model);
  as_buffer_printf(out, " |\n| rows | %" PRId64 ", of which %" PRId64 " can be used |\n", e->rows, e->usable);
  if (e->metric) {
    as_buffer_printf(out, "| %s of the champion | ", e->metric);
    put_figure(out, e->of_champion);
    as_buffer_printf(out, " |\n| %s of the trained | ", e->metric);
    put_figure(out, e->of_version);
    as_buffer_text(out, " |\n");
  }
  if (*e->reason) as_buffer_printf(out, "\nWhy:\n\n```\n%s\n```\n", e->reason);
  if (comparison->length > 0) as_buffer_append(out, comparison->data, comparison->length);
}

/* Retrains one model and keeps what came of it. */
static int retrain_kind(const as_retraining *of, const as_retrain_kind *kind, as_retrain_entry *entry,
                        as_buffer *reason) {
  as_buffer comparison, report;
  as_buffer_init(&comparison, of->ctx);
  as_buffer_init(&report, of->ctx);
  int code = as_retrain_one(of, kind, entry, reason, &comparison);
  write_report(entry, &comparison, &report);
  as_status status = as_buffer_status(&report);
  if (status == AS_OK)
    status = as_retrain_log_add(of->ctx, as_store_root(of->store), entry, &report,
                                as_option_int(of->cli->arguments, "keep-reports"), NULL);
  /* What failed would fail again; the next run clears first. */
  if (status == AS_OK && (code == AS_EXIT_DONE || code == AS_EXIT_GATE)) status = as_retrain_prune(of, kind);
  if (status != AS_OK) {
    const int failed = as_cli_failed(of->cli, status);
    if (code == AS_EXIT_DONE) code = failed;
  }
  as_buffer_free(&comparison);
  as_buffer_free(&report);
  return code;
}

static void put_table(const as_retrain_entry *entries, size_t count, as_buffer *out) {
  as_buffer_printf(out, "%-10s %-12s %-14s %-14s %-8s %8s %8s\n", "model", "verdict", "champion", "trained", "figure",
                   "before", "now");
  for (size_t i = 0; i < count; i++) {
    const as_retrain_entry *e = &entries[i];
    char before[AS_STORE_NAME + 24] = "none", now[AS_STORE_NAME + 24] = "none", figures[2][16] = {"-", "-"};
    if (e->champion > 0) snprintf(before, sizeof before, "%s/%" PRId64, e->model, e->champion);
    if (e->version > 0) snprintf(now, sizeof now, "%s/%" PRId64, e->model, e->version);
    if (!isnan(e->of_champion)) snprintf(figures[0], sizeof figures[0], "%.4f", e->of_champion);
    if (!isnan(e->of_version)) snprintf(figures[1], sizeof figures[1], "%.4f", e->of_version);
    as_buffer_printf(out, "%-10s %-12s %-14s %-14s %-8s %8s %8s\n", e->model, as_retrain_verdict_name(e->verdict),
                     before, now, e->metric ? e->metric : "-", figures[0], figures[1]);
    for (const char *at = e->reason; *at;) {
      const size_t length = strcspn(at, "\n");
      as_buffer_printf(out, "    %.*s\n", (int)length, at);
      at += length + (at[length] == '\n');
    }
  }
}

static as_status print(as_cli *cli, const as_retrain_entry *entries, size_t count) {
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  if (as_option_flag(cli->arguments, "json")) {
    as_json_writer w = as_json_writer_start(&out, 2);
    as_json_open_array(&w, NULL);
    for (size_t i = 0; i < count; i++) {
      as_json_open_object(&w, NULL);
      as_retrain_entry_json(&w, &entries[i]);
      as_json_close_object(&w);
    }
    as_json_close_array(&w);
    as_buffer_char(&out, '\n');
  } else {
    put_table(entries, count, &out);
  }
  as_status status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(cli->console, &out);
  as_buffer_free(&out);
  return status;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

/* All models that are left after an interruption are left alone. The exit code is that of the first that failed. */
static int retrain_all(const as_retraining *of, const as_retrain_kind *const *kinds, size_t count) {
  as_retrain_entry entries[MOST_KINDS];
  as_buffer reasons[MOST_KINDS];
  size_t done = 0;
  int code = AS_EXIT_DONE;
  for (; done < count && !as_interrupted(NULL); done++) {
    as_buffer_init(&reasons[done], of->ctx);
    const int ended = retrain_kind(of, kinds[done], &entries[done], &reasons[done]);
    if (code == AS_EXIT_DONE || ended == AS_EXIT_INTERRUPTED) code = ended;
  }
  if (done < count) code = AS_EXIT_INTERRUPTED;
  as_status status = print(of->cli, entries, done);
  for (size_t i = 0; i < done; i++) as_buffer_free(&reasons[i]);
  return status == AS_OK ? code : as_cli_failed(of->cli, status);
}

static const char *check_operands(const as_arguments *a) {
  for (size_t i = 0; i < a->operand_count; i++) {
    const bool all = strcmp(a->operands[i], "all") == 0;
    if (!kind_named(a->operands[i]) && !(all && a->operand_count == 1)) return a->operands[i];
    for (size_t before = 0; before < i; before++)
      if (strcmp(a->operands[i], a->operands[before]) == 0) return a->operands[i];
  }
  return NULL;
}

static as_retrain_start start_of(const as_arguments *a) {
  return as_option_is(a, "start", "champion") ? AS_START_CHAMPION
         : as_option_is(a, "start", "fresh")  ? AS_START_FRESH
                                              : AS_START_BASE;
}

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  const as_retrain_kind *kinds[MOST_KINDS];
  size_t count;
  int lock = -1, code = AS_EXIT_DONE;
  as_retraining of = {.cli = cli,
                      .ctx = cli->ctx,
                      .start = start_of(a),
                      .hold_out = as_option_number(a, "hold-out"),
                      .limits = {.least_rows = as_option_int(a, "least-rows"),
                                 .least_class_rows = as_option_int(a, "least-class-rows"),
                                 .most_unusable = as_option_number(a, "most-unusable"),
                                 .most_contradictions = as_option_number(a, "most-contradictions"),
                                 .most_shrinkage = as_option_number(a, "most-shrinkage")}};
  const char *wrong = check_operands(a);
  if (wrong)
    return as_cli_usage(cli, "retrain takes intent, sentiment, response and recommend, each once, or all; not \"%s\"",
                        wrong);
  as_status status = as_store_open(cli->ctx, as_option_text(a, "models"), &of.store);
  if (status == AS_OK) status = choose(&of, kinds, &count);
  if (status == AS_OK) status = as_make_folders(cli->ctx, as_store_root(of.store));
  if (status == AS_OK) status = take_lock(cli, as_store_root(of.store), &lock);
  if (status == AS_OK) status = clean_up(cli->ctx, as_store_root(of.store));
  code = status == AS_OK ? retrain_all(&of, kinds, count) : as_cli_failed(cli, status);
  if (lock >= 0) close(lock);
  as_store_close(of.store);
  return code;
}

const as_command as_command_retrain = {
    .name = "retrain",
    .operands = "[intent|sentiment|response|recommend|all]...",
    .max_operands = -1,
    .operand = AS_OPERAND_TEXT,
    .summary = "train the next version on new data, and promote it if it is no worse",
    .groups = groups,
    .works_long = true,
    .catches_signals = true,
    .run = run,
    .description =
        "For each model: looks whether the data is fit (rows, broken rows, classes, contradictions, size), trains the "
        "next version the way the champion was trained, compares both on the rows that --hold-out keeps from both, and "
        "promotes the new one if the gate is passed. Where there is no champion yet, the version becomes it. Data that "
        "a version was made from already is not trained on again. A report of each goes into the store's reports/, a "
        "line into its retrain.jsonl.\n\n"
        "One at a time for a store; killed at any moment, the champion goes on answering and the next run picks up "
        "what is there. Exit 0: promoted, or nothing to do; 5: the gate was not passed; 3: the data is not fit; of "
        "several models the first that failed, the others being done all the same.",
    .examples = "assistify retrain all --data-dir export\n"
                "assistify retrain intent --data-dir export --promote never\n"
                "assistify retrain --data-dir export --start champion --keep 10 --json"};
