/* recommend and similar: asking a trained recommender. One JSON line an answer. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/prediction_logging.h"
#include "cli/recommend_options.h"

/* ---- shared ------------------------------------------------------------------------------------------------------ */

as_status as_cli_recommender(as_cli *cli, as_recommender **out, char **where) {
  char *folder;
  as_status status = as_cli_model(cli, "model", AS_RECOMMENDER_NAME, AS_RECOMMENDER_FOLDER, &folder);
  if (status == AS_OK) status = as_recommender_open(cli->ctx, folder, out);
  if (where)
    *where = folder;
  else
    as_free(cli->ctx, folder);
  return status;
}

as_status as_cli_product(const as_recommender *r, const char *id, int32_t *out) {
  const int64_t product = as_products_find(r->products, id, strlen(id));
  *out = (int32_t)product;
  if (product >= 0) return AS_OK;
  return as_fail(r->ctx, AS_E_INVALID, "the recommender knows no product \"%.100s\"", id);
}

const char as_cli_type_advice[] = " is none of the model's; name it in --positives or leave out with --on-error skip";

as_status as_cli_positives(as_cli *cli, as_interaction_types *types, bool positive[AS_MOST_INTERACTION_TYPES]) {
  const char *at = as_option_text(cli->arguments, "positives");
  for (int t = 0; t < AS_MOST_INTERACTION_TYPES; t++) positive[t] = strcmp(at, "all") == 0;
  if (strcmp(at, "all") == 0) return AS_OK;
  for (;;) {
    const size_t length = strcspn(at, ",");
    char pair[AS_INTERACTION_TYPE_LENGTH + 4] = "";
    if (length == 0 || length > AS_INTERACTION_TYPE_LENGTH)
      return as_fail(cli->ctx, AS_E_INVALID, "option --positives wants types of interaction with commas between, or all");
    memcpy(pair, at, length);
    memcpy(pair + length, "=1", 3);
    int type = as_interaction_type_find(types, at, length);
    if (type < 0 || types->weights[type] <= 0) {
      const as_status status = as_interaction_types_set(cli->ctx, types, pair);
      if (status != AS_OK) return status;
      type = as_interaction_type_find(types, at, length);
    }
    if (type >= 0) positive[type] = true;
    at += length;
    if (!*at++) return AS_OK;
  }
}

/* Whether the id is written as a whole number is: no leading zero, plus or blank, and small enough. */
static bool is_integer(const char *id, int64_t *value) {
  const bool negative = *id == '-';
  const char *at = id + negative;
  if ((*at == '0' && (at[1] || negative)) || !*at || strlen(at) > 15) return false;
  for (*value = 0; *at; at++) {
    if (*at < '0' || *at > '9') return false;
    *value = *value * 10 + (*at - '0');
  }
  if (negative) *value = -*value;
  return true;
}

void as_cli_product_json(as_json_writer *w, const char *key, const as_recommender *r, int32_t product) {
  size_t length;
  const char *id = as_products_id(r->products, product, &length);
  int64_t value;
  if (is_integer(id, &value))
    as_json_int(w, key, value);
  else
    as_json_string_n(w, key, id, length);
}

void as_cli_recommendations_json(as_json_writer *w, const as_recommender *r, const as_recommendation *list,
                                 int64_t count) {
  as_json_open_array(w, "recommendations");
  for (int64_t i = 0; i < count; i++) {
    as_json_open_object(w, NULL);
    as_cli_product_json(w, "product_id", r, list[i].product);
    as_json_double(w, "score", list[i].score);
    as_json_int(w, "rank", i + 1);
    as_json_double(w, "raw_score", list[i].raw);
    as_json_string(w, "name", as_products_name(r->products, list[i].product));
    as_json_string(w, "category", as_products_category(r->products, list[i].product));
    as_json_string(w, "reason", list[i].reason);
    as_json_close_object(w);
  }
  as_json_close_array(w);
}

