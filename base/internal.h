/* The inside of a context and what the files of base/ share. Included by base/ and its tests only. */
#ifndef AS_BASE_INTERNAL_H
#define AS_BASE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/context.h"
#include "base/machine.h"
#include "base/threads.h"

enum {
  AS_ERROR_CAPACITY = 4096, /* bytes of an error or warning text, with its NUL */
  AS_ISA_CAPACITY = 32,
  AS_MAX_THREADS = 1024
};

/* Counters that several threads write lie on cache lines of their own. */
#define AS_CACHE_LINE _Alignas(64)

/* See base/threads.c for how these work together. */
typedef struct as_pool {
  AS_CACHE_LINE atomic_bool busy; /* a caller owns the pool; the plain fields below are the owner's */
  as_chunk_function function;     /* the job: written while `remaining` is 0 ... */
  void *argument;
  int64_t chunks;
  int64_t spin_ns;   /* how long an idle thread looks before it sleeps */
  int64_t spent_ns;  /* in jobs, since the last stall or change of `active` */
  int64_t raised_ns; /* when a lane was last added */
  int64_t raise_ns;  /* when to add one */
  int64_t patience_ns;
  AS_CACHE_LINE _Atomic int64_t remaining;  /* ... and read by those who took a chunk from here */
  AS_CACHE_LINE _Atomic int64_t unfinished; /* chunks that have not been run to their end */
  _Atomic int last_lane;                    /* who ended the job, when the owner had gone to sleep */
  _Atomic uint32_t owner_sleeps;            /* 1 while the owner sleeps on it until `unfinished` is 0 */
  AS_CACHE_LINE _Atomic uint32_t epoch;     /* counts jobs */
  _Atomic int active;                       /* lanes that take part, 1 to as_context.threads */
  atomic_bool stop;
} as_pool;

typedef struct as_worker {
  AS_CACHE_LINE _Atomic uint32_t asleep; /* 1 while the worker sleeps on it */
  as_context *ctx;
  pthread_t thread;
  clockid_t cpu_clock;
  int64_t cpu_ns; /* the owner's note of that clock when it went to sleep */
  int lane;
} as_worker;

struct as_context {
  as_pool pool;
  as_allocator allocator;
  AS_CACHE_LINE _Atomic size_t used;
  _Atomic size_t peak;
  _Atomic uint64_t allocations;
  _Atomic uint64_t warnings;
  _Atomic uint64_t temporary_names; /* used so far, by base/file.c */
  void (*warn)(void *user, const char *text);
  void *warn_user;
  pthread_mutex_t error_mutex;
  char error[AS_ERROR_CAPACITY];
  char isa[AS_ISA_CAPACITY]; /* "" if none was asked for */
  size_t bytes;              /* of this block, for the allocator */
  int threads;
  size_t second_cache; /* bytes */
  int workers_started;
  as_worker workers[]; /* [threads - 1] */
};

/* Starts the workers of ctx->threads; on failure none runs. */
AS_MUST_CHECK as_status as_pool_start(as_context *ctx);
void as_pool_stop(as_context *ctx);

/* Reads the start of a small file into `text`; "" when that can't be done. Not as_file_read: it needs no context. */
void as_read_start(const char *path, char *text, size_t capacity);

/* The number that the file `folder`/`name` begins with; -1 if there is none ("max", no such file). */
double as_read_number(const char *folder, const char *name);

/* Reads a limit from the folder of one control group; INFINITY if it sets none. */
typedef double (*as_cgroup_reader)(const char *folder, bool version2);
/* The lowest limit of a controller ("cpu", "memory") over the process's groups; INFINITY if there is none. */
double as_cgroup_lowest(const char *root, const char *controller, as_cgroup_reader read);

/* The processors that the cgroup's quota pays for, rounded up; INT_MAX without a quota. `root` is put in front of every
 * path that is read ("" for the real system), so that a test can show another system. */
int as_cgroup_processors(const char *root);
/* as_machine_memory on a system whose files stand below `root`. */
void as_machine_memory_at(const char *root, as_machine_memory *out);

#endif
