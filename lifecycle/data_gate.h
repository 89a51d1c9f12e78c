/* Whether data is fit to train the next version on: what an unattended retraining asks before it spends an hour. A file
 * that was cut short, whose columns moved or whose labels were mixed up is refused here, with the reasons, and the
 * champion goes on answering.
 *
 * Nothing here looks at a model; what a model makes of the data is for the gate behind it (compare). */
#ifndef AS_LIFECYCLE_DATA_GATE_H
#define AS_LIFECYCLE_DATA_GATE_H

#include "data/interactions.h"
#include "data/messages.h"

typedef struct as_data_limits {
  int64_t least_rows;         /* usable ones */
  int64_t least_class_rows;   /* of each class */
  double most_unusable;       /* share of the rows that is broken or empty */
  double most_contradictions; /* share of the usable rows whose text stood before with another label */
  double most_shrinkage;      /* how much smaller a file may be than the one the champion learned from: a share of it */
} as_data_limits;

/* 100 rows, 10 of each class, 5 % unusable, 5 % contradictions, a third smaller. */
as_data_limits as_data_limits_usual(void);

/* What the champion knows; zeroed without one. */
typedef struct as_data_before {
  const char *const *classes; /* [class_count] its labels; each must still occur */
  size_t class_count;
  int64_t bytes; /* of the file it learned from; 0: not known */
} as_data_before;

typedef struct as_data_verdict {
  int64_t rows, usable, bytes;
  as_buffer faults; /* one line each; empty: fit. The caller initialises and frees it */
} as_data_verdict;

/* Reads messages by `options`, with rows that can't be used left out and counted. The first column, when it is one of
 * labels that must be there, has the classes. A file that can't be read is a fault too; AS_E_NOMEM only. */
AS_MUST_CHECK as_status as_data_gate_messages(as_context *ctx, const char *path, const as_message_options *options,
                                              const as_data_limits *limits, const as_data_before *before,
                                              as_data_verdict *verdict);
/* The same for interactions with their catalogue; a product that the catalogue lacks makes a row unusable. `types` has
 * the weights. Classes, contradictions: none. */
AS_MUST_CHECK as_status as_data_gate_interactions(as_context *ctx, const char *path, const char *products,
                                                  const as_csv_options *csv, const as_interaction_types *types,
                                                  const as_data_limits *limits, const as_data_before *before,
                                                  as_data_verdict *verdict);

#endif
