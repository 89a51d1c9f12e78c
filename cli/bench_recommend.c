/* assistify bench recommend: how many pairs a second the recommender learns, and how soon it answers many customers. */
#include <stdlib.h>
#include <string.h>

#include "base/machine.h"
#include "bench/recommend.h"
#include "cli/command.h"
#include "recommend/features.h"
#include "tensor/kernels/kernels.h"

enum { MOST_SIZES = 16 };

/* "1000,10000,50000" -> numbers; how many, or 0. */
static size_t read_sizes(const char *text, int64_t *sizes) {
  size_t count = 0;
  for (const char *at = text; count < MOST_SIZES;) {
    char *end;
    const long long size = strtoll(at, &end, 10);
    if (end == at || size < 2 || size > INT32_MAX || (*end && *end != ',')) return 0;
    sizes[count++] = size;
    if (!*end) return count;
    at = end + 1;
  }
  return 0;
}

static as_status check_sizes(as_context *ctx, const char *value) {
  int64_t sizes[MOST_SIZES];
  if (read_sizes(value, sizes) > 0) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "\"%.50s\" is not up to %d numbers of products from 2 on, with commas between", value,
                 MOST_SIZES);
}

/* clang-format off */
static const as_option data_rows[] = {
    {.name = "interactions", .type = AS_OPTION_FILE, .argument = "F.csv", .excludes = "customers catalogue pairs",
     .help = "pairs of a customer and a product from a file; else they are made up"},
    {.name = "products", .type = AS_OPTION_FILE, .argument = "F.csv", .help = "the catalogue of --interactions"},
    {.name = "features", .type = AS_OPTION_CHOICE, .words = "none|category|default", .initial = "none",
     .help = "of the products of the file"},
    {.name = "customers", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e9, .initial = "100000",
     .help = "made up"},
    {.name = "catalogue", .type = AS_OPTION_TEXT, .argument = "N,N...", .initial = "50000", .check = check_sizes,
     .help = "products made up; each size is measured"},
    {.name = "save", .type = AS_OPTION_FILE, .argument = "F.csv", .excludes = "interactions",
     .help = "write the pairs of the last size, to measure another program with"},
    {.name = "pairs", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e10, .initial = "5000000",
     .help = "made up"},
};
static const as_option measuring_rows[] = {
    {.name = "loss", .type = AS_OPTION_CHOICE, .words = "warp|als", .initial = "warp", .help = "WARP (adagrad) or weighted ALS"},
    {.name = "dim", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = AS_LIGHTFM_MOST_DIM, .initial = "32",
     .help = "components of an embedding"},
    {.name = "epochs", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6, .initial_note = "30, als 15; 1 for pairs that are made up",
     .help = "of a training"},
    {.name = "hogwild", .type = AS_OPTION_FLAG, .help = "threads don't wait for each other"},
    {.name = "n", .short_name = 'n', .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 1e6, .initial = "10",
     .help = "products of an answer; 0: training only"},
    {.name = "asked", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e9, .initial_note = "all; 1,000 of those that are made up",
     .help = "customers that are answered together"},
    {.name = "repeats", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6, .initial = "3",
     .help = "of each measurement"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 2147483647, .initial = "1",
     .help = "of pairs, training and choice of customers"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "one line of JSON for each measurement"},
};
/* clang-format on */
static const as_option_group data_group = AS_OPTION_GROUP("Pairs", data_rows);
static const as_option_group measuring = AS_OPTION_GROUP("Measuring", measuring_rows);
static const as_option_group *const groups[] = {&data_group, &measuring, NULL};

static const char *isa(const as_cli *cli) {
  const as_kernels_f32 *table;
  return as_kernels_select(cli->ctx, &table) == AS_OK ? table->isa : "";
}

