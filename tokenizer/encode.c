/* Encoding: the text through the stages, then as_assemble. */
#include "tokenizer/encode.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/assemble.h"

#define MAX_TEXT                                                                                                       \
  ((size_t)256 << 20) /* a normal form is at most 11 times as long (U+FDFA): positions stay below 2^32                 \
                       */

void as_encoding_init(as_encoding *encoding, as_context *ctx) {
  *encoding = (as_encoding){0};
  encoding->ctx = ctx;
}

void as_encoding_free(as_encoding *encoding) {
  as_free(encoding->ctx, encoding->part_start);
  as_work_free(encoding->work);
  as_encoding_init(encoding, encoding->ctx);
}

/* ---- one text ------------------------------------------------------------------------------------------------- */

static bool is_ascii(const char *text, size_t length) {
  size_t at = 0;
  for (; at + 8 <= length; at += 8) {
    uint64_t bytes;
    memcpy(&bytes, text + at, 8);
    if (bytes & 0x8080808080808080u) return false;
  }
  for (; at < length; at++)
    if ((unsigned char)text[at] >= 0x80) return false;
  return true;
}

/* A piece between added tokens: its normal form goes to work->text. */
static as_status normalize_piece(const as_tokenizer *tokenizer, as_work *work, const char *text, as_split piece) {
  as_aligned_text *out = &work->text;
  as_text_view view = {.bytes = text + piece.start, .base = piece.start, .length = piece.end - piece.start};
  const as_normalizer_type *normalizer = as_normalizer_of(tokenizer);
  if (normalizer) return normalizer->normalize(tokenizer->stages[AS_STAGE_NORMALIZER].state, work, view, out);
  as_status status = as_aligned_reserve(work, out, view.length);
  for (uint32_t at = 0, size; status == AS_OK && at < view.length; at += size) {
    uint32_t code_point;
    size = (uint32_t)as_utf8_decode(view.bytes + at, view.length - at, &code_point);
    as_aligned_put(out, view.bytes + at, size, (as_span){piece.start + at, piece.start + at + size});
  }
  return status;
}

/* An added token found in the raw text goes to work->text as it is. */
static as_status copy_piece(as_work *work, const char *text, as_split piece) {
  as_status status = as_aligned_reserve(work, &work->text, piece.end - piece.start);
  if (status == AS_OK)
    as_aligned_put(&work->text, text + piece.start, piece.end - piece.start, (as_span){piece.start, piece.end});
  return status;
}

/* Cuts the raw text at added tokens, normalizes what lies between and cuts that at the normalized ones: fills
 * work->text and work->splits. */
static as_status cut_and_normalize(const as_tokenizer *tokenizer, as_work *work, const char *text, size_t length) {
  as_split_list *raw = &work->spare_splits, *pieces = &work->splits;
  work->text.length = raw->length = pieces->length = 0;
  as_status status = as_added_tokens_cut(&tokenizer->added, 0, work, text, 0, length, raw);
  for (size_t i = 0; i < raw->length && status == AS_OK; i++) {
    as_split piece = raw->items[i];
    size_t start = work->text.length;
    if (piece.added >= 0) {
      status = copy_piece(work, text, piece);
      if (status == AS_OK) status = as_split_put(work, pieces, start, work->text.length, piece.added);
      continue;
    }
    status = normalize_piece(tokenizer, work, text, piece);
    if (status == AS_OK)
      status = as_added_tokens_cut(&tokenizer->added, 1, work, work->text.bytes, start, work->text.length, pieces);
  }
  return status;
}

/* Turns the words of work->text into tokens. */
static as_status tokenize_splits(const as_tokenizer *tokenizer, as_work *work) {
  const as_model_type *model = as_model_of(tokenizer);
  const void *state = tokenizer->stages[AS_STAGE_MODEL].state;
  as_status status = AS_OK;
  for (size_t i = 0; i < work->splits.length && status == AS_OK; i++) {
    as_split split = work->splits.items[i];
    if (split.added < 0) {
      status = model->tokenize(tokenizer, state, work, split.start, split.end);
      continue;
    }
    const as_added_token *token = &tokenizer->added.items[split.added];
    const char *surface = work->text.bytes + split.start;
    size_t length = split.end - split.start;
    if (length == token->length && memcmp(surface, token->content, length) == 0)
      status = as_work_emit(work, token->id, split.start, split.end);
    else
      status = as_work_emit_surface(work, token->id, split.start, split.end, surface, length);
  }
  return status;
}

as_status as_tokenizer_split(const as_tokenizer *tokenizer, as_work *work, int index, const char **text, size_t *length,
                             size_t *repaired) {
  work->splits.length = 0;
  if (*length > MAX_TEXT)
    return as_fail(work->ctx, AS_E_LIMIT, "a text of %zu bytes is longer than the %zu that can be tokenized at once",
                   *length, MAX_TEXT);
  if (!is_ascii(*text, *length) && !as_utf8_valid(*text, *length)) {
    as_buffer *copy = &work->repaired[index];
    as_buffer_clear(copy);
    *repaired += as_utf8_repair(copy, *text, *length);
    as_status status = as_buffer_status(copy);
    if (status != AS_OK) return status;
    *text = copy->data;
    *length = copy->length;
  }
  as_status status = cut_and_normalize(tokenizer, work, *text, *length);
  const as_pre_tokenizer_type *pre_tokenizer = as_pre_tokenizer_of(tokenizer);
  if (status != AS_OK || !pre_tokenizer) return status;
  return pre_tokenizer->split(tokenizer->stages[AS_STAGE_PRE_TOKENIZER].state, work);
}

