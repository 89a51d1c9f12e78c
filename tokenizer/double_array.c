/* Checking and building double arrays. */
#include "tokenizer/double_array.h"

#include <string.h>

#include "base/memory.h"

/* ---- checking ------------------------------------------------------------------------------------------------- */

/* Nodes may share children (Darts-clone joins equal ends), so what is checked is a graph: a depth-first walk over it,
 * with the units that can be children of the same place in chains. */
typedef struct walk {
  const as_double_array *array;
  uint32_t *first;  /* [places] the first unit of the chain for children at this place; 0: none, the root is no child */
  uint32_t *next;   /* [count] the next one of the chain */
  uint32_t *open;   /* [count] in `stack` at which chain link the walk is */
  uint32_t *stack;  /* [AS_DOUBLE_ARRAY_DEPTH + 1] nodes from the root */
  uint16_t *height; /* [count] the longest way down plus 1; 0: not known, UINT16_MAX: on the stack */
} walk;

static uint32_t place_of(const as_double_array *array, uint32_t node) {
  return node ^ as_unit_offset(array->units[node]);
}

/* What is wrong with entering `node`, NULL if nothing is. */
static const char *enter(walk *w, uint32_t node, size_t depth, uint32_t value_limit) {
  const as_double_array *array = w->array;
  if (w->height[node] == UINT16_MAX) return "has a cycle in its double array";
  if (depth > AS_DOUBLE_ARRAY_DEPTH) return "has a rule for a text that is too long";
  uint32_t place = place_of(array, node);
  if (array->units[node] & 1u << 8 && (place >= array->count || (array->units[place] & 0x7FFFFFFF) >= value_limit))
    return "has a value outside of its texts";
  w->stack[depth] = node;
  w->open[node] = place < (array->count | 0xFFu) + 1 ? w->first[place] : 0;
  w->height[node] = UINT16_MAX;
  return NULL;
}

/* Walks everything that can be reached. A node that was left is not entered again; its height stands for it. */
static const char *walk_all(walk *w, uint32_t value_limit) {
  size_t depth = 0;
  const char *wrong = enter(w, 0, 0, value_limit);
  uint16_t heights[AS_DOUBLE_ARRAY_DEPTH + 2] = {0}; /* of what was walked below each node of the stack */
  while (!wrong) {
    uint32_t node = w->stack[depth], child = w->open[node];
    if (child) {
      w->open[node] = w->next[child];
      if (w->height[child] > 0 && w->height[child] < UINT16_MAX) {
        if (depth + w->height[child] > AS_DOUBLE_ARRAY_DEPTH) return "has a rule for a text that is too long";
        if (w->height[child] > heights[depth]) heights[depth] = w->height[child];
        continue;
      }
      wrong = enter(w, child, depth + 1, value_limit);
      if (!wrong) heights[++depth] = 0;
      continue;
    }
    w->height[node] = (uint16_t)(heights[depth] + 1);
    if (depth == 0) return NULL;
    depth--;
    if (w->height[node] > heights[depth]) heights[depth] = w->height[node];
  }
  return wrong;
}

as_status as_double_array_check(as_context *ctx, const as_double_array *array, uint32_t value_limit) {
  uint32_t count = array->count, places = (count | 0xFFu) + 1;
  if (count == 0) return as_fail(ctx, AS_E_MODEL, "has an empty double array");
  walk w = {.array = array};
  w.first = as_alloc_zero(ctx, places, sizeof *w.first);
  w.next = as_alloc_zero(ctx, count, sizeof *w.next);
  w.open = as_alloc_zero(ctx, count, sizeof *w.open);
  w.height = as_alloc_zero(ctx, count, sizeof *w.height);
  w.stack = as_alloc(ctx, AS_DOUBLE_ARRAY_DEPTH + 2, sizeof *w.stack);
  as_status status = w.first && w.next && w.open && w.height && w.stack ? AS_OK : AS_E_NOMEM;
  for (uint32_t i = 1; i < count && status == AS_OK; i++) {
    uint32_t unit = array->units[i], place = i ^ (unit & 0xFF);
    if (unit >> 31 || !(unit & 0xFF)) continue; /* a leaf, or unused */
    w.next[i] = w.first[place];
    w.first[place] = i;
  }
  const char *wrong = status == AS_OK ? walk_all(&w, value_limit) : NULL;
  if (wrong) status = as_fail(ctx, AS_E_MODEL, "%s", wrong);
  as_free(ctx, w.stack);
  as_free(ctx, w.height);
  as_free(ctx, w.open);
  as_free(ctx, w.next);
  as_free(ctx, w.first);
  return status;
}

/* ---- building ------------------------------------------------------------------------------------------------- */

