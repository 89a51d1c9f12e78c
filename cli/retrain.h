/* What retrain and its parts share. cli/retrain.c has the command: options, lock, one model after the other, the table.
 * cli/retrain_plan.c says how a model is to be trained this time, and whether there is anything to do;
 * cli/retrain_model.c does it for one model. */
#ifndef AS_CLI_RETRAIN_H
#define AS_CLI_RETRAIN_H

#include "cli/train_all.h"
#include "lifecycle/data_gate.h"
#include "lifecycle/retrain_log.h"
#include "lifecycle/store.h"

#define AS_RETRAIN_COMPARISON ".comparison.md" /* in the store, while it goes into a report */
enum { AS_RETRAIN_FILES = 2 }; /* at most, of a model */

/* What a model is made from, and told by. */
typedef struct as_retrain_kind {
  const as_trainable *trained;      /* its name, also behind evaluate and compare, and its files */
  const char *folder;               /* in the store, of a model that is no version and answers while there is none */
  bool is_messages;                 /* of a table of messages */
  bool has_labels;                  /* the table's column is one of labels */
  const char *evaluated, *compared; /* what versions are told by, in evaluate --json and in compare --json */
} as_retrain_kind;
extern const as_retrain_kind as_retrain_kinds[]; /* ended by one without */

typedef enum as_retrain_start { AS_START_BASE, AS_START_CHAMPION, AS_START_FRESH } as_retrain_start;

/* One run of the command. */
typedef struct as_retraining {
  as_cli *cli;
  as_context *ctx;
  as_store *store;
  as_retrain_start start;
  double hold_out;
  as_data_limits limits;
} as_retraining;

/* How one model is to be trained. */
typedef struct as_retrain_plan {
  const as_retraining *of;
  const as_retrain_kind *kind;
  as_version champion; /* number 0: none */
  char *folder;        /* of the champion, or NULL */
  json_t *origin;      /* of the champion, or NULL: not known */
  char *paths[AS_RETRAIN_FILES];
  char digests[AS_RETRAIN_FILES][65];
  json_t *words;   /* options of the training: those of the base, with today's files */
  json_t *command; /* what the version will say of its training: with what the configuration file adds; or NULL */
  double held_out; /* share of the rows that neither champion nor challenger learned from */
  bool unfair;     /* the champion may have learned from all of them */
} as_retrain_plan;

/* Finds the champion and its command, and makes today's from them. End with as_retrain_plan_end, also after a failure.
 */
AS_MUST_CHECK as_status as_retrain_plan_make(const as_retraining *of, const as_retrain_kind *kind,
                                             as_retrain_plan *plan);
void as_retrain_plan_end(as_retrain_plan *plan);
/* Whether the data is fit to train on; faults say why not. */
AS_MUST_CHECK as_status as_retrain_check_data(const as_retrain_plan *plan, as_data_verdict *verdict);
/* Takes the files' digests and the whole command, for the next two. AS_EXIT_DONE, or the exit code with the error told.
 */
int as_retrain_take_identity(as_retrain_plan *plan);
/* Whether there is an unfinished training of this plan. One of another plan is to be given up; but AS_E_IO for one that no
 * retraining began, which is a person's. */
AS_MUST_CHECK as_status as_retrain_find_unfinished(const as_retrain_plan *plan, bool *found);
/* The version that was made by this plan, the champion or a later one; number 0: none. */
AS_MUST_CHECK as_status as_retrain_find_made(const as_retrain_plan *plan, as_version *out);
/* AS_E_MODEL where a first version, which is the champion at once, would take the place of a folder that answers now. */
AS_MUST_CHECK as_status as_retrain_check_first(const as_retrain_plan *plan);
/* Whether somebody went back from this version. */
AS_MUST_CHECK as_status as_retrain_was_rolled_back(const as_retrain_plan *plan, const as_version *version, bool *was);
/* Keeps the command of the base where it is found again when the champion's is no longer that. Before a training that
 * starts from the champion. */
AS_MUST_CHECK as_status as_retrain_keep_base(const as_retrain_plan *plan);

/* A number as an option takes it: the shortest of two forms that is read back the same. */
#define AS_RETRAIN_NUMBER 32
void as_retrain_number(double value, char text[AS_RETRAIN_NUMBER]);

/* Removes all but --keep versions: those that the gate refused first, then the oldest; what has an alias stays. */
AS_MUST_CHECK as_status as_retrain_prune(const as_retraining *of, const as_retrain_kind *kind);

/* Retrains one model: *entry, whose texts live in `text` as long as that, says how it ended; the exit code. The report
 * is Markdown. */
int as_retrain_one(const as_retraining *of, const as_retrain_kind *kind, as_retrain_entry *entry, as_buffer *reason,
                   as_buffer *report);

#endif
