/* The thread pool.
 *
 * A job is (function, argument, chunks). Its owner writes it while `remaining` is 0, then publishes it by storing the
 * number of chunks in `remaining`. Whoever lowers `remaining` by one, the owner or a worker, has claimed a chunk.
 *
 * Invariant: between a claim and the matching decrease of `unfinished` the job cannot end, so what was claimed is always a
 * chunk of the job that stands in the pool. A worker that wakes late finds `remaining` at 0 and reads nothing else; or
 * it takes a chunk of the next job, which is welcome. That is why the owner needs to wait for claimed chunks only.
 *
 * Sleeping is by futex on a counter of jobs. Before it sleeps a thread looks for `spin_ns`, because the next job of a
 * running model comes after a few microseconds and waking takes longer than that; it stops looking at once when it
 * finds that it was off the processor meanwhile. With more threads than processors nobody spins. */
#include "base/threads.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/internal.h"

enum { SPIN_NS = 40000, LOOKS_PER_CLOCK = 16 };

static void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

/* Takes a chunk of the job in the pool; -1 when there is none. */
static int64_t claim(as_pool *pool) {
  int64_t remaining = atomic_load_explicit(&pool->remaining, memory_order_relaxed);
  while (remaining > 0) {
    if (atomic_compare_exchange_weak(&pool->remaining, &remaining, remaining - 1)) return pool->chunks - remaining;
  }
  return -1;
}

/* Runs chunks until none is left; returns how many of `unfinished` are left when its own are taken off. */
static void work(as_pool *pool, int lane) {
  int64_t done = 0;
  for (int64_t chunk; (chunk = claim(pool)) >= 0; done++) pool->function(pool->argument, chunk, lane);
  if (done == 0) return;
  bool last = atomic_fetch_sub(&pool->unfinished, done) == done;
  if (last && atomic_exchange(&pool->owner_sleeps, 0)) futex_wake(&pool->owner_sleeps, 1);
}

static bool job_ended(as_pool *pool) { return atomic_load(&pool->unfinished) == 0; }

/* Looks for a while whether the epoch has left `seen` (for a worker) or the job has ended (for the owner, seen NULL). */
static bool spin(as_pool *pool, const uint32_t *seen) {
  if (pool->spin_ns == 0) return false;
  int64_t last = now_ns(), end = last + pool->spin_ns;
  for (;;) {
    for (int look = 0; look < LOOKS_PER_CLOCK; look++) {
      if (seen ? atomic_load_explicit(&pool->epoch, memory_order_acquire) != *seen : job_ended(pool)) return true;
      relax();
    }
    int64_t now = now_ns();
    if (now >= end) return false;
  }
}

static void wait_for_job(as_pool *pool, uint32_t seen) {
  if (spin(pool, &seen)) return;
  atomic_fetch_add(&pool->sleepers, 1);
  while (atomic_load(&pool->epoch) == seen && !atomic_load(&pool->stop)) futex_wait(&pool->epoch, seen);
  atomic_fetch_sub(&pool->sleepers, 1);
}

static void *worker_main(void *argument) {
  as_worker *worker = argument;
  as_pool *pool = &worker->ctx->pool;
  while (!atomic_load(&pool->stop)) {
    uint32_t seen = atomic_load(&pool->epoch);
    work(pool, worker->lane);
    wait_for_job(pool, seen);
  }
  return NULL;
}

static void publish(as_pool *pool, int64_t chunks, as_chunk_function function, void *argument) {
  pool->function = function;
  pool->argument = argument;
  pool->chunks = chunks;
  atomic_store(&pool->unfinished, chunks);
  atomic_store(&pool->remaining, chunks);
  atomic_fetch_add(&pool->epoch, 1);
  int64_t wanted = atomic_load(&pool->sleepers);
  if (wanted > chunks - 1) wanted = chunks - 1;
  if (wanted > 0) futex_wake(&pool->epoch, (int)wanted);
}

static void wait_for_end(as_pool *pool) {
  if (job_ended(pool) || spin(pool, NULL)) return;
  while (!job_ended(pool)) {
    atomic_store(&pool->owner_sleeps, 1);
    if (!job_ended(pool)) futex_wait(&pool->owner_sleeps, 1);
  }
  atomic_store(&pool->owner_sleeps, 0);
}

void as_parallel_for(as_context *ctx, int64_t chunks, as_chunk_function function, void *argument) {
  as_pool *pool = &ctx->pool;
  if (ctx->threads == 1 || chunks <= 1 || atomic_exchange(&pool->busy, true)) {
    for (int64_t chunk = 0; chunk < chunks; chunk++) function(argument, chunk, 0);
    return;
  }
  publish(pool, chunks, function, argument);
  work(pool, 0);
  wait_for_end(pool);
  atomic_store(&pool->busy, false);
}

as_status as_pool_start(as_context *ctx) {
  sigset_t all, old;
  as_status status = AS_OK;
  ctx->pool.spin_ns = ctx->threads > as_default_threads() ? 0 : SPIN_NS;
  /* Workers inherit the mask: signals are the program's business and go to its own threads. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  for (int lane = 1; lane < ctx->threads && status == AS_OK; lane++) {
    as_worker *worker = &ctx->workers[lane - 1];
    worker->ctx = ctx;
    worker->lane = lane;
    if (pthread_create(&worker->thread, NULL, worker_main, worker) == 0)
      ctx->workers_started++;
    else
      status = AS_E_NOMEM;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (status != AS_OK) as_pool_stop(ctx);
  return status;
}

void as_pool_stop(as_context *ctx) {
  atomic_store(&ctx->pool.stop, true);
  atomic_fetch_add(&ctx->pool.epoch, 1);
  futex_wake(&ctx->pool.epoch, ctx->workers_started);
  for (int i = 0; i < ctx->workers_started; i++) pthread_join(ctx->workers[i].thread, NULL);
  ctx->workers_started = 0;
}
