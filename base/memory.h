/* Allocation through the context: aligned to 64 bytes, counted, and able to fail on purpose in tests.
 *
 * Invariant: as_memory_used is the sum of the sizes of all live allocations of the context, so it is 0 when all is
 * freed. */
#ifndef AS_BASE_MEMORY_H
#define AS_BASE_MEMORY_H

#include "base/context.h"

/* Room for `count` objects of `size` bytes, not initialised. NULL on failure (overflow included), with the error set.
 * count * size == 0 gives a pointer that can be freed. */
void *as_alloc(as_context *ctx, size_t count, size_t size);

/* The same, filled with zero. */
void *as_alloc_zero(as_context *ctx, size_t count, size_t size);

/* Resizes `pointer` (NULL: allocates). On failure returns NULL and `pointer` stays as it is. */
void *as_realloc(as_context *ctx, void *pointer, size_t count, size_t size);

/* Frees what the three above gave. NULL is allowed. */
void as_free(as_context *ctx, void *pointer);

/* A copy of `text` (of its first `length` bytes), ended by NUL. NULL on failure. Caller frees with as_free. */
char *as_strdup(as_context *ctx, const char *text);
char *as_strndup(as_context *ctx, const char *text, size_t length);

/* Makes sure that an array of `size`-byte elements has room for `needed` elements, at least doubling `*capacity` when
 * it grows. Returns the array, perhaps moved, or NULL on failure (the old array stays valid). */
void *as_grow(as_context *ctx, void *array, size_t *capacity, size_t needed, size_t size);

/* Asks the system to put all pages of [start, start + bytes) in place at once, `write` for memory that is about to be
 * written, else for a mapped file. Meeting each missing page on its own costs about as much again as filling it. A
 * hint: no content changes, and systems that can't do it don't. */
void as_prefault(const void *start, size_t bytes, bool write);

/* Tells the system that the content of the whole pages in [start, start + bytes), memory from as_alloc or a mapped
 * file, is not needed any more, so that their memory is free for other use; the block stays allocated. A file's pages
 * can be read again; memory then holds zeros or what it held. A hint: systems that can't do it don't. */
void as_discard(const void *start, size_t bytes);

size_t as_memory_used(const as_context *ctx);        /* bytes live now */
size_t as_memory_peak(const as_context *ctx);        /* the most that ever were */
uint64_t as_allocation_count(const as_context *ctx); /* successful allocations so far */

#endif