/* ---- recommend --------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const as_option model_rows[] = {
    {.name = "model", .type = AS_OPTION_FOLDER, .argument = "MODEL", .initial_note = "the champion",
     .help = "version in the store (recommend@champion, recommend/3) or folder"},
    {.name = "n", .short_name = 'n', .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6, .initial = "5",
     .help = "how many products; fewer when there are no more"},
};
static const as_option recommend_rows[] = {
    {.name = "type", .type = AS_OPTION_CHOICE, .words = "personalized|purchase|cross-sell|upsell|trending",
     .initial = "personalized", .help = "kind of recommendation"},
    {.name = "product", .type = AS_OPTION_TEXT, .argument = "ID", .help = "cross-sell, upsell: to which product"},
    {.name = "category", .type = AS_OPTION_TEXT, .argument = "NAME", .help = "products of this category only"},
    {.name = "message", .type = AS_OPTION_TEXT, .argument = "TEXT", .help = "purchase: the customer's words, which tell the category"},
    {.name = "intent", .type = AS_OPTION_TEXT, .argument = "TEXT", .help = "purchase: what the customer wants, read like --message"},
    {.name = "session", .type = AS_OPTION_TEXT, .argument = "ID,ID", .help = "products that a new customer has shown interest in; no CUSTOMER then"},
    {.name = "keep-seen", .type = AS_OPTION_FLAG, .help = "recommend what the customer has bought, too"},
    {.name = "table", .type = AS_OPTION_FLAG, .help = "lines for people instead of JSON"},
};
/* clang-format on */
static const as_option_group model_group = AS_OPTION_GROUP("Answer", model_rows);
static const as_option_group recommend_group = AS_OPTION_GROUP("Recommendation", recommend_rows);
static const as_option_group *const groups[] = {&recommend_group, &model_group, &as_options_logging, NULL};
static const as_option_group *const similar_groups[] = {&model_group, NULL};

static as_recommend_kind kind_of(const as_arguments *a) {
  for (int kind = 0; kind < AS_RECOMMEND_KINDS; kind++)
    if (as_option_is(a, "type", as_recommend_kind_name((as_recommend_kind)kind))) return (as_recommend_kind)kind;
  return AS_RECOMMEND_PERSONALIZED;
}

/* The products of --session. */
static as_status read_session(const as_recommender *r, const char *text, int32_t **out, int64_t *count) {
  size_t most = 1;
  for (const char *at = text; *at; at++) most += *at == ',';
  *count = 0;
  *out = as_alloc(r->ctx, most, sizeof **out);
  if (!*out) return AS_E_NOMEM;
  for (const char *at = text;;) {
    const size_t length = strcspn(at, ",");
    const int64_t product = as_products_find(r->products, at, length);
    if (product < 0)
      return as_fail(r->ctx, AS_E_INVALID, "option --session: the recommender knows no product \"%.*s\"", (int)length,
                     at);
    (*out)[(*count)++] = (int32_t)product;
    at += length;
    if (!*at++) return AS_OK;
  }
}

/* --message and --intent as one text; NULL if there is neither. */
static as_status read_message(as_cli *cli, char **out) {
  const char *message = as_option_text(cli->arguments, "message"), *intent = as_option_text(cli->arguments, "intent");
  as_buffer text;
  *out = NULL;
  if (!message && !intent) return AS_OK;
  as_buffer_init(&text, cli->ctx);
  as_buffer_printf(&text, "%s %s", message ? message : "", intent ? intent : "");
  *out = as_buffer_take(&text);
  return *out ? AS_OK : AS_E_NOMEM;
}

/* ---- the log ----------------------------------------------------------------------------------------------------- */

enum { LOGGED_PRODUCTS = 20 };

/* The products with their scores stand where a classifier's probabilities do, in order; without memory for them they
 * don't. */
void as_cli_log_recommendation(as_cli_logging *logging, const char *request_id, const as_cli_identity *identity,
                               const as_recommender *r, const char *input, const as_recommendation *list,
                               int64_t count, int64_t latency_us) {
  as_buffer scores;
  as_buffer_init(&scores, logging->cli->ctx);
  as_json_writer w = as_json_writer_start(&scores, 0);
  as_json_open_array(&w, NULL);
  for (int64_t i = 0; i < count && i < LOGGED_PRODUCTS; i++) {
    as_json_open_object(&w, NULL);
    as_cli_product_json(&w, "product_id", r, list[i].product);
    as_json_double(&w, "score", list[i].score);
    as_json_close_object(&w);
  }
  as_json_close_array(&w);
  const as_logged_prediction logged = {.request_id = request_id,
                                       .model = identity->model,
                                       .version = identity->version,
                                       .input = input,
                                       .input_length = input ? strlen(input) : 0,
                                       .label = count ? as_products_id(r->products, list[0].product, NULL) : NULL,
                                       .confidence = count ? list[0].score : (double)NAN,
                                       .scores = scores.failed ? NULL : scores.data,
                                       .tokens = -1,
                                       .unknown = -1,
                                       .latency_us = latency_us};
  as_prediction_log_add(logging->log, &logged);
  as_buffer_free(&scores);
}

