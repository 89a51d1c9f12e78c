/* The trainer keeps, for each pair of neighbouring symbols, how often it occurs and in which words, and a heap of
 * pairs.
 *
 * Invariants: a pair's count is exact after each merge; every pair with a count above 0 has an entry in the heap whose
 * count is its own or a larger, stale one. A stale entry that comes up is put back with the true count, so the first
 * entry that is exact is the best pair. A word stands in the list of every pair that it holds (and maybe of some that
 * it held). */
#include "tokenizer/merge_trainer.h"

#include <string.h>

#include "base/memory.h"

typedef struct pair {
  int32_t left, right;
  int64_t count;
  uint32_t words; /* first node of the list of words that hold it; NO_NODE at its end */
  bool changed;   /* occurs more often since the last merge */
} pair;

typedef struct node {
  uint32_t word, next;
} node;
#define NO_NODE UINT32_MAX

typedef struct entry {
  int64_t count;
  uint32_t pair;
} entry;

typedef struct trainer {
  as_context *ctx;
  const as_merge_training *task;
  pair *pairs;
  size_t pair_count, pair_capacity;
  uint32_t *slots; /* [1 << bits]: index of a pair + 1; 0 is empty. At most half are taken */
  int bits;
  node *nodes;
  size_t node_count, node_capacity;
  entry *heap; /* a parent is never worse than its children */
  size_t heap_count, heap_capacity;
  uint32_t *changed; /* pairs with `changed` set */
  size_t changed_count, changed_capacity;
  as_buffer joined;
} trainer;

static void release(trainer *t) {
  as_free(t->ctx, t->pairs);
  as_free(t->ctx, t->slots);
  as_free(t->ctx, t->nodes);
  as_free(t->ctx, t->heap);
  as_free(t->ctx, t->changed);
  as_buffer_free(&t->joined);
}

/* ---- pairs ---------------------------------------------------------------------------------------------------- */

static size_t slot_of(const trainer *t, int32_t left, int32_t right) {
  uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
  return (size_t)(key * 0x9E3779B97F4A7C15u >> (64 - t->bits));
}

static as_status grow_slots(trainer *t) {
  if (t->slots && 2 * (t->pair_count + 1) <= (size_t)1 << t->bits) return AS_OK;
  int bits = t->slots ? t->bits + 1 : 12;
  uint32_t *slots = as_alloc_zero(t->ctx, (size_t)1 << bits, sizeof *slots);
  if (!slots) return AS_E_NOMEM;
  as_free(t->ctx, t->slots);
  t->slots = slots;
  t->bits = bits;
  size_t mask = ((size_t)1 << bits) - 1;
  for (size_t i = 0; i < t->pair_count; i++) {
    size_t at = slot_of(t, t->pairs[i].left, t->pairs[i].right);
    while (slots[at]) at = (at + 1) & mask;
    slots[at] = (uint32_t)i + 1;
  }
  return AS_OK;
}

/* The index of a pair, which is made if need be. */
static as_status find_pair(trainer *t, int32_t left, int32_t right, uint32_t *index) {
  as_status status = grow_slots(t);
  if (status != AS_OK) return status;
  size_t mask = ((size_t)1 << t->bits) - 1, at = slot_of(t, left, right);
  for (; t->slots[at]; at = (at + 1) & mask) {
    *index = t->slots[at] - 1;
    if (t->pairs[*index].left == left && t->pairs[*index].right == right) return AS_OK;
  }
  if (t->pair_count >= UINT32_MAX - 1) return as_fail(t->ctx, AS_E_LIMIT, "too many different pairs to train on");
  pair *pairs = as_grow(t->ctx, t->pairs, &t->pair_capacity, t->pair_count + 1, sizeof *pairs);
  if (!pairs) return AS_E_NOMEM;
  t->pairs = pairs;
  *index = (uint32_t)t->pair_count++;
  pairs[*index] = (pair){.left = left, .right = right, .words = NO_NODE};
  t->slots[at] = *index + 1;
  return AS_OK;
}

