/* Cutting a table of interactions in two: rows to learn from and rows to measure with. */
#ifndef AS_DATA_INTERACTION_SPLIT_H
#define AS_DATA_INTERACTION_SPLIT_H

#include "data/interactions.h"

typedef enum as_split_by {
  AS_SPLIT_TIME,  /* one moment for all: the newest rows are held out, so that nothing is learned from the future */
  AS_SPLIT_LAST,  /* each customer's last rows; what others did later is learned from */
  AS_SPLIT_RANDOM /* any rows */
} as_split_by;
const char *as_split_by_name(as_split_by by); /* "time", "last", "random" */

typedef struct as_interaction_split {
  as_split_by by;
  double share;  /* of the rows that is held out, in (0, 1) */
  int64_t leave; /* LAST: so many rows of each customer that has more, instead of a share; 0: the share, and at least
                    one of two */
  uint64_t seed; /* RANDOM */
} as_interaction_split;

/* Sets held[rows] and *count, in the order of the table's rows. By TIME, rows of the same second stay together: those
 * from the second on at which the share begins; when that is all rows, none are held out. AS_E_INVALID: a share or
 * number out of range. */
AS_MUST_CHECK as_status as_interactions_hold_out(const as_interactions *table, const as_interaction_split *split,
                                                 bool *held, int64_t *count);
/* The rows that are held out and the others as tables of their own, each with the customers that have any. AS_E_DATA:
 * one of the two is empty. Caller frees both. */
AS_MUST_CHECK as_status as_interactions_divide(const as_interactions *table, const as_interaction_split *split,
                                               as_interactions **rest, as_interactions **held_out);

#endif
