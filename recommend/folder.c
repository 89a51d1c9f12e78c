/* A recommender's folder:
 *   config.json          model_type "lightfm", how it was trained, types and weights, calibration, further columns
 *   model.safetensors    parameters and the optimiser's state; features as compressed rows; all interactions
 *   products.csv         product_id, name, category, price and the further columns, in the order of the numbers
 *   customers.csv        customer_id, likewise
 *   features.csv         the names of the features behind the products' own
 *   metrics.json         what its recipe reached on rows held back (recommend/validate.h), if that was measured
 *
 * Invariant: nothing from the folder is used before it was checked against the rest; a reader finds the old folder or
 * the new one, whole. */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/csv_write.h"
#include "models/config.h"
#include "models/safetensors.h"
#include "recommend/recommender.h"

#define MODEL_TYPE "lightfm"
#define METRICS "metrics.json"
#define LARGEST_METRICS ((size_t)1 << 20) /* bytes */

static const as_config_choice losses[] = {{"warp", AS_LIGHTFM_WARP}, {"warp-kos", AS_LIGHTFM_WARP_KOS},
                                          {"bpr", AS_LIGHTFM_BPR},   {"logistic", AS_LIGHTFM_LOGISTIC},
                                          {"als", AS_LIGHTFM_ALS},   {NULL, 0}};
static const as_config_choice schedules[] = {
    {"adagrad", AS_LIGHTFM_ADAGRAD}, {"adadelta", AS_LIGHTFM_ADADELTA}, {NULL, 0}};

#define FIELD(field) offsetof(as_recommend_settings, field)
static const as_config_field fields[] = {
    {"loss", AS_CONFIG_CHOICE, FIELD(loss), AS_LIGHTFM_WARP, 0, 0, losses},
    {"schedule", AS_CONFIG_CHOICE, FIELD(schedule), AS_LIGHTFM_ADAGRAD, 0, 0, schedules},
    {"dim", AS_CONFIG_INT, FIELD(dim), 32, 1, AS_LIGHTFM_MOST_DIM, NULL},
    {"epochs", AS_CONFIG_INT, FIELD(epochs), 30, 0, 1e9, NULL},
    {"max_sampled", AS_CONFIG_INT, FIELD(max_sampled), 10, 1, 1024, NULL},
    {"k", AS_CONFIG_INT, FIELD(k), 5, 1, 1024, NULL},
    {"n", AS_CONFIG_INT, FIELD(n), 10, 1, 1024, NULL},
    {"seed", AS_CONFIG_INT, FIELD(seed), 1, 0, 9e15, NULL},
    {"learning_rate", AS_CONFIG_FLOAT, FIELD(learning_rate), 0.05, 1e-9, 1e3, NULL},
    {"rho", AS_CONFIG_FLOAT, FIELD(rho), 0.95, 0, 0.999999, NULL},
    {"epsilon", AS_CONFIG_FLOAT, FIELD(epsilon), 1e-6, 1e-12, 1, NULL},
    {"item_alpha", AS_CONFIG_FLOAT, FIELD(item_alpha), 0, 0, 1e9, NULL},
    {"user_alpha", AS_CONFIG_FLOAT, FIELD(user_alpha), 0, 0, 1e9, NULL},
    {"confidence", AS_CONFIG_FLOAT, FIELD(confidence), 1, 0, 1e6, NULL},
    {"half_life", AS_CONFIG_FLOAT, FIELD(half_life), 0, 0, 1e9, NULL},
    {"compat_lightfm", AS_CONFIG_BOOL, FIELD(compat), 0, 0, 0, NULL},
    {"builtin_features", AS_CONFIG_INT, FIELD(features), 0, 0, 7, NULL},
};
enum { FIELDS = sizeof fields / sizeof *fields };
#undef FIELD

