/* Retraining one model: check, train, compare, promote, prune. See retrain.h.
 *
 * Invariant: the champion is changed by one promotion and by nothing else, and that comes last but for cleaning up. So
 * whenever this is killed the champion answers, and the next run finds on the disk what it can go on with: an
 * unfinished training of the same plan, or a version that was made by it and not yet compared. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/retrain.h"
#include "cli/signals.h"
#include "cli/subcommand.h"
#include "lifecycle/manifest.h"
#include "lifecycle/training_words.h"

enum { MOST_WORDS = 128, DISK_FACTOR = 4 /* a checkpoint and the one before, both with moments */ };

typedef struct job {
  const as_retraining *of;
  as_cli *cli;
  as_context *ctx;
  const as_retrain_kind *kind;
  as_retrain_plan plan;
  as_retrain_entry *entry;
  as_buffer *reason, *report;
  as_version version; /* that is held against the champion */
} job;

/* ---- running commands ------------------------------------------------------------------------------------------- */

/* A command under construction; its words are borrowed. */
typedef struct line {
  const char *words[MOST_WORDS];
  size_t count;
} line;

static void put(line *l, const char *word) {
  if (l->count < MOST_WORDS) l->words[l->count++] = word;
}

static void put_option(line *l, const char *option, const char *value) {
  put(l, option);
  put(l, value);
}

static int run_line(const job *j, const line *l) {
  if (l->count < MOST_WORDS) return as_cli_run_command(j->cli, l->words, l->count);
  return as_cli_failed(j->cli,
                       as_fail(j->ctx, AS_E_LIMIT, "the command of %s has too many words", j->kind->trained->model));
}

/* The same with what it prints, and with `all` what it says too, as *text; the caller frees it with free. */
static int run_captured(const job *j, const line *l, bool all, char **text, size_t *length) {
  *text = NULL;
  *length = 0;
  FILE *stream = open_memstream(text, length);
  if (!stream) return as_cli_failed(j->cli, as_fail(j->ctx, AS_E_NOMEM, "out of memory"));
  as_console console;
  as_cli inner = *j->cli;
  as_console_start(&console, stream, all ? stream : j->cli->console->err);
  console.quiet = j->cli->console->quiet;
  inner.console = &console;
  job silent = *j;
  silent.cli = &inner;
  int code = run_line(&silent, l);
  code = as_console_finish(&console, code);
  return fclose(stream) == 0 ? code : as_cli_failed(j->cli, as_fail(j->ctx, AS_E_NOMEM, "out of memory"));
}

/* The same for what it prints as JSON; *out is NULL after a failure and where it printed none. */
static int run_for_json(const job *j, const line *l, json_t **out) {
  char *text;
  size_t length;
  *out = NULL;
  int code = run_captured(j, l, false, &text, &length);
  if (length > 0 && (code == AS_EXIT_DONE || code == AS_EXIT_GATE) &&
      as_json_parse(j->ctx, text, length, l->words[0], AS_E_IO, out) != AS_OK)
    code = as_cli_failed(j->cli, AS_E_IO);
  free(text);
  return code;
}

/* A number by a path such as "f1.macro_seen"; NaN: there is none. */
static double number_at(const json_t *object, const char *path) {
  char key[64];
  while (object && *path) {
    const size_t length = strcspn(path, ".");
    snprintf(key, sizeof key, "%.*s", (int)length, path);
    object = json_object_get(object, key);
    path += length + (path[length] == '.');
  }
  return json_is_number(object) ? json_number_value(object) : NAN;
}

/* ---- how it ends ------------------------------------------------------------------------------------------------ */

static int ends(const job *j, as_retrain_verdict verdict, int code) {
  j->entry->verdict = verdict;
  return code;
}

/* A failure that was told already; its text is the reason. */
static int ends_with(const job *j, int code) {
  if (j->reason->length == 0) as_buffer_text(j->reason, as_error_text(j->ctx));
  if (code == AS_EXIT_INTERRUPTED) return ends(j, AS_RETRAIN_INTERRUPTED, code);
  return ends(j, code == AS_EXIT_DATA ? AS_RETRAIN_DATA : AS_RETRAIN_FAILED, code);
}

