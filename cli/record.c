/* See record.h. */
#include "cli/record.h"

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

as_status as_cli_record(as_cli *cli, const char *model, const char *folder, const as_buffer *json) {
  const char *given = as_option_text(cli->arguments, "db");
  char *path = NULL;
  as_cli_identity identity;
  if (given && strcmp(given, "none") == 0) return AS_OK;
  as_status status = as_cli_identify(cli, model, folder, &identity);
  if (status == AS_OK && (given || identity.root)) {
    path = given ? as_strdup(cli->ctx, given) : as_path_join(cli->ctx, identity.root, AS_DATABASE_NAME);
    status = path ? write_figures(cli, path, identity.model, identity.version, json) : AS_E_NOMEM;
  }
  as_free(cli->ctx, path);
  as_cli_identity_free(cli, &identity);
  if (status == AS_OK || given) return status;
  as_warn(cli->ctx, "the figures are not recorded: %s", as_error_text(cli->ctx));
  return AS_OK;
}
