/* Reading a workload file, and making rows of its lengths. See workload.h. */
#include "bench/workload.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "cli/lines.h"

#define LONGEST_PAD 1000000
#define LARGEST_NUMBER INT64_C(1000000000000)
#define LINE_LIMIT ((size_t)1 << 20)

/* Reads digits up to `most` at *at and goes on behind them; -1 if there are none or the number is larger. */
static int64_t read_number(const char **at, int64_t most) {
  const char *p = *at;
  int64_t value = 0;
  if (*p < '0' || *p > '9') return -1;
  for (; *p >= '0' && *p <= '9'; p++) {
    value = 10 * value + (*p - '0');
    if (value > most) return -1;
  }
  *at = p;
  return value;
}

/* Puts the comma-separated numbers at *at behind the `count` that are in *list; returns how many there are then in
 * *count. Ends at the first character that is neither digit nor comma. */
static as_status read_list(as_workload *w, const as_lines *lines, const char **at, const char *what, int64_t least,
                           int64_t most, int64_t **list, size_t *capacity, int64_t *count) {
  for (;;) {
    const char *start = *at;
    int64_t value = read_number(at, most);
    if (value < least)
      return as_lines_fail(lines, "%s at \"%.20s\" must be a number from %lld to %lld", what, start, (long long)least,
                           (long long)most);
    int64_t *grown = as_grow(w->ctx, *list, capacity, (size_t)*count + 1, sizeof *grown);
    if (!grown) return AS_E_NOMEM;
    *list = grown;
    grown[(*count)++] = value;
    if (**at != ',') return AS_OK;
    ++*at;
  }
}

static as_status expect(const as_lines *lines, const char **at, char wanted) {
  if (**at != wanted)
    return as_lines_fail(lines, "\"%.20s\" stands where %s should; a line is PAD_TO, a tab, LENGTH,LENGTH,..., a tab, "
                                "ROW,ROW,..., with another list of lengths for targets", *at,
                         wanted == '\t' ? "a tab" : wanted ? "a comma" : "the line's end");
  if (wanted) ++*at;
  return AS_OK;
}

/* Ends a batch whose rows are padded to `pad_to`, and its targets to `target_pad`. */
static as_status add_batch(as_workload *w, int64_t pad_to, int64_t target_pad, int64_t rows) {
  int64_t *pads = as_grow(w->ctx, w->pad_to, &w->batch_capacity, (size_t)w->batches + 1, sizeof *pads);
  if (!pads) return AS_E_NOMEM;
  w->pad_to = pads;
  int64_t *start = as_grow(w->ctx, w->start, &w->start_capacity, (size_t)w->batches + 2, sizeof *start);
  if (!start) return AS_E_NOMEM;
  w->start = start;
  start[w->batches] = w->rows;
  pads[w->batches++] = pad_to;
  start[w->batches] = rows;
  for (int64_t i = w->rows; i < rows; i++) w->tokens += w->lengths[i] + (w->targets ? w->targets[i] : 0);
  w->padded += (pad_to + target_pad) * (rows - w->rows);
  w->rows = rows;
  return AS_OK;
}

static as_status read_pads(const as_lines *lines, const char **at, bool pairs, int64_t *pad_to, int64_t *target_pad) {
  as_status status = AS_OK;
  *target_pad = 0;
  *pad_to = read_number(at, LONGEST_PAD);
  if (*pad_to >= 1 && pairs) {
    status = expect(lines, at, ',');
    if (status == AS_OK) *target_pad = read_number(at, LONGEST_PAD);
  }
  if (status == AS_OK && (*pad_to < 1 || (pairs && *target_pad < 1)))
    status = as_lines_fail(lines, "must begin with the length to pad to, from 1 to %d", LONGEST_PAD);
  return status == AS_OK ? expect(lines, at, '\t') : status;
}

static as_status check_batch(const as_workload *w, const as_lines *lines, const int64_t *lengths, int64_t rows,
                             int64_t numbers, int64_t pad_to) {
  if (rows != numbers)
    return as_lines_fail(lines, "%lld lengths, but %lld rows", (long long)(rows - w->rows),
                         (long long)(numbers - w->rows));
  for (int64_t i = w->rows; i < rows; i++)
    if (lengths[i] > pad_to)
      return as_lines_fail(lines, "a row of %lld tokens in a batch padded to %lld", (long long)lengths[i],
                           (long long)pad_to);
  return AS_OK;
}

static as_status read_line(as_workload *w, const as_lines *lines, const char *at, int64_t longest, bool pairs) {
  int64_t rows = w->rows, targets = w->rows, numbers = w->rows, pad_to, target_pad;
  as_status status = read_pads(lines, &at, pairs, &pad_to, &target_pad);
  if (status == AS_OK)
    status = read_list(w, lines, &at, "a length", 1, longest, &w->lengths, &w->length_capacity, &rows);
  if (status == AS_OK) status = expect(lines, &at, '\t');
  if (status == AS_OK && pairs) {
    status = read_list(w, lines, &at, "a length", 1, longest, &w->targets, &w->target_capacity, &targets);
    if (status == AS_OK) status = expect(lines, &at, '\t');
  }
  if (status == AS_OK)
    status = read_list(w, lines, &at, "a row", 0, LARGEST_NUMBER, &w->numbers, &w->number_capacity, &numbers);
  if (status == AS_OK) status = expect(lines, &at, '\0');
  if (status == AS_OK) status = check_batch(w, lines, w->lengths, rows, numbers, pad_to);
  if (status == AS_OK && pairs) status = check_batch(w, lines, w->targets, targets, numbers, target_pad);
  return status == AS_OK ? add_batch(w, pad_to, target_pad, rows) : status;
}

