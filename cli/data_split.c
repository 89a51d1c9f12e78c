/* `assistify data split`: divide a file of messages or interactions into training, validation and test files. */
#include <inttypes.h>
#include <string.h>

#include "base/columns.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/csv_options.h"
#include "data/split.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "FILE", .help = "CSV file of messages, the same as FILE"},
    {.name = "interactions", .type = AS_OPTION_FILE, .argument = "FILE", .excludes = "data label-col",
     .help = "instead of messages: the CSV file of a shop's interactions"},
    {.name = "out-dir", .type = AS_OPTION_FOLDER, .argument = "DIR", .required = true,
     .help = "where train.csv, valid.csv and test.csv are written"},
    {.name = "by", .type = AS_OPTION_CHOICE, .words = "class|time|group|hash",
     .initial_note = "class; interactions: time",
     .help = "every class gives its share, the newest rows, all rows of a group, or what a row's content says"},
    {.name = "test", .type = AS_OPTION_NUMBER, .argument = "SHARE", .initial = "0.1", .minimum = 0, .maximum = 1,
     .open_maximum = true, .help = "share of the rows for test.csv; 0: none"},
    {.name = "valid", .type = AS_OPTION_NUMBER, .argument = "SHARE", .initial = "0", .minimum = 0, .maximum = 1,
     .open_maximum = true, .help = "share of the rows for valid.csv; 0: none"},
    {.name = "label-col", .type = AS_OPTION_TEXT, .argument = "NAME", .initial = "intent",
     .help = "column with the classes"},
    {.name = "time-col", .type = AS_OPTION_TEXT, .argument = "NAME", .initial = "timestamp",
     .help = "by time: column with the times"},
    {.name = "group-col", .type = AS_OPTION_TEXT, .argument = "NAME", .initial_note = "interactions: customer_id",
     .help = "by group: column with the groups"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .initial = "42", .minimum = 0, .maximum = 2147483647,
     .help = "by class and group: another seed, another split"},
    {.name = "overwrite", .type = AS_OPTION_FLAG, .help = "replace files that are there already"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "print the counts as one JSON object"},
};
/* clang-format on */
static const as_option_group splitting = AS_OPTION_GROUP("Splitting", rows);
static const as_option_group *const groups[] = {&splitting, &as_options_csv, &as_options_bad_rows, NULL};

enum { PARTS = 3, CLASSES = 0, RULE = 1, COLUMNS = 2 }; /* columns: the classes, and what the rule needs */

static const char *const part_names[PARTS] = {"train", "valid", "test"};

typedef struct job {
  as_cli *cli;
  const char *path, *folder;
  bool of_interactions;
  as_split_options split;
  as_column_request columns[COLUMNS];
  as_message_options reading;
  as_messages *messages;
  as_part *parts;           /* [rows] */
  int64_t counts[PARTS];    /* rows */
  int64_t (*shares)[PARTS]; /* [classes] rows of each class; NULL without classes */
} job;

static bool is_written(const job *j, int part) {
  return part == AS_PART_TRAIN || (part == AS_PART_VALID ? j->split.valid : j->split.test) > 0;
}

static int32_t class_count(const job *j) {
  return as_messages_column_present(j->messages, CLASSES) ? as_messages_label_count(j->messages, CLASSES) : 0;
}

/* ---- what came of it -------------------------------------------------------------------------------------------- */

static as_status count_shares(job *j) {
  j->shares = as_alloc_zero(j->cli->ctx, (size_t)class_count(j), sizeof *j->shares);
  if (!j->shares) return AS_E_NOMEM;
  for (int64_t row = 0; row < as_messages_count(j->messages); row++) {
    const int32_t label = class_count(j) ? as_messages_label(j->messages, CLASSES, row) : -1;
    if (label >= 0) j->shares[label][j->parts[row]]++;
  }
  return AS_OK;
}

