/* What compare intent, compare response and compare recommend share: which two models, how large they are, how long
 * each takes, the gate, and the three forms of the result.
 *
 * A command opens, reads and measures; this does the rest. So a figure stands in table, JSON, Markdown and database
 * under one name, and the exit code is the gate's. */
#ifndef AS_CLI_COMPARISON_H
#define AS_CLI_COMPARISON_H

#include "base/json.h"
#include "base/report.h"
#include "cli/command.h"
#include "eval/compared_figures.h"
#include "lifecycle/gate.h"

/* --max-loss, --min-gain, --min-score, --max-drop, --max-slowdown, --min-rows */
extern const as_option_group as_options_gate;
/* --json, --report, --latency, --resamples */
extern const as_option_group as_options_comparison;

typedef struct as_compared_model {
  char *folder;
  char *name; /* "intent/3", or the folder */
  uint64_t bytes;
  int64_t parameters;
} as_compared_model;

/* One at a time, in turns, warm: milliseconds. */
typedef struct as_compared_times {
  int64_t count; /* 0: not measured */
  double median[2], p95[2];
} as_compared_times;

typedef struct as_cli_comparison {
  as_cli *cli;
  const char *task;            /* "intent" */
  as_compared_model models[2]; /* the first, the second */
  bool same;                   /* both are one folder */
  const char *main_key;        /* the metric in the history that the gate's main figure is: "f1.macro_seen" */
  as_gate_limits limits;
  as_compared_times times;
  as_gate gate;
} as_cli_comparison;

/* Finds the models that the operands name: none are champion and challenger, one is held against the champion. `folder`
 * is the plain one of the task; `usual_loss` --max-loss where it is not given. End with as_cli_comparison_end, also
 * after a failure. */
AS_MUST_CHECK as_status as_cli_comparison_begin(as_cli *cli, const char *task, const char *folder, double usual_loss,
                                                as_cli_comparison *out);
void as_cli_comparison_end(as_cli_comparison *comparison);

/* Times `ask` for rows 0 .. rows-1 of model 0 and 1 in turns; at most `most` rows, evenly spread. */
AS_MUST_CHECK as_status as_cli_comparison_time(as_cli_comparison *comparison, int64_t rows, int64_t most,
                                               as_status (*ask)(void *user, int model, int64_t row), void *user);

/* Judges, with the history of the first as it was before this comparison. `figures` is complete but for `before` and
 * `slowdown`. */
AS_MUST_CHECK as_status as_cli_comparison_judge(as_cli_comparison *comparison, as_gate_figures *figures);

/* What a command adds to the output. */
typedef struct as_comparison_output {
  const char *data;                  /* the file that both were measured on */
  const as_compared_figure *figures; /* [figure_count]: those that are recorded */
  size_t figure_count;
  void *user;
  void (*json)(void *user, as_json_writer *w); /* members of the object */
  as_status (*report)(void *user, as_report *report);
  void (*evaluation)(void *user, int model, as_json_writer *w); /* as `evaluate --json` has it; NULL: not
                                                                  recorded */
} as_comparison_output;
/* Prints table or JSON, writes --report, and records. */
AS_MUST_CHECK as_status as_cli_comparison_print(as_cli_comparison *comparison, const as_comparison_output *output);

/* The exit code: the gate's, or that of a failure, which is printed. */
int as_cli_comparison_exit(as_cli_comparison *comparison, as_status status);

#endif
