/* See model_store.h. */
#include "cli/model_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "lifecycle/manifest.h"

/* ---- the model that is used ------------------------------------------------------------------------------------- */

/* The champion, or the plain folder; NULL without both. */
static as_status usual_folder(as_cli *cli, const as_store *store, const char *model, const char *name, char **out) {
  as_version version;
  as_status status = as_store_champion(store, model, &version);
  if (status != AS_OK) return status;
  *out = version.number ? as_store_folder(store, &version) : as_path_join(cli->ctx, as_store_root(store), name);
  if (!*out) return AS_E_NOMEM;
  if (version.number || as_path_exists(*out)) return AS_OK;
  as_free(cli->ctx, *out);
  *out = NULL;
  return AS_OK;
}

static as_status referred_folder(const as_store *store, const char *reference, char **out) {
  as_version version;
  as_status status = as_store_find(store, reference, &version);
  if (status == AS_OK) *out = as_store_folder(store, &version);
  return status == AS_OK && !*out ? AS_E_NOMEM : status;
}

static as_status find_folder(as_cli *cli, const char *given, const char *model, const char *name, char **out) {
  as_store *store;
  *out = NULL;
  if (given && !as_store_is_reference(given)) {
    *out = as_strdup(cli->ctx, given);
    return *out ? AS_OK : AS_E_NOMEM;
  }
  as_status status = as_store_open(cli->ctx, as_option_text(cli->arguments, "models"), &store);
  if (status == AS_OK) status = given ? referred_folder(store, given, out) : usual_folder(cli, store, model, name, out);
  as_store_close(store);
  return status;
}

static as_status fail_without(as_cli *cli, const char *model, const char *advice) {
  return as_fail(cli->ctx, AS_E_MODEL, "%s: there is no model for %s here; `assistify train %s` makes one%s",
                 as_option_text(cli->arguments, "models"), model, model, advice);
}

as_status as_cli_model_if_there(as_cli *cli, const char *option, const char *model, const char *name, char **out) {
  return find_folder(cli, as_option_text(cli->arguments, option), model, name, out);
}

as_status as_cli_model(as_cli *cli, const char *option, const char *model, const char *name, char **out) {
  char advice[100];
  as_status status = as_cli_model_if_there(cli, option, model, name, out);
  if (status != AS_OK || *out) return status;
  snprintf(advice, sizeof advice, ", --%s names another place", option);
  return fail_without(cli, model, advice);
}

static as_status aliased_folder(as_cli *cli, as_alias alias, const char *model, char **out) {
  as_store *store;
  as_version version = {.number = 0};
  *out = NULL;
  as_status status = as_store_open(cli->ctx, as_option_text(cli->arguments, "models"), &store);
  if (status == AS_OK) status = as_store_alias(store, model, alias, &version);
  if (status == AS_OK && !version.number)
    status = as_fail(cli->ctx, AS_E_MODEL, "%s: there is no %s of %s; name another version (%s/1) or a folder",
                     as_option_text(cli->arguments, "models"), as_alias_name(alias), model, model);
  if (status == AS_OK) *out = as_store_folder(store, &version);
  as_store_close(store);
  return status == AS_OK && !*out ? AS_E_NOMEM : status;
}

as_status as_cli_model_named(as_cli *cli, const char *given, as_alias alias, const char *model, const char *name,
                             char **out) {
  if (!given && alias != AS_CHAMPION) return aliased_folder(cli, alias, model, out);
  as_status status = find_folder(cli, given, model, name, out);
  return status != AS_OK || *out ? status : fail_without(cli, model, "");
}

as_status as_cli_identify(as_cli *cli, const char *model, const char *folder, as_cli_identity *out) {
  as_version version = {.number = 0};
  char number[24];
  *out = (as_cli_identity){.root = NULL};
  as_status status = as_store_of_version(cli->ctx, folder, &out->root, &version);
  if (status != AS_OK) return status;
  snprintf(out->model, sizeof out->model, "%s", out->root ? version.model : model);
  snprintf(number, sizeof number, "%" PRId64, version.number);
  out->version = as_strdup(cli->ctx, out->root ? number : folder);
  return out->version ? AS_OK : AS_E_NOMEM;
}

