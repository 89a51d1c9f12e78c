/* SentencePiece's normalizing, tokenizing and decoding. */
#include "tokenizer/sentencepiece.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/byte_token.h"
#include "tokenizer/piece_file.h"

static const char MARK[] = "\xE2\x96\x81"; /* what a space becomes */
enum { MARK_LENGTH = 3 };

/* ---- the normalizer ------------------------------------------------------------------------------------------- */

static void release_normalizer(as_context *ctx, void *state) {
  as_sp_normalizer *self = state;
  if (self->has_map) as_charsmap_free(&self->map);
  as_trie_free(&self->user_defined);
  as_free(ctx, self);
}

/* What the text at `text` begins with is rewritten to: returns it, *length being its bytes and *taken those that it
 * stands for. A user-defined piece stays as it is, else the longest rule counts. */
static const char *next_prefix(const as_sp_normalizer *self, const char *text, size_t left, size_t *length,
                               size_t *taken) {
  if (as_trie_longest(&self->user_defined, 0, text, left, taken) >= 0) {
    *length = *taken;
    return text;
  }
  const char *to = self->has_map ? as_charsmap_longest(&self->map, text, left, taken) : NULL;
  if (to) {
    *length = strlen(to);
    return to;
  }
  uint32_t code_point;
  *length = *taken = (size_t)as_utf8_decode(text, left, &code_point);
  return text;
}

/* Appends bytes that begin to stand for the original at `consumed`; spaces become marks. */
static as_status put(const as_sp_normalizer *self, as_work *work, as_aligned_text *out, const char *bytes,
                     size_t length, uint32_t consumed) {
  as_status status = as_aligned_reserve(work, out, MARK_LENGTH * length);
  for (size_t i = 0; i < length && status == AS_OK; i++) {
    bool space = bytes[i] == ' ' && self->escape_whitespaces;
    as_aligned_put(out, space ? MARK : bytes + i, space ? MARK_LENGTH : 1, (as_span){consumed, consumed});
  }
  return status;
}

/* Takes spaces off the end, for as long as there are any; *consumed becomes where the first of them began. */
static void drop_trailing(const as_sp_normalizer *self, as_aligned_text *out, size_t start, uint32_t *consumed) {
  const char *space = self->escape_whitespaces ? MARK : " ";
  size_t length = strlen(space);
  while (out->length - start >= length && memcmp(out->bytes + out->length - length, space, length) == 0) {
    out->length -= length;
    *consumed = out->origin[out->length].start;
  }
}

/* A byte stands for the original from where it begins to where the next one does. */
static void close_spans(as_aligned_text *out, size_t start, uint32_t consumed) {
  for (size_t i = out->length; i > start; i--) {
    out->origin[i - 1].end = consumed;
    consumed = out->origin[i - 1].start;
  }
}

static as_status normalize(const void *state, as_work *work, as_text_view in, as_aligned_text *out) {
  const as_sp_normalizer *self = state;
  size_t start = out->length, length, taken;
  uint32_t at = 0;
  while (self->remove_extra_whitespaces && at < in.length) {
    const char *to = next_prefix(self, in.bytes + at, in.length - at, &length, &taken);
    if (length != 1 || *to != ' ') break;
    at += (uint32_t)taken;
  }
  if (at == in.length) return AS_OK;
  as_status status = self->add_dummy_prefix ? put(self, work, out, " ", 1, in.base + at) : AS_OK;
  bool after_space = self->remove_extra_whitespaces;
  while (at < in.length && status == AS_OK) {
    const char *to = next_prefix(self, in.bytes + at, in.length - at, &length, &taken);
    for (; after_space && length > 0 && *to == ' '; to++) length--;
    if (length > 0) {
      status = put(self, work, out, to, length, in.base + at);
      after_space = self->remove_extra_whitespaces && to[length - 1] == ' ';
    }
    at += (uint32_t)taken;
  }
  uint32_t consumed = in.base + at;
  if (status == AS_OK && self->remove_extra_whitespaces) drop_trailing(self, out, start, &consumed);
  close_spans(out, start, consumed);
  return status;
}

const as_normalizer_type as_sentencepiece_normalizer = {
    .component = {.name = "SentencePiece", .release = release_normalizer}, .normalize = normalize};

/* ---- the model ------------------------------------------------------------------------------------------------ */

static void release_model(as_context *ctx, void *state) {
  as_free(ctx, ((as_sp_model *)state)->file);
  as_free(ctx, state);
}

/* One unknown character as the pieces of its bytes, of which only the last has an extent. */
static as_status emit_bytes(const as_unigram *unigram, as_work *work, uint32_t start, uint32_t end) {
  as_status status = AS_OK;
  for (uint32_t at = start; at < end && status == AS_OK; at++) {
    status = as_work_emit(work, unigram->bytes[(unsigned char)work->text.bytes[at]], start, end);
    if (status != AS_OK || at + 1 == end) continue;
    as_token *token = &work->list->items[work->list->length - 1];
    token->span.end = token->span.start;
  }
  return status;
}

