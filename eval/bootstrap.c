/* Resampling. Only counts per class are kept of a resample of answers, since all its scores follow from them. */
#include "eval/bootstrap.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/threads.h"
#include "eval/classification.h"
#include "eval/range_check.h"
#include "eval/resampling.h"

/* Tells this use of a seed from others; the number of the resample is added. */
static const uint64_t bootstrap_stream = UINT64_C(0x626f6f74) << 32;

as_random as_resample_start(uint64_t seed, int64_t resample) {
  return as_random_start(seed, bootstrap_stream + (uint64_t)resample);
}

typedef struct resample_scores {
  double accuracy, macro_f1, macro_f1_seen;
} resample_scores;

typedef struct resampling {
  int64_t rows, classes, resamples;
  int models;                  /* 1 or 2 */
  const int32_t *truth;        /* [rows] */
  const int32_t *predicted[2]; /* [models][rows] */
  const int32_t *indices;      /* [resamples, rows] or NULL */
  uint64_t seed;
  int64_t *counts;         /* [lanes, 1 + 2 * models, classes]: support, then hits and predictions of each model */
  resample_scores *scores; /* [resamples, models] */
} resampling;

static int64_t counts_per_lane(const resampling *job) {
  return (1 + 2 * job->models) * job->classes;
}

static void count_row(const resampling *job, int64_t *counts, int64_t row) {
  const int32_t truth = job->truth[row];
  counts[truth]++;
  for (int model = 0; model < job->models; model++) {
    int64_t *hits = counts + (1 + 2 * model) * job->classes, *predicted = hits + job->classes;
    const int32_t answer = job->predicted[model][row];
    hits[truth] += answer == truth;
    predicted[answer]++;
  }
}

static void score_counts(const resampling *job, const int64_t *counts, resample_scores *scores) {
  for (int model = 0; model < job->models; model++) {
    const int64_t *hits = counts + (1 + 2 * model) * job->classes, *predicted = hits + job->classes;
    int64_t right = 0;
    for (int64_t k = 0; k < job->classes; k++) right += hits[k];
    scores[model].accuracy = (double)right / (double)job->rows;
    scores[model].macro_f1 = as_macro_f1(job->classes, hits, counts, predicted, false);
    scores[model].macro_f1_seen = as_macro_f1(job->classes, hits, counts, predicted, true);
  }
}

static void clear_counts(const resampling *job, int64_t *counts) {
  for (int64_t i = 0; i < counts_per_lane(job); i++) counts[i] = 0;
}

static void resample(void *argument, int64_t chunk, int lane) {
  const resampling *job = argument;
  int64_t *counts = job->counts + lane * counts_per_lane(job);
  as_random random = as_resample_start(job->seed, chunk);
  clear_counts(job, counts);
  for (int64_t i = 0; i < job->rows; i++) {
    count_row(job, counts,
              job->indices ? job->indices[chunk * job->rows + i]
                           : (int64_t)as_random_below(&random, (uint64_t)job->rows));
  }
  score_counts(job, counts, job->scores + chunk * job->models);
}

/* The scores of the rows themselves. Uses the counts of lane 0. */
static void score_all_rows(const resampling *job, resample_scores *scores) {
  clear_counts(job, job->counts);
  for (int64_t row = 0; row < job->rows; row++) count_row(job, job->counts, row);
  score_counts(job, job->counts, scores);
}

static as_status check_job(as_context *ctx, const resampling *job) {
  if (job->rows < 0 || job->rows > INT32_MAX || job->classes < 1 || job->classes > INT32_MAX || job->resamples < 0 ||
      job->resamples > INT32_MAX) {
    return as_fail(ctx, AS_E_INVALID, "cannot draw %" PRId64 " resamples of %" PRId64 " rows of %" PRId64 " classes",
                   job->resamples, job->rows, job->classes);
  }
  as_status status = as_check_range(ctx, "true label", job->truth, job->rows, job->classes);
  for (int model = 0; model < job->models && status == AS_OK; model++) {
    status = as_check_range(ctx, "predicted label", job->predicted[model], job->rows, job->classes);
  }
  if (status == AS_OK && job->indices) {
    status = as_check_range(ctx, "row number", job->indices, job->resamples * job->rows, job->rows);
  }
  return status;
}

/* Takes scratch and draws all resamples; with rows > 0. The caller frees job->counts and job->scores in every case. */
static as_status run_resampling(as_context *ctx, resampling *job) {
  const size_t lanes = (size_t)as_context_threads(ctx);
  job->counts = as_alloc(ctx, lanes * (size_t)counts_per_lane(job), sizeof *job->counts);
  if (!job->counts) return AS_E_NOMEM;
  job->scores = as_alloc(ctx, (size_t)(job->resamples * job->models), sizeof *job->scores);
  if (!job->scores) return AS_E_NOMEM;
  as_parallel_for(ctx, job->resamples, resample, job);
  return AS_OK;
}