typedef struct answering {
  as_cli *cli;
  as_recommender *recommender;
  as_cli_identity identity;
  as_cli_logging logging;
} answering;

/* ---- answers ----------------------------------------------------------------------------------------------------- */

void as_cli_recommendation_json(as_json_writer *w, const as_recommender *r, const as_recommend_request *q,
                                const as_recommendation *list, int64_t count) {
  const bool known = q->customer && as_interactions_find(r->interactions, q->customer, strlen(q->customer)) >= 0;
  if (q->customer)
    as_json_string(w, "customer_id", q->customer);
  else
    as_json_null(w, "customer_id");
  as_json_string(w, "type", as_recommend_kind_name(q->kind));
  if (q->product >= 0) as_cli_product_json(w, "product_id", r, q->product);
  as_json_bool(w, "known_customer", known);
  as_cli_recommendations_json(w, r, list, count);
}

/* `request_id` NULL: it is not logged. */
static void answer_json(as_buffer *out, const as_recommender *r, const as_recommend_request *q,
                        const as_recommendation *list, int64_t count, const char *request_id) {
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_cli_recommendation_json(&w, r, q, list, count);
  if (request_id) as_json_string(&w, "request_id", request_id);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
}

static void answer_table(as_buffer *out, const as_recommender *r, const as_recommend_request *q,
                         const as_recommendation *list, int64_t count) {
  as_buffer_printf(out, "%s%s%s\n", as_recommend_kind_name(q->kind), q->customer ? ", customer " : "",
                   q->customer ? q->customer : "");
  for (int64_t i = 0; i < count; i++)
    as_buffer_printf(out, "%3lld. %.3f  %s  %s: %s\n", (long long)i + 1, list[i].score,
                     as_products_id(r->products, list[i].product, NULL), as_products_name(r->products, list[i].product),
                     list[i].reason);
  if (count == 0) as_buffer_text(out, "     nothing\n");
}

/* Prints one answer; *goes_on is false when nobody reads any more. */
static as_status print(as_cli *cli, const as_recommender *r, const as_recommend_request *q,
                       const as_recommendation *list, int64_t count, const char *request_id, bool *goes_on) {
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  if (as_option_flag(cli->arguments, "table"))
    answer_table(&out, r, q, list, count);
  else
    answer_json(&out, r, q, list, count, request_id);
  as_status status = as_buffer_status(&out);
  if (status == AS_OK) *goes_on = as_console_buffer(cli->console, &out);
  if (request_id && as_option_flag(cli->arguments, "table")) as_console_note(cli->console, "request_id %s", request_id);
  as_buffer_free(&out);
  return status;
}

static as_status answer_one(answering *a, const as_recommend_request *q, as_recommendation *list, bool *goes_on) {
  const as_recommender *r = a->recommender;
  const char *input = q->customer ? q->customer : as_option_text(a->cli->arguments, "session");
  char id[AS_REQUEST_ID];
  int64_t count;
  const int64_t begun = as_cli_microseconds();
  as_status status = as_recommend(r, q, list, &count);
  const int64_t latency_us = as_cli_microseconds() - begun;
  if (a->logging.log) as_request_id(id);
  if (status == AS_OK) status = print(a->cli, r, q, list, count, a->logging.log ? id : NULL, goes_on);
  if (status == AS_OK && a->logging.log)
    as_cli_log_recommendation(&a->logging, id, &a->identity, r, input, list, count, latency_us);
  return status;
}

static as_status answer(answering *a, as_recommend_request *q) {
  const as_arguments *arguments = a->cli->arguments;
  const int64_t products = as_products_count(a->recommender->products), most = q->n < products ? q->n : products;
  as_recommendation *list = as_alloc(a->cli->ctx, (size_t)most, sizeof *list);
  as_status status = list ? AS_OK : AS_E_NOMEM;
  bool goes_on = true;
  q->n = most;
  size_t i = 0;
  do {
    q->customer = i < arguments->operand_count ? arguments->operands[i] : NULL;
    if (status == AS_OK) status = answer_one(a, q, list, &goes_on);
  } while (status == AS_OK && goes_on && ++i < arguments->operand_count);
  as_free(a->cli->ctx, list);
  return status;
}

static as_status open_answering(answering *a) {
  char *folder = NULL;
  as_status status = as_cli_recommender(a->cli, &a->recommender, &folder);
  if (status == AS_OK) status = as_cli_identify(a->cli, AS_RECOMMENDER_NAME, folder, &a->identity);
  if (status == AS_OK) status = as_cli_logging_begin(a->cli, &a->logging);
  as_free(a->cli->ctx, folder);
  return status;
}

