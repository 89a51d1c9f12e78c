/* What `train all` shows: the plan before, the summary after, and both as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/train_all.h"

#define INDENT 11                   /* of what stands under a model's line */
#define LARGEST_METRICS (64u << 20) /* bytes; the confusion matrix of many classes is in it */

/* A figure in a version's metrics.json. */
typedef struct figure {
  const char *path; /* keys with dots between */
  const char *name; /* in the JSON */
  const char *text; /* for people; NULL: not for them */
  int decimals;     /* below 0: a share, as a percentage */
  bool is_baseline;
} figure;

static const figure figures[] = {
    {"accuracy", "accuracy", "accuracy", -1, false},
    {"f1.macro", "macro_f1", "macro-F1", -1, false},
    {"baselines.majority.accuracy", "majority_accuracy", "always the commonest class", -1, true},
    {"bleu", "bleu", "BLEU", 2, false},
    {"nearest_bleu", "nearest_bleu", "the most similar message's reply", 2, true},
    {"frequent_bleu", "frequent_bleu", "one fixed reply", 2, true},
    {"ndcg@10", "ndcg@10", "NDCG@10", 4, false},
    {"precision@10", "precision@10", "precision@10", 4, false},
    {"baselines.popular.ndcg@10", "popular_ndcg@10", "popular products' NDCG", 4, true},
    {"baselines.popular.precision@10", "popular_precision@10", NULL, 4, true},
};
enum { FIGURES = sizeof figures / sizeof *figures };

/* ---- texts ------------------------------------------------------------------------------------------------------ */

