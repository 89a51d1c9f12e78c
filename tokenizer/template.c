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

/* The rows of a form: c is cls, s is sep, A and B are the texts. The first three pieces are those for one text. */
enum { SINGLE_PIECES = 3 };
static const struct {
  const char *pieces;
  int32_t second_type; /* of B and what follows it */
} forms[] = {[AS_FORM_BERT] = {"cAsBs", 1}, [AS_FORM_ROBERTA] = {"cAssBs", 0}};

static size_t form_length(as_classifier_form which, bool pair) {
  return pair ? strlen(forms[which].pieces) : SINGLE_PIECES;
}

/* `special` is 0 for cls and 1 for sep. */
static as_template_piece form_piece(as_classifier_form which, size_t index) {
  const char *pieces = forms[which].pieces, letter = pieces[index];
  as_template_piece piece = {.kind = AS_PIECE_SPECIAL, .special = letter == 's'};
  if (letter == 'A') piece.kind = AS_PIECE_FIRST;
  if (letter == 'B') piece.kind = AS_PIECE_SECOND;
  if (index >= (size_t)(strchr(pieces, 'B') - pieces)) piece.type_id = forms[which].second_type;
  return piece;
}

as_status as_template_classifier(as_template *form, as_context *ctx, const char *cls, int32_t cls_id, const char *sep,
                                 int32_t sep_id, as_classifier_form which) {
  if (as_template_add_special(form, ctx, cls, &cls_id, 1) < 0 ||
      as_template_add_special(form, ctx, sep, &sep_id, 1) < 0)
    return AS_E_NOMEM;
  as_status status = AS_OK;
  for (int pair = 0; pair < 2; pair++)
    for (size_t i = 0; i < form_length(which, pair) && status == AS_OK; i++)
      status = as_template_add_piece(form, ctx, pair, form_piece(which, i));
  return status;
}

bool as_template_is_classifier(const as_template *form, int32_t cls_id, int32_t sep_id, as_classifier_form which) {
  const int32_t ids[2] = {cls_id, sep_id};
  for (int pair = 0; pair < 2; pair++) {
    if (form->piece_count[pair] != form_length(which, pair)) return false;
    for (size_t i = 0; i < form->piece_count[pair]; i++) {
      as_template_piece wanted = form_piece(which, i), piece = form->pieces[pair][i];
      if (piece.kind != wanted.kind || piece.type_id != wanted.type_id) return false;
      if (piece.kind != AS_PIECE_SPECIAL) continue;
      const as_template_special *special = &form->specials[piece.special];
      if (special->count != 1 || special->ids[0] != ids[wanted.special]) return false;
    }
  }
  return true;
}

as_status as_template_ended(as_template *form, as_context *ctx, const char *eos, int32_t eos_id) {
  static const as_piece_kind kinds[] = {AS_PIECE_FIRST, AS_PIECE_SPECIAL, AS_PIECE_SECOND, AS_PIECE_SPECIAL};
  if (as_template_add_special(form, ctx, eos, &eos_id, 1) < 0) return AS_E_NOMEM;
  as_status status = AS_OK;
  for (int i = 0; i < 4 && status == AS_OK; i++) {
    if (i < 2) status = as_template_add_piece(form, ctx, false, (as_template_piece){.kind = kinds[i]});
    if (status == AS_OK) status = as_template_add_piece(form, ctx, true, (as_template_piece){.kind = kinds[i]});
  }
  return status;
}

bool as_template_is_ended(const as_template *form, int32_t eos_id) {
  const as_template_piece *single = form->pieces[0], *pair = form->pieces[1];
  if (form->piece_count[0] != 2 || form->piece_count[1] != 4 || single[0].kind != AS_PIECE_FIRST ||
      pair[0].kind != AS_PIECE_FIRST || pair[2].kind != AS_PIECE_SECOND)
    return false;
  const as_template_piece *ends[] = {&single[1], &pair[1], &pair[3]};
  for (int i = 0; i < 3; i++) {
    const as_template_special *special = &form->specials[ends[i]->special];
    if (ends[i]->kind != AS_PIECE_SPECIAL || special->count != 1 || special->ids[0] != eos_id) return false;
  }
  return true;
}