static void close_answering(answering *a) {
  as_cli_logging_end(&a->logging);
  as_cli_identity_free(a->cli, &a->identity);
  as_recommender_free(a->recommender);
}

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  as_recommend_request q = {.kind = kind_of(a),
                            .n = as_option_int(a, "n"),
                            .product = -1,
                            .category = as_option_text(a, "category"),
                            .keep_seen = as_option_flag(a, "keep-seen")};
  const char *product = as_option_text(a, "product"), *session = as_option_text(a, "session");
  const bool anchored = q.kind == AS_RECOMMEND_CROSS_SELL || q.kind == AS_RECOMMEND_UPSELL;
  if (anchored != (product != NULL))
    return as_cli_usage(cli, anchored ? "--type %s needs --product ID" : "--type %s has no use for --product",
                        as_recommend_kind_name(q.kind));
  if (session && a->operand_count) return as_cli_usage(cli, "give a CUSTOMER or --session, not both");
  if (!session && !a->operand_count && q.kind != AS_RECOMMEND_TRENDING && q.kind != AS_RECOMMEND_CROSS_SELL)
    return as_cli_usage(cli, "recommend needs a CUSTOMER or --session");
  answering asked = {.cli = cli};
  int32_t *list = NULL;
  char *message = NULL;
  as_status status = open_answering(&asked);
  if (status == AS_OK && product) status = as_cli_product(asked.recommender, product, &q.product);
  if (status == AS_OK && session) status = read_session(asked.recommender, session, &list, &q.session_count);
  if (status == AS_OK) status = read_message(cli, &message);
  q.session = list;
  q.message = message;
  if (status == AS_OK) status = answer(&asked, &q);
  as_free(cli->ctx, list);
  as_free(cli->ctx, message);
  close_answering(&asked);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_recommend = {
    .name = "recommend",
    .operands = "[CUSTOMER...]",
    .min_operands = 0,
    .max_operands = -1,
    .summary = "recommend products to a customer",
    .description =
        "Prints one JSON object for each customer: product_id, score, rank, raw_score, name, category and reason of "
        "each "
        "product. The score is the probability of a purchase (cross-sell: the share of the product's buyers that "
        "bought "
        "both; trending: how sure the rise is), raw_score is what the order goes by. A customer that is not known gets "
        "what is trending, and the reasons say so.\n\n"
        "personalized: by the customer's own score. purchase: the same in the category asked for, or that the message "
        "fits. "
        "cross-sell: bought by the same customers within 30 days, other category. upsell: same category, up to twice "
        "the "
        "price. trending: bought more of late than in the long run.",
    .examples = "assistify recommend 1 -n 5\n"
                "assistify recommend 1 --type upsell --product 102\n"
                "assistify recommend --type trending --category Lamps\n"
                "assistify recommend --session 102,107",
    .groups = groups,
    .run = run};

/* ---- similar ----------------------------------------------------------------------------------------------------- */

static int run_similar(as_cli *cli) {
  as_recommender *r = NULL;
  as_recommendation *list = NULL;
  int32_t product;
  int64_t count = 0, n = as_option_int(cli->arguments, "n");
  as_status status = as_cli_recommender(cli, &r, NULL);
  if (status == AS_OK) status = as_cli_product(r, cli->arguments->operands[0], &product);
  if (status == AS_OK) {
    if (n > as_products_count(r->products)) n = as_products_count(r->products);
    list = as_alloc(cli->ctx, (size_t)n, sizeof *list);
    status = list ? as_similar_products(r, product, n, list, &count) : AS_E_NOMEM;
  }
  if (status == AS_OK) {
    as_buffer out;
    as_buffer_init(&out, cli->ctx);
    as_json_writer w = as_json_writer_start(&out, 0);
    as_json_open_object(&w, NULL);
    as_cli_product_json(&w, "product_id", r, product);
    as_cli_recommendations_json(&w, r, list, count);
    as_json_close_object(&w);
    as_buffer_char(&out, '\n');
    status = as_buffer_status(&out);
    if (status == AS_OK) as_console_buffer(cli->console, &out);
    as_buffer_free(&out);
  }
  as_free(cli->ctx, list);
  as_recommender_free(r);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_similar = {.name = "similar",
                                       .operands = "PRODUCT",
                                       .min_operands = 1,
                                       .max_operands = 1,
                                       .summary = "list the products that the same customers like",
                                       .examples = "assistify similar 102 -n 3",
                                       .groups = similar_groups,
                                       .run = run_similar};