static as_status tokenize(const as_tokenizer *tokenizer, const void *state, as_work *work, uint32_t start,
                          uint32_t end) {
  const as_unigram *unigram = &((const as_sp_model *)state)->unigram;
  uint32_t to, at = 0;
  if (start == end) return AS_OK;
  as_status status = as_unigram_best_way(unigram, &tokenizer->vocabulary, work, start, end, &to);
  while (status == AS_OK && to != AS_NO_START) {
    const as_lattice_node *lattice = work->lattice;
    int32_t id = lattice[to].id;
    if (id != unigram->unk_id) {
      status = as_work_emit(work, id, start + at, start + to);
    } else if (unigram->byte_fallback) {
      status = emit_bytes(unigram, work, start + at, start + to);
    } else {
      while (lattice[to].start != AS_NO_START && lattice[lattice[to].start].id == id) to = lattice[to].start;
      status = as_work_emit_surface(work, id, start + at, start + to, work->text.bytes + start + at, to - at);
    }
    at = to;
    to = lattice[to].start;
  }
  return status;
}

/* The file is written as it was read. */
static as_status save(const as_tokenizer *tokenizer, const void *state, const char *folder) {
  const as_sp_model *self = state;
  as_context *ctx = tokenizer->ctx;
  char *path = as_path_join(ctx, folder, "spiece.model");
  as_status status = path ? as_file_write(ctx, path, self->file, self->file_length) : AS_E_NOMEM;
  as_free(ctx, path);
  return status;
}

const as_model_type as_sentencepiece_model = {
    .component = {.name = "Unigram", .release = release_model},
    .tokenize = tokenize,
    .save = save,
    .special_tokens = {[AS_TOKEN_UNK] = "<unk>",
                       [AS_TOKEN_SEP] = "[SEP]",
                       [AS_TOKEN_PAD] = "<pad>",
                       [AS_TOKEN_CLS] = "[CLS]",
                       [AS_TOKEN_MASK] = "[MASK]",
                       [AS_TOKEN_EOS] = "</s>"},
    .write_config = as_write_piece_config,
    .raw = true,
};

/* ---- the decoder ---------------------------------------------------------------------------------------------- */

static void release_decoder(as_context *ctx, void *state) {
  as_sp_decoder *self = state;
  as_trie_free(&self->types);
  as_free(ctx, self->unk_surface);
  as_free(ctx, self);
}

/* Ends a run of byte pieces: valid characters as they are, U+FFFD for each other byte. */
static void end_bytes(as_buffer *run, as_buffer *out) {
  for (size_t at = 0; at < run->length;) {
    uint32_t code_point;
    int size = as_utf8_decode(run->data + at, run->length - at, &code_point);
    if (size > 0)
      as_buffer_append(out, run->data + at, (size_t)size);
    else
      as_buffer_text(out, "\xEF\xBF\xBD");
    at += size > 0 ? (size_t)size : 1;
  }
  as_buffer_clear(run);
}

static void put_piece(as_token_text piece, as_buffer *out) {
  for (size_t at = 0; at < piece.length;) {
    bool mark = piece.length - at >= MARK_LENGTH && memcmp(piece.text + at, MARK, MARK_LENGTH) == 0;
    as_buffer_char(out, mark ? ' ' : piece.text[at]);
    at += mark ? MARK_LENGTH : 1;
  }
}

static as_status decode(const void *state, as_context *ctx, const as_token_text *tokens, size_t count, as_buffer *out) {
  const as_sp_decoder *self = state;
  size_t start = out->length;
  bool beginning = true, dropped = false;
  as_buffer run;
  as_buffer_init(&run, ctx);
  for (size_t i = 0; i < count; i++) {
    as_token_text piece = tokens[i];
    int32_t type = as_trie_get(&self->types, piece.text, piece.length);
    if (type == AS_PIECE_BYTE) {
      as_buffer_char(&run, (char)as_byte_token(piece.text, piece.length));
      continue;
    }
    end_bytes(&run, out);
    if (dropped || out->length > start) beginning = false;
    dropped = false;
    if (type == AS_PIECE_CONTROL) continue;
    if (type == AS_PIECE_UNKNOWN) {
      as_buffer_text(out, self->unk_surface);
      continue;
    }
    if (beginning && self->drops_first && piece.length >= MARK_LENGTH && memcmp(piece.text, MARK, MARK_LENGTH) == 0) {
      piece.text += MARK_LENGTH;
      piece.length -= MARK_LENGTH;
      dropped = !self->drops_leading;
    }
    put_piece(piece, out);
  }
  end_bytes(&run, out);
  as_status status = as_buffer_status(&run);
  as_buffer_free(&run);
  return status == AS_OK ? as_buffer_status(out) : status;
}

const as_decoder_type as_sentencepiece_decoder = {.component = {.name = "SentencePiece", .release = release_decoder},
                                                  .decode = decode};
