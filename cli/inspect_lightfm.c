/* inspect lightfm: replays a file of single updates or of whole epochs with the exact trainer, or of predictions
 * (cli/inspect_lightfm_predict.c), and prints it again: inputs as read, results as computed. */
#include "cli/inspect_lightfm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define MOST_BYTES ((size_t)1 << 30)
#define MOST_FEATURES 1e6 /* of a side, and rows; the files are small, and what is hostile stays bounded */

/* ---- the file --------------------------------------------------------------------------------------------------- */

static as_status read_lines(as_replay *r) {
  as_context *ctx = r->cli->ctx;
  size_t length;
  as_status status = as_file_read(ctx, r->path, MOST_BYTES, AS_E_DATA, &r->text, &length);
  if (status != AS_OK) return status;
  uint64_t number = 1;
  for (char *at = r->text, *end = r->text + length; at < end; number++) {
    char *stop = memchr(at, '\n', (size_t)(end - at));
    char *next = stop ? stop + 1 : end;
    *(stop ? stop : end) = '\0';
    as_replay_line *lines = as_grow(ctx, r->lines, &r->capacity, r->count + 1, sizeof *lines);
    if (!lines) return AS_E_NOMEM;
    r->lines = lines;
    char *values = at + strcspn(at, " ");
    const char *rest = values;
    if (*values) {
      *values = '\0';
      rest = values + 1;
    }
    if (*at) lines[r->count++] = (as_replay_line){at, rest, number};
    at = next;
  }
  return AS_OK;
}

as_status as_replay_fail(const as_replay *r, const as_replay_line *line, const char *what) {
  return as_fail(r->cli->ctx, AS_E_DATA, "%s: line %llu: %s: %s", r->path, (unsigned long long)line->number, line->key,
                 what);
}

const as_replay_line *as_replay_find(const as_replay *r, const char *key) {
  for (size_t i = 0; i < r->count; i++)
    if (strcmp(r->lines[i].key, key) == 0) return &r->lines[i];
  return NULL;
}

static bool next_number(const char **at, double *out) {
  char *end;
  *out = strtod(*at, &end);
  if (end == *at || !isfinite(*out)) return false;
  *at = end;
  return true;
}

static as_status number_of(const as_replay *r, const as_replay_line *line, double least, double most, double *out) {
  const char *at = line->values;
  if (next_number(&at, out) && *out >= least && *out <= most) return AS_OK;
  return as_replay_fail(r, line, "is not a number, or out of range");
}

as_status as_replay_number(const as_replay *r, const char *key, double least, double most, double *out) {
  const as_replay_line *line = as_replay_find(r, key);
  if (!line) return as_fail(r->cli->ctx, AS_E_DATA, "%s: line 1: the file has no line '%s'", r->path, key);
  return number_of(r, line, least, most, out);
}

static as_status skip_values(const as_replay *r, const as_replay_line *line, int64_t skip, const char **at) {
  double value;
  for (*at = line->values; skip > 0; skip--)
    if (!next_number(at, &value)) return as_replay_fail(r, line, "has too few values");
  return AS_OK;
}

as_status as_replay_floats(const as_replay *r, const as_replay_line *line, int64_t skip, int64_t count, float *out) {
  const char *at;
  double value;
  as_status status = skip_values(r, line, skip, &at);
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    if (!next_number(&at, &value) || !isfinite((float)value))
      status = as_replay_fail(r, line, "has too few values, or one that is not a finite number");
    else
      out[i] = (float)value;
  }
  return status;
}