/* Only in the folder of a run that was interrupted. */
#define FIELD(field) offsetof(as_recommend_run, field)
static const as_config_choice phases[] = {{"trained", AS_RECOMMEND_TRAINED},
                                          {"calibrating", AS_RECOMMEND_CALIBRATING},
                                          {"learning", AS_RECOMMEND_LEARNING},
                                          {NULL, 0}};
static const as_config_field run_fields[] = {
    {"run_phase", AS_CONFIG_CHOICE, FIELD(phase), AS_RECOMMEND_TRAINED, 0, 0, phases},
    {"run_epochs", AS_CONFIG_INT, FIELD(epochs), 0, 0, 1e9, NULL},
    {"run_seed", AS_CONFIG_INT, FIELD(seed), 0, 0, 9e15, NULL},
    {"run_holdout", AS_CONFIG_INT, FIELD(holdout), 0, 0, 3, NULL},
    {"run_epoch", AS_CONFIG_INT, FIELD(epoch), 0, 0, 1e9, NULL},
    {"run_row", AS_CONFIG_INT, FIELD(row), 0, 0, 9e15, NULL},
    {"run_hogwild", AS_CONFIG_BOOL, FIELD(hogwild), 0, 0, 0, NULL},
};
enum { RUN_FIELDS = sizeof run_fields / sizeof *run_fields };
#undef FIELD

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static as_status write_config(const as_recommender *r, const char *folder) {
  json_t *root = json_object(), *types = json_object(), *order = json_array(), *columns = json_array();
  bool ok = root && types && order && columns && json_object_set_new(root, "model_type", json_string(MODEL_TYPE)) == 0;
  ok = ok && as_config_store_fields(root, fields, FIELDS, &r->settings);
  if (r->run.phase != AS_RECOMMEND_TRAINED) ok = ok && as_config_store_fields(root, run_fields, RUN_FIELDS, &r->run);
  for (int i = 0; ok && i < r->types.count; i++) {
    ok = json_object_set_new(types, r->types.names[i], json_real(r->types.weights[i])) == 0;
    ok = ok && json_array_append_new(order, json_string(r->types.names[i])) == 0;
  }
  for (size_t c = 0; ok && c < r->products->column_names.count; c++)
    ok = json_array_append_new(columns, json_string(as_text_block_get(&r->products->column_names, c, NULL))) == 0;
  ok = ok && json_object_set(root, "interaction_weights", types) == 0;
  ok = ok && json_object_set(root, "interaction_types", order) == 0;
  ok = ok && json_object_set(root, "feature_columns", columns) == 0;
  ok = ok && json_object_set_new(root, "calibrated", json_boolean(r->calibrated)) == 0;
  ok = ok && json_object_set_new(root, "calibration_slope", json_real(r->platt.slope)) == 0;
  ok = ok && json_object_set_new(root, "calibration_intercept", json_real(r->platt.intercept)) == 0;
  as_status status = ok ? as_config_write(r->ctx, folder, root)
                        : as_fail(r->ctx, AS_E_NOMEM, "out of memory: the recommender's config.json");
  json_decref(root);
  json_decref(types);
  json_decref(order);
  json_decref(columns);
  return status;
}

static as_status write_text(const as_recommender *r, const char *folder, const char *name, const as_buffer *text) {
  char *path = as_path_join(r->ctx, folder, name);
  as_status status = path ? as_buffer_status(text) : AS_E_NOMEM;
  if (status == AS_OK) status = as_file_write(r->ctx, path, text->data, text->length);
  as_free(r->ctx, path);
  return status;
}

static as_status write_metrics(const as_recommender *r, const char *folder) {
  as_buffer text;
  if (!r->metrics) return AS_OK;
  as_buffer_init(&text, r->ctx);
  as_buffer_text(&text, r->metrics);
  as_status status = write_text(r, folder, METRICS, &text);
  as_buffer_free(&text);
  return status;
}

