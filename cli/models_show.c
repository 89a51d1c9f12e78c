/* models list, models show: what is in the store, when it was made, and what training measured of it. A version whose
 * own account of itself cannot be read is listed all the same, with a warning: models verify tells what is wrong. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/columns.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/report.h"
#include "base/sha256.h"
#include "cli/models.h"
#include "lifecycle/card.h"
#include "lifecycle/main_figure.h"
#include "lifecycle/manifest.h"

#define LARGEST ((size_t)64 << 20) /* bytes of metrics.json and training.json */

/* What is said of a version. */
typedef struct facts {
  as_version version;
  bool is[AS_ALIASES];
  char *folder;
  uint64_t bytes;
  json_t *metrics, *origin; /* metrics.json, training.json; NULL: there is none, or none that can be read */
  as_main_figure figure;
  bool has_figure;
} facts;

static void free_facts(const as_cli *cli, facts *f) {
  as_free(cli->ctx, f->folder);
  json_decref(f->metrics);
  json_decref(f->origin);
}

/* A fault of the version is verify's to tell; here it is a warning. */
static as_status only_warn(const as_cli *cli, as_status status) {
  if (status != AS_E_MODEL) return status;
  as_warn(cli->ctx, "%s", as_error_text(cli->ctx));
  return AS_OK;
}

static as_status read_json(const as_cli *cli, const char *folder, const char *name, json_t **out) {
  char *path = as_path_join(cli->ctx, folder, name);
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(path)) status = as_json_read(cli->ctx, path, LARGEST, AS_E_MODEL, out);
  if (status == AS_E_MODEL) *out = NULL;
  as_free(cli->ctx, path);
  return only_warn(cli, status);
}

static as_status read_facts(const as_cli *cli, const as_store *store, const as_version *version, facts *out) {
  *out = (facts){.version = *version, .folder = as_store_folder(store, version)};
  as_status status = out->folder ? as_manifest_bytes(cli->ctx, out->folder, &out->bytes) : AS_E_NOMEM;
  for (int a = 0; status == AS_OK && a < AS_ALIASES; a++) {
    as_version named;
    status = a == AS_CHAMPION ? as_store_champion(store, version->model, &named)
                              : as_store_alias(store, version->model, (as_alias)a, &named);
    if (status == AS_E_MODEL) named.number = 0;
    status = only_warn(cli, status);
    out->is[a] = status == AS_OK && named.number == version->number;
  }
  if (status == AS_OK) status = read_json(cli, out->folder, "metrics.json", &out->metrics);
  if (status == AS_OK) status = read_json(cli, out->folder, AS_ORIGIN_NAME, &out->origin);
  out->has_figure = as_main_figure_find(out->metrics, &out->figure);
  return status;
}

static const char *finished(const facts *f) {
  return json_string_value(json_object_get(f->origin, "finished"));
}

static void json_facts(as_json_writer *w, const facts *f) {
  as_json_string(w, "model", f->version.model);
  as_json_int(w, "version", f->version.number);
  as_json_open_array(w, "aliases");
  for (int a = 0; a < AS_ALIASES; a++)
    if (f->is[a]) as_json_string(w, NULL, as_alias_name((as_alias)a));
  as_json_close_array(w);
  if (finished(f))
    as_json_string(w, "finished", finished(f));
  else
    as_json_null(w, "finished");
  as_main_figure_json(w, "figure", f->has_figure ? &f->figure : NULL);
  as_json_string(w, "folder", f->folder);
  as_json_int(w, "bytes", (int64_t)f->bytes);
}

static void text_aliases(const facts *f, char *text, size_t size) {
  text[0] = 0;
  for (int a = 0; a < AS_ALIASES; a++)
    if (f->is[a]) {
      size_t used = strlen(text);
      snprintf(text + used, size - used, "%s%s", used ? "," : "", as_alias_name((as_alias)a));
    }
}

/* ---- list ------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const as_option json_rows[] = {
    {.name = "json", .type = AS_OPTION_FLAG, .help = "as JSON"},
};
/* clang-format on */
static const as_option_group json_group = AS_OPTION_GROUP("Output", json_rows);
static const as_option_group *const json_groups[] = {&json_group, NULL};

/* At most 80 columns, unless the model's name is a long one. */
static void write_line(as_buffer *out, const facts *f) {
  enum { MINUTES = 16 }; /* "2026-01-31 12:30" */
  char aliases[64], reference[AS_STORE_NAME + 24], figure[64] = "-";
  text_aliases(f, aliases, sizeof aliases);
  snprintf(reference, sizeof reference, "%s/%" PRId64, f->version.model, f->version.number);
  if (f->has_figure) as_main_figure_text(&f->figure, figure, sizeof figure);
  char when[MINUTES + 1];
  snprintf(when, sizeof when, "%s", finished(f) ? finished(f) : "-");
  as_buffer_printf(out, "%-14s %-19s ", reference, aliases);
  as_buffer_columns(out, when, MINUTES);
  as_buffer_printf(out, "  %-16s %8.1f\n", figure, (double)f->bytes / 1048576);
}

