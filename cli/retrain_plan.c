/* What to train this time. See retrain.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "cli/model_store.h"
#include "cli/recommend_options.h"
#include "cli/retrain.h"
#include "cli/subcommand.h"
#include "infer/responder.h"
#include "lifecycle/training_words.h"
#include "train/pair_data.h"

#define BASE_NAME "base.json" /* in the model's folder */

const as_retrain_kind as_retrain_kinds[] = {
    {&as_trainables[0], AS_INTENT_FOLDER, true, true, "f1.macro_seen", "macro_f1"},
    {&as_trainables[1], AS_SENTIMENT_FOLDER, true, true, "f1.macro_seen", "macro_f1"},
    {&as_trainables[2], AS_RESPONSE_FOLDER, true, false, "bleu", "bleu"},
    {&as_trainables[3], AS_RECOMMENDER_FOLDER, false, false, "ndcg@10", "ndcg@10"},
    {0}};

/* "data": the option of train that takes a file. */
static const char *file_option(const as_retrain_kind *kind, int file) {
  return kind->trained->options[file] + strlen("--");
}

/* Options that say where something lies or how it is run, not what is trained. */
static const char *const of_place[] = {"data",  "interactions", "products",  "models",   "threads",
                                       "out",   "resume",       "hold-out",  "on-error", "update",
                                       "quiet", "config",       "overwrite", NULL};
/* The same, and what a model is begun from. */
static const char *const of_start[] = {"data",      "interactions", "products", "models", "threads",    "out",
                                       "resume",    "hold-out",     "on-error", "update", "quiet",      "config",
                                       "overwrite", "from",         "size",     "arch",   "vocab-size", NULL};
/* What two trainings of the same plan may differ in. */
static const char *const of_run[] = {"data",   "interactions", "products",  "models",       "threads",    "quiet",
                                     "config", "on-error",     "overwrite", "memory-limit", "save-every", NULL};

/* A file of the model's folder in the store; NULL without memory. */
static char *model_file(const as_retrain_plan *p, const char *name) {
  char *folder = as_path_join(p->of->ctx, as_store_root(p->of->store), p->kind->trained->model);
  char *path = folder ? as_path_join(p->of->ctx, folder, name) : NULL;
  as_free(p->of->ctx, folder);
  return path;
}

/* ---- the champion ----------------------------------------------------------------------------------------------- */

static as_status read_origin(as_context *ctx, const char *folder, json_t **out) {
  char *path = as_path_join(ctx, folder, AS_ORIGIN_NAME);
  *out = NULL;
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(path)) status = as_origin_read(ctx, path, out);
  as_free(ctx, path);
  return status;
}

static as_status find_champion(as_retrain_plan *p) {
  as_status status = as_store_champion(p->of->store, p->kind->trained->model, &p->champion);
  if (status != AS_OK || !p->champion.number) return status;
  p->folder = as_store_folder(p->of->store, &p->champion);
  return p->folder ? read_origin(p->of->ctx, p->folder, &p->origin) : AS_E_NOMEM;
}

/* Whether a command began from a version of this model in a store: "STORE/intent/v0003". */
static bool from_version(const as_retrain_plan *p, const json_t *command) {
  const char *from = as_training_words_value(command, "from");
  char tail[AS_STORE_NAME + 4];
  snprintf(tail, sizeof tail, "%s/v", p->kind->trained->model);
  const char *slash = from ? strrchr(from, '/') : NULL;
  const size_t before = slash ? (size_t)(slash + 2 - from) : 0, length = strlen(tail);
  if (!slash || before < length || strncmp(slash + 2 - length, tail, length) != 0) return false;
  return slash[2] && strspn(slash + 2, "0123456789") == strlen(slash + 2);
}

/* The command of the base: the champion's, unless that began from another version; then the one that was kept. *kept
 * owns it then. */
static as_status find_base(const as_retrain_plan *p, const json_t **command, json_t **kept) {
  as_context *ctx = p->of->ctx;
  *command = json_object_get(p->origin, "command");
  *kept = NULL;
  if (!from_version(p, *command)) return AS_OK;
  char *path = model_file(p, BASE_NAME);
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(path)) {
    status = as_json_read(ctx, path, 1 << 20, AS_E_MODEL, kept);
    *command = json_object_get(*kept, "command");
    if (status == AS_OK && !json_is_array(*command))
      status = as_fail(ctx, AS_E_MODEL, "%s: \"command\" is not a list of words", path);
  } else if (status == AS_OK && p->of->start == AS_START_BASE) {
    status = as_fail(ctx, AS_E_MODEL,
                     "%s/%s: the champion began from another version, and what that one began from is not known here; "
                     "give --start champion or --start fresh, or train and promote a version by hand",
                     as_store_root(p->of->store), p->kind->trained->model);
  }
  as_free(ctx, path);
  return status;
}