/* A file of one column. */
static as_status write_names(const as_recommender *r, const char *folder, const char *file, const char *header,
                             const as_text_block *names) {
  as_buffer out;
  as_buffer_init(&out, r->ctx);
  as_csv_field field = as_csv_text(header);
  as_csv_append_row(&out, &field, 1, ',');
  for (size_t i = 0; i < names->count; i++) {
    field.text = as_text_block_get(names, i, &field.length);
    as_csv_append_row(&out, &field, 1, ',');
  }
  as_status status = write_text(r, folder, file, &out);
  as_buffer_free(&out);
  return status;
}

static as_status write_products(const as_recommender *r, const char *folder) {
  const as_products *p = r->products;
  const size_t columns = p->column_names.count;
  as_csv_field *row = as_alloc(r->ctx, 4 + columns, sizeof *row);
  if (!row) return AS_E_NOMEM;
  as_buffer out;
  as_buffer_init(&out, r->ctx);
  const char *const names[] = {"product_id", "name", "category", "price"};
  for (int i = 0; i < 4; i++) row[i] = as_csv_text(names[i]);
  for (size_t c = 0; c < columns; c++) row[4 + c].text = as_text_block_get(&p->column_names, c, &row[4 + c].length);
  as_csv_append_row(&out, row, 4 + columns, ',');
  for (size_t i = 0; i < p->ids.count; i++) {
    char price[32] = "";
    if (p->prices[i] >= 0)
      snprintf(price, sizeof price, "%" PRId64 ".%02d", p->prices[i] / 100, (int)(p->prices[i] % 100));
    row[0].text = as_text_block_get(&p->ids, i, &row[0].length);
    row[1].text = as_text_block_get(&p->names, i, &row[1].length);
    row[2].text = as_text_block_get(&p->categories, i, &row[2].length);
    row[3] = as_csv_text(price);
    for (size_t c = 0; c < columns; c++) row[4 + c].text = as_text_block_get(&p->columns[c], i, &row[4 + c].length);
    as_csv_append_row(&out, row, 4 + columns, ',');
  }
  as_status status = write_text(r, folder, "products.csv", &out);
  as_buffer_free(&out);
  as_free(r->ctx, row);
  return status;
}

/* One of the model's arrays as a tensor. */
typedef struct side_tensor {
  const char *name;
  float **data;
  bool matrix;
} side_tensor;

static size_t list_side(as_lightfm_side *side, bool items, side_tensor out[6]) {
  const side_tensor all[2][6] = {{{"user_embeddings", &side->embeddings, true},
                                  {"user_biases", &side->biases, false},
                                  {"user_embedding_sq", &side->embedding_sq, true},
                                  {"user_bias_sq", &side->bias_sq, false},
                                  {"user_embedding_mom", &side->embedding_mom, true},
                                  {"user_bias_mom", &side->bias_mom, false}},
                                 {{"item_embeddings", &side->embeddings, true},
                                  {"item_biases", &side->biases, false},
                                  {"item_embedding_sq", &side->embedding_sq, true},
                                  {"item_bias_sq", &side->bias_sq, false},
                                  {"item_embedding_mom", &side->embedding_mom, true},
                                  {"item_bias_mom", &side->bias_mom, false}}};
  memcpy(out, all[items], sizeof all[items]);
  return side->embedding_mom ? 6 : 4;
}

/* The interactions as columns. */
typedef struct interaction_columns {
  int32_t *products;
  uint32_t *times;
  uint8_t *types;
} interaction_columns;

static void columns_free(as_context *ctx, interaction_columns *c) {
  as_free(ctx, c->products);
  as_free(ctx, c->times);
  as_free(ctx, c->types);
}