static void open_line(as_json_writer *w, const as_cli *cli, const char *what, const as_bench_pairs *p) {
  as_json_open_object(w, NULL);
  as_json_string(w, "what", what);
  as_json_int(w, "threads", as_context_threads(cli->ctx));
  as_json_string(w, "isa", isa(cli));
  as_json_int(w, "customers", p->customers);
  as_json_int(w, "products", p->products);
  as_json_int(w, "pairs", p->count);
  as_json_int(w, "dim", as_option_int(cli->arguments, "dim"));
}

static void close_line(as_json_writer *w, uint64_t peak) {
  as_json_int(w, "peak_resident_bytes", (int64_t)peak);
  as_json_close_object(w);
  as_buffer_char(w->out, '\n');
}

static void write_json(as_buffer *out, const as_cli *cli, const as_bench_pairs *p, const as_bench_recommend_options *o,
                       const as_bench_recommending *r) {
  as_json_writer w = as_json_writer_start(out, 0);
  open_line(&w, cli, "recommend.train", p);
  as_json_string(&w, "loss", as_option_text(cli->arguments, "loss"));
  as_json_bool(&w, "hogwild", o->hogwild);
  as_json_string(&w, "features", as_option_text(cli->arguments, "features"));
  as_json_int(&w, "epochs", o->epochs);
  as_spread_json(&w, "pairs_per_second", &r->rows_per_second, 1, false);
  as_json_double(&w, "updates", r->updates);
  close_line(&w, r->trained_peak);
  if (o->n == 0) return;
  w = as_json_writer_start(out, 0);
  open_line(&w, cli, "recommend.top", p);
  as_json_int(&w, "asked", r->asked);
  as_json_int(&w, "n", o->n);
  as_spread_json(&w, "milliseconds", &r->top_seconds, 1e3, false);
  as_json_double(&w, "customers_per_second", (double)r->asked / r->top_seconds.median);
  close_line(&w, as_peak_resident_bytes());
  w = as_json_writer_start(out, 0);
  open_line(&w, cli, "recommend.ranks", p);
  as_json_int(&w, "asked", r->asked);
  as_json_int(&w, "ranks", r->ranks);
  as_spread_json(&w, "milliseconds", &r->rank_seconds, 1e3, false);
  as_json_double(&w, "ranks_per_second", (double)r->ranks / r->rank_seconds.median);
  close_line(&w, as_peak_resident_bytes());
}

static void write_row(as_buffer *out, const char *name, const as_spread *s, double factor, int digits) {
  as_buffer_printf(out, "  %-28s %12.*f %12.*f %12.*f\n", name, digits, factor * s->median, digits, factor * s->min, digits,
                   factor * s->max);
}

static void write_text(as_buffer *out, const as_cli *cli, const as_bench_pairs *p, const as_bench_recommend_options *o,
                       const as_bench_recommending *r) {
  const int threads = as_context_threads(cli->ctx);
  char name[64];
  as_buffer_printf(out, "%lld customers, %lld products, %lld pairs; %s, dim %d, %d thread%s%s, %s\n",
                   (long long)p->customers, (long long)p->products, (long long)p->count, as_option_text(cli->arguments, "loss"), (int)o->dim, threads,
                   threads == 1 ? "" : "s", o->hogwild ? ", hogwild" : "", isa(cli));
  as_buffer_printf(out, "  %-28s %12s %12s %12s\n", "", "median", "min", "max");
  write_row(out, "training, pairs/s", &r->rows_per_second, 1, 0);
  if (o->n > 0) {
    snprintf(name, sizeof name, "top %lld of %lld, ms", (long long)o->n, (long long)r->asked);
    write_row(out, name, &r->top_seconds, 1e3, 2);
    snprintf(name, sizeof name, "%.3g M ranks, ms", (double)r->ranks / 1e6);
    write_row(out, name, &r->rank_seconds, 1e3, 2);
  }
  as_buffer_printf(out, "  memory: %.1f MiB at the end of training, %.1f MiB at its peak\n",
                   (double)r->trained_peak / 0x1p20, (double)as_peak_resident_bytes() / 0x1p20);
}