static as_status list_model(as_cli *cli, const as_store *store, const char *model, as_buffer *out, as_json_writer *w) {
  int64_t *numbers;
  size_t count;
  as_status status = as_store_versions(store, model, &numbers, &count);
  if (status == AS_OK && !count && cli->arguments->operand_count)
    status = as_fail(cli->ctx, AS_E_MODEL, "%s/%s: the store has no such model", as_store_root(store), model);
  for (size_t i = 0; status == AS_OK && i < count; i++) {
    facts f;
    as_version version = {.number = numbers[i]};
    snprintf(version.model, sizeof version.model, "%s", model);
    status = read_facts(cli, store, &version, &f);
    if (status == AS_OK && w) {
      as_json_open_object(w, NULL);
      json_facts(w, &f);
      as_json_close_object(w);
    } else if (status == AS_OK) {
      if (!out->length)
        as_buffer_printf(out, "%-14s %-19s %-16s  %-16s %8s\n", "version", "", "trained (UTC)", "measured then", "MiB");
      write_line(out, &f);
    }
    free_facts(cli, &f);
  }
  as_free(cli->ctx, numbers);
  return status;
}

static int run_list(as_cli *cli) {
  as_store *store;
  as_store_names models = {0};
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  as_json_writer writer = as_json_writer_start(&out, 0);
  const bool json = as_option_flag(cli->arguments, "json");
  as_status status = as_cli_store_open(cli, &store);
  if (status == AS_OK) status = as_cli_store_models(cli, store, &models);
  if (json) as_json_open_array(&writer, NULL);
  for (size_t i = 0; status == AS_OK && i < models.count; i++)
    status = list_model(cli, store, models.names[i], &out, json ? &writer : NULL);
  if (json) {
    as_json_close_array(&writer);
    as_buffer_char(&out, '\n');
  }
  if (status == AS_OK) status = as_buffer_status(&out);
  if (status == AS_OK && out.length) as_console_buffer(cli->console, &out);
  if (status == AS_OK && !models.count) as_console_note(cli->console, "%s holds no version", as_store_root(store));
  as_buffer_free(&out);
  as_free(cli->ctx, models.names);
  return as_cli_store_finish(cli, store, status);
}

const as_command as_command_models_list = {
    .name = "models list",
    .operands = "[MODEL]",
    .max_operands = 1,
    .operand = AS_OPERAND_TEXT,
    .summary = "list the versions of the models in the store",
    .groups = json_groups,
    .run = run_list,
    .description = "One line for each version: MODEL/NUMBER, which is how --model names it, its aliases, when its "
                   "training ended, what that measured (a classifier's accuracy, a response model's BLEU, a "
                   "recommender's NDCG@10), and its size.",
    .examples = "assistify models list\nassistify models list intent --json | jq '.[].figure.value'"};

/* ---- show ------------------------------------------------------------------------------------------------------- */

static void show_figure(as_report *r, const facts *f) {
  char text[64], low[32], high[32], baseline[32];
  const as_main_figure *m = &f->figure;
  if (!f->has_figure) {
    as_report_item(r, "figures", "none were taken in training; card.md says how they can be");
    return;
  }
  as_main_figure_text(m, text, sizeof text);
  as_main_figure_value(m, m->low, low, sizeof low);
  as_main_figure_value(m, m->high, high, sizeof high);
  as_main_figure_value(m, m->baseline, baseline, sizeof baseline);
  if (isnan(m->low))
    as_report_item(r, "figures", "%s on %" PRId64 " %s", text, m->count, m->what);
  else
    as_report_item(r, "figures", "%s on %" PRId64 " %s, 95 %% interval %s to %s", text, m->count, m->what, low, high);
  if (!isnan(m->baseline)) as_report_item(r, "", "%s would reach %s", m->baseline_name, baseline);
}

static void show_calibration(as_report *r, const facts *f) {
  const json_t *calibration = json_object_get(f->metrics, "calibration");
  const json_t *temperature = json_object_get(calibration, "temperature");
  const json_t *before = json_object_get(calibration, "before"), *after = json_object_get(calibration, "after");
  if (!json_is_number(temperature)) return;
  as_report_item(r, "", "calibration error (ECE) %.4f, without the temperature of %.4g %.4f",
                 json_number_value(json_object_get(after, "ece15")), json_number_value(temperature),
                 json_number_value(json_object_get(before, "ece15")));
}

