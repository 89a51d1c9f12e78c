/* compare recommend: two recommenders on what customers did afterwards. */
#include <string.h>

#include "base/memory.h"
#include "cli/comparison.h"
#include "cli/csv_options.h"
#include "cli/recommend_options.h"
#include "cli/record.h"
#include "recommend/compare.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "interactions", .type = AS_OPTION_FILE, .argument = "F.csv", .required = true,
     .help = "what customers did afterwards: columns as for training; - is standard input"},
    {.name = "positives", .type = AS_OPTION_TEXT, .argument = "TYPE,...", .initial = "purchase",
     .help = "types of interaction that a recommendation should foresee; all: any"},
    {.name = "with-seen", .type = AS_OPTION_FLAG, .help = "rank products that the customer met in training, too"},
    {.name = "k", .type = AS_OPTION_INT, .argument = "K", .minimum = 1, .maximum = 1e6, .initial = "10",
     .help = "length of the lists"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 9e15, .initial = "1",
     .help = "of the bootstrap"},
    {.name = "on-error", .type = AS_OPTION_CHOICE, .words = "fail|skip", .initial = "fail",
     .help = "what to do with rows that can't be used"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Data", rows);
static const as_option_group *const groups[] = {
    &group, &as_options_held_out, &as_options_comparison, &as_options_gate, &as_options_csv_file, &as_options_record,
    NULL};

typedef struct comparing {
  as_cli *cli;
  as_context *ctx;
  as_cli_comparison shared;
  as_recommender *recommenders[2];
  as_interaction_types types; /* of both, and those that only --positives names */
  bool positive[AS_MOST_INTERACTION_TYPES];
  as_interactions *interactions; /* all rows, by the first's catalogue */
  as_common_test test;
  as_recommendation *room; /* [k] */
  as_recommend_comparison result;
} comparing;

static as_status open_models(comparing *c) {
  as_status status = as_cli_comparison_begin(c->cli, AS_RECOMMENDER_NAME, AS_RECOMMENDER_FOLDER, 0.01, &c->shared);
  for (int i = 0; status == AS_OK && i < 2; i++)
    status = as_recommender_open(c->ctx, c->shared.models[i].folder, &c->recommenders[i]);
  return status;
}

/* The types of both, by the first's numbers. */
static as_status join_types(comparing *c) {
  const as_interaction_types *other = &c->recommenders[1]->types;
  as_status status = AS_OK;
  c->types = c->recommenders[0]->types;
  for (int t = 0; status == AS_OK && t < other->count; t++) {
    char pair[AS_INTERACTION_TYPE_LENGTH + 4];
    const int own = as_interaction_type_find(&c->types, other->names[t], strlen(other->names[t]));
    if (own >= 0 && (c->types.weights[own] > 0 || other->weights[t] <= 0)) continue;
    snprintf(pair, sizeof pair, "%s=%d", other->names[t], other->weights[t] > 0);
    status = as_interaction_types_set(c->ctx, &c->types, pair);
  }
  return status == AS_OK ? as_cli_positives(c->cli, &c->types, c->positive) : status;
}

static as_status read_rows(comparing *c) {
  const as_arguments *a = c->cli->arguments;
  const char *path = as_option_text(a, "interactions");
  as_interaction_options options = {.types = &c->types,
                                    .type_advice = as_cli_type_advice,
                                    .hold_out = as_cli_held_out(c->cli),
                                    .may_be_empty = true,
                                    .skip_unknown = true};
  if (as_option_is(a, "on-error", "skip")) options.on_error = AS_ON_ERROR_SKIP;
  as_status status = as_cli_csv(c->cli, &options.csv);
  if (status == AS_OK)
    status = as_interactions_read(c->ctx, path, c->recommenders[0]->products, &options, &c->interactions);
  if (status != AS_OK) return status;
  if (c->interactions->skipped > 0)
    as_warn(c->ctx, "%s: %lld rows can't be used and were left out", path, (long long)c->interactions->skipped);
  status = as_common_test_make((const as_recommender *const *)c->recommenders, c->interactions, &c->test);
  if (status == AS_OK && c->test.left_out > 0)
    as_warn(c->ctx, "%s: %lld rows were left out: one of the models does not have their product", path,
            (long long)c->test.left_out);
  return status;
}

static as_status ask_one(void *user, int model, int64_t row) {
  comparing *c = user;
  size_t length;
  int64_t count;
  const as_recommend_request request = {.kind = AS_RECOMMEND_PERSONALIZED,
                                        .customer = as_interactions_customer(c->test.tests[0], row, &length),
                                        .n = as_option_int(c->cli->arguments, "k"),
                                        .product = -1};
  return as_recommend(c->recommenders[model], &request, c->room, &count);
}

static as_status measure(comparing *c) {
  const as_arguments *a = c->cli->arguments;
  const as_recommend_question question = {.recommenders = {c->recommenders[0], c->recommenders[1]},
                                          .test = &c->test,
                                          .positive = c->positive,
                                          .with_seen = as_option_flag(a, "with-seen"),
                                          .k = as_option_int(a, "k"),
                                          .resamples = as_option_int(a, "resamples"),
                                          .seed = (uint64_t)as_option_int(a, "seed")};
  c->room = as_alloc(c->ctx, (size_t)question.k, sizeof *c->room);
  as_status status = c->room ? as_recommend_compare(c->ctx, &question, &c->result) : AS_E_NOMEM;
  if (status == AS_OK)
    status = as_cli_comparison_time(&c->shared, as_interactions_customers(c->test.tests[0]), 50, ask_one, c);
  if (status != AS_OK) return status;
  const as_paired_score *ndcg = &c->result.all.list[AS_RECOMMEND_NDCG].score;
  c->shared.main_key = c->result.names[AS_RECOMMEND_NDCG];
  as_gate_figures figures = {.name = c->shared.main_key,
                             .unit = "customers",
                             .rows = c->result.all.customers,
                             .second = ndcg->second,
                             .difference = ndcg->delta.observed,
                             .ci95 = ndcg->delta.ci95,
                             .decimals = 4};
  return as_cli_comparison_judge(&c->shared, &figures);
}

static void write_json(void *user, as_json_writer *w) {
  const comparing *c = user;
  as_json_int(w, "n", as_interactions_count(c->test.tests[0]));
  as_json_int(w, "left_out", c->test.left_out);
  as_recommend_comparison_json(w, &c->result);
}

static as_status put_report(void *user, as_report *report) {
  const comparing *c = user;
  as_report_paragraph(report, "%lld interactions; %lld customers have something that counts",
                      (long long)as_interactions_count(c->test.tests[0]), (long long)c->result.all.customers);
  as_recommend_comparison_report(report, &c->result);
  return AS_OK;
}

static void write_evaluation(void *user, int model, as_json_writer *w) {
  const comparing *c = user;
  as_recommend_evaluation_json(w, &c->result.evaluations[model]);
}

static as_status print(comparing *c) {
  const as_comparison_output output = {.data = as_option_text(c->cli->arguments, "interactions"),
                                       .figures = c->result.all.list,
                                       .figure_count = c->result.all.count,
                                       .user = c,
                                       .json = write_json,
                                       .report = put_report,
                                       .evaluation = c->result.all.customers > 0 ? write_evaluation : NULL};
  return as_cli_comparison_print(&c->shared, &output);
}

static int run(as_cli *cli) {
  comparing c = {.cli = cli, .ctx = cli->ctx};
  as_status status = open_models(&c);
  if (status == AS_OK) status = join_types(&c);
  if (status == AS_OK) status = read_rows(&c);
  if (status == AS_OK) status = measure(&c);
  if (status == AS_OK) status = print(&c);
  const int code = as_cli_comparison_exit(&c.shared, status);
  as_common_test_free(&c.test);
  as_interactions_free(c.interactions);
  for (int i = 0; i < 2; i++) as_recommender_free(c.recommenders[i]);
  as_free(c.ctx, c.room);
  as_cli_comparison_end(&c.shared);
  return code;
}

const as_command as_command_compare_recommend = {
    .name = "compare recommend",
    .operands = "[[FIRST] SECOND]",
    .max_operands = 2,
    .operand = AS_OPERAND_MODEL,
    .summary = "hold two recommenders against each other",
    .groups = groups,
    .works_long = true,
    .run = run,
    .description =
        "Has both models rank products for the customers of a file and prints how well those come first that they then "
        "had to do with, of both, each difference with its interval by bootstrap over customers; customers apart that "
        "both knew from training; sizes and times; then what the gate says: exit 0 passed, 5 not passed. Without names "
        "the champion is the first and the challenger the second; a single name is held against the champion. A "
        "difference is the second less the first.\n\n"
        "Both are asked for the same: rows of which both have the product, and no product that the customer met in "
        "either training (but --with-seen).\n\n"
        "The gate: enough customers; NDCG not below the first's by more than --max-loss, nor significantly below it "
        "beyond that; and what other options ask for.",
    .examples = "assistify compare recommend --interactions test.csv\n"
                "assistify compare recommend --interactions all.csv --held-out 0.1 --json"};
