/* inspect model: what a model folder holds, after opening it as any other command would: the sizes of the model, its
 * config.json, its labels, and every tensor of its files with type, shape and what its values are like.
 *
 * First everything is gathered, then it is written: for a person or as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/columns.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/inspect.h"
#include "models/checkpoint.h"

enum { PAGE_WIDTH = 80, NAME_WIDTH = 28 };

/* What the values of a tensor are like. */
typedef struct statistics {
  bool known; /* false: not numbers that can be read as floats, or none */
  float min, max;
  double norm, mean; /* norm: square root of the sum of squares */
} statistics;

typedef struct tensor_row {
  const as_stored_tensor *stored; /* borrowed from the checkpoint */
  const char *file;               /* its path there */
  bool used;                      /* part of the model */
  statistics values;
} tensor_row;

typedef struct file_row {
  const char *path; /* borrowed from the checkpoint */
  int64_t bytes;
} file_row;

typedef struct findings {
  as_context *ctx;
  const char *folder;
  as_inspected inspected;
  as_model_config config;
  as_checkpoint *checkpoint;
  tensor_row *tensors; /* [count], ordered by name */
  size_t count;
  file_row *files; /* [file_count] */
  size_t file_count, file_capacity;
  as_inspect_size sizes[AS_INSPECT_MAX_SIZES];
  size_t size_count;
  int64_t parameters, bytes_on_disk; /* of the tensors that are part of the model; of the files */
  size_t used;
} findings;

/* ---- gathering ---------------------------------------------------------------------------------------------- */

static statistics statistics_of(const float *x, int64_t count) {
  if (count == 0) return (statistics){0};
  statistics s = {.known = true, .min = x[0], .max = x[0]};
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; i++) {
    s.min = x[i] < s.min ? x[i] : s.min;
    s.max = x[i] > s.max ? x[i] : s.max;
    sum += (double)x[i];
    squares += (double)x[i] * (double)x[i];
  }
  s.norm = sqrt(squares);
  s.mean = sum / (double)count;
  return s;
}

/* Whether some tensor's name begins with the prefix; else the file leaves it out (models/checkpoint.h). */
static bool has_prefix(const as_checkpoint *checkpoint, const char *prefix) {
  for (size_t i = 0; i < as_checkpoint_count(checkpoint); i++)
    if (strncmp(as_checkpoint_tensor(checkpoint, i)->name, prefix, strlen(prefix)) == 0) return true;
  return false;
}

/* The number of the model's parameter that a tensor of the file is, -1 if none. */
static int find_parameter(const as_parameters *parameters, const char *prefix, bool prefixed, const char *name) {
  char full[AS_PARAMETER_NAME_MAX];
  int index = as_parameters_find(parameters, name);
  if (index >= 0 || prefixed) return index;
  if (snprintf(full, sizeof full, "%s%s", prefix, name) >= (int)sizeof full) return -1;
  return as_parameters_find(parameters, full);
}

/* A tensor that is no part of the model need not be readable: then a warning says why, and nothing is known of it. */
static as_status read_unused(findings *f, size_t index, statistics *values) {
  const as_stored_tensor *stored = as_checkpoint_tensor(f->checkpoint, index);
  if (!as_stored_type_is_float(stored->type)) return AS_OK;
  float *out = as_alloc(f->ctx, (size_t)stored->elements, sizeof *out);
  if (!out) return AS_E_NOMEM;
  as_status status = as_checkpoint_read_f32(f->checkpoint, index, out);
  if (status == AS_OK) *values = statistics_of(out, stored->elements);
  as_free(f->ctx, out);
  if (status != AS_E_MODEL) return status;
  as_warn(f->ctx, "%s", as_error_text(f->ctx));
  return AS_OK;
}

