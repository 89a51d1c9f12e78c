/* See task_file.h. */
#include "models/task_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "models/input_template.h"

#define MOST_BYTES ((size_t)1 << 16)
#define LONGEST_NAME 64

static as_status check_task(as_context *ctx, const char *task, as_status kind, const char *where) {
  size_t plain = strspn(task, "abcdefghijklmnopqrstuvwxyz0123456789_-");
  if (plain > 0 && plain <= LONGEST_NAME && !task[plain]) return AS_OK;
  return as_fail(ctx, kind, "%s: task must be a name of at most %d small letters, digits, \"_\" and \"-\"", where,
                 LONGEST_NAME);
}

/* A member of the file, which may be absent. */
static as_status take_text(as_context *ctx, const json_t *root, const char *name, const char *path, char **out) {
  const json_t *value = json_object_get(root, name);
  if (!value) return AS_OK;
  const char *text = json_string_value(value);
  if (!text || strlen(text) != json_string_length(value))
    return as_fail(ctx, AS_E_MODEL, "%s: %s must be a text without NUL", path, name);
  *out = as_strdup(ctx, text);
  return *out ? AS_OK : AS_E_NOMEM;
}

static as_status take_validation(as_context *ctx, const json_t *root, const char *path, as_task_validation *out) {
  const json_t *object = json_object_get(root, "validation"), *rows = json_object_get(object, "rows");
  if (!object) return AS_OK;
  const struct {
    const char *name;
    double *value;
  } numbers[] = {
      {"bleu", &out->bleu}, {"nearest_bleu", &out->nearest_bleu}, {"frequent_bleu", &out->frequent_bleu}};
  if (!json_is_integer(rows) || json_integer_value(rows) < 1)
    return as_fail(ctx, AS_E_MODEL, "%s: validation.rows must be a number of at least 1", path);
  out->rows = json_integer_value(rows);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    const json_t *number = json_object_get(object, numbers[i].name);
    *numbers[i].value = json_number_value(number);
    if (!json_is_number(number) || !(*numbers[i].value >= 0 && *numbers[i].value <= 101))
      return as_fail(ctx, AS_E_MODEL, "%s: validation.%s must be a number from 0 to 100", path, numbers[i].name);
  }
  return AS_OK;
}

static as_status take_temperature(as_context *ctx, const json_t *root, const char *path, double *out) {
  const json_t *object = json_object_get(root, "calibration"), *number = json_object_get(object, "temperature");
  if (!object) return AS_OK;
  *out = json_number_value(number);
  if (json_is_number(number) && *out > 0 && isfinite(*out)) return AS_OK;
  return as_fail(ctx, AS_E_MODEL, "%s: calibration.temperature must be a number above 0", path);
}

static as_status take(as_context *ctx, const json_t *root, const char *path, as_task_file *file) {
  if (!json_is_object(root)) return as_fail(ctx, AS_E_MODEL, "%s: is not a JSON object", path);
  as_status status = take_text(ctx, root, "task", path, &file->task);
  if (status == AS_OK) status = take_text(ctx, root, "input_template", path, &file->input_template);
  if (status == AS_OK) status = take_temperature(ctx, root, path, &file->temperature);
  if (status == AS_OK && !file->task && !(file->temperature > 0))
    status = as_fail(ctx, AS_E_MODEL, "%s: task is missing", path);
  if (status == AS_OK && file->task) status = check_task(ctx, file->task, AS_E_MODEL, path);
  if (status == AS_OK && file->input_template)
    status = as_input_template_check(ctx, file->input_template, AS_E_MODEL, path);
  if (status == AS_OK) status = take_validation(ctx, root, path, &file->validation);
  return status;
}

as_status as_task_file_read(as_context *ctx, const char *folder, as_task_file *file) {
  *file = (as_task_file){0};
  char *path = as_path_join(ctx, folder, AS_TASK_FILE_NAME);
  if (!path) return AS_E_NOMEM;
  json_t *root = NULL;
  as_status status = AS_OK;
  if (as_path_exists(path)) {
    status = as_json_read(ctx, path, MOST_BYTES, AS_E_MODEL, &root);
    if (status == AS_OK) status = take(ctx, root, path, file);
    json_decref(root);
  }
  as_free(ctx, path);
  if (status != AS_OK) as_task_file_free(ctx, file);
  return status;
}

void as_task_file_free(as_context *ctx, as_task_file *file) {
  as_free(ctx, file->task);
  as_free(ctx, file->input_template);
  *file = (as_task_file){0};
}

static as_status remove_file(as_context *ctx, const char *folder) {
  char *path = as_path_join(ctx, folder, AS_TASK_FILE_NAME);
  if (!path) return AS_E_NOMEM;
  as_status status = AS_OK;
  if (remove(path) != 0 && errno != ENOENT)
    status = as_fail(ctx, AS_E_IO, "%s: cannot be removed: %s", path, strerror(errno));
  as_free(ctx, path);
  return status;
}

as_status as_task_file_write(as_context *ctx, const char *folder, const as_task_file *file) {
  if (!file->task && !(file->temperature > 0)) return remove_file(ctx, folder);
  as_status status = !file->task ? AS_OK : check_task(ctx, file->task, AS_E_INVALID, AS_TASK_FILE_NAME);
  if (status == AS_OK && file->input_template)
    status = as_input_template_check(ctx, file->input_template, AS_E_INVALID, AS_TASK_FILE_NAME);
  if (status != AS_OK) return status;
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_json_writer writer = as_json_writer_start(&out, 2);
  as_json_open_object(&writer, NULL);
  if (file->task) as_json_string(&writer, "task", file->task);
  if (file->input_template) as_json_string(&writer, "input_template", file->input_template);
  if (file->validation.rows > 0) {
    as_json_open_object(&writer, "validation");
    as_json_int(&writer, "rows", file->validation.rows);
    as_json_double(&writer, "bleu", file->validation.bleu);
    as_json_double(&writer, "nearest_bleu", file->validation.nearest_bleu);
    as_json_double(&writer, "frequent_bleu", file->validation.frequent_bleu);
    as_json_close_object(&writer);
  }
  if (file->temperature > 0) {
    as_json_open_object(&writer, "calibration");
    as_json_double(&writer, "temperature", file->temperature);
    as_json_close_object(&writer);
  }
  as_json_close_object(&writer);
  as_buffer_char(&out, '\n');
  status = as_file_write_into(ctx, folder, AS_TASK_FILE_NAME, &out);
  as_buffer_free(&out);
  return status;
}

as_status as_task_file_expect(as_context *ctx, const char *folder, const as_task_file *file, const char *task) {
  if (!task || !file->task || strcmp(file->task, task) == 0) return AS_OK;
  return as_fail(ctx, AS_E_MODEL,
                 "%s/%s: task: the model was trained for %s, not for %s; give the folder of another model", folder,
                 AS_TASK_FILE_NAME, file->task, task);
}
