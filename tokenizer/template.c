/* Building templates. */
#include "tokenizer/template.h"

#include <string.h>

#include "base/memory.h"

void as_template_free(as_template *form, as_context *ctx) {
  for (size_t i = 0; i < form->special_count; i++) {
    as_free(ctx, form->specials[i].name);
    as_free(ctx, form->specials[i].ids);
  }
  as_free(ctx, form->specials);
  as_free(ctx, form->pieces[0]);
  as_free(ctx, form->pieces[1]);
}

int64_t as_template_add_special(as_template *form, as_context *ctx, const char *name, const int32_t *ids,
                                size_t count) {
  as_template_special *specials = as_realloc(ctx, form->specials, form->special_count + 1, sizeof *specials);
  if (!specials) return -1;
  form->specials = specials;
  as_template_special special = {
      .name = as_strdup(ctx, name), .ids = as_alloc(ctx, count, sizeof *ids), .count = count};
  if (!special.name || !special.ids) {
    as_free(ctx, special.name);
    as_free(ctx, special.ids);
    return -1;
  }
  memcpy(special.ids, ids, count * sizeof *ids);
  specials[form->special_count] = special;
  return (int64_t)form->special_count++;
}

as_status as_template_add_piece(as_template *form, as_context *ctx, bool pair, as_template_piece piece) {
  size_t count = form->piece_count[pair];
  as_template_piece *pieces = as_realloc(ctx, form->pieces[pair], count + 1, sizeof *pieces);
  if (!pieces) return AS_E_NOMEM;
  form->pieces[pair] = pieces;
  pieces[form->piece_count[pair]++] = piece;
  if (piece.kind == AS_PIECE_SPECIAL) form->added[pair] += form->specials[piece.special].count;
  return AS_OK;
}

as_status as_template_classifier(as_template *form, as_context *ctx, const char *cls, int32_t cls_id, const char *sep,
                                 int32_t sep_id, int32_t second_type) {
  int64_t first = as_template_add_special(form, ctx, cls, &cls_id, 1);
  int64_t last = first < 0 ? -1 : as_template_add_special(form, ctx, sep, &sep_id, 1);
  if (last < 0) return AS_E_NOMEM;
  const as_template_piece row[] = {
      {.kind = AS_PIECE_SPECIAL, .special = (size_t)first},
      {.kind = AS_PIECE_FIRST},
      {.kind = AS_PIECE_SPECIAL, .special = (size_t)last},
      {.kind = AS_PIECE_SECOND, .type_id = second_type},
      {.kind = AS_PIECE_SPECIAL, .special = (size_t)last, .type_id = second_type},
  };
  as_status status = AS_OK;
  for (int i = 0; i < 3 && status == AS_OK; i++) status = as_template_add_piece(form, ctx, false, row[i]);
  for (int i = 0; i < 5 && status == AS_OK; i++) status = as_template_add_piece(form, ctx, true, row[i]);
  return status;
}