static as_status measure(as_cli *cli, const as_bench_pairs *pairs, bool made_up) {
  const as_arguments *a = cli->arguments;
  const bool als = as_option_is(a, "loss", "als");
  as_bench_recommend_options o = {.dim = (int32_t)as_option_int(a, "dim"), .epochs = made_up ? 1 : als ? 15 : 30, .als = als,
                                  .repeats = as_option_int(a, "repeats"), .asked = made_up ? 1000 : pairs->customers,
                                  .n = as_option_int(a, "n"), .hogwild = as_option_flag(a, "hogwild"),
                                  .seed = (uint64_t)as_option_int(a, "seed")};
  as_bench_recommending r;
  as_buffer out;
  if (as_option_given(a, "epochs")) o.epochs = as_option_int(a, "epochs");
  if (as_option_given(a, "asked")) o.asked = as_option_int(a, "asked");
  as_buffer_init(&out, cli->ctx);
  as_status status = as_bench_recommend(pairs, &o, &r);
  if (status == AS_OK) {
    (as_option_flag(a, "json") ? write_json : write_text)(&out, cli, pairs, &o, &r);
    status = as_buffer_status(&out);
    as_console_buffer(cli->console, &out);
  }
  as_buffer_free(&out);
  return status;
}

static as_status measure_files(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  const int kinds = as_option_is(a, "features", "none")       ? 0
                    : as_option_is(a, "features", "category") ? AS_FEATURES_CATEGORY
                                                              : AS_FEATURES_CATEGORY | AS_FEATURES_PRICE | AS_FEATURES_WORDS;
  as_bench_pairs pairs;
  as_status status = as_bench_pairs_read(cli->ctx, as_option_text(a, "interactions"), as_option_text(a, "products"), kinds,
                                         &pairs);
  if (status == AS_OK) status = measure(cli, &pairs, false);
  as_bench_pairs_free(&pairs);
  return status;
}

static as_status measure_made_up(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  int64_t sizes[MOST_SIZES];
  const size_t count = read_sizes(as_option_text(a, "catalogue"), sizes);
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < count; i++) {
    as_bench_pairs pairs;
    status = as_bench_pairs_make(cli->ctx, as_option_int(a, "customers"), sizes[i], as_option_int(a, "pairs"),
                                 (uint64_t)as_option_int(a, "seed"), &pairs);
    if (status == AS_OK && i + 1 == count && as_option_given(a, "save"))
      status = as_bench_pairs_write(&pairs, as_option_text(a, "save"));
    if (status == AS_OK) status = measure(cli, &pairs, true);
    as_bench_pairs_free(&pairs);
  }
  return status;
}

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  const bool files = as_option_given(a, "interactions");
  if (files != as_option_given(a, "products"))
    return as_cli_usage(cli, "--interactions and --products go together");
  if (as_option_is(a, "loss", "als") && (as_option_flag(a, "hogwild") || !as_option_is(a, "features", "none")))
    return as_cli_usage(cli, "--loss als has no --hogwild and no --features");
  if (!files && !as_option_is(a, "features", "none"))
    return as_cli_usage(cli, "--features goes with --interactions: products that are made up have none");
  const as_status status = files ? measure_files(cli) : measure_made_up(cli);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_bench_recommend = {
    .name = "bench recommend",
    .summary = "measure the speed and the memory of the recommender",
    .description =
        "Trains a fresh model each time, and counts pairs of customer and product a second over the whole call; "
        "then finds the best products of many customers, without those they met; then all ranks of their unmet products, "
        "with precision and AUC. Reading or making the pairs is not counted.\n\n"
        "Pairs that are made up have power laws in activity and popularity, and tastes. Each size of the catalogue is a "
        "measurement; the peak of memory is that of the process so far.",
    .examples = "assistify bench recommend --interactions i.csv --products p.csv --dim 10\n"
                "assistify bench recommend --catalogue 1000,10000,50000 --threads 1\n"
                "assistify bench recommend --hogwild -n 100 --json",
    .groups = groups, .works_long = true, .run = run};
