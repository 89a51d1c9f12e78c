/* Where commands find the model they use, and put the one they train: the model store below --models, or a folder that
 * the user named. */
#ifndef AS_CLI_MODEL_STORE_H
#define AS_CLI_MODEL_STORE_H

#include "cli/command.h"
#include "lifecycle/store.h"

/* The folder of the model that `option` names: as a reference ("intent@champion", "intent/3") or as a folder. Without
 * the option it is the champion of `model` ("intent"), or, where the store has no version of it, the plain folder
 * `name` ("intent_classifier") below --models. *out is the caller's to free; AS_E_MODEL when there is none. */
AS_MUST_CHECK as_status as_cli_model(as_cli *cli, const char *option, const char *model, const char *name, char **out);
/* The same, but *out is NULL when the option was not given and there is none. */
AS_MUST_CHECK as_status as_cli_model_if_there(as_cli *cli, const char *option, const char *model, const char *name,
                                              char **out);

/* The folder of the model that `given` names, as a reference or as a folder; NULL: what `alias` stands for, and of the
 * champion also what as_cli_model finds. *out is the caller's to free; AS_E_MODEL when there is none. */
AS_MUST_CHECK as_status as_cli_model_named(as_cli *cli, const char *given, as_alias alias, const char *model,
                                           const char *name, char **out);

/* How the tables of the database call a model: its name in the store and its version's number, or, when it is in none,
 * `model` and its folder. Free with as_cli_identity_free, after a failure too. */
typedef struct as_cli_identity {
  char model[AS_STORE_NAME];
  char *version;
  char *root; /* of its store; NULL: it is in none */
} as_cli_identity;
AS_MUST_CHECK as_status as_cli_identify(as_cli *cli, const char *model, const char *folder, as_cli_identity *out);
void as_cli_identity_free(as_cli *cli, as_cli_identity *identity);

/* Where a training puts its model. */
typedef struct as_cli_training {
  as_cli *cli;
  char *out;       /* the folder; after as_cli_training_publish the version's */
  as_store *store; /* NULL: `out` is a folder of the user's, and stays what it is */
  as_store_work work;
  bool done; /* nothing is left to train: all that --resume found to do was done by publishing */
} as_cli_training;

/* The command of a training as its version will say it (lifecycle/origin.h): as it would be typed with everything that the
 * configuration file and the environment say. Caller frees with json_decref. */
AS_MUST_CHECK as_status as_cli_training_command(const as_cli *cli, json_t **out);
/* AS_E_INVALID when the options of a training, of which the configuration file and the environment may have some, put its
 * model elsewhere: for commands that go on with the version. */
AS_MUST_CHECK as_status as_cli_expect_version(const as_cli *cli);
/* `out` and `resume` are the texts of those options, NULL without them. Without both the place is the next version of
 * `model`, and so it is when `resume` is the unfinished training of a store. End with as_cli_training_end, also after a
 * failure. */
AS_MUST_CHECK as_status as_cli_training_begin(as_cli *cli, const char *model, const char *out, const char *resume,
                                              as_cli_training *training);
/* Makes what was trained a version; does nothing for a folder of the user's. */
AS_MUST_CHECK as_status as_cli_training_publish(as_cli_training *training);
/* Says which version it became and how it gets asked. */
void as_cli_training_tell(const as_cli_training *training);
void as_cli_training_end(as_cli_training *training);

#endif
