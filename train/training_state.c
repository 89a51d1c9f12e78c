/* See training_state.h. */
#include "train/training_state.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "models/config.h"
#include "models/safetensors.h"

#define CHECKPOINT "checkpoint-"
#define BEST "best-"
#define UNVALIDATED "-unvalidated"
#define KEPT 2
#define MAX_STATE ((size_t)1 << 20)
#define SPARE_BYTES ((uint64_t)16 << 20) /* room for the small files, and to leave the disk alive */

#define AT(field) offsetof(as_training_position, field)
static const as_config_field fields[] = {
    {"step", AS_CONFIG_INT, AT(step), 0, 0, 9e15, NULL},
    {"epoch", AS_CONFIG_INT, AT(epoch), 0, 0, 9e15, NULL},
    {"batch", AS_CONFIG_INT, AT(batch), 0, 0, 9e15, NULL},
    {"tokens", AS_CONFIG_INT, AT(tokens), 0, 0, 9e15, NULL},
    {"log_bytes", AS_CONFIG_INT, AT(log_bytes), 0, 0, 9e15, NULL},
    {"epoch_loss", AS_CONFIG_FLOAT, AT(epoch_loss), 0, -1e300, 1e300, NULL},
    {"epoch_steps", AS_CONFIG_INT, AT(epoch_steps), 0, 0, 9e15, NULL},
    {"best", AS_CONFIG_FLOAT, AT(best), 0, -1e300, 1e300, NULL},
    {"has_best", AS_CONFIG_BOOL, AT(has_best), 0, 0, 0, NULL},
    {"best_step", AS_CONFIG_INT, AT(best_step), 0, 0, 9e15, NULL},
    {"best_epoch", AS_CONFIG_INT, AT(best_epoch), 0, 0, 9e15, NULL},
    {"epochs_without_gain", AS_CONFIG_INT, AT(epochs_without_gain), 0, 0, 9e15, NULL},
    {"unvalidated", AS_CONFIG_BOOL, AT(unvalidated), 0, 0, 0, NULL},
    {"finished", AS_CONFIG_BOOL, AT(finished), 0, 0, 0, NULL},
    {"batch_rows", AS_CONFIG_INT, AT(batch_rows), 0, 0, 1e6, NULL},
    {"batch_tokens", AS_CONFIG_INT, AT(batch_tokens), 0, 0, 1e7, NULL},
    {"accumulate", AS_CONFIG_INT, AT(accumulate), 1, 1, 1e6, NULL},
    {"recompute", AS_CONFIG_INT, AT(recompute), 0, 0, 2, NULL},
};
#define FIELDS (sizeof fields / sizeof fields[0])

as_status as_training_files_init(as_training_files *files, as_context *ctx, const char *out) {
  *files = (as_training_files){.ctx = ctx, .out = as_strdup(ctx, out), .training = as_path_join(ctx, out, "training")};
  return files->out && files->training ? AS_OK : AS_E_NOMEM;
}

void as_training_files_free(as_training_files *files) {
  if (!files->ctx) return;
  as_free(files->ctx, files->out);
  as_free(files->ctx, files->training);
  *files = (as_training_files){0};
}

/* ---- finding and dropping --------------------------------------------------------------------------------------- */
/* Names sort by place: 2 step + 1 for "<prefix><step>", 2 step for "<prefix><step>-unvalidated", which is just before
 * it. -1 if the name is none of these. */
static int64_t place_of(const char *name, const char *prefix) {
  char *end;
  size_t length = strlen(prefix);
  if (strncmp(name, prefix, length) != 0 || !name[length]) return -1;
  errno = 0;
  long long step = strtoll(name + length, &end, 10);
  if (errno || step < 0 || step > INT64_MAX / 4) return -1;
  return !*end ? 2 * step + 1 : strcmp(end, UNVALIDATED) == 0 ? 2 * step : -1;
}

/* The highest place of a folder of this kind that is below `below`; -1 if there is none. */
static int64_t highest_below(const as_training_files *files, const char *prefix, int64_t below) {
  int64_t best = -1;
  DIR *folder = opendir(files->training);
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    int64_t place = place_of(entry->d_name, prefix);
    if (place > best && place < below) best = place;
  }
  if (folder) closedir(folder);
  return best;
}

static char *place_path(const as_training_files *files, const char *prefix, int64_t place) {
  char name[64];
  snprintf(name, sizeof name, "%s%lld%s", prefix, (long long)(place / 2), place % 2 ? "" : UNVALIDATED);
  return as_path_join(files->ctx, files->training, name);
}