void as_cli_identity_free(as_cli *cli, as_cli_identity *identity) {
  as_free(cli->ctx, identity->version);
  as_free(cli->ctx, identity->root);
}

/* ---- the model that is trained ---------------------------------------------------------------------------------- */

static void tell_left_over(as_cli_training *t) {
  as_console_note(t->cli->console, "a training that had ended before is now %s/%" PRId64, t->work.model,
                  t->work.added.number);
}

/* Not how much is said meanwhile, nor what is replaced, nor the file whose values stand in the command itself. */
static bool says_what_is_made(const as_option *option) {
  static const char *const others[] = {"config", "quiet", "overwrite"};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    if (strcmp(option->name, others[i]) == 0) return false;
  return !option->instead_of_command;
}

static as_status add_word(as_context *ctx, json_t *words, const char *text) {
  /* A path need not be UTF-8. */
  if (json_array_append_new(words, json_string_nocheck(text)) == 0) return AS_OK;
  return as_fail(ctx, AS_E_NOMEM, "out of memory");
}

static as_status add_option(as_context *ctx, json_t *words, const as_value *value) {
  const bool flag = value->option->type == AS_OPTION_FLAG;
  as_buffer dashed;
  as_buffer_init(&dashed, ctx);
  as_buffer_printf(&dashed, flag && !value->integer ? "--%s=no" : "--%s", value->option->name);
  as_status status = as_buffer_status(&dashed);
  if (status == AS_OK) status = add_word(ctx, words, as_buffer_string(&dashed));
  if (status == AS_OK && !flag) status = add_word(ctx, words, value->text);
  as_buffer_free(&dashed);
  return status;
}

static bool is_described(const as_value *value) {
  return value->source > AS_FROM_INITIAL && says_what_is_made(value->option);
}

as_status as_cli_training_command(const as_cli *cli, json_t **out) {
  const as_arguments *a = cli->arguments;
  const char *name = a->command->name;
  const size_t first = strcspn(name, " ");
  char word[64];
  json_t *words = *out = json_array();
  snprintf(word, sizeof word, "%.*s", (int)first, name);
  as_status status = words ? add_word(cli->ctx, words, "assistify") : as_fail(cli->ctx, AS_E_NOMEM, "out of memory");
  if (status == AS_OK) status = add_word(cli->ctx, words, word);
  if (status == AS_OK && name[first]) status = add_word(cli->ctx, words, name + first + 1);
  for (size_t i = 0; status == AS_OK && i < a->value_count; i++)
    if (is_described(&a->values[i])) status = add_option(cli->ctx, words, &a->values[i]);
  if (status == AS_OK) return AS_OK;
  json_decref(words);
  *out = NULL;
  return status;
}

as_status as_cli_expect_version(const as_cli *cli) {
  const char *out = as_option_text(cli->arguments, "out");
  if (!out) return AS_OK;
  return as_fail(cli->ctx, AS_E_INVALID,
                 "%s would put its model into %s, where it is no version: the configuration file or the environment has "
                 "the option out, and must not have it for this command",
                 cli->arguments->command->name, out);
}

/* The command, and the files among its options. */
static as_status describe(as_cli_training *t) {
  as_context *ctx = t->cli->ctx;
  const as_arguments *a = t->cli->arguments;
  json_t *command;
  as_status status = as_cli_training_command(t->cli, &command);
  if (status != AS_OK) return status;
  as_origin origin = {.words = json_array_size(command)};
  const char **words = as_alloc(ctx, origin.words, sizeof *words);
  as_origin_file *files = as_alloc(ctx, a->value_count, sizeof *files);
  status = words && files ? AS_OK : AS_E_NOMEM;
  for (size_t i = 0; status == AS_OK && i < origin.words; i++)
    words[i] = json_string_value(json_array_get(command, i));
  for (size_t i = 0; status == AS_OK && i < a->value_count; i++)
    if (is_described(&a->values[i]) && a->values[i].option->type == AS_OPTION_FILE)
      files[origin.file_count++] = (as_origin_file){a->values[i].option->name, a->values[i].text};
  origin.command = words;
  origin.files = files;
  if (status == AS_OK) status = as_store_describe(&t->work, &origin);
  as_free(ctx, words);
  as_free(ctx, files);
  json_decref(command);
  return status;
}

