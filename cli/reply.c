#include "cli/reply.h"

#include <math.h>

const as_classification_task *as_known_task(int which) {
  return which == AS_KNOWN_INTENT ? &as_intent_task : &as_sentiment_task;
}

void as_cli_known_json(as_json_writer *writer, const char *const known[AS_KNOWN], const bool told[AS_KNOWN]) {
  for (int k = 0; k < AS_KNOWN; k++) {
    if (known[k])
      as_json_string(writer, as_known_task(k)->name, known[k]);
    else
      as_json_null(writer, as_known_task(k)->name);
  }
  as_json_open_array(writer, "predicted");
  for (int k = 0; k < AS_KNOWN; k++)
    if (told[k]) as_json_string(writer, NULL, as_known_task(k)->name);
  as_json_close_array(writer);
}

void as_cli_log_reply(as_cli_logging *logging, const char *request_id, const as_cli_identity *identity,
                      const as_responder *responder, const as_text *text, const as_responses *responses, int64_t i,
                      int64_t latency_us) {
  const as_response *best = &responses->list[i * responses->each];
  const bool stored = as_responder_mode(responder) == AS_REPLY_NEAREST;
  as_prediction_log_add(logging->log, &(as_logged_prediction){.request_id = request_id,
                                                              .model = identity->model,
                                                              .version = identity->version,
                                                              .input = text->text,
                                                              .input_length = text->length,
                                                              .label = best->text,
                                                              .label_is_text = true,
                                                              .confidence = stored ? best->similarity : NAN,
                                                              .tokens = responses->input_lengths[i],
                                                              .unknown = -1,
                                                              .latency_us = latency_us,
                                                              .truncated = responses->truncated[i]});
}
