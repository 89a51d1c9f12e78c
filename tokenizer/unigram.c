/* The Unigram model as `tokenizers` runs it, and the search that it shares with SentencePiece's. */
#include "tokenizer/unigram.h"

#include <string.h>

#include "base/memory.h"
#include "tokenizer/byte_token.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"
#include "tokenizer/piece_file.h"
#include "tokenizer/scored_vocab.h"

/* ---- the search ----------------------------------------------------------------------------------------------- */

static uint32_t character_length(unsigned char first) {
  return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

static inline void offer(as_lattice_node *node, double score, uint32_t start, int32_t id) {
  if (node->start != AS_NO_START && !(score > node->score)) return;
  *node = (as_lattice_node){.score = score, .start = start, .id = id};
}

/* Fills lattice[1 .. length]; false if a character is unknown and there is no unknown token. */
static bool find_ways(const as_unigram *self, const as_vocabulary *vocabulary, const char *text, uint32_t length,
                      as_lattice_node *lattice) {
  const as_trie *trie = &vocabulary->trie;
  for (uint32_t i = 1; i <= length; i++) lattice[i].start = AS_NO_START;
  lattice[0].score = 0;
  for (uint32_t at = 0, size; at < length; at += size) {
    double before = lattice[at].score;
    bool has_single = false;
    uint32_t node = 0, edge;
    size = character_length((unsigned char)text[at]);
    if (size > length - at) size = length - at;
    for (uint32_t to = at; to < length && (edge = as_trie_edge(trie, node, (unsigned char)text[to])); to++) {
      node = edge >> 1;
      if (!(edge & 1)) continue;
      int32_t id = trie->values[node];
      double score = vocabulary->scores[id];
      if (score == AS_NOT_IN_TEXTS) continue;
      double sum = score + before;
      offer(&lattice[to + 1], self->single ? (double)(float)sum : sum, at, id);
      has_single = has_single || to + 1 - at == size;
    }
    if (has_single) continue;
    if (self->unk_id < 0) return false;
    double sum = self->unk_score + before;
    offer(&lattice[at + size], self->single ? (double)(float)sum : sum, at, self->unk_id);
  }
  return true;
}

as_status as_unigram_best_way(const as_unigram *self, const as_vocabulary *vocabulary, as_work *work, uint32_t start,
                              uint32_t end, uint32_t *first) {
  uint32_t length = end - start;
  as_lattice_node *lattice = work->lattice;
  if (length >= work->lattice_capacity) {
    lattice = as_grow(work->ctx, lattice, &work->lattice_capacity, (size_t)length + 1, sizeof *lattice);
    if (!lattice) return AS_E_NOMEM;
    work->lattice = lattice;
  }
  if (!find_ways(self, vocabulary, work->text.bytes + start, length, lattice))
    return as_fail(work->ctx, AS_E_INVALID, "a character is not in the vocabulary, and the model has no unknown token");
  uint32_t next = AS_NO_START;
  for (uint32_t at = length; at > 0;) {
    uint32_t before = lattice[at].start;
    lattice[at].start = next;
    next = at;
    at = before;
  }
  *first = next;
  return AS_OK;
}

/* ---- tokens --------------------------------------------------------------------------------------------------- */

/* What no piece matches: a known string after all (several unknown characters may be one), its bytes, or unknown. */
static as_status emit_unknown(const as_tokenizer *tokenizer, const as_unigram *self, as_work *work, uint32_t start,
                              uint32_t end) {
  const char *text = work->text.bytes + start;
  int32_t id = as_vocabulary_id(&tokenizer->vocabulary, text, end - start);
  if (id >= 0) return as_work_emit(work, id, start, end);
  if (!self->byte_fallback) return as_work_emit_surface(work, self->unk_id, start, end, text, end - start);
  as_status status = AS_OK;
  for (uint32_t i = 0; i < end - start && status == AS_OK; i++)
    status = as_work_emit(work, self->bytes[(unsigned char)work->text.bytes[start + i]], start, end);
  return status;
}

static as_status tokenize(const as_tokenizer *tokenizer, const void *state, as_work *work, uint32_t start,
                          uint32_t end) {
  const as_unigram *self = state;
  uint32_t to, at = 0;
  if (start == end) return AS_OK;
  as_status status = as_unigram_best_way(self, &tokenizer->vocabulary, work, start, end, &to);
  while (status == AS_OK && to != AS_NO_START) {
    const as_lattice_node *lattice = work->lattice;
    int32_t id = lattice[to].id;
    if (id != self->unk_id) {
      status = as_work_emit(work, id, start + at, start + to);
    } else {
      while (lattice[to].start != AS_NO_START && lattice[lattice[to].start].id == id) to = lattice[to].start;
      status = emit_unknown(tokenizer, self, work, start + at, start + to);
    }
    at = to;
    to = lattice[to].start;
  }
  return status;
}

/* ---- state ---------------------------------------------------------------------------------------------------- */

static void release(as_context *ctx, void *state) {
  as_free(ctx, state);
}

void as_unigram_find_bytes(as_unigram *self, const as_vocabulary *vocabulary) {
  self->byte_fallback = true;
  for (int byte = 0; byte < 256; byte++) {
    char name[7];
    as_byte_token_name((unsigned char)byte, name);
    self->bytes[byte] = as_vocabulary_id(vocabulary, name, 6);
    if (self->bytes[byte] < 0) self->byte_fallback = false;
  }
}

static double unknown_score(const as_vocabulary *vocabulary) {
  double least = INFINITY;
  for (size_t id = 0; id < vocabulary->limit; id++)
    if (vocabulary->scores[id] < least) least = vocabulary->scores[id];
  return least - AS_UNKNOWN_PENALTY;
}

as_unigram *as_unigram_new(as_context *ctx, const as_vocabulary *vocabulary, int32_t unk_id) {
  as_unigram *self = as_alloc_zero(ctx, 1, sizeof *self);
  if (!self) return NULL;
  self->unk_id = unk_id;
  self->unk_score = unknown_score(vocabulary);
  return self;
}

static as_status read_model(as_loader *loader, const json_t *json, void **state) {
  int64_t unk_id = -1;
  bool byte_fallback = false;
  as_vocabulary *vocabulary = &loader->tokenizer->vocabulary;
  as_unigram *self = as_alloc_zero(loader->ctx, 1, sizeof *self);
  if (!self) return AS_E_NOMEM;
  *state = self;
  as_status status = as_read_scored_vocab(loader, json);
  if (status == AS_OK) status = as_field_int(loader, json, "", "unk_id", 0, INT32_MAX, &unk_id);
  if (status == AS_OK) status = as_field_bool(loader, json, "", "byte_fallback", &byte_fallback);
  if (status != AS_OK) return status;
  if (unk_id >= (int64_t)vocabulary->limit)
    return as_field_fail(loader, "", "unk_id", "is %ld, but the vocabulary has %zu pieces", (long)unk_id,
                         vocabulary->limit);
  self->unk_id = (int32_t)unk_id;
  self->unk_score = unknown_score(vocabulary);
  if (!byte_fallback) return AS_OK;
  as_unigram_find_bytes(self, vocabulary);
  if (self->byte_fallback) return AS_OK;
  return as_field_fail(loader, "", "byte_fallback", "is true, but the vocabulary lacks a piece from <0x00> to <0xFF>");
}

static void write_model(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const as_unigram *self = state;
  if (self->unk_id >= 0)
    as_json_int(writer, "unk_id", self->unk_id);
  else
    as_json_null(writer, "unk_id");
  as_json_open_array(writer, "vocab");
  for (size_t id = 0; id < tokenizer->vocabulary.limit; id++) {
    size_t length = 0;
    const char *piece = as_vocabulary_token(&tokenizer->vocabulary, (int64_t)id, &length);
    as_json_open_array(writer, NULL);
    as_json_string_n(writer, NULL, piece, length);
    as_json_double(writer, NULL, tokenizer->vocabulary.scores[id]);
    as_json_close_array(writer);
  }
  as_json_close_array(writer);
  as_json_bool(writer, "byte_fallback", self->byte_fallback);
}

const as_model_type as_unigram_model = {
    .component =
        {.name = "Unigram", .telltale = "unk_id", .read = read_model, .write = write_model, .release = release},
    .tokenize = tokenize,
    .save = as_save_piece_file,
    .special_tokens = {[AS_TOKEN_UNK] = "<unk>",
                       [AS_TOKEN_SEP] = "[SEP]",
                       [AS_TOKEN_PAD] = "<pad>",
                       [AS_TOKEN_CLS] = "[CLS]",
                       [AS_TOKEN_MASK] = "[MASK]",
                       [AS_TOKEN_EOS] = "</s>"},
    .write_config = as_write_piece_config,
};
