/* How a post-processor joins texts and special tokens: a row of pieces for one text and a row for a pair
 * ("[CLS] A [SEP]", "[CLS] A [SEP] B:1 [SEP]:1").
 *
 * Invariant: the first text stands once in `single`, both stand once in `pair`, the first one first. */
#ifndef AS_TOKENIZER_TEMPLATE_H
#define AS_TOKENIZER_TEMPLATE_H

#include "base/context.h"

typedef enum as_piece_kind { AS_PIECE_FIRST, AS_PIECE_SECOND, AS_PIECE_SPECIAL } as_piece_kind;

typedef struct as_template_piece {
  as_piece_kind kind;
  size_t special; /* index, for AS_PIECE_SPECIAL */
  int32_t type_id;
} as_template_piece;

/* What a template calls a special token: one or more ids under a name. */
typedef struct as_template_special {
  char *name;
  int32_t *ids; /* [count] */
  size_t count;
} as_template_special;

typedef struct as_template {
  as_template_piece *pieces[2]; /* for one text, for a pair */
  size_t piece_count[2];
  size_t added[2]; /* special tokens in each */
  as_template_special *specials;
  size_t special_count;
} as_template;

/* A zeroed template is empty. All below take it from there; as_template_free frees what it holds, not itself. */
void as_template_free(as_template *form, as_context *ctx);

/* Adds a special token and returns its index; -1 on failure. */
int64_t as_template_add_special(as_template *form, as_context *ctx, const char *name, const int32_t *ids, size_t count);

/* Appends a piece to the row for one text (pair false) or for a pair. */
AS_MUST_CHECK as_status as_template_add_piece(as_template *form, as_context *ctx, bool pair, as_template_piece piece);

/* The templates of the encoders: "cls A sep" and, for a pair, */
typedef enum as_classifier_form {
  AS_FORM_BERT,   /* "cls A sep B:1 sep:1" */
  AS_FORM_ROBERTA /* "cls A sep sep B sep" */
} as_classifier_form;

AS_MUST_CHECK as_status as_template_classifier(as_template *form, as_context *ctx, const char *cls, int32_t cls_id,
                                               const char *sep, int32_t sep_id, as_classifier_form which);
/* Whether the template is that one, whatever it calls the tokens. */
bool as_template_is_classifier(const as_template *form, int32_t cls_id, int32_t sep_id, as_classifier_form which);

/* "A eos" and "A eos B eos", all of type 0: T5's. */
AS_MUST_CHECK as_status as_template_ended(as_template *form, as_context *ctx, const char *eos, int32_t eos_id);
/* Whether the template is that one. */
bool as_template_is_ended(const as_template *form, int32_t eos_id);

#endif
