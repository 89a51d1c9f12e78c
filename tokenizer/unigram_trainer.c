/* From texts to a tokenizer: words, characters and seeds, then unigram_model's rounds, then T5's stages. */
#include "tokenizer/unigram_trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/added_tokens_json.h"
#include "tokenizer/components.h"
#include "tokenizer/construct.h"
#include "tokenizer/nfkc_rules.h"
#include "tokenizer/piece_counts.h"
#include "tokenizer/piece_choice.h"
#include "tokenizer/word_counts.h"

enum { CODE_POINTS = 0x110000, SPECIAL_COUNT = 3, MAX_EXTRA_IDS = 10000 };
enum { EOS_ID = 1, UNK_ID = 2 }; /* by the order of SPECIALS */
#define USUAL_COVERAGE 0.9995
#define USUAL_SEEDS ((size_t)1000000)

static const as_special_token SPECIALS[SPECIAL_COUNT] = {AS_TOKEN_PAD, AS_TOKEN_EOS, AS_TOKEN_UNK};

typedef struct trainer {
  as_context *ctx;
  as_loader loader;
  as_word_counts counts;
  int64_t *characters; /* [CODE_POINTS] how often each occurs; 0 for those that get no piece */
  as_training_piece *words;
  size_t word_count, word_capacity;
  as_piece_choice choice;
} trainer;

/* ---- stages --------------------------------------------------------------------------------------------------- */

static as_status make_normalizer(trainer *t) {
  as_buffer rules;
  as_buffer_init(&rules, t->ctx);
  void *state = NULL;
  as_status status = as_nfkc_rules(t->ctx, &rules);
  if (status == AS_OK) status = as_precompiled_new(t->ctx, as_buffer_string(&rules), rules.length, &state);
  if (status == AS_OK)
    status = as_put_stage(t->loader.tokenizer, AS_STAGE_NORMALIZER, &as_precompiled_normalizer.component, state);
  as_buffer_free(&rules);
  return status;
}

/* The stages of the published T5 tokenizers that make words of a text. */
static as_status make_words(trainer *t) {
  as_tokenizer *tokenizer = t->loader.tokenizer;
  as_status status = make_normalizer(t);
  if (status == AS_OK)
    status =
        as_put_stage(tokenizer, AS_STAGE_PRE_TOKENIZER, &as_pre_tokenizer_sequence.component, as_sequence_new(t->ctx));
  if (status != AS_OK) return status;
  void *sequence = tokenizer->stages[AS_STAGE_PRE_TOKENIZER].state, *mark = as_metaspace_new(t->ctx);
  if (!mark) return AS_E_NOMEM;
  as_sequence_put(sequence, (as_stage){.type = &as_whitespace_split.component});
  as_sequence_put(sequence, (as_stage){.type = &as_metaspace_pre_tokenizer.component, .state = mark});
  return AS_OK;
}

static as_status make_tokens(trainer *t) {
  as_tokenizer *tokenizer = t->loader.tokenizer;
  as_template form = {0};
  as_status status = as_put_stage(tokenizer, AS_STAGE_MODEL, &as_unigram_model.component,
                                  as_unigram_new(t->ctx, &tokenizer->vocabulary, UNK_ID));
  if (status == AS_OK)
    status = as_put_stage(tokenizer, AS_STAGE_DECODER, &as_metaspace_decoder.component, as_metaspace_new(t->ctx));
  if (status != AS_OK) return status;
  status = as_template_ended(&form, t->ctx, tokenizer->special[AS_TOKEN_EOS], EOS_ID);
  if (status != AS_OK) {
    as_template_free(&form, t->ctx);
    return status;
  }
  return as_put_stage(tokenizer, AS_STAGE_POST_PROCESSOR, &as_template_processing.component,
                      as_template_processing_new(t->ctx, &form));
}

/* ---- words and characters ------------------------------------------------------------------------------------- */

static bool is_counted(const char *word, size_t length) {
  (void)word;
  return length > 0;
}

static uint32_t decode(const char *text, size_t length, size_t *size) {
  uint32_t code_point;
  int decoded = as_utf8_decode(text, length, &code_point);
  *size = (size_t)(decoded < 0 ? -decoded : decoded);
  return code_point;
}

