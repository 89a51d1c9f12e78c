/* See fit.h. A block's rows are handled in chunks of CHUNK: gathered, given random words and negatives. */
#include "recommend/fit.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "recommend/fit_state.h"

enum {
  CHUNK = 128,
  MOST_BLOCK = 8192,   /* rows */
  BLOCKS = 64,         /* an epoch has at least so many, as far as a chunk allows */
  CACHE_CHUNK = 256,   /* items whose representations one thread makes at a time */
  ORDER_STREAM = 0x21, /* streams of an epoch's random numbers, above them its number */
  DRAW_STREAM = 0x22,
};
#define MOST_SEEN_BYTES ((size_t)16 << 20)

/* What one thread needs. */
typedef struct lane {
  int32_t *users, *items; /* [CHUNK] */
  float *weights;         /* [CHUNK] */
  uint32_t *words;        /* [CHUNK, words_per_row] */
  float *user_rows;       /* [CHUNK, width] when users have features */
  int64_t updates;
} lane;

typedef struct fitting {
  as_context *ctx;
  const as_fit_rows *rows;
  const as_fit_options *options;
  const as_pair_kernels *kernels;
  as_pair_model model;
  as_pair_sampling sampling; /* what is the same for all chunks */
  as_permutation order;
  uint64_t draw_stream;
  int64_t block_rows, first, count; /* the present block: rows first .. first + count of the epoch's order */
  as_pair_step *steps;              /* [block_rows] */
  lane *lanes;                      /* [threads] */
  int threads;
  float *item_rows;    /* [items, width] when items have features: representations at the start of the block */
  int32_t *candidates; /* items to draw from */
  float *rank_loss;    /* [max_sampled + 1] */
  uint64_t *seen_bits;
} fitting;

as_fit_options as_fit_options_usual(void) {
  return (as_fit_options){.loss = AS_LIGHTFM_WARP,
                          .learning_rate = 0.05,
                          .rho = 0.95,
                          .epsilon = 1e-6,
                          .max_sampled = 10,
                          .k = 5,
                          .n = 10,
                          .epochs = 30,
                          .seed = 1};
}

/* ---- checks ----------------------------------------------------------------------------------------------------- */

static as_status check_options(as_context *ctx, const as_fit_options *o) {
  const bool numbers = o->learning_rate > 0 && o->learning_rate <= 1e3 && o->rho >= 0 && o->rho < 1 && o->epsilon > 0 &&
                       o->epsilon <= 1 && o->item_alpha >= 0 && o->item_alpha <= 1e3 && o->user_alpha >= 0 &&
                       o->user_alpha <= 1e3;
  const bool draws = o->max_sampled >= 1 && o->max_sampled <= AS_PAIR_MOST_SAMPLED && o->k >= 1 && o->n >= 1 &&
                     o->n <= AS_PAIR_MOST_SAMPLED;
  if (numbers && draws && o->loss < AS_LIGHTFM_ALS) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "a training option of the recommender is out of range");
}

static as_status check_fit(as_lightfm *m, const as_feature_matrix *users, const as_feature_matrix *items,
                           const as_fit_rows *rows, const as_fit_options *options) {
  as_status status = check_options(m->ctx, options);
  if (status != AS_OK) return status;
  if (users->features != m->users.features || items->features != m->items.features)
    return as_fail(m->ctx, AS_E_INVALID, "the feature matrices do not fit the recommender's model");
  if (rows->count < 1 || users->rows < 1 || items->rows < 1)
    return as_fail(m->ctx, AS_E_INVALID, "there is nothing to train the recommender on");
  for (int64_t r = 0; r < rows->count; r++)
    if (rows->users[r] < 0 || rows->users[r] >= users->rows || rows->items[r] < 0 || rows->items[r] >= items->rows)
      return as_fail(m->ctx, AS_E_INVALID, "row %" PRId64 " names a user or an item that is not there", r);
  return AS_OK;
}

/* ---- setting up ------------------------------------------------------------------------------------------------- */

