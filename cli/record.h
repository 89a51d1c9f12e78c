/* evaluate writes its figures into the database of the store that the model is in. */
#ifndef AS_CLI_RECORD_H
#define AS_CLI_RECORD_H

#include "base/buffer.h"
#include "cli/command.h"

/* --db */
extern const as_option_group as_options_record;

/* Adds the figures of `json`, the text of an evaluation's object, to the table model_metrics, for the model in
 * `folder`: into the file that --db names, or else, when the model is a version in a store, into that store's database;
 * else nowhere. A failure is returned when the user asked by --db, else it is a warning: the evaluation itself is done.
 */
AS_MUST_CHECK as_status as_cli_record(as_cli *cli, const char *model, const char *folder, const as_buffer *json);
/* The figure of this name that the model in `folder` had when it was measured last, from where as_cli_record writes it;
 * NaN when there is none. */
AS_MUST_CHECK as_status as_cli_recorded(as_cli *cli, const char *model, const char *folder, const char *metric,
                                        double *out);

#endif
