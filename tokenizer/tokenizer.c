/* The tokenizer as a whole: opening, finishing, looking things up, decoding, freeing. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "tokenizer/components.h"
#include "tokenizer/construct.h"
#include "tokenizer/fields.h"

/* ---- made and freed ------------------------------------------------------------------------------------------- */

as_tokenizer *as_tokenizer_new(as_context *ctx) {
  as_tokenizer *tokenizer = as_alloc_zero(ctx, 1, sizeof *tokenizer);
  if (!tokenizer) return NULL;
  tokenizer->ctx = ctx;
  as_vocabulary_init(&tokenizer->vocabulary, ctx);
  as_added_tokens_init(&tokenizer->added, ctx);
  return tokenizer;
}

void as_tokenizer_free(as_tokenizer *tokenizer) {
  if (!tokenizer) return;
  as_context *ctx = tokenizer->ctx;
  for (int kind = 0; kind < AS_STAGES; kind++)
    if (tokenizer->stages[kind].state) tokenizer->stages[kind].type->release(ctx, tokenizer->stages[kind].state);
  for (int i = 0; i < AS_SPECIAL_TOKENS; i++) as_free(ctx, tokenizer->special[i]);
  as_added_tokens_free(&tokenizer->added);
  as_vocabulary_free(&tokenizer->vocabulary);
  as_free(ctx, tokenizer);
}

/* The normal form of an added token's content. */
static as_status normalize_content(const as_tokenizer *tokenizer, const char *text, size_t length, as_buffer *out) {
  if (!as_normalizer_of(tokenizer)) {
    as_buffer_append(out, text, length);
    return as_buffer_status(out);
  }
  as_work *work = as_work_new(tokenizer->ctx);
  if (!work) return AS_E_NOMEM;
  as_text_view view = {.bytes = text, .length = (uint32_t)length};
  as_status status =
      as_normalizer_of(tokenizer)->normalize(tokenizer->stages[AS_STAGE_NORMALIZER].state, work, view, &work->text);
  if (status == AS_OK) as_buffer_append(out, work->text.length ? work->text.bytes : "", work->text.length);
  as_work_free(work);
  return status == AS_OK ? as_buffer_status(out) : status;
}

/* A template may only name tokens that there are. */
static as_status check_template(const as_loader *loader) {
  const as_tokenizer *tokenizer = loader->tokenizer;
  const as_template *form = as_template_of(tokenizer);
  for (size_t i = 0; form && i < form->special_count; i++)
    for (size_t k = 0; k < form->specials[i].count; k++)
      if (!as_tokenizer_token(tokenizer, form->specials[i].ids[k], NULL))
        return as_field_fail(loader, "post_processor", "", "gives \"%.60s\" the id %ld, which no token has",
                             form->specials[i].name, (long)form->specials[i].ids[k]);
  return AS_OK;
}

