/* What the benchmarks of models have in common: options, and the parts of their output that say what was
 * measured. */
#ifndef AS_CLI_BENCH_OPTIONS_H
#define AS_CLI_BENCH_OPTIONS_H

#include "bench/encoder.h"
#include "cli/command.h"

/* --arch, --size, --seed, --json: of encoders, of what can be trained, of T5. */
extern const as_option_group as_options_bench, as_options_bench_train, as_options_bench_t5;
as_bench_model as_bench_model_option(const as_cli *cli);

/* A line of JSON: what was measured, with which model (of a folder, or NULL: of --size), threads and instruction set.
 * as_bench_json_close adds the memory that the process held at its peak. */
void as_bench_json_open(as_json_writer *writer, const as_cli *cli, const char *folder, const char *what);
void as_bench_json_workload(as_json_writer *writer, const as_workload *workload);
void as_bench_json_close(as_json_writer *writer);

/* The same as lines of text. */
void as_bench_text_model(as_buffer *out, const as_cli *cli, const char *folder);
void as_bench_text_workload(as_buffer *out, const as_cli *cli, const as_workload *workload);

#endif
