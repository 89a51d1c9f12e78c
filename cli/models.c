/* models promote, rollback, verify, prune, export, import: changes of the model store from outside, and carrying. What
 * looks is in models_show.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/models.h"
#include "lifecycle/transfer.h"

/* ---- what the commands share ------------------------------------------------------------------------------------ */

as_status as_cli_store_open(as_cli *cli, as_store **out) {
  return as_store_open(cli->ctx, as_option_text(cli->arguments, "models"), out);
}

int as_cli_store_finish(as_cli *cli, as_store *store, as_status status) {
  as_store_close(store);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

as_status as_cli_store_version(as_cli *cli, const as_store *store, size_t count, as_version *out) {
  const char *model = cli->arguments->operands[0], *version = count > 1 ? cli->arguments->operands[1] : NULL;
  if (!version && as_store_is_reference(model)) return as_store_find(store, model, out);
  as_status status = as_store_check_name(cli->ctx, model);
  if (status != AS_OK) return status;
  as_buffer text;
  as_buffer_init(&text, cli->ctx);
  const bool word = !version || (*version >= 'a' && *version <= 'z' && *version != 'v');
  as_buffer_printf(&text, "%s%c%s", model, word ? '@' : '/', version ? version : "champion");
  status = as_buffer_status(&text);
  if (status == AS_OK) status = as_store_find(store, as_buffer_string(&text), out);
  as_buffer_free(&text);
  return status;
}

as_status as_cli_store_models(as_cli *cli, const as_store *store, as_store_names *out) {
  *out = (as_store_names){0};
  if (!cli->arguments->operand_count) return as_store_models(store, out);
  as_status status = as_store_check_name(cli->ctx, cli->arguments->operands[0]);
  if (status != AS_OK) return status;
  out->names = as_alloc_zero(cli->ctx, 1, sizeof *out->names);
  if (!out->names) return AS_E_NOMEM;
  snprintf(out->names[0], sizeof out->names[0], "%s", cli->arguments->operands[0]);
  out->count = 1;
  return AS_OK;
}

/* ---- promote, rollback ------------------------------------------------------------------------------------------ */

static int run_promote(as_cli *cli) {
  as_store *store;
  as_version version;
  bool changed = false;
  as_status status = as_cli_store_open(cli, &store);
  if (status == AS_OK && cli->arguments->operand_count == 1 && !as_store_is_reference(cli->arguments->operands[0])) {
    as_store_close(store);
    return as_cli_usage(cli, "models promote needs a version: models promote intent 2");
  }
  if (status == AS_OK) status = as_cli_store_version(cli, store, cli->arguments->operand_count, &version);
  if (status == AS_OK) status = as_store_promote(store, &version, &changed);
  if (status == AS_OK)
    as_console_note(cli->console,
                    changed ? "%s/%" PRId64 " is the champion now" : "%s/%" PRId64 " was the champion already",
                    version.model, version.number);
  return as_cli_store_finish(cli, store, status);
}

const as_command as_command_models_promote = {
    .name = "models promote",
    .operands = "MODEL VERSION",
    .min_operands = 1,
    .max_operands = 2,
    .operand = AS_OPERAND_TEXT,
    .summary = "make a version the one that answers",
    .run = run_promote,
    .description = "The version becomes the champion, and the champion `previous`. Its files are checked first; a "
                   "damaged version is refused. Who is answering meanwhile goes on with the version it opened.",
    .examples = "assistify models promote intent 2\nassistify models promote intent@challenger"};

static int run_rollback(as_cli *cli) {
  as_store *store;
  as_version champion;
  as_status status = as_cli_store_open(cli, &store);
  if (status == AS_OK) status = as_store_rollback(store, cli->arguments->operands[0], &champion);
  if (status == AS_OK)
    as_console_note(cli->console, "%s/%" PRId64 " is the champion again", champion.model, champion.number);
  return as_cli_store_finish(cli, store, status);
}

const as_command as_command_models_rollback = {
    .name = "models rollback",
    .operands = "MODEL",
    .min_operands = 1,
    .max_operands = 1,
    .operand = AS_OPERAND_TEXT,
    .summary = "put the champion before this one back",
    .run = run_rollback,
    .description = "Champion and previous change places, so a second rollback takes the first one back.",
    .examples = "assistify models rollback intent"};

/* ---- verify ----------------------------------------------------------------------------------------------------- */

typedef struct telling {
  as_cli *cli;
  int64_t count;
} telling;

static void tell_problem(void *user, const char *text) {
  telling *t = user;
  t->count++;
  as_console_error(t->cli->console, text);
}

/* The faults are told one by one; the last word is a line on standard output. */
static as_status verify_model(as_cli *cli, const as_store *store, const as_version *what, bool *damaged) {
  telling t = {.cli = cli};
  as_status status = as_store_verify(store, what, tell_problem, &t);
  if (status != AS_OK && status != AS_E_MODEL) return status;
  *damaged = *damaged || t.count > 0;
  if (what->number)
    as_console_print(cli->console, "%s/%" PRId64 ": %s\n", what->model, what->number, t.count ? "damaged" : "ok");
  else if (t.count)
    as_console_print(cli->console, "%s: damaged, %" PRId64 " fault%s\n", what->model, t.count, t.count > 1 ? "s" : "");
  else
    as_console_print(cli->console, "%s: ok\n", what->model);
  return AS_OK;
}

static int run_verify(as_cli *cli) {
  as_store *store;
  as_store_names models = {0};
  as_version version = {.number = 0};
  bool damaged = false;
  const size_t count = cli->arguments->operand_count;
  const bool one = count == 2 || (count == 1 && as_store_is_reference(cli->arguments->operands[0]));
  as_status status = as_cli_store_open(cli, &store);
  if (status == AS_OK)
    status = one ? as_cli_store_version(cli, store, count, &version) : as_cli_store_models(cli, store, &models);
  if (status == AS_OK && one) status = verify_model(cli, store, &version, &damaged);
  for (size_t i = 0; status == AS_OK && i < models.count; i++) {
    snprintf(version.model, sizeof version.model, "%s", models.names[i]);
    status = verify_model(cli, store, &version, &damaged);
  }
  as_free(cli->ctx, models.names);
  int code = as_cli_store_finish(cli, store, status);
  return code == AS_EXIT_DONE && damaged ? AS_EXIT_MODEL : code;
}

const as_command as_command_models_verify = {
    .name = "models verify",
    .operands = "[MODEL [VERSION]]",
    .max_operands = 2,
    .operand = AS_OPERAND_TEXT,
    .summary = "re-read every file and hold it against its manifest",
    .run = run_verify,
    .description = "Names every file that is missing, changed, not listed or no plain file, and every alias that is no "
                   "link to a version. Exit code 4 when there is one. `sha256sum -c MANIFEST.sha256` in a version's "
                   "folder checks the same without this program.",
    .examples = "assistify models verify\nassistify models verify intent 2"};

/* ---- prune ------------------------------------------------------------------------------------------------------ */

/* clang-format off */
static const as_option prune_rows[] = {
    {.name = "keep", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6, .initial = "5",
     .help = "versions to keep of each model, the newest"},
    {.name = "dry-run", .type = AS_OPTION_FLAG, .help = "only say what would be removed"},
};
/* clang-format on */
static const as_option_group prune_group = AS_OPTION_GROUP("Pruning", prune_rows);
static const as_option_group *const prune_groups[] = {&prune_group, NULL};

static void tell_removed(void *user, const as_version *version) {
  as_cli *cli = user;
  as_console_print(cli->console, "%s/%" PRId64 "\n", version->model, version->number);
}

static int run_prune(as_cli *cli) {
  as_store *store;
  as_store_names models = {0};
  as_status status = as_cli_store_open(cli, &store);
  if (status == AS_OK) status = as_cli_store_models(cli, store, &models);
  for (size_t i = 0; status == AS_OK && i < models.count; i++)
    status = as_store_prune(store, models.names[i], as_option_int(cli->arguments, "keep"),
                            as_option_flag(cli->arguments, "dry-run"), tell_removed, cli);
  as_free(cli->ctx, models.names);
  return as_cli_store_finish(cli, store, status);
}

const as_command as_command_models_prune = {
    .name = "models prune",
    .operands = "[MODEL]",
    .max_operands = 1,
    .operand = AS_OPERAND_TEXT,
    .summary = "remove old versions",
    .groups = prune_groups,
    .run = run_prune,
    .description = "Removes all but the newest versions, and prints those that it removes. The champion, the "
                   "challenger and the previous champion stay, however old they are.",
    .examples = "assistify models prune --keep 3\nassistify models prune intent --dry-run"};

/* ---- export, import --------------------------------------------------------------------------------------------- */

static int run_export(as_cli *cli) {
  const size_t count = cli->arguments->operand_count - 1;
  const char *path = cli->arguments->operands[count];
  as_store *store;
  as_version version;
  uint64_t bytes = 0;
  as_status status = as_cli_store_open(cli, &store);
  if (status == AS_OK) status = as_cli_store_version(cli, store, count, &version);
  if (status == AS_OK) status = as_store_export(store, &version, path, &bytes);
  if (status == AS_OK)
    as_console_note(cli->console, "%s/%" PRId64 " is in %s, %.1f MiB", version.model, version.number, path,
                    (double)bytes / 1048576);
  return as_cli_store_finish(cli, store, status);
}

const as_command as_command_models_export = {
    .name = "models export",
    .operands = "MODEL [VERSION] FILE.tar",
    .min_operands = 2,
    .max_operands = 3,
    .operand = AS_OPERAND_FILE,
    .summary = "write a version to one file, to carry it elsewhere",
    .run = run_export,
    .description = "The file is a tar archive of the version with its manifest. It is checked while it is written; the "
                   "same version gives the same bytes.",
    .examples = "assistify models export intent champion intent.tar\nassistify models export intent/2 intent.tar"};

/* clang-format off */
static const as_option import_rows[] = {
    {.name = "name", .type = AS_OPTION_TEXT, .argument = "MODEL", .initial_note = "the one in the archive",
     .check = as_store_check_name, .help = "the model that it becomes a version of"},
};
/* clang-format on */
static const as_option_group import_group = AS_OPTION_GROUP("Import", import_rows);
static const as_option_group *const import_groups[] = {&import_group, NULL};

static int run_import(as_cli *cli) {
  const char *path = cli->arguments->operands[0];
  as_store *store;
  as_version version;
  bool is_champion = false;
  as_status status = as_cli_store_open(cli, &store);
  if (status == AS_OK)
    status = as_store_import(store, path, as_option_text(cli->arguments, "name"), &version, &is_champion);
  if (status == AS_OK)
    as_console_note(cli->console, "%s is now %s/%" PRId64 ", the %s", path, version.model, version.number,
                    is_champion ? "champion" : "challenger");
  return as_cli_store_finish(cli, store, status);
}

const as_command as_command_models_import = {
    .name = "models import",
    .operands = "FILE.tar",
    .min_operands = 1,
    .max_operands = 1,
    .operand = AS_OPERAND_FILE,
    .summary = "add a version from a file that export wrote",
    .groups = import_groups,
    .run = run_import,
    .description = "Every file is checked against the manifest before the version is added, under the next number "
                   "here. Nothing is written outside the store, whatever names the archive has.",
    .examples = "assistify models import intent.tar"};
