/* monitor drift: whether what comes in differs from what a classifier was trained on, or from what came in before. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/model_store.h"
#include "cli/time_option.h"
#include "lifecycle/drift.h"

#define PROBABILITY 0.001 /* of an alarm by chance, for each of the four */

static as_status check_base(as_context *ctx, const char *value) {
  return strcmp(value, "train") == 0 ? AS_OK : as_cli_range_check(ctx, value);
}

/* clang-format off */
static const as_option rows[] = {
    {.name = "base", .type = AS_OPTION_TEXT, .argument = "train|RANGE", .initial = "train", .check = check_base,
     .help = "compare with the training data, or with the answers of an earlier time: 30d..7d, 2026-01-01..2026-02-01"},
    {.name = "now", .type = AS_OPTION_TEXT, .argument = "RANGE", .initial = "7d", .check = as_cli_range_check,
     .help = "the answers of this time"},
    {.name = "model", .type = AS_OPTION_FOLDER, .argument = "MODEL",
     .initial_note = "the champion; before it has answered, who answered last",
     .help = "of this version (intent/3) or folder; one model only"},
    {.name = "threshold", .type = AS_OPTION_NUMBER, .argument = "PSI", .minimum = 0, .maximum = 100, .initial = "0.2",
     .help = "no alarm below this index, however sure the change is"},
    {.name = "db", .type = AS_OPTION_FILE, .argument = "F.db", .initial_note = AS_DATABASE_NAME " below --models",
     .help = "database that has the table predictions"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "a line of JSON for each model"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Drift", rows);
static const as_option_group *const groups[] = {&group, NULL};

typedef struct watching {
  as_cli *cli;
  as_database *database;
  as_time_range now, base;
  bool from_training;
  double threshold;
  bool drifted;
} watching;

/* One model with both sides. */
typedef struct watched {
  as_cli_identity identity;
  as_reference reference, now;
  as_drift_feature features[AS_DRIFT_FEATURES];
  bool drifted;
} watched;

/* ---- the two sides ---------------------------------------------------------------------------------------------- */

/* Answers of one version; those of an earlier time may be of others, unless the user named the version. */
static as_prediction_query query_of(const watching *w, const watched *m, const as_time_range *range, bool any_version) {
  const bool any = any_version && !as_option_text(w->cli->arguments, "model");
  return (as_prediction_query){.model = m->identity.model,
                               .version = any ? NULL : m->identity.version,
                               .since = range->since,
                               .before = range->before[0] ? range->before : NULL};
}

static as_status expect_rows(const watching *w, const watched *m, const as_reference *r, const as_time_range *range,
                             const char *whose) {
  if (as_reference_answers(r)) return AS_OK;
  return as_fail(w->cli->ctx, AS_E_DATA,
                 "there is nothing to compare: the log has no answers of %s%s%s from %s%s%s; predict with --log writes "
                 "them",
                 m->identity.model, *whose ? "/" : "", whose, range->since, range->before[0] ? " to " : " on",
                 range->before);
}

static as_status read_sides(const watching *w, watched *m, const char *folder) {
  const bool any_version = !w->from_training;
  const char *whose = any_version && !as_option_text(w->cli->arguments, "model") ? "" : m->identity.version;
  const as_prediction_query now = query_of(w, m, &w->now, any_version), base = query_of(w, m, &w->base, any_version);
  as_status status = w->from_training ? as_reference_read(w->cli->ctx, folder, &m->reference)
                                      : as_drift_reference_of_log(w->database, &base, &m->reference);
  if (status == AS_OK && !w->from_training) status = expect_rows(w, m, &m->reference, &w->base, whose);
  if (status == AS_OK) status = as_reference_like(&m->reference, &m->now);
  if (status == AS_OK) status = as_drift_count_log(w->database, &now, &m->now);
  return status == AS_OK ? expect_rows(w, m, &m->now, &w->now, whose) : status;
}

/* ---- results ---------------------------------------------------------------------------------------------------- */

static double share(int64_t count, int64_t of) {
  return of ? (double)count / (double)of : (double)NAN;
}

static void put_shares(as_json_writer *w, const char *key, const as_reference *r) {
  as_json_open_array(w, key);
  for (int64_t i = 0; i <= r->label_count; i++) as_json_double(w, NULL, share(r->answers[i], as_reference_answers(r)));
  as_json_close_array(w);
}

static void put_side(as_json_writer *w, const char *key, const as_time_range *range) {
  as_json_open_object(w, key);
  as_json_string(w, "since", range->since);
  if (range->before[0])
    as_json_string(w, "before", range->before);
  else
    as_json_null(w, "before");
  as_json_close_object(w);
}

static void append_json(as_buffer *out, const watching *w, const watched *m) {
  as_json_writer j = as_json_writer_start(out, 0);
  as_json_open_object(&j, NULL);
  as_json_string(&j, "model", m->identity.model);
  as_json_string(&j, "version", m->identity.version);
  if (w->from_training)
    as_json_string(&j, "base", "train");
  else
    put_side(&j, "base", &w->base);
  put_side(&j, "now", &w->now);
  as_json_bool(&j, "drifted", m->drifted);
  as_json_double(&j, "threshold", w->threshold);
  as_json_open_object(&j, "features");
  for (int i = 0; i < AS_DRIFT_FEATURES; i++) {
    const as_drift_feature *f = &m->features[i];
    as_json_open_object(&j, f->name);
    as_json_int(&j, "base_rows", f->reference);
    as_json_int(&j, "rows", f->current);
    as_json_double(&j, "psi", f->psi);
    as_json_double(&j, "expected", f->expected);
    as_json_double(&j, "by_chance", f->quantile);
    as_json_bool(&j, "drifted", f->drifted);
    as_json_close_object(&j);
  }
  as_json_close_object(&j);
  as_json_open_array(&j, "labels");
  for (int64_t i = 0; i < m->now.label_count; i++) as_json_string(&j, NULL, m->now.labels[i]);
  as_json_close_array(&j);
  put_shares(&j, "base_shares", &m->reference);
  put_shares(&j, "shares", &m->now);
  as_json_double(&j, "base_unknown_share", share(m->reference.unknown_tokens, m->reference.tokens));
  as_json_double(&j, "unknown_share", share(m->now.unknown_tokens, m->now.tokens));
  as_json_close_object(&j);
  as_buffer_char(out, '\n');
}

/* The labels whose shares moved most, first. */
static void append_labels(as_buffer *out, const watched *m) {
  enum { SHOWN = 5 };
  const int64_t before = as_reference_answers(&m->reference), after = as_reference_answers(&m->now);
  double last = INFINITY;
  for (int shown = 0; shown < SHOWN; shown++) {
    int64_t most = -1;
    double moved = 0;
    for (int64_t i = 0; i < m->now.label_count; i++) {
      const double here = fabs(share(m->now.answers[i], after) - share(m->reference.answers[i], before));
      if (here < last && here > moved) moved = here, most = i;
    }
    if (most < 0) return;
    as_buffer_printf(out, "  %-28.60s %6.2f %% -> %6.2f %%\n", m->now.labels[most],
                     100 * share(m->reference.answers[most], before), 100 * share(m->now.answers[most], after));
    last = moved;
  }
}

static void append_table(as_buffer *out, const watching *w, const watched *m) {
  as_buffer_printf(out, "%s/%.60s, answers from %s%s%s", m->identity.model, m->identity.version, w->now.since,
                   w->now.before[0] ? " to " : " on", w->now.before);
  if (w->from_training)
    as_buffer_printf(out, ", against its training%s\n", m->reference.answers_training ? " (no validation rows)" : "");
  else
    as_buffer_printf(out, ",\nagainst those from %s%s%s\n", w->base.since, w->base.before[0] ? " to " : " on",
                     w->base.before);
  as_buffer_printf(out, "%-12s %8s %8s %9s %9s %9s\n", "", "base", "now", "PSI", "expected", "99.9 %");
  for (int i = 0; i < AS_DRIFT_FEATURES; i++) {
    const as_drift_feature *f = &m->features[i];
    as_buffer_printf(out, "%-12s %8lld %8lld %9.4f %9.4f %9.4f  %s\n", f->name, (long long)f->reference,
                     (long long)f->current, f->psi, f->expected, f->quantile, f->drifted ? "drift" : "");
  }
  if (m->features[AS_DRIFT_LABELS].drifted) append_labels(out, m);
  if (m->features[AS_DRIFT_UNKNOWN].drifted)
    as_buffer_printf(out, "  unknown tokens: %.2f %% -> %.2f %%\n",
                     100 * share(m->reference.unknown_tokens, m->reference.tokens),
                     100 * share(m->now.unknown_tokens, m->now.tokens));
  as_buffer_text(out, m->drifted ? "what comes in has changed\n" : "no drift\n");
}

static as_status tell(watching *w, watched *m) {
  as_buffer out;
  for (int i = 0; i < AS_DRIFT_FEATURES; i++) m->drifted = m->drifted || m->features[i].drifted;
  w->drifted = w->drifted || m->drifted;
  as_buffer_init(&out, w->cli->ctx);
  if (as_option_flag(w->cli->arguments, "json"))
    append_json(&out, w, m);
  else
    append_table(&out, w, m);
  as_status status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(w->cli->console, &out);
  as_buffer_free(&out);
  return status;
}

/* ---- the command -------------------------------------------------------------------------------------------- */

/* Who answered. */
typedef struct answerers {
  const char *champion; /* a version */
  bool champion_did;
  char last[AS_TIMESTAMP_TEXT];
  char version[24]; /* that of the newest answer */
} answerers;

static as_status take_answerer(void *user, const as_prediction_summary *s) {
  answerers *a = user;
  if (strcmp(s->version, a->champion) == 0) a->champion_did = true;
  if (strcmp(s->last, a->last) > 0 && strlen(s->version) < sizeof a->version) {
    snprintf(a->last, sizeof a->last, "%.19s", s->last);
    snprintf(a->version, sizeof a->version, "%s", s->version);
  }
  return AS_OK;
}

/* A champion that was promoted a moment ago has not answered yet; then it is about the version before it, if the store
 * still has that. Replaces *folder and the identity. */
static as_status find_answerer(watching *w, const as_classification_task *task, watched *m, char **folder) {
  answerers a = {.champion = m->identity.version};
  as_store *store = NULL;
  as_version version;
  char reference[AS_STORE_NAME + 26], *other = NULL;
  as_prediction_query query = query_of(w, m, &w->now, false);
  query.version = NULL;
  if (!w->from_training || !m->identity.root || as_option_text(w->cli->arguments, "model")) return AS_OK;
  as_status status = as_predictions_summarize(w->database, &query, take_answerer, &a);
  if (status != AS_OK || a.champion_did || !a.version[0]) return status;
  snprintf(reference, sizeof reference, "%s/%s", m->identity.model, a.version);
  status = as_store_open(w->cli->ctx, m->identity.root, &store);
  if (status == AS_OK && as_store_find(store, reference, &version) == AS_OK) {
    other = as_store_folder(store, &version);
    status = other ? AS_OK : AS_E_NOMEM;
  }
  as_store_close(store);
  if (!other) return status;
  as_console_note(w->cli->console, "%s/%s has not answered yet; this is about %s", m->identity.model,
                  m->identity.version, reference);
  as_free(w->cli->ctx, *folder);
  as_cli_identity_free(w->cli, &m->identity);
  *folder = other;
  return as_cli_identify(w->cli, task->name, other, &m->identity);
}

/* AS_E_DATA: there is nothing to compare. */
static as_status watch(watching *w, const as_classification_task *task) {
  watched m = {.drifted = false};
  char *folder = NULL;
  as_status status = as_cli_model(w->cli, "model", task->name, task->folder, &folder);
  if (status == AS_OK) status = as_cli_identify(w->cli, task->name, folder, &m.identity);
  if (status == AS_OK) status = find_answerer(w, task, &m, &folder);
  if (status == AS_OK) status = read_sides(w, &m, folder);
  if (status == AS_OK) status = as_reference_compare(&m.reference, &m.now, w->threshold, PROBABILITY, m.features);
  if (status == AS_OK) status = tell(w, &m);
  as_reference_free(&m.reference);
  as_reference_free(&m.now);
  as_cli_identity_free(w->cli, &m.identity);
  as_free(w->cli->ctx, folder);
  return status;
}

/* Every classifier that there is something to say of; the reason of the last one, when there is none. */
static as_status watch_all(watching *w) {
  as_status status = AS_OK;
  bool any = false;
  for (const as_classification_task *const *task = as_classification_tasks; *task; task++) {
    char *folder;
    status = as_cli_model_if_there(w->cli, "model", (*task)->name, (*task)->folder, &folder);
    const bool there = status == AS_OK && folder;
    as_free(w->cli->ctx, folder);
    if (there) status = watch(w, *task);
    if (status != AS_OK && status != AS_E_DATA) return status;
    any = any || (there && status == AS_OK);
    if (there && status == AS_E_DATA) as_console_note(w->cli->console, "%s", as_error_text(w->cli->ctx));
  }
  if (any) return AS_OK;
  return as_fail(w->cli->ctx, AS_E_DATA, "no classifier has anything to compare; predict with --log writes answers");
}

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  const char *name = a->operand_count ? a->operands[0] : NULL, *base = as_option_text(a, "base");
  const as_classification_task *task = name ? as_classification_task_find(name) : NULL;
  const char *given = as_option_text(a, "db");
  const int64_t now = (int64_t)time(NULL);
  watching w = {.cli = cli, .from_training = strcmp(base, "train") == 0, .threshold = as_option_number(a, "threshold")};
  if (name && !task) return as_cli_usage(cli, "'%s' is no classifier: drift is measured of intent and sentiment", name);
  if (!task && as_option_text(a, "model"))
    return as_cli_usage(cli, "--model needs to know of which: intent or sentiment");
  if (!as_cli_range_read(as_option_text(a, "now"), now, &w.now) ||
      (!w.from_training && !as_cli_range_read(base, now, &w.base)))
    return as_cli_usage(cli, "--now and --base name no time"); /* they did when the options were read */
  char *path =
      given ? as_strdup(cli->ctx, given) : as_path_join(cli->ctx, as_option_text(a, "models"), AS_DATABASE_NAME);
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && !as_path_exists(path))
    status = as_fail(cli->ctx, AS_E_DATA, "%s: is not there: nothing was logged; predict with --log writes it", path);
  if (status == AS_OK) status = as_database_open(cli->ctx, path, false, &w.database);
  if (status == AS_OK) status = task ? watch(&w, task) : watch_all(&w);
  as_database_close(w.database);
  as_free(cli->ctx, path);
  if (status != AS_OK) return as_cli_failed(cli, status);
  return w.drifted ? AS_EXIT_GATE : AS_EXIT_DONE;
}

const as_command as_command_monitor_drift = {
    .name = "monitor drift",
    .operands = "[intent|sentiment]",
    .max_operands = 1,
    .operand = AS_OPERAND_TEXT,
    .summary = "tell whether what comes in has changed",
    .groups = groups,
    .run = run,
    .description =
        "Compares the answers that were logged (--log) with the training data of the model that gave them: how often "
        "each label, how confident, how long the texts, and how many of their tokens are unknown. For each the "
        "population stability index (PSI), the value expected when nothing has changed, for so many rows, and the "
        "value that chance stays below in 99.9 % of the cases. An index beyond both that value and --threshold is an "
        "alarm, exit 5; so a few rows raise none. Exit 3 when there is nothing to compare.",
    .examples = "assistify monitor drift --now 7d\n"
                "assistify monitor drift intent --base 30d..7d --now 7d --json"};