static as_status make_seen_bits(fitting *f, int64_t users, int64_t items) {
  const size_t per_user = ((size_t)items + 63) / 64;
  if ((size_t)users > MOST_SEEN_BYTES / 8 / per_user) return AS_OK; /* the sorted runs will do */
  f->seen_bits = as_alloc_zero(f->ctx, (size_t)users * per_user, sizeof *f->seen_bits);
  if (!f->seen_bits) return AS_E_NOMEM;
  const as_seen *seen = &f->rows->seen;
  for (int64_t u = 0; u < users; u++)
    for (int64_t i = seen->starts[u]; i < seen->starts[u + 1]; i++)
      f->seen_bits[(size_t)u * per_user + (size_t)seen->items[i] / 64] |= UINT64_C(1) << (seen->items[i] % 64);
  f->sampling.seen_bits = f->seen_bits;
  f->sampling.bits_per_user = per_user * 64;
  return AS_OK;
}

/* WARP's loss for the estimated rank r is H(r) / H(most), H(r) = 1 + 1/2 + ... + 1/r (Weston, Bengio and Usunier 2011,
 * eq. 2), so that no gradient is above 1. */
static void make_rank_loss(fitting *f, int64_t met) {
  const int64_t most = met > 1 ? met - 1 : 1;
  double sum = 0;
  int64_t rank = 0;
  for (int32_t t = f->options->max_sampled; t >= 0; t--) { /* the rank grows as t falls */
    const int64_t estimate = most / (t > 0 ? t : 1);
    for (; rank < estimate || rank < 1; rank++) sum += 1 / (double)(rank + 1);
    f->rank_loss[t] = (float)sum;
  }
  for (int32_t t = 0; t <= f->options->max_sampled; t++) f->rank_loss[t] = (float)((double)f->rank_loss[t] / sum);
}

/* BPR draws a negative as often as it was met (it is drawn from the rows), the others all alike. */
static as_status make_candidates(fitting *f, int64_t items) {
  int64_t met = 0;
  as_status status = as_fit_met_items(f->ctx, f->rows->items, f->rows->count, items, &f->candidates, &met);
  f->sampling.candidates = f->candidates;
  f->sampling.candidate_count = (uint32_t)met;
  if (f->options->loss == AS_LIGHTFM_BPR && f->rows->count <= (int64_t)UINT32_MAX) {
    f->sampling.candidates = f->rows->items;
    f->sampling.candidate_count = (uint32_t)f->rows->count;
  }
  f->rank_loss = as_alloc(f->ctx, (size_t)f->options->max_sampled + 1, sizeof *f->rank_loss);
  if (!f->rank_loss) return AS_E_NOMEM;
  make_rank_loss(f, met);
  f->sampling.rank_loss = f->rank_loss;
  return status;
}

static as_status make_lanes(fitting *f) {
  f->lanes = as_alloc_zero(f->ctx, (size_t)f->threads, sizeof *f->lanes);
  for (int i = 0; f->lanes && i < f->threads; i++) {
    lane *l = &f->lanes[i];
    l->users = as_alloc(f->ctx, CHUNK, sizeof *l->users);
    l->items = as_alloc(f->ctx, CHUNK, sizeof *l->items);
    l->weights = as_alloc(f->ctx, CHUNK, sizeof *l->weights);
    l->words = as_alloc(f->ctx, CHUNK * f->sampling.words_per_row, sizeof *l->words);
    if (f->model.users.features.starts) l->user_rows = as_alloc(f->ctx, CHUNK * f->model.width, sizeof(float));
    if (!l->users || !l->items || !l->weights || !l->words || (f->model.users.features.starts && !l->user_rows))
      return AS_E_NOMEM;
  }
  return f->lanes ? AS_OK : AS_E_NOMEM;
}

static int64_t choose_block(int64_t rows) {
  const int64_t block = (rows / BLOCKS + CHUNK - 1) / CHUNK * CHUNK;
  return block < CHUNK ? CHUNK : block > MOST_BLOCK ? MOST_BLOCK : block;
}

