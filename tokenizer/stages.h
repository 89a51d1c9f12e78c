/* The stages of a tokenizer from the inside: what each kind of component must provide, and the working memory that a
 * text passes through. A new component is a file with a table row of these types, named in registry.c.
 *
 * A stage's `read` gets its object of tokenizer.json and makes its state; `write` puts the members back (all but
 * "type"); `release` frees the state. The others run on a const state: a tokenizer is shared between threads, and
 * everything that changes while a text is encoded lies in as_work. */
#ifndef AS_TOKENIZER_STAGES_H
#define AS_TOKENIZER_STAGES_H

#include "base/json.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/chain.h"
#include "tokenizer/nfd.h"
#include "tokenizer/template.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/work.h"

typedef struct as_loader {
  as_context *ctx;
  const char *path;  /* the file being read, for messages */
  const char *where; /* the component being read, as the path of its object ("normalizer"); "" outside of one */
  as_tokenizer *tokenizer;
} as_loader;

/* The stages in the order in which tokenizer.json is read; the model comes before what looks at its vocabulary. */
typedef enum as_stage_kind {
  AS_STAGE_MODEL,
  AS_STAGE_NORMALIZER,
  AS_STAGE_PRE_TOKENIZER,
  AS_STAGE_POST_PROCESSOR,
  AS_STAGE_DECODER,
  AS_STAGES
} as_stage_kind;

/* What all kinds of stages have in common; the first member of each type below, so a pointer to it is one to them. */
typedef struct as_component {
  const char *name;     /* "type" in tokenizer.json */
  const char *telltale; /* a member that only this type's object has, for files without "type"; may be NULL */
  as_status (*read)(as_loader *loader, const json_t *json, void **state); /* NULL: it has no members and no state */
  void (*write)(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer);
  void (*release)(as_context *ctx, void *state);
} as_component;

/* Appends the normal form of `in` to `out`. Runs on each piece of text between added tokens. */
typedef struct as_normalizer_type {
  as_component component;
  as_status (*normalize)(const void *state, as_work *work, as_text_view in, as_aligned_text *out);
} as_normalizer_type;

/* Splits the pieces of work->text into words; it may rewrite the text, too. */
typedef struct as_pre_tokenizer_type {
  as_component component;
  as_status (*split)(const void *state, as_work *work);
} as_pre_tokenizer_type;

/* Turns one word, [start, end) of work->text, into tokens with as_work_emit. Its `read` also fills the vocabulary of
 * loader->tokenizer. */
typedef struct as_model_type {
  as_component component;
  as_status (*tokenize)(const as_tokenizer *tokenizer, const void *state, as_work *work, uint32_t start, uint32_t end);
  as_status (*save)(const as_tokenizer *tokenizer, const void *state, const char *folder); /* its vocabulary files */
  const char *special_tokens[AS_SPECIAL_TOKENS]; /* what they are called if no file says so; NULL: it has none */
  /* Puts "tokenizer_class" and the members that this class wants into tokenizer_config.json. */
  void (*write_config)(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer);
  bool raw; /* SentencePiece alone: there is no tokenizer.json for it, and its own ids are those without special tokens
             */
} as_model_type;

typedef struct as_post_processor_type {
  as_component component;
  /* Changes a token that is in the answer (RoBERTa trims offsets); `source` is the text that its span points into,
   * `first` tells the first of the text, or of a window. May be NULL. */
  void (*adjust)(const as_tokenizer *tokenizer, const void *state, const as_work *work, as_text_view source,
                 as_token *token, bool first);
  /* How texts and special tokens are joined; NULL: one after the other. */
  const as_template *(*form)(const void *state);
  bool forgets_windows; /* the windows of what was cut off do not get the template's types */
} as_post_processor_type;

typedef struct as_decoder_type {
  as_component component;
  /* Appends the text of the tokens to `out`. NULL: it is what `chain` gives, joined. */
  as_status (*decode)(const void *state, as_context *ctx, const as_token_text *tokens, size_t count, as_buffer *out);
  /* Puts the strings that take the place of those in `from` to `to`, which is empty. NULL: it is not for a Sequence. */
  as_status (*chain)(const void *state, const as_chain *from, as_chain *to);
} as_decoder_type;

/* The known components of each stage, each list ended by NULL. */
extern const as_component *const *const as_components[AS_STAGES];

/* A component at work. */
typedef struct as_stage {
  const as_component *type; /* NULL: there is no such stage; the model is always there */
  void *state;
} as_stage;

/* Reads the component that an object of tokenizer.json names. `where` is the object's path below loader->where. */
AS_MUST_CHECK as_status as_read_stage(as_loader *loader, as_stage_kind kind, const json_t *json, const char *where,
                                      as_stage *stage);

/* A file that a tokenizer can be read from. */
typedef struct as_tokenizer_format {
  const char *file; /* its name in a model folder */
  as_status (*read)(as_loader *loader);
} as_tokenizer_format;
extern const as_tokenizer_format as_tokenizer_formats[]; /* the preferred one first; the last has file NULL */

struct as_tokenizer {
  as_context *ctx;
  as_vocabulary vocabulary;
  as_added_tokens added;
  as_stage stages[AS_STAGES];
  char *special[AS_SPECIAL_TOKENS]; /* as tokenizer_config.json names them; NULL where there is none */
  int32_t special_ids[AS_SPECIAL_TOKENS];
  size_t model_max_length;
};

/* A stage as what it is; NULL if there is none. */
static inline const as_model_type *as_model_of(const as_tokenizer *tokenizer) {
  return (const as_model_type *)tokenizer->stages[AS_STAGE_MODEL].type;
}
static inline const as_normalizer_type *as_normalizer_of(const as_tokenizer *tokenizer) {
  return (const as_normalizer_type *)tokenizer->stages[AS_STAGE_NORMALIZER].type;
}
static inline const as_pre_tokenizer_type *as_pre_tokenizer_of(const as_tokenizer *tokenizer) {
  return (const as_pre_tokenizer_type *)tokenizer->stages[AS_STAGE_PRE_TOKENIZER].type;
}
static inline const as_post_processor_type *as_post_processor_of(const as_tokenizer *tokenizer) {
  return (const as_post_processor_type *)tokenizer->stages[AS_STAGE_POST_PROCESSOR].type;
}
static inline const as_decoder_type *as_decoder_of(const as_tokenizer *tokenizer) {
  return (const as_decoder_type *)tokenizer->stages[AS_STAGE_DECODER].type;
}

/* The template by which texts are joined; NULL if they are put one after the other. */
static inline const as_template *as_template_of(const as_tokenizer *tokenizer) {
  const as_post_processor_type *type = as_post_processor_of(tokenizer);
  return type && type->form ? type->form(tokenizer->stages[AS_STAGE_POST_PROCESSOR].state) : NULL;
}

/* The string of a token as `tokenizers` shows it, ended by NUL; `length` may be NULL. NULL if there is none. */
const char *as_work_token(const as_tokenizer *tokenizer, const as_work *work, const as_token *token, size_t *length);

#endif