static int fails(job *j, as_status status) {
  return ends_with(j, as_cli_failed(j->cli, status));
}

/* ---- before training -------------------------------------------------------------------------------------------- */

static as_status check_disk(const job *j) {
  uint64_t champion = 0;
  const char *root = as_store_root(j->of->store);
  const uint64_t spare = (uint64_t)as_option_int(j->cli->arguments, "min-free"), left = as_disk_free(root);
  as_status status = j->plan.folder ? as_manifest_bytes(j->ctx, j->plan.folder, &champion) : AS_OK;
  if (status != AS_OK || left == UINT64_MAX || left >= DISK_FACTOR * champion + spare) return status;
  return as_fail(j->ctx, AS_E_IO,
                 "%s: %.1f MiB are free; training may take %.1f MiB (%d times the champion), and %.1f MiB shall stay "
                 "free (--min-free); make room, `assistify models prune` may help",
                 root, (double)left / 1048576, (double)(DISK_FACTOR * champion) / 1048576, DISK_FACTOR,
                 (double)spare / 1048576);
}

static as_status check_data(job *j, bool *fit) {
  as_data_verdict verdict = {0};
  as_buffer_init(&verdict.faults, j->ctx);
  as_status status = as_retrain_check_data(&j->plan, &verdict);
  *fit = status == AS_OK && verdict.faults.length == 0;
  j->entry->rows = verdict.rows;
  j->entry->usable = verdict.usable;
  if (status == AS_OK && !*fit) {
    verdict.faults.data[--verdict.faults.length] = '\0'; /* the last line end */
    as_console_error(j->cli->console, as_buffer_string(&verdict.faults));
    as_buffer_text(j->reason, as_buffer_string(&verdict.faults));
  }
  as_buffer_free(&verdict.faults);
  return status;
}

/* What was asked since the last week, beside what the champion learned from: for the report only. */
static void look_at_drift(job *j) {
  char *text;
  size_t length;
  line l = {0};
  if (!as_option_flag(j->cli->arguments, "drift") || !j->kind->has_labels || !j->plan.champion.number) return;
  put(&l, "monitor");
  put(&l, "drift");
  put(&l, j->kind->trained->model);
  const int code = run_captured(j, &l, true, &text, &length);
  j->entry->drift = code == AS_EXIT_GATE ? "alarm" : code == AS_EXIT_DONE ? "none" : "unknown";
  as_buffer_printf(j->report, "\n## Drift: %s\n\n```\n%s```\n", j->entry->drift, text ? text : "");
  free(text);
}

/* ---- training --------------------------------------------------------------------------------------------------- */

static void put_training(const job *j, line *l) {
  size_t i;
  const json_t *word;
  put(l, "train");
  put(l, j->kind->trained->model);
  json_array_foreach(j->plan.words, i, word) put(l, json_string_value(word));
}

static int go_on(job *j) {
  line l = {0};
  char *folder = as_store_unfinished_folder(j->of->store, j->kind->trained->model);
  if (!folder) return fails(j, AS_E_NOMEM);
  as_console_note(j->cli->console, "going on with the unfinished training of %s", j->kind->trained->model);
  put(&l, "train");
  put(&l, j->kind->trained->model);
  put_option(&l, "--resume", folder);
  const int code = run_line(j, &l);
  as_free(j->ctx, folder);
  return code;
}

static int train(job *j) {
  bool unfinished;
  line l = {0};
  as_status status = check_disk(j);
  if (status == AS_OK) status = as_retrain_keep_base(&j->plan);
  if (status == AS_OK) status = as_retrain_find_unfinished(&j->plan, &unfinished);
  if (status != AS_OK) return as_cli_failed(j->cli, status);
  int code = unfinished ? go_on(j) : AS_EXIT_FAILED;
  if (unfinished && (code == AS_EXIT_DONE || code == AS_EXIT_INTERRUPTED)) return code;
  if (unfinished) as_console_note(j->cli->console, "it cannot be gone on with: training anew");
  put_training(j, &l);
  put(&l, "--overwrite");
  return run_line(j, &l);
}