/* Notes that `word` holds pair p. Words are noted one after the other, so that a repeated one is at the front. */
static as_status note_word(trainer *t, pair *p, uint32_t word) {
  if (p->words != NO_NODE && t->nodes[p->words].word == word) return AS_OK;
  if (t->node_count >= NO_NODE) return as_fail(t->ctx, AS_E_LIMIT, "too many words to train on");
  node *nodes = as_grow(t->ctx, t->nodes, &t->node_capacity, t->node_count + 1, sizeof *nodes);
  if (!nodes) return AS_E_NOMEM;
  t->nodes = nodes;
  nodes[t->node_count] = (node){.word = word, .next = p->words};
  p->words = (uint32_t)t->node_count++;
  return AS_OK;
}

static as_status note_change(trainer *t, uint32_t index) {
  if (t->pairs[index].changed) return AS_OK;
  uint32_t *changed = as_grow(t->ctx, t->changed, &t->changed_capacity, t->changed_count + 1, sizeof *changed);
  if (!changed) return AS_E_NOMEM;
  t->changed = changed;
  changed[t->changed_count++] = index;
  t->pairs[index].changed = true;
  return AS_OK;
}

/* ---- the heap ------------------------------------------------------------------------------------------------- */

static bool is_better(const trainer *t, entry a, entry b) {
  const pair *p = &t->pairs[a.pair], *q = &t->pairs[b.pair];
  if (a.count != b.count) return a.count > b.count;
  return p->left != q->left ? p->left < q->left : p->right < q->right;
}