enum { BLOCK = 256, LOOK_BACK = 16 }; /* places are looked for in the last so many blocks */

typedef struct builder {
  as_context *ctx;
  const as_double_array_key *keys;
  uint32_t *units;
  unsigned char *used; /* [capacity] 1: a unit stands here; 2: a node's children have this place */
  size_t capacity, used_capacity;
  uint32_t count; /* a multiple of BLOCK */
} builder;

static as_status add_block(builder *b) {
  uint32_t needed = b->count + BLOCK;
  if (needed >= 1u << 29) return as_fail(b->ctx, AS_E_LIMIT, "too many keys for a double array");
  uint32_t *units = as_grow(b->ctx, b->units, &b->capacity, needed, sizeof *units);
  if (!units) return AS_E_NOMEM;
  b->units = units;
  unsigned char *used = as_grow(b->ctx, b->used, &b->used_capacity, needed, sizeof *used);
  if (!used) return AS_E_NOMEM;
  b->used = used;
  memset(units + b->count, 0, BLOCK * sizeof *units);
  memset(used + b->count, 0, BLOCK);
  b->count = needed;
  return AS_OK;
}

/* Whether an offset fits a unit: 21 bits, or 29 whose low 8 are zero. SentencePiece refuses arrays with an offset of 0,
 * which would work. */
static bool is_offset(uint32_t offset) {
  if (offset == 0) return false;
  return offset < 1u << 21 || (offset < 1u << 29 && !(offset & 0xFF));
}

/* A place for the children of `node` by `labels` [count], the smallest that is free in the last blocks. */
static as_status find_place(builder *b, uint32_t node, const unsigned char *labels, size_t count, uint32_t *place) {
  uint32_t from = b->count > LOOK_BACK * BLOCK ? b->count - LOOK_BACK * BLOCK : 0;
  for (uint32_t at = from;; at++) {
    if (at == b->count) {
      as_status status = add_block(b);
      if (status != AS_OK) return status;
    }
    if (b->used[at] & 2 || !is_offset(at ^ node)) continue;
    size_t i = 0;
    while (i < count && !(b->used[at ^ labels[i]] & 1)) i++;
    if (i < count) continue;
    *place = at;
    return AS_OK;
  }
}

/* A node whose children are still to be made: keys [first, end) share `depth` bytes. */
typedef struct range {
  uint32_t node;
  size_t first, end, depth;
} range;

typedef struct range_stack {
  range *items;
  size_t count, capacity;
} range_stack;

static as_status put_children(builder *b, range_stack *stack, range r) {
  unsigned char labels[256];
  size_t starts[257], count = 0;
  for (size_t i = r.first; i < r.end; i++) {
    unsigned char label = r.depth < b->keys[i].length ? (unsigned char)b->keys[i].bytes[r.depth] : 0;
    if (count && labels[count - 1] == label) continue;
    labels[count] = label;
    starts[count++] = i;
  }
  starts[count] = r.end;
  uint32_t place;
  as_status status = find_place(b, r.node, labels, count, &place);
  if (status != AS_OK) return status;
  range *items = as_grow(b->ctx, stack->items, &stack->capacity, stack->count + count, sizeof *items);
  if (!items) return AS_E_NOMEM;
  stack->items = items;
  uint32_t offset = place ^ r.node;
  b->used[place] |= 2;
  b->units[r.node] |= offset < 1u << 21 ? offset << 10 : (offset >> 8) << 10 | 1u << 9;
  for (size_t i = 0; i < count; i++) {
    uint32_t child = place ^ labels[i];
    b->used[child] |= 1;
    if (labels[i] == 0) {
      b->units[r.node] |= 1u << 8;
      b->units[child] = 1u << 31 | b->keys[starts[i]].value;
    } else {
      b->units[child] = labels[i];
      items[stack->count++] = (range){child, starts[i], starts[i + 1], r.depth + 1};
    }
  }
  return AS_OK;
}

as_status as_double_array_build(as_context *ctx, const as_double_array_key *keys, size_t count, uint32_t **units,
                                uint32_t *unit_count) {
  builder b = {.ctx = ctx, .keys = keys};
  range_stack stack = {0};
  as_status status = add_block(&b);
  if (status == AS_OK) {
    b.used[0] = 1;
    if (count > 0) status = put_children(&b, &stack, (range){0, 0, count, 0});
  }
  while (status == AS_OK && stack.count > 0) status = put_children(&b, &stack, stack.items[--stack.count]);
  as_free(ctx, stack.items);
  as_free(ctx, b.used);
  if (status != AS_OK) as_free(ctx, b.units);
  *units = status == AS_OK ? b.units : NULL;
  *unit_count = status == AS_OK ? b.count : 0;
  return status;
}
