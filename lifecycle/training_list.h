/* The trainings of one `train all`: what each is to do, how far it is, and what became of it. It lives in the store's
 * folder as train_all.json (docs/formats.md) from the first training to the last, so that whoever comes after an
 * interruption, a kill or a power cut knows what is done and what is left.
 *
 * Invariant: the file on disk is whole at every moment, and never ahead of the truth: a training is `begun` there
 * before it begins and `done` after its version is in the store. Who works by the list holds its lock. */
#ifndef AS_LIFECYCLE_TRAINING_LIST_H
#define AS_LIFECYCLE_TRAINING_LIST_H

#include "lifecycle/store.h"

#define AS_TRAINING_LIST_NAME "train_all.json"
enum { AS_LISTED_MODELS = 8, AS_LISTED_FILES = 2 };

typedef enum as_listed_state {
  AS_LISTED_LEFT_OUT, /* `why` */
  AS_LISTED_WAITING,
  AS_LISTED_BEGUN, /* and not ended: it runs, or was interrupted */
  AS_LISTED_DONE,  /* `version` */
  AS_LISTED_FAILED /* `why`, `exit_code` */
} as_listed_state;
const char *as_listed_state_name(as_listed_state state); /* "left out", "waiting", "interrupted", "done", "failed" */

/* A file that a training reads, as it was when the list was made. */
typedef struct as_listed_file {
  char *path; /* NULL: none */
  char sha256[65];
} as_listed_file;

typedef struct as_listed_training {
  char model[AS_STORE_NAME];
  as_listed_state state;
  char *why;     /* NULL: nothing to say */
  int exit_code; /* of a failure */
  char **words;  /* [word_count] the command, without the program's name */
  size_t word_count;
  as_listed_file files[AS_LISTED_FILES];
  int64_t before;  /* number of the newest version when it began; 0: none */
  int64_t version; /* that it became */
  /* what was planned */
  char size[64];
  int64_t rows, valid_rows, epochs;
  int64_t bytes;
  double expected; /* seconds */
  double seconds;  /* that it has taken, in all sessions that ended by themselves */
} as_listed_training;

typedef struct as_training_list {
  as_context *ctx;
  const as_store *store;
  char *path;
  int lock; /* -1: not held */
  as_listed_training list[AS_LISTED_MODELS];
  size_t count;
} as_training_list;

/* An empty list for this store, which is borrowed; nothing is read or locked yet. */
AS_MUST_CHECK as_status as_training_list_init(as_training_list *list, const as_store *store);
void as_training_list_free(as_training_list *list); /* gives the lock back; zeroed memory is allowed */

/* Takes the lock; AS_E_IO when another process holds it. The store's folder must be there. */
AS_MUST_CHECK as_status as_training_list_lock(as_training_list *list);
/* Whether there is a list on disk. */
bool as_training_list_exists(const as_training_list *list);
/* Reads it; AS_E_MODEL names file and field when it is none. */
AS_MUST_CHECK as_status as_training_list_read(as_training_list *list);
/* Writes it, with the lock held. */
AS_MUST_CHECK as_status as_training_list_write(const as_training_list *list);
/* Removes it from disk; one that is not there is fine. */
AS_MUST_CHECK as_status as_training_list_remove(const as_training_list *list);

/* Replaces `why`. */
AS_MUST_CHECK as_status as_listed_set_why(as_context *ctx, as_listed_training *training, const char *why);
/* Replaces the command by a copy of these words. */
AS_MUST_CHECK as_status as_listed_set_words(as_context *ctx, as_listed_training *training, const char *const *words,
                                            size_t count);
/* Adds a file, with its digest as it is now. AS_E_DATA when it cannot be read. */
AS_MUST_CHECK as_status as_listed_add_file(as_context *ctx, as_listed_training *training, const char *path);
/* AS_E_DATA when a file of a training that waits or has begun is not what it was. */
AS_MUST_CHECK as_status as_training_list_check_files(const as_training_list *list);

#endif
