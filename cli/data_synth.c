/* `assistify data synth`: make up messages, or a shop. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "data/synth.h"
#include "data/synth_shop.h"

/* clang-format off */
static const as_option synth_rows[] = {
    {.name = "rows-per-class", .type = AS_OPTION_INT, .argument = "N", .initial = "650", .minimum = 1, .maximum = 1e7,
     .help = "rows for each of the six intents; with --week, on average in each week"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .initial = "42", .minimum = 0, .maximum = 2147483647,
     .help = "another seed, other messages"},
    {.name = "out", .type = AS_OPTION_FILE, .argument = "FILE", .initial = "-",
     .help = "CSV file to write; - is standard output"},
    {.name = "week", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = AS_SYNTH_MOST_WEEKS,
     .initial_note = "a shop that stands still",
     .help = "what the shop exports at the end of week N; shares and wording change with the weeks"},
    {.name = "weeks", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = AS_SYNTH_MOST_WEEKS,
     .initial_note = "all since the first", .help = "with --week: export the messages of the last N weeks"},
    {.name = "shop", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "out",
     .help = "instead of messages: a shop's products.csv and interactions.csv, written into this folder"},
    {.name = "out-dir", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "out shop",
     .help = "messages.csv, products.csv and interactions.csv, all that train all --data-dir takes"},
    {.name = "customers", .type = AS_OPTION_INT, .argument = "N", .initial = "500", .minimum = 1, .maximum = 1e6,
     .help = "of the shop"},
};
/* clang-format on */
static const as_option_group making = AS_OPTION_GROUP("Making data", synth_rows);
static const as_option_group *const synth_groups[] = {&making, NULL};

static as_status to_console(void *user, const char *bytes, size_t length) {
  as_cli *cli = user;
  if (as_console_out(cli->console, bytes, length)) return AS_OK;
  return as_fail(cli->ctx, AS_E_INTERRUPTED, "standard output takes no more");
}

/* All files of a shop, each written atomically. */
static as_status write_all(as_context *ctx, const as_synth_options *messages, const as_synth_shop_options *shop,
                           const char *folder) {
  as_status status = as_synth_shop_folder(ctx, shop, folder);
  char *path = status == AS_OK ? as_path_join(ctx, folder, "messages.csv") : NULL;
  if (status == AS_OK) status = path ? as_synth_file(ctx, messages, path) : AS_E_NOMEM;
  as_free(ctx, path);
  return status;
}

static int run_synth(as_cli *cli) {
  as_synth_options options = {.rows_per_class = as_option_int(cli->arguments, "rows-per-class"),
                              .seed = (uint64_t)as_option_int(cli->arguments, "seed"),
                              .week = as_option_int(cli->arguments, "week"),
                              .weeks = as_option_int(cli->arguments, "weeks")};
  if (options.weeks > 0 && (options.week == 0 || as_option_given(cli->arguments, "shop")))
    return as_cli_usage(cli, "--weeks goes with --week, for messages");
  const as_synth_shop_options of_shop = {as_option_int(cli->arguments, "customers"), options.seed, options.week};
  const char *path = as_option_text(cli->arguments, "out"), *shop = as_option_text(cli->arguments, "shop");
  const char *folder = as_option_text(cli->arguments, "out-dir");
  as_status status;
  if (folder) {
    status = write_all(cli->ctx, &options, &of_shop, folder);
  } else if (shop) {
    status = as_synth_shop_folder(cli->ctx, &of_shop, shop);
  } else if (strcmp(path, "-") == 0) {
    status = as_synth(cli->ctx, &options, to_console, cli);
    if (status == AS_E_INTERRUPTED) status = AS_OK; /* as_console_finish tells why, if it is worth telling */
  } else {
    status = as_synth_file(cli->ctx, &options, path);
  }
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_data_synth = {
    .name = "data synth",
    .summary = "make up customer-support messages, or a shop, to try things with",
    .description =
        "Writes CSV with the columns content, intent, sentiment and response: six intents, put together from this "
        "project's own sentences, with typing errors and with messages that are not clear-cut. The same seed gives "
        "the same bytes everywhere; the sample that comes with the program has the default ones.\n\n"
        "With --shop it makes what the recommender learns from: 72 products in six categories and a year of views, "
        "additions to the cart and purchases, with seasons, things that are bought together and upgrades.\n\n"
        "With --week the shop changes: a class is asked up to seven times as often at its peak as at its lowest, "
        "which comes at another time of the year for each, and each way of saying something, product and other value "
        "is in use for a part of the year. The messages of a week are the same in every export that has them. With "
        "--shop, the interactions until the end of that week are written.\n\n"
        "With --out-dir it makes both: a folder of all files that 'train all' learns from.",
    .examples =
        "assistify data synth --out-dir data\nassistify data synth --out messages.csv\nassistify data synth --rows-per-class 20000 --seed 7 --out big.csv\n"
        "assistify data synth --week 30 --weeks 12 --rows-per-class 40 --out week30.csv\n"
        "assistify data synth --shop shop",
    .groups = synth_groups,
    .run = run_synth,
};
