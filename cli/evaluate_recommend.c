/* evaluate recommend: a trained recommender on what customers did afterwards, or its recipe on a split. */
#include <string.h>

#include "base/memory.h"
#include "cli/csv_options.h"
#include "cli/recommend_options.h"
#include "cli/record.h"
#include "cli/signals.h"
#include "data/interaction_split.h"
#include "recommend/evaluate.h"
#include "recommend/train.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "interactions", .type = AS_OPTION_FILE, .argument = "F.csv",
     .initial_note = "what the model learned from, to be split",
     .help = "what customers did afterwards: columns as for training; - is standard input"},
    {.name = "model", .type = AS_OPTION_FOLDER, .argument = "MODEL", .initial_note = "the champion",
     .help = "version in the store (recommend@champion, recommend/3) or folder"},
    {.name = "positives", .type = AS_OPTION_TEXT, .argument = "TYPE,...", .initial = "purchase",
     .help = "types of interaction that a recommendation should foresee; all: any"},
    {.name = "with-seen", .type = AS_OPTION_FLAG, .help = "rank products that the customer met in training, too"},
    {.name = "k", .type = AS_OPTION_INT, .argument = "K", .minimum = 1, .maximum = 1e6, .initial = "10",
     .help = "length of the lists"},
    {.name = "baselines", .type = AS_OPTION_CHOICE, .words = "all|none", .initial = "all",
     .help = "random, popular, recently popular and item-kNN beside the model"},
    {.name = "resamples", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 1e6, .initial = "1000",
     .help = "of the bootstrap intervals over customers; 0: none"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 9e15, .initial = "1",
     .help = "of bootstrap, random baseline and random split"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "everything as one JSON object"},
    {.name = "on-error", .type = AS_OPTION_CHOICE, .words = "fail|skip", .initial = "fail",
     .help = "what to do with rows that can't be used"},
};
static const as_option split_rows[] = {
    {.name = "split", .type = AS_OPTION_CHOICE, .words = "time|last|random",
     .initial_note = "time without --interactions, else none",
     .help = "hold out the newest rows of all, each customer's last, or any; learn from the others and measure on these"},
    {.name = "test", .type = AS_OPTION_NUMBER, .argument = "SHARE", .minimum = 0, .maximum = 1, .open_minimum = true,
     .open_maximum = true, .initial = "0.1", .help = "share of the rows that is held out"},
    {.name = "leave", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6, .excludes = "test",
     .help = "--split last: so many rows of each customer that has more, instead of a share"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Evaluation", rows);
static const as_option_group splitting = AS_OPTION_GROUP("Split", split_rows);
static const as_option_group *const groups[] = {&group, &as_options_held_out, &splitting, &as_options_csv_file,
                                                &as_options_record, NULL};

typedef struct evaluating {
  as_cli *cli;
  as_recommender *opened; /* the model of the folder */
  char *folder;
  as_recommender *split;  /* one trained on a part, or NULL */
  as_interactions *test;
  as_interaction_types types; /* the model's, and those that only --positives names */
  bool positive[AS_MOST_INTERACTION_TYPES];
} evaluating;

static as_status choose_positives(evaluating *e) {
  e->types = e->opened->types;
  return as_cli_positives(e->cli, &e->types, e->positive);
}

static as_status read_test(evaluating *e) {
  as_interaction_options options = {
      .types = &e->types, .type_advice = as_cli_type_advice, .hold_out = as_cli_held_out(e->cli)};
  const char *path = as_option_text(e->cli->arguments, "interactions");
  if (as_option_is(e->cli->arguments, "on-error", "skip")) options.on_error = AS_ON_ERROR_SKIP;
  as_status status = as_cli_csv(e->cli, &options.csv);
  if (status == AS_OK) status = as_interactions_read(e->cli->ctx, path, e->opened->products, &options, &e->test);
  if (status == AS_OK && e->test->skipped > 0)
    as_warn(e->cli->ctx, "%s: %lld rows can't be used and were left out", path, (long long)e->test->skipped);
  return status;
}

static bool goes_on(void *user, bool calibrating, const as_fit_progress *progress) {
  (void)user, (void)calibrating, (void)progress;
  return !as_interrupted(NULL);
}

/* Cuts the rows in two, learns from one part as the model did, and leaves the other as the test. */
static as_status train_on_part(evaluating *e) {
  const as_arguments *a = e->cli->arguments;
  const as_recommend_listener listener = {goes_on, NULL};
  as_interaction_split split = {.by = AS_SPLIT_TIME, .share = as_option_number(a, "test"),
                                .leave = as_option_int(a, "leave"), .seed = (uint64_t)as_option_int(a, "seed")};
  const as_interactions *whole = e->test ? e->test : e->opened->interactions;
  as_interactions *rest, *held_out;
  while (as_option_given(a, "split") && !as_option_is(a, "split", as_split_by_name(split.by))) split.by++;
  as_status status = as_interactions_divide(whole, &split, &rest, &held_out);
  if (status != AS_OK) return status;
  as_console_note(e->cli->console, "split by %s: %lld interactions to learn from, %lld to measure with",
                  as_split_by_name(split.by), (long long)as_interactions_count(rest),
                  (long long)as_interactions_count(held_out));
  as_interactions_free(e->test);
  e->test = held_out;
  return as_recommender_train_alike(e->opened, rest, &listener, &e->split);
}

static as_status print(evaluating *e, const as_recommend_evaluation *evaluation) {
  as_buffer out;
  as_buffer_init(&out, e->cli->ctx);
  if (as_option_flag(e->cli->arguments, "json")) {
    as_json_writer writer = as_json_writer_start(&out, 2);
    as_json_open_object(&writer, NULL);
    as_recommend_evaluation_json(&writer, evaluation);
    as_json_close_object(&writer);
    as_buffer_char(&out, '\n');
  } else {
    as_recommend_evaluation_table(evaluation, &out);
  }
  as_status status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(e->cli->console, &out);
  as_buffer_free(&out);
  return status;
}

/* What was trained on a part is another model than that in the folder: its figures are not that one's history. */
static as_status record(evaluating *e, const as_recommend_evaluation *evaluation) {
  if (e->split) return AS_OK;
  as_buffer json;
  as_buffer_init(&json, e->cli->ctx);
  as_json_writer writer = as_json_writer_start(&json, 0);
  as_json_open_object(&writer, NULL);
  as_recommend_evaluation_json(&writer, evaluation);
  as_json_close_object(&writer);
  as_status status = as_buffer_status(&json);
  if (status == AS_OK) status = as_cli_record(e->cli, AS_RECOMMENDER_NAME, e->folder, &json);
  as_buffer_free(&json);
  return status;
}

static as_status evaluate(evaluating *e) {
  const as_arguments *a = e->cli->arguments;
  const char *path = as_option_text(a, "interactions");
  const as_evaluation_question question = {.test = e->test, .positive = e->positive,
                                           .with_seen = as_option_flag(a, "with-seen"),
                                           .baselines = as_option_is(a, "baselines", "all"),
                                           .k = as_option_int(a, "k"), .resamples = as_option_int(a, "resamples"),
                                           .seed = (uint64_t)as_option_int(a, "seed")};
  as_recommend_evaluation evaluation;
  as_status status = as_recommender_evaluate(e->split ? e->split : e->opened, &question, &evaluation);
  if (status == AS_E_DATA) status = as_fail_prefix(e->cli->ctx, status, "%s", path ? path : "the model's interactions");
  if (status == AS_OK) status = print(e, &evaluation);
  return status == AS_OK ? record(e, &evaluation) : status;
}

static int run(as_cli *cli) {
  evaluating e = {.cli = cli};
  const as_arguments *a = cli->arguments;
  const bool given = as_option_given(a, "interactions"), split = as_option_given(a, "split") || !given;
  if (as_option_given(a, "leave") && !as_option_is(a, "split", "last"))
    return as_cli_usage(cli, "--leave goes with --split last");
  if (as_option_given(a, "held-out") && !given)
    return as_cli_usage(cli, "--held-out chooses rows of --interactions");
  if (as_option_given(a, "test") && !split) return as_cli_usage(cli, "--test goes with --split");
  as_status status = as_cli_recommender(cli, &e.opened, &e.folder);
  if (status == AS_OK) status = choose_positives(&e);
  if (status == AS_OK && given) status = read_test(&e);
  if (status == AS_OK && split) status = train_on_part(&e);
  if (status == AS_OK) status = evaluate(&e);
  if (status == AS_E_INTERRUPTED) status = as_fail(cli->ctx, status, "interrupted: nothing was measured");
  as_interactions_free(e.test);
  as_recommender_free(e.split);
  as_recommender_free(e.opened);
  as_free(cli->ctx, e.folder);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_evaluate_recommend = {
    .name = "evaluate recommend",
    .summary = "measure a recommender on what customers did afterwards",
    .description =
        "Ranks for every customer of the file the products that it had not met in training, and prints how well those "
        "come first that it then had to do with: precision, recall, NDCG, MAP and hit rate of the first ten, MRR, AUC, "
        "each with a 95 % bootstrap interval over customers; how much of the catalogue is recommended (coverage), how "
        "evenly (gini), how far from what everybody knows (novelty). Beside it the same of a random order, of what is "
        "popular, recently popular, and near to the customer's products (item-kNN); and customers and products apart "
        "that training knew (warm) and did not (cold).\n\n"
        "Without --interactions, or with --split, rows are cut in two: a model with the settings of the one in --model is "
        "trained on one part and measured on the other; the model itself stays as it is. By time, nothing that lies in "
        "the future of a test row is learned from; by each customer's last rows or at random, it is.",
    .examples = "assistify evaluate recommend --interactions test.csv\n"
                "assistify evaluate recommend --split time --test 0.2\n"
                "assistify evaluate recommend --interactions all.csv --split last --leave 1",
    .groups = groups, .works_long = true, .catches_signals = true, .run = run};
