/* What the parts of `inspect lightfm` share: a file of "key value value ..." lines, read whole, and its model. */
#ifndef AS_CLI_INSPECT_LIGHTFM_H
#define AS_CLI_INSPECT_LIGHTFM_H

#include "cli/command.h"
#include "recommend/lightfm_exact.h"

/* A line: its key, and its values as text. */
typedef struct as_replay_line {
  const char *key;
  const char *values; /* "" if there are none */
  uint64_t number;
} as_replay_line;

typedef struct as_replay {
  as_cli *cli;
  const char *path;
  char *text;            /* owns the lines; cut by NULs */
  as_replay_line *lines; /* [count] */
  size_t count, capacity, at;
  int64_t users, items, user_features, item_features;
  as_feature_matrix user_matrix, item_matrix;
  int64_t *seen_starts; /* [users + 1] */
  int32_t *seen_items;
  as_lightfm *model;
  as_buffer out;
} as_replay;

/* Reading values: each fails with AS_E_DATA, the file, the line and what was expected. */
as_status as_replay_fail(const as_replay *replay, const as_replay_line *line, const char *what);
const as_replay_line *as_replay_find(const as_replay *replay, const char *key); /* the first one, NULL if none */
AS_MUST_CHECK as_status as_replay_number(const as_replay *replay, const char *key, double least, double most,
                                         double *out);
/* Exactly `count` numbers of the line, from its value number `skip` on. */
AS_MUST_CHECK as_status as_replay_floats(const as_replay *replay, const as_replay_line *line, int64_t skip,
                                         int64_t count, float *out);
/* All values of the line from number `skip` on, each in [0, below); caller frees *out with as_free. */
AS_MUST_CHECK as_status as_replay_indices(const as_replay *replay, const as_replay_line *line, int64_t skip,
                                          int64_t below, int32_t **out, int64_t *count);

void as_replay_copy(as_replay *replay, const as_replay_line *line); /* prints the line as it was read */
void as_replay_print_floats(as_replay *replay, const char *key, const float *values, int64_t count);

/* Prints the files of scores, ranks and metrics. */
AS_MUST_CHECK as_status as_replay_predict(as_replay *replay);

#endif
