/* respond: a reply to each message, given on the command line, as lines on standard input, or as rows of a CSV.
 *
 * Replies come in the order of the messages. What is not said of a message, its intent and its sentiment, the trained
 * classifiers tell; the answer names what they told. Messages are answered in groups, so memory does not grow with the
 * file. */
#include <string.h>

#include "base/memory.h"
#include "cli/csv_options.h"
#include "cli/generation_options.h"
#include "cli/reply.h"
#include "cli/signals.h"
#include "cli/text_input.h"

#define GROUP_ROWS 128 /* asked together */

/* clang-format off */
static const as_option rows[] = {
    {.name = "model", .type = AS_OPTION_FOLDER, .argument = "MODEL", .initial_note = "the champion",
     .help = "version in the store (response@champion, response/3) or folder"},
    {.name = "input", .type = AS_OPTION_FILE, .argument = "F.csv|-", .excludes = "stream",
     .help = "CSV with a header; its columns intent and sentiment count where they are filled; -: from standard input"},
    {.name = "intent", .type = AS_OPTION_TEXT, .argument = "NAME", .initial_note = "what the intent classifier tells",
     .help = "intent of the messages"},
    {.name = "sentiment", .type = AS_OPTION_TEXT, .argument = "NAME",
     .initial_note = "what the sentiment classifier tells", .help = "sentiment of the messages"},
    {.name = "intent-model", .type = AS_OPTION_FOLDER, .argument = "MODEL",
     .initial_note = "the champion, if there is one", .help = "classifier to tell the intent"},
    {.name = "sentiment-model", .type = AS_OPTION_FOLDER, .argument = "MODEL",
     .initial_note = "the champion, if there is one", .help = "classifier to tell the sentiment"},
    {.name = "mode", .type = AS_OPTION_CHOICE, .words = "generate|nearest|auto", .initial = "auto",
     .help = "generate replies, give the stored reply to the most similar message, or do what was better in training"},
    {.name = "stream", .type = AS_OPTION_FLAG,
     .help = "print the reply alone, as text, while it is generated"},
    {.name = "max-length", .type = AS_OPTION_INT, .argument = "N", .minimum = 2, .maximum = 65536,
     .initial_note = "as in training", .help = "tokens kept of a message with what is known of it"},
    {.name = "batch", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1024, .initial = "16",
     .help = "messages to generate for together"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Replies", rows);
static const as_option_group *const groups[] = {&group, &as_options_generation, &as_options_csv, &as_options_logging,
                                               NULL};

enum { INTENT = AS_KNOWN_INTENT, SENTIMENT = AS_KNOWN_SENTIMENT, KNOWN = AS_KNOWN };

/* A classifier that tells what is not said. */
typedef struct teller {
  const as_classification_task *task;
  const char *option;        /* with its folder */
  bool wanted;               /* replies depend on it */
  bool asked;                /* for its folder */
  as_classifier *classifier; /* NULL: there is none */
  as_cli_identity identity;  /* of it, for the log */
  float *probabilities;      /* [GROUP_ROWS, classes] */
} teller;

/* A message that waits, its texts in `texts`; or the reason why it has no reply. */
typedef struct waiting {
  size_t text, length;
  size_t known[KNOWN];     /* SIZE_MAX: not said */
  const char *told[KNOWN]; /* by a classifier; NULL: it told nothing */
  char *error;
  char request_id[AS_REQUEST_ID]; /* in the log; shared by what the classifiers told */
} waiting;

typedef struct replying {
  as_cli *cli;
  as_responder *responder;
  as_cli_identity identity;
  as_cli_logging logging;
  as_respond_options options;
  as_stop_list stop;
  teller tellers[KNOWN];
  const char *given[KNOWN]; /* on the command line */
  bool stream, closed;      /* closed: nobody reads the replies any more */
  uint64_t answered;
  as_buffer texts;
  waiting group[GROUP_ROWS];
  int64_t count;
} replying;

/* ---- what is known of a message --------------------------------------------------------------------------------- */

/* Opens the classifier at the first message that needs it. Without an option and without a folder there is none. */
static as_status open_teller(replying *r, teller *t) {
  if (t->asked) return AS_OK;
  t->asked = true;
  char *folder;
  as_status status = as_cli_model_if_there(r->cli, t->option, t->task->name, t->task->folder, &folder);
  if (status != AS_OK) return status;
  if (folder) {
    status = as_classifier_open(r->cli->ctx, folder, t->task, &t->classifier);
    if (status == AS_OK) status = as_cli_identify(r->cli, t->task->name, folder, &t->identity);
    if (status == AS_OK) {
      t->probabilities = as_alloc(r->cli->ctx, GROUP_ROWS * as_classifier_labels(t->classifier)->count,
                                  sizeof *t->probabilities);
      status = t->probabilities ? AS_OK : AS_E_NOMEM;
    }
  } else
    as_console_note(r->cli->console,
                    "no %s classifier in %s: replies do not depend on a message's %s unless it is said", t->task->name,
                    as_option_text(r->cli->arguments, "models"), t->task->name);
  as_free(r->cli->ctx, folder);
  return status;
}

/* Lets the classifier tell what is not said of the messages in the group. */
static as_status tell(replying *r, int which) {
  teller *t = &r->tellers[which];
  as_text texts[GROUP_ROWS];
  as_prediction predictions[GROUP_ROWS] = {{0}};
  waiting *asked[GROUP_ROWS];
  int64_t count = 0;
  for (int64_t i = 0; t->wanted && i < r->count; i++) {
    waiting *w = &r->group[i];
    if (w->error || w->known[which] != SIZE_MAX) continue;
    texts[count] = (as_text){r->texts.data + w->text, w->length};
    asked[count++] = w;
  }
  as_status status = count ? open_teller(r, t) : AS_OK;
  if (status != AS_OK || !t->classifier || !count) return status;
  const as_labels *labels = as_classifier_labels(t->classifier);
  for (int64_t i = 0; i < count; i++) predictions[i].probabilities = t->probabilities + i * (int64_t)labels->count;
  const int64_t begun = as_cli_microseconds();
  status = as_classifier_predict(t->classifier, texts, count, predictions);
  const int64_t latency_us = (as_cli_microseconds() - begun) / count;
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    asked[i]->told[which] = labels->names[predictions[i].label];
    if (r->logging.log)
      as_cli_log_classification(&r->logging, asked[i]->request_id, &t->identity, labels, &texts[i], &predictions[i],
                                latency_us);
  }
  return status;
}

/* What is known, said or told; NULL: nothing. */
static const char *known(const replying *r, const waiting *w, int which) {
  return w->known[which] == SIZE_MAX ? w->told[which] : r->texts.data + w->known[which];
}

/* ---- replies ---------------------------------------------------------------------------------------------------- */

static void write_known(as_json_writer *writer, const replying *r, const waiting *w) {
  const char *names[KNOWN];
  bool told[KNOWN];
  for (int k = 0; k < KNOWN; k++) {
    names[k] = known(r, w, k);
    told[k] = w->told[k] != NULL;
  }
  as_cli_known_json(writer, names, told);
}

static void log_reply(replying *r, const waiting *w, const as_responses *responses, int64_t i, int64_t latency_us) {
  const as_text text = {r->texts.data + w->text, w->length};
  as_cli_log_reply(&r->logging, w->request_id, &r->identity, r->responder, &text, responses, i, latency_us);
}

static as_status write_replies(replying *r, const as_responses *responses) {
  as_buffer out;
  as_buffer_init(&out, r->cli->ctx);
  for (int64_t i = 0, answered = 0; i < r->count; i++) {
    as_json_writer writer = as_json_writer_start(&out, 0);
    as_json_open_object(&writer, NULL);
    if (r->group[i].error) {
      as_json_string(&writer, "error", r->group[i].error);
    } else {
      as_response_write(&writer, r->responder, responses, answered++);
      write_known(&writer, r, &r->group[i]);
      if (r->logging.log) as_json_string(&writer, "request_id", r->group[i].request_id);
    }
    as_json_close_object(&writer);
    as_buffer_char(&out, '\n');
  }
  as_status status = as_buffer_status(&out);
  if (status == AS_OK && r->count)
    r->closed = !as_console_buffer(r->cli->console, &out) || !as_console_flush(r->cli->console);
  as_buffer_free(&out);
  return status;
}

/* Has the messages in the group answered. */
static as_status ask(replying *r, as_responses *responses) {
  as_customer_message messages[GROUP_ROWS];
  int64_t count = 0;
  as_status status = as_buffer_status(&r->texts);
  for (int k = 0; status == AS_OK && k < KNOWN; k++) status = tell(r, k);
  for (int64_t i = 0; status == AS_OK && i < r->count; i++) {
    const waiting *w = &r->group[i];
    if (!w->error)
      messages[count++] =
          (as_customer_message){r->texts.data + w->text, w->length, known(r, w, INTENT), known(r, w, SENTIMENT)};
  }
  r->options.generate.first_sequence = r->answered * (uint64_t)r->options.generate.num_return_sequences;
  r->answered += (uint64_t)count;
  const int64_t begun = as_cli_microseconds();
  if (status == AS_OK) status = as_responder_answer(r->responder, messages, count, &r->options, responses);
  if (status != AS_OK || !r->logging.log || !count) return status;
  const int64_t latency_us = (as_cli_microseconds() - begun) / count;
  for (int64_t i = 0, answered = 0; i < r->count; i++)
    if (!r->group[i].error) log_reply(r, &r->group[i], responses, answered++, latency_us);
  return AS_OK;
}

static void empty_group(replying *r) {
  for (int64_t i = 0; i < r->count; i++) as_free(r->cli->ctx, r->group[i].error);
  r->count = 0;
  as_buffer_clear(&r->texts);
}

static as_status answer(void *user) {
  replying *r = user;
  as_responses responses = {0};
  as_status status = r->count ? ask(r, &responses) : AS_OK;
  if (status == AS_OK && !r->stream) status = write_replies(r, &responses);
  if (status == AS_OK && r->stream && r->count) {
    r->closed = !as_console_out(r->cli->console, "\n", 1) || !as_console_flush(r->cli->console);
    if (r->logging.log) as_console_note(r->cli->console, "request_id %s", r->group[0].request_id);
  }
  as_responses_free(&responses);
  empty_group(r);
  return status == AS_E_INTERRUPTED && r->closed ? AS_OK : status;
}

/* A piece of the reply that is under way. */
static void print_piece(void *user, const char *piece, size_t length) {
  replying *r = user;
  if (!as_console_out(r->cli->console, piece, length) || !as_console_flush(r->cli->console)) r->closed = true;
}

static bool interrupted(void *user) {
  const replying *r = user;
  return r->closed || as_interrupted(NULL);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

/* Puts a text that ends with NUL behind the others; returns where, or SIZE_MAX for NULL. */
static size_t keep(replying *r, const char *text, size_t length) {
  const size_t at = r->texts.length;
  if (!text) return SIZE_MAX;
  as_buffer_append(&r->texts, text, length);
  as_buffer_char(&r->texts, '\0');
  return at;
}

static as_status add(void *user, const char *text, size_t length, const char *const *values) {
  replying *r = user;
  waiting *w = &r->group[r->count++];
  *w = (waiting){.text = keep(r, text, length), .length = length};
  if (r->logging.log) as_request_id(w->request_id);
  for (int k = 0; k < KNOWN; k++) {
    const char *said = values[k] ? values[k] : r->given[k];
    w->known[k] = keep(r, said, said ? strlen(said) : 0);
  }
  return r->count == GROUP_ROWS || r->stream ? answer(r) : AS_OK;
}

static as_status add_error(void *user, const char *why) {
  replying *r = user;
  if (r->stream) {
    as_console_error(r->cli->console, why);
    return AS_OK;
  }
  r->group[r->count] = (waiting){.error = as_strdup(r->cli->ctx, why)};
  if (!r->group[r->count].error) return AS_E_NOMEM;
  return ++r->count == GROUP_ROWS ? answer(r) : AS_OK;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

static as_status open_responder(replying *r) {
  const as_arguments *a = r->cli->arguments;
  const as_reply_mode mode = as_option_is(a, "mode", "generate")  ? AS_REPLY_GENERATE
                             : as_option_is(a, "mode", "nearest") ? AS_REPLY_NEAREST
                                                                  : AS_REPLY_AUTO;
  char *folder;
  as_status status = as_cli_model(r->cli, "model", AS_RESPONSE_NAME, AS_RESPONSE_FOLDER, &folder);
  if (status == AS_OK) status = as_responder_open(r->cli->ctx, folder, mode, &r->responder);
  if (status == AS_OK) status = as_cli_identify(r->cli, AS_RESPONSE_NAME, folder, &r->identity);
  as_free(r->cli->ctx, folder);
  return status;
}

static as_status begin(replying *r) {
  const as_arguments *a = r->cli->arguments;
  as_status status = open_responder(r);
  if (status == AS_OK) status = as_cli_stop_strings(r->cli, &r->stop);
  if (status == AS_OK) status = as_cli_logging_begin(r->cli, &r->logging);
  if (status != AS_OK) return status;
  if (as_responder_mode(r->responder) == AS_REPLY_NEAREST && as_cli_generation_given(r->cli))
    as_console_note(r->cli->console,
                    "replies are stored ones, so the options of generation change nothing; see --mode");
  r->options = as_responder_defaults(r->responder);
  as_cli_generation(r->cli, &r->options.generate);
  if (as_option_text(a, "max-length")) r->options.max_length = as_option_int(a, "max-length");
  r->options.batch = as_option_int(a, "batch");
  r->options.stop_strings = r->stop.strings;
  r->options.stop_count = r->stop.count;
  r->options.on_text = r->stream ? print_piece : NULL;
  r->options.interrupted = interrupted;
  r->options.user = r;
  r->tellers[INTENT] =
      (teller){.task = &as_intent_task, .option = "intent-model", .wanted = as_responder_reads_intent(r->responder)};
  r->tellers[SENTIMENT] = (teller){
      .task = &as_sentiment_task, .option = "sentiment-model", .wanted = as_responder_reads_sentiment(r->responder)};
  r->given[INTENT] = as_option_text(a, "intent");
  r->given[SENTIMENT] = as_option_text(a, "sentiment");
  return AS_OK;
}

static void end(replying *r) {
  as_context *ctx = r->cli->ctx;
  empty_group(r);
  as_cli_logging_end(&r->logging);
  for (int k = 0; k < KNOWN; k++) {
    as_classifier_close(r->tellers[k].classifier);
    as_cli_identity_free(r->cli, &r->tellers[k].identity);
    as_free(ctx, r->tellers[k].probabilities);
  }
  as_cli_identity_free(r->cli, &r->identity);
  as_responder_close(r->responder);
  as_stop_list_free(&r->stop);
  as_buffer_free(&r->texts);
  as_free(ctx, r);
}

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  if (as_option_text(a, "input") && a->operand_count)
    return as_cli_usage(cli, "messages come from the command line or from --input, not both");
  if (as_option_flag(a, "stream") && (as_option_int(a, "beams") > 1 || as_option_int(a, "num-return-sequences") > 1))
    return as_cli_usage(cli,
                        "--stream prints one reply as it comes; with several beams or replies it comes at the end");
  replying *r = as_alloc_zero(cli->ctx, 1, sizeof *r);
  if (!r) return as_cli_failed(cli, AS_E_NOMEM);
  const as_text_input input = {.columns = {"intent", "sentiment"},
                               .take = add,
                               .refuse = add_error,
                               .answer = answer,
                               .closed = &r->closed,
                               .user = r};
  r->cli = cli;
  r->stream = as_option_flag(a, "stream");
  as_buffer_init(&r->texts, cli->ctx);
  as_status status = begin(r);
  if (status == AS_OK) status = as_text_input_read(cli, &input);
  if (status == AS_OK) status = answer(r);
  const int code = status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
  end(r);
  return code;
}

const as_command as_command_respond = {
    .name = "respond",
    .operands = "[TEXT...]",
    .max_operands = -1,
    .operand = AS_OPERAND_TEXT,
    .summary = "reply to messages",
    .groups = groups,
    .catches_signals = true,
    .works_long = true,
    .run = run,
    .description =
        "Prints one line of JSON for each message: the response; the model; input_length, the message's own tokens "
        "with "
        "</s>; output_length, the tokens generated, with </s> if the model ended the reply; finish_reason (eos, "
        "length, stop, or stored); truncated, whether the message was cut; source (generate or nearest) with the "
        "reply's score or the similarity; the intent and sentiment that the reply was made for, and in predicted which "
        "of them a classifier told.\n\n" AS_TEXT_INPUT_HELP,
    .examples = "assistify respond \"I want to buy the gold package\" --intent purchase\n"
                "assistify respond \"Where is my order?\" --stream --temperature 0.7 --seed 3\n"
                "assistify respond --input messages.csv --beams 4 | jq .response",
};
