/* The thread pool.
 *
 * A job is (function, argument, chunks). Its owner writes it while `remaining` is 0, then publishes it by storing the
 * number of chunks in `remaining`. Whoever lowers `remaining` by one, the owner or a worker, has claimed a chunk.
 *
 * Invariant: between a claim and the matching decrease of `unfinished` the job cannot end, so what was claimed is
 * always a chunk of the job that stands in the pool. A worker that wakes late finds `remaining` at 0 and reads nothing
 * else; or it takes a chunk of the next job, which is welcome. That is why the owner needs to wait for claimed chunks
 * only.
 *
 * Before it sleeps a thread looks for `spin_ns`: the next job of a running model comes after a few microseconds, and to
 * wake a thread on an idle processor costs 50. With more threads than processors nobody spins.
 *
 * A worker that shares its processor with another program can lose it in the middle of a chunk, and then the owner
 * waits for a whole time slice of that program, many times the job. So the owner measures such stalls, and when they
 * eat more than a part of the time it does with one lane less, and tries again later: on two processors of which one is
 * taken, one thread is faster than two. */
#include "base/threads.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/internal.h"

enum {
  SPIN_NS = 50000,
  LOOKS_PER_CLOCK = 16,
  STALL_PART = 4,           /* stalls of more than 1/4 of the time since the last one take a lane away */
  PATIENCE_MIN = 20000000,  /* ns until the lane is tried again ... */
  PATIENCE_MAX = 640000000, /* ... doubled up to this each time that it stalls at once */
};

/* ---- the system ------------------------------------------------------------------------------------------------- */

static void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