/* ---- measuring -------------------------------------------------------------------------------------------------- */

/* Where the test rows are, in the way that evaluate and compare have in common. */
static void put_test(const job *j, line *l, const char *share) {
  static const char *const reading[] = {"--text-col", "--label-col", "--delimiter", "--encoding", NULL};
  put_option(l, j->kind->is_messages ? "--data" : "--interactions", j->plan.paths[0]);
  for (int i = 0; reading[i]; i++) {
    const char *value = as_training_words_value(j->plan.words, reading[i] + strlen("--"));
    if (value) put_option(l, reading[i], value);
  }
  put_option(l, "--on-error", "skip");
  put_option(l, "--held-out", share);
  put(l, "--json");
}

static void version_text(const as_version *version, char text[AS_STORE_NAME + 24]) {
  snprintf(text, AS_STORE_NAME + 24, "%s/%" PRId64, version->model, version->number);
}

/* The first version is measured too: what comes later is held against that. A failure is no reason to undo it. */
static void measure_first(job *j) {
  char name[AS_STORE_NAME + 24], share[AS_RETRAIN_NUMBER];
  json_t *json;
  line l = {0};
  version_text(&j->version, name);
  as_retrain_number(j->plan.held_out, share);
  put(&l, "evaluate");
  put(&l, j->kind->trained->model);
  put_option(&l, "--model", name);
  put_test(j, &l, share);
  run_for_json(j, &l, &json);
  j->entry->of_version = number_at(json, j->kind->evaluated);
  json_decref(json);
}

/* What the champion had when it became it, by the log; NaN: not known. Weeks that were refused don't count: their data
 * may have been what was wrong. */
static double figure_before(const job *j, const json_t *log) {
  double figure = NAN;
  const json_t *entry;
  size_t i;
  json_array_foreach(log, i, entry) {
    const char *model = json_string_value(json_object_get(entry, "model"));
    const char *verdict = json_string_value(json_object_get(entry, "verdict"));
    if (!model || !verdict || strcmp(model, j->kind->trained->model) != 0) continue;
    const bool waits = strcmp(verdict, "waits") == 0;
    if (!waits && strcmp(verdict, "promoted") != 0 && strcmp(verdict, "first") != 0) continue;
    const double value = number_at(entry, waits ? "of_champion" : "of_version");
    if (!isnan(value)) figure = value;
  }
  return figure;
}

/* --min-score of the gate: what was asked for, or what may be lost of the figure before. NaN: none. */
static as_status least_score(const job *j, double *out) {
  const as_arguments *a = j->cli->arguments;
  json_t *log;
  *out = NAN;
  if (!as_option_is(a, "max-fall", "none")) {
    as_status status = as_retrain_log_read(j->ctx, as_store_root(j->of->store), &log);
    if (status != AS_OK) return status;
    const double before = figure_before(j, log);
    json_decref(log);
    *out = before - as_option_number(a, "max-fall") * before;
  }
  if (as_option_given(a, "min-score")) *out = fmax(*out, as_option_number(a, "min-score"));
  return AS_OK;
}

/* Gate options are handed on as they were given. */
static void put_gate(const job *j, line *l, const char *least, bool has_least) {
  static const char *const dashed[] = {"--max-loss", "--min-gain", "--max-drop", "--max-slowdown", "--min-rows", NULL};
  for (int i = 0; dashed[i]; i++) {
    const char *name = dashed[i] + strlen("--");
    if (as_option_given(j->cli->arguments, name)) put_option(l, dashed[i], as_option_text(j->cli->arguments, name));
  }
  if (has_least) put_option(l, "--min-score", least);
}

static void take_gate(job *j, const json_t *json) {
  const json_t *criterion;
  size_t i;
  char path[64];
  j->entry->metric = j->kind->compared;
  snprintf(path, sizeof path, "%s.first", j->kind->compared);
  j->entry->of_champion = number_at(json, path);
  snprintf(path, sizeof path, "%s.second", j->kind->compared);
  j->entry->of_version = number_at(json, path);
  json_array_foreach(json_object_get(json_object_get(json, "gate"), "criteria"), i, criterion) {
    const char *text = json_string_value(json_object_get(criterion, "text"));
    if (json_is_true(json_object_get(criterion, "passed")) || !text) continue;
    as_buffer_printf(j->reason, "%s%s", j->reason->length > 0 ? "; " : "", text);
  }
}

