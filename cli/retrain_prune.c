/* Keeping the last versions of a model after a retraining. See retrain.h. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/retrain.h"

static bool was_refused(const as_retrain_kind *kind, const json_t *log, int64_t number) {
  const json_t *entry;
  bool refused = false;
  size_t i;
  json_array_foreach(log, i, entry) {
    const char *model = json_string_value(json_object_get(entry, "model"));
    const char *verdict = json_string_value(json_object_get(entry, "verdict"));
    if (model && verdict && strcmp(model, kind->trained->model) == 0 &&
        json_integer_value(json_object_get(entry, "version")) == number)
      refused = strcmp(verdict, "refused") == 0;
  }
  return refused;
}

static as_status has_alias(const as_retraining *of, const as_version *version, bool *has) {
  as_status status = AS_OK;
  *has = false;
  for (int a = 0; status == AS_OK && a < AS_ALIASES; a++) {
    as_version named;
    status = a == AS_CHAMPION ? as_store_champion(of->store, version->model, &named)
                              : as_store_alias(of->store, version->model, (as_alias)a, &named);
    *has = *has || (status == AS_OK && named.number == version->number);
  }
  return status;
}

as_status as_retrain_prune(const as_retraining *of, const as_retrain_kind *kind) {
  const int64_t keep = as_option_int(of->cli->arguments, "keep");
  int64_t *numbers = NULL;
  size_t count = 0;
  json_t *log = NULL;
  as_status status = as_retrain_log_read(of->ctx, as_store_root(of->store), &log);
  if (status == AS_OK) status = as_store_versions(of->store, kind->trained->model, &numbers, &count);
  int64_t left = (int64_t)count;
  for (size_t i = 0; status == AS_OK && i < count && left > keep; i++) {
    as_version version = {.number = numbers[i]};
    bool stays = true;
    snprintf(version.model, sizeof version.model, "%s", kind->trained->model);
    if (was_refused(kind, log, version.number)) status = has_alias(of, &version, &stays);
    if (status != AS_OK || stays) continue;
    status = as_store_remove(of->store, &version);
    left--;
  }
  if (status == AS_OK && count > 0) status = as_store_prune(of->store, kind->trained->model, keep, false, NULL, NULL);
  as_free(of->ctx, numbers);
  json_decref(log);
  return status;
}