static void print_table(const job *j, as_buffer *out) {
  enum { NAME = 28 };
  for (int part = 0; part < PARTS; part++)
    if (is_written(j, part))
      as_buffer_printf(out, "%8" PRId64 " rows  %s/%s.csv\n", j->counts[part], j->folder, part_names[part]);
  if (class_count(j) == 0) return;
  as_buffer_text(out, "\n  ");
  as_buffer_columns(out, as_messages_column_name(j->messages, CLASSES), NAME);
  for (int part = 0; part < PARTS; part++)
    if (is_written(j, part)) as_buffer_printf(out, " %15s", part_names[part]);
  as_buffer_char(out, '\n');
  for (int32_t label = 0; label < class_count(j); label++) {
    as_buffer_text(out, "  ");
    as_buffer_columns(out, as_messages_label_name(j->messages, CLASSES, label), NAME);
    for (int part = 0; part < PARTS; part++)
      if (is_written(j, part))
        as_buffer_printf(out, " %7" PRId64 " %5.1f %%", j->shares[label][part],
                         j->counts[part] ? 100.0 * (double)j->shares[label][part] / (double)j->counts[part] : 0);
    as_buffer_char(out, '\n');
  }
}

static void write_counts(const job *j, const int64_t counts[PARTS], as_json_writer *writer) {
  for (int part = 0; part < PARTS; part++)
    if (is_written(j, part)) as_json_int(writer, part_names[part], counts[part]);
}

static void print_json(const job *j, as_buffer *out) {
  as_json_writer writer = as_json_writer_start(out, 0);
  as_json_open_object(&writer, NULL);
  write_counts(j, j->counts, &writer);
  as_json_open_object(&writer, "classes");
  for (int32_t label = 0; label < class_count(j); label++) {
    as_json_open_object(&writer, as_messages_label_name(j->messages, CLASSES, label));
    write_counts(j, j->shares[label], &writer);
    as_json_close_object(&writer);
  }
  as_json_close_object(&writer);
  as_json_close_object(&writer);
  as_buffer_char(out, '\n');
}

static as_status print_counts(job *j) {
  as_buffer out;
  as_status status = count_shares(j);
  if (status != AS_OK) return status;
  as_buffer_init(&out, j->cli->ctx);
  if (as_option_flag(j->cli->arguments, "json"))
    print_json(j, &out);
  else
    print_table(j, &out);
  status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(j->cli->console, &out);
  as_buffer_free(&out);
  return status;
}

/* ---- doing it --------------------------------------------------------------------------------------------------- */

/* To be split, interactions are a table like messages: the customers stand for the texts, of which many are alike. */
static void plan_interactions(job *j) {
  const as_arguments *a = j->cli->arguments;
  const char *time = as_option_text(a, "time-col"), *group = as_option_text(a, "group-col");
  j->reading.text_column = "customer_id";
  j->columns[CLASSES] = (as_column_request){.name = "interaction_type"};
  j->split.paired = true;
  if (j->split.rule == AS_RULE_TIME)
    j->columns[RULE] = (as_column_request){.name = time, .kind = AS_COLUMN_TEXT};
  else if (j->split.rule == AS_RULE_GROUP)
    j->columns[RULE] = (as_column_request){.name = group ? group : "customer_id", .may_be_empty = true};
  else
    j->columns[RULE] = (as_column_request){.name = "product_id", .kind = AS_COLUMN_TEXT};
  j->reading.column_count = COLUMNS;
}

static void plan_messages(job *j) {
  const as_arguments *a = j->cli->arguments;
  const bool by_class = j->split.rule == AS_RULE_CLASS;
  j->columns[CLASSES] = (as_column_request){.name = as_option_text(a, "label-col"),
                                            .may_be_absent = !by_class && !as_option_given(a, "label-col"),
                                            .may_be_empty = !by_class};
  j->reading.column_count = COLUMNS;
  if (j->split.rule == AS_RULE_TIME)
    j->columns[RULE] = (as_column_request){.name = as_option_text(a, "time-col"), .kind = AS_COLUMN_TEXT};
  else if (j->split.rule == AS_RULE_GROUP)
    j->columns[RULE] = (as_column_request){.name = as_option_text(a, "group-col"), .may_be_empty = true};
  else
    j->reading.column_count = 1;
}

static void warn_of_rows(const job *j, as_data_report *report) {
  if (j->of_interactions) {
    report->findings[AS_PROBLEM_DUPLICATE].count = 0; /* of customers, that is no news */
    report->findings[AS_PROBLEM_CONTRADICTION].count = 0;
  }
  as_data_report_warn(j->cli->ctx, report, as_messages_path(j->messages));
}

