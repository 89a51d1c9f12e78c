/* The counted allocator.
 *
 * Every block is preceded by 64 bytes that hold its size, so freeing needs no size and what is handed out keeps the
 * allocator's alignment. */
#include "base/memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/internal.h"

enum { HEADER = 64 };

static size_t *header_of(void *pointer) {
  return (size_t *)(void *)((char *)pointer - HEADER);
}

static void count_allocation(as_context *ctx, size_t bytes) {
  size_t used = atomic_fetch_add(&ctx->used, bytes) + bytes;
  size_t peak = atomic_load(&ctx->peak);
  while (peak < used && !atomic_compare_exchange_weak(&ctx->peak, &peak, used)) {}
  atomic_fetch_add(&ctx->allocations, 1);
}

void *as_alloc(as_context *ctx, size_t count, size_t size) {
  if (size && count > (PTRDIFF_MAX - 2 * HEADER) / size) {
    as_fail(ctx, AS_E_NOMEM, "out of memory: %zu items of %zu bytes are more than can be addressed", count, size);
    return NULL;
  }
  size_t bytes = count * size;
  char *block = ctx->allocator.allocate(ctx->allocator.user, bytes + HEADER);
  if (!block) {
    as_fail(ctx, AS_E_NOMEM, "out of memory: cannot get %zu bytes more (%zu in use)", bytes, as_memory_used(ctx));
    return NULL;
  }
  *(size_t *)(void *)block = bytes;
  count_allocation(ctx, bytes);
  return block + HEADER;
}

void *as_alloc_zero(as_context *ctx, size_t count, size_t size) {
  void *pointer = as_alloc(ctx, count, size);
  if (pointer) memset(pointer, 0, count * size);
  return pointer;
}

void *as_realloc(as_context *ctx, void *pointer, size_t count, size_t size) {
  char *fresh = as_alloc(ctx, count, size);
  if (!fresh || !pointer) return fresh;
  size_t old = *header_of(pointer), bytes = count * size;
  memcpy(fresh, pointer, old < bytes ? old : bytes);
  as_free(ctx, pointer);
  return fresh;
}

void as_free(as_context *ctx, void *pointer) {
  if (!pointer) return;
  size_t bytes = *header_of(pointer);
  atomic_fetch_sub(&ctx->used, bytes);
  ctx->allocator.release(ctx->allocator.user, header_of(pointer), bytes + HEADER);
}

char *as_strndup(as_context *ctx, const char *text, size_t length) {
  char *copy = as_alloc(ctx, length + 1, 1);
  if (!copy) return NULL;
  memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

char *as_strdup(as_context *ctx, const char *text) {
  return as_strndup(ctx, text, strlen(text));
}

void *as_grow(as_context *ctx, void *array, size_t *capacity, size_t needed, size_t size) {
  if (array && needed <= *capacity) return array;
  size_t wanted = *capacity > SIZE_MAX / 2 ? needed : *capacity * 2;
  if (wanted < needed) wanted = needed;
  if (wanted < 8) wanted = 8;
  void *grown = as_realloc(ctx, array, wanted, size);
  if (grown) *capacity = wanted;
  return grown;
}

size_t as_memory_used(const as_context *ctx) {
  return atomic_load(&ctx->used);
}
size_t as_memory_peak(const as_context *ctx) {
  return atomic_load(&ctx->peak);
}
uint64_t as_allocation_count(const as_context *ctx) {
  return atomic_load(&ctx->allocations);
}

void as_discard(const void *start, size_t bytes) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = ((uintptr_t)start + page - 1) & ~(page - 1);
  uintptr_t end = ((uintptr_t)start + bytes) & ~(page - 1);
  if (first < end) (void)madvise((void *)first, end - first, MADV_DONTNEED);
}

void as_prefault(const void *start, size_t bytes, bool write) {
#ifdef MADV_POPULATE_WRITE
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)start & ~(page - 1);
  int advice = write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
  if (bytes) (void)madvise((void *)first, bytes + ((uintptr_t)start - first), advice);
#else
  (void)start, (void)bytes, (void)write;
#endif
}
