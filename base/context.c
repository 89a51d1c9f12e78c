/* Contexts: their life, the error text and warnings.
 *
 * Invariant: the error text is always a complete string; it is written under the context's mutex, after it was
 * formatted elsewhere, so that a new text may quote the old one. */
#include "base/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/internal.h"

const char *as_status_name(as_status status) {
  static const char *const names[] = {
      [AS_OK] = "ok",
      [AS_E_NOMEM] = "out of memory",
      [AS_E_INVALID] = "invalid argument",
      [AS_E_IO] = "input/output error",
      [AS_E_DATA] = "bad data file",
      [AS_E_MODEL] = "bad model folder",
      [AS_E_LIMIT] = "memory limit exceeded",
      [AS_E_DIVERGED] = "diverged",
      [AS_E_INTERRUPTED] = "interrupted",
      [AS_E_UNSUPPORTED] = "unsupported",
  };
  if ((int)status < 0 || (size_t)status >= sizeof names / sizeof names[0]) return "unknown status";
  return names[status];
}

static void *default_allocate(void *user, size_t bytes) {
  (void)user;
  return bytes > SIZE_MAX - 63 ? NULL : aligned_alloc(64, (bytes + 63) & ~(size_t)63);
}

/* Large blocks in large pages, where the system has them: going down a column of a matrix would meet a new small page
 * at every row. */
enum { LARGE_PAGE = 2 << 20 };

static void *large_page_allocate(void *user, size_t bytes) {
  (void)user;
  if (bytes > SIZE_MAX - LARGE_PAGE) return NULL;
  size_t alignment = bytes < 2 * LARGE_PAGE ? 64 : LARGE_PAGE;
  void *block = aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));
#ifdef MADV_HUGEPAGE
  /* Whole large pages only, so that no more memory is used than was asked for. */
  if (block && alignment == LARGE_PAGE) (void)madvise(block, bytes & ~(alignment - 1), MADV_HUGEPAGE);
#endif
  return block;
}

static void default_release(void *user, void *pointer, size_t bytes) {
  (void)user, (void)bytes;
  free(pointer);
}

static void choose_isa(as_context *ctx, const char *asked) {
  const char *isa = asked ? asked : getenv("ASSISTIFY_ISA");
  if (isa) snprintf(ctx->isa, sizeof ctx->isa, "%s", isa);
}

as_status as_context_new(as_context **out, const as_context_options *options) {
  static const as_context_options defaults = {0};
  *out = NULL;
  if (!options) options = &defaults;
  if (options->threads < 0 || options->threads > AS_MAX_THREADS) return AS_E_INVALID;
  int threads = options->threads ? options->threads : as_default_threads();
  const as_allocator standard = {options->large_pages ? large_page_allocate : default_allocate, default_release, NULL};
  as_allocator allocator = options->allocator ? *options->allocator : standard;
  size_t bytes = sizeof(as_context) + (size_t)(threads - 1) * sizeof(as_worker);

  as_context *ctx = allocator.allocate(allocator.user, bytes);
  if (!ctx) return AS_E_NOMEM;
  memset(ctx, 0, bytes);
  ctx->bytes = bytes;
  ctx->allocator = allocator;
  ctx->threads = threads;
  ctx->warn = options->warn;
  ctx->warn_user = options->warn_user;
  ctx->second_cache = as_second_cache_bytes();
  choose_isa(ctx, options->isa);
  pthread_mutex_init(&ctx->error_mutex, NULL);
  as_status status = as_pool_start(ctx);
  if (status != AS_OK) {
    pthread_mutex_destroy(&ctx->error_mutex);
    allocator.release(allocator.user, ctx, bytes);
    return status;
  }
  *out = ctx;
  return AS_OK;
}

void as_context_free(as_context *ctx) {
  if (!ctx) return;
  as_pool_stop(ctx);
  pthread_mutex_destroy(&ctx->error_mutex);
  as_allocator allocator = ctx->allocator;
  allocator.release(allocator.user, ctx, ctx->bytes);
}

/* A text that was cut ends in "..." and not within a UTF-8 sequence. */
static void mark_cut(char *text, size_t capacity, int wanted) {
  if (wanted >= 0 && (size_t)wanted < capacity) return;
  size_t end = capacity - 4;
  while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80) end--;
  memcpy(text + end, "...", 4);
}

AS_PRINTF(3, 0) static void format_text(char *text, size_t capacity, const char *format, va_list arguments) {
  text[0] = 0;
  mark_cut(text, capacity, vsnprintf(text, capacity, format, arguments));
}

static void set_error(as_context *ctx, const char *text) {
  pthread_mutex_lock(&ctx->error_mutex);
  memcpy(ctx->error, text, strlen(text) + 1);
  pthread_mutex_unlock(&ctx->error_mutex);
}

as_status as_fail(as_context *ctx, as_status status, const char *format, ...) {
  char text[AS_ERROR_CAPACITY];
  va_list arguments;
  va_start(arguments, format);
  format_text(text, sizeof text, format, arguments);
  va_end(arguments);
  set_error(ctx, text);
  return status;
}

as_status as_fail_prefix(as_context *ctx, as_status status, const char *format, ...) {
  char prefix[AS_ERROR_CAPACITY], text[AS_ERROR_CAPACITY];
  va_list arguments;
  va_start(arguments, format);
  format_text(prefix, sizeof prefix, format, arguments);
  va_end(arguments);
  pthread_mutex_lock(&ctx->error_mutex);
  mark_cut(text, sizeof text, snprintf(text, sizeof text, "%s: %s", prefix, ctx->error));
  memcpy(ctx->error, text, strlen(text) + 1);
  pthread_mutex_unlock(&ctx->error_mutex);
  return status;
}

const char *as_error_text(const as_context *ctx) {
  return ctx->error;
}

void as_warn(as_context *ctx, const char *format, ...) {
  char text[AS_ERROR_CAPACITY];
  va_list arguments;
  atomic_fetch_add(&ctx->warnings, 1);
  if (!ctx->warn) return;
  va_start(arguments, format);
  format_text(text, sizeof text, format, arguments);
  va_end(arguments);
  ctx->warn(ctx->warn_user, text);
}

uint64_t as_warning_count(const as_context *ctx) {
  return atomic_load(&ctx->warnings);
}
int as_context_threads(const as_context *ctx) {
  return ctx->threads;
}
size_t as_context_second_cache(const as_context *ctx) {
  return ctx->second_cache;
}

const char *as_context_isa(const as_context *ctx) {
  return ctx->isa[0] ? ctx->isa : NULL;
}
