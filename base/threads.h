/* A pool of threads for loops whose work is cut by size, never by the number of threads.
 *
 * Invariant: results do not depend on the number of threads, as long as a chunk writes only what is its own; which lane
 * runs which chunk is left to chance. The caller works too, and it never waits for a thread that has not claimed a
 * chunk. A core that is busy with other programs delays us by one chunk at most; when such delays eat up what the
 * threads gain, the pool works with fewer of them for a while (base/threads.c).
 *
 * The threads live as long as the context, sleep when there is nothing to do, and take no signals. They do not survive
 * a fork: a child may make a context of its own, but must leave its parent's alone. */
#ifndef AS_BASE_THREADS_H
#define AS_BASE_THREADS_H

#include "base/context.h"

/* One chunk of work. `chunk` is in [0, chunks); `lane` is in [0, as_context_threads(ctx)): two chunks running at the
 * same time have different lanes, so a lane can own scratch memory. */
typedef void (*as_chunk_function)(void *argument, int64_t chunk, int lane);

/* Runs function(argument, 0 .. chunks-1) on the context's threads and returns when all are done. Cannot fail.
 * Called from inside a chunk, or while another thread is using the pool, it runs them all in the calling thread, as
 * lane 0 of its own: so lane scratch must belong to the call, not to the context. */
void as_parallel_for(as_context *ctx, int64_t chunks, as_chunk_function function, void *argument);

/* The processors this process may use: the affinity mask, lowered to the cgroup's CPU quota (v1 and v2), at least 1. */
int as_default_threads(void);

#endif
