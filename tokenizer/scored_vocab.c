/* Reading pieces and scores, with every check that the fast way (vocab_scan.c) leaves to this one. */
#include "tokenizer/scored_vocab.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "tokenizer/fields.h"
#include "tokenizer/limits.h"

as_status as_add_piece(as_loader *loader, const char *where, const char *piece, size_t length, double score) {
  as_vocabulary *vocabulary = &loader->tokenizer->vocabulary;
  if (length == 0) return as_field_fail(loader, where, "", "is an empty piece");
  if (length > AS_MAX_PIECE)
    return as_field_fail(loader, where, "", "has %zu bytes; a piece may have %d", length, AS_MAX_PIECE);
  if (memchr(piece, 0, length) || !as_utf8_valid(piece, length))
    return as_field_fail(loader, where, "", "is not text in UTF-8 without NUL");
  if (!isfinite(score)) return as_field_fail(loader, where, "", "\"%.60s\" has a score that is not a number", piece);
  int32_t known = as_vocabulary_id(vocabulary, piece, length);
  if (known >= 0)
    return as_field_fail(loader, where, "", "is \"%.60s\", which piece %" PRId32 " is, too", piece, known);
  as_status status = as_vocabulary_add_piece(vocabulary, piece, length, score);
  return status == AS_OK ? AS_OK : as_fail_prefix(loader->ctx, status, "%s", loader->path);
}

as_status as_read_scored_vocab(as_loader *loader, const json_t *model) {
  const json_t *list = json_object_get(model, "vocab"), *item;
  size_t index;
  if (!json_is_array(list)) return as_field_fail(loader, "", "vocab", "must be a list of pieces and scores");
  if (loader->tokenizer->vocabulary.count > 0) return AS_OK; /* as_scan_vocab has read it */
  if (json_array_size(list) == 0) return as_field_fail(loader, "", "vocab", "is empty");
  json_array_foreach(list, index, item) {
    char where[32];
    const json_t *piece = json_array_get(item, 0), *score = json_array_get(item, 1);
    snprintf(where, sizeof where, "vocab[%zu]", index);
    if (json_array_size(item) != 2 || !json_is_string(piece) || !json_is_number(score))
      return as_field_fail(loader, where, "", "must be a piece and its score");
    as_status status =
        as_add_piece(loader, where, json_string_value(piece), json_string_length(piece), json_number_value(score));
    if (status != AS_OK) return status;
  }
  return AS_OK;
}
