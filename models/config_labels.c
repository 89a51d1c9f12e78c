/* The labels in a config.json: id2label and label2id. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "models/config.h"

enum { MAX_LABELS = 1 << 20 }; /* num_labels is a number that costs nothing to write */

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first name that is there twice, in *twice; NULL if all differ. */
static as_status find_duplicate(as_context *ctx, char *const *names, size_t count, const char **twice) {
  *twice = NULL;
  char **sorted = as_alloc(ctx, count, sizeof *sorted);
  if (!sorted) return AS_E_NOMEM;
  memcpy(sorted, names, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, by_text);
  for (size_t i = 1; i < count && !*twice; i++)
    if (strcmp(sorted[i - 1], sorted[i]) == 0) *twice = sorted[i];
  as_free(ctx, sorted);
  return AS_OK;
}

static as_status allocate(as_context *ctx, as_labels *labels, size_t count) {
  labels->names = as_alloc_zero(ctx, count, sizeof *labels->names);
  if (!labels->names) return AS_E_NOMEM;
  labels->count = count;
  return AS_OK;
}

void as_labels_free(as_context *ctx, as_labels *labels) {
  for (size_t i = 0; i < labels->count; i++) as_free(ctx, labels->names[i]);
  as_free(ctx, labels->names);
  *labels = (as_labels){0};
}

int64_t as_labels_find(const as_labels *labels, const char *name) {
  for (size_t i = 0; i < labels->count; i++)
    if (strcmp(labels->names[i], name) == 0) return (int64_t)i;
  return -1;
}

