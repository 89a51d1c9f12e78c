/* See prediction_logging.h. */
#include "cli/prediction_logging.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "lifecycle/database.h"

enum { LAST_WAIT = 5000 }; /* milliseconds that a signal waits for what is not written yet */

/* clang-format off */
static const as_option rows[] = {
    {.name = "log", .type = AS_OPTION_FLAG, .help = "write each answer into the table predictions; see monitor"},
    {.name = "log-text", .type = AS_OPTION_CHOICE, .words = "full|hash|none", .initial = "hash",
     .help = "what the table keeps of texts: all, their SHA-256, nothing"},
    {.name = "log-days", .type = AS_OPTION_INT, .argument = "N", .words = "never", .minimum = 1, .maximum = 36500,
     .initial = "90", .help = "days after which a row is deleted"},
    {.name = "db", .type = AS_OPTION_FILE, .argument = "F.db", .initial_note = AS_DATABASE_NAME " below --models",
     .help = "database that has the table"},
};
/* clang-format on */
const as_option_group as_options_logging = AS_OPTION_GROUP("Logging", rows);

int64_t as_cli_microseconds(void) {
  return (int64_t)(as_seconds() * 1e6);
}

/* ---- signals ---------------------------------------------------------------------------------------------------- */

static void ending_signals(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGTERM);
}

/* A thread that gets the signals in the place of all others: ends the program as the signal would have, but first lets
 * the log write what waits. It is called off by a signal of its own. */
static void *watch(void *user) {
  as_cli_logging *l = user;
  sigset_t set;
  int number;
  ending_signals(&set);
  if (sigwait(&set, &number) != 0 || atomic_load(&l->over)) return NULL;
  as_prediction_log_flush(l->log, LAST_WAIT);
  signal(number, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  raise(number);
  return NULL;
}

static void begin_watching(as_cli_logging *l) {
  sigset_t set;
  ending_signals(&set);
  if (pthread_sigmask(SIG_BLOCK, &set, NULL)) return;
  l->watching = pthread_create(&l->watcher, NULL, watch, l) == 0;
  if (!l->watching) pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* then the last second is lost by a signal */
}

static void end_watching(as_cli_logging *l) {
  sigset_t set;
  if (!l->watching) return;
  atomic_store(&l->over, true);
  pthread_kill(l->watcher, SIGTERM);
  pthread_join(l->watcher, NULL);
  ending_signals(&set);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- the log ---------------------------------------------------------------------------------------------------- */

as_status as_cli_logging_begin(as_cli *cli, as_cli_logging *l) {
  const as_arguments *a = cli->arguments;
  const char *given = as_option_text(a, "db");
  const as_prediction_log_options options = {.text = as_option_is(a, "log-text", "full")   ? AS_LOG_TEXT_FULL
                                                     : as_option_is(a, "log-text", "none") ? AS_LOG_TEXT_NONE
                                                                                           : AS_LOG_TEXT_HASH,
                                             .days = as_option_int(a, "log-days")};
  *l = (as_cli_logging){.cli = cli};
  if (!as_option_flag(a, "log")) return AS_OK;
  l->path = given ? as_strdup(cli->ctx, given) : as_path_join(cli->ctx, as_option_text(a, "models"), AS_DATABASE_NAME);
  as_status status = l->path ? as_prediction_log_open(cli->ctx, l->path, &options, &l->log) : AS_E_NOMEM;
  if (status == AS_OK && !a->command->catches_signals) begin_watching(l);
  return status;
}

void as_cli_logging_end(as_cli_logging *l) {
  if (!l->cli) return;
  const bool logged = l->log;
  end_watching(l);
  const as_prediction_log_counts counts = as_prediction_log_close(l->log);
  if (logged && counts.lost)
    as_console_note(l->cli->console, "%s: %" PRIu64 " of %" PRIu64 " predictions could not be logged", l->path,
                    counts.lost, counts.lost + counts.written);
  as_free(l->cli->ctx, l->path);
  *l = (as_cli_logging){.cli = NULL};
}

void as_cli_log_classification(as_cli_logging *l, const char *request_id, const as_cli_identity *identity,
                               const as_labels *labels, const as_text *text, const as_prediction *p,
                               int64_t latency_us) {
  as_prediction_log_add(l->log, &(as_logged_prediction){.request_id = request_id,
                                                        .model = identity->model,
                                                        .version = identity->version,
                                                        .input = text->text,
                                                        .input_length = text->length,
                                                        .label = labels->names[p->label],
                                                        .confidence = (double)p->confidence,
                                                        .names = (const char *const *)labels->names,
                                                        .probabilities = p->probabilities,
                                                        .classes = labels->count,
                                                        .tokens = p->tokens,
                                                        .unknown = p->unknown,
                                                        .latency_us = latency_us,
                                                        .truncated = p->truncated});
}
