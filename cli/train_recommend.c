/* train recommend: from the options to settings, and what a person sees of a run. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/csv_options.h"
#include "cli/model_store.h"
#include "cli/progress.h"
#include "cli/recommend_options.h"
#include "cli/signals.h"
#include "cli/training.h"
#include "recommend/estimate.h"

#define STATE_FOLDER "training" /* in the model's folder */

static as_status check_weights(as_context *ctx, const char *value) {
  as_interaction_types types = as_interaction_types_usual();
  return as_interaction_types_set(ctx, &types, value);
}

/* clang-format off */
static const as_option data_rows[] = {
    {.name = "interactions", .type = AS_OPTION_FILE, .argument = "F.csv", .required = true, .excludes = "update resume",
     .help = "customer_id, product_id, interaction_type, timestamp; - is standard input"},
    {.name = "products", .type = AS_OPTION_FILE, .argument = "F.csv", .help = "product_id, name, category, price; with --update only when some are new"},
    {.name = "weight", .type = AS_OPTION_TEXT, .argument = "TYPE=W", .check = check_weights, .repeats = true,
     .initial_note = "view=1,add_to_cart=3,purchase=5",
     .help = "what an interaction of a type counts; 0: not at all. May be repeated"},
    {.name = "half-life", .type = AS_OPTION_NUMBER, .argument = "DAYS", .minimum = 0, .maximum = 1e6, .initial = "0",
     .help = "an interaction counts half as much with each; 0: age does not matter"},
    {.name = "hold-out", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 0.9, .initial = "0",
     .help = "keep this share of the rows, chosen by customer and product, for tests"},
    {.name = "on-error", .type = AS_OPTION_CHOICE, .words = "fail|skip", .initial = "fail",
     .help = "what to do with rows that can't be used"},
};
static const as_option model_rows[] = {
    {.name = "out", .type = AS_OPTION_FOLDER, .argument = "DIR", .initial_note = "the next version in the store",
     .help = "where the model goes"},
    {.name = "overwrite", .type = AS_OPTION_FLAG, .help = "replace the model in --out; give up the interrupted training"},
    {.name = "update", .type = AS_OPTION_FILE, .argument = "NEW.csv", .command_line_only = true,
     .help = "go on with the model in --out, or the champion: learn these interactions too, new customers and products among them"},
    {.name = "resume", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "*", .command_line_only = true,
     .help = "go on with the interrupted training in DIR"},
    {.name = "loss", .type = AS_OPTION_CHOICE, .words = "warp|warp-kos|bpr|logistic|als", .initial = "warp",
     .help = "what is made small"},
    {.name = "dim", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = AS_LIGHTFM_MOST_DIM, .initial = "32",
     .help = "components of an embedding"},
    {.name = "features", .type = AS_OPTION_TEXT, .argument = "WHAT",
     .initial_note = "default; als none", .help = "of products: none (each for itself), default (category, price band, words of the name), or these and further columns, with commas between"},
};
static const as_option fit_rows[] = {
    {.name = "epochs", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6, .initial_note = "30; als 15",
     .help = "passes over the data"},
    {.name = "lr", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1000, .open_minimum = true, .initial = "0.05",
     .help = "learning rate (adagrad)"},
    {.name = "schedule", .type = AS_OPTION_CHOICE, .words = "adagrad|adadelta", .initial = "adagrad",
     .help = "how each parameter's rate falls"},
    {.name = "max-sampled", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1024, .initial = "10",
     .help = "draws for a negative"},
    {.name = "k", .type = AS_OPTION_INT, .argument = "K", .minimum = 1, .maximum = 1024, .initial = "5",
     .help = "warp-kos: the k-th best positive of n"},
    {.name = "n", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1024, .initial = "10",
     .help = "warp-kos: positives drawn"},
    {.name = "item-alpha", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1e6, .initial_note = "0; als 20",
     .help = "L2 on products"},
    {.name = "user-alpha", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1e6, .initial_note = "0; als 20",
     .help = "L2 on customers"},
    {.name = "confidence", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1e6, .initial = "1",
     .help = "als: how much more than an unmet product a met one counts, per unit of weight"},
    {.name = "calibrate", .type = AS_OPTION_CHOICE, .words = "time|last|random|none", .initial = "time",
     .help = "rows held back to turn scores into probabilities: the newest tenth, each customer's last, any, or none"},
    {.name = "compat", .type = AS_OPTION_CHOICE, .words = "none|lightfm", .initial = "none",
     .help = "lightfm: LightFM 1.17's updates, number by number, faults included; one thread"},
    {.name = "hogwild", .type = AS_OPTION_FLAG,
     .help = "threads don't wait for each other: faster, and the result differs each time"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 9e15, .initial = "1",
     .help = "of everything that is drawn"},
};
/* clang-format on */
static const as_option_group data_group = AS_OPTION_GROUP("Data", data_rows);
static const as_option_group model_group = AS_OPTION_GROUP("Model", model_rows);
static const as_option_group fit_group = AS_OPTION_GROUP("Training", fit_rows);
static const as_option_group *const groups[] = {&data_group, &as_options_csv_file, &model_group, &fit_group, NULL};