as_status as_replay_indices(const as_replay *r, const as_replay_line *line, int64_t skip, int64_t below, int32_t **out,
                            int64_t *count) {
  const char *at;
  double value;
  size_t size = 0;
  *out = NULL;
  *count = 0;
  as_status status = skip_values(r, line, skip, &at);
  while (status == AS_OK && next_number(&at, &value)) {
    if (value < 0 || value >= (double)below || value != floor(value)) {
      status = as_replay_fail(r, line, "has a value that is out of range");
      break;
    }
    int32_t *grown = as_grow(r->cli->ctx, *out, &size, (size_t)*count + 1, sizeof *grown);
    if (!grown) status = AS_E_NOMEM;
    if (grown) (*out = grown)[(*count)++] = (int32_t)value;
  }
  if (status == AS_OK && at[strspn(at, " ")]) status = as_replay_fail(r, line, "has a value that is not a number");
  if (status == AS_OK && !*out) status = (*out = as_alloc(r->cli->ctx, 1, sizeof **out)) ? AS_OK : AS_E_NOMEM;
  if (status != AS_OK) {
    as_free(r->cli->ctx, *out);
    *out = NULL;
  }
  return status;
}

/* The blank behind the key is a NUL now; there is none behind a key that stood alone. */
void as_replay_copy(as_replay *r, const as_replay_line *line) {
  as_buffer_text(&r->out, line->key);
  if (line->values[-1] == '\0') as_buffer_char(&r->out, ' ');
  as_buffer_text(&r->out, line->values);
  as_buffer_char(&r->out, '\n');
}

void as_replay_print_floats(as_replay *r, const char *key, const float *values, int64_t count) {
  as_buffer_text(&r->out, key);
  for (int64_t i = 0; i < count; i++) as_buffer_printf(&r->out, " %.9g", (double)values[i]);
  as_buffer_char(&r->out, '\n');
}

/* ---- what all files begin with ---------------------------------------------------------------------------------- */

static as_status read_size(const as_replay *r, const char *key, int64_t *out) {
  double value = 0;
  as_status status = as_replay_number(r, key, 1, MOST_FEATURES, &value);
  *out = (int64_t)value;
  return status;
}

static as_status read_matrix(as_replay *r, const char *side, int64_t rows, int64_t features, as_feature_matrix *out) {
  char key[40];
  const char *const parts[] = {"indptr", "indices", "data"};
  const as_replay_line *lines[3];
  for (int i = 0; i < 3; i++) {
    snprintf(key, sizeof key, "%s_matrix_%s", side, parts[i]);
    lines[i] = as_replay_find(r, key);
    if (!lines[i]) return as_fail(r->cli->ctx, AS_E_DATA, "%s: line 1: the file has no line '%s'", r->path, key);
  }
  int32_t *starts = NULL;
  int64_t count = 0, values = 0;
  *out = (as_feature_matrix){.rows = rows, .features = features};
  as_status status = as_replay_indices(r, lines[1], 0, features, &out->indices, &values);
  if (status == AS_OK) status = as_replay_indices(r, lines[0], 0, values + 1, &starts, &count);
  if (status == AS_OK && (count != rows + 1 || starts[0] != 0 || starts[rows] != values))
    status = as_replay_fail(r, lines[0], "does not fit the numbers of rows and of values");
  for (int64_t i = 0; status == AS_OK && i < rows; i++)
    if (starts[i] > starts[i + 1]) status = as_replay_fail(r, lines[0], "is not ascending");
  if (status == AS_OK) {
    out->starts = as_alloc(r->cli->ctx, (size_t)rows + 1, sizeof *out->starts);
    out->weights = as_alloc(r->cli->ctx, (size_t)values + 1, sizeof *out->weights);
    status = out->starts && out->weights ? AS_OK : AS_E_NOMEM;
  }
  for (int64_t i = 0; status == AS_OK && i <= rows; i++) out->starts[i] = starts[i];
  if (status == AS_OK) status = as_replay_floats(r, lines[2], 0, values, out->weights);
  as_free(r->cli->ctx, starts);
  return status;
}

