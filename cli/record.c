/* See record.h. */
#include "cli/record.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/model_store.h"
#include "lifecycle/metric_history.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "db", .type = AS_OPTION_FILE, .argument = "F.db|none",
     .initial_note = AS_DATABASE_NAME " of the model's store",
     .help = "database for every figure (table model_metrics), or none"},
};
/* clang-format on */
const as_option_group as_options_record = AS_OPTION_GROUP("Record", rows);

static as_status write_figures(as_cli *cli, const char *path, const char *model, const char *version,
                               const as_buffer *json) {
  as_database *database = NULL;
  json_t *root = NULL;
  int64_t added;
  as_status status = as_json_parse(cli->ctx, json->data, json->length, "the evaluation", AS_E_DATA, &root);
  if (status == AS_OK) status = as_database_open(cli->ctx, path, true, &database);
  if (status == AS_OK) status = as_metrics_add(database, model, version, root, &added);
  as_database_close(database);
  json_decref(root);
  return status;
}

/* Who the model is, and the file where its figures stand; NULL: nowhere. Caller frees both, after a failure too. */
static as_status find_place(as_cli *cli, const char *model, const char *folder, as_cli_identity *identity,
                            char **path) {
  const char *given = as_option_text(cli->arguments, "db");
  *identity = (as_cli_identity){0};
  *path = NULL;
  if (given && strcmp(given, "none") == 0) return AS_OK;
  as_status status = as_cli_identify(cli, model, folder, identity);
  if (status != AS_OK || (!given && !identity->root)) return status;
  *path = given ? as_strdup(cli->ctx, given) : as_path_join(cli->ctx, identity->root, AS_DATABASE_NAME);
  return *path ? AS_OK : AS_E_NOMEM;
}

as_status as_cli_record(as_cli *cli, const char *model, const char *folder, const as_buffer *json) {
  char *path;
  as_cli_identity identity;
  as_status status = find_place(cli, model, folder, &identity, &path);
  if (status == AS_OK && path) status = write_figures(cli, path, identity.model, identity.version, json);
  as_free(cli->ctx, path);
  as_cli_identity_free(cli, &identity);
  if (status == AS_OK || as_option_text(cli->arguments, "db")) return status;
  as_warn(cli->ctx, "the figures are not recorded: %s", as_error_text(cli->ctx));
  return AS_OK;
}

/* ---- looking back ----------------------------------------------------------------------------------------------- */

typedef struct looking {
  const char *version;
  double value;
} looking;

/* Rows come by time; the last one stays. */
static as_status take_row(void *user, const as_metric_row *row) {
  looking *l = user;
  if (strcmp(row->version, l->version) == 0) l->value = row->value;
  return AS_OK;
}

as_status as_cli_recorded(as_cli *cli, const char *model, const char *folder, const char *metric, double *out) {
  char *path;
  as_database *database = NULL;
  as_cli_identity identity;
  as_status status = find_place(cli, model, folder, &identity, &path);
  looking l = {.version = identity.version, .value = NAN};
  if (status == AS_OK && path && as_path_exists(path)) {
    const as_metric_query query = {.model = identity.model, .metric = metric};
    status = as_database_open(cli->ctx, path, false, &database);
    if (status == AS_OK) status = as_metrics_read(database, &query, take_row, &l);
    as_database_close(database);
  }
  as_free(cli->ctx, path);
  as_cli_identity_free(cli, &identity);
  *out = l.value;
  return status;
}