/* What ended before, without becoming a version, becomes one first. */
static as_status begin_in_store(as_cli_training *t, const char *root, const char *model, bool resuming) {
  as_status status = as_store_open(t->cli->ctx, root, &t->store);
  if (status == AS_OK) status = as_store_begin_training(t->store, model, &t->work);
  if (status == AS_OK && t->work.added.number) {
    tell_left_over(t);
    if (resuming) {
      t->done = true;
      return AS_OK;
    }
    as_store_work_end(&t->work);
    status = as_store_begin_training(t->store, model, &t->work);
  }
  /* What is there and stays keeps its description: the run will refuse to begin there. */
  const bool begins = !resuming && status == AS_OK &&
                      (!as_path_exists(t->work.folder) || as_option_flag(t->cli->arguments, "overwrite"));
  if (begins) status = describe(t);
  if (status == AS_OK) t->out = as_strdup(t->cli->ctx, t->work.folder);
  return status == AS_OK && !t->out ? AS_E_NOMEM : status;
}

/* Versions don't change: a manifest in the folder says that it is one. */
static as_status begin_in_folder(as_cli_training *t, const char *folder) {
  as_context *ctx = t->cli->ctx;
  t->out = as_strdup(ctx, folder);
  char *manifest = t->out ? as_path_join(ctx, folder, AS_MANIFEST_NAME) : NULL;
  as_status status = manifest ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(manifest))
    status = as_fail(ctx, AS_E_INVALID,
                     "%s is a version of the model store, and these don't change; without --out the next one is made",
                     folder);
  as_free(ctx, manifest);
  return status;
}

as_status as_cli_training_begin(as_cli *cli, const char *model, const char *out, const char *resume,
                                as_cli_training *t) {
  char *root = NULL, name[AS_STORE_NAME];
  bool found = false;
  *t = (as_cli_training){.cli = cli};
  if (!resume)
    return out ? begin_in_folder(t, out) : begin_in_store(t, as_option_text(cli->arguments, "models"), model, false);
  as_status status = as_store_of_training(cli->ctx, resume, &root, name, &found);
  if (status == AS_OK)
    status = found && strcmp(name, model) == 0 ? begin_in_store(t, root, model, true) : begin_in_folder(t, resume);
  as_free(cli->ctx, root);
  return status;
}

as_status as_cli_training_publish(as_cli_training *t) {
  if (!t->store || t->work.added.number) return AS_OK;
  as_status status = as_store_publish(&t->work, true);
  if (status != AS_OK) return status;
  as_free(t->cli->ctx, t->out);
  t->out = as_store_folder(t->store, &t->work.added);
  return t->out ? AS_OK : AS_E_NOMEM;
}

void as_cli_training_tell(const as_cli_training *t) {
  const as_version *v = &t->work.added;
  if (!v->number || t->done) return;
  if (t->work.is_champion)
    as_console_note(t->cli->console, "%s/%" PRId64 " is the champion: it answers when no --model is given", v->model,
                    v->number);
  else
    as_console_note(t->cli->console,
                    "%s/%" PRId64 " is the challenger; `assistify models promote %s %" PRId64 "` lets it answer",
                    v->model, v->number, v->model, v->number);
}

void as_cli_training_end(as_cli_training *t) {
  as_store_work_end(&t->work);
  as_store_close(t->store);
  as_free(t->cli->ctx, t->out);
  *t = (as_cli_training){.cli = t->cli};
}