/* Fills work->tokens[index]; the other arguments are those of as_tokenizer_split. */
static as_status tokenize(const as_tokenizer *tokenizer, as_work *work, int index, const char **text, size_t *length,
                          size_t *repaired) {
  work->list = &work->tokens[index];
  work->list->length = 0;
  as_status status = as_tokenizer_split(tokenizer, work, index, text, length, repaired);
  if (status == AS_OK) work->source[index] = (as_text_view){.bytes = *text, .length = (uint32_t)*length};
  return status == AS_OK ? tokenize_splits(tokenizer, work) : status;
}

/* ---- offsets in code points ----------------------------------------------------------------------------------- */

/* Fills char_offsets for the tokens of text `index`. */
static as_status count_characters(as_encoding *encoding, int index, const char *text, size_t length) {
  as_work *work = encoding->work;
  size_t tokens = encoding->part_start[encoding->parts];
  bool ascii = is_ascii(text, length);
  if (!ascii) {
    uint32_t *before = as_grow(work->ctx, work->char_index, &work->char_index_capacity, length + 1, sizeof *before);
    if (!before) return AS_E_NOMEM;
    work->char_index = before;
    uint32_t count = 0;
    for (size_t at = 0; at < length; at++) {
      before[at] = count;
      count += at + 1 == length || ((unsigned char)text[at + 1] & 0xC0) != 0x80;
    }
    before[length] = count;
  }
  for (size_t i = 0; i < tokens; i++) {
    if (encoding->sequence[i] != index) continue;
    for (size_t side = 2 * i; side < 2 * i + 2; side++) {
      uint32_t byte = encoding->byte_offsets[side];
      encoding->char_offsets[side] = ascii ? byte : work->char_index[byte];
    }
  }
  return AS_OK;
}

/* ---- all of it ------------------------------------------------------------------------------------------------ */

static as_status encode(const as_tokenizer *tokenizer, const char *text[2], size_t length[2], int texts,
                        const as_encode_options *options, as_encoding *encoding) {
  if (!encoding->work) encoding->work = as_work_new(encoding->ctx);
  if (!encoding->work) return AS_E_NOMEM;
  as_buffer_clear(&encoding->work->surface_pool);
  encoding->work->surface_count = 0;
  encoding->repaired = 0;
  as_status status = AS_OK;
  for (int i = 0; i < texts && status == AS_OK; i++)
    status = tokenize(tokenizer, encoding->work, i, &text[i], &length[i], &encoding->repaired);
  if (status == AS_OK) status = as_assemble(tokenizer, options, texts, encoding);
  if (status != AS_OK || !options->offsets) return status;
  size_t tokens = encoding->part_start[encoding->parts];
  if (tokens == 0) return AS_OK; /* there may be no arrays yet */
  memset(encoding->char_offsets, 0, 2 * tokens * sizeof *encoding->char_offsets);
  for (int i = 0; i < texts && status == AS_OK; i++) status = count_characters(encoding, i, text[i], length[i]);
  return status;
}

as_status as_tokenizer_encode(const as_tokenizer *tokenizer, const char *text, size_t length, const char *pair,
                              size_t pair_length, const as_encode_options *options, as_encoding *encoding) {
  const char *texts[2] = {text, pair};
  size_t lengths[2] = {length, pair_length};
  as_encode_options usual = {0};
  as_status status = encode(tokenizer, texts, lengths, pair ? 2 : 1, options ? options : &usual, encoding);
  if (status != AS_OK) as_encoding_free(encoding);
  return status;
}

const char *as_work_token(const as_tokenizer *tokenizer, const as_work *work, const as_token *token, size_t *length) {
  if (token->surface >= 0) {
    const as_surface *surface = &work->surfaces[token->surface];
    if (length) *length = surface->length;
    return work->surface_pool.data + surface->start;
  }
  const char *known = as_vocabulary_token(&tokenizer->vocabulary, token->id, length);
  const as_added_token *added = known ? NULL : as_added_token_by_id(&tokenizer->added, token->id);
  if (!added) return known;
  if (length) *length = added->length;
  return added->content;
}

const char *as_encoding_token(const as_tokenizer *tokenizer, const as_encoding *encoding, size_t index,
                              size_t *length) {
  const as_work *work = encoding->work;
  if (!work || index >= encoding->part_start[encoding->parts]) return NULL;
  as_token token = {.id = encoding->ids[index], .surface = work->surface_of[index]};
  return as_work_token(tokenizer, work, &token, length);
}