/* The lines "seen U i i i", in order of U. */
static as_status read_seen(as_replay *r) {
  as_context *ctx = r->cli->ctx;
  const as_replay_line *line = as_replay_find(r, "seen");
  size_t size = 0;
  int64_t total = 0;
  r->seen_starts = as_alloc_zero(ctx, (size_t)r->users + 1, sizeof *r->seen_starts);
  as_status status = r->seen_starts ? AS_OK : AS_E_NOMEM;
  for (int64_t u = 0; status == AS_OK && u < r->users; u++, line++) {
    int32_t *items = NULL;
    int64_t count = 0;
    double user = -1;
    if (!line || line >= r->lines + r->count || strcmp(line->key, "seen") != 0)
      return as_fail(ctx, AS_E_DATA, "%s: line 1: there is no line 'seen' for each user in order", r->path);
    status = number_of(r, line, (double)u, (double)u, &user);
    if (status == AS_OK) status = as_replay_indices(r, line, 1, r->items, &items, &count);
    for (int64_t i = 1; status == AS_OK && i < count; i++)
      if (items[i] <= items[i - 1]) status = as_replay_fail(r, line, "is not ascending");
    int32_t *grown =
        status == AS_OK ? as_grow(ctx, r->seen_items, &size, (size_t)(total + count) + 1, sizeof *grown) : NULL;
    if (status == AS_OK && !grown) status = AS_E_NOMEM;
    if (grown) {
      r->seen_items = grown;
      memcpy(grown + total, items, (size_t)count * sizeof *items);
    }
    r->seen_starts[u + 1] = total += count;
    as_free(ctx, items);
  }
  return status;
}

typedef struct named_array {
  const char *name;
  float *values;
  int64_t count;
} named_array;

static void list_arrays(const as_lightfm *m, named_array arrays[12]) {
  const int64_t i = m->items.features, u = m->users.features, d = m->dim;
  const named_array all[12] = {{"item_embeddings", m->items.embeddings, i * d},
                               {"item_biases", m->items.biases, i},
                               {"user_embeddings", m->users.embeddings, u * d},
                               {"user_biases", m->users.biases, u},
                               {"item_embedding_sq", m->items.embedding_sq, i * d},
                               {"item_bias_sq", m->items.bias_sq, i},
                               {"user_embedding_sq", m->users.embedding_sq, u * d},
                               {"user_bias_sq", m->users.bias_sq, u},
                               {"item_embedding_mom", m->items.embedding_mom, i * d},
                               {"item_bias_mom", m->items.bias_mom, i},
                               {"user_embedding_mom", m->users.embedding_mom, u * d},
                               {"user_bias_mom", m->users.bias_mom, u}};
  memcpy(arrays, all, sizeof all);
}

static const named_array *find_array(const named_array arrays[12], const char *key) {
  for (int i = 0; i < 12; i++)
    if (strcmp(arrays[i].name, key) == 0) return &arrays[i];
  return NULL;
}

/* Values of the parameters; adagrad's files may have momenta, which mean nothing. */
static as_status read_parameters(as_replay *r, size_t required) {
  named_array arrays[12];
  list_arrays(r->model, arrays);
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < 12 && arrays[i].values; i++) {
    const as_replay_line *line = as_replay_find(r, arrays[i].name);
    if (line)
      status = as_replay_floats(r, line, 0, arrays[i].count, arrays[i].values);
    else if (i < required)
      status = as_fail(r->cli->ctx, AS_E_DATA, "%s: line 1: the file has no line '%s'", r->path, arrays[i].name);
  }
  return status;
}

static as_status read_model(as_replay *r, as_lightfm_schedule schedule, size_t required) {
  double dim = 0;
  as_status status = as_replay_number(r, "d", 1, AS_LIGHTFM_MOST_DIM, &dim);
  if (status == AS_OK) status = read_size(r, "users", &r->users);
  if (status == AS_OK) status = read_size(r, "items", &r->items);
  if (status == AS_OK) status = read_size(r, "user_features", &r->user_features);
  if (status == AS_OK) status = read_size(r, "item_features", &r->item_features);
  if (status == AS_OK) status = read_matrix(r, "user", r->users, r->user_features, &r->user_matrix);
  if (status == AS_OK) status = read_matrix(r, "item", r->items, r->item_features, &r->item_matrix);
  if (status == AS_OK)
    status = as_lightfm_new(r->cli->ctx, (int32_t)dim, schedule, r->item_features, r->user_features, 0, &r->model);
  if (status == AS_OK) status = read_parameters(r, required);
  if (status == AS_OK) status = read_seen(r);
  return status;
}

