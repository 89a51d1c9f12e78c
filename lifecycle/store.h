/* The model store: every version of every model, which of them is asked, and which was asked before.
 *
 *   trained_models/                      the store
 *     intent/                            a model
 *       v0001/  v0002/                   its versions: model folders with MANIFEST.sha256 (lifecycle/manifest.h)
 *       champion -> v0002                the version that is asked
 *       previous -> v0001                the champion before it
 *       challenger -> v0003              the newest version that is neither
 *       unfinished/  unfinished.json     a training that has not ended, and what it is made with and from
 *
 * Invariant: whatever a process was doing when it was killed, every vNNNN is a whole version that nobody changes any
 * more, and an alias is a relative link to one of them. A version appears by one rename, an alias changes by one, and a
 * version goes away by one. Names that begin with '.' are on their way in or out; the next change removes those that
 * nobody works on. Numbers go up and say nothing of time, so that a clock may go backwards. As long as no version was
 * promoted, the first one is the champion, link or not.
 *
 * Changes are made one at a time: whoever comes second waits, and after AS_STORE_WAIT seconds is refused (AS_E_IO).
 * Readers need no lock: they ask for a folder once and read from that version. */
#ifndef AS_LIFECYCLE_STORE_H
#define AS_LIFECYCLE_STORE_H

#include "lifecycle/origin.h"

#define AS_STORE_NAME 64 /* bytes of a model's name with its NUL */
#define AS_STORE_WAIT 60 /* seconds */

typedef struct as_store as_store;

/* A version of a model; number 0: none. */
typedef struct as_version {
  char model[AS_STORE_NAME]; /* "intent" */
  int64_t number;            /* from 1 */
} as_version;

typedef enum as_alias { AS_CHAMPION, AS_CHALLENGER, AS_PREVIOUS, AS_ALIASES } as_alias;
const char *as_alias_name(as_alias alias); /* "champion" */

/* A store in the folder `root`, which need not exist yet. Caller closes. */
AS_MUST_CHECK as_status as_store_open(as_context *ctx, const char *root, as_store **out);
void as_store_close(as_store *store); /* NULL is allowed */
const char *as_store_root(const as_store *store);

/* A model's name: up to 63 of a-z, 0-9, '_' and '-', a letter first; so it can't lead out of the store. AS_E_INVALID.
 */
AS_MUST_CHECK as_status as_store_check_name(as_context *ctx, const char *name);

/* ---- reading ---------------------------------------------------------------------------------------------------- */
/* Whether a text is meant as a reference, "intent@champion" or "intent/3", rather than as a folder: a folder of such a
 * name is written "./intent/3". */
bool as_store_is_reference(const char *text);
/* The version that a reference names. AS_E_INVALID when it is none or names no alias; AS_E_MODEL when there is no such
 * version, or the alias is no link to one. */
AS_MUST_CHECK as_status as_store_find(const as_store *store, const char *reference, as_version *out);
/* The champion; number 0 when the model has no version. */
AS_MUST_CHECK as_status as_store_champion(const as_store *store, const char *model, as_version *out);
/* The version with the highest number; number 0 when the model has none. */
AS_MUST_CHECK as_status as_store_newest(const as_store *store, const char *model, as_version *out);
/* What an alias stands for; number 0: nothing. AS_E_MODEL when it is no link to a version. */
AS_MUST_CHECK as_status as_store_alias(const as_store *store, const char *model, as_alias alias, as_version *out);
/* The folder of a version; NULL on failure, caller frees with as_free. */
char *as_store_folder(const as_store *store, const as_version *version);
/* Names of all models that have a version, in order; caller frees with as_store_names_free. */
typedef struct as_store_names {
  char (*names)[AS_STORE_NAME]; /* [count] */
  size_t count;
} as_store_names;
AS_MUST_CHECK as_status as_store_models(const as_store *store, as_store_names *out);
void as_store_names_free(const as_store *store, as_store_names *names);
/* The numbers of a model's versions, in order; [*count], caller frees with as_free. */
AS_MUST_CHECK as_status as_store_versions(const as_store *store, const char *model, int64_t **numbers, size_t *count);