as_status as_retrain_keep_base(const as_retrain_plan *p) {
  const json_t *command = json_object_get(p->origin, "command");
  if (p->of->start != AS_START_CHAMPION || !command || from_version(p, command)) return AS_OK;
  as_buffer out;
  as_buffer_init(&out, p->of->ctx);
  as_json_writer w = as_json_writer_start(&out, 2);
  as_json_open_object(&w, NULL);
  as_json_value(&w, "command", command);
  as_json_close_object(&w);
  as_buffer_char(&out, '\n');
  char *path = model_file(p, BASE_NAME);
  as_status status = path ? as_buffer_status(&out) : AS_E_NOMEM;
  if (status == AS_OK) status = as_file_write(p->of->ctx, path, out.data, out.length);
  as_free(p->of->ctx, path);
  as_buffer_free(&out);
  return status;
}

as_status as_retrain_check_first(const as_retrain_plan *p) {
  if (p->champion.number) return AS_OK;
  as_context *ctx = p->of->ctx;
  const char *model = p->kind->trained->model;
  char *folder = as_path_join(ctx, as_store_root(p->of->store), p->kind->folder);
  as_status status = folder ? AS_OK : AS_E_NOMEM;
  if (folder && as_path_exists(folder))
    status = as_fail(ctx, AS_E_MODEL,
                     "%s: answers now and is no version, so the first one would take its place unjudged; train that by "
                     "hand (`assistify train %s`) and look at `assistify compare %s %s %s/1`, or remove the folder",
                     folder, model, model, folder, model);
  as_free(ctx, folder);
  return status;
}

as_status as_retrain_was_rolled_back(const as_retrain_plan *p, const as_version *version, bool *was) {
  as_version previous;
  as_status status = as_store_alias(p->of->store, version->model, AS_PREVIOUS, &previous);
  *was = status == AS_OK && previous.number == version->number;
  return status == AS_E_MODEL ? AS_OK : status;
}

/* ---- today's command -------------------------------------------------------------------------------------------- */

static bool starts_anew(const as_retrain_plan *p) {
  return !p->kind->is_messages || p->of->start != AS_START_CHAMPION || !p->folder;
}

void as_retrain_number(double value, char text[AS_RETRAIN_NUMBER]) {
  snprintf(text, AS_RETRAIN_NUMBER, "%.15g", value);
  if (strtod(text, NULL) != value) snprintf(text, AS_RETRAIN_NUMBER, "%.17g", value);
}

static as_status make_words(as_retrain_plan *p) {
  as_context *ctx = p->of->ctx;
  const json_t *base;
  json_t *kept;
  char share[AS_RETRAIN_NUMBER];
  as_retrain_number(p->of->hold_out, share);
  p->words = json_array();
  as_status status = p->words ? find_base(p, &base, &kept) : AS_E_NOMEM;
  if (status != AS_OK) return status;
  const bool keeps_start = starts_anew(p) && !(p->of->start == AS_START_FRESH && as_training_words_value(base, "from"));
  status = as_training_words_copy(ctx, base, keeps_start ? of_place : of_start, p->words);
  for (int i = 0; status == AS_OK && i < AS_RETRAIN_FILES && p->paths[i]; i++)
    status = as_training_words_add(ctx, p->words, file_option(p->kind, i), p->paths[i]);
  if (status == AS_OK && !starts_anew(p)) status = as_training_words_add(ctx, p->words, "from", p->folder);
  if (status == AS_OK) status = as_training_words_add(ctx, p->words, "hold-out", share);
  if (status == AS_OK) status = as_training_words_add(ctx, p->words, "on-error", "skip");
  json_decref(kept);
  return status;
}

static void find_held_out(as_retrain_plan *p) {
  const char *text = as_training_words_value(json_object_get(p->origin, "command"), "hold-out");
  const double before = text ? strtod(text, NULL) : 0;
  p->unfair = p->champion.number > 0 && !(before > 0);
  p->held_out = before > 0 ? fmin(before, p->of->hold_out) : p->of->hold_out;
}

as_status as_retrain_plan_make(const as_retraining *of, const as_retrain_kind *kind, as_retrain_plan *p) {
  *p = (as_retrain_plan){.of = of, .kind = kind};
  const char *folder = as_option_text(of->cli->arguments, "data-dir");
  as_status status = AS_OK;
  for (int i = 0; status == AS_OK && i < AS_RETRAIN_FILES && kind->trained->files[i]; i++) {
    p->paths[i] = as_path_join(of->ctx, folder, kind->trained->files[i]);
    if (!p->paths[i]) status = AS_E_NOMEM;
  }
  if (status == AS_OK) status = find_champion(p);
  if (status == AS_OK) status = make_words(p);
  if (status == AS_OK) find_held_out(p);
  return status;
}

