/* See card.h. What a file says is escaped: a path or a label may hold anything. */
#include "lifecycle/card.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/report.h"

#define LARGEST (64u << 20) /* bytes of each file; a config.json has the names of all labels */

typedef struct card {
  as_context *ctx;
  const char *model;
  as_buffer out;
  json_t *config, *recipe, *metrics, *origin; /* NULL: there is no such file */
} card;

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

static void put_head(card *c) {
  as_buffer_text(&c->out, "# Model card: ");
  as_markdown_text(&c->out, c->model);
  as_buffer_text(&c->out, "\n\n");
  const char *type = text_of(c->config, "model_type"), *finished = text_of(c->origin, "finished");
  as_buffer_text(&c->out, "Architecture: ");
  as_markdown_text(&c->out, *type ? type : "not said");
  as_buffer_text(&c->out, ". Trained: ");
  as_markdown_text(&c->out, *finished ? finished : "not said");
  as_buffer_text(&c->out, *finished ? " UTC, with assistify " : "");
  as_markdown_text(&c->out, *finished ? text_of(c->origin, "program") : "");
  as_buffer_text(&c->out, ".\n\n");
}

static void put_data(card *c) {
  const json_t *files = json_object_get(c->origin, "files"), *file;
  size_t i;
  as_buffer_text(&c->out, "## Data\n\n");
  if (!json_array_size(files)) as_buffer_text(&c->out, "Not recorded.\n");
  if (json_array_size(files)) as_buffer_text(&c->out, "| option | file | bytes | SHA-256 |\n|---|---|---|---|\n");
  json_array_foreach(files, i, file) {
    as_buffer_text(&c->out, "| ");
    as_markdown_text(&c->out, text_of(file, "option"));
    as_buffer_text(&c->out, " | ");
    as_markdown_text(&c->out, text_of(file, "path"));
    as_buffer_printf(&c->out, " | %" JSON_INTEGER_FORMAT " | %.64s |\n",
                     json_integer_value(json_object_get(file, "bytes")), text_of(file, "sha256"));
  }
  as_buffer_char(&c->out, '\n');
}

static void put_recipe(card *c) {
  const char *key;
  const json_t *value;
  as_buffer_text(&c->out, "## Recipe\n\n");
  /* A recommender has its recipe in config.json. */
  const json_t *recipe = c->recipe ? c->recipe : c->config;
  if (!recipe) as_buffer_text(&c->out, "Not recorded.\n");
  if (recipe) as_buffer_text(&c->out, "| | |\n|---|---|\n");
  json_object_foreach((json_t *)recipe, key, value) {
    if (json_is_object(value) || json_is_array(value) || json_is_null(value)) continue;
    as_buffer_text(&c->out, "| ");
    as_markdown_text(&c->out, key);
    as_buffer_text(&c->out, " | ");
    if (json_is_string(value)) as_markdown_text(&c->out, json_string_value(value));
    if (json_is_integer(value)) as_buffer_printf(&c->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_real(value)) as_buffer_printf(&c->out, "%.9g", json_real_value(value));
    if (json_is_boolean(value)) as_buffer_text(&c->out, json_is_true(value) ? "yes" : "no");
    as_buffer_text(&c->out, " |\n");
  }
  as_buffer_char(&c->out, '\n');
}

static void put_share(card *c, const char *name, const json_t *value, const json_t *interval) {
  as_buffer_printf(&c->out, "| %s | %.2f %%", name, 100 * json_number_value(value));
  if (json_is_number(json_array_get(interval, 0)))
    as_buffer_printf(&c->out, " | %.2f to %.2f %% |\n", 100 * json_number_value(json_array_get(interval, 0)),
                     100 * json_number_value(json_array_get(interval, 1)));
  else
    as_buffer_text(&c->out, " | |\n");
}

static const json_t *per_class(const card *c, const char *figure) {
  return json_object_get(json_object_get(c->metrics, figure), "per_class");
}

static void put_classes(card *c) {
  const json_t *labels = json_object_get(c->metrics, "labels"), *label;
  size_t i;
  as_buffer_text(&c->out, "\n| class | rows | precision | recall | F1 |\n|---|---|---|---|---|\n");
  json_array_foreach(labels, i, label) {
    as_buffer_text(&c->out, "| ");
    as_markdown_text(&c->out, json_string_value(label) ? json_string_value(label) : "");
    as_buffer_printf(&c->out, " | %" JSON_INTEGER_FORMAT " | %.3f | %.3f | %.3f |\n",
                     json_integer_value(json_array_get(json_object_get(c->metrics, "support"), i)),
                     json_number_value(json_array_get(per_class(c, "precision"), i)),
                     json_number_value(json_array_get(per_class(c, "recall"), i)),
                     json_number_value(json_array_get(per_class(c, "f1"), i)));
  }
}

static void put_before_after(card *c, const char *name, const json_t *before, const json_t *after, const char *key) {
  if (!json_is_number(json_object_get(before, key))) return;
  as_buffer_printf(&c->out, "| %s | %.4f |", name, json_number_value(json_object_get(before, key)));
  if (after) as_buffer_printf(&c->out, " %.4f |", json_number_value(json_object_get(after, key)));
  as_buffer_char(&c->out, '\n');
}