static as_status make_columns(as_context *ctx, const as_interactions *t, interaction_columns *c) {
  const int64_t rows = as_interactions_count(t);
  c->products = as_alloc(ctx, (size_t)rows, sizeof *c->products);
  c->times = as_alloc(ctx, (size_t)rows, sizeof *c->times);
  c->types = as_alloc(ctx, (size_t)rows, sizeof *c->types);
  if (!c->products || !c->times || !c->types) return AS_E_NOMEM;
  for (int64_t i = 0; i < rows; i++) {
    c->products[i] = t->rows[i].product;
    c->times[i] = t->rows[i].time;
    c->types[i] = (uint8_t)t->rows[i].type;
  }
  return AS_OK;
}

static as_status write_tensors(const as_recommender *r, const char *folder) {
  as_safetensors_item items[24];
  side_tensor tensors[6];
  interaction_columns c = {0};
  size_t n = 0;
  for (int side = 0; side < 2; side++) {
    as_lightfm_side *s = side ? &r->model->items : &r->model->users;
    const size_t count = list_side(s, side == 1, tensors);
    for (size_t i = 0; i < count; i++)
      items[n++] = (as_safetensors_item){.name = tensors[i].name,
                                         .type = AS_STORED_F32,
                                         .ndim = tensors[i].matrix ? 2 : 1,
                                         .shape = {s->features, r->model->dim},
                                         .data = *tensors[i].data};
  }
  const as_feature_matrix *f = &r->features.matrix;
  if (f->starts) {
    const int64_t values = f->starts[f->rows];
    items[n++] = (as_safetensors_item){
        .name = "item_features.starts", .type = AS_STORED_I64, .ndim = 1, .shape = {f->rows + 1}, .data = f->starts};
    items[n++] = (as_safetensors_item){
        .name = "item_features.indices", .type = AS_STORED_I32, .ndim = 1, .shape = {values}, .data = f->indices};
    items[n++] = (as_safetensors_item){
        .name = "item_features.weights", .type = AS_STORED_F32, .ndim = 1, .shape = {values}, .data = f->weights};
  }
  const int64_t rows = as_interactions_count(r->interactions), customers = as_interactions_customers(r->interactions);
  as_status status = make_columns(r->ctx, r->interactions, &c);
  items[n++] = (as_safetensors_item){.name = "interactions.starts",
                                     .type = AS_STORED_I64,
                                     .ndim = 1,
                                     .shape = {customers + 1},
                                     .data = r->interactions->starts};
  items[n++] = (as_safetensors_item){
      .name = "interactions.products", .type = AS_STORED_I32, .ndim = 1, .shape = {rows}, .data = c.products};
  items[n++] = (as_safetensors_item){
      .name = "interactions.times", .type = AS_STORED_U32, .ndim = 1, .shape = {rows}, .data = c.times};
  items[n++] = (as_safetensors_item){
      .name = "interactions.types", .type = AS_STORED_U8, .ndim = 1, .shape = {rows}, .data = c.types};
  char *path = as_path_join(r->ctx, folder, "model.safetensors");
  if (status == AS_OK) status = path ? as_safetensors_write(r->ctx, path, items, n) : AS_E_NOMEM;
  columns_free(r->ctx, &c);
  as_free(r->ctx, path);
  return status;
}