/* ---- updates and epochs ----------------------------------------------------------------------------------------- */

typedef struct interaction_rows {
  int64_t count;
  int32_t *users, *items;
  float *ys;
} interaction_rows;

static as_status read_run(as_replay *r, as_lightfm_exact *run) {
  const as_replay_line *loss = as_replay_find(r, "loss"), *schedule = as_replay_find(r, "schedule");
  as_lightfm_schedule by = AS_LIGHTFM_ADAGRAD;
  if (!as_lightfm_loss_find(loss->values, &run->loss) || run->loss == AS_LIGHTFM_ALS)
    return as_replay_fail(r, loss, "must be warp, warp-kos, bpr or logistic");
  if (!schedule || !as_lightfm_schedule_find(schedule->values, &by))
    return as_replay_fail(r, schedule ? schedule : loss, "'schedule' must be adagrad or adadelta");
  struct {
    const char *key;
    double most, value;
  } numbers[] = {{"learning_rate", 1e6, 0}, {"rho", 1, 0},         {"epsilon", 1e6, 0}, {"max_sampled", 1e6, 0},
                 {"item_alpha", 1e6, 0},    {"user_alpha", 1e6, 0}, {"k", 1e6, 0},       {"n", 1e6, 0},
                 {"rand_r_seed", 4294967295.0, 0}};
  as_status status = read_model(r, by, 4);
  for (size_t i = 0; status == AS_OK && i < sizeof numbers / sizeof *numbers; i++)
    status = as_replay_number(r, numbers[i].key, 0, numbers[i].most, &numbers[i].value);
  run->model = r->model;
  run->users = &r->user_matrix;
  run->items = &r->item_matrix;
  run->seen = (as_seen){r->seen_starts, r->seen_items};
  run->learning_rate = (float)numbers[0].value;
  run->rho = (float)numbers[1].value;
  run->epsilon = (float)numbers[2].value;
  run->max_sampled = (int32_t)numbers[3].value;
  run->item_alpha = numbers[4].value;
  run->user_alpha = numbers[5].value;
  run->k = (int32_t)numbers[6].value > 0 ? (int32_t)numbers[6].value : 1;
  run->n = (int32_t)numbers[7].value;
  run->random = (uint32_t)numbers[8].value;
  return status == AS_OK ? as_lightfm_exact_start(run) : status;
}

static void print_arrays(as_replay *r, const as_lightfm_exact *run, const named_array *array) {
  const bool squares = strstr(array->name, "_sq") || strstr(array->name, "_mom");
  const double scale = squares ? 1 : array->name[0] == 'i' ? run->item_scale : run->user_scale;
  as_buffer_text(&r->out, array->name);
  for (int64_t i = 0; i < array->count; i++)
    as_buffer_printf(&r->out, " %.9g", (double)(float)((double)array->values[i] / scale));
  as_buffer_char(&r->out, '\n');
}

static void print_draws(as_replay *r, const char *key, const int32_t *values, int64_t count) {
  as_buffer_text(&r->out, key);
  if (count == 0) as_buffer_char(&r->out, ' ');
  for (int64_t i = 0; i < count; i++) as_buffer_printf(&r->out, " %d", (int)values[i]);
  as_buffer_char(&r->out, '\n');
}