static int compare_counts(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x < y) - (x > y);
}

/* Counts the characters and forgets the rarest, as far as the coverage allows; of equally rare ones all stay. */
static as_status count_characters(trainer *t, double coverage) {
  int64_t *sorted = as_alloc(t->ctx, CODE_POINTS, sizeof *sorted);
  t->characters = as_alloc_zero(t->ctx, CODE_POINTS, sizeof *t->characters);
  if (!sorted || !t->characters) {
    as_free(t->ctx, sorted);
    return AS_E_NOMEM;
  }
  for (size_t i = 0; i < t->counts.count; i++) {
    const as_word_count *word = &t->counts.words[i];
    for (size_t at = 0, size; at < word->length; at += size)
      t->characters[decode(t->counts.pool.data + word->start + at, word->length - at, &size)] += word->count;
  }
  size_t kinds = 0;
  double all = 0, covered = 0;
  for (size_t c = 0; c < CODE_POINTS; c++)
    if (t->characters[c] > 0) {
      all += (double)t->characters[c];
      sorted[kinds++] = t->characters[c];
    }
  qsort(sorted, kinds, sizeof *sorted, compare_counts);
  int64_t least = 0;
  for (size_t i = 0; i < kinds && covered < coverage * all; i++) covered += (double)(least = sorted[i]);
  for (size_t c = 0; c < CODE_POINTS; c++)
    if (t->characters[c] < least) t->characters[c] = 0;
  as_free(t->ctx, sorted);
  return AS_OK;
}

static as_status put_word(trainer *t, size_t start, size_t end, uint32_t characters, int64_t count) {
  if (characters == 0) return AS_OK;
  as_training_piece *words = as_grow(t->ctx, t->words, &t->word_capacity, t->word_count + 1, sizeof *words);
  if (!words) return AS_E_NOMEM;
  t->words = words;
  words[t->word_count++] =
      (as_training_piece){.start = start, .length = (uint32_t)(end - start), .characters = characters, .count = count};
  return AS_OK;
}

/* Cuts the words at characters without a piece, and where they are too long. */
static as_status cut_words(trainer *t) {
  as_status status = AS_OK;
  for (size_t i = 0; i < t->counts.count && status == AS_OK; i++) {
    const as_word_count *word = &t->counts.words[i];
    const char *pool = t->counts.pool.data;
    size_t start = word->start, end = word->start + word->length;
    uint32_t characters = 0;
    for (size_t at = start, size; at < end && status == AS_OK; at += size) {
      bool known = t->characters[decode(pool + at, end - at, &size)] > 0;
      if (known && ++characters < AS_TRAINING_WORD) continue;
      status = put_word(t, start, known ? at + size : at, characters, word->count);
      start = at + size;
      characters = 0;
    }
    if (status == AS_OK) status = put_word(t, start, end, characters, word->count);
  }
  return status;
}

/* The pieces that training begins with: the characters by code point, whose bytes are appended to the pool, then the
 * substrings. */
static as_status begin(trainer *t, size_t seed_size) {
  as_status status = as_piece_choice_init(&t->choice, t->ctx, &t->counts.pool, t->words, t->word_count);
  for (uint32_t c = 0; c < CODE_POINTS && status == AS_OK; c++)
    if (t->characters[c] > 0) status = as_piece_choice_add(&t->choice, c, t->characters[c]);
  as_training_piece *seeds = NULL;
  size_t count = 0;
  if (status == AS_OK)
    status = as_seed_pieces(t->ctx, t->counts.pool.data, t->words, t->word_count, seed_size, &seeds, &count);
  if (status == AS_OK) status = as_piece_choice_append(&t->choice, seeds, count);
  as_free(t->ctx, seeds);
  return status;
}

/* ---- the vocabulary ------------------------------------------------------------------------------------------- */

static as_status add_special(trainer *t, const char *content) {
  as_vocabulary *vocabulary = &t->loader.tokenizer->vocabulary;
  as_status status = as_vocabulary_add_piece(vocabulary, content, strlen(content), 0);
  return status == AS_OK ? as_add_special_token(&t->loader, content, false) : status;
}