as_status as_recommender_save(const as_recommender *r, const char *folder) {
  as_buffer fresh;
  as_buffer_init(&fresh, r->ctx);
  size_t length = strlen(folder);
  while (length > 1 && folder[length - 1] == '/') length--;
  as_buffer_printf(&fresh, "%.*s.tmp-%ld", (int)length, folder, (long)getpid());
  as_status status = as_buffer_status(&fresh);
  const char *path = as_buffer_string(&fresh);
  if (status == AS_OK) status = as_folder_remove(r->ctx, path);
  if (status == AS_OK) status = as_make_folders(r->ctx, path);
  if (status == AS_OK) status = write_tensors(r, path);
  if (status == AS_OK) status = write_products(r, path);
  if (status == AS_OK) status = write_names(r, path, "customers.csv", "customer_id", &r->interactions->customers);
  if (status == AS_OK) status = write_names(r, path, "features.csv", "feature", &r->features.names);
  if (status == AS_OK) status = write_metrics(r, path);
  if (status == AS_OK) status = write_config(r, path);
  if (status == AS_OK) status = as_folder_replace(r->ctx, path, folder);
  if (status != AS_OK && *path) {
    const as_status removed = as_folder_remove(r->ctx, path);
    (void)removed; /* the first error is the one to tell */
  }
  as_buffer_free(&fresh);
  return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct opening {
  as_context *ctx;
  as_recommender *r;
  const char *folder;
  as_model_config config;
  as_safetensors *file;
  char *tensors; /* path */
} opening;

/* What the CSV readers call a data error is a model's here; the text names file and line already. */
static as_status as_model_error(as_status status) {
  return status == AS_E_DATA ? AS_E_MODEL : status;
}

static as_status fail_config(const opening *o, const char *field, const char *what) {
  return as_fail(o->ctx, AS_E_MODEL, "%s: %s: %s", o->config.path, field, what);
}

static as_status read_number(const opening *o, const char *field, double *out) {
  const json_t *value = json_object_get(o->config.root, field);
  if (!json_is_number(value)) return fail_config(o, field, "must be a number");
  *out = json_number_value(value);
  return AS_OK;
}

static as_status read_types(opening *o) {
  const json_t *order = json_object_get(o->config.root, "interaction_types");
  const json_t *weights = json_object_get(o->config.root, "interaction_weights");
  as_interaction_types *types = &o->r->types;
  if (!json_is_array(order) || json_array_size(order) > AS_MOST_INTERACTION_TYPES || json_array_size(order) == 0)
    return fail_config(o, "interaction_types", "must be a list of names");
  for (size_t i = 0; i < json_array_size(order); i++) {
    const char *name = json_string_value(json_array_get(order, i));
    const json_t *weight = name ? json_object_get(weights, name) : NULL;
    if (!name || strlen(name) > AS_INTERACTION_TYPE_LENGTH || !json_is_number(weight) ||
        !(json_number_value(weight) >= 0) || as_interaction_type_find(types, name, strlen(name)) >= 0)
      return fail_config(o, "interaction_weights", "must have a weight from 0 up for each of interaction_types");
    strcpy(types->names[types->count], name);
    types->weights[types->count++] = json_number_value(weight);
  }
  return AS_OK;
}

static as_status read_config(opening *o) {
  const char *type = NULL;
  as_status status = as_model_config_read(o->ctx, o->folder, &o->config);
  if (status == AS_OK) status = as_model_config_text(&o->config, "model_type", &type);
  if (status == AS_OK && strcmp(type, MODEL_TYPE) != 0)
    status = fail_config(o, "model_type", "must be \"" MODEL_TYPE "\"; this folder is not a recommender's");
  if (status == AS_OK) status = as_config_read_fields(&o->config, fields, FIELDS, &o->r->settings);
  if (status == AS_OK) status = as_config_read_fields(&o->config, run_fields, RUN_FIELDS, &o->r->run);
  if (status == AS_OK) status = read_number(o, "calibration_slope", &o->r->platt.slope);
  if (status == AS_OK) status = read_number(o, "calibration_intercept", &o->r->platt.intercept);
  o->r->calibrated = json_is_true(json_object_get(o->config.root, "calibrated"));
  return status == AS_OK ? read_types(o) : status;
}

static as_status read_products(opening *o) {
  const json_t *columns = json_object_get(o->config.root, "feature_columns");
  const size_t count = json_array_size(columns);
  const char **names = as_alloc(o->ctx, count, sizeof *names);
  char *path = as_path_join(o->ctx, o->folder, "products.csv");
  as_status status = names && path ? AS_OK : AS_E_NOMEM;
  for (size_t i = 0; status == AS_OK && i < count; i++)
    if (!(names[i] = json_string_value(json_array_get(columns, i))))
      status = fail_config(o, "feature_columns", "must be a list of names");
  const as_product_options options = {.columns = names, .column_count = count};
  if (status == AS_OK) status = as_model_error(as_products_read(o->ctx, path, &options, &o->r->products));
  as_free(o->ctx, names);
  as_free(o->ctx, path);
  return status;
}

/* Nothing of it is used but to be written again. */
static as_status read_metrics(const opening *o) {
  json_t *root = NULL;
  size_t length;
  char *path = as_path_join(o->ctx, o->folder, METRICS);
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(path)) {
    status = as_file_read(o->ctx, path, LARGEST_METRICS, AS_E_MODEL, &o->r->metrics, &length);
    if (status == AS_OK) status = as_json_parse(o->ctx, o->r->metrics, length, path, AS_E_MODEL, &root);
    if (status == AS_OK && !json_is_object(root))
      status = as_fail(o->ctx, AS_E_MODEL, "%s: is no JSON object", path);
  }
  json_decref(root);
  as_free(o->ctx, path);
  return status;
}

