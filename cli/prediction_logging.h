/* --log: commands that ask models write each answer into the table predictions.
 *
 *   as_cli_logging logging;
 *   status = as_cli_logging_begin(cli, &logging);             // does nothing without --log
 *   ... as_cli_identify(cli, task->name, folder, &identity)   // once for each model that is opened
 *   if (logging.log) {
 *     as_request_id(id);                                      // one for each request, whatever models it asks
 *     as_prediction_log_add(logging.log, &(as_logged_prediction){.request_id = id, .model = identity.model, ...});
 *     as_json_string(&writer, "request_id", id);              // so that `monitor feedback` can name it
 *   }
 *   as_cli_logging_end(&logging);                             // always, and before the exit code is returned
 */
#ifndef AS_CLI_PREDICTION_LOGGING_H
#define AS_CLI_PREDICTION_LOGGING_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli/command.h"
#include "cli/model_store.h"
#include "infer/classifier.h"
#include "lifecycle/prediction_log.h"

/* --log, --log-text, --log-days, --db */
extern const as_option_group as_options_logging;

typedef struct as_cli_logging {
  as_cli *cli;
  as_prediction_log *log; /* NULL: nothing is logged */
  char *path;             /* of the database */
  bool watching;          /* private, as all that follows: a command that does not catch signals */
  atomic_bool over;
  pthread_t watcher;
} as_cli_logging;

/* Starts the log if the user wants one. In a command that does not catch signals, SIGINT and SIGTERM now end the
 * program after what waits was written. Fails for lack of memory or of a thread only. */
AS_MUST_CHECK as_status as_cli_logging_begin(as_cli *cli, as_cli_logging *logging);
/* Writes what waits. Tells how many predictions could not be logged, which is no failure. */
void as_cli_logging_end(as_cli_logging *logging);

/* Logs what a classifier answered to `text`. */
void as_cli_log_classification(as_cli_logging *logging, const char *request_id, const as_cli_identity *identity,
                               const as_labels *labels, const as_text *text, const as_prediction *prediction,
                               int64_t latency_us);

/* Microseconds on a clock that only goes forward, for latencies. */
int64_t as_cli_microseconds(void);

#endif
