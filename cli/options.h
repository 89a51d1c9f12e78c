/* The table of commands and options, and the parser that reads a command line, the environment and a configuration file
 * by it.
 *
 * One table serves parsing, --help, manual pages, completion, the environment and the configuration file. A row says
 * everything about an option; nothing about it stands elsewhere. cli/command.h tells how a command is added.
 *
 * Invariant: after as_options_parse every option of the command has a value that its row allows, or none at all; so a
 * command reads values without checking them again, and a wrong one was refused before any file was opened. */
#ifndef AS_CLI_OPTIONS_H
#define AS_CLI_OPTIONS_H

#include "base/context.h"

typedef enum as_option_type {
  AS_OPTION_FLAG, /* --json; also --json=no, to take back what the configuration file said, or --json=WORD of `words` */
  AS_OPTION_INT,  /* a whole number */
  AS_OPTION_NUMBER, /* a finite number */
  AS_OPTION_SIZE,   /* bytes, with a suffix K, M, G or T (powers of 1024): 512M, 1.5G */
  AS_OPTION_CHOICE, /* one of `words` */
  AS_OPTION_TEXT,   /* anything; `check` may narrow it */
  AS_OPTION_FILE,   /* a path; the same as text but for completion */
  AS_OPTION_FOLDER
} as_option_type;

typedef struct as_option {
  const char *name; /* without the dashes; a key of the configuration file too */
  char short_name;  /* 0: none */
  as_option_type type;
  const char *argument; /* what --help calls the value: "N", "FILE"; "MODEL" is completed with the names in the store;
                           NULL: a flag, or a choice that shows its words */
  const char *initial;  /* the default, in the user's spelling; NULL: none. Checked like any other value by a test */
  const char *initial_note;        /* shown as the default when `initial` is NULL: "by size" */
  double minimum, maximum;         /* INT, NUMBER, SIZE: both 0: any */
  bool open_minimum, open_maximum; /* the bound itself is refused */
  const char *words;       /* "a|b|c": the choices; for other types words that are allowed besides ("none", "auto") */
  bool required;           /* unless an option that excludes it was given */
  bool repeats;            /* TEXT: given several times, its values are joined with commas */
  bool command_line_only;  /* neither in the configuration file nor in the environment */
  bool instead_of_command; /* --help, --version: no command is needed with it; on the command line only */
  const char *excludes;    /* names, separated by spaces, that contradict this one; "*": all but the global ones */
  /* TEXT only, may be NULL: says what is wrong by as_fail(ctx, AS_E_INVALID, ...), in words that follow "option --x:".
   */
  as_status (*check)(as_context *ctx, const char *value);
  const char *help; /* a phrase in lower case, no full stop */
} as_option;

/* Options that stand together under a heading, and may serve several commands. */
typedef struct as_option_group {
  const char *title; /* "Training" */
  const as_option *options;
  size_t count;
} as_option_group;
#define AS_OPTION_GROUP(title, rows)                                                                                   \
  { (title), (rows), sizeof(rows) / sizeof((rows)[0]) }

struct as_cli;

typedef enum as_operand { AS_OPERAND_TEXT, AS_OPERAND_FILE, AS_OPERAND_FOLDER, AS_OPERAND_MODEL } as_operand;

typedef struct as_command {
  const char *name;                     /* "doctor", "train intent" */
  const char *operands;                 /* as the usage line shows them: "DIR", "[TEXT...]", "[a|b]"; NULL: none */
  int min_operands, max_operands;       /* max -1: any number */
  as_operand operand;                   /* for completion */
  const char *summary;                  /* one line for the list of commands: lower case, no full stop */
  const char *description;              /* paragraphs, separated by an empty line; NULL: the summary is enough */
  const char *examples;                 /* lines, each a command; NULL: none */
  const as_option_group *const *groups; /* ended by NULL; NULL: no options but the global ones */
  bool works_long;                      /* large pages pay (as_context_options.large_pages) */
  bool catches_signals;                 /* SIGINT and SIGTERM only set the flag that as_interrupted reads */
  int (*run)(struct as_cli *cli);       /* returns an exit code */
} as_command;

/* All commands, and the global options that stand before or after each. */
typedef struct as_command_table {
  const as_command *const *commands; /* ended by NULL */
  const as_option_group *global;
} as_command_table;

/* In the order in which they win. */
typedef enum as_value_source {
  AS_FROM_NOWHERE,
  AS_FROM_INITIAL,
  AS_FROM_CONFIG,
  AS_FROM_ENVIRONMENT,
  AS_FROM_COMMAND_LINE
} as_value_source;

typedef struct as_value {
  const as_option *option;
  as_value_source source;
  const char *text; /* as written; NULL: no value */
  const char *word; /* the word of `words` that it is, NULL if none */
  int64_t integer;  /* INT, SIZE, FLAG (0 or 1) */
  double number;    /* NUMBER */
  char *joined;     /* owns `text` when the option was repeated */
  size_t line;      /* of the configuration file */
  int section;      /* there and in the environment: 0 of all commands, 1 of the command's first word, 2 its own */
} as_value;