static as_status set_up(fitting *f, const as_feature_matrix *users, const as_feature_matrix *items) {
  const as_fit_options *o = f->options;
  as_pair_model *m = &f->model;
  m->learning_rate = (float)o->learning_rate;
  m->rho = (float)o->rho;
  m->epsilon = (float)o->epsilon;
  m->items.alpha = (float)o->item_alpha;
  m->users.alpha = (float)o->user_alpha;
  f->block_rows = choose_block(f->rows->count);
  if (o->first_row < 0 || o->first_row >= f->rows->count || o->first_row % f->block_rows != 0)
    return as_fail(f->ctx, AS_E_INVALID, "training can't go on from row %" PRId64, o->first_row);
  f->sampling = (as_pair_sampling){.loss = o->loss,
                                   .width = m->width,
                                   .user_rows = m->users.rows,
                                   .user_stride = m->users.stride,
                                   .item_rows = m->items.rows,
                                   .item_stride = m->items.stride,
                                   .seen_starts = f->rows->seen.starts,
                                   .seen_items = f->rows->seen.items,
                                   .max_sampled = o->max_sampled,
                                   .k = o->k,
                                   .n = o->n};
  f->sampling.words_per_row = (size_t)o->max_sampled + (o->loss == AS_LIGHTFM_WARP_KOS ? (size_t)o->n : 0);
  f->steps = as_alloc(f->ctx, (size_t)f->block_rows, sizeof *f->steps);
  if (!f->steps) return AS_E_NOMEM;
  if (items->starts) {
    f->item_rows = as_alloc(f->ctx, (size_t)items->rows * m->width, sizeof *f->item_rows);
    if (!f->item_rows) return AS_E_NOMEM;
    f->sampling.item_rows = f->item_rows;
    f->sampling.item_stride = m->width;
  }
  as_status status = make_seen_bits(f, users->rows, items->rows);
  if (status == AS_OK) status = make_candidates(f, items->rows);
  if (status == AS_OK) status = make_lanes(f);
  return status;
}

static void tear_down(fitting *f) {
  for (int i = 0; f->lanes && i < f->threads; i++) {
    lane *l = &f->lanes[i];
    as_free(f->ctx, l->users);
    as_free(f->ctx, l->items);
    as_free(f->ctx, l->weights);
    as_free(f->ctx, l->words);
    as_free(f->ctx, l->user_rows);
  }
  void *const all[] = {f->lanes, f->steps, f->item_rows, f->candidates, f->rank_loss, f->seen_bits};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) as_free(f->ctx, all[i]);
}

/* ---- one block -------------------------------------------------------------------------------------------------- */

/* The rows at these places of the epoch's order; two passes, so that the first asks memory for what the second reads.
 */
static void gather(const fitting *f, lane *l, int64_t first, int64_t count) {
  int64_t at[CHUNK];
  for (int64_t i = 0; i < count; i++) {
    at[i] = (int64_t)as_permutation_at(&f->order, (uint64_t)(first + i));
    __builtin_prefetch(f->rows->users + at[i]);
    __builtin_prefetch(f->rows->items + at[i]);
    if (f->rows->weights) __builtin_prefetch(f->rows->weights + at[i]);
  }
  for (int64_t i = 0; i < count; i++) {
    l->users[i] = f->rows->users[at[i]];
    l->items[i] = f->rows->items[at[i]];
    if (f->rows->weights) l->weights[i] = f->rows->weights[at[i]];
  }
}

static void represent_users(const fitting *f, lane *l, int64_t count) {
  const as_pair_model *m = &f->model;
  for (int64_t i = 0; i < count; i++)
    f->kernels->represent(&m->users, m->width, l->users[i], l->users[i] + 1, l->user_rows + (size_t)i * m->width);
}