/* The results of a step; false if the line is none of them. */
static bool print_result(as_replay *r, const as_lightfm_exact *run, const as_exact_step *step, const char *key) {
  const struct {
    const char *key;
    double value;
    int digits;
  } numbers[] = {{"used_positive", step->positive, 0},        {"used_negative", step->negative, 0},
                 {"loss", step->loss, 17},                    {"positive_score", step->positive_score, 9},
                 {"negative_score", step->negative_score, 9}, {"item_scale", run->item_scale, 17},
                 {"user_scale", run->user_scale, 17}};
  if (strcmp(key, "kos_positives") == 0) return print_draws(r, key, step->kos_items, step->kos_count), true;
  if (strcmp(key, "negatives_drawn") == 0)
    return print_draws(r, key, run->draws, (int64_t)run->draw_count), true;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (strcmp(key, numbers[i].key) == 0) {
      as_buffer_printf(&r->out, "%s %.*g\n", key, numbers[i].digits ? numbers[i].digits : 10, numbers[i].value);
      return true;
    }
  return false;
}

/* The four inputs that stand behind "step". */
static as_status read_step(as_replay *r, int64_t at, double input[4]) {
  static const char *const keys[4] = {"user", "item", "y", "weight"};
  const double most[4] = {(double)r->users - 1, (double)r->items - 1, 1e6, 1e6};
  as_status status = AS_OK;
  for (int i = 0; status == AS_OK && i < 4; i++) {
    const as_replay_line *line = at + 1 + i < (int64_t)r->count ? &r->lines[at + 1 + i] : NULL;
    if (!line || strcmp(line->key, keys[i]) != 0) return as_replay_fail(r, &r->lines[at], "user, item, y and weight must follow");
    status = number_of(r, line, i < 2 ? 0 : -1e6, most[i], &input[i]);
  }
  return status;
}

static as_status replay_updates(as_replay *r, as_lightfm_exact *run) {
  named_array arrays[12];
  int32_t *train_items = NULL;
  as_exact_step step = {0};
  bool in_steps = false;
  as_status status = AS_OK;
  list_arrays(r->model, arrays);
  const as_replay_line *from = as_replay_find(r, "train_items");
  if (from) status = as_replay_indices(r, from, 0, r->items, &train_items, &run->train_item_count);
  run->train_items = train_items;
  for (size_t i = 0; status == AS_OK && i < r->count; i++) {
    const as_replay_line *line = &r->lines[i];
    const named_array *array = find_array(arrays, line->key);
    if (strcmp(line->key, "step") == 0) {
      double in[4];
      in_steps = true;
      status = read_step(r, (int64_t)i, in);
      if (status == AS_OK && run->loss == AS_LIGHTFM_BPR && run->train_item_count == 0)
        status = as_replay_fail(r, line, "bpr needs 'train_items'");
      if (status == AS_OK)
        status = as_lightfm_exact_step(run, (int32_t)in[0], (int32_t)in[1], (float)in[2], (float)in[3], &step);
    }
    if (in_steps && array && array->values)
      print_arrays(r, run, array);
    else if (!in_steps || !print_result(r, run, &step, line->key))
      as_replay_copy(r, line);
  }
  as_free(r->cli->ctx, train_items);
  return status;
}

static as_status read_rows(as_replay *r, interaction_rows *out) {
  const as_replay_line *users = as_replay_find(r, "row_users"), *items = as_replay_find(r, "row_items");
  const as_replay_line *ys = as_replay_find(r, "row_y");
  int64_t item_count = 0;
  if (!users || !items || !ys)
    return as_fail(r->cli->ctx, AS_E_DATA, "%s: line 1: a file of updates has lines 'step', one of epochs has lines "
                   "'row_users', 'row_items' and 'row_y'", r->path);
  as_status status = as_replay_indices(r, users, 0, r->users, &out->users, &out->count);
  if (status == AS_OK) status = as_replay_indices(r, items, 0, r->items, &out->items, &item_count);
  if (status == AS_OK && (item_count != out->count || out->count == 0))
    status = as_replay_fail(r, items, "does not have as many values as row_users");
  if (status == AS_OK) out->ys = as_alloc(r->cli->ctx, (size_t)out->count, sizeof *out->ys);
  if (status == AS_OK) status = out->ys ? as_replay_floats(r, ys, 0, out->count, out->ys) : AS_E_NOMEM;
  return status;
}