as_status as_labels_set(as_context *ctx, as_labels *labels, const char *const *names, size_t count) {
  const char *twice = NULL;
  *labels = (as_labels){.given = true};
  if (count == 0) return as_fail(ctx, AS_E_INVALID, "a classifier needs at least one label");
  as_status status = allocate(ctx, labels, count);
  for (size_t i = 0; i < count && status == AS_OK; i++) {
    if (!as_utf8_valid(names[i], strlen(names[i])))
      status = as_fail(ctx, AS_E_INVALID, "label %zu is not UTF-8", i);
    else if (!(labels->names[i] = as_strdup(ctx, names[i])))
      status = AS_E_NOMEM;
  }
  if (status == AS_OK) status = find_duplicate(ctx, labels->names, count, &twice);
  if (status == AS_OK && twice) status = as_fail(ctx, AS_E_INVALID, "two labels are \"%s\"", twice);
  if (status != AS_OK) as_labels_free(ctx, labels);
  return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* LABEL_0 and so on. */
static as_status number_labels(const as_model_config *config, as_labels *labels) {
  const json_t *wanted = json_object_get(config->root, "num_labels");
  int64_t count = json_is_integer(wanted) ? json_integer_value(wanted) : 2;
  if (wanted && (!json_is_integer(wanted) || count < 1 || count > MAX_LABELS))
    return as_fail(config->ctx, AS_E_MODEL, "%s: num_labels must be an integer from 1 to %d", config->path, MAX_LABELS);
  as_status status = allocate(config->ctx, labels, (size_t)count);
  for (size_t i = 0; i < (size_t)count && status == AS_OK; i++) {
    char name[32];
    snprintf(name, sizeof name, "LABEL_%zu", i);
    labels->names[i] = as_strdup(config->ctx, name);
    if (!labels->names[i]) status = AS_E_NOMEM;
  }
  return status;
}

/* The number that a key of id2label is; false when it is not a plain decimal number below `count`. */
static bool parse_id(const char *key, size_t count, size_t *id) {
  *id = 0;
  if (*key == 0 || (*key == '0' && key[1])) return false;
  for (; *key; key++) {
    if (*key < '0' || *key > '9') return false;
    *id = *id * 10 + (size_t)(*key - '0');
    if (*id >= count) return false;
  }
  return true;
}

static as_status read_label(const as_model_config *config, const char *key, const json_t *name, as_labels *labels) {
  size_t id;
  if (!parse_id(key, labels->count, &id))
    return as_fail(config->ctx, AS_E_MODEL,
                   "%s: id2label has %zu labels, so its ids must run from 0 to %zu; \"%s\" is none of these",
                   config->path, labels->count, labels->count - 1, key);
  if (!json_is_string(name) || strlen(json_string_value(name)) != json_string_length(name))
    return as_fail(config->ctx, AS_E_MODEL, "%s: id2label: label %zu is not text", config->path, id);
  labels->names[id] = as_strdup(config->ctx, json_string_value(name)); /* keys are unique, so are their numbers */
  return labels->names[id] ? AS_OK : AS_E_NOMEM;
}

/* label2id is redundant; where it contradicts, that is said. */
static void compare_label2id(const as_model_config *config, const as_labels *labels) {
  json_t *label2id = json_object_get(config->root, "label2id");
  for (void *at = json_object_iter(label2id); at; at = json_object_iter_next(label2id, at)) {
    const json_t *id = json_object_iter_value(at);
    const char *name = json_object_iter_key(at);
    int64_t number = json_is_integer(id) ? json_integer_value(id) : -1;
    if (number >= 0 && (uint64_t)number < labels->count && strcmp(labels->names[number], name) == 0) continue;
    as_warn(config->ctx, "%s: label2id disagrees with id2label about \"%s\"; id2label is used", config->path, name);
    return;
  }
}

static as_status read_id2label(const as_model_config *config, json_t *id2label, as_labels *labels) {
  as_context *ctx = config->ctx;
  const json_t *wanted = json_object_get(config->root, "num_labels");
  size_t count = json_object_size(id2label);
  const char *twice = NULL;
  if (count == 0) return as_fail(ctx, AS_E_MODEL, "%s: id2label is not an object with labels", config->path);
  if (json_is_integer(wanted) && json_integer_value(wanted) != (json_int_t)count)
    return as_fail(ctx, AS_E_MODEL, "%s: num_labels is %" JSON_INTEGER_FORMAT ", but id2label has %zu labels",
                   config->path, json_integer_value(wanted), count);
  as_status status = allocate(ctx, labels, count);
  for (void *at = json_object_iter(id2label); at && status == AS_OK; at = json_object_iter_next(id2label, at))
    status = read_label(config, json_object_iter_key(at), json_object_iter_value(at), labels);
  if (status == AS_OK) status = find_duplicate(ctx, labels->names, count, &twice);
  if (status == AS_OK && twice) status = as_fail(ctx, AS_E_MODEL, "%s: id2label has \"%s\" twice", config->path, twice);
  if (status == AS_OK) compare_label2id(config, labels);
  return status;
}

as_status as_config_read_labels(const as_model_config *config, as_labels *labels) {
  json_t *id2label = json_object_get(config->root, "id2label");
  bool given = id2label && !json_is_null(id2label);
  *labels = (as_labels){0};
  as_status status = given ? read_id2label(config, id2label, labels) : number_labels(config, labels);
  if (status == AS_OK)
    labels->given = given;
  else
    as_labels_free(config->ctx, labels);
  return status;
}

/* ---- storing ----------------------------------------------------------------------------------------------------- */

bool as_config_store_labels(json_t *root, const as_labels *labels) {
  json_t *id2label = json_object(), *label2id = json_object();
  bool ok = id2label && label2id;
  for (size_t i = 0; i < labels->count && ok; i++) {
    char id[32];
    snprintf(id, sizeof id, "%zu", i);
    ok = json_object_set_new(id2label, id, json_string(labels->names[i])) == 0 &&
         json_object_set_new(label2id, labels->names[i], json_integer((json_int_t)i)) == 0;
  }
  json_object_del(root, "num_labels");
  ok = ok && json_object_set(root, "id2label", id2label) == 0 && json_object_set(root, "label2id", label2id) == 0;
  json_decref(id2label);
  json_decref(label2id);
  return ok;
}
