/* Canonical ordering: a stable sort of each run of marks by combining class, in linear time however long the run. */
#include "tokenizer/nfd.h"

#include "base/memory.h"

enum { SHORT_RUN = 16 };

void as_nfd_free(as_nfd *nfd, as_context *ctx) {
  as_free(ctx, nfd->held);
  as_free(ctx, nfd->sorted);
}

as_status as_nfd_hold(as_nfd *nfd, as_context *ctx, as_nfd_item item) {
  as_nfd_item *held = as_grow(ctx, nfd->held, &nfd->held_capacity, nfd->count + 1, sizeof *held);
  if (!held) return AS_E_NOMEM;
  nfd->held = held;
  held[nfd->count++] = item;
  return AS_OK;
}

static bool is_ordered(const as_nfd *nfd) {
  for (size_t i = 1; i < nfd->count; i++)
    if (nfd->held[i].combining_class < nfd->held[i - 1].combining_class) return false;
  return true;
}

static void insertion_sort(as_nfd_item *items, size_t count) {
  for (size_t i = 1; i < count; i++) {
    as_nfd_item item = items[i];
    size_t at = i;
    for (; at > 0 && items[at - 1].combining_class > item.combining_class; at--) items[at] = items[at - 1];
    items[at] = item;
  }
}

static void counting_sort(const as_nfd_item *items, size_t count, as_nfd_item *sorted) {
  size_t place[257] = {0};
  for (size_t i = 0; i < count; i++) place[items[i].combining_class + 1]++;
  for (int class = 0; class < 256; class ++) place[class + 1] += place[class];
  for (size_t i = 0; i < count; i++) sorted[place[items[i].combining_class]++] = items[i];
}

const as_nfd_item *as_nfd_release(as_nfd *nfd, as_context *ctx, size_t *count) {
  *count = nfd->count;
  bool ordered = is_ordered(nfd);
  nfd->count = 0;
  if (ordered) return nfd->held;
  as_nfd_item *sorted = as_grow(ctx, nfd->sorted, &nfd->sorted_capacity, *count, sizeof *sorted);
  if (!sorted) return NULL;
  nfd->sorted = sorted;
  if (*count <= SHORT_RUN) {
    for (size_t i = 0; i < *count; i++) sorted[i] = nfd->held[i];
    insertion_sort(sorted, *count);
  } else {
    counting_sort(nfd->held, *count, sorted);
  }
  as_span origin = nfd->previous;
  size_t source = 0; /* held items before it have given their origin away */
  for (size_t i = 0; i < *count; i++) {
    if (sorted[i].first) {
      while (!nfd->held[source].first) source++;
      origin = nfd->held[source++].origin;
    }
    sorted[i].origin = origin;
  }
  return sorted;
}
