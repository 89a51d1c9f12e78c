/* See card.h. What a file says is escaped: a path or a label may hold anything. */
#include "lifecycle/card.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/report.h"
#include "lifecycle/card_internal.h"

#define LARGEST (64u << 20) /* bytes of each file; a config.json has the names of all labels */

const char *as_card_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

static void put_head(as_card *c) {
  as_buffer_text(&c->out, "# Model card: ");
  as_markdown_text(&c->out, c->model);
  as_buffer_text(&c->out, "\n\n");
  const char *type = as_card_text(c->config, "model_type"), *finished = as_card_text(c->origin, "finished");
  as_buffer_text(&c->out, "Architecture: ");
  as_markdown_text(&c->out, *type ? type : "not said");
  as_buffer_text(&c->out, ". Trained: ");
  as_markdown_text(&c->out, *finished ? finished : "not said");
  as_buffer_text(&c->out, *finished ? " UTC, with assistify " : "");
  as_markdown_text(&c->out, *finished ? as_card_text(c->origin, "program") : "");
  as_buffer_text(&c->out, ".\n\n");
}

static void put_data(as_card *c) {
  const json_t *files = json_object_get(c->origin, "files"), *file;
  size_t i;
  as_buffer_text(&c->out, "## Data\n\n");
  if (!json_array_size(files)) as_buffer_text(&c->out, "Not recorded.\n");
  if (json_array_size(files)) as_buffer_text(&c->out, "| option | file | bytes | SHA-256 |\n|---|---|---|---|\n");
  json_array_foreach(files, i, file) {
    as_buffer_text(&c->out, "| ");
    as_markdown_text(&c->out, as_card_text(file, "option"));
    as_buffer_text(&c->out, " | ");
    as_markdown_text(&c->out, as_card_text(file, "path"));
    as_buffer_printf(&c->out, " | %" JSON_INTEGER_FORMAT " | %.64s |\n",
                     json_integer_value(json_object_get(file, "bytes")), as_card_text(file, "sha256"));
  }
  as_buffer_char(&c->out, '\n');
}

static void put_recipe(as_card *c) {
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

static void put_command(as_card *c) {
  const json_t *words = json_object_get(c->origin, "command"), *word;
  bool races = false;
  size_t i;
  as_buffer_text(&c->out, "## To make it again\n\n");
  if (!json_array_size(words)) {
    as_buffer_text(&c->out, "Not recorded.\n");
    return;
  }
  as_buffer_text(&c->out, "   ");
  json_array_foreach(words, i, word) {
    const char *text = json_string_value(word) ? json_string_value(word) : "";
    as_buffer_char(&c->out, ' ');
    as_shell_word(&c->out, text);
    races = races || strcmp(text, "--hogwild") == 0;
  }
  as_buffer_text(&c->out,
                 races ? "\n\nWith --hogwild threads don't wait for each other: each training gives other weights.\n"
                       : "\n\nThe same files and the same instruction set give the same weights, byte for byte, "
                         "whatever the number of threads.\n");
}

/* ---- the card --------------------------------------------------------------------------------------------------- */

static as_status read_file(as_card *c, const char *folder, const char *name, json_t **out) {
  char *path = as_path_join(c->ctx, folder, name);
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(path)) status = as_json_read(c->ctx, path, LARGEST, AS_E_MODEL, out);
  if (status == AS_OK && *out && !json_is_object(*out))
    status = as_fail(c->ctx, AS_E_MODEL, "%s: is no JSON object", path);
  as_free(c->ctx, path);
  return status;
}

as_status as_card_write(as_context *ctx, const char *folder, const char *model) {
  as_card c = {.ctx = ctx, .model = model};
  as_buffer_init(&c.out, ctx);
  as_status status = read_file(&c, folder, "config.json", &c.config);
  if (status == AS_OK) status = read_file(&c, folder, "recipe.json", &c.recipe);
  if (status == AS_OK) status = read_file(&c, folder, "metrics.json", &c.metrics);
  if (status == AS_OK) status = read_file(&c, folder, "training.json", &c.origin);
  if (status == AS_OK) {
    put_head(&c);
    put_data(&c);
    as_card_put_metrics(&c);
    put_recipe(&c);
    as_card_put_limits(&c);
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