char *as_training_latest(const as_training_files *files, as_status *failed) {
  int64_t place = highest_below(files, CHECKPOINT, INT64_MAX);
  char *path = place >= 0 ? place_path(files, CHECKPOINT, place) : NULL;
  *failed = place >= 0 && !path ? AS_E_NOMEM : AS_OK;
  return path;
}

char *as_training_best(const as_training_files *files, int64_t step) {
  return place_path(files, BEST, 2 * step + 1);
}

/* Drops all folders of this kind below `below`. */
static as_status drop_below(const as_training_files *files, const char *prefix, int64_t below) {
  for (int64_t place = below; (place = highest_below(files, prefix, place)) >= 0;) {
    char *path = place_path(files, prefix, place);
    as_status status = path ? as_folder_remove(files->ctx, path) : AS_E_NOMEM;
    as_free(files->ctx, path);
    if (status != AS_OK) return status;
  }
  return AS_OK;
}

/* Drops all checkpoints but the last KEPT. The best model of an earlier one of them is kept with it: the best of the
 * newest may be younger, and the earlier one must still find its own. */
static as_status drop_old(const as_training_files *files, int64_t newest) {
  int64_t oldest = newest;
  for (int kept = 1; kept < KEPT; kept++) {
    int64_t earlier = highest_below(files, CHECKPOINT, oldest);
    if (earlier < 0) return AS_OK;
    oldest = earlier;
  }
  as_status status = drop_below(files, CHECKPOINT, oldest);
  int64_t best_then = highest_below(files, BEST, oldest + 1);
  return status == AS_OK && best_then >= 0 ? drop_below(files, BEST, best_then) : status;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */
static as_status write_state(as_context *ctx, const char *folder, const as_training_position *position) {
  char *path = as_path_join(ctx, folder, "state.json");
  json_t *root = json_object();
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_json_writer writer = as_json_writer_start(&out, 2);
  bool stored = path && root && as_config_store_fields(root, fields, FIELDS, position);
  if (stored) as_json_value(&writer, NULL, root);
  as_status status =
      stored ? as_buffer_status(&out) : as_fail(ctx, AS_E_NOMEM, "out of memory while saving a checkpoint");
  if (status == AS_OK) status = as_file_write(ctx, path, out.data, out.length);
  as_buffer_free(&out);
  json_decref(root);
  as_free(ctx, path);
  return status;
}

static as_status write_optimizer(as_context *ctx, const char *folder, const as_optimizer *o) {
  char *path = as_path_join(ctx, folder, "optimizer.safetensors");
  if (!path) return AS_E_NOMEM;
  as_safetensors_item items[AS_OPTIMIZER_MOMENTS + 1];
  size_t count = 0;
  for (const as_optimizer_moments *m = o->moments; m->name; m++)
    items[count++] = (as_safetensors_item){
        .name = m->name, .type = AS_STORED_F32, .ndim = 1, .shape = {(int64_t)m->count}, .data = m->values};
  items[count++] =
      (as_safetensors_item){.name = "steps", .type = AS_STORED_I64, .ndim = 1, .shape = {1}, .data = o->steps};
  as_status status = as_safetensors_write(ctx, path, items, count);
  as_free(ctx, path);
  return status;
}

static as_status write_model(as_context *ctx, const char *folder, const as_model_writer *model) {
  as_status status = as_make_folders(ctx, folder);
  return status == AS_OK ? model->write(model->user, folder) : status;
}

/* Gives the complete folder `from` its name. If that name is there, an interrupted run has been at this step before,
 * and since a run always makes the same, it made the same. (The two places of a step, before and after validation, have
 * two names.) */
static as_status publish(const as_training_files *files, const char *from, const char *to) {
  if (as_path_is_folder(to)) return as_folder_remove(files->ctx, from);
  return as_rename(files->ctx, from, to);
}

static as_status check_room(const as_training_files *files, uint64_t bytes) {
  uint64_t free_bytes = as_disk_free(files->training);
  if (free_bytes >= bytes + SPARE_BYTES) return AS_OK;
  return as_fail(files->ctx, AS_E_IO, "%s: a checkpoint takes %llu MiB and the disk has %llu MiB free; make room",
                 files->training, (unsigned long long)((bytes + SPARE_BYTES) >> 20),
                 (unsigned long long)(free_bytes >> 20));
}

as_status as_training_check_room(const as_training_files *files, size_t numbers) {
  return check_room(files, (uint64_t)numbers * sizeof(float));
}

/* Makes an empty folder to fill, after a look at the room on the disk. NULL on failure, with *status set. */
static char *begin_partial(const as_training_files *files, uint64_t bytes, as_status *status) {
  char *partial = as_path_join(files->ctx, files->training, ".partial");
  *status = partial ? as_make_folders(files->ctx, files->training) : AS_E_NOMEM;
  if (*status == AS_OK) *status = as_folder_remove(files->ctx, partial);
  if (*status == AS_OK) *status = check_room(files, bytes);
  return partial;
}

as_status as_training_save(const as_training_files *files, const as_model_writer *model,
                           const as_parameters *parameters, const as_optimizer *optimizer,
                           const as_training_position *position) {
  as_status status;
  int64_t place = 2 * position->step + !position->unvalidated;
  char *path = place_path(files, CHECKPOINT, place);
  uint64_t numbers = (uint64_t)parameters->elements + as_optimizer_moment_count(optimizer);
  char *partial = begin_partial(files, numbers * sizeof(float), &status);
  if (status == AS_OK && !path) status = AS_E_NOMEM;
  if (status == AS_OK) status = write_model(files->ctx, partial, model);
  if (status == AS_OK) status = write_optimizer(files->ctx, partial, optimizer);
  if (status == AS_OK) status = write_state(files->ctx, partial, position);
  if (status == AS_OK) status = publish(files, partial, path);
  if (status == AS_OK) status = drop_old(files, place);
  as_free(files->ctx, partial);
  as_free(files->ctx, path);
  return status;
}

as_status as_training_save_best(const as_training_files *files, const as_model_writer *model, int64_t step) {
  as_status status;
  char *path = as_training_best(files, step);
  char *partial = begin_partial(files, 0, &status);
  if (status == AS_OK && !path) status = AS_E_NOMEM;
  if (status == AS_OK) status = write_model(files->ctx, partial, model);
  if (status == AS_OK) status = publish(files, partial, path);
  as_free(files->ctx, partial);
  as_free(files->ctx, path);
  return status;
}

/* Renamed first: a kill while files go one by one would leave what looks like a run and can't be gone on with. What an
 * earlier kill left under the other name goes too. */
as_status as_training_remove(const as_training_files *files) {
  char *removed = as_path_join(files->ctx, files->out, ".training-removed");
  as_status status = removed ? as_folder_remove(files->ctx, removed) : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(files->training)) {
    status = as_rename(files->ctx, files->training, removed);
    if (status == AS_OK) status = as_folder_remove(files->ctx, removed);
  }
  as_free(files->ctx, removed);
  return status;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */
static as_status read_state(as_context *ctx, const char *checkpoint, as_training_position *position) {
  as_model_config file = {.ctx = ctx, .path = as_path_join(ctx, checkpoint, "state.json")};
  as_status status = file.path ? as_json_read(ctx, file.path, MAX_STATE, AS_E_MODEL, &file.root) : AS_E_NOMEM;
  if (status == AS_OK && !json_is_object(file.root))
    status = as_fail(ctx, AS_E_MODEL, "%s: is not a JSON object", file.path);
  if (status == AS_OK) status = as_config_read_fields(&file, fields, FIELDS, position);
  as_model_config_free(&file);
  return status;
}

static as_status copy_tensor(as_context *ctx, const char *path, const as_safetensors *file, const char *name,
                             as_stored_type type, size_t elements, size_t size, void *out) {
  size_t index;
  if (!as_safetensors_find(file, name, &index)) return as_fail(ctx, AS_E_MODEL, "%s: tensor %s is missing", path, name);
  const as_stored_tensor *t = as_safetensors_tensor(file, index);
  if (t->type != type || t->ndim != 1 || t->shape[0] != (int64_t)elements)
    return as_fail(ctx, AS_E_MODEL, "%s: tensor %s does not fit the model", path, name);
  memcpy(out, as_safetensors_data(file, index), elements * size);
  return AS_OK;
}

as_status as_training_load(const as_training_files *files, const char *checkpoint, const as_optimizer *o,
                           as_training_position *position) {
  as_context *ctx = files->ctx;
  as_safetensors *file = NULL;
  char *path = as_path_join(ctx, checkpoint, "optimizer.safetensors");
  as_status status = path ? read_state(ctx, checkpoint, position) : AS_E_NOMEM;
  if (status == AS_OK) status = as_safetensors_open(ctx, path, &file);
  for (const as_optimizer_moments *m = o->moments; status == AS_OK && m->name; m++)
    status = copy_tensor(ctx, path, file, m->name, AS_STORED_F32, m->count, sizeof *m->values, m->values);
  if (status == AS_OK) status = copy_tensor(ctx, path, file, "steps", AS_STORED_I64, 1, sizeof *o->steps, o->steps);
  if (status == AS_OK) o->restored(o->state);
  as_safetensors_close(file);
  as_free(ctx, path);
  return status;
}