/* A file of one column into texts that are all different. */
static as_status read_names(opening *o, const char *file, const char *header, as_text_block *names,
                            as_text_index *index) {
  as_csv_reader *csv = NULL;
  const as_csv_row *row;
  size_t column;
  char *path = as_path_join(o->ctx, o->folder, file);
  as_status status = path ? as_csv_open(o->ctx, path, NULL, &csv) : AS_E_NOMEM;
  if (status == AS_OK) status = as_csv_column(csv, header, &column);
  while (status == AS_OK) {
    status = as_csv_next(csv, &row);
    if (status != AS_OK || !row) break;
    uint64_t number;
    const as_csv_field *field = &row->fields[column];
    if (row->problem != AS_PROBLEM_NONE)
      status = as_csv_fail_row(csv, row);
    else if (!as_text_index_put(o->ctx, index, names, field->text, field->length, names->count, &number))
      status = AS_E_NOMEM;
    else if (number != UINT64_MAX)
      status = as_fail(o->ctx, AS_E_MODEL, "%s: line %llu: stands there twice", path, (unsigned long long)row->line);
    else if (!as_text_block_add(o->ctx, names, field->text, field->length))
      status = AS_E_NOMEM;
  }
  as_csv_close(csv);
  as_free(o->ctx, path);
  return as_model_error(status);
}

/* The bytes of a tensor that must have this type and shape. */
static as_status find_tensor(const opening *o, const char *name, as_stored_type type, int ndim, int64_t first,
                             int64_t second, const unsigned char **data) {
  size_t index;
  if (!as_safetensors_find(o->file, name, &index))
    return as_fail(o->ctx, AS_E_MODEL, "%s: tensor %s: is not there", o->tensors, name);
  const as_stored_tensor *t = as_safetensors_tensor(o->file, index);
  const int64_t shape[2] = {first, second};
  if (t->type != type || !as_shape_equal(t->ndim, t->shape, ndim, shape)) {
    char have[AS_SHAPE_TEXT], want[AS_SHAPE_TEXT];
    return as_fail(o->ctx, AS_E_MODEL, "%s: tensor %s: is %s %s, but must be %s %s", o->tensors, name,
                   as_stored_type_name(t->type), as_shape_text(have, t->ndim, t->shape), as_stored_type_name(type),
                   as_shape_text(want, ndim, shape));
  }
  *data = as_safetensors_data(o->file, index);
  return AS_OK;
}

static as_status read_floats(const opening *o, const char *name, int ndim, int64_t first, int64_t second, float *out) {
  const unsigned char *data;
  as_status status = find_tensor(o, name, AS_STORED_F32, ndim, first, second, &data);
  if (status != AS_OK) return status;
  const size_t count = (size_t)(ndim == 2 ? first * second : first);
  float sum = 0;
  memcpy(out, data, count * sizeof *out);
  for (size_t i = 0; i < count; i++) sum += out[i] - out[i];
  if (sum == 0) return AS_OK;
  return as_fail(o->ctx, AS_E_MODEL, "%s: tensor %s: has a value that is not finite", o->tensors, name);
}

