/* Finding and opening a folder's weights; shards and their index. */
#include "models/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "models/checkpoint_internal.h"

enum { MAX_INDEX = 64 << 20 }; /* bytes of an index; the largest real ones have a few hundred thousand */

/* What a folder may hold, in the order in which it is looked for. */
typedef struct candidate {
  const char *name;
  const as_weight_format *format;
  bool is_index;
} candidate;

static const candidate candidates[] = {
    {"model.safetensors", &as_safetensors_format, false},
    {"model.safetensors.index.json", &as_safetensors_format, true},
    {"pytorch_model.bin", &as_torch_format, false},
    {"pytorch_model.bin.index.json", &as_torch_format, true},
};

/* ---- files ------------------------------------------------------------------------------------------------------ */

static size_t count_of(const as_checkpoint_source *source) {
  return source->format->count(source->file);
}

/* Opens folder/name and adds it to the sources. */
static as_status add_source(as_checkpoint *checkpoint, const as_weight_format *format, const char *folder,
                            const char *name) {
  as_context *ctx = checkpoint->ctx;
  as_checkpoint_source *sources =
      as_grow(ctx, checkpoint->sources, &checkpoint->source_capacity, checkpoint->source_count + 1, sizeof *sources);
  if (!sources) return AS_E_NOMEM;
  checkpoint->sources = sources;
  as_checkpoint_source *source = &sources[checkpoint->source_count];
  *source = (as_checkpoint_source){.path = as_path_join(ctx, folder, name), .format = format};
  if (!source->path) return AS_E_NOMEM;
  checkpoint->source_count++;
  source->name = source->path + strlen(source->path) - strlen(name);
  return format->open(ctx, source->path, &source->file);
}

static bool find_source(const as_checkpoint *checkpoint, const char *name, size_t *index) {
  for (*index = 0; *index < checkpoint->source_count; ++*index)
    if (strcmp(checkpoint->sources[*index].name, name) == 0) return true;
  return false;
}

/* ---- tensors ---------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
  const as_checkpoint_entry *x = a, *y = b;
  int order = strcmp(x->tensor->name, y->tensor->name);
  if (order != 0) return order;
  return x->source < y->source ? -1 : x->source > y->source;
}

/* Lists the tensors of all sources by name; one that lies in two of them is refused. */
static as_status gather_entries(as_checkpoint *checkpoint) {
  size_t total = 0;
  for (size_t s = 0; s < checkpoint->source_count; s++) total += count_of(&checkpoint->sources[s]);
  checkpoint->entries = as_alloc(checkpoint->ctx, total, sizeof *checkpoint->entries);
  if (!checkpoint->entries) return AS_E_NOMEM;
  for (size_t s = 0; s < checkpoint->source_count; s++) {
    const as_checkpoint_source *source = &checkpoint->sources[s];
    for (size_t i = 0; i < count_of(source); i++)
      checkpoint->entries[checkpoint->count++] =
          (as_checkpoint_entry){.tensor = source->format->tensor(source->file, i), .source = s, .index = i};
  }
  qsort(checkpoint->entries, checkpoint->count, sizeof *checkpoint->entries, by_name);
  for (size_t i = 1; i < checkpoint->count; i++) {
    const as_checkpoint_entry *a = &checkpoint->entries[i - 1], *b = &checkpoint->entries[i];
    if (strcmp(a->tensor->name, b->tensor->name) == 0)
      return as_fail(checkpoint->ctx, AS_E_MODEL, "%s: tensor \"%s\" is also in %s; one shard only may hold it",
                     checkpoint->sources[b->source].path, b->tensor->name, checkpoint->sources[a->source].path);
  }
  return AS_OK;
}

int64_t as_checkpoint_find(const as_checkpoint *checkpoint, const char *name) {
  size_t low = 0, high = checkpoint->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(name, checkpoint->entries[middle].tensor->name);
    if (order == 0) return (int64_t)middle;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return -1;
}

/* ---- the index of shards ---------------------------------------------------------------------------------------- */

/* Whether a path that a file gives stays below the folder of that file. */
static bool stays_inside(const char *path) {
  if (path[0] == '/' || path[0] == 0) return false;
  for (const char *part = path; part; part = strchr(part, '/')) {
    if (*part == '/') part++;
    size_t length = strcspn(part, "/");
    if (length == 0 || (length == 2 && memcmp(part, "..", 2) == 0)) return false;
  }
  return true;
}