/* Wakes the thread that sleeps while *word is 1, if there is one. */
static void wake(_Atomic uint32_t *word) {
  if (atomic_load(word) && atomic_exchange(word, 0)) syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static int64_t clock_ns(clockid_t clock) {
  struct timespec now = {0};
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

/* ---- chunks ----------------------------------------------------------------------------------------------------- */

/* Takes a chunk of the job in the pool; -1 when there is none. */
static int64_t claim(as_pool *pool) {
  int64_t remaining = atomic_load_explicit(&pool->remaining, memory_order_relaxed);
  while (remaining > 0) {
    if (atomic_compare_exchange_weak(&pool->remaining, &remaining, remaining - 1)) return pool->chunks - remaining;
  }
  return -1;
}

/* Runs chunks from `first` on until none is left. */
static void run_chunks(as_pool *pool, int64_t first, int lane) {
  int64_t done = 0;
  for (int64_t chunk = first; chunk >= 0; chunk = claim(pool), done++) pool->function(pool->argument, chunk, lane);
  if (atomic_fetch_sub(&pool->unfinished, done) != done) return;
  atomic_store(&pool->last_lane, lane);
  wake(&pool->owner_sleeps);
}

static bool job_ended(as_pool *pool) {
  return atomic_load(&pool->unfinished) == 0;
}

static bool epoch_is(as_pool *pool, uint32_t seen) {
  return atomic_load(&pool->epoch) == seen;
}

/* Looks for a while whether the epoch has left *seen or, with NULL, the job has ended. */
static bool spin(as_pool *pool, const uint32_t *seen) {
  if (pool->spin_ns == 0) return false;
  int64_t end = clock_ns(CLOCK_MONOTONIC) + pool->spin_ns;
  do {
    for (int look = 0; look < LOOKS_PER_CLOCK; look++) {
      if (seen ? !epoch_is(pool, *seen) : job_ended(pool)) return true;
      relax();
    }
  } while (clock_ns(CLOCK_MONOTONIC) < end);
  return false;
}

/* ---- workers ---------------------------------------------------------------------------------------------------- */

static bool may_work(as_worker *worker) {
  return worker->lane < atomic_load(&worker->ctx->pool.active);
}

static void work(as_worker *worker) {
  as_pool *pool = &worker->ctx->pool;
  int64_t first = may_work(worker) ? claim(pool) : -1;
  if (first >= 0) run_chunks(pool, first, worker->lane);
}

static void wait_for_job(as_worker *worker, uint32_t seen) {
  as_pool *pool = &worker->ctx->pool;
  if (may_work(worker) && spin(pool, &seen)) return;
  atomic_store(&worker->asleep, 1);
  /* Whoever publishes a job or stops the pool looks at `asleep` afterwards: one of the two sees the other. */
  if (atomic_load(&pool->stop) || (may_work(worker) && !epoch_is(pool, seen))) atomic_store(&worker->asleep, 0);
  while (atomic_load(&worker->asleep)) futex_wait(&worker->asleep, 1);
}

static void *worker_main(void *argument) {
  as_worker *worker = argument;
  as_pool *pool = &worker->ctx->pool;
  while (!atomic_load(&pool->stop)) {
    uint32_t seen = atomic_load(&pool->epoch);
    work(worker);
    wait_for_job(worker, seen);
  }
  return NULL;
}

/* ---- the owner -------------------------------------------------------------------------------------------------- */

static void publish(as_context *ctx, int active, int64_t chunks, as_chunk_function function, void *argument) {
  as_pool *pool = &ctx->pool;
  pool->function = function;
  pool->argument = argument;
  pool->chunks = chunks;
  atomic_store(&pool->unfinished, chunks);
  atomic_store(&pool->remaining, chunks);
  atomic_fetch_add(&pool->epoch, 1);
  for (int lane = 1; lane < active && lane < chunks; lane++) wake(&ctx->workers[lane - 1].asleep);
}

/* Sleeps until the job has ended; returns for how many ns the worker that ended it was off its processor meanwhile. */
static int64_t sleep_until_end(as_context *ctx, int active) {
  as_pool *pool = &ctx->pool;
  int64_t start = clock_ns(CLOCK_MONOTONIC);
  for (int i = 0; i < active - 1; i++) ctx->workers[i].cpu_ns = clock_ns(ctx->workers[i].cpu_clock);
  atomic_store(&pool->last_lane, 0);
  while (!job_ended(pool)) {
    atomic_store(&pool->owner_sleeps, 1);
    if (!job_ended(pool)) futex_wait(&pool->owner_sleeps, 1);
  }
  atomic_store(&pool->owner_sleeps, 0);
  int last = atomic_load(&pool->last_lane);
  if (last == 0) return 0;
  as_worker *worker = &ctx->workers[last - 1];
  return clock_ns(CLOCK_MONOTONIC) - start - (clock_ns(worker->cpu_clock) - worker->cpu_ns);
}

static void lower_active(as_pool *pool, int active) {
  int64_t now = clock_ns(CLOCK_MONOTONIC);
  bool at_once = now - pool->raised_ns < pool->patience_ns;
  pool->patience_ns = at_once && pool->patience_ns < PATIENCE_MAX ? 2 * pool->patience_ns : PATIENCE_MIN;
  pool->raise_ns = now + pool->patience_ns;
  atomic_store(&pool->active, active - 1);
}

/* Ends the owner's part: waits for chunks that others have claimed. */
static void wait_for_end(as_context *ctx, int active, int64_t start) {
  as_pool *pool = &ctx->pool;
  int64_t stalled = job_ended(pool) || spin(pool, NULL) ? 0 : sleep_until_end(ctx, active);
  pool->spent_ns += clock_ns(CLOCK_MONOTONIC) - start;
  if (stalled < SPIN_NS) return;
  if (stalled > pool->spent_ns / STALL_PART) lower_active(pool, active);
  pool->spent_ns = 0;
}

/* The lanes for the next job. */
static int choose_active(as_context *ctx, int64_t now) {
  as_pool *pool = &ctx->pool;
  int active = atomic_load(&pool->active);
  if (active == ctx->threads || now < pool->raise_ns) return active;
  atomic_store(&pool->active, ++active);
  pool->raised_ns = now;
  pool->raise_ns = now + pool->patience_ns;
  pool->spent_ns = 0;
  return active;
}

static void run_here(int64_t chunks, as_chunk_function function, void *argument) {
  for (int64_t chunk = 0; chunk < chunks; chunk++) function(argument, chunk, 0);
}

void as_parallel_for(as_context *ctx, int64_t chunks, as_chunk_function function, void *argument) {
  as_pool *pool = &ctx->pool;
  if (ctx->threads == 1 || chunks <= 1 || atomic_exchange(&pool->busy, true)) {
    run_here(chunks, function, argument);
    return;
  }
  int64_t start = clock_ns(CLOCK_MONOTONIC);
  int active = choose_active(ctx, start);
  if (active == 1) {
    run_here(chunks, function, argument);
  } else {
    publish(ctx, active, chunks, function, argument);
    int64_t first = claim(pool);
    if (first >= 0) run_chunks(pool, first, 0);
    wait_for_end(ctx, active, start);
  }
  atomic_store(&pool->busy, false);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static bool start_worker(as_context *ctx, int lane) {
  as_worker *worker = &ctx->workers[lane - 1];
  worker->ctx = ctx;
  worker->lane = lane;
  if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) return false;
  ctx->workers_started++;
  return pthread_getcpuclockid(worker->thread, &worker->cpu_clock) == 0;
}

as_status as_pool_start(as_context *ctx) {
  sigset_t all, old;
  bool started = true;
  ctx->pool.spin_ns = ctx->threads > as_default_threads() ? 0 : SPIN_NS;
  ctx->pool.patience_ns = PATIENCE_MIN;
  atomic_store(&ctx->pool.active, ctx->threads);
  /* Workers inherit the mask: signals are the program's business and go to its own threads. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  for (int lane = 1; lane < ctx->threads && started; lane++) started = start_worker(ctx, lane);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (!started) as_pool_stop(ctx);
  return started ? AS_OK : AS_E_NOMEM;
}

void as_pool_stop(as_context *ctx) {
  atomic_store(&ctx->pool.stop, true);
  atomic_fetch_add(&ctx->pool.epoch, 1);
  for (int i = 0; i < ctx->workers_started; i++) wake(&ctx->workers[i].asleep);
  for (int i = 0; i < ctx->workers_started; i++) pthread_join(ctx->workers[i].thread, NULL);
  ctx->workers_started = 0;
}