/* "1:05" or "1:02:03", rounded to a second. */
static const char *put_time(double seconds, char text[24]) {
  const long long s = (long long)(seconds + 0.5);
  if (s >= 3600)
    snprintf(text, 24, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  else
    snprintf(text, 24, "%lld:%02lld", s / 60, s % 60);
  return text;
}

static const char *put_memory(int64_t bytes, char text[24]) {
  snprintf(text, 24, "%" PRId64 " MiB", (bytes + (1 << 20) - 1) >> 20);
  return text;
}

/* "intent     failed: why" */
static void put_reason(as_buffer *out, const as_listed_training *t) {
  const char *state = as_listed_state_name(t->state);
  as_buffer_printf(out, "%-*s%s%s", INDENT, t->model, state, t->why ? ": " : "");
  as_text_wrap(out, t->why ? t->why : "", INDENT + strlen(state) + 2, INDENT);
}

static bool is_planned(const as_listed_training *t) {
  return t->word_count > 0;
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

/* metrics.json of the version; NULL when there is none. */
static as_status read_metrics(const as_training_list *list, const as_listed_training *t, json_t **out) {
  as_context *ctx = list->ctx;
  as_version version = {.number = t->version};
  *out = NULL;
  if (t->state != AS_LISTED_DONE || !t->version) return AS_OK;
  snprintf(version.model, sizeof version.model, "%s", t->model);
  char *folder = as_store_folder(list->store, &version);
  char *path = folder ? as_path_join(ctx, folder, "metrics.json") : NULL;
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(path)) status = as_json_read(ctx, path, LARGEST_METRICS, AS_E_MODEL, out);
  as_free(ctx, folder);
  as_free(ctx, path);
  return status;
}

static const json_t *find(const json_t *metrics, const char *path) {
  for (const char *at = path; metrics && *at;) {
    char key[40];
    const size_t length = strcspn(at, ".");
    snprintf(key, sizeof key, "%.*s", (int)length, at);
    metrics = json_object_get(metrics, key);
    at += length + (at[length] == '.');
  }
  return json_is_number(metrics) ? metrics : NULL;
}

static void put_figures(as_buffer *out, const json_t *metrics) {
  as_buffer text;
  as_buffer_init(&text, out->ctx);
  bool beside = false;
  for (int i = 0; i < FIGURES; i++) {
    const json_t *value = find(metrics, figures[i].path);
    if (!value || !figures[i].text) continue;
    if (text.length) as_buffer_text(&text, figures[i].is_baseline && !beside ? "; beside it: " : ", ");
    beside = beside || figures[i].is_baseline;
    if (figures[i].decimals < 0)
      as_buffer_printf(&text, "%s %.2f %%", figures[i].text, 100 * json_number_value(value));
    else
      as_buffer_printf(&text, "%s %.*f", figures[i].text, figures[i].decimals, json_number_value(value));
  }
  if (text.length) {
    as_buffer_printf(out, "%*s", INDENT, "");
    as_text_wrap(out, as_buffer_string(&text), INDENT, INDENT);
  }
  as_buffer_free(&text);
}

static void write_figures(as_json_writer *w, const char *key, const json_t *metrics, bool baselines) {
  as_json_open_object(w, key);
  for (int i = 0; i < FIGURES; i++) {
    const json_t *value = find(metrics, figures[i].path);
    if (value && figures[i].is_baseline == baselines) as_json_double(w, figures[i].name, json_number_value(value));
  }
  as_json_close_object(w);
}

/* ---- the model's alias ------------------------------------------------------------------------------------------ */

/* "champion", "challenger", "previous" or NULL. A broken alias is not ours to tell. */
static const char *alias_of(const as_training_list *list, const as_listed_training *t) {
  as_version named;
  if (t->state != AS_LISTED_DONE) return NULL;
  if (as_store_champion(list->store, t->model, &named) == AS_OK && named.number == t->version)
    return as_alias_name(AS_CHAMPION);
  for (int a = 0; a < AS_ALIASES; a++)
    if (as_store_alias(list->store, t->model, (as_alias)a, &named) == AS_OK && named.number == t->version)
      return as_alias_name((as_alias)a);
  return NULL;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static as_status write_training(as_json_writer *w, const as_training_list *list, const as_listed_training *t) {
  const char *alias = alias_of(list, t);
  json_t *metrics;
  as_status status = read_metrics(list, t, &metrics);
  if (status != AS_OK) return status;
  as_json_open_object(w, NULL);
  as_json_string(w, "model", t->model);
  as_json_string(w, "state", as_listed_state_name(t->state));
  if (t->why) as_json_string(w, "why", t->why);
  if (t->state == AS_LISTED_FAILED) as_json_int(w, "exit_code", t->exit_code);
  if (is_planned(t)) {
    as_json_string(w, "size", t->size);
    as_json_int(w, "rows", t->rows);
    as_json_int(w, "validation_rows", t->valid_rows);
    as_json_int(w, "epochs", t->epochs);
    as_json_int(w, "memory_bytes", t->bytes);
    as_json_double(w, "expected_seconds", t->expected);
  }
  if (t->state == AS_LISTED_DONE) {
    as_json_double(w, "seconds", t->seconds);
    as_json_int(w, "version", t->version);
    if (alias)
      as_json_string(w, "alias", alias);
    else
      as_json_null(w, "alias");
    write_figures(w, "metrics", metrics, false);
    write_figures(w, "baselines", metrics, true);
  }
  as_json_close_object(w);
  json_decref(metrics);
  return AS_OK;
}

static as_status write_json(as_buffer *out, const as_training_list *list, int exit_code) {
  as_json_writer w = as_json_writer_start(out, 0);
  as_status status = AS_OK;
  as_json_open_object(&w, NULL);
  as_json_open_array(&w, "models");
  for (size_t i = 0; status == AS_OK && i < list->count; i++) status = write_training(&w, list, &list->list[i]);
  as_json_close_array(&w);
  as_json_int(&w, "exit_code", exit_code);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
  return status;
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static void write_plan(as_buffer *out, const as_training_list *list) {
  char time[24], memory[24];
  double seconds = 0;
  int64_t most = 0;
  as_buffer_printf(out, "%-*s%9s %11s  %-18s %6s %9s %10s\n", INDENT, "plan", "rows", "validation", "size", "epochs",
                   "expected", "memory");
  for (size_t i = 0; i < list->count; i++) {
    const as_listed_training *t = &list->list[i];
    if (t->state != AS_LISTED_WAITING) {
      put_reason(out, t);
      continue;
    }
    as_buffer_printf(out, "%-*s%9" PRId64 " %11" PRId64 "  %-18.18s %6" PRId64 " %9s %10s\n", INDENT, t->model, t->rows,
                     t->valid_rows, t->size, t->epochs, put_time(t->expected, time), put_memory(t->bytes, memory));
    seconds += t->expected;
    if (t->bytes > most) most = t->bytes;
  }
  as_buffer_printf(out, "%-*s%9s %11s  %-18s %6s %9s %10s\n", INDENT, "together", "", "", "", "",
                   put_time(seconds, time), put_memory(most, memory));
}

static as_status write_done(as_buffer *out, const as_training_list *list, const as_listed_training *t) {
  char version[40], expected[24], took[24], memory[24];
  const char *alias = alias_of(list, t);
  json_t *metrics;
  as_status status = read_metrics(list, t, &metrics);
  if (status != AS_OK) return status;
  snprintf(version, sizeof version, "%" PRId64 "%s%s", t->version, alias ? " " : "", alias ? alias : "");
  as_buffer_printf(out, "%-*s%-16.16s %9" PRId64 " %9s %9s %10s  %s\n", INDENT, t->model, version, t->rows,
                   put_time(t->expected, expected), t->seconds > 0 ? put_time(t->seconds, took) : "not known",
                   put_memory(t->bytes, memory), as_listed_state_name(t->state));
  put_figures(out, metrics);
  json_decref(metrics);
  return AS_OK;
}

static as_status write_summary(as_buffer *out, const as_training_list *list) {
  as_status status = AS_OK;
  as_buffer_printf(out, "%-*s%-16s %9s %9s %9s %10s\n", INDENT, "model", "version", "rows", "expected", "took",
                   "memory");
  for (size_t i = 0; status == AS_OK && i < list->count; i++) {
    if (list->list[i].state == AS_LISTED_DONE)
      status = write_done(out, list, &list->list[i]);
    else
      put_reason(out, &list->list[i]);
  }
  return status;
}

/* ---- showing ---------------------------------------------------------------------------------------------------- */

static as_status show(as_cli *cli, as_buffer *out, as_status status) {
  if (status == AS_OK) status = as_buffer_status(out);
  if (status == AS_OK && as_console_buffer(cli->console, out)) as_console_flush(cli->console);
  as_buffer_free(out);
  return status;
}

as_status as_train_all_show_plan(as_cli *cli, const as_training_list *list) {
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  write_plan(&out, list);
  return show(cli, &out, AS_OK);
}

as_status as_train_all_show_summary(as_cli *cli, const as_training_list *list, int exit_code) {
  const bool json = as_option_flag(cli->arguments, "json");
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  return show(cli, &out, json ? write_json(&out, list, exit_code) : write_summary(&out, list));
}