as_status as_tokenizer_finish(as_loader *loader) {
  as_tokenizer *tokenizer = loader->tokenizer;
  as_status status = as_added_tokens_finish(&tokenizer->added, tokenizer, normalize_content);
  if (status != AS_OK) return status;
  for (int i = 0; i < AS_SPECIAL_TOKENS; i++) {
    const char *name = tokenizer->special[i];
    tokenizer->special_ids[i] = name ? as_tokenizer_id(tokenizer, name, strlen(name)) : -1;
  }
  return check_template(loader);
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

static const char *file_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* The format of a file: by its whole name, else by its ending; NULL if it is none. */
static const as_tokenizer_format *format_of(const char *path) {
  const char *name = file_name(path), *ending = strrchr(name, '.');
  for (const as_tokenizer_format *format = as_tokenizer_formats; format->file; format++)
    if (strcmp(name, format->file) == 0) return format;
  for (const as_tokenizer_format *format = as_tokenizer_formats; ending && format->file; format++)
    if (strcmp(ending, strrchr(format->file, '.')) == 0) return format;
  return NULL;
}

/* The preferred file of a folder: *format and its path, which the caller frees. */
static as_status find_file(as_context *ctx, const char *folder, const as_tokenizer_format **format, char **path) {
  for (*format = as_tokenizer_formats; (*format)->file; ++*format) {
    *path = as_path_join(ctx, folder, (*format)->file);
    if (!*path) return AS_E_NOMEM;
    if (as_path_exists(*path)) return AS_OK;
    as_free(ctx, *path);
  }
  *path = NULL;
  return as_fail(ctx, AS_E_MODEL,
                 "%s: holds no tokenizer; tokenizer.json, a vocabulary (vocab.txt, spiece.model), or vocab.json with "
                 "merges.txt is needed",
                 folder);
}

as_status as_tokenizer_open(as_context *ctx, const char *path, as_tokenizer **out) {
  const as_tokenizer_format *format = NULL;
  char *file = NULL;
  as_status status = AS_OK;
  *out = NULL;
  if (as_path_is_folder(path)) {
    status = find_file(ctx, path, &format, &file);
  } else {
    format = format_of(path);
    file = as_strdup(ctx, path);
    if (!file)
      status = AS_E_NOMEM;
    else if (!format && !as_path_exists(path))
      status = as_fail(ctx, AS_E_MODEL, "%s: there is no such folder or tokenizer file", path);
    else if (!format)
      status =
          as_fail(ctx, AS_E_MODEL,
                  "%s: not a tokenizer file by its name (tokenizer.json, vocab.txt, vocab.json, spiece.model)", path);
  }
  as_tokenizer *tokenizer = status == AS_OK ? as_tokenizer_new(ctx) : NULL;
  as_loader loader = {.ctx = ctx, .path = file, .where = "", .tokenizer = tokenizer};
  if (status == AS_OK) status = tokenizer ? format->read(&loader) : AS_E_NOMEM;
  if (status == AS_OK) status = as_tokenizer_finish(&loader);
  as_free(ctx, file);
  if (status == AS_OK)
    *out = tokenizer;
  else
    as_tokenizer_free(tokenizer);
  return status;
}

/* ---- looking at it -------------------------------------------------------------------------------------------- */

size_t as_tokenizer_vocab_size(const as_tokenizer *tokenizer) {
  size_t limit = tokenizer->vocabulary.limit;
  return tokenizer->added.limit > limit ? tokenizer->added.limit : limit;
}

const char *as_tokenizer_token(const as_tokenizer *tokenizer, int64_t id, size_t *length) {
  const as_added_token *added = as_added_token_by_id(&tokenizer->added, id);
  if (!added) return as_vocabulary_token(&tokenizer->vocabulary, id, length);
  if (length) *length = added->shown_length;
  return added->shown;
}

int32_t as_tokenizer_id(const as_tokenizer *tokenizer, const char *token, size_t length) {
  const as_added_token *added = as_added_token_by_content(&tokenizer->added, token, length);
  return added ? added->id : as_vocabulary_id(&tokenizer->vocabulary, token, length);
}

int32_t as_tokenizer_special(const as_tokenizer *tokenizer, as_special_token which) {
  return (int)which >= 0 && which < AS_SPECIAL_TOKENS ? tokenizer->special_ids[which] : -1;
}

bool as_tokenizer_is_special(const as_tokenizer *tokenizer, int64_t id) {
  const as_added_token *added = as_added_token_by_id(&tokenizer->added, id);
  return added && added->skipped;
}

const char *as_tokenizer_model(const as_tokenizer *tokenizer) {
  return tokenizer->stages[AS_STAGE_MODEL].type->name;
}

size_t as_tokenizer_model_max_length(const as_tokenizer *tokenizer) {
  return tokenizer->model_max_length;
}

size_t as_tokenizer_added(const as_tokenizer *tokenizer, bool pair) {
  const as_template *form = as_template_of(tokenizer);
  return form ? form->added[pair] : 0;
}

/* ---- decoding ------------------------------------------------------------------------------------------------- */

/* Without a decoder, tokens are joined by spaces. */
static as_status join(const as_token_text *tokens, size_t count, as_buffer *out) {
  for (size_t i = 0; i < count; i++) {
    if (i > 0) as_buffer_char(out, ' ');
    as_buffer_append(out, tokens[i].text, tokens[i].length);
  }
  return as_buffer_status(out);
}

/* Through a decoder that rewrites strings. */
static as_status chain(const as_decoder_type *decoder, const void *state, const as_token_text *tokens, size_t count,
                       as_buffer *out) {
  as_chain from, to;
  as_chain_init(&from, out->ctx);
  as_chain_init(&to, out->ctx);
  as_status status = AS_OK;
  for (size_t i = 0; i < count && status == AS_OK; i++) {
    as_buffer_append(&from.pool, tokens[i].text, tokens[i].length);
    status = as_chain_end(&from);
  }
  if (status == AS_OK) status = decoder->chain(state, &from, &to);
  if (status == AS_OK) as_buffer_append(out, as_buffer_string(&to.pool), to.pool.length);
  as_chain_free(&from);
  as_chain_free(&to);
  return status == AS_OK ? as_buffer_status(out) : status;
}

as_status as_tokenizer_decode(const as_tokenizer *tokenizer, const int64_t *ids, size_t count, bool skip_special_tokens,
                              as_buffer *out) {
  as_token_text *tokens = as_alloc(out->ctx, count, sizeof *tokens);
  if (!tokens) return AS_E_NOMEM;
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (skip_special_tokens && as_tokenizer_is_special(tokenizer, ids[i])) continue;
    tokens[kept].text = as_tokenizer_token(tokenizer, ids[i], &tokens[kept].length);
    if (tokens[kept].text) kept++;
  }
  const as_decoder_type *decoder = as_decoder_of(tokenizer);
  const void *state = tokenizer->stages[AS_STAGE_DECODER].state;
  as_status status = !decoder          ? join(tokens, kept, out)
                     : decoder->decode ? decoder->decode(state, out->ctx, tokens, kept, out)
                                       : chain(decoder, state, tokens, kept, out);
  as_free(out->ctx, tokens);
  return status;
}