/* Re-reads everything of a model: manifests, aliases. Each fault is told to `problem`, which may be NULL; AS_E_MODEL
 * with the first as text when there is one. With version->number only that version. */
AS_MUST_CHECK as_status as_store_verify(const as_store *store, const as_version *version,
                                        void (*problem)(void *user, const char *text), void *user);

/* ---- adding a version ------------------------------------------------------------------------------------------- */
/* A place where a version is made: a folder that this process alone works in. */
typedef struct as_store_work {
  const as_store *store;
  char model[AS_STORE_NAME];
  char *folder;     /* where the model goes; may not exist yet */
  int lock;         /* private */
  size_t made;      /* private */
  bool is_training; /* private */
  as_version added; /* number 0 before as_store_publish; then the version */
  bool is_champion; /* after it */
} as_store_work;

/* The place of a training: MODEL/unfinished, so that an interrupted training is found again. A training that had ended
 * and was killed before it became a version becomes one now (work->added; work again to begin another). AS_E_IO when
 * another process is training this model. End with as_store_work_end, also after a failure. */
AS_MUST_CHECK as_status as_store_begin_training(const as_store *store, const char *model, as_store_work *work);
/* Makes a training that had ended, and was killed before it became a version, one; does nothing without. AS_E_IO as
 * above. Whoever is about to look which version is the newest does this first. */
AS_MUST_CHECK as_status as_store_finish_training(const as_store *store, const char *model);
/* Records what the training is made with and from; for one that begins, not one that goes on. */
AS_MUST_CHECK as_status as_store_describe(as_store_work *work, const as_origin *origin);
/* A place for a version that comes as a whole (an import). */
AS_MUST_CHECK as_status as_store_begin_copy(const as_store *store, const char *model, as_store_work *work);
/* Makes the folder the next version: if it was made here, writes training.json (lifecycle/origin.h), its card
 * (lifecycle/card.h) and its manifest; gives it its number and its alias. The first version becomes the champion, a
 * later one the challenger. */
AS_MUST_CHECK as_status as_store_publish(as_store_work *work, bool made_here);
/* Leaves an interrupted training where it is; a copy that was not published is removed. A zeroed one is allowed. */
void as_store_work_end(as_store_work *work);
/* Whether `folder` is the place of a training in some store: then *root is that store's folder (caller frees) and
 * `model` its model. AS_E_NOMEM only. */
AS_MUST_CHECK as_status as_store_of_training(as_context *ctx, const char *folder, char **root,
                                             char model[AS_STORE_NAME], bool *found);

/* The version that `folder` is, also by an alias: *root is its store's folder (caller frees); NULL when it is none.
 * AS_E_NOMEM only. */
AS_MUST_CHECK as_status as_store_of_version(as_context *ctx, const char *folder, char **root, as_version *out);

/* What the training of a model is made with and from that has begun and not ended; *out is NULL when there is none.
 * Caller frees with json_decref (lifecycle/origin.h). */
AS_MUST_CHECK as_status as_store_unfinished(const as_store *store, const char *model, json_t **out);
/* The folder of such a training; NULL on failure, caller frees with as_free. */
char *as_store_unfinished_folder(const as_store *store, const char *model);

/* ---- changing which version is asked ---------------------------------------------------------------------------- */
/* Makes a version the champion and the champion `previous`; *changed is false when it was the champion already. */
AS_MUST_CHECK as_status as_store_promote(as_store *store, const as_version *version, bool *changed);
/* Exchanges champion and previous. AS_E_MODEL when there is no previous one. *out is the champion then. */
AS_MUST_CHECK as_status as_store_rollback(as_store *store, const char *model, as_version *out);
/* Removes a version that no alias stands for; AS_E_INVALID for one that has an alias. */
AS_MUST_CHECK as_status as_store_remove(as_store *store, const as_version *version);
/* Removes all but the newest `keep` (at least 1) versions; those with an alias stay. `removed` (may be NULL) hears of
 * each; with `dry` nothing is removed. */
AS_MUST_CHECK as_status as_store_prune(as_store *store, const char *model, int64_t keep, bool dry,
                                       void (*removed)(void *user, const as_version *version), void *user);

#endif
