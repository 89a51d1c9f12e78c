/* Open addressing over FNV-1a (Fowler, Noll, Vo; 64 bits). */
#include "tokenizer/word_counts.h"

#include <string.h>

#include "base/memory.h"
#include "tokenizer/encode.h"

void as_word_counts_init(as_word_counts *counts, as_context *ctx) {
  *counts = (as_word_counts){.ctx = ctx};
  as_buffer_init(&counts->pool, ctx);
}

void as_word_counts_free(as_word_counts *counts) {
  as_buffer_free(&counts->pool);
  as_free(counts->ctx, counts->words);
  as_free(counts->ctx, counts->slots);
}

static uint64_t hash_of(const char *word, size_t length) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)word[i]) * 0x100000001B3u;
  return hash;
}

static size_t first_slot(uint64_t hash, int bits) {
  return (size_t)(hash * 0x9E3779B97F4A7C15u >> (64 - bits));
}

static as_status grow_slots(as_word_counts *counts) {
  if (counts->slots && 2 * (counts->count + 1) <= (size_t)1 << counts->bits) return AS_OK;
  int bits = counts->slots ? counts->bits + 1 : 10;
  size_t *slots = as_alloc_zero(counts->ctx, (size_t)1 << bits, sizeof *slots), mask = ((size_t)1 << bits) - 1;
  if (!slots) return AS_E_NOMEM;
  for (size_t i = 0; i < counts->count; i++) {
    size_t at = first_slot(counts->words[i].hash, bits);
    while (slots[at]) at = (at + 1) & mask;
    slots[at] = i + 1;
  }
  as_free(counts->ctx, counts->slots);
  counts->slots = slots;
  counts->bits = bits;
  return AS_OK;
}

as_status as_word_counts_add(as_word_counts *counts, const char *word, size_t length) {
  as_status status = grow_slots(counts);
  if (status != AS_OK) return status;
  uint64_t hash = hash_of(word, length);
  size_t mask = ((size_t)1 << counts->bits) - 1, at = first_slot(hash, counts->bits);
  for (; counts->slots[at]; at = (at + 1) & mask) {
    as_word_count *known = &counts->words[counts->slots[at] - 1];
    if (known->hash == hash && known->length == length && memcmp(counts->pool.data + known->start, word, length) == 0) {
      known->count++;
      return AS_OK;
    }
  }
  as_word_count *words = as_grow(counts->ctx, counts->words, &counts->capacity, counts->count + 1, sizeof *words);
  if (!words) return AS_E_NOMEM;
  counts->words = words;
  words[counts->count] = (as_word_count){.start = counts->pool.length, .length = length, .count = 1, .hash = hash};
  as_buffer_append(&counts->pool, word, length);
  status = as_buffer_status(&counts->pool);
  if (status == AS_OK) counts->slots[at] = ++counts->count;
  return status;
}

static as_status count_text(as_word_counts *counts, const as_tokenizer *tokenizer, as_work *work, const char *text,
                            size_t length, bool (*is_counted)(const char *word, size_t length)) {
  size_t repaired = 0;
  as_status status = as_tokenizer_split(tokenizer, work, 0, &text, &length, &repaired);
  for (size_t i = 0; i < work->splits.length && status == AS_OK; i++) {
    as_split word = work->splits.items[i];
    const char *bytes = work->text.bytes + word.start;
    size_t size = word.end - word.start;
    if (is_counted(bytes, size)) status = as_word_counts_add(counts, bytes, size);
  }
  return status;
}

as_status as_word_counts_read(as_word_counts *counts, const as_tokenizer *tokenizer, as_text_source next, void *user,
                              bool (*is_counted)(const char *word, size_t length)) {
  as_work *work = as_work_new(counts->ctx);
  as_status status = work ? AS_OK : AS_E_NOMEM;
  while (status == AS_OK) {
    const char *text = NULL;
    size_t length = 0;
    status = next(user, &text, &length);
    if (status != AS_OK || !text) break;
    status = count_text(counts, tokenizer, work, text, length, is_counted);
  }
  as_work_free(work);
  if (status == AS_OK && counts->count == 0)
    return as_fail(counts->ctx, AS_E_DATA, "the texts hold no word to train a vocabulary on");
  return status;
}
