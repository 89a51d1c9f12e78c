/* See paired_sums.h. */
#include "eval/paired_sums.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "eval/range_check.h"
#include "eval/resampling.h"

typedef struct adding {
  const as_paired_sums *in;
  int64_t resamples;
  const int32_t *indices;
  uint64_t seed;
  double *sums;   /* [lanes, 2 * width + scores] */
  double *values; /* [2, scores, resamples] */
} adding;

static size_t lane_size(const as_paired_sums *in) {
  return 2 * in->width + in->scores;
}

static void add_row(const as_paired_sums *in, double *sums, int64_t row) {
  const double *first = in->first + (size_t)row * in->width, *second = in->second + (size_t)row * in->width;
  for (size_t c = 0; c < in->width; c++) sums[c] += first[c];
  for (size_t c = 0; c < in->width; c++) sums[in->width + c] += second[c];
}

static void add_resample(void *argument, int64_t chunk, int lane) {
  const adding *job = argument;
  const as_paired_sums *in = job->in;
  double *sums = job->sums + (size_t)lane * lane_size(in), *scores = sums + 2 * in->width;
  as_random random = as_resample_start(job->seed, chunk);
  memset(sums, 0, 2 * in->width * sizeof *sums);
  for (int64_t i = 0; i < in->rows; i++)
    add_row(in, sums,
            job->indices ? job->indices[chunk * in->rows + i] : (int64_t)as_random_below(&random, (uint64_t)in->rows));
  for (size_t system = 0; system < 2; system++) {
    in->score(sums + system * in->width, in->rows, scores);
    for (size_t s = 0; s < in->scores; s++)
      job->values[(system * in->scores + s) * (size_t)job->resamples + (size_t)chunk] = scores[s];
  }
}

/* The scores of all rows, which need no resamples. Uses the room of lane 0. */
static void score_all(const adding *job, as_paired_score *out) {
  const as_paired_sums *in = job->in;
  double *sums = job->sums, *scores = sums + 2 * in->width;
  memset(sums, 0, 2 * in->width * sizeof *sums);
  for (int64_t row = 0; row < in->rows; row++) add_row(in, sums, row);
  in->score(sums, in->rows, scores);
  for (size_t s = 0; s < in->scores; s++) out[s].first = scores[s];
  in->score(sums + in->width, in->rows, scores);
  for (size_t s = 0; s < in->scores; s++) {
    out[s].second = scores[s];
    out[s].delta.observed = out[s].second - out[s].first;
  }
}

static as_status summarize(as_context *ctx, const adding *job, as_paired_score *out) {
  const size_t resamples = (size_t)job->resamples, scores = job->in->scores;
  double *scratch = as_alloc(ctx, resamples, sizeof *scratch);
  as_status status = scratch ? AS_OK : AS_E_NOMEM;
  for (size_t s = 0; status == AS_OK && s < scores; s++) {
    double *first = job->values + s * resamples, *second = job->values + (scores + s) * resamples;
    double *deltas = out[s].delta.deltas = as_alloc(ctx, resamples, sizeof *deltas);
    if (!deltas) status = AS_E_NOMEM;
    for (size_t r = 0; deltas && r < resamples; r++) deltas[r] = second[r] - first[r];
    if (!deltas) continue;
    out[s].first_ci95 = as_interval_of(first, job->resamples);
    out[s].second_ci95 = as_interval_of(second, job->resamples);
    as_bootstrap_summarize(&out[s].delta, job->resamples, scratch);
  }
  as_free(ctx, scratch);
  return status;
}

static as_status check(as_context *ctx, const as_paired_sums *in, int64_t resamples, const int32_t *indices) {
  if (in->rows < 0 || in->rows > INT32_MAX || resamples < 0 || resamples > INT32_MAX)
    return as_fail(ctx, AS_E_INVALID, "cannot draw %" PRId64 " resamples of %" PRId64 " rows", resamples, in->rows);
  return indices ? as_check_range(ctx, "row number", indices, resamples * in->rows, in->rows) : AS_OK;
}

as_status as_paired_sums_measure(as_context *ctx, const as_paired_sums *in, int64_t resamples, const int32_t *indices,
                                 uint64_t seed, as_paired_score *out) {
  const as_interval none = {NAN, NAN};
  adding job = {.in = in, .resamples = resamples, .indices = indices, .seed = seed};
  for (size_t s = 0; s < in->scores; s++) out[s] = (as_paired_score){NAN, NAN, none, none, as_undefined_delta()};
  as_status status = check(ctx, in, resamples, indices);
  if (status != AS_OK || in->rows == 0) return status;
  job.sums = as_alloc(ctx, (size_t)as_context_threads(ctx) * lane_size(in), sizeof *job.sums);
  job.values = job.sums ? as_alloc(ctx, 2 * in->scores * (size_t)resamples, sizeof *job.values) : NULL;
  if (!job.values) status = AS_E_NOMEM;
  if (status == AS_OK) score_all(&job, out);
  if (status == AS_OK && resamples > 0) {
    as_parallel_for(ctx, resamples, add_resample, &job);
    status = summarize(ctx, &job, out);
  }
  as_free(ctx, job.sums);
  as_free(ctx, job.values);
  if (status != AS_OK) as_paired_scores_free(ctx, out, in->scores);
  return status;
}

void as_paired_scores_free(as_context *ctx, as_paired_score *scores, size_t count) {
  for (size_t s = 0; s < count; s++) {
    as_free(ctx, scores[s].delta.deltas);
    scores[s] = (as_paired_score){0};
  }
}
