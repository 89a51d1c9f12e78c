/* analyze: all that the models of the store have to say of a message, in one line of JSON: intent, sentiment, a reply
 * that is made for them, products.
 *
 * Each part has the members that its own command prints, with the same bytes. Every model is opened once; one that is
 * not there is null in every line. Messages are answered in groups, so memory does not grow with the file. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/csv_options.h"
#include "cli/recommend_options.h"
#include "cli/reply.h"
#include "cli/signals.h"
#include "cli/text_input.h"

#define GROUP_ROWS 64 /* asked together */

/* clang-format off */
static const as_option rows[] = {
    {.name = "input", .type = AS_OPTION_FILE, .argument = "F.csv|-",
     .help = "CSV with a header; its column customer_id counts where it is filled; -: from standard input"},
    {.name = "customer", .type = AS_OPTION_TEXT, .argument = "ID",
     .help = "who wrote the messages, for recommendations"},
    {.name = "n", .short_name = 'n', .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6,
     .initial = "3", .help = "how many products; fewer when there are no more"},
    {.name = "intent-model", .type = AS_OPTION_FOLDER, .argument = "MODEL",
     .initial_note = "the champion, if there is one",
     .help = "version in the store (intent@champion, intent/3) or folder"},
    {.name = "sentiment-model", .type = AS_OPTION_FOLDER, .argument = "MODEL",
     .initial_note = "the champion, if there is one", .help = "the same for the sentiment"},
    {.name = "response-model", .type = AS_OPTION_FOLDER, .argument = "MODEL",
     .initial_note = "the champion, if there is one", .help = "the same for the reply"},
    {.name = "recommend-model", .type = AS_OPTION_FOLDER, .argument = "MODEL",
     .initial_note = "the champion, if there is one", .help = "the same for the recommendations"},
    {.name = "table", .type = AS_OPTION_FLAG, .help = "lines for people instead of JSON"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Analysis", rows);
static const as_option_group *const groups[] = {&group, &as_options_csv, &as_options_logging, NULL};

/* A classifier and what it says of the group. */
typedef struct telling {
  as_classifier *classifier; /* NULL: there is none */
  as_cli_identity identity;
  float *probabilities; /* [GROUP_ROWS, classes] */
  as_prediction predictions[GROUP_ROWS];
} telling;

/* A message that waits, or the reason why it can't be answered. */
typedef struct waiting {
  size_t text, length, customer; /* places in `texts`; customer SIZE_MAX: not known */
  char *error;
  char request_id[AS_REQUEST_ID];
} waiting;

typedef struct analysis {
  as_cli *cli;
  telling known[AS_KNOWN];
  as_responder *responder; /* NULL: there is none */
  as_cli_identity responder_identity;
  as_respond_options respond_options;
  as_responses responses; /* to the messages of the group */
  as_recommender *recommender;
  as_cli_identity recommender_identity;
  as_recommendation *products; /* [n] */
  int64_t n;
  as_cli_logging logging;
  uint64_t answered;
  bool closed; /* nobody reads the answers any more */
  as_buffer texts;
  waiting group[GROUP_ROWS];
  int64_t count;
  as_text asked[GROUP_ROWS]; /* those without an error */
  const waiting *waits[GROUP_ROWS];
  int64_t asked_count;
} analysis;

/* ---- asking the models ------------------------------------------------------------------------------------------ */

static as_status ask_classifier(analysis *a, telling *t) {
  if (!t->classifier) return AS_OK;
  const as_labels *labels = as_classifier_labels(t->classifier);
  for (int64_t i = 0; i < a->asked_count; i++)
    t->predictions[i] = (as_prediction){.probabilities = t->probabilities + i * (int64_t)labels->count};
  const int64_t begun = as_cli_microseconds();
  as_status status = as_classifier_predict(t->classifier, a->asked, a->asked_count, t->predictions);
  const int64_t latency_us = (as_cli_microseconds() - begun) / a->asked_count;
  for (int64_t i = 0; status == AS_OK && a->logging.log && i < a->asked_count; i++)
    as_cli_log_classification(&a->logging, a->waits[i]->request_id, &t->identity, labels, &a->asked[i],
                              &t->predictions[i], latency_us);
  return status;
}

/* What a classifier told of message i that its reply depends on; NULL: nothing. */
static const char *told(const analysis *a, int which, int64_t i) {
  const telling *t = &a->known[which];
  const bool wanted =
      which == AS_KNOWN_INTENT ? as_responder_reads_intent(a->responder) : as_responder_reads_sentiment(a->responder);
  return wanted && t->classifier ? as_classifier_labels(t->classifier)->names[t->predictions[i].label] : NULL;
}

static as_status ask_responder(analysis *a) {
  as_customer_message messages[GROUP_ROWS];
  if (!a->responder) return AS_OK;
  for (int64_t i = 0; i < a->asked_count; i++)
    messages[i] = (as_customer_message){a->asked[i].text, a->asked[i].length, told(a, AS_KNOWN_INTENT, i),
                                        told(a, AS_KNOWN_SENTIMENT, i)};
  a->respond_options.generate.first_sequence = a->answered;
  const int64_t begun = as_cli_microseconds();
  as_status status = as_responder_answer(a->responder, messages, a->asked_count, &a->respond_options, &a->responses);
  const int64_t latency_us = (as_cli_microseconds() - begun) / a->asked_count;
  for (int64_t i = 0; status == AS_OK && a->logging.log && i < a->asked_count; i++)
    as_cli_log_reply(&a->logging, a->waits[i]->request_id, &a->responder_identity, a->responder, &a->asked[i],
                     &a->responses, i, latency_us);
  return status;
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static void write_classification(const analysis *a, as_json_writer *w, int which, int64_t i) {
  const telling *t = &a->known[which];
  const as_classification_task *task = as_known_task(which);
  if (!t->classifier) {
    as_json_null(w, task->name);
    return;
  }
  as_json_open_object(w, task->name);
  as_prediction_write(w, t->classifier, task, &t->predictions[i], 0);
  as_json_close_object(w);
}

static void write_reply(const analysis *a, as_json_writer *w, int64_t i) {
  if (!a->responder) {
    as_json_null(w, "response");
    return;
  }
  const char *const known[AS_KNOWN] = {told(a, AS_KNOWN_INTENT, i), told(a, AS_KNOWN_SENTIMENT, i)};
  const bool by_classifier[AS_KNOWN] = {known[0] != NULL, known[1] != NULL};
  as_json_open_object(w, "response");
  as_response_write(w, a->responder, &a->responses, i);
  as_cli_known_json(w, known, by_classifier);
  as_json_close_object(w);
}

static void write_recommendations(const analysis *a, as_json_writer *w, const as_recommend_request *q, int64_t count) {
  if (!a->recommender) {
    as_json_null(w, "recommendations");
    return;
  }
  as_json_open_object(w, "recommendations");
  as_cli_recommendation_json(w, a->recommender, q, a->products, count);
  as_json_close_object(w);
}

/* Whether the message may name what the customer would like to have; not known without a classifier. */
static bool asks_for_products(const analysis *a, int64_t i) {
  const telling *t = &a->known[AS_KNOWN_INTENT];
  if (!t->classifier) return true;
  const char *intent = as_classifier_labels(t->classifier)->names[t->predictions[i].label];
  return strcmp(intent, "purchase") == 0 || strcmp(intent, "inquiry") == 0;
}

/* Asks for products: for a customer what the message asks for, or what else may please; for nobody in particular what
 * is trending. */
static as_status ask_recommender(analysis *a, int64_t i, as_recommend_request *q, int64_t *count) {
  const waiting *wait = a->waits[i];
  *q = (as_recommend_request){.kind = AS_RECOMMEND_TRENDING, .n = a->n, .product = -1};
  if (wait->customer != SIZE_MAX) {
    const bool asked = asks_for_products(a, i);
    q->kind = asked ? AS_RECOMMEND_PURCHASE : AS_RECOMMEND_PERSONALIZED;
    q->customer = a->texts.data + wait->customer;
    q->message = asked ? a->texts.data + wait->text : NULL;
  }
  *count = 0;
  if (!a->recommender) return AS_OK;
  const int64_t begun = as_cli_microseconds();
  as_status status = as_recommend(a->recommender, q, a->products, count);
  if (status == AS_OK && a->logging.log)
    as_cli_log_recommendation(&a->logging, wait->request_id, &a->recommender_identity, a->recommender, q->customer,
                              a->products, *count, as_cli_microseconds() - begun);
  return status;
}

static void answer_json(const analysis *a, as_buffer *out, int64_t i, const as_recommend_request *q, int64_t count,
                        int64_t latency_us) {
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_json_string_n(&w, "text", a->asked[i].text, a->asked[i].length);
  write_classification(a, &w, AS_KNOWN_INTENT, i);
  write_classification(a, &w, AS_KNOWN_SENTIMENT, i);
  write_reply(a, &w, i);
  write_recommendations(a, &w, q, count);
  if (a->logging.log) as_json_string(&w, "request_id", a->waits[i]->request_id);
  as_json_double(&w, "latency_ms", (double)latency_us / 1000);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
}

/* Appends "  name       text", wrapped. */
static void table_row(as_buffer *out, const char *name, const char *text) {
  enum { INDENT = 13 };
  as_buffer_printf(out, "  %-*s", INDENT - 2, name);
  as_text_wrap(out, text, INDENT, INDENT);
}

static void answer_table(const analysis *a, as_buffer *out, int64_t i, int64_t count) {
  char text[400];
  as_text_wrap(out, a->asked[i].text, 0, 0);
  for (int k = 0; k < AS_KNOWN; k++) {
    const telling *t = &a->known[k];
    if (!t->classifier) continue;
    snprintf(text, sizeof text, "%.300s, %.1f %%", as_classifier_labels(t->classifier)->names[t->predictions[i].label],
             100 * (double)t->predictions[i].confidence);
    table_row(out, as_known_task(k)->name, text);
  }
  if (a->responder) table_row(out, "response", a->responses.list[i * a->responses.each].text);
  for (int64_t p = 0; p < count; p++) {
    snprintf(text, sizeof text, "%.120s: %.200s", as_products_name(a->recommender->products, a->products[p].product),
             a->products[p].reason);
    table_row(out, p == 0 ? "products" : "", text);
  }
}

/* `shared_us` is what the message's share in the group's time is so far. */
static as_status write_answer(analysis *a, as_buffer *out, int64_t i, int64_t shared_us) {
  as_recommend_request q;
  int64_t count;
  const int64_t begun = as_cli_microseconds();
  as_status status = ask_recommender(a, i, &q, &count);
  if (status != AS_OK) return status;
  if (as_option_flag(a->cli->arguments, "table"))
    answer_table(a, out, i, count);
  else
    answer_json(a, out, i, &q, count, shared_us + as_cli_microseconds() - begun);
  return AS_OK;
}

static void write_error(const analysis *a, as_buffer *out, const char *text) {
  if (as_option_flag(a->cli->arguments, "table")) {
    as_buffer_printf(out, "error: %s\n", text);
    return;
  }
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_json_string(&w, "error", text);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
}

static as_status write_answers(analysis *a, int64_t shared_us) {
  as_buffer out;
  as_buffer_init(&out, a->cli->ctx);
  as_status status = AS_OK;
  for (int64_t i = 0, asked = 0; status == AS_OK && i < a->count; i++) {
    if (a->group[i].error)
      write_error(a, &out, a->group[i].error);
    else
      status = write_answer(a, &out, asked++, shared_us);
  }
  if (status == AS_OK) status = as_buffer_status(&out);
  if (status == AS_OK) a->closed = !as_console_buffer(a->cli->console, &out) || !as_console_flush(a->cli->console);
  as_buffer_free(&out);
  return status;
}

static void empty_group(analysis *a) {
  for (int64_t i = 0; i < a->count; i++) as_free(a->cli->ctx, a->group[i].error);
  a->count = a->asked_count = 0;
  as_buffer_clear(&a->texts);
}

static as_status answer(void *user) {
  analysis *a = user;
  if (!a->count) return AS_OK;
  as_status status = as_buffer_status(&a->texts);
  for (int64_t i = 0; status == AS_OK && i < a->count; i++) {
    if (a->group[i].error) continue;
    a->waits[a->asked_count] = &a->group[i];
    a->asked[a->asked_count++] = (as_text){a->texts.data + a->group[i].text, a->group[i].length};
  }
  const int64_t begun = as_cli_microseconds();
  for (int k = 0; status == AS_OK && a->asked_count && k < AS_KNOWN; k++) status = ask_classifier(a, &a->known[k]);
  if (status == AS_OK && a->asked_count) status = ask_responder(a);
  const int64_t shared_us = a->asked_count ? (as_cli_microseconds() - begun) / a->asked_count : 0;
  if (status == AS_OK) status = write_answers(a, shared_us);
  a->answered += (uint64_t)a->asked_count;
  as_responses_free(&a->responses);
  a->responses = (as_responses){0};
  empty_group(a);
  return status == AS_E_INTERRUPTED && a->closed ? AS_OK : status;
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

/* Puts a text that ends with NUL behind the others; returns where. */
static size_t keep(analysis *a, const char *text, size_t length) {
  const size_t at = a->texts.length;
  as_buffer_append(&a->texts, text, length);
  as_buffer_char(&a->texts, '\0');
  return at;
}

static as_status add(void *user, const char *text, size_t length, const char *const *values) {
  analysis *a = user;
  waiting *w = &a->group[a->count++];
  const char *customer = values[0] ? values[0] : as_option_text(a->cli->arguments, "customer");
  *w = (waiting){.text = keep(a, text, length), .length = length, .customer = SIZE_MAX};
  if (customer) w->customer = keep(a, customer, strlen(customer));
  if (a->logging.log) as_request_id(w->request_id);
  return a->count == GROUP_ROWS ? answer(a) : AS_OK;
}

static as_status add_error(void *user, const char *why) {
  analysis *a = user;
  a->group[a->count] = (waiting){.error = as_strdup(a->cli->ctx, why)};
  if (!a->group[a->count].error) return AS_E_NOMEM;
  return ++a->count == GROUP_ROWS ? answer(a) : AS_OK;
}

/* ---- the models ------------------------------------------------------------------------------------------------- */

static bool interrupted(void *user) {
  const analysis *a = user;
  return a->closed || as_interrupted(NULL);
}

/* The folder of a model, NULL if there is none, which is told once. */
static as_status find_model(analysis *a, const char *option, const char *model, const char *folder_name, char **folder,
                            as_cli_identity *identity) {
  as_status status = as_cli_model_if_there(a->cli, option, model, folder_name, folder);
  if (status == AS_OK && *folder) return as_cli_identify(a->cli, model, *folder, identity);
  if (status == AS_OK)
    as_console_note(a->cli->console, "there is no model for %s in %s: that member is null", model,
                    as_option_text(a->cli->arguments, "models"));
  return status;
}

static as_status open_classifier(analysis *a, int which) {
  static const char *const options[] = {"intent-model", "sentiment-model"};
  const as_classification_task *task = as_known_task(which);
  telling *t = &a->known[which];
  char *folder = NULL;
  as_status status = find_model(a, options[which], task->name, task->folder, &folder, &t->identity);
  if (status == AS_OK && folder) status = as_classifier_open(a->cli->ctx, folder, task, &t->classifier);
  if (status == AS_OK && folder) {
    t->probabilities =
        as_alloc(a->cli->ctx, GROUP_ROWS * as_classifier_labels(t->classifier)->count, sizeof *t->probabilities);
    if (!t->probabilities) status = AS_E_NOMEM;
  }
  as_free(a->cli->ctx, folder);
  return status;
}

static as_status open_responder(analysis *a) {
  char *folder = NULL;
  as_status status =
      find_model(a, "response-model", AS_RESPONSE_NAME, AS_RESPONSE_FOLDER, &folder, &a->responder_identity);
  if (status == AS_OK && folder) status = as_responder_open(a->cli->ctx, folder, AS_REPLY_AUTO, &a->responder);
  if (status == AS_OK && folder) {
    a->respond_options = as_responder_defaults(a->responder);
    a->respond_options.interrupted = interrupted;
    a->respond_options.user = a;
  }
  as_free(a->cli->ctx, folder);
  return status;
}

static as_status open_recommender(analysis *a) {
  char *folder = NULL;
  as_status status =
      find_model(a, "recommend-model", AS_RECOMMENDER_NAME, AS_RECOMMENDER_FOLDER, &folder, &a->recommender_identity);
  if (status == AS_OK && folder) status = as_recommender_open(a->cli->ctx, folder, &a->recommender);
  if (status == AS_OK && folder) {
    const int64_t products = as_products_count(a->recommender->products), n = as_option_int(a->cli->arguments, "n");
    a->n = n < products ? n : products;
    a->products = as_alloc(a->cli->ctx, (size_t)a->n, sizeof *a->products);
    if (!a->products) status = AS_E_NOMEM;
  }
  as_free(a->cli->ctx, folder);
  return status;
}

static as_status begin(analysis *a) {
  as_status status = AS_OK;
  for (int k = 0; status == AS_OK && k < AS_KNOWN; k++) status = open_classifier(a, k);
  if (status == AS_OK) status = open_responder(a);
  if (status == AS_OK) status = open_recommender(a);
  const bool any = a->known[0].classifier || a->known[1].classifier || a->responder || a->recommender;
  if (status == AS_OK && !any)
    status =
        as_fail(a->cli->ctx, AS_E_MODEL, "%s: there is no model here; `assistify train all --data-dir DIR` makes them",
                as_option_text(a->cli->arguments, "models"));
  return status == AS_OK ? as_cli_logging_begin(a->cli, &a->logging) : status;
}

static void end(analysis *a) {
  as_cli *cli = a->cli;
  as_cli_logging_end(&a->logging);
  empty_group(a);
  for (int k = 0; k < AS_KNOWN; k++) {
    as_classifier_close(a->known[k].classifier);
    as_cli_identity_free(cli, &a->known[k].identity);
    as_free(cli->ctx, a->known[k].probabilities);
  }
  as_responder_close(a->responder);
  as_cli_identity_free(cli, &a->responder_identity);
  as_recommender_free(a->recommender);
  as_cli_identity_free(cli, &a->recommender_identity);
  as_free(cli->ctx, a->products);
  as_buffer_free(&a->texts);
  as_free(cli->ctx, a);
}

static int run(as_cli *cli) {
  if (as_option_text(cli->arguments, "input") && cli->arguments->operand_count)
    return as_cli_usage(cli, "messages come from the command line or from --input, not both");
  analysis *a = as_alloc_zero(cli->ctx, 1, sizeof *a);
  if (!a) return as_cli_failed(cli, AS_E_NOMEM);
  const as_text_input input = {
      .columns = {"customer_id"}, .take = add, .refuse = add_error, .answer = answer, .closed = &a->closed, .user = a};
  a->cli = cli;
  as_buffer_init(&a->texts, cli->ctx);
  as_status status = begin(a);
  if (status == AS_OK) status = as_text_input_read(cli, &input);
  if (status == AS_OK) status = answer(a);
  const int code = status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
  end(a);
  return code;
}

const as_command as_command_analyze = {
    .name = "analyze",
    .operands = "[TEXT...]",
    .max_operands = -1,
    .operand = AS_OPERAND_TEXT,
    .summary = "tell intent, sentiment, reply and recommendations of messages",
    .groups = groups,
    .catches_signals = true,
    .works_long = true,
    .run = run,
    .description =
        "Prints one line of JSON for each message: text; intent and sentiment as predict prints them; response as "
        "respond prints it, made for that intent and sentiment; recommendations as recommend prints them; and "
        "latency_ms, the message's share in the time that its group took. A model that is not there is "
        "null.\n\nWho wrote a message is said by --customer or the column customer_id. Recommendations are then of "
        "type "
        "purchase, with the message, where the intent is purchase or inquiry, or no model tells it, and else "
        "personalized; "
        "where nobody is named they are what is trending.\n\n" AS_TEXT_INPUT_HELP,
    .examples = "assistify analyze \"Where is my order?\" --customer 7\n"
                "assistify analyze --input messages.csv | jq -c .response.response"};
