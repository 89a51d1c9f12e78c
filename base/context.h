/* The context: what every call needs from its surroundings, namely an allocator, threads, a place for the error text
 * and a place for warnings. The library has no other state; two contexts know nothing of each other.
 *
 * Invariant: a function that returns a status other than AS_OK, or NULL where its comment says "NULL on failure",
 * has left a text here that says what was wrong, where, and what to do. */
#ifndef AS_BASE_CONTEXT_H
#define AS_BASE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct as_context as_context;

/* Memory comes from here and nowhere else. `allocate` returns memory of at least `bytes` bytes aligned to 64, or NULL;
 * `release` gets back what `allocate` gave and the same size. Both may be called from several threads at once. */
typedef struct as_allocator {
  void *(*allocate)(void *user, size_t bytes);
  void (*release)(void *user, void *pointer, size_t bytes);
  void *user;
} as_allocator;

typedef struct as_context_options {
  int threads;     /* 0: as_default_threads() */
  const char *isa; /* NULL: environment ASSISTIFY_ISA, else the best that the CPU has; see tensor/kernels */
  /* Ask the system for large pages for large blocks: a few percent faster over a long time, but where memory is
   * scattered the first use of a block may take longer than reading a model. For training. */
  bool large_pages;
  const as_allocator *allocator;              /* NULL: aligned_alloc and free; copied */
  void (*warn)(void *user, const char *text); /* NULL: warnings are only counted */
  void *warn_user;
} as_context_options;

/* Makes a context. `options` may be NULL. On failure *out is NULL (then there is no text; the status says it all). */
AS_MUST_CHECK as_status as_context_new(as_context **out, const as_context_options *options);

/* Ends the threads and frees the context. Everything made with it must have been freed. NULL is allowed. */
void as_context_free(as_context *ctx);

/* Records an error and returns `status`, so that a failing function can say `return as_fail(ctx, AS_E_IO, ...)`.
 * A later error replaces an earlier one. Safe from several threads. */
as_status as_fail(as_context *ctx, as_status status, const char *format, ...) AS_PRINTF(3, 4);

/* Puts "prefix: " before the recorded text: the outer function knows where, the inner one what. Returns `status`. */
as_status as_fail_prefix(as_context *ctx, as_status status, const char *format, ...) AS_PRINTF(3, 4);

/* The text of the last error, "" if there was none. Valid until the next error in this context. */
const char *as_error_text(const as_context *ctx);

/* Tells the user of the library something that is not an error. */
void as_warn(as_context *ctx, const char *format, ...) AS_PRINTF(2, 3);
uint64_t as_warning_count(const as_context *ctx);

int as_context_threads(const as_context *ctx);     /* at least 1 */
size_t as_context_second_cache(const as_context *ctx); /* bytes of a processor's second cache, 0: not known */
const char *as_context_isa(const as_context *ctx); /* the name asked for, NULL if the best is to be taken */

#endif