/* ---- options ----------------------------------------------------------------------------------------------------- */

static as_recommend_settings settings_of(const as_arguments *a) {
  as_lightfm_loss loss = AS_LIGHTFM_WARP;
  as_lightfm_schedule schedule = AS_LIGHTFM_ADAGRAD;
  as_lightfm_loss_find(as_option_text(a, "loss"), &loss);
  as_lightfm_schedule_find(as_option_text(a, "schedule"), &schedule);
  as_recommend_settings s = as_recommend_settings_usual(loss);
  s.schedule = (int)schedule;
  s.dim = as_option_int(a, "dim");
  if (as_option_given(a, "epochs")) s.epochs = as_option_int(a, "epochs");
  s.learning_rate = as_option_number(a, "lr");
  s.max_sampled = as_option_int(a, "max-sampled");
  s.k = as_option_int(a, "k");
  s.n = as_option_int(a, "n");
  if (as_option_given(a, "item-alpha")) s.item_alpha = as_option_number(a, "item-alpha");
  if (as_option_given(a, "user-alpha")) s.user_alpha = as_option_number(a, "user-alpha");
  s.confidence = as_option_number(a, "confidence");
  s.half_life = as_option_number(a, "half-life");
  s.compat = as_option_is(a, "compat", "lightfm");
  s.hogwild = as_option_flag(a, "hogwild");
  s.seed = as_option_int(a, "seed");
  return s;
}

enum { MOST_COLUMNS = 32 };
/* Further columns, their names cut out of `text`. */
typedef struct feature_choice {
  char *text;
  const char *columns[MOST_COLUMNS];
  size_t count;
} feature_choice;

static as_status choose_features(as_cli *cli, as_recommend_settings *s, feature_choice *out) {
  const bool given = as_option_given(cli->arguments, "features");
  const int64_t usual = AS_FEATURES_CATEGORY | AS_FEATURES_PRICE | AS_FEATURES_WORDS;
  if (!given) return AS_OK; /* the loss's own default stands */
  out->text = as_strdup(cli->ctx, as_option_text(cli->arguments, "features"));
  if (!out->text) return AS_E_NOMEM;
  s->features = 0;
  for (char *at = out->text; at;) {
    char *comma = strchr(at, ',');
    if (comma) *comma++ = '\0';
    if (strcmp(at, "default") == 0)
      s->features = usual;
    else if (strcmp(at, "category") == 0)
      s->features |= AS_FEATURES_CATEGORY;
    else if (strcmp(at, "price") == 0)
      s->features |= AS_FEATURES_PRICE;
    else if (strcmp(at, "name") == 0)
      s->features |= AS_FEATURES_WORDS;
    else if (strcmp(at, "none") != 0) {
      if (!*at || out->count == MOST_COLUMNS)
        return as_fail(cli->ctx, AS_E_INVALID, "--features takes none, default or up to %d columns with commas between",
                       MOST_COLUMNS);
      out->columns[out->count++] = at;
    }
    at = comma;
  }
  return AS_OK;
}