/* One epoch over the rows in the order that a line gives. */
static as_status replay_order(as_replay *r, as_lightfm_exact *run, const interaction_rows *rows, const as_replay_line *line) {
  int32_t *order = NULL;
  int64_t count = 0;
  as_exact_step step;
  as_status status = as_replay_indices(r, line, 0, rows->count, &order, &count);
  for (int64_t i = 0; status == AS_OK && i < count; i++)
    status = as_lightfm_exact_step(run, rows->users[order[i]], rows->items[order[i]], rows->ys[order[i]], 1, &step);
  if (status == AS_OK) as_lightfm_exact_regularize(run);
  as_free(r->cli->ctx, order);
  return status;
}

static as_status replay_epochs(as_replay *r, as_lightfm_exact *run) {
  named_array arrays[12];
  interaction_rows rows = {0};
  bool in_epochs = false;
  list_arrays(r->model, arrays);
  as_status status = read_rows(r, &rows);
  run->train_items = rows.items;
  run->train_item_count = rows.count;
  for (size_t i = 0; status == AS_OK && i < r->count; i++) {
    const as_replay_line *line = &r->lines[i];
    const named_array *array = find_array(arrays, line->key);
    double seed = 0;
    if (strcmp(line->key, "epoch") == 0) in_epochs = true;
    if (in_epochs && strcmp(line->key, "rand_r_seed") == 0) {
      status = number_of(r, line, 0, 4294967295.0, &seed);
      run->random = (uint32_t)seed;
    }
    if (status == AS_OK && in_epochs && strcmp(line->key, "order") == 0) status = replay_order(r, run, &rows, line);
    if (in_epochs && array && array->values)
      as_replay_print_floats(r, array->name, array->values, array->count);
    else
      as_replay_copy(r, line);
  }
  as_free(r->cli->ctx, rows.users);
  as_free(r->cli->ctx, rows.items);
  as_free(r->cli->ctx, rows.ys);
  return status;
}

static as_status replay_training(as_replay *r) {
  as_lightfm_exact run = {0};
  as_status status = read_run(r, &run);
  if (status == AS_OK) status = as_replay_find(r, "step") ? replay_updates(r, &run) : replay_epochs(r, &run);
  as_lightfm_exact_end(&run);
  return status;
}

static void replay_free(as_replay *r) {
  as_context *ctx = r->cli->ctx;
  as_feature_matrix_free(ctx, &r->user_matrix);
  as_feature_matrix_free(ctx, &r->item_matrix);
  as_lightfm_free(r->model);
  as_free(ctx, r->seen_starts);
  as_free(ctx, r->seen_items);
  as_free(ctx, r->lines);
  as_free(ctx, r->text);
  as_buffer_free(&r->out);
}

static int run(as_cli *cli) {
  as_replay r = {.cli = cli, .path = cli->arguments->operands[0]};
  as_buffer_init(&r.out, cli->ctx);
  as_status status = read_lines(&r);
  if (status == AS_OK && as_replay_find(&r, "loss")) {
    status = replay_training(&r);
  } else if (status == AS_OK) {
    status = read_model(&r, AS_LIGHTFM_ADAGRAD, 4);
    if (status == AS_OK) status = as_replay_predict(&r);
  }
  if (status == AS_OK) status = as_buffer_status(&r.out);
  if (status == AS_OK) as_console_buffer(cli->console, &r.out);
  replay_free(&r);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_inspect_lightfm = {
    .name = "inspect lightfm",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .operand = AS_OPERAND_FILE,
    .summary = "replay LightFM's updates, epochs or predictions from a file",
    .description =
        "FILE has one \"key value value ...\" a line: sizes, hyper-parameters, feature matrices and parameters, then "
        "single updates (`step`), whole epochs (`epoch`, `order`) or customers with scores, ranks and metrics. The "
        "same lines are printed in the same order: inputs as they were read, results as this program computes them, "
        "with LightFM 1.17's draws and roundings.",
    .examples = "assistify inspect lightfm warp_adagrad.txt | diff - warp_adagrad.txt",
    .run = run,
};