static as_status gather_file(findings *f, const char *path) {
  struct stat info;
  for (size_t i = 0; i < f->file_count; i++)
    if (strcmp(f->files[i].path, path) == 0) return AS_OK;
  if (stat(path, &info) != 0) return as_fail(f->ctx, AS_E_MODEL, "%s: is not there any more", path);
  file_row *grown = as_grow(f->ctx, f->files, &f->file_capacity, f->file_count + 1, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  f->files = grown;
  f->files[f->file_count++] = (file_row){path, (int64_t)info.st_size};
  f->bytes_on_disk += (int64_t)info.st_size;
  return AS_OK;
}

static as_status gather_tensors(findings *f) {
  const as_parameters *parameters = f->inspected.kind->parameters(f->inspected.model);
  const char *prefix = f->inspected.kind->prefix(f->inspected.model);
  const bool prefixed = has_prefix(f->checkpoint, prefix);
  as_status status = AS_OK;
  f->count = as_checkpoint_count(f->checkpoint);
  f->tensors = as_alloc_zero(f->ctx, f->count, sizeof *f->tensors);
  if (!f->tensors) return AS_E_NOMEM;
  for (size_t i = 0; status == AS_OK && i < f->count; i++) {
    tensor_row *t = &f->tensors[i];
    *t = (tensor_row){.stored = as_checkpoint_tensor(f->checkpoint, i), .file = as_checkpoint_file(f->checkpoint, i)};
    int index = find_parameter(parameters, prefix, prefixed, t->stored->name);
    t->used = index >= 0;
    f->used += t->used;
    f->parameters += t->used ? t->stored->elements : 0;
    if (t->used)
      t->values = statistics_of(as_parameter_weights(parameters, index), t->stored->elements);
    else
      status = read_unused(f, i, &t->values);
    if (status == AS_OK) status = gather_file(f, t->file);
  }
  return status;
}

static as_status gather(findings *f) {
  as_status status = as_inspect_open(f->ctx, f->folder, AS_INSPECT_MODEL, &f->inspected);
  if (status == AS_OK) status = as_model_config_read(f->ctx, f->folder, &f->config);
  if (status == AS_OK) status = as_checkpoint_open(f->ctx, f->folder, &f->checkpoint);
  if (status == AS_OK) status = gather_tensors(f);
  if (status == AS_OK) f->size_count = f->inspected.kind->sizes(f->inspected.model, f->sizes);
  return status;
}

static void free_findings(findings *f) {
  as_free(f->ctx, f->tensors);
  as_free(f->ctx, f->files);
  as_checkpoint_close(f->checkpoint);
  as_model_config_free(&f->config);
  as_inspect_close(&f->inspected);
}

static const char *model_type(const findings *f) {
  return json_string_value(json_object_get(f->config.root, "model_type"));
}
static bool has_head(const findings *f) {
  return f->inspected.kind->has_head(f->inspected.model);
}
/* NULL when the folder has no classes of its own. */
static const as_labels *labels(const findings *f) {
  return has_head(f) ? f->inspected.kind->labels(f->inspected.model) : NULL;
}
static int64_t bytes_in_memory(const findings *f) {
  return f->parameters * (int64_t)sizeof(float);
}

static const char *file_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* ---- for a person ------------------------------------------------------------------------------------------- */

/* "22713216" as "22,713,216". */
static void put_count(as_buffer *out, int64_t value) {
  char digits[32];
  int length = snprintf(digits, sizeof digits, "%" PRId64, value);
  for (int i = 0; i < length; i++) {
    if (i && (length - i) % 3 == 0) as_buffer_char(out, ',');
    as_buffer_char(out, digits[i]);
  }
}

/* "  name    " as the beginning of a line. */
static void put_name(as_buffer *out, const char *name, int width) {
  as_buffer_text(out, "  ");
  as_buffer_columns(out, name, width);
  as_buffer_char(out, ' ');
}

static void put_config(as_buffer *out, const findings *f) {
  as_buffer text;
  as_buffer_init(&text, f->ctx);
  as_buffer_text(out, "\nconfig.json\n");
  for (void *at = json_object_iter(f->config.root); at; at = json_object_iter_next(f->config.root, at)) {
    const char *name = json_object_iter_key(at);
    if (strcmp(name, "id2label") == 0 || strcmp(name, "label2id") == 0) continue;
    as_buffer_clear(&text);
    as_json_writer w = as_json_writer_start(&text, 0);
    as_json_value(&w, NULL, json_object_iter_value(at));
    put_name(out, name, NAME_WIDTH);
    as_buffer_columns_at_most(out, as_buffer_string(&text), PAGE_WIDTH - 3 - NAME_WIDTH);
    as_buffer_char(out, '\n');
  }
  out->failed = out->failed || text.failed;
  as_buffer_free(&text);
}

static void put_labels(as_buffer *out, const findings *f) {
  const as_labels *l = labels(f);
  if (!l) return;
  as_buffer_printf(out, "\nlabels%s\n", l->given ? "" : " (config.json names none)");
  for (size_t i = 0; i < l->count; i++) {
    as_buffer_printf(out, "  %4zu  ", i);
    as_buffer_columns_at_most(out, l->names[i], PAGE_WIDTH - 8);
    as_buffer_char(out, '\n');
  }
}

/* The part of a name before its last dot, without it; "" if there is none. */
static size_t module_length(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot ? (size_t)(dot - name) : 0;
}

static void put_number(as_buffer *out, bool known, double value) {
  if (known)
    as_buffer_printf(out, " %9.3g", value + 0.0); /* no "-0" */
  else
    as_buffer_text(out, "         -");
}

static void put_tensor(as_buffer *out, const tensor_row *t) {
  char shape[AS_SHAPE_TEXT];
  size_t module = module_length(t->stored->name);
  put_name(out, t->stored->name + module + (module > 0), 12);
  as_buffer_printf(out, "%-7s ", as_stored_type_name(t->stored->type));
  as_buffer_columns(out, as_shape_text(shape, t->stored->ndim, t->stored->shape), 16);
  put_number(out, t->values.known, t->values.norm);
  put_number(out, t->values.known, (double)t->values.min);
  put_number(out, t->values.known, (double)t->values.max);
  put_number(out, t->values.known, t->values.mean);
  as_buffer_char(out, '\n');
}

/* The tensors that are part of the model, or those that are not, under the names of their modules. */
static void put_tensors(as_buffer *out, const findings *f, bool used) {
  const char *module = "";
  size_t length = 0;
  for (size_t i = 0; i < f->count; i++) {
    if (f->tensors[i].used != used) continue;
    const char *name = f->tensors[i].stored->name;
    if (module_length(name) != length || strncmp(name, module, length) != 0) {
      module = name;
      length = module_length(name);
      char *text = length ? as_strndup(f->ctx, name, length) : NULL;
      out->failed = out->failed || (length && !text);
      if (text) as_buffer_columns_at_most(out, text, PAGE_WIDTH);
      if (text) as_buffer_char(out, '\n');
      as_free(f->ctx, text);
    }
    put_tensor(out, &f->tensors[i]);
  }
}

static void put_totals(as_buffer *out, const findings *f) {
  as_buffer_text(out, "\ntotal\n");
  put_name(out, "parameters", NAME_WIDTH);
  put_count(out, f->parameters);
  as_buffer_printf(out, " in %zu tensors\n", f->used);
  put_name(out, "bytes on disk", NAME_WIDTH);
  put_count(out, f->bytes_on_disk);
  if (f->file_count == 1) {
    as_buffer_text(out, " in ");
    as_buffer_columns_at_most(out, file_name(f->files[0].path), 30);
  } else
    as_buffer_printf(out, " in %zu files", f->file_count);
  as_buffer_char(out, '\n');
  put_name(out, "bytes in memory", NAME_WIDTH);
  put_count(out, bytes_in_memory(f));
  as_buffer_text(out, " as 32-bit floats\n");
}

static void write_text(as_buffer *out, const findings *f) {
  as_buffer_columns_at_most(out, model_type(f), PAGE_WIDTH - 40);
  if (f->inspected.kind->labels(f->inspected.model))
    as_buffer_printf(out, ", %s classification head", has_head(f) ? "with its" : "without a");
  as_buffer_char(out, '\n');
  for (size_t i = 0; i < f->size_count; i++) {
    put_name(out, f->sizes[i].name, NAME_WIDTH);
    as_buffer_printf(out, "%" PRId64 "\n", f->sizes[i].value);
  }
  put_config(out, f);
  put_labels(out, f);
  as_buffer_printf(out, "\n%-14s %-7s %-16s %9s %9s %9s %9s\n", "tensors", "type", "shape", "norm", "min", "max",
                   "mean");
  put_tensors(out, f, true);
  if (f->used < f->count) as_buffer_text(out, "\nnot part of the model\n");
  put_tensors(out, f, false);
  put_totals(out, f);
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static void json_tensor(as_json_writer *w, const tensor_row *t) {
  as_json_open_object(w, NULL);
  as_json_string(w, "name", t->stored->name);
  as_json_string(w, "dtype", as_stored_type_name(t->stored->type));
  as_json_open_array(w, "shape");
  for (int i = 0; i < t->stored->ndim; i++) as_json_int(w, NULL, t->stored->shape[i]);
  as_json_close_array(w);
  as_json_string(w, "file", file_name(t->file));
  as_json_bool(w, "used", t->used);
  const double unknown = NAN;
  as_json_double(w, "norm", t->values.known ? t->values.norm : unknown);
  as_json_float(w, "min", t->values.known ? t->values.min : (float)unknown);
  as_json_float(w, "max", t->values.known ? t->values.max : (float)unknown);
  as_json_double(w, "mean", t->values.known ? t->values.mean : unknown);
  as_json_close_object(w);
}

static void json_labels(as_json_writer *w, const as_labels *l) {
  if (!l) {
    as_json_null(w, "labels");
    return;
  }
  as_json_open_array(w, "labels");
  for (size_t i = 0; i < l->count; i++) as_json_string(w, NULL, l->names[i]);
  as_json_close_array(w);
}

static void write_json(as_buffer *out, const findings *f) {
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_json_string(&w, "model_type", model_type(f));
  as_json_bool(&w, "head", has_head(f));
  as_json_open_object(&w, "sizes");
  for (size_t i = 0; i < f->size_count; i++) as_json_int(&w, f->sizes[i].name, f->sizes[i].value);
  as_json_close_object(&w);
  as_json_value(&w, "config", f->config.root);
  json_labels(&w, labels(f));
  as_json_open_array(&w, "tensors");
  for (size_t i = 0; i < f->count; i++) json_tensor(&w, &f->tensors[i]);
  as_json_close_array(&w);
  as_json_int(&w, "parameters", f->parameters);
  as_json_open_object(&w, "files");
  for (size_t i = 0; i < f->file_count; i++) as_json_int(&w, file_name(f->files[i].path), f->files[i].bytes);
  as_json_close_object(&w);
  as_json_int(&w, "bytes_on_disk", f->bytes_on_disk);
  as_json_int(&w, "bytes_in_memory", bytes_in_memory(f));
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
}

/* ---- the command -------------------------------------------------------------------------------------------- */

/* clang-format off */
static const as_option rows[] = {
    {.name = "json", .type = AS_OPTION_FLAG, .help = "one JSON object"},
};
/* clang-format on */
static const as_option_group output = AS_OPTION_GROUP("Output", rows);
static const as_option_group *const groups[] = {&output, NULL};

static int run(as_cli *cli) {
  findings f = {.ctx = cli->ctx, .folder = cli->arguments->operands[0]};
  as_buffer text;
  as_buffer_init(&text, cli->ctx);
  as_status status = gather(&f);
  if (status == AS_OK) {
    if (as_option_flag(cli->arguments, "json"))
      write_json(&text, &f);
    else
      write_text(&text, &f);
    status = as_buffer_status(&text);
  }
  if (status == AS_OK) as_console_buffer(cli->console, &text);
  as_buffer_free(&text);
  free_findings(&f);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_inspect_model = {
    .name = "inspect model",
    .operands = "DIR",
    .min_operands = 1,
    .max_operands = 1,
    .operand = AS_OPERAND_FOLDER,
    .summary = "show what a model folder holds",
    .description =
        "Opens the model folder as every other command does, refusing what is damaged, and prints the sizes of the "
        "model, its configuration, its labels, and of every tensor the type in the file, the shape, the Euclidean norm "
        "and the least, greatest and mean value; then the number of parameters and the bytes they take on disk and in "
        "memory.",
    .examples = "assistify inspect model my_model\nassistify inspect model my_model --json",
    .groups = groups,
    .run = run,
};
