/* Workloads: which sequence lengths make up which batch. Speed depends on nothing else of a text, so a file of numbers
 * is enough to repeat a measurement, here and with other programs.
 *
 * One line a batch, three columns separated by tabs: the length that a program which pads would pad to, the lengths of
 * the batch's rows in tokens (special ones included), and the numbers of these rows in the data that they came from.
 *
 *   12<TAB>8,12,9<TAB>40,7,12
 *
 * Workloads of pairs, a source and a target each, have both lengths to pad to, separated by a comma, and four columns:
 * the targets' lengths come behind those of the sources.
 *
 *   12,30<TAB>8,12,9<TAB>30,11,30<TAB>40,7,12
 *
 * Invariant: every batch has a row; 1 <= length <= pad_to for every row, and for every target. */
#ifndef AS_BENCH_WORKLOAD_H
#define AS_BENCH_WORKLOAD_H

#include "models/encoder_batch.h"
#include "models/t5_batch.h"
#include "models/token_rows.h"

typedef struct as_workload {
  as_context *ctx;
  const char *path;       /* borrowed */
  int64_t batches, rows;  /* of all batches */
  int64_t tokens, padded; /* of all rows: real ones, and those that a program which pads computes */
  int64_t *pad_to;        /* [batches] */
  int64_t *start;         /* [batches + 1]: batch b has the rows start[b] .. start[b + 1] - 1 */
  int64_t *lengths;       /* [rows] */
  int64_t *numbers;       /* [rows]: from 0 */
  int64_t *targets;       /* [rows]: lengths of the targets; NULL: no pairs */
  size_t batch_capacity, start_capacity, length_capacity, number_capacity, target_capacity;
} as_workload;

/* Reads the first `most` batches (0: all). AS_E_DATA, naming file and line, for what is not in the format, for a row of
 * more than `longest` tokens, and for a file without a batch. *out may be freed after a failure too. */
AS_MUST_CHECK as_status as_workload_read(as_context *ctx, const char *path, int64_t most, int64_t longest,
                                         as_workload *out);
/* The same for a workload of pairs. */
AS_MUST_CHECK as_status as_workload_read_pairs(as_context *ctx, const char *path, int64_t most, int64_t longest,
                                               as_workload *out);
void as_workload_free(as_workload *workload); /* a zeroed one is allowed */

/* The ids of one row, each a random one of the vocabulary; they follow from (seed, row number), so that a row has the
 * same ids in every workload. */
void as_workload_ids(uint64_t seed, int64_t number, int64_t vocab_size, int64_t length, int32_t *ids /* [length] */);

/* The workload's batches, with labels in [0, classes): [workload->batches], each to be freed with
 * as_encoder_batch_free, the array with as_free. On failure *out is NULL. */
AS_MUST_CHECK as_status as_workload_batches(const as_workload *workload, uint64_t seed, int64_t vocab_size,
                                            int64_t classes, as_encoder_batch **out);
/* The batches of a workload of pairs; the decoder's start and padding id is 0. As above, with as_t5_batch_free. */
AS_MUST_CHECK as_status as_workload_pairs(const as_workload *workload, uint64_t seed, int64_t vocab_size,
                                          as_t5_batch **out);
/* All rows, in the order of the file; `out` is initialised. */
AS_MUST_CHECK as_status as_workload_rows(const as_workload *workload, uint64_t seed, int64_t vocab_size,
                                         as_token_rows *out);

#endif