/* Starts of compressed rows: 0 first, never falling. The last one is how many values there are. */
static as_status read_starts(const opening *o, const char *name, int64_t rows, int64_t **out) {
  const unsigned char *data;
  as_status status = find_tensor(o, name, AS_STORED_I64, 1, rows + 1, 0, &data);
  if (status != AS_OK) return status;
  int64_t *starts = *out = as_alloc(o->ctx, (size_t)rows + 1, sizeof *starts);
  if (!starts) return AS_E_NOMEM;
  memcpy(starts, data, ((size_t)rows + 1) * sizeof *starts);
  bool ok = starts[0] == 0;
  for (int64_t i = 0; ok && i < rows; i++) ok = starts[i] <= starts[i + 1];
  return ok ? AS_OK : as_fail(o->ctx, AS_E_MODEL, "%s: tensor %s: does not begin with 0 and ascend", o->tensors, name);
}

static as_status read_features(opening *o) {
  as_feature_matrix *f = &o->r->features.matrix;
  const int64_t products = as_products_count(o->r->products);
  const unsigned char *data;
  size_t index;
  *f = as_feature_identity(products);
  if (o->r->features.names.count == 0 && !as_safetensors_find(o->file, "item_features.starts", &index)) return AS_OK;
  f->features = products + (int64_t)o->r->features.names.count;
  as_status status = read_starts(o, "item_features.starts", products, &f->starts);
  const int64_t values = status == AS_OK ? f->starts[products] : 0;
  if (status == AS_OK) status = find_tensor(o, "item_features.indices", AS_STORED_I32, 1, values, 0, &data);
  if (status != AS_OK) return status;
  f->indices = as_alloc(o->ctx, (size_t)values, sizeof *f->indices);
  f->weights = as_alloc(o->ctx, (size_t)values, sizeof *f->weights);
  if (!f->indices || !f->weights) return AS_E_NOMEM;
  memcpy(f->indices, data, (size_t)values * sizeof *f->indices);
  for (int64_t i = 0; i < values; i++)
    if (f->indices[i] < 0 || f->indices[i] >= f->features)
      return as_fail(o->ctx, AS_E_MODEL, "%s: tensor item_features.indices: names a feature that is not there",
                     o->tensors);
  return read_floats(o, "item_features.weights", 1, values, 0, f->weights);
}

static as_status read_model(opening *o) {
  as_recommender *r = o->r;
  as_status status = as_lightfm_new(o->ctx, (int32_t)r->settings.dim, (as_lightfm_schedule)r->settings.schedule,
                                    r->features.matrix.features, as_interactions_customers(r->interactions),
                                    (uint64_t)r->settings.seed, &r->model);
  for (int side = 0; status == AS_OK && side < 2; side++) {
    as_lightfm_side *s = side ? &r->model->items : &r->model->users;
    side_tensor tensors[6];
    const size_t count = list_side(s, side == 1, tensors);
    for (size_t i = 0; status == AS_OK && i < count; i++)
      status = read_floats(o, tensors[i].name, tensors[i].matrix ? 2 : 1, s->features,
                           tensors[i].matrix ? r->model->dim : 0, *tensors[i].data);
  }
  return status;
}

static as_status check_rows(const opening *o) {
  const as_interactions *t = o->r->interactions;
  const int64_t products = as_products_count(o->r->products);
  for (int64_t c = 0; c < as_interactions_customers(t); c++)
    for (int64_t i = t->starts[c]; i < t->starts[c + 1]; i++) {
      const as_interaction *row = &t->rows[i];
      if (row->product < 0 || row->product >= products || (int)row->type >= o->r->types.count)
        return as_fail(o->ctx, AS_E_MODEL, "%s: tensor interactions.%s: names one that is not there", o->tensors,
                       (int)row->type >= o->r->types.count ? "types" : "products");
      if (i > t->starts[c] && row->time < row[-1].time)
        return as_fail(o->ctx, AS_E_MODEL, "%s: tensor interactions.times: a customer's rows are not in order",
                       o->tensors);
    }
  return AS_OK;
}