static void sample_chunk(void *argument, int64_t chunk, int lane_number) {
  fitting *f = argument;
  lane *l = &f->lanes[lane_number];
  const int64_t first = f->first + chunk * CHUNK, rest = f->count - chunk * CHUNK, count = rest < CHUNK ? rest : CHUNK;
  gather(f, l, first, count);
  as_pair_sampling s = f->sampling;
  const size_t words = ((size_t)count * s.words_per_row + 3) / 4 * 4;
  f->kernels->words(f->options->seed, f->draw_stream, (uint64_t)first * s.words_per_row, words, l->words);
  if (l->user_rows) {
    represent_users(f, l, count);
    s.user_rows = l->user_rows;
    s.user_stride = s.width;
    s.users_by_row = true;
  }
  s.users = l->users;
  s.items = l->items;
  s.weights = f->rows->weights ? l->weights : NULL;
  s.count = (size_t)count;
  s.words = l->words;
  s.steps = f->steps + chunk * CHUNK;
  f->kernels->sample(&s);
  for (int64_t i = 0; i < count; i++) l->updates += s.steps[i].negative >= 0;
  if (f->options->hogwild) f->kernels->apply(&f->model, s.steps, s.count, 0, s.width);
}

static void apply_slice(void *argument, int64_t slice, int lane_number) {
  fitting *f = argument;
  const size_t from = (size_t)slice * AS_PAIR_SLICE, rest = f->model.width - from;
  (void)lane_number;
  f->kernels->apply(&f->model, f->steps, (size_t)f->count, from, from + (rest < AS_PAIR_SLICE ? rest : AS_PAIR_SLICE));
}

static void represent_items(void *argument, int64_t chunk, int lane_number) {
  fitting *f = argument;
  const int64_t from = chunk * CACHE_CHUNK, items = f->model.items.features.rows;
  (void)lane_number;
  f->kernels->represent(&f->model.items, f->model.width, from, from + CACHE_CHUNK < items ? from + CACHE_CHUNK : items,
                        f->item_rows + (size_t)from * f->model.width);
}

static void run_block(fitting *f) {
  if (f->item_rows)
    as_parallel_for(f->ctx, (f->model.items.features.rows + CACHE_CHUNK - 1) / CACHE_CHUNK, represent_items, f);
  as_parallel_for(f->ctx, (f->count + CHUNK - 1) / CHUNK, sample_chunk, f);
  if (f->options->hogwild) return;
  if (f->threads == 1)
    f->kernels->apply(&f->model, f->steps, (size_t)f->count, 0, f->model.width);
  else
    as_parallel_for(f->ctx, (int64_t)((f->model.width + AS_PAIR_SLICE - 1) / AS_PAIR_SLICE), apply_slice, f);
}

/* ---- epochs ----------------------------------------------------------------------------------------------------- */

static as_status run_epoch(fitting *f, int64_t epoch, as_fit_progress *progress) {
  const int64_t rows = f->rows->count;
  f->order = as_permutation_start((uint64_t)rows, f->options->seed, ORDER_STREAM | (uint64_t)epoch << 8);
  f->draw_stream = DRAW_STREAM | (uint64_t)epoch << 8;
  for (int i = 0; i < f->threads; i++) f->lanes[i].updates = 0;
  const bool goes_on = epoch == f->options->first_epoch;
  for (f->first = goes_on ? f->options->first_row : 0; f->first < rows; f->first += f->block_rows) {
    f->count = rows - f->first < f->block_rows ? rows - f->first : f->block_rows;
    run_block(f);
    progress->rows = f->first + f->count;
    progress->epoch = epoch + (progress->rows == rows);
    if (f->options->progress && !f->options->progress(f->options->progress_user, progress))
      return as_fail(f->ctx, AS_E_INTERRUPTED, "training was stopped in epoch %" PRId64, epoch + 1);
  }
  int64_t updates = 0;
  for (int i = 0; i < f->threads; i++) updates += f->lanes[i].updates;
  progress->updates = (double)updates / (double)rows;
  return AS_OK;
}

