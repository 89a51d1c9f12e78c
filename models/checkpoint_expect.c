/* Holding a checkpoint against the tensors that a model needs. */
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "models/checkpoint_internal.h"

enum { LISTED = 5, LISTED_BYTES = 3000 }; /* more tells nothing; so many bytes fit an error text beside the rest */

const char *const as_ignored_by_classifiers[] = {
    "pooler", "position_ids", "vocab_transform", "vocab_layer_norm", "vocab_projector", "lm_head", NULL};

/* A list of tensors in a text; what does not fit is counted. */
typedef struct listing {
  as_buffer text;
  size_t count, left_out;
} listing;

static bool list_next(listing *list) {
  list->count++;
  if (list->count > LISTED || list->text.length >= LISTED_BYTES) {
    list->left_out++;
    return false;
  }
  if (list->count > 1) as_buffer_text(&list->text, "; ");
  return true;
}

static void list_end(listing *list) {
  if (list->left_out) as_buffer_printf(&list->text, "; and %zu more", list->left_out);
}

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* How much of each expectation's name the file leaves out: the prefix's length, or 0. */
static size_t missing_prefix(const as_checkpoint *checkpoint, const char *prefix) {
  if (!prefix) return 0;
  for (size_t i = 0; i < checkpoint->count; i++)
    if (starts_with(checkpoint->entries[i].tensor->name, prefix)) return 0;
  return strlen(prefix);
}

static bool is_ignored(const char *name, const char *const *ignored) {
  for (; ignored && *ignored; ignored++) {
    size_t length = strlen(*ignored);
    for (const char *part = name; part; part = strchr(part, '.')) {
      if (*part == '.') part++;
      if (strcspn(part, ".") == length && memcmp(part, *ignored, length) == 0) return true;
    }
  }
  return false;
}

/* Whether something of this group is there. */
static bool group_present(const as_expectation *expectations, size_t count, const int64_t *found, int group) {
  for (size_t i = 0; i < count; i++)
    if (expectations[i].optional == group && found[i] >= 0) return true;
  return false;
}

/* Fills found[] and lists what is wrong with it. */
static void match(const as_checkpoint *checkpoint, const as_expectation *expectations, size_t count, size_t cut,
                  const char *prefix, int64_t *found, listing *wrong) {
  char is[AS_SHAPE_TEXT], needed[AS_SHAPE_TEXT];
  for (size_t i = 0; i < count; i++) {
    const char *name = expectations[i].name;
    found[i] = as_checkpoint_find(checkpoint, cut && starts_with(name, prefix) ? name + cut : name);
  }
  for (size_t i = 0; i < count; i++) {
    const as_expectation *e = &expectations[i];
    if (found[i] < 0) {
      if (e->optional && !group_present(expectations, count, found, e->optional)) continue;
      if (list_next(wrong)) as_buffer_printf(&wrong->text, "%s is missing", e->name);
      continue;
    }
    const as_stored_tensor *tensor = as_checkpoint_tensor(checkpoint, (size_t)found[i]);
    if (as_shape_equal(tensor->ndim, tensor->shape, e->ndim, e->shape)) continue;
    if (list_next(wrong))
      as_buffer_printf(&wrong->text, "%s is %s and must be %s", e->name, as_shape_text(is, tensor->ndim, tensor->shape),
                       as_shape_text(needed, e->ndim, e->shape));
  }
}

/* Lists the tensors that nobody asked for and nobody ignores. */
static as_status list_unknown(const as_checkpoint *checkpoint, const int64_t *found, size_t count,
                              const char *const *ignored, listing *unknown) {
  bool *used = as_alloc_zero(checkpoint->ctx, checkpoint->count, sizeof *used);
  if (!used) return AS_E_NOMEM;
  for (size_t i = 0; i < count; i++)
    if (found[i] >= 0) used[found[i]] = true;
  for (size_t i = 0; i < checkpoint->count; i++) {
    const char *name = checkpoint->entries[i].tensor->name;
    if (!used[i] && !is_ignored(name, ignored) && list_next(unknown)) as_buffer_text(&unknown->text, name);
  }
  list_end(unknown);
  as_free(checkpoint->ctx, used);
  return as_buffer_status(&unknown->text);
}

static bool found_any(const int64_t *found, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (found[i] >= 0) return true;
  return false;
}

static as_status refuse(const as_checkpoint *checkpoint, const int64_t *found, size_t count, listing *wrong) {
  const char *list = as_buffer_string(&wrong->text);
  if (checkpoint->count == 0 || found_any(found, count))
    return as_fail(checkpoint->ctx, AS_E_MODEL,
                   "%s: %zu of the %zu tensors that the configuration asks for do not fit: %s", checkpoint->path,
                   wrong->count, count, list);
  return as_fail(checkpoint->ctx, AS_E_MODEL,
                 "%s: has none of the %zu tensors that the configuration asks for, but %zu others, such as %s; are "
                 "these the weights that config.json describes? %s",
                 checkpoint->path, count, checkpoint->count, checkpoint->entries[0].tensor->name, list);
}

as_status as_checkpoint_expect(const as_checkpoint *checkpoint, const as_expectation *expectations, size_t count,
                               const as_expect_rules *rules, int64_t *found) {
  as_context *ctx = checkpoint->ctx;
  listing wrong = {.count = 0}, unknown = {.count = 0};
  as_buffer_init(&wrong.text, ctx);
  as_buffer_init(&unknown.text, ctx);
  size_t cut = missing_prefix(checkpoint, rules->prefix);
  match(checkpoint, expectations, count, cut, rules->prefix, found, &wrong);
  list_end(&wrong);
  as_status status = as_buffer_status(&wrong.text);
  if (status == AS_OK && wrong.count > 0) status = refuse(checkpoint, found, count, &wrong);
  if (status == AS_OK) status = list_unknown(checkpoint, found, count, rules->ignored, &unknown);
  if (status == AS_OK && unknown.count > 0)
    as_warn(ctx, "%s: %zu tensors are not part of the model and are passed over: %s", checkpoint->path, unknown.count,
            as_buffer_string(&unknown.text));
  as_buffer_free(&wrong.text);
  as_buffer_free(&unknown.text);
  return status;
}