static as_status split(job *j) {
  as_context *ctx = j->cli->ctx;
  as_data_report report;
  as_status status = as_cli_message_options(j->cli, true, &j->reading);
  if (status != AS_OK) return status;
  j->split.column = RULE;
  j->reading.columns = j->columns;
  if (j->of_interactions)
    plan_interactions(j);
  else
    plan_messages(j);
  status = as_messages_read(ctx, j->path, &j->reading, &report, &j->messages);
  if (status == AS_OK) {
    warn_of_rows(j, &report);
    j->parts = as_alloc(ctx, (size_t)as_messages_count(j->messages), sizeof *j->parts);
    status = j->parts ? as_split_messages(ctx, j->messages, &j->split, j->parts) : AS_E_NOMEM;
  }
  if (status == AS_OK)
    status = as_split_write(ctx, j->messages, &j->reading.csv, j->parts, &j->split, j->folder,
                            as_option_flag(j->cli->arguments, "overwrite"), j->counts);
  return status == AS_OK ? print_counts(j) : status;
}

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  const char *operand = a->operand_count ? a->operands[0] : NULL, *by = as_option_text(a, "by");
  const char *interactions = as_option_text(a, "interactions");
  job j = {.cli = cli,
           .path = interactions ? interactions
                   : operand    ? operand
                                : as_option_text(a, "data"),
           .folder = as_option_text(a, "out-dir"),
           .of_interactions = interactions != NULL,
           .split = {.valid = as_option_number(a, "valid"),
                     .test = as_option_number(a, "test"),
                     .seed = (uint64_t)as_option_int(a, "seed"),
                     .rule = by             ? as_split_rule_by_name(by)
                             : interactions ? AS_RULE_TIME
                                            : AS_RULE_CLASS}};
  if (operand && (interactions || as_option_value(a, "data")->source == AS_FROM_COMMAND_LINE))
    return as_cli_usage(cli, "the file is named twice: as %s and by --%s", operand,
                        interactions ? "interactions" : "data");
  if (!j.path) return as_cli_usage(cli, "name a FILE of messages, or --interactions");
  if (strcmp(j.path, "-") == 0) return as_cli_usage(cli, "the file can't be standard input, since it is read twice");
  if (j.split.valid + j.split.test >= 1)
    return as_cli_usage(cli, "--test and --valid together leave nothing to train on");
  if (j.split.valid + j.split.test <= 0) return as_cli_usage(cli, "--test and --valid are both 0: nothing to split");
  if (interactions && j.split.rule == AS_RULE_CLASS)
    return as_cli_usage(cli, "interactions are split by time, group or hash");
  if (!interactions && j.split.rule == AS_RULE_GROUP && !as_option_text(a, "group-col"))
    return as_cli_usage(cli, "--by group needs --group-col");
  as_status status = split(&j);
  as_free(cli->ctx, j.shares);
  as_free(cli->ctx, j.parts);
  as_messages_free(j.messages);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_data_split = {
    .name = "data split",
    .operands = "[FILE]",
    .max_operands = 1,
    .operand = AS_OPERAND_FILE,
    .summary = "divide a data file into training, validation and test files",
    .description =
        "By class every class gives its share of rows, and all rows with the same text land in the same file; a text's "
        "place depends on the seed and the text, not on the order of rows. By time the newest rows are for tests, and "
        "those before them for validation. By group all rows with the same value of a column land in the same file: "
        "a customer's. By hash a row's place depends on its content alone (of interactions: customer and product), "
        "so it is the same in every file that the row is ever in, and the same as with --hold-out of train.\n\n"
        "The files have all columns of the original, in UTF-8. Nothing is written when there is a fault, and no file "
        "is replaced without --overwrite. Prints the rows of each file, and how many of each class.",
    .examples = "assistify data split messages.csv --out-dir split --valid 0.1\n"
                "assistify data split messages.csv --out-dir split --by time --time-col day\n"
                "assistify data split messages.csv --out-dir split --by group --group-col who\n"
                "assistify data split --interactions interactions.csv --out-dir split",
    .groups = groups,
    .run = run,
};
