/* See model_store.h. */
#include "cli/model_store.h"

#include <inttypes.h>
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

as_status as_cli_model_if_there(as_cli *cli, const char *option, const char *model, const char *name, char **out) {
  const char *given = as_option_text(cli->arguments, option);
  as_store *store;
  *out = NULL;
  if (given && !as_store_is_reference(given)) {
    *out = as_strdup(cli->ctx, given);
    return *out ? AS_OK : AS_E_NOMEM;
  }
  as_status status = as_store_open(cli->ctx, as_option_text(cli->arguments, "models"), &store);
  if (status == AS_OK)
    status = given ? referred_folder(store, given, out) : usual_folder(cli, store, model, name, out);
  as_store_close(store);
  return status;
}

as_status as_cli_model(as_cli *cli, const char *option, const char *model, const char *name, char **out) {
  as_status status = as_cli_model_if_there(cli, option, model, name, out);
  if (status != AS_OK || *out) return status;
  return as_fail(cli->ctx, AS_E_MODEL,
                 "%s: there is no model for %s here; `assistify train %s` makes one, --%s names another place",
                 as_option_text(cli->arguments, "models"), model, model, option);
}

/* ---- the model that is trained ---------------------------------------------------------------------------------- */

static void tell_left_over(as_cli_training *t) {
  as_console_note(t->cli->console, "a training that had ended before is now %s/%" PRId64, t->work.model,
                  t->work.added.number);
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
