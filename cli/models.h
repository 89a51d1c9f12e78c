/* What the commands that begin with "models" share: the store, and the version or models that the operands name. */
#ifndef AS_CLI_MODELS_H
#define AS_CLI_MODELS_H

#include "cli/command.h"
#include "lifecycle/store.h"

AS_MUST_CHECK as_status as_cli_store_open(as_cli *cli, as_store **out);
/* Closes it and gives the exit code, with the error told. */
int as_cli_store_finish(as_cli *cli, as_store *store, as_status status);
/* The version that `count` operands name: "intent 2", "intent champion", "intent/2", "intent@champion", or "intent",
 * which is its champion. */
AS_MUST_CHECK as_status as_cli_store_version(as_cli *cli, const as_store *store, size_t count, as_version *out);
/* Models to go over: the one named, or all. The names are freed with as_free. */
AS_MUST_CHECK as_status as_cli_store_models(as_cli *cli, const as_store *store, as_store_names *out);

#endif