static as_status add_shard(as_checkpoint *checkpoint, const as_weight_format *format, const char *folder,
                           const char *tensor, const json_t *file) {
  size_t known;
  if (!json_is_string(file) || strlen(json_string_value(file)) != json_string_length(file))
    return as_fail(checkpoint->ctx, AS_E_MODEL, "%s: weight_map: the file of tensor \"%s\" is not text",
                   checkpoint->path, tensor);
  const char *name = json_string_value(file);
  if (!stays_inside(name))
    return as_fail(checkpoint->ctx, AS_E_MODEL,
                   "%s: weight_map: tensor \"%s\" is said to be in \"%s\", which is outside the model's folder",
                   checkpoint->path, tensor, name);
  if (find_source(checkpoint, name, &known)) return AS_OK;
  as_status status = add_source(checkpoint, format, folder, name);
  return status == AS_OK ? AS_OK : as_fail_prefix(checkpoint->ctx, status, "%s", checkpoint->path);
}

/* Whether each tensor is where the index says. */
static as_status check_promises(const as_checkpoint *checkpoint, json_t *weight_map) {
  for (void *at = json_object_iter(weight_map); at; at = json_object_iter_next(weight_map, at)) {
    const char *tensor = json_object_iter_key(at), *file = json_string_value(json_object_iter_value(at));
    int64_t found = as_checkpoint_find(checkpoint, tensor);
    if (found < 0 || strcmp(checkpoint->sources[checkpoint->entries[found].source].name, file) != 0)
      return as_fail(checkpoint->ctx, AS_E_MODEL, "%s: weight_map: tensor \"%s\" is said to be in %s, which lacks it",
                     checkpoint->path, tensor, file);
  }
  return AS_OK;
}

static as_status open_index(as_checkpoint *checkpoint, const as_weight_format *format, const char *folder) {
  json_t *index;
  as_status status = as_json_read(checkpoint->ctx, checkpoint->path, MAX_INDEX, AS_E_MODEL, &index);
  if (status != AS_OK) return status;
  json_t *weight_map = json_object_get(index, "weight_map");
  if (!json_is_object(weight_map))
    status = as_fail(checkpoint->ctx, AS_E_MODEL, "%s: weight_map is missing or not an object", checkpoint->path);
  else
    for (void *at = json_object_iter(weight_map); at && status == AS_OK; at = json_object_iter_next(weight_map, at))
      status = add_shard(checkpoint, format, folder, json_object_iter_key(at), json_object_iter_value(at));
  if (status == AS_OK) status = gather_entries(checkpoint);
  if (status == AS_OK) status = check_promises(checkpoint, weight_map);
  json_decref(index);
  return status;
}

/* ---- the folder ------------------------------------------------------------------------------------------------- */

static as_status open_candidate(as_checkpoint *checkpoint, const candidate *found, const char *folder) {
  if (found->is_index) return open_index(checkpoint, found->format, folder);
  as_status status = add_source(checkpoint, found->format, folder, found->name);
  return status == AS_OK ? gather_entries(checkpoint) : status;
}

static as_status open_folder(as_checkpoint *checkpoint, const char *folder) {
  as_context *ctx = checkpoint->ctx;
  if (!as_path_is_folder(folder)) return as_fail(ctx, AS_E_MODEL, "%s: there is no such model folder", folder);
  for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
    checkpoint->path = as_path_join(ctx, folder, candidates[i].name);
    if (!checkpoint->path) return AS_E_NOMEM;
    if (as_path_exists(checkpoint->path)) return open_candidate(checkpoint, &candidates[i], folder);
    as_free(ctx, checkpoint->path);
    checkpoint->path = NULL;
  }
  return as_fail(ctx, AS_E_MODEL,
                 "%s: the folder has no weights: no model.safetensors, no pytorch_model.bin and no index of either",
                 folder);
}

as_status as_checkpoint_open(as_context *ctx, const char *folder, as_checkpoint **out) {
  *out = NULL;
  as_checkpoint *checkpoint = as_alloc_zero(ctx, 1, sizeof *checkpoint);
  if (!checkpoint) return AS_E_NOMEM;
  checkpoint->ctx = ctx;
  as_status status = open_folder(checkpoint, folder);
  if (status == AS_OK)
    *out = checkpoint;
  else
    as_checkpoint_close(checkpoint);
  return status;
}

void as_checkpoint_close(as_checkpoint *checkpoint) {
  if (!checkpoint) return;
  as_context *ctx = checkpoint->ctx;
  for (size_t s = 0; s < checkpoint->source_count; s++) {
    const as_checkpoint_source *source = &checkpoint->sources[s];
    if (source->file) source->format->close(source->file);
    as_free(ctx, source->path);
  }
  as_free(ctx, checkpoint->sources);
  as_free(ctx, checkpoint->entries);
  as_free(ctx, checkpoint->path);
  as_free(ctx, checkpoint);
}

size_t as_checkpoint_count(const as_checkpoint *checkpoint) {
  return checkpoint->count;
}

const as_stored_tensor *as_checkpoint_tensor(const as_checkpoint *checkpoint, size_t index) {
  return checkpoint->entries[index].tensor;
}

const char *as_checkpoint_file(const as_checkpoint *checkpoint, size_t index) {
  return checkpoint->sources[checkpoint->entries[index].source].path;
}