/* ---- one classifier -------------------------------------------------------------------------------------------- */

as_interval as_interval_of(double *values, int64_t count) {
  int64_t kept = 0;
  for (int64_t i = 0; i < count; i++)
    if (!isnan(values[i])) values[kept++] = values[i];
  count = kept;
  as_sort_doubles(values, count);
  return (as_interval){as_percentile(values, count, 0.025), as_percentile(values, count, 0.975)};
}

static void fill_intervals(const resampling *job, double *values, as_score_intervals *out) {
  for (int64_t r = 0; r < job->resamples; r++) values[r] = job->scores[r].accuracy;
  out->accuracy = as_interval_of(values, job->resamples);
  for (int64_t r = 0; r < job->resamples; r++) values[r] = job->scores[r].macro_f1;
  out->macro_f1 = as_interval_of(values, job->resamples);
  for (int64_t r = 0; r < job->resamples; r++) values[r] = job->scores[r].macro_f1_seen;
  out->macro_f1_seen = as_interval_of(values, job->resamples);
}

as_status as_bootstrap_intervals(as_context *ctx, int64_t rows, int64_t classes, const int32_t *truth,
                                 const int32_t *predicted, int64_t resamples, uint64_t seed, as_score_intervals *out) {
  const as_interval none = {NAN, NAN};
  *out = (as_score_intervals){none, none, none};
  resampling job = {
      .rows = rows, .classes = classes, .resamples = resamples, .models = 1, .truth = truth, .seed = seed};
  job.predicted[0] = predicted;
  as_status status = check_job(ctx, &job);
  if (status != AS_OK || rows == 0) return status;
  status = run_resampling(ctx, &job);
  double *values = status == AS_OK ? as_alloc(ctx, (size_t)resamples, sizeof *values) : NULL;
  if (values) {
    fill_intervals(&job, values, out);
  } else {
    status = AS_E_NOMEM;
  }
  as_free(ctx, values);
  as_free(ctx, job.counts);
  as_free(ctx, job.scores);
  return status;
}

/* ---- two classifiers ------------------------------------------------------------------------------------------- */

void as_bootstrap_summarize(as_bootstrap_delta *delta, int64_t resamples, double *scratch) {
  double sum = 0, squares = 0;
  int64_t not_above = 0, not_below = 0, count = 0;
  for (int64_t r = 0; r < resamples; r++) {
    if (isnan(delta->deltas[r])) continue;
    sum += delta->deltas[r];
    not_above += delta->deltas[r] <= 0;
    not_below += delta->deltas[r] >= 0;
    scratch[count++] = delta->deltas[r];
  }
  if (count == 0) return;
  delta->mean = sum / (double)count;
  for (int64_t r = 0; r < count; r++) squares += (scratch[r] - delta->mean) * (scratch[r] - delta->mean);
  delta->std = count > 1 ? sqrt(squares / (double)(count - 1)) : NAN;
  delta->ci95 = as_interval_of(scratch, count);
  const double worse = (double)(1 + not_above) / (double)(count + 1);
  const double better = (double)(1 + not_below) / (double)(count + 1);
  delta->p_one_sided = worse;
  delta->p_two_sided = fmin(1, 2 * fmin(worse, better));
}

static void fill_deltas(const resampling *job, as_paired_bootstrap *out, double *scratch) {
  resample_scores observed[2];
  score_all_rows(job, observed);
  out->accuracy.observed = observed[1].accuracy - observed[0].accuracy;
  out->macro_f1.observed = observed[1].macro_f1 - observed[0].macro_f1;
  for (int64_t r = 0; r < job->resamples; r++) {
    const resample_scores *pair = job->scores + 2 * r;
    out->accuracy.deltas[r] = pair[1].accuracy - pair[0].accuracy;
    out->macro_f1.deltas[r] = pair[1].macro_f1 - pair[0].macro_f1;
  }
  as_bootstrap_summarize(&out->accuracy, job->resamples, scratch);
  as_bootstrap_summarize(&out->macro_f1, job->resamples, scratch);
}

as_bootstrap_delta as_undefined_delta(void) {
  return (as_bootstrap_delta){NAN, NAN, NAN, {NAN, NAN}, NAN, NAN, NULL};
}

