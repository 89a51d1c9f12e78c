/* The vocabulary: a pool of strings by id and a trie over them. */
#include "tokenizer/vocabulary.h"

#include "base/memory.h"

void as_vocabulary_init(as_vocabulary *vocabulary, as_context *ctx) {
  *vocabulary = (as_vocabulary){.ctx = ctx};
  as_trie_init(&vocabulary->trie, ctx);
  as_buffer_init(&vocabulary->pool, ctx);
}

void as_vocabulary_free(as_vocabulary *vocabulary) {
  as_trie_free(&vocabulary->trie);
  as_buffer_free(&vocabulary->pool);
  as_free(vocabulary->ctx, vocabulary->entries);
  as_free(vocabulary->ctx, vocabulary->scores);
}

as_status as_vocabulary_add(as_vocabulary *vocabulary, const char *token, size_t length, int32_t id) {
  size_t index = (size_t)id;
  as_vocabulary_entry *entries =
      as_grow(vocabulary->ctx, vocabulary->entries, &vocabulary->capacity, index + 1, sizeof *entries);
  if (!entries) return AS_E_NOMEM;
  vocabulary->entries = entries;
  int32_t old = -1;
  size_t start = vocabulary->pool.length;
  if (start > UINT32_MAX - length - 1)
    return as_fail(vocabulary->ctx, AS_E_LIMIT, "the tokens together are longer than 4 GiB");
  as_buffer_append(&vocabulary->pool, token, length);
  as_buffer_char(&vocabulary->pool, 0);
  as_status status = as_buffer_status(&vocabulary->pool);
  if (status == AS_OK) status = as_trie_put(&vocabulary->trie, token, length, id, &old);
  if (status != AS_OK) return status;
  if (old >= 0)
    entries[old].length = AS_NO_TOKEN;
  else
    vocabulary->count++;
  for (; vocabulary->limit <= index; vocabulary->limit++) entries[vocabulary->limit].length = AS_NO_TOKEN;
  entries[index] = (as_vocabulary_entry){.start = (uint32_t)start, .length = (uint32_t)length};
  return AS_OK;
}

as_status as_vocabulary_add_piece(as_vocabulary *vocabulary, const char *token, size_t length, double score) {
  size_t id = vocabulary->limit;
  if (id > INT32_MAX) return as_fail(vocabulary->ctx, AS_E_LIMIT, "more than 2^31 tokens");
  double *scores = as_grow(vocabulary->ctx, vocabulary->scores, &vocabulary->scores_capacity, id + 1, sizeof *scores);
  if (!scores) return AS_E_NOMEM;
  vocabulary->scores = scores;
  scores[id] = score;
  return as_vocabulary_add(vocabulary, token, length, (int32_t)id);
}

const char *as_vocabulary_token(const as_vocabulary *vocabulary, int64_t id, size_t *length) {
  if (id < 0 || (uint64_t)id >= vocabulary->limit) return NULL;
  as_vocabulary_entry entry = vocabulary->entries[id];
  if (entry.length == AS_NO_TOKEN) return NULL;
  if (length) *length = entry.length;
  return vocabulary->pool.data + entry.start;
}

int32_t as_vocabulary_id(const as_vocabulary *vocabulary, const char *token, size_t length) {
  return as_trie_get(&vocabulary->trie, token, length);
}
