/* Added tokens from and to JSON. */
#include "tokenizer/added_tokens_json.h"

#include <inttypes.h>
#include <string.h>

#include "tokenizer/fields.h"

/* The reference numbers added tokens itself, whatever their file says: a token of the vocabulary keeps its id, others
 * get the first ids that neither the vocabulary's size nor earlier ones cover. */
static int32_t next_id(const as_tokenizer *tokenizer) {
  size_t size = tokenizer->vocabulary.count, limit = tokenizer->added.limit;
  return (int32_t)(limit > size ? limit : size);
}

static as_status add(as_loader *loader, const char *where, as_added_token token) {
  as_tokenizer *tokenizer = loader->tokenizer;
  int32_t wanted = token.id;
  const as_added_token *known = as_added_token_by_content(&tokenizer->added, token.content, token.length);
  token.id = known ? known->id : as_vocabulary_id(&tokenizer->vocabulary, token.content, token.length);
  if (token.id < 0) {
    token.id = next_id(tokenizer);
    if (as_vocabulary_token(&tokenizer->vocabulary, token.id, NULL))
      return as_field_fail(loader, where, "",
                           "adds \"%.60s\", but the vocabulary's ids have holes and %" PRId32 " is taken",
                           token.content, token.id);
  }
  if (wanted != token.id)
    as_warn(loader->ctx, "%s: %s gives \"%.60s\" id %" PRId32 ", but it has id %" PRId32, loader->path, where,
            token.content, wanted, token.id);
  return as_added_tokens_put(&tokenizer->added, token);
}

as_status as_read_added_token(as_loader *loader, const json_t *json, const char *where, int32_t id) {
  as_status status = as_field_object(loader, json, where);
  if (status != AS_OK) return status;
  const char *content = NULL;
  as_added_token token = {.id = id};
  status = as_field_string(loader, json, where, "content", &content);
  if (status == AS_OK && !content) status = as_field_fail(loader, where, "content", "is missing");
  if (status == AS_OK) status = as_field_bool(loader, json, where, "special", &token.special);
  token.normalized = !token.special;
  if (status == AS_OK) status = as_field_bool(loader, json, where, "single_word", &token.single_word);
  if (status == AS_OK) status = as_field_bool(loader, json, where, "lstrip", &token.lstrip);
  if (status == AS_OK) status = as_field_bool(loader, json, where, "rstrip", &token.rstrip);
  if (status == AS_OK) status = as_field_bool(loader, json, where, "normalized", &token.normalized);
  if (status != AS_OK || *content == 0) return status; /* the reference passes over an empty one, too */
  token.content = (char *)content;
  token.length = strlen(content);
  if (token.length > AS_MAX_ADDED_TOKEN)
    return as_field_fail(loader, where, "content", "is longer than %d bytes", AS_MAX_ADDED_TOKEN);
  return add(loader, where, token);
}

as_status as_add_special_token(as_loader *loader, const char *content, bool lstrip) {
  int32_t id = as_vocabulary_id(&loader->tokenizer->vocabulary, content, strlen(content));
  return add(loader, "",
             (as_added_token){
                 .content = (char *)content, .length = strlen(content), .id = id, .special = true, .lstrip = lstrip});
}

void as_write_added_token(const as_added_token *token, as_json_writer *writer) {
  as_json_string(writer, "content", token->content);
  as_json_bool(writer, "single_word", token->single_word);
  as_json_bool(writer, "lstrip", token->lstrip);
  as_json_bool(writer, "rstrip", token->rstrip);
  as_json_bool(writer, "normalized", token->normalized);
  as_json_bool(writer, "special", token->special);
}
