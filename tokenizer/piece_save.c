/* Writing spiece.model and what tokenizer_config.json says, for a Unigram that came from tokenizer.json or a trainer.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "tokenizer/byte_token.h"
#include "tokenizer/components.h"
#include "tokenizer/piece_file.h"
#include "tokenizer/protobuf.h"
#include "tokenizer/sentencepiece.h"

/* ---- what a tokenizer looks like to others -------------------------------------------------------------------- */

/* How many "<extra_id_n>" the highest ids are, n going down to 0. They are not part of a spiece.model. */
static size_t count_extra_ids(const as_tokenizer *tokenizer) {
  size_t limit = as_tokenizer_vocab_size(tokenizer), count = 0;
  for (; count < limit; count++) {
    char content[32];
    size_t length, wanted = (size_t)snprintf(content, sizeof content, "<extra_id_%zu>", count);
    const char *token = as_tokenizer_token(tokenizer, (int64_t)(limit - 1 - count), &length);
    if (!token || length != wanted || memcmp(token, content, wanted) != 0) break;
  }
  return count;
}

static bool is_token(const as_tokenizer *tokenizer, int64_t id, const char *content) {
  const char *token = as_tokenizer_token(tokenizer, id, NULL);
  return token && strcmp(token, content) == 0;
}

/* T5Tokenizer has its ids and its template built in. */
static bool is_t5(const as_tokenizer *tokenizer) {
  const as_template *form = as_template_of(tokenizer);
  return is_token(tokenizer, 0, "<pad>") && is_token(tokenizer, 1, "</s>") && is_token(tokenizer, 2, "<unk>") && form &&
         as_template_is_ended(form, 1);
}

void as_write_piece_config(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  (void)state;
  const int32_t *ids = tokenizer->special_ids;
  const as_template *form = as_template_of(tokenizer);
  if (is_t5(tokenizer)) {
    as_json_int(writer, "extra_ids", (int64_t)count_extra_ids(tokenizer));
    as_json_string(writer, "tokenizer_class", "T5Tokenizer");
  } else if (as_model_of(tokenizer)->raw && form &&
             as_template_is_classifier(form, ids[AS_TOKEN_CLS], ids[AS_TOKEN_SEP], AS_FORM_BERT)) {
    as_json_string(writer, "tokenizer_class", "AlbertTokenizer");
  } else {
    as_json_string(writer, "tokenizer_class", "PreTrainedTokenizerFast");
  }
}

/* ---- spiece.model --------------------------------------------------------------------------------------------- */

static as_piece_type type_of(const as_tokenizer *tokenizer, const as_unigram *model, int32_t id, const char *piece,
                             size_t length) {
  const as_added_token *added = as_added_token_by_id(&tokenizer->added, id);
  if (id == model->unk_id) return AS_PIECE_UNKNOWN;
  if (added && added->special) return AS_PIECE_CONTROL;
  if (added) return AS_PIECE_USER_DEFINED;
  return model->byte_fallback && as_byte_token(piece, length) >= 0 ? AS_PIECE_BYTE : AS_PIECE_NORMAL;
}

/* The rules of the normalizer, or of the first Precompiled of a sequence; NULL if there are none. */
static const as_charsmap *find_rules(const as_tokenizer *tokenizer) {
  const as_stage *stage = &tokenizer->stages[AS_STAGE_NORMALIZER];
  size_t count = 1;
  if (stage->type == &as_normalizer_sequence.component) stage = as_sequence_items(stage->state, &count);
  for (size_t i = 0; i < count; i++)
    if (stage[i].type == &as_precompiled_normalizer.component) return as_precompiled_rules(stage[i].state);
  return NULL;
}

static as_status put_pieces(const as_tokenizer *tokenizer, const as_unigram *model, size_t count, as_buffer *out) {
  as_buffer message;
  as_buffer_init(&message, tokenizer->ctx);
  for (size_t id = 0; id < count; id++) {
    size_t length = 0;
    const char *piece = as_vocabulary_token(&tokenizer->vocabulary, (int64_t)id, &length);
    as_piece_type type = type_of(tokenizer, model, (int32_t)id, piece, length);
    as_buffer_clear(&message);
    as_proto_put_bytes(&message, 1, piece, length);
    as_proto_put_float(&message, 2, (float)tokenizer->vocabulary.scores[id]);
    if (type != AS_PIECE_NORMAL) as_proto_put_int(&message, 3, type);
    as_proto_put_bytes(out, 1, as_buffer_string(&message), message.length);
  }
  as_status status = as_buffer_status(&message);
  as_buffer_free(&message);
  return status;
}

static void put_special(const as_tokenizer *tokenizer, as_special_token which, uint32_t id_field, uint32_t piece_field,
                        as_buffer *out) {
  int32_t id = tokenizer->special_ids[which];
  as_proto_put_int(out, id_field, id);
  if (id >= 0) as_proto_put_bytes(out, piece_field, tokenizer->special[which], strlen(tokenizer->special[which]));
}

/* trainer_spec: what a reader needs to know of how the pieces came about. */
static as_status put_trainer(const as_tokenizer *tokenizer, const as_unigram *model, size_t count, as_buffer *out) {
  as_buffer message;
  as_buffer_init(&message, tokenizer->ctx);
  as_proto_put_int(&message, 3, 1); /* model_type: UNIGRAM */
  as_proto_put_int(&message, 4, (int64_t)count);
  as_proto_put_int(&message, 35, model->byte_fallback);
  put_special(tokenizer, AS_TOKEN_UNK, 40, 45, &message);
  put_special(tokenizer, AS_TOKEN_BOS, 41, 46, &message);
  put_special(tokenizer, AS_TOKEN_EOS, 42, 47, &message);
  put_special(tokenizer, AS_TOKEN_PAD, 43, 48, &message);
  as_proto_put_bytes(out, 2, as_buffer_string(&message), message.length);
  as_status status = as_buffer_status(&message);
  as_buffer_free(&message);
  return status;
}

static as_status put_normalizer(const as_tokenizer *tokenizer, as_buffer *out) {
  const as_charsmap *rules = find_rules(tokenizer);
  const char *name = rules ? "user_defined" : "identity";
  as_buffer message;
  as_buffer_init(&message, tokenizer->ctx);
  as_proto_put_bytes(&message, 1, name, strlen(name));
  as_proto_put_bytes(&message, 2, rules ? rules->blob : "", rules ? rules->length : 0);
  for (uint32_t field = 3; field <= 5; field++) as_proto_put_int(&message, field, 1); /* spaces as usual */
  as_proto_put_bytes(out, 3, as_buffer_string(&message), message.length);
  as_status status = as_buffer_status(&message);
  as_buffer_free(&message);
  return status;
}

/* SentencePiece does not open a file without an unknown piece, so then there is none. */
as_status as_save_piece_file(const as_tokenizer *tokenizer, const void *state, const char *folder) {
  const as_unigram *model = state;
  if (model->unk_id < 0) return AS_OK;
  as_context *ctx = tokenizer->ctx;
  size_t limit = tokenizer->vocabulary.limit, extra = count_extra_ids(tokenizer);
  size_t all = as_tokenizer_vocab_size(tokenizer), count = all - extra < limit ? all - extra : limit;
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_status status = put_pieces(tokenizer, model, count, &out);
  if (status == AS_OK) status = put_trainer(tokenizer, model, count, &out);
  if (status == AS_OK) status = put_normalizer(tokenizer, &out);
  if (status == AS_OK) status = as_file_write_into(ctx, folder, "spiece.model", &out);
  as_buffer_free(&out);
  return status;
}