/* The temperature's gain is shown on rows that it was not fitted on. */
static void put_calibration(card *c) {
  const json_t *calibration = json_object_get(c->metrics, "calibration");
  const json_t *temperature = json_object_get(calibration, "temperature");
  const json_t *before = json_object_get(calibration, "before"), *after = json_object_get(calibration, "after");
  if (!json_is_number(temperature)) after = NULL;
  as_buffer_text(&c->out, "\n## Calibration\n\n");
  if (after) {
    as_buffer_printf(&c->out,
                     "Probabilities are softmax(logits / T) with the temperature T = %.4g, fitted on the validation "
                     "rows. Before is without it, after with it, each fifth of the rows with the temperature of the "
                     "other four:\n\n",
                     json_number_value(temperature));
  } else {
    as_buffer_text(&c->out, "Probabilities are the model's own; no temperature was kept");
    const char *reason = text_of(calibration, "reason");
    as_buffer_text(&c->out, *reason ? ": " : "");
    as_markdown_text(&c->out, reason);
    as_buffer_text(&c->out, ".\n\n");
  }
  as_buffer_text(&c->out, after ? "| | before | after |\n|---|---|---|\n" : "| | |\n|---|---|\n");
  put_before_after(c, "expected calibration error (15 bins)", before ? before : c->metrics, after, "ece15");
  put_before_after(c, "log loss", before ? before : c->metrics, after, "log_loss");
  put_before_after(c, "Brier score", before ? before : c->metrics, after, "brier");
  as_buffer_char(&c->out, '\n');
}

static void put_metrics(card *c) {
  const json_t *m = c->metrics, *intervals = json_object_get(m, "ci95");
  const json_t *majority = json_object_get(json_object_get(m, "baselines"), "majority");
  as_buffer_text(&c->out, "## Metrics\n\n");
  if (!m) {
    as_buffer_printf(&c->out,
                     "None were taken in training: there were no rows to validate on. `assistify evaluate %s` "
                     "takes them.\n\n",
                     c->model);
    return;
  }
  as_buffer_printf(&c->out,
                   "On %" JSON_INTEGER_FORMAT " validation rows, with 95 %% bootstrap intervals:\n\n"
                   "| | | 95 %% |\n|---|---|---|\n",
                   json_integer_value(json_object_get(m, "n")));
  put_share(c, "accuracy", json_object_get(m, "accuracy"), json_object_get(intervals, "accuracy"));
  put_share(c, "macro-F1", json_object_get(json_object_get(m, "f1"), "macro"), json_object_get(intervals, "macro_f1"));
  put_share(c, "accuracy of always answering the commonest class", json_object_get(majority, "accuracy"), NULL);
  put_classes(c);
  put_calibration(c);
}

static void put_limits(card *c) {
  const json_t *length = json_object_get(c->recipe, "max_length"), *rows = json_object_get(c->metrics, "n");
  as_buffer_text(&c->out, "## Limits\n\n");
  if (c->metrics)
    as_buffer_text(&c->out, "- The validation rows also chose the epoch that was kept, so the figures lean to the good "
                            "side; rows that training never saw are the fairer test.\n");
  if (c->metrics && json_integer_value(rows) < 500)
    as_buffer_printf(&c->out, "- They are %" JSON_INTEGER_FORMAT " rows only: the intervals are what to go by.\n",
                     json_integer_value(rows));
  if (json_object_get(c->metrics, "labels"))
    as_buffer_text(&c->out,
                   "- It answers with one of the classes above, also to a text that belongs to none of them.\n");
  if (json_is_integer(length))
    as_buffer_printf(&c->out, "- A text is read up to %" JSON_INTEGER_FORMAT " tokens.\n", json_integer_value(length));
  as_buffer_text(&c->out, "- It knows the language, the customers and the products of its training data; what has "
                          "changed since, it does not know.\n\n");
}

static void put_command(card *c) {
  const json_t *words = json_object_get(c->origin, "command"), *word;
  size_t i;
  as_buffer_text(&c->out, "## To make it again\n\n");
  if (!json_array_size(words)) {
    as_buffer_text(&c->out, "Not recorded.\n");
    return;
  }
  as_buffer_text(&c->out, "   ");
  json_array_foreach(words, i, word) {
    as_buffer_char(&c->out, ' ');
    as_shell_word(&c->out, json_string_value(word) ? json_string_value(word) : "");
  }
  as_buffer_text(
      &c->out,
      "\n\nThe same files and the same instruction set give the same weights, byte for byte, whatever the number "
      "of threads.\n");
}

/* ---- the card --------------------------------------------------------------------------------------------------- */

static as_status read_file(card *c, const char *folder, const char *name, json_t **out) {
  char *path = as_path_join(c->ctx, folder, name);
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(path)) status = as_json_read(c->ctx, path, LARGEST, AS_E_MODEL, out);
  if (status == AS_OK && *out && !json_is_object(*out))
    status = as_fail(c->ctx, AS_E_MODEL, "%s: is no JSON object", path);
  as_free(c->ctx, path);
  return status;
}

as_status as_card_write(as_context *ctx, const char *folder, const char *model) {
  card c = {.ctx = ctx, .model = model};
  as_buffer_init(&c.out, ctx);
  as_status status = read_file(&c, folder, "config.json", &c.config);
  if (status == AS_OK) status = read_file(&c, folder, "recipe.json", &c.recipe);
  if (status == AS_OK) status = read_file(&c, folder, "metrics.json", &c.metrics);
  if (status == AS_OK) status = read_file(&c, folder, "training.json", &c.origin);
  if (status == AS_OK) {
    put_head(&c);
    put_data(&c);
    put_metrics(&c);
    put_recipe(&c);
    put_limits(&c);
    put_command(&c);
    status = as_file_write_into(ctx, folder, AS_CARD_NAME, &c.out);
  }
  json_decref(c.config);
  json_decref(c.recipe);
  json_decref(c.metrics);
  json_decref(c.origin);
  as_buffer_free(&c.out);
  return status;
}