void as_retrain_plan_end(as_retrain_plan *p) {
  for (int i = 0; i < AS_RETRAIN_FILES; i++) as_free(p->of->ctx, p->paths[i]);
  as_free(p->of->ctx, p->folder);
  json_decref(p->origin);
  json_decref(p->words);
  json_decref(p->command);
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

static as_status csv_options(const as_retrain_plan *p, as_csv_options *out) {
  *out = (as_csv_options){0};
  as_status status =
      as_csv_delimiter_by_name(p->of->ctx, as_training_words_value(p->words, "delimiter"), &out->delimiter);
  return status == AS_OK
             ? as_encoding_by_name(p->of->ctx, as_training_words_value(p->words, "encoding"), &out->encoding)
             : status;
}

/* What a training recorded of the file that it took by this option; NULL: nothing. */
static const json_t *file_of(const json_t *origin, const char *option) {
  const json_t *file;
  size_t i;
  json_array_foreach(json_object_get(origin, "files"), i, file) {
    if (strcmp(json_string_value(json_object_get(file, "option")), option) == 0) return file;
  }
  return NULL;
}

/* The size of the file that the champion learned from, as it was recorded; 0: it was not. */
static int64_t bytes_before(const as_retrain_plan *p) {
  return json_integer_value(json_object_get(file_of(p->origin, file_option(p->kind, 0)), "bytes"));
}

static as_status check_messages(const as_retrain_plan *p, as_data_before *before, as_data_verdict *verdict) {
  const char *label = as_training_words_value(p->words, "label-col");
  const as_column_request own = {.name = label ? label : p->kind->trained->column, .kind = AS_COLUMN_LABEL};
  as_message_options options = {.text_column = as_training_words_value(p->words, "text-col"),
                                .columns = p->kind->has_labels ? &own : as_pair_columns,
                                .column_count = p->kind->has_labels ? 1 : AS_PAIR_COLUMNS};
  as_model_config config = {0};
  as_labels labels = {0};
  as_status status = csv_options(p, &options.csv);
  if (status == AS_OK && p->kind->has_labels && p->folder) {
    status = as_model_config_read(p->of->ctx, p->folder, &config);
    if (status == AS_OK) status = as_config_read_labels(&config, &labels);
    before->classes = (const char *const *)labels.names;
    before->class_count = labels.count;
  }
  if (status == AS_OK)
    status = as_data_gate_messages(p->of->ctx, p->paths[0], &options, &p->of->limits, before, verdict);
  as_labels_free(p->of->ctx, &labels);
  as_model_config_free(&config);
  return status;
}

as_status as_retrain_check_data(const as_retrain_plan *p, as_data_verdict *verdict) {
  as_data_before before = {.bytes = bytes_before(p)};
  if (p->kind->is_messages) return check_messages(p, &before, verdict);
  as_csv_options csv;
  as_interaction_types types = as_interaction_types_usual();
  const char *weights = as_training_words_value(p->words, "weight");
  as_status status = csv_options(p, &csv);
  if (status == AS_OK && weights) status = as_interaction_types_set(p->of->ctx, &types, weights);
  if (status != AS_OK) return status;
  return as_data_gate_interactions(p->of->ctx, p->paths[0], p->paths[1], &csv, &types, &p->of->limits, &before,
                                   verdict);
}

/* ---- what was made already -------------------------------------------------------------------------------------- */

static as_status take_digests(as_retrain_plan *p) {
  as_status status = AS_OK;
  for (int i = 0; status == AS_OK && i < AS_RETRAIN_FILES && p->paths[i]; i++) {
    unsigned char digest[32];
    status = as_sha256_file(p->of->ctx, p->paths[i], AS_E_DATA, digest);
    if (status == AS_OK) as_sha256_hex(digest, p->digests[i]);
  }
  return status;
}

/* Parsed as the training will be, so that it says what the version will say, whoever says it. */
int as_retrain_take_identity(as_retrain_plan *p) {
  const size_t count = 2 + json_array_size(p->words);
  const char **words = as_alloc(p->of->ctx, count, sizeof *words);
  as_subcommand training;
  as_status status = words ? take_digests(p) : AS_E_NOMEM;
  if (status != AS_OK) {
    as_free(p->of->ctx, words);
    return as_cli_failed(p->of->cli, status);
  }
  words[0] = "train";
  words[1] = p->kind->trained->model;
  for (size_t i = 2; i < count; i++) words[i] = json_string_value(json_array_get(p->words, i - 2));
  int code = as_subcommand_parse(p->of->cli, words, count, &training);
  if (code == AS_EXIT_DONE) {
    status = as_cli_expect_version(&training.cli);
    if (status == AS_OK) status = as_cli_training_command(&training.cli, &p->command);
    if (status != AS_OK) code = as_cli_failed(p->of->cli, status);
  }
  as_subcommand_end(&training);
  as_free(p->of->ctx, words);
  return code;
}

static bool has_file(const json_t *origin, const char *option, const char *digest) {
  const json_t *file = file_of(origin, option);
  return file && strcmp(json_string_value(json_object_get(file, "sha256")), digest) == 0;
}

/* Whether a training is of this plan: the same data, the same options. A start from a champion is the same plan
 * whichever champion it was: the data is what decides. */
static bool is_planned(const as_retrain_plan *p, const json_t *origin) {
  if (!origin) return false;
  for (int i = 0; i < AS_RETRAIN_FILES && p->paths[i]; i++)
    if (!has_file(origin, file_option(p->kind, i), p->digests[i])) return false;
  const json_t *command = json_object_get(origin, "command");
  if (starts_anew(p) != !from_version(p, command)) return false;
  if (starts_anew(p)) return as_training_words_same(command, p->command, of_run);
  json_t *mine = json_array(), *other = json_array();
  bool same = mine && other && as_training_words_copy(p->of->ctx, p->command, of_start, mine) == AS_OK &&
              as_training_words_copy(p->of->ctx, command, of_start, other) == AS_OK &&
              as_training_words_same(mine, other, of_run);
  json_decref(mine);
  json_decref(other);
  return same;
}

/* A retraining's has rows held out of this file, as it was then. */
static bool began_by_retraining(const as_retrain_plan *p, const json_t *origin) {
  const json_t *command = json_object_get(origin, "command");
  const char *path = as_training_words_value(command, file_option(p->kind, 0));
  return path && strcmp(path, p->paths[0]) == 0 && as_training_words_value(command, "hold-out");
}

static as_status refuse_unfinished(const as_retrain_plan *p) {
  const char *model = p->kind->trained->model;
  char *folder = as_store_unfinished_folder(p->of->store, model);
  as_status status = !folder ? AS_E_NOMEM
                             : as_fail(p->of->ctx, AS_E_IO,
                                       "%s: holds an unfinished training that no retraining began; `assistify train %s "
                                       "--resume %s` goes on with it, or remove that folder to give it up",
                                       folder, model, folder);
  as_free(p->of->ctx, folder);
  return status;
}

as_status as_retrain_find_unfinished(const as_retrain_plan *p, bool *found) {
  json_t *origin;
  *found = false;
  as_status status = as_store_unfinished(p->of->store, p->kind->trained->model, &origin);
  if (status == AS_E_MODEL) return AS_OK; /* not readable: nobody can go on with it */
  if (status != AS_OK || !origin) return status;
  *found = is_planned(p, origin);
  if (!*found && !began_by_retraining(p, origin)) status = refuse_unfinished(p);
  json_decref(origin);
  return status;
}

/* Whether this version was made by the plan. One that is damaged was not: it could not be promoted. */
static as_status was_made(const as_retrain_plan *p, const as_version *version, bool *made) {
  json_t *origin = NULL;
  char *folder = as_store_folder(p->of->store, version);
  as_status status = folder ? read_origin(p->of->ctx, folder, &origin) : AS_E_NOMEM;
  *made = status == AS_OK && is_planned(p, origin);
  if (*made && version->number != p->champion.number) status = as_store_verify(p->of->store, version, NULL, NULL);
  json_decref(origin);
  as_free(p->of->ctx, folder);
  if (status != AS_E_MODEL) return status;
  *made = false;
  as_warn(p->of->ctx, "%s", as_error_text(p->of->ctx));
  return AS_OK;
}

as_status as_retrain_find_made(const as_retrain_plan *p, as_version *out) {
  int64_t *numbers;
  size_t count;
  *out = (as_version){.number = 0};
  as_status status = as_store_versions(p->of->store, p->kind->trained->model, &numbers, &count);
  if (status != AS_OK) return status;
  for (size_t i = 0; status == AS_OK && i < count; i++) {
    as_version version = p->champion;
    bool made;
    version.number = numbers[i];
    if (version.number < p->champion.number) continue;
    status = was_made(p, &version, &made);
    if (status == AS_OK && made) *out = version;
  }
  as_free(p->of->ctx, numbers);
  return status;
}