static as_status read_interactions(opening *o) {
  const unsigned char *products, *times, *types;
  as_interactions *t = o->r->interactions = as_alloc_zero(o->ctx, 1, sizeof *t);
  if (!t) return AS_E_NOMEM;
  t->ctx = o->ctx;
  as_status status = read_names(o, "customers.csv", "customer_id", &t->customers, &t->index);
  if (status == AS_OK) status = read_starts(o, "interactions.starts", (int64_t)t->customers.count, &t->starts);
  const int64_t rows = status == AS_OK ? as_interactions_count(t) : 0;
  if (status == AS_OK) status = find_tensor(o, "interactions.products", AS_STORED_I32, 1, rows, 0, &products);
  if (status == AS_OK) status = find_tensor(o, "interactions.times", AS_STORED_U32, 1, rows, 0, &times);
  if (status == AS_OK) status = find_tensor(o, "interactions.types", AS_STORED_U8, 1, rows, 0, &types);
  if (status != AS_OK) return status;
  t->rows = as_alloc(o->ctx, (size_t)rows, sizeof *t->rows);
  if (!t->rows) return AS_E_NOMEM;
  for (int64_t i = 0; i < rows; i++) {
    as_interaction *row = &t->rows[i];
    memcpy(&row->product, products + i * 4, 4);
    memcpy(&row->time, times + i * 4, 4);
    row->type = types[i];
    if (i == 0 || row->time < t->oldest) t->oldest = row->time;
    if (i == 0 || row->time > t->newest) t->newest = row->time;
  }
  return check_rows(o);
}

static as_status open_folder(as_context *ctx, const char *folder, bool trained, as_recommender **out) {
  opening o = {.ctx = ctx, .folder = folder};
  *out = NULL;
  o.r = as_alloc_zero(ctx, 1, sizeof *o.r);
  if (!o.r) return AS_E_NOMEM;
  o.r->ctx = ctx;
  o.tensors = as_path_join(ctx, folder, "model.safetensors");
  as_status status = o.tensors ? read_config(&o) : AS_E_NOMEM;
  if (status == AS_OK && trained != (o.r->run.phase == AS_RECOMMEND_TRAINED))
    status = fail_config(&o, "run_phase",
                         trained ? "the training was interrupted; go on with --resume"
                                 : "the training is done; there is nothing to go on with");
  if (status == AS_OK) status = as_safetensors_open(ctx, o.tensors, &o.file);
  if (status == AS_OK) status = read_products(&o);
  if (status == AS_OK) status = read_names(&o, "features.csv", "feature", &o.r->features.names, &o.r->features.index);
  if (status == AS_OK) status = read_interactions(&o);
  if (status == AS_OK) status = read_features(&o);
  if (status == AS_OK) status = read_model(&o);
  if (status == AS_OK) status = read_metrics(&o);
  if (status == AS_OK && trained) status = as_recommender_prepare(o.r);
  as_model_config_free(&o.config);
  as_safetensors_close(o.file);
  as_free(ctx, o.tensors);
  if (status != AS_OK) {
    as_recommender_free(o.r);
    return status;
  }
  *out = o.r;
  return AS_OK;
}

as_status as_recommender_open(as_context *ctx, const char *folder, as_recommender **out) {
  return open_folder(ctx, folder, true, out);
}

as_status as_recommender_open_unfinished(as_context *ctx, const char *folder, as_recommender **out) {
  return open_folder(ctx, folder, false, out);
}