static as_holdout holdout_of(const as_arguments *a) {
  static const char *const words[] = {"time", "last", "random", "none"};
  for (int i = 0; i < 4; i++)
    if (as_option_is(a, "calibrate", words[i])) return (as_holdout)i;
  return AS_HOLDOUT_TIME;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void warn_skipped(as_context *ctx, const char *path, int64_t rows, const char *why) {
  if (rows > 0) as_warn(ctx, "%s: %lld rows %s", path, (long long)rows, why);
}

static as_status read_products(as_cli *cli, const char *const *columns, size_t count, as_products **out) {
  as_product_options options = {.columns = columns, .column_count = count};
  const char *path = as_option_text(cli->arguments, "products");
  if (as_option_is(cli->arguments, "on-error", "skip")) options.on_error = AS_ON_ERROR_SKIP;
  as_status status = as_cli_csv(cli, &options.csv);
  if (status == AS_OK) status = as_products_read(cli->ctx, path, &options, out);
  if (status == AS_OK) warn_skipped(cli->ctx, path, (*out)->skipped, "can't be used and were left out");
  return status;
}

static as_status read_interactions(as_cli *cli, const char *path, const as_products *products,
                                   const as_interaction_types *types, as_interactions **out) {
  as_interaction_options options = {.types = types, .hold_out = {.share = as_option_number(cli->arguments, "hold-out")}};
  if (as_option_is(cli->arguments, "on-error", "skip")) options.on_error = AS_ON_ERROR_SKIP;
  as_status status = as_cli_csv(cli, &options.csv);
  if (status == AS_OK) status = as_interactions_read(cli->ctx, path, products, &options, out);
  if (status == AS_OK) warn_skipped(cli->ctx, path, (*out)->skipped, "can't be used and were left out");
  return status;
}

/* ---- what a person sees -------------------------------------------------------------------------------------------
 */

typedef struct view {
  as_cli *cli;
  as_progress progress;
  bool started, calibrating;
  double begun;
} view;

static bool show_progress(void *user, bool calibrating, const as_fit_progress *p) {
  view *v = user;
  if (!v->started || calibrating != v->calibrating) {
    if (v->started) as_progress_end(&v->progress);
    as_progress_start(&v->progress, v->cli->console, 0);
    v->started = true;
    v->calibrating = calibrating;
    v->begun = as_seconds();
  }
  const bool ended = p->rows == p->of_rows;
  const double done = (double)p->of_rows * (double)(ended ? p->epoch - 1 : p->epoch) + (double)p->rows;
  const as_progress_figures figures = {.epoch = ended ? p->epoch : p->epoch + 1,
                                       .epochs = p->epochs,
                                       .step = (int64_t)done,
                                       .steps = p->of_rows * p->epochs,
                                       .loss = NAN,
                                       .lr = NAN,
                                       .rate = done / fmax(as_seconds() - v->begun, 1e-9),
                                       .unit = "rows"};
  as_progress_update(&v->progress, &figures);
  return !as_interrupted(NULL);
}

static void show_data(as_cli *cli, const as_products *products, const as_interactions *t) {
  char oldest[AS_TIMESTAMP_TEXT], newest[AS_TIMESTAMP_TEXT];
  as_timestamp_write(t->oldest, oldest);
  as_timestamp_write(t->newest, newest);
  as_console_note(cli->console, "data      %lld interactions of %lld customers with %lld products, %.10s to %.10s",
                  (long long)as_interactions_count(t), (long long)as_interactions_customers(t),
                  (long long)as_products_count(products), oldest, newest);
  if (t->other_side > 0)
    as_console_note(cli->console, "          %lld rows (%g of all, by customer and product) held out for tests",
                    (long long)t->other_side, as_option_number(cli->arguments, "hold-out"));
  if (t->ignored > 0)
    as_console_note(cli->console, "          %lld rows of types with weight 0 left out", (long long)t->ignored);
}

static void show_settings(as_cli *cli, const as_recommend_settings *s) {
  as_console_note(cli->console, "model     %s, %s, %lld components, %lld epochs%s%s",
                  as_lightfm_loss_name((as_lightfm_loss)s->loss),
                  s->loss == AS_LIGHTFM_ALS ? "Cholesky" : as_lightfm_schedule_name((as_lightfm_schedule)s->schedule),
                  (long long)s->dim, (long long)s->epochs, s->compat ? ", as LightFM 1.17" : "",
                  s->hogwild ? ", hogwild" : "");
}

/* ---- running ------------------------------------------------------------------------------------------------------
 */

/* What the run on the other rows foresaw of those held back. */
static void show_measured(as_cli *cli, const as_recommender *r) {
  json_t *metrics = r->metrics ? json_loads(r->metrics, 0, NULL) : NULL;
  if (!metrics) return;
  const json_t *popular = json_object_get(json_object_get(metrics, "baselines"), "popular");
  as_console_note(cli->console,
                  "measured  ndcg@10 %.4f, recall@10 %.4f (popular products: %.4f, %.4f) of %lld customers' rows held "
                  "back by %s",
                  json_number_value(json_object_get(metrics, "ndcg@10")),
                  json_number_value(json_object_get(metrics, "recall@10")),
                  json_number_value(json_object_get(popular, "ndcg@10")),
                  json_number_value(json_object_get(popular, "recall@10")),
                  (long long)json_integer_value(json_object_get(metrics, "customers")),
                  json_string_value(json_object_get(metrics, "split")));
  json_decref(metrics);
}

static as_status save(as_cli *cli, const as_recommender *r, as_cli_training *place) {
  as_status status = as_recommender_save(r, place->out);
  if (status == AS_OK) status = as_cli_training_publish(place);
  if (status != AS_OK) return status;
  if (r->calibrated)
    as_console_note(cli->console, "scores    probability = 1 / (1 + exp(-(%.4g raw %+.4g)))", r->platt.slope,
                    r->platt.intercept);
  else
    as_console_note(cli->console, "scores    not calibrated: 1 / (1 + exp(-raw))");
  show_measured(cli, r);
  as_console_note(cli->console, "saved     %s", place->out);
  as_cli_training_tell(place);
  return AS_OK;
}

/* Saves what a run came to: the model, or the state that --resume goes on from. `ran` is how the run ended. */
static as_status keep(as_cli *cli, view *v, as_status ran, const as_recommender *r, as_cli_training *place) {
  if (v->started) as_progress_end(&v->progress);
  if (ran == AS_OK) return save(cli, r, place);
  if (ran != AS_E_INTERRUPTED || !r) return ran;
  char *state = as_path_join(cli->ctx, place->out, STATE_FOLDER);
  as_status status = state ? as_recommender_save(r, state) : AS_E_NOMEM;
  as_free(cli->ctx, state);
  if (status != AS_OK) return status;
  return as_fail(cli->ctx, AS_E_INTERRUPTED, "interrupted; go on with: assistify train recommend --resume %s",
                 place->out);
}

/* What a training from the beginning goes by. */
typedef struct inputs {
  as_recommend_settings settings;
  as_interaction_types types;
  feature_choice features;
  as_products *products;
  as_interactions *interactions;
} inputs;

/* After a failure products and interactions are freed; whoever trains takes them over. */
static as_status read_inputs(as_cli *cli, inputs *in) {
  const char *weights = as_option_text(cli->arguments, "weight");
  *in = (inputs){.settings = settings_of(cli->arguments), .types = as_interaction_types_usual()};
  as_status status = choose_features(cli, &in->settings, &in->features);
  if (status == AS_OK && weights) status = as_interaction_types_set(cli->ctx, &in->types, weights);
  if (status == AS_OK) status = read_products(cli, in->features.columns, in->features.count, &in->products);
  if (status == AS_OK)
    status = read_interactions(cli, as_option_text(cli->arguments, "interactions"), in->products, &in->types,
                               &in->interactions);
  if (status != AS_OK) as_products_free(in->products);
  return status;
}

as_status as_cli_plan_recommend(as_cli *cli, as_plan *out) {
  inputs in;
  as_recommend_estimate e;
  const size_t before = as_memory_used(cli->ctx);
  as_status status = read_inputs(cli, &in);
  const size_t read = as_memory_used(cli->ctx) - before;
  if (status == AS_OK)
    status = as_recommender_estimate(cli->ctx, in.products, in.interactions, &in.types, &in.settings,
                                     holdout_of(cli->arguments), as_interrupted, NULL, &e);
  if (status == AS_OK) {
    *out = (as_plan){.rows = e.rows, .epochs = e.epochs, .bytes = e.bytes + read, .seconds = e.seconds};
    snprintf(out->size, sizeof out->size, "%s, %lld", as_lightfm_loss_name((as_lightfm_loss)in.settings.loss),
             (long long)in.settings.dim);
  }
  as_free(cli->ctx, in.features.text);
  return status;
}

static as_status train(as_cli *cli, as_cli_training *place) {
  view v = {.cli = cli};
  const as_recommend_listener listener = {show_progress, &v};
  inputs in;
  as_recommender *r = NULL;
  as_status status = read_inputs(cli, &in);
  if (status == AS_OK) {
    show_data(cli, in.products, in.interactions);
    show_settings(cli, &in.settings);
    status = as_recommender_train(cli->ctx, in.products, in.interactions, &in.types, &in.settings,
                                  holdout_of(cli->arguments), &listener, &r);
  }
  status = keep(cli, &v, status, r, place);
  as_recommender_free(r);
  as_free(cli->ctx, in.features.text);
  return status;
}

/* Products of the file that the catalogue does not have yet. */
static as_status add_products(as_cli *cli, as_recommender *r) {
  const size_t columns = r->products->column_names.count;
  const char *names[MOST_COLUMNS];
  as_csv_field values[MOST_COLUMNS];
  as_products *fresh = NULL;
  if (!as_option_text(cli->arguments, "products")) return AS_OK;
  if (columns > MOST_COLUMNS)
    return as_fail(cli->ctx, AS_E_MODEL, "the model has more further columns than can be read");
  for (size_t c = 0; c < columns; c++) names[c] = as_text_block_get(&r->products->column_names, c, NULL);
  as_status status = read_products(cli, names, columns, &fresh);
  for (int64_t i = 0; status == AS_OK && i < as_products_count(fresh); i++) {
    as_csv_field id = {0}, name = {0}, category = {0};
    id.text = as_products_id(fresh, i, &id.length);
    if (as_products_find(r->products, id.text, id.length) >= 0) continue;
    name.text = as_text_block_get(&fresh->names, (size_t)i, &name.length);
    category.text = as_text_block_get(&fresh->categories, (size_t)i, &category.length);
    for (size_t c = 0; c < columns; c++)
      values[c].text = as_text_block_get(&fresh->columns[c], (size_t)i, &values[c].length);
    if (!as_products_add(r->products, id, name, category, fresh->prices[i], values)) status = AS_E_NOMEM;
  }
  as_products_free(fresh);
  return status;
}

/* The model to go on with: the one in --out, or else the champion, whose successor it becomes. */
static as_status open_old(as_cli *cli, const as_cli_training *place, as_recommender **out) {
  as_version champion;
  if (!place->store) return as_recommender_open(cli->ctx, place->out, out);
  as_status status = as_store_champion(place->store, AS_RECOMMENDER_NAME, &champion);
  if (status == AS_OK && !champion.number)
    status = as_fail(cli->ctx, AS_E_MODEL, "%s: there is no recommender to go on with; train one without --update",
                     as_store_root(place->store));
  char *folder = status == AS_OK ? as_store_folder(place->store, &champion) : NULL;
  if (status == AS_OK) status = folder ? as_recommender_open(cli->ctx, folder, out) : AS_E_NOMEM;
  as_free(cli->ctx, folder);
  return status;
}

static as_status update(as_cli *cli, as_cli_training *place) {
  view v = {.cli = cli};
  const as_recommend_listener listener = {show_progress, &v};
  as_recommender *r = NULL;
  as_interactions *fresh = NULL, *all = NULL;
  as_status status = open_old(cli, place, &r);
  if (status == AS_OK) status = add_products(cli, r);
  if (status == AS_OK)
    status = read_interactions(cli, as_option_text(cli->arguments, "update"), r->products, &r->types, &fresh);
  if (status == AS_OK) status = as_interactions_join(cli->ctx, r->interactions, fresh, &all);
  as_interactions_free(fresh);
  if (status == AS_OK) {
    r->settings.hogwild = as_option_flag(cli->arguments, "hogwild");
    const int64_t epochs =
        as_option_given(cli->arguments, "epochs") ? as_option_int(cli->arguments, "epochs") : r->settings.epochs;
    show_data(cli, r->products, all);
    show_settings(cli, &r->settings);
    status = as_recommender_update(r, all, epochs, holdout_of(cli->arguments), &listener);
  }
  status = keep(cli, &v, status, all ? r : NULL, place);
  as_recommender_free(r);
  return status;
}

static as_status resume(as_cli *cli, as_cli_training *place) {
  view v = {.cli = cli};
  const as_recommend_listener listener = {show_progress, &v};
  as_recommender *r = NULL;
  char *state = as_path_join(cli->ctx, place->out, STATE_FOLDER);
  as_status status = state ? as_recommender_open_unfinished(cli->ctx, state, &r) : AS_E_NOMEM;
  as_free(cli->ctx, state);
  if (status == AS_OK) {
    show_data(cli, r->products, r->interactions);
    show_settings(cli, &r->settings);
    status = as_recommender_resume(r, &listener);
  }
  status = keep(cli, &v, status, r, place);
  as_recommender_free(r);
  return status;
}

/* Whether `out` has a model, or a run that was interrupted, which would be lost. */
static as_status check_folder(as_cli *cli, const char *out) {
  static const char *const files[] = {"config.json", STATE_FOLDER "/config.json"};
  as_status status = AS_OK;
  for (int i = 0; i < 2 && status == AS_OK; i++) {
    char *path = as_path_join(cli->ctx, out, files[i]);
    if (!path)
      status = AS_E_NOMEM;
    else if (as_path_exists(path))
      status = as_fail(cli->ctx, AS_E_INVALID, "%s holds %s; give --overwrite to replace it, or another --out", out,
                       i == 0 ? "a model" : "interrupted training (--resume goes on with it)");
    as_free(cli->ctx, path);
  }
  return status;
}

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  const bool updating = as_option_given(a, "update");
  const char *resumed = as_option_text(a, "resume");
  if (!updating && !resumed && !as_option_given(a, "products"))
    return as_cli_usage(cli, "train recommend needs --products F.csv: product_id, name, category, price");
  as_cli_training place;
  as_status status = as_cli_training_begin(cli, AS_RECOMMENDER_NAME, as_option_text(a, "out"), resumed, &place);
  const bool replaces = !resumed && (!updating || place.store); /* an update in a folder is meant for its model */
  if (status == AS_OK && replaces && !as_option_flag(a, "overwrite")) status = check_folder(cli, place.out);
  if (status == AS_OK && !place.done)
    status = resumed ? resume(cli, &place) : updating ? update(cli, &place) : train(cli, &place);
  as_cli_training_end(&place);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_train_recommend = {
    .name = "train recommend",
    .summary = "train a product recommender on interactions",
    .description =
        "Learns embeddings of customers and products (LightFM's model) from what customers viewed, put into the cart "
        "and "
        "bought. The result is the same for any number of threads, unless --hogwild lets them race.\n\n"
        "A product is the sum of a feature of its own and those of its category, price band and name, so that a "
        "product "
        "that nobody has met yet has a place too. A tenth of the rows is held back in a first run, to learn how a "
        "score "
        "becomes a probability; the model itself then learns from all rows.\n\n"
        "--update adds interactions, customers and (with --products) products to a trained model and goes on with it. "
        "Ctrl-C saves the state; --resume DIR goes on and ends with the same bytes as an undisturbed run.",
    .examples = "assistify train recommend --interactions i.csv --products p.csv\n"
                "assistify train recommend --interactions i.csv --products p.csv --loss als\n"
                "assistify train recommend --update new.csv --products products.csv",
    .groups = groups,
    .works_long = true,
    .catches_signals = true,
    .run = run};