static void append_file(job *j, const char *path) {
  char *text;
  size_t length;
  if (as_file_read(j->ctx, path, 16 << 20, AS_E_IO, &text, &length) != AS_OK) return;
  as_buffer_char(j->report, '\n');
  as_buffer_append(j->report, text, length);
  as_free(j->ctx, text);
}

static int compare(job *j) {
  char first[AS_STORE_NAME + 24], second[AS_STORE_NAME + 24], share[AS_RETRAIN_NUMBER], least[AS_RETRAIN_NUMBER];
  double score;
  json_t *json;
  line l = {0};
  as_status status = least_score(j, &score);
  char *path = as_path_join(j->ctx, as_store_root(j->of->store), AS_RETRAIN_COMPARISON);
  if (status != AS_OK || !path) {
    as_free(j->ctx, path);
    return fails(j, path ? status : AS_E_NOMEM);
  }
  version_text(&j->plan.champion, first);
  version_text(&j->version, second);
  as_retrain_number(j->plan.held_out, share);
  as_retrain_number(score, least);
  put(&l, "compare");
  put(&l, j->kind->trained->model);
  put(&l, first);
  put(&l, second);
  put_test(j, &l, share);
  put_gate(j, &l, least, !isnan(score));
  put_option(&l, "--report", path);
  int code = run_for_json(j, &l, &json);
  if (code == AS_EXIT_GATE) ends(j, AS_RETRAIN_REFUSED, code);
  if (code != AS_EXIT_DONE && code != AS_EXIT_GATE) code = ends_with(j, code);
  if (json) take_gate(j, json);
  if (json) append_file(j, path);
  unlink(path);
  json_decref(json);
  as_free(j->ctx, path);
  return code;
}

/* ---- promoting -------------------------------------------------------------------------------------------------- */