static as_status push(trainer *t, entry item) {
  entry *heap = as_grow(t->ctx, t->heap, &t->heap_capacity, t->heap_count + 1, sizeof *heap);
  if (!heap) return AS_E_NOMEM;
  t->heap = heap;
  size_t at = t->heap_count++;
  for (; at > 0 && is_better(t, item, heap[(at - 1) / 2]); at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
  heap[at] = item;
  return AS_OK;
}

static entry pop(trainer *t) {
  entry best = t->heap[0], last = t->heap[--t->heap_count];
  size_t at = 0;
  for (size_t child; (child = 2 * at + 1) < t->heap_count; at = child) {
    if (child + 1 < t->heap_count && is_better(t, t->heap[child + 1], t->heap[child])) child++;
    if (!is_better(t, t->heap[child], last)) break;
    t->heap[at] = t->heap[child];
  }
  t->heap[at] = last;
  return best;
}

/* Takes the best pair off the heap; false if none is left. There is room for what is put back: it was just taken. */
static bool best_pair(trainer *t, uint32_t *index) {
  while (t->heap_count > 0) {
    entry top = pop(t);
    int64_t count = t->pairs[top.pair].count;
    *index = top.pair;
    if (count == top.count) return true;
    if (count > 0 && push(t, (entry){.count = count, .pair = top.pair}) != AS_OK) return false;
  }
  return false;
}

/* ---- merging -------------------------------------------------------------------------------------------------- */

/* Adds `sign` times the word's count to each of its pairs. Pairs that hold `fresh` (-1: all) are noted as the word's
 * and as changed. */
static as_status count_word(trainer *t, uint32_t word, int sign, int32_t fresh) {
  const as_merge_word *w = &t->task->words[word];
  const int32_t *symbols = t->task->symbols + w->start;
  for (uint32_t i = 0; i + 1 < w->length; i++) {
    uint32_t index = 0;
    as_status status = find_pair(t, symbols[i], symbols[i + 1], &index);
    if (status != AS_OK) return status;
    t->pairs[index].count += sign * w->count;
    if (sign < 0 || (fresh >= 0 && symbols[i] != fresh && symbols[i + 1] != fresh)) continue;
    status = note_word(t, &t->pairs[index], word);
    if (status == AS_OK) status = note_change(t, index);
    if (status != AS_OK) return status;
  }
  return AS_OK;
}

/* Replaces the pair in a word, from left to right. */
static void replace(const trainer *t, as_merge_word *w, int32_t left, int32_t right, int32_t joined) {
  int32_t *symbols = t->task->symbols + w->start;
  uint32_t length = 0;
  for (uint32_t i = 0; i < w->length; i++) {
    if (i + 1 < w->length && symbols[i] == left && symbols[i + 1] == right) {
      symbols[length++] = joined;
      i++;
    } else {
      symbols[length++] = symbols[i];
    }
  }
  w->length = length;
}

static bool holds(const trainer *t, const as_merge_word *w, int32_t left, int32_t right) {
  const int32_t *symbols = t->task->symbols + w->start;
  for (uint32_t i = 0; i + 1 < w->length; i++)
    if (symbols[i] == left && symbols[i + 1] == right) return true;
  return false;
}

/* The id of the two tokens joined, a new one if need be. */
static as_status join(trainer *t, int32_t left, int32_t right, int32_t *id) {
  as_vocabulary *vocabulary = t->task->vocabulary;
  size_t left_length, right_length, prefix = strlen(t->task->prefix);
  const char *first = as_vocabulary_token(vocabulary, left, &left_length);
  const char *second = as_vocabulary_token(vocabulary, right, &right_length);
  if (right_length >= prefix && memcmp(second, t->task->prefix, prefix) == 0) {
    second += prefix;
    right_length -= prefix;
  }
  as_buffer_clear(&t->joined);
  as_buffer_append(&t->joined, first, left_length);
  as_buffer_append(&t->joined, second, right_length);
  as_status status = as_buffer_status(&t->joined);
  if (status != AS_OK) return status;
  *id = as_vocabulary_id(vocabulary, t->joined.data, t->joined.length);
  if (*id >= 0) return AS_OK;
  *id = (int32_t)vocabulary->limit;
  return as_vocabulary_add(vocabulary, t->joined.data, t->joined.length, *id);
}

/* Puts the pairs that became more frequent on the heap. */
static as_status push_changed(trainer *t) {
  as_status status = AS_OK;
  for (size_t i = 0; i < t->changed_count && status == AS_OK; i++) {
    uint32_t index = t->changed[i];
    t->pairs[index].changed = false;
    if (t->pairs[index].count > 0) status = push(t, (entry){.count = t->pairs[index].count, .pair = index});
  }
  t->changed_count = 0;
  return status;
}

static as_status merge(trainer *t, uint32_t index) {
  int32_t left = t->pairs[index].left, right = t->pairs[index].right, joined;
  as_status status = join(t, left, right, &joined);
  if (status != AS_OK) return status;
  if (t->task->merged) t->task->merged(t->task->user, left, right, joined);
  for (uint32_t at = t->pairs[index].words; at != NO_NODE && status == AS_OK; at = t->nodes[at].next) {
    uint32_t word = t->nodes[at].word;
    as_merge_word *w = &t->task->words[word];
    if (!holds(t, w, left, right)) continue;
    status = count_word(t, word, -1, -1);
    replace(t, w, left, right, joined);
    if (status == AS_OK) status = count_word(t, word, +1, joined);
  }
  return status == AS_OK ? push_changed(t) : status;
}

as_status as_train_merges(as_merge_training *training) {
  trainer t = {.ctx = training->vocabulary->ctx, .task = training};
  as_buffer_init(&t.joined, t.ctx);
  int64_t least = training->min_frequency > 1 ? (int64_t)training->min_frequency : 1;
  if (training->min_frequency > INT64_MAX) least = INT64_MAX;
  as_status status =
      training->word_count >= UINT32_MAX ? as_fail(t.ctx, AS_E_LIMIT, "too many words to train on") : AS_OK;
  for (size_t i = 0; i < training->word_count && status == AS_OK; i++) status = count_word(&t, (uint32_t)i, +1, -1);
  if (status == AS_OK) status = push_changed(&t);
  uint32_t best;
  while (status == AS_OK && training->vocabulary->count < training->vocab_size && best_pair(&t, &best)) {
    if (t.pairs[best].count < least) break;
    status = merge(&t, best);
  }
  release(&t);
  return status;
}
