/* Merging with a heap; pairs that are no more are passed over when they come up. */
#include "tokenizer/bpe_word.h"

#include "base/memory.h"

void as_bpe_word_free(as_bpe_word *word, as_context *ctx) {
  as_free(ctx, word->symbols);
  as_free(ctx, word->queue);
  *word = (as_bpe_word){0};
}

as_status as_bpe_word_put(as_bpe_word *word, as_context *ctx, int32_t id, size_t length) {
  if (word->count == word->capacity) {
    as_bpe_symbol *symbols = as_grow(ctx, word->symbols, &word->capacity, word->count + 1, sizeof *symbols);
    if (!symbols) return AS_E_NOMEM;
    word->symbols = symbols;
  }
  word->symbols[word->count++] = (as_bpe_symbol){.id = id, .length = (uint32_t)length};
  return AS_OK;
}

/* Four children lie side by side and halve the depth: the heap of a long word is out of the cache. */
enum { CHILDREN = 4 };

static void push(as_bpe_word *word, as_bpe_pair pair) {
  size_t at = word->queued++;
  for (size_t parent; at > 0 && pair.key < word->queue[parent = (at - 1) / CHILDREN].key; at = parent, word->steps++)
    word->queue[at] = word->queue[parent];
  word->queue[at] = pair;
  word->steps++;
}

static as_bpe_pair pop(as_bpe_word *word) {
  as_bpe_pair *queue = word->queue, first = queue[0], last = queue[--word->queued];
  size_t at = 0;
  for (size_t child; (child = CHILDREN * at + 1) < word->queued; at = child, word->steps++) {
    size_t end = child + CHILDREN < word->queued ? child + CHILDREN : word->queued;
    for (size_t other = child + 1; other < end; other++)
      if (queue[other].key < queue[child].key) child = other;
    if (last.key <= queue[child].key) break;
    queue[at] = queue[child];
  }
  queue[at] = last;
  word->steps++;
  return first;
}

/* Notes what becomes of symbol `at` and the one after it. */
static void pair_up(as_bpe_word *word, const as_merge_table *rules, uint32_t at) {
  as_bpe_symbol *symbol = &word->symbols[at];
  const as_merge_slot *rule =
      symbol->next == AS_NO_SYMBOL ? NULL : as_merge_find(rules, symbol->id, word->symbols[symbol->next].id);
  symbol->joined = rule ? rule->joined : -1;
  if (rule) push(word, (as_bpe_pair){.key = (uint64_t)(uint32_t)rule->rank << 32 | at, .joined = rule->joined});
}

/* Symbol `at` takes in the one after it. */
static void join(as_bpe_word *word, const as_merge_table *rules, uint32_t at) {
  as_bpe_symbol *symbol = &word->symbols[at], *right = &word->symbols[symbol->next];
  symbol->id = symbol->joined;
  symbol->length += right->length;
  right->length = 0;
  symbol->next = right->next;
  if (symbol->next != AS_NO_SYMBOL) word->symbols[symbol->next].previous = at;
  if (symbol->previous != AS_NO_SYMBOL) pair_up(word, rules, symbol->previous);
  pair_up(word, rules, at);
}

as_status as_bpe_word_merge(as_bpe_word *word, const as_merge_table *rules, as_context *ctx) {
  uint32_t count = (uint32_t)word->count;
  if (count < 2) return AS_OK;
  /* a merge takes one pair out and puts at most two in, and there are fewer merges than symbols */
  as_bpe_pair *queue = as_grow(ctx, word->queue, &word->queue_capacity, 2 * word->count, sizeof *queue);
  if (!queue) return AS_E_NOMEM;
  word->queue = queue;
  word->queued = 0;
  for (uint32_t i = 0; i < count; i++) {
    word->symbols[i].previous = i ? i - 1 : AS_NO_SYMBOL;
    word->symbols[i].next = i + 1 < count ? i + 1 : AS_NO_SYMBOL;
  }
  for (uint32_t i = 0; i < count; i++) pair_up(word, rules, i);
  while (word->queued > 0) {
    as_bpe_pair pair = pop(word);
    uint32_t at = (uint32_t)pair.key;
    if (word->symbols[at].length > 0 && word->symbols[at].joined == pair.joined) join(word, rules, at);
  }
  return AS_OK;
}