static as_status fill_vocabulary(trainer *t, size_t extra_ids) {
  as_tokenizer *tokenizer = t->loader.tokenizer;
  as_status status = AS_OK;
  for (int i = 0; i < SPECIAL_COUNT && status == AS_OK; i++) status = add_special(t, tokenizer->special[SPECIALS[i]]);
  for (size_t i = 0; i < t->choice.count && status == AS_OK; i++) {
    const as_training_piece *piece = &t->choice.pieces[i];
    const char *bytes = t->counts.pool.data + piece->start;
    if (as_vocabulary_id(&tokenizer->vocabulary, bytes, piece->length) >= 0) continue; /* a text has "<unk>" */
    status = as_vocabulary_add_piece(&tokenizer->vocabulary, bytes, piece->length, piece->score);
  }
  for (size_t i = extra_ids; i-- > 0 && status == AS_OK;) {
    char content[32];
    snprintf(content, sizeof content, "<extra_id_%zu>", i);
    status = add_special(t, content);
  }
  return status;
}

/* ---- training ------------------------------------------------------------------------------------------------- */

static as_status train(trainer *t, const as_unigram_training *options, as_text_source next, void *user) {
  t->loader.tokenizer = as_tokenizer_new(t->ctx);
  if (!t->loader.tokenizer) return AS_E_NOMEM;
  size_t reserved = SPECIAL_COUNT + options->extra_ids;
  as_status status = as_name_special_tokens(&t->loader, &as_unigram_model);
  if (status == AS_OK) status = make_words(t);
  if (status == AS_OK) status = as_word_counts_read(&t->counts, t->loader.tokenizer, next, user, is_counted);
  if (status == AS_OK)
    status = count_characters(t, options->character_coverage > 0 ? options->character_coverage : USUAL_COVERAGE);
  if (status == AS_OK) status = cut_words(t);
  if (status == AS_OK) status = begin(t, options->seed_size ? options->seed_size : USUAL_SEEDS);
  if (status == AS_OK) status = as_choose_pieces(&t->choice, options->vocab_size - reserved);
  if (status != AS_OK) return status;
  if (t->choice.count + reserved > options->vocab_size)
    as_warn(t->ctx, "the special tokens and the characters of the texts are %zu pieces, more than the %zu asked for",
            t->choice.count + reserved, options->vocab_size);
  if (t->choice.count + reserved < options->vocab_size)
    as_warn(t->ctx, "the texts have only %zu pieces worth keeping, fewer than the %zu asked for",
            t->choice.count + reserved, options->vocab_size);
  status = fill_vocabulary(t, options->extra_ids);
  if (status == AS_OK) status = make_tokens(t);
  return status == AS_OK ? as_tokenizer_finish(&t->loader) : status;
}

as_status as_unigram_train(as_context *ctx, const as_unigram_training *options, as_text_source next, void *user,
                           as_tokenizer **out) {
  *out = NULL;
  if (options->extra_ids > MAX_EXTRA_IDS || options->vocab_size <= SPECIAL_COUNT + options->extra_ids)
    return as_fail(ctx, AS_E_INVALID, "a vocabulary of %zu pieces has no room beside the %zu special ones",
                   options->vocab_size, SPECIAL_COUNT + options->extra_ids);
  if (!(options->character_coverage >= 0 && options->character_coverage <= 1))
    return as_fail(ctx, AS_E_INVALID, "a character coverage is from 0 to 1, not %g", options->character_coverage);
  trainer t = {.ctx = ctx, .loader = {.ctx = ctx, .path = "the trained vocabulary", .where = ""}};
  as_word_counts_init(&t.counts, ctx);
  as_status status = train(&t, options, next, user);
  as_piece_choice_free(&t.choice);
  as_word_counts_free(&t.counts);
  as_free(ctx, t.words);
  as_free(ctx, t.characters);
  if (status == AS_OK)
    *out = t.loader.tokenizer;
  else
    as_tokenizer_free(t.loader.tokenizer);
  return status;
}