static void show_origin(as_report *r, const facts *f) {
  const json_t *files = json_object_get(f->origin, "files"), *words = json_object_get(f->origin, "command"), *item;
  size_t i;
  if (finished(f))
    as_report_item(r, "trained", "%.19s UTC, with assistify %.32s", finished(f),
                   json_is_string(json_object_get(f->origin, "program"))
                       ? json_string_value(json_object_get(f->origin, "program"))
                       : "of a version not said");
  else
    as_report_item(r, "trained", "not said");
  json_array_foreach(files, i, item) {
    const char *path = json_string_value(json_object_get(item, "path"));
    as_report_item(r, i == 0 ? "from" : "", "%s, %" JSON_INTEGER_FORMAT " bytes", path ? path : "?",
                   json_integer_value(json_object_get(item, "bytes")));
  }
  if (!json_array_size(words)) return;
  as_buffer line;
  as_buffer_init(&line, r->out->ctx);
  json_array_foreach(words, i, item) {
    if (i > 0) as_buffer_char(&line, ' ');
    as_shell_word(&line, json_string_value(item) ? json_string_value(item) : "");
  }
  as_report_item(r, "by", "%s", as_buffer_string(&line));
  if (as_buffer_status(&line) != AS_OK) r->out->failed = true;
  as_buffer_free(&line);
}

/* Paths and digests stand whole, to be copied. */
static void write_show(as_buffer *out, const facts *f, const as_manifest *files) {
  char aliases[64];
  as_report r = as_report_start(out, false);
  text_aliases(f, aliases, sizeof aliases);
  as_buffer_printf(out, "%s/%" PRId64 "%s%s\n", f->version.model, f->version.number, *aliases ? "  " : "", aliases);
  show_figure(&r, f);
  show_calibration(&r, f);
  show_origin(&r, f);
  as_report_item(&r, "size", "%.1f MiB", (double)f->bytes / 1048576);
  as_buffer_printf(out, "  folder  %s\n  card    %s/%s\n", f->folder, f->folder, AS_CARD_NAME);
  for (size_t i = 0; i < files->count; i++) {
    char hex[65];
    as_sha256_hex(files->entries[i].digest, hex);
    as_buffer_printf(out, "  file    %.16s...  %s\n", hex, files->entries[i].path);
  }
}

static void write_show_json(as_buffer *out, const facts *f, const as_manifest *files) {
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  json_facts(&w, f);
  if (f->metrics)
    as_json_value(&w, "metrics", f->metrics);
  else
    as_json_null(&w, "metrics");
  if (f->origin)
    as_json_value(&w, "training", f->origin);
  else
    as_json_null(&w, "training");
  as_json_open_object(&w, "files");
  for (size_t i = 0; i < files->count; i++) {
    char hex[65];
    as_sha256_hex(files->entries[i].digest, hex);
    as_json_string(&w, files->entries[i].path, hex);
  }
  as_json_close_object(&w);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
}

static int run_show(as_cli *cli) {
  as_store *store;
  as_version version;
  as_manifest files = {0};
  facts f = {0};
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  as_status status = as_cli_store_open(cli, &store);
  if (status == AS_OK) status = as_cli_store_version(cli, store, cli->arguments->operand_count, &version);
  if (status == AS_OK) status = read_facts(cli, store, &version, &f);
  if (status == AS_OK) status = as_manifest_read(cli->ctx, f.folder, &files);
  if (status == AS_OK) (as_option_flag(cli->arguments, "json") ? write_show_json : write_show)(&out, &f, &files);
  if (status == AS_OK) status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(cli->console, &out);
  as_buffer_free(&out);
  as_manifest_free(cli->ctx, &files);
  free_facts(cli, &f);
  return as_cli_store_finish(cli, store, status);
}

const as_command as_command_models_show = {
    .name = "models show",
    .operands = "MODEL [VERSION]",
    .min_operands = 1,
    .max_operands = 2,
    .operand = AS_OPERAND_TEXT,
    .summary = "show one version",
    .groups = json_groups,
    .run = run_show,
    .description = "The card in short: what training measured, beside what needs no model; when, from what and by "
                   "which command it was trained; its folder, its card, and its files with their SHA-256. VERSION is a "
                   "number or champion, challenger or previous; without it, the champion is shown. intent/2 and "
                   "intent@champion are understood too, here and wherever a version is named.",
    .examples = "assistify models show intent\nassistify models show intent 2 --json | jq .metrics.calibration"};