as_status as_lightfm_fit(as_lightfm *model, const as_feature_matrix *users, const as_feature_matrix *items,
                         const as_fit_rows *rows, const as_fit_options *options, int64_t *epochs_done) {
  fitting f = {.ctx = model->ctx, .rows = rows, .options = options, .threads = as_context_threads(model->ctx)};
  as_fit_progress progress = {.epochs = options->epochs, .of_rows = rows->count, .updates = NAN};
  int64_t epoch = options->first_epoch;
  as_status status = check_fit(model, users, items, rows, options);
  if (status == AS_OK) status = as_pair_kernels_select(model->ctx, &f.kernels);
  if (status != AS_OK) return status;
  status = as_fit_state_pack(model, users, items, &f.model);
  if (status == AS_OK) status = set_up(&f, users, items);
  for (; status == AS_OK && epoch < options->epochs; epoch++) {
    status = run_epoch(&f, epoch, &progress);
    if (status != AS_OK) break;
  }
  tear_down(&f);
  const as_status unpacked = as_fit_state_unpack(model, &f.model);
  if (epochs_done) *epochs_done = epoch;
  return status == AS_OK || unpacked == AS_E_NOMEM ? unpacked : status;
}

/* ---- LightFM's own way ------------------------------------------------------------------------------------------ */

static as_status run_exact_epoch(as_lightfm_exact *run, const as_fit_rows *rows, const as_fit_options *o, int64_t epoch,
                                 as_fit_progress *progress) {
  const as_permutation order =
      as_permutation_start((uint64_t)rows->count, o->seed, ORDER_STREAM | (uint64_t)epoch << 8);
  as_random random = as_random_start(o->seed, DRAW_STREAM | (uint64_t)epoch << 8);
  run->random = as_random_u32(&random);
  as_status status = AS_OK;
  bool stopped = false;
  int64_t updates = 0;
  for (int64_t i = 0; status == AS_OK && i < rows->count; i++) {
    const uint64_t r = as_permutation_at(&order, (uint64_t)i);
    as_exact_step step;
    status = as_lightfm_exact_step(run, rows->users[r], rows->items[r], 1, rows->weights ? rows->weights[r] : 1, &step);
    updates += step.negative >= 0 || run->loss == AS_LIGHTFM_LOGISTIC;
    progress->rows = i + 1;
    progress->epoch = epoch + (i + 1 == rows->count);
    if (status == AS_OK && (i + 1) % CHUNK == 0 && i + 1 < rows->count && o->progress &&
        !o->progress(o->progress_user, progress))
      stopped = true;
  }
  as_lightfm_exact_regularize(run);
  progress->updates = (double)updates / (double)rows->count;
  if (status == AS_OK && o->progress && (!o->progress(o->progress_user, progress) || stopped))
    status = as_fail(run->model->ctx, AS_E_INTERRUPTED, "training was stopped after epoch %" PRId64, epoch + 1);
  return status;
}

as_status as_lightfm_fit_exact(as_lightfm *model, const as_feature_matrix *users, const as_feature_matrix *items,
                               const as_fit_rows *rows, const as_fit_options *options, int64_t *epochs_done) {
  as_lightfm_exact run = {.model = model,
                          .users = users,
                          .items = items,
                          .seen = rows->seen,
                          .loss = options->loss,
                          .learning_rate = (float)options->learning_rate,
                          .rho = (float)options->rho,
                          .epsilon = (float)options->epsilon,
                          .max_sampled = options->max_sampled,
                          .item_alpha = options->item_alpha,
                          .user_alpha = options->user_alpha,
                          .k = options->k,
                          .n = options->n,
                          .train_items = rows->items,
                          .train_item_count = rows->count};
  as_fit_progress progress = {.epochs = options->epochs, .of_rows = rows->count, .updates = NAN};
  int64_t epoch = options->first_epoch;
  as_status status = check_fit(model, users, items, rows, options);
  if (status == AS_OK) status = as_lightfm_exact_start(&run);
  for (; status == AS_OK && epoch < options->epochs; epoch++) {
    status = run_exact_epoch(&run, rows, options, epoch, &progress);
    if (status != AS_OK) break;
  }
  as_lightfm_exact_end(&run);
  if (epochs_done) *epochs_done = epoch;
  return status;
}