static as_status read_file(as_context *ctx, const char *path, int64_t most, int64_t longest, bool pairs,
                           as_workload *out) {
  as_lines lines = {0};
  *out = (as_workload){.ctx = ctx, .path = path};
  as_status status = as_lines_open(ctx, path, LINE_LIMIT, &lines);
  while (status == AS_OK && (most == 0 || out->batches < most)) {
    const char *line;
    size_t length;
    status = as_lines_next(&lines, &line, &length);
    if (status != AS_OK || !line) break;
    if (memchr(line, 0, length))
      status = as_lines_fail(&lines, "has a NUL byte");
    else
      status = read_line(out, &lines, line, longest, pairs);
  }
  if (status == AS_OK && out->batches == 0) status = as_lines_fail(&lines, "there is no batch in this file");
  as_lines_close(&lines);
  return status;
}

as_status as_workload_read(as_context *ctx, const char *path, int64_t most, int64_t longest, as_workload *out) {
  return read_file(ctx, path, most, longest, false, out);
}

as_status as_workload_read_pairs(as_context *ctx, const char *path, int64_t most, int64_t longest, as_workload *out) {
  return read_file(ctx, path, most, longest, true, out);
}

void as_workload_free(as_workload *w) {
  if (!w->ctx) return;
  int64_t *const arrays[] = {w->pad_to, w->start, w->lengths, w->numbers, w->targets};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) as_free(w->ctx, arrays[i]);
  *w = (as_workload){0};
}

void as_workload_ids(uint64_t seed, int64_t number, int64_t vocab_size, int64_t length, int32_t *ids) {
  as_random random = as_random_start(seed, (uint64_t)number);
  for (int64_t i = 0; i < length; i++) ids[i] = (int32_t)as_random_below(&random, (uint64_t)vocab_size);
}

/* Room for the longest row's ids. NULL on failure; caller frees. */
static int32_t *row_buffer(const as_workload *w) {
  int64_t longest = 1;
  for (int64_t i = 0; i < w->rows; i++) {
    longest = w->lengths[i] > longest ? w->lengths[i] : longest;
    if (w->targets) longest = w->targets[i] > longest ? w->targets[i] : longest;
  }
  return as_alloc(w->ctx, (size_t)longest, sizeof(int32_t));
}

as_status as_workload_batches(const as_workload *w, uint64_t seed, int64_t vocab_size, int64_t classes,
                              as_encoder_batch **out) {
  int32_t *ids = row_buffer(w);
  as_encoder_batch *batches = ids ? as_alloc_zero(w->ctx, (size_t)w->batches, sizeof *batches) : NULL;
  as_status status = batches ? AS_OK : AS_E_NOMEM;
  for (int64_t b = 0; batches && b < w->batches; b++) {
    as_encoder_batch_init(&batches[b], w->ctx);
    for (int64_t i = w->start[b]; status == AS_OK && i < w->start[b + 1]; i++) {
      as_workload_ids(seed, w->numbers[i], vocab_size, w->lengths[i], ids);
      status = as_encoder_batch_add(&batches[b], ids, w->lengths[i], (int32_t)(w->numbers[i] % classes));
    }
  }
  for (int64_t b = 0; batches && status != AS_OK && b < w->batches; b++) as_encoder_batch_free(&batches[b]);
  if (status != AS_OK) as_free(w->ctx, batches);
  as_free(w->ctx, ids);
  *out = status == AS_OK ? batches : NULL;
  return status;
}

as_status as_workload_pairs(const as_workload *w, uint64_t seed, int64_t vocab_size, as_t5_batch **out) {
  int32_t *ids = row_buffer(w), *labels = row_buffer(w);
  as_t5_batch *batches = ids && labels ? as_alloc_zero(w->ctx, (size_t)w->batches, sizeof *batches) : NULL;
  as_status status = batches ? AS_OK : AS_E_NOMEM;
  for (int64_t b = 0; batches && b < w->batches; b++) {
    as_t5_batch_init(&batches[b], w->ctx);
    for (int64_t i = w->start[b]; status == AS_OK && i < w->start[b + 1]; i++) {
      as_workload_ids(seed, w->numbers[i], vocab_size, w->lengths[i], ids);
      as_workload_ids(seed + 1, w->numbers[i], vocab_size, w->targets[i], labels);
      status = as_t5_batch_add(&batches[b], ids, w->lengths[i], labels, w->targets[i], 0, 0);
    }
  }
  for (int64_t b = 0; batches && status != AS_OK && b < w->batches; b++) as_t5_batch_free(&batches[b]);
  if (status != AS_OK) as_free(w->ctx, batches);
  as_free(w->ctx, ids);
  as_free(w->ctx, labels);
  *out = status == AS_OK ? batches : NULL;
  return status;
}

as_status as_workload_rows(const as_workload *w, uint64_t seed, int64_t vocab_size, as_token_rows *out) {
  int32_t *ids = row_buffer(w);
  as_status status = ids ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < w->rows; i++) {
    as_workload_ids(seed, w->numbers[i], vocab_size, w->lengths[i], ids);
    status = as_token_rows_add(out, ids, w->lengths[i], -100, false);
  }
  as_free(w->ctx, ids);
  return status;
}
