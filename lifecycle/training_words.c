/* See training_words.h. */
#include "lifecycle/training_words.h"

#include <string.h>

/* An option in a list of words. */
typedef struct option_at {
  const char *name; /* behind the dashes, up to '=' or the end */
  size_t length;
  const char *value; /* "": none */
  size_t words;      /* that it takes */
} option_at;

static bool is_option(const char *word) {
  return word && strncmp(word, "--", 2) == 0;
}

/* The option at place `at`; false when the word there is none. */
static bool option_of(const json_t *words, size_t at, option_at *out) {
  const char *word = json_string_value(json_array_get(words, at));
  if (!is_option(word)) return false;
  const char *next = json_string_value(json_array_get(words, at + 1));
  *out = (option_at){.name = word + 2, .length = strcspn(word + 2, "="), .value = "", .words = 1};
  if (out->name[out->length]) {
    out->value = out->name + out->length + 1;
  } else if (next && !is_option(next)) {
    out->value = next;
    out->words = 2;
  }
  return true;
}

static bool named(const option_at *option, const char *name) {
  return strlen(name) == option->length && memcmp(name, option->name, option->length) == 0;
}

static bool is_in(const option_at *option, const char *const *names) {
  for (; *names; names++)
    if (named(option, *names)) return true;
  return false;
}

const char *as_training_words_value(const json_t *command, const char *name) {
  const char *value = NULL;
  option_at option;
  for (size_t at = 0; at < json_array_size(command);) {
    const bool found = option_of(command, at, &option);
    if (found && named(&option, name)) value = option.value;
    at += found ? option.words : 1;
  }
  return value;
}

static as_status append(as_context *ctx, json_t *words, const char *text) {
  /* A path need not be UTF-8. */
  if (json_array_append_new(words, json_string_nocheck(text)) == 0) return AS_OK;
  return as_fail(ctx, AS_E_NOMEM, "out of memory");
}

as_status as_training_words_copy(as_context *ctx, const json_t *command, const char *const *without, json_t *words) {
  as_status status = AS_OK;
  option_at option;
  for (size_t at = 0; status == AS_OK && at < json_array_size(command);) {
    const bool found = option_of(command, at, &option);
    const size_t count = found ? option.words : 1;
    for (size_t i = 0; status == AS_OK && found && !is_in(&option, without) && i < count; i++)
      status = append(ctx, words, json_string_value(json_array_get(command, at + i)));
    at += count;
  }
  return status;
}

as_status as_training_words_add(as_context *ctx, json_t *words, const char *option, const char *value) {
  as_buffer dashed;
  as_buffer_init(&dashed, ctx);
  as_buffer_printf(&dashed, "--%s", option);
  as_status status = as_buffer_status(&dashed);
  if (status == AS_OK) status = append(ctx, words, as_buffer_string(&dashed));
  if (status == AS_OK && value) status = append(ctx, words, value);
  as_buffer_free(&dashed);
  return status;
}

bool as_training_words_within(const json_t *a, const json_t *b, const char *const *without) {
  option_at option;
  for (size_t at = 0; at < json_array_size(a);) {
    const bool found = option_of(a, at, &option);
    char name[64];
    if (found && !is_in(&option, without)) {
      if (option.length >= sizeof name) return false;
      memcpy(name, option.name, option.length);
      name[option.length] = '\0';
      const char *mine = as_training_words_value(a, name), *other = as_training_words_value(b, name);
      if (!other || strcmp(mine, other) != 0) return false;
    }
    at += found ? option.words : 1;
  }
  return true;
}

bool as_training_words_same(const json_t *a, const json_t *b, const char *const *without) {
  return as_training_words_within(a, b, without) && as_training_words_within(b, a, without);
}
