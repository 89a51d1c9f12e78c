/* Private to lifecycle/: what store.c knows of paths and links, for store_change.c. */
#ifndef AS_LIFECYCLE_STORE_INTERNAL_H
#define AS_LIFECYCLE_STORE_INTERNAL_H

#include "lifecycle/store.h"

#define AS_UNFINISHED "unfinished"
#define AS_DESCRIPTION "unfinished.json"
#define AS_VERSION_TEXT 24

struct as_store {
  as_context *ctx;
  char *root;
};

/* "v0001" */
void as_version_text(int64_t number, char text[AS_VERSION_TEXT]);
/* The number of such a name; 0 when it is none. There is one spelling for each number. */
int64_t as_version_parse(const char *name);
/* root/model, or root/model/name when `name` is not NULL. NULL on failure; caller frees. */
char *as_store_path(const as_store *store, const char *model, const char *name);
/* A version from its model's name, which was checked, and number. */
as_version as_version_of(const char *model, int64_t number);
/* Is it a folder of its own, no link? */
bool as_is_plain_folder(const char *path);
/* AS_E_MODEL unless the version is there: a plain folder that has a manifest. */
AS_MUST_CHECK as_status as_store_expect(const as_store *store, const as_version *version);

#endif