static bool asks_for(const job *j, const char *version) {
  char answer[16];
  if (!as_option_is(j->cli->arguments, "promote", "ask")) return as_option_is(j->cli->arguments, "promote", "auto");
  if (!isatty(STDIN_FILENO) || !isatty(fileno(j->cli->console->err))) {
    as_console_note(j->cli->console, "there is no terminal to ask at, so %s is not promoted", version);
    return false;
  }
  fprintf(j->cli->console->err, "%s passed the gate: %s %.4f, the champion %.4f. Promote it? [y/N] ", version,
          j->kind->compared, j->entry->of_version, j->entry->of_champion);
  fflush(j->cli->console->err);
  /* Ctrl-C ends this waiting, but would not end that of fgets. */
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  while (!as_interrupted(NULL) && poll(&input, 1, -1) < 0 && errno == EINTR) continue;
  if (as_interrupted(NULL)) return false;
  return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int promote(job *j) {
  char name[AS_STORE_NAME + 24];
  bool changed;
  version_text(&j->version, name);
  const bool wanted = asks_for(j, name);
  if (!wanted && as_interrupted(NULL)) return ends(j, AS_RETRAIN_INTERRUPTED, AS_EXIT_INTERRUPTED);
  if (!wanted) {
    as_buffer_printf(j->reason, "`assistify models promote %s %" PRId64 "` lets it answer", j->kind->trained->model,
                     j->version.number);
    return ends(j, AS_RETRAIN_WAITS, AS_EXIT_DONE);
  }
  as_status status = as_store_promote(j->of->store, &j->version, &changed);
  return status == AS_OK ? ends(j, AS_RETRAIN_PROMOTED, AS_EXIT_DONE) : fails(j, status);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

/* Trains, unless a version of this plan is there already; j->version is what there is then. */
static int make_version(job *j) {
  as_status status = as_retrain_find_made(&j->plan, &j->version);
  if (status != AS_OK) return fails(j, status);
  if (j->version.number > 0 && !as_option_flag(j->cli->arguments, "force")) {
    as_console_note(j->cli->console, "%s/%" PRId64 " was made from this data already", j->kind->trained->model,
                    j->version.number);
    return AS_EXIT_DONE;
  }
  status = as_store_newest(j->of->store, j->kind->trained->model, &j->version);
  if (status != AS_OK) return fails(j, status);
  const int64_t before = j->version.number;
  const int code = train(j);
  if (code != AS_EXIT_DONE) return ends_with(j, code);
  status = as_store_newest(j->of->store, j->kind->trained->model, &j->version);
  if (status == AS_OK && j->version.number <= before)
    status = as_fail(j->ctx, AS_E_MODEL, "%s/%s: the training left no new version", as_store_root(j->of->store),
                     j->kind->trained->model);
  return status == AS_OK ? AS_EXIT_DONE : fails(j, status);
}

static int retrain(job *j) {
  bool fit, rolled_back;
  as_status status = as_store_finish_training(j->of->store, j->kind->trained->model);
  if (status == AS_OK) status = as_retrain_plan_make(j->of, j->kind, &j->plan);
  if (status != AS_OK) return fails(j, status);
  j->entry->champion = j->plan.champion.number;
  status = as_retrain_check_first(&j->plan);
  if (status == AS_OK) status = as_retrain_prune(j->of, j->kind); /* clears what a killed run left, too */
  if (status == AS_OK) status = check_data(j, &fit);
  if (status != AS_OK) return fails(j, status);
  look_at_drift(j);
  if (!fit) return ends(j, AS_RETRAIN_DATA, AS_EXIT_DATA);
  int code = as_retrain_take_identity(&j->plan);
  if (code != AS_EXIT_DONE) return ends_with(j, code);
  if (j->plan.unfair)
    as_warn(j->ctx, "%s/%" PRId64 " was trained without --hold-out: it may know the test rows, and look better for it",
            j->kind->trained->model, j->plan.champion.number);

  code = make_version(j);
  if (code != AS_EXIT_DONE) return code;
  if (j->version.number == j->plan.champion.number) return ends(j, AS_RETRAIN_SAME, AS_EXIT_DONE);
  status = as_retrain_was_rolled_back(&j->plan, &j->version, &rolled_back);
  if (status != AS_OK) return fails(j, status);
  if (rolled_back) {
    as_buffer_printf(j->reason,
                     "%s/%" PRId64 " was made from this data, was the champion and is no more; `assistify models "
                     "promote %s %" PRId64 "` brings it back",
                     j->version.model, j->version.number, j->version.model, j->version.number);
    return ends(j, AS_RETRAIN_SAME, AS_EXIT_DONE);
  }
  j->entry->version = j->version.number;
  if (!j->plan.champion.number) {
    measure_first(j);
    j->entry->metric = j->kind->compared;
    return ends(j, AS_RETRAIN_FIRST, AS_EXIT_DONE);
  }
  if (as_interrupted(NULL)) return ends(j, AS_RETRAIN_INTERRUPTED, AS_EXIT_INTERRUPTED);
  code = compare(j);
  if (code == AS_EXIT_DONE && as_interrupted(NULL)) return ends(j, AS_RETRAIN_INTERRUPTED, AS_EXIT_INTERRUPTED);
  return code == AS_EXIT_DONE ? promote(j) : code;
}

int as_retrain_one(const as_retraining *of, const as_retrain_kind *kind, as_retrain_entry *entry, as_buffer *reason,
                   as_buffer *report) {
  const double begun = as_seconds();
  *entry = (as_retrain_entry){.model = kind->trained->model, .reason = "", .of_champion = NAN, .of_version = NAN};
  job j = {.of = of,
           .cli = of->cli,
           .ctx = of->ctx,
           .kind = kind,
           .plan = {.of = of},
           .entry = entry,
           .reason = reason,
           .report = report};
  int code = retrain(&j);
  as_retrain_plan_end(&j.plan);
  entry->reason = as_buffer_string(reason);
  entry->seconds = as_seconds() - begun;
  return code;
}