static as_status measure_pair(as_context *ctx, resampling *job, as_paired_bootstrap *out) {
  as_status status = run_resampling(ctx, job);
  if (status != AS_OK) return status;
  const size_t count = (size_t)job->resamples;
  double *scratch = as_alloc(ctx, count, sizeof *scratch);
  out->accuracy.deltas = scratch ? as_alloc(ctx, count, sizeof(double)) : NULL;
  out->macro_f1.deltas = out->accuracy.deltas ? as_alloc(ctx, count, sizeof(double)) : NULL;
  if (out->macro_f1.deltas) {
    fill_deltas(job, out, scratch);
  } else {
    status = AS_E_NOMEM;
  }
  as_free(ctx, scratch);
  return status;
}

as_status as_paired_bootstrap_measure(as_context *ctx, int64_t rows, int64_t classes, const int32_t *truth,
                                      const int32_t *first, const int32_t *second, int64_t resamples,
                                      const int32_t *indices, uint64_t seed, as_paired_bootstrap *out) {
  *out = (as_paired_bootstrap){resamples, as_undefined_delta(), as_undefined_delta()};
  resampling job = {.rows = rows,
                    .classes = classes,
                    .resamples = resamples,
                    .models = 2,
                    .truth = truth,
                    .indices = indices,
                    .seed = seed};
  job.predicted[0] = first;
  job.predicted[1] = second;
  as_status status = check_job(ctx, &job);
  if (status == AS_OK && rows > 0 && resamples > 0) status = measure_pair(ctx, &job, out);
  as_free(ctx, job.counts);
  as_free(ctx, job.scores);
  if (status != AS_OK) as_paired_bootstrap_free(ctx, out);
  return status;
}

void as_paired_bootstrap_free(as_context *ctx, as_paired_bootstrap *out) {
  as_free(ctx, out->accuracy.deltas);
  as_free(ctx, out->macro_f1.deltas);
  *out = (as_paired_bootstrap){0};
}

/* ---- means ------------------------------------------------------------------------------------------------------ */

typedef struct averaging {
  int64_t rows, resamples;
  size_t columns;
  const double *values; /* [rows, columns] */
  uint64_t seed;
  double *sums;    /* [lanes, columns] */
  int64_t *counts; /* [lanes, columns] */
  double *means;   /* [columns, resamples] */
} averaging;

static void average(void *argument, int64_t chunk, int lane) {
  const averaging *job = argument;
  double *sums = job->sums + (size_t)lane * job->columns;
  int64_t *counts = job->counts + (size_t)lane * job->columns;
  as_random random = as_resample_start(job->seed, chunk);
  for (size_t c = 0; c < job->columns; c++) sums[c] = 0, counts[c] = 0;
  for (int64_t i = 0; i < job->rows; i++) {
    const double *row = job->values + as_random_below(&random, (uint64_t)job->rows) * job->columns;
    for (size_t c = 0; c < job->columns; c++) {
      if (isnan(row[c])) continue;
      sums[c] += row[c];
      counts[c]++;
    }
  }
  for (size_t c = 0; c < job->columns; c++)
    job->means[(int64_t)c * job->resamples + chunk] = counts[c] > 0 ? sums[c] / (double)counts[c] : NAN;
}

as_status as_bootstrap_means(as_context *ctx, int64_t rows, size_t columns, const double *values, int64_t resamples,
                             uint64_t seed, as_interval *out) {
  const size_t lanes = (size_t)as_context_threads(ctx);
  averaging job = {.rows = rows, .resamples = resamples, .columns = columns, .values = values, .seed = seed};
  for (size_t c = 0; c < columns; c++) out[c] = (as_interval){NAN, NAN};
  if (rows < 0 || resamples < 0 || resamples > INT32_MAX)
    return as_fail(ctx, AS_E_INVALID, "cannot draw %" PRId64 " resamples of %" PRId64 " rows", resamples, rows);
  if (rows == 0 || resamples == 0) return AS_OK;
  job.sums = as_alloc(ctx, lanes * columns, sizeof *job.sums);
  job.counts = as_alloc(ctx, lanes * columns, sizeof *job.counts);
  job.means = as_alloc(ctx, columns * (size_t)resamples, sizeof *job.means);
  const bool ok = job.sums && job.counts && job.means;
  if (ok) as_parallel_for(ctx, resamples, average, &job);
  for (size_t c = 0; ok && c < columns; c++) out[c] = as_interval_of(job.means + c * (size_t)resamples, resamples);
  as_free(ctx, job.sums);
  as_free(ctx, job.counts);
  as_free(ctx, job.means);
  return ok ? AS_OK : AS_E_NOMEM;
}
