/* Forward-backward and Viterbi over single words, in memory of fixed size. */
#include "tokenizer/piece_counts.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"

enum { MAX_BYTES = 4 * AS_TRAINING_WORD, MAX_EDGES = AS_TRAINING_WORD * AS_SEED_CHARACTERS, WORDS_IN_CHUNK = 512 };

/* A piece that a word has from byte `from` to byte `to`. */
typedef struct edge {
  uint32_t piece;
  uint8_t from, to;
} edge;

as_status as_piece_counter_init(as_piece_counter *counter, as_context *ctx, const char *pool,
                                const as_training_piece *words, size_t word_count, const as_training_piece *pieces,
                                size_t piece_count) {
  *counter = (as_piece_counter){
      .ctx = ctx, .pool = pool, .words = words, .word_count = word_count, .pieces = pieces, .piece_count = piece_count};
  as_trie_init(&counter->trie, ctx);
  counter->weights = as_alloc(ctx, piece_count, sizeof *counter->weights);
  counter->lanes = as_alloc(ctx, piece_count * (size_t)as_context_threads(ctx), sizeof *counter->lanes);
  as_status status = counter->weights && counter->lanes ? AS_OK : AS_E_NOMEM;
  for (size_t i = 0; i < piece_count && status == AS_OK; i++)
    status = as_trie_put(&counter->trie, pool + pieces[i].start, pieces[i].length, (int32_t)i, NULL);
  return status;
}

void as_piece_counter_free(as_piece_counter *counter) {
  as_trie_free(&counter->trie);
  as_free(counter->ctx, counter->weights);
  as_free(counter->ctx, counter->lanes);
}

/* ---- one word ------------------------------------------------------------------------------------------------- */

/* All pieces of a word, by where they begin; `whole` false leaves out the one that is all of it. */
static size_t find_edges(const as_piece_counter *counter, const char *word, size_t length, bool whole,
                         edge edges[MAX_EDGES]) {
  size_t count = 0;
  for (size_t from = 0; from < length; from++) {
    uint32_t node = 0, step;
    if (((unsigned char)word[from] & 0xC0) == 0x80) continue;
    for (size_t to = from; to < length && (step = as_trie_edge(&counter->trie, node, (unsigned char)word[to])); to++) {
      node = step >> 1;
      if (!(step & 1) || (!whole && from == 0 && to + 1 == length) || count == MAX_EDGES) continue;
      edges[count++] = (edge){(uint32_t)counter->trie.values[node], (uint8_t)from, (uint8_t)(to + 1)};
    }
  }
  return count;
}

/* Adds a word's expected uses to `counts`. */
static void count_all_ways(const as_piece_counter *counter, const as_training_piece *word, int64_t *counts) {
  edge edges[MAX_EDGES];
  double forward[MAX_BYTES + 1] = {1.0}, backward[MAX_BYTES + 1] = {0};
  size_t count = find_edges(counter, counter->pool + word->start, word->length, true, edges);
  for (size_t i = 0; i < count; i++) forward[edges[i].to] += forward[edges[i].from] * counter->weights[edges[i].piece];
  double all = forward[word->length];
  if (!(all > 0) || !isfinite(all)) return;
  backward[word->length] = (double)word->count * counter->scale / all;
  for (size_t i = count; i-- > 0;) {
    double uses = counter->weights[edges[i].piece] * backward[edges[i].to];
    backward[edges[i].from] += uses;
    counts[edges[i].piece] += llrint(forward[edges[i].from] * uses);
  }
}

/* The edge that each byte's best way ends with; the score of the whole, -INFINITY if there is no way. */
static double find_best(const as_piece_counter *counter, const edge *edges, size_t count, size_t length,
                        uint16_t last[MAX_BYTES + 1]) {
  double score[MAX_BYTES + 1];
  score[0] = 0;
  for (size_t i = 1; i <= length; i++) score[i] = -INFINITY;
  for (size_t i = 0; i < count; i++) {
    double sum = score[edges[i].from] + counter->pieces[edges[i].piece].score;
    if (!(sum > score[edges[i].to])) continue;
    score[edges[i].to] = sum;
    last[edges[i].to] = (uint16_t)i;
  }
  return score[length];
}

static void count_best_way(const as_piece_counter *counter, const as_training_piece *word, int64_t *counts) {
  edge edges[MAX_EDGES];
  uint16_t last[MAX_BYTES + 1];
  size_t count = find_edges(counter, counter->pool + word->start, word->length, true, edges);
  if (find_best(counter, edges, count, word->length, last) == -INFINITY) return;
  for (size_t at = word->length; at > 0; at = edges[last[at]].from) counts[edges[last[at]].piece] += word->count;
}

double as_best_without(const as_piece_counter *counter, size_t index, uint32_t *parts, size_t *count) {
  const as_training_piece *piece = &counter->pieces[index];
  edge edges[MAX_EDGES];
  uint16_t last[MAX_BYTES + 1];
  size_t edge_count = find_edges(counter, counter->pool + piece->start, piece->length, false, edges);
  double score = find_best(counter, edges, edge_count, piece->length, last);
  *count = 0;
  if (score == -INFINITY) return score;
  for (size_t at = piece->length; at > 0; at = edges[last[at]].from) parts[(*count)++] = edges[last[at]].piece;
  return score;
}

/* ---- all words ------------------------------------------------------------------------------------------------ */

static void count_chunk(void *argument, int64_t chunk, int lane) {
  const as_piece_counter *counter = argument;
  int64_t *counts = counter->lanes + (size_t)lane * counter->piece_count;
  size_t first = (size_t)chunk * WORDS_IN_CHUNK, end = first + WORDS_IN_CHUNK;
  for (size_t i = first; i < end && i < counter->word_count; i++) {
    if (counter->best)
      count_best_way(counter, &counter->words[i], counts);
    else
      count_all_ways(counter, &counter->words[i], counts);
  }
}

static void count_words(as_piece_counter *counter, double *counts) {
  size_t lanes = (size_t)as_context_threads(counter->ctx), pieces = counter->piece_count;
  memset(counter->lanes, 0, lanes * pieces * sizeof *counter->lanes);
  as_parallel_for(counter->ctx, (int64_t)((counter->word_count + WORDS_IN_CHUNK - 1) / WORDS_IN_CHUNK), count_chunk,
                  counter);
  for (size_t i = 0; i < pieces; i++) {
    int64_t sum = 0;
    for (size_t lane = 0; lane < lanes; lane++) sum += counter->lanes[lane * pieces + i];
    counts[i] = (double)sum / counter->scale;
  }
}

void as_expected_counts(as_piece_counter *counter, double *counts) {
  double characters = 0, cost = 0;
  for (size_t i = 0; i < counter->word_count; i++)
    characters += (double)counter->words[i].count * counter->words[i].characters;
  for (size_t i = 0; i < counter->piece_count; i++)
    cost += exp(counter->pieces[i].score) * counter->pieces[i].score / counter->pieces[i].characters;
  for (size_t i = 0; i < counter->piece_count; i++)
    counter->weights[i] = exp(counter->pieces[i].score - cost * counter->pieces[i].characters);
  counter->scale = ldexp(1.0, 60 - ilogb(characters + 1));
  if (counter->scale > 0x1p40) counter->scale = 0x1p40;
  counter->best = false;
  count_words(counter, counts);
}

void as_best_counts(as_piece_counter *counter, double *counts) {
  counter->scale = 1;
  counter->best = true;
  count_words(counter, counts);
}