typedef struct as_arguments {
  as_context *ctx;
  const as_command_table *table;
  const as_command *command; /* NULL: none was named */
  const char *family;        /* the first word of two when only that was given, with help; else NULL */
  bool help;                 /* --help, or "help" for a command; then nothing else was checked */
  as_value *values;          /* global options first, then the command's */
  size_t value_count;
  const char **operands; /* borrowed from argv */
  size_t operand_count;
  char *config_text;              /* owns the text of configuration values */
  const char *config_path;        /* the configuration file; NULL: none */
  const char *const *environment; /* as in as_option_sources */
} as_arguments;

/* What else gives values to options, besides the command line; it wins over the environment, which wins over the file.
 */
typedef struct as_option_sources {
  const char *config;             /* configuration file to read unless --config names another; NULL or "": none */
  const char *const *environment; /* "NAME=value" each, ended by NULL; NULL: none */
} as_option_sources;

/* Reads argv by the table; `sources` may be NULL. AS_E_INVALID for everything a user can get wrong. The arguments may
 * be freed after a failure too; then `command` is set if it had been found. `argv`, `table` and what the sources point
 * to are borrowed. */
AS_MUST_CHECK as_status as_options_parse(as_context *ctx, const as_command_table *table, int argc,
                                         const char *const *argv, const as_option_sources *sources, as_arguments *out);
/* The values that `command` (NULL: any) would get from the sources of `from`, and the global ones that its command line
 * gave. That something required is missing is no error here. `from` must outlive them; freed as others. */
AS_MUST_CHECK as_status as_options_of_command(as_context *ctx, const as_arguments *from, const as_command *command,
                                              as_arguments *out);
void as_arguments_free(as_arguments *arguments);

/* Values by name. An option that the command does not have is a mistake in the program: it ends. */
/* Whether the user gave it: on the command line, in the environment or in the configuration file. */
bool as_option_given(const as_arguments *arguments, const char *name);
bool as_option_flag(const as_arguments *arguments, const char *name);
/* INT and SIZE, and NUMBER; 0 if there is no value or if it is a word. */
int64_t as_option_int(const as_arguments *arguments, const char *name);
double as_option_number(const as_arguments *arguments, const char *name);
/* Any type, as written; NULL if there is no value. */
const char *as_option_text(const as_arguments *arguments, const char *name);
/* Whether the value is this one of the row's words. */
bool as_option_is(const as_arguments *arguments, const char *name, const char *word);
const as_value *as_option_value(const as_arguments *arguments, const char *name);

/* ---- for the parts of the parser, help and tests ------------------------------------------------------------ */

/* Checks `text` by the option's row and stores it in `value`. `who` names the option in the error. */
AS_MUST_CHECK as_status as_value_set(as_context *ctx, as_value *value, const char *text, const char *who);
/* "a whole number from 1 to 100", for messages. */
void as_option_expects(const as_option *option, char *text, size_t size);
/* Reads the configuration file into the values that the command line left open; checks all that are this command's. */
AS_MUST_CHECK as_status as_config_apply(as_arguments *arguments, const char *path);
/* Reads the environment's values over those of the file; checks all that are this command's. */
AS_MUST_CHECK as_status as_environment_apply(as_arguments *arguments);
/* Warns of every variable that is nearly one of an option. */
void as_environment_warn(as_context *ctx, const as_command_table *table, const char *const *environment);
#define AS_VARIABLE_NAME 96 /* bytes with the NUL */
/* The variable of an option for all commands (`command` may be NULL), a command's first word or a command (`rank` as
 * as_value.section). False if there is none. */
bool as_option_variable(const as_command *command, const as_option *option, int rank, char *name, size_t size);
/* The variables that are no option's; a row without a name ends them. `help` NULL: of the tests. */
typedef struct as_variable {
  const char *name, *help;
} as_variable;
extern const as_variable as_variables[];
/* The command with this full name; NULL if there is none. */
const as_command *as_command_find(const as_command_table *table, const char *name, size_t length);
bool as_command_in_family(const as_command *command, const char *family,
                          size_t length); /* "train intent" is in "train" */
/* Visits every option of a command, the table's global ones first (command NULL: only these); ends with NULL. */
const as_option *as_command_option(const as_command_table *table, const as_command *command, size_t index,
                                   const as_option_group **group);
/* Whether `word` is one of "a|b|c"; returns the place of it there. */
const char *as_words_find(const char *words, const char *word);

/* A name near `word`, kept while the candidates are walked. */
typedef struct as_suggestion {
  const char *word;
  const char *best; /* NULL: nothing is near */
  size_t distance;
} as_suggestion;
as_suggestion as_suggestion_start(const char *word);
void as_suggestion_offer(as_suggestion *suggestion, const char *candidate);

#endif
