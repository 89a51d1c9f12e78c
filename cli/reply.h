/* What commands that reply to messages share: how a reply's surroundings are written and logged. */
#ifndef AS_CLI_REPLY_H
#define AS_CLI_REPLY_H

#include "cli/prediction_logging.h"
#include "infer/responder.h"

/* What a reply may depend on, in the order of its members. */
enum { AS_KNOWN_INTENT, AS_KNOWN_SENTIMENT, AS_KNOWN };
const as_classification_task *as_known_task(int which);

/* The members intent, sentiment and predicted: what the reply was made for (NULL: not known), and which of it a
 * classifier told. */
void as_cli_known_json(as_json_writer *writer, const char *const known[AS_KNOWN], const bool told[AS_KNOWN]);

/* Logs the first reply to message i of those that were answered. */
void as_cli_log_reply(as_cli_logging *logging, const char *request_id, const as_cli_identity *identity,
                      const as_responder *responder, const as_text *text, const as_responses *responses, int64_t i,
                      int64_t latency_us);

#endif
