/* RobertaProcessing, "<s> A </s>" and "<s> A </s></s> B </s>" with the type 0 throughout, and ByteLevel as a
 * post-processor, which joins nothing. Both take white space off the tokens' offsets. */
#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/components.h"
#include "tokenizer/unicode.h"

typedef struct processing {
  as_byte_level members;
  as_template form; /* empty for ByteLevel */
} processing;

/* ---- state ---------------------------------------------------------------------------------------------------- */

static void release(as_context *ctx, void *state) {
  as_template_free(&((processing *)state)->form, ctx);
  as_free(ctx, state);
}

void *as_roberta_processing_new(as_context *ctx, as_template *form, as_byte_level members) {
  processing *self = as_alloc(ctx, 1, sizeof *self);
  if (self)
    *self = (processing){.members = members, .form = *form};
  else
    as_template_free(form, ctx);
  return self;
}

const as_byte_level *as_roberta_processing_members(const void *state) {
  return &((const processing *)state)->members;
}

static as_status read_roberta(as_loader *loader, const json_t *json, void **state) {
  as_byte_level members = {.add_prefix_space = true, .trim_offsets = true};
  as_template form = {0};
  as_status status = as_read_trimming(loader, json, &members);
  if (status == AS_OK) status = as_read_classifier(loader, json, AS_FORM_ROBERTA, &form);
  if (status != AS_OK) {
    as_template_free(&form, loader->ctx);
    return status;
  }
  *state = as_roberta_processing_new(loader->ctx, &form, members);
  return *state ? AS_OK : AS_E_NOMEM;
}

static as_status read_byte_level(as_loader *loader, const json_t *json, void **state) {
  as_byte_level members = {.add_prefix_space = true, .trim_offsets = true, .use_regex = true};
  as_status status = as_read_byte_level(loader, json, &members);
  if (status != AS_OK) return status;
  *state = as_roberta_processing_new(loader->ctx, &(as_template){0}, members);
  return *state ? AS_OK : AS_E_NOMEM;
}

static void write_roberta(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const processing *self = state;
  (void)tokenizer;
  as_write_classifier(&self->form, writer);
  as_write_trimming(&self->members, writer);
}

static void write_byte_level(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const processing *self = state;
  (void)tokenizer;
  as_write_trimming(&self->members, writer);
  as_json_bool(writer, "use_regex", self->members.use_regex);
}

static const as_template *form_of(const void *state) {
  return &((const processing *)state)->form;
}

/* ---- offsets -------------------------------------------------------------------------------------------------- */

/* Whether the character at text[at] is white space or the byte map's space; *size gets its bytes. */
static bool is_space(const char *text, size_t at, size_t end, size_t *size) {
  uint32_t code_point;
  int bytes = as_utf8_decode(text + at, end - at, &code_point);
  *size = (size_t)(bytes < 0 ? -bytes : bytes);
  return code_point == as_byte_character(' ') || (as_unicode_flags(code_point) & AS_UC_SPACE);
}

/* Where the character begins that ends at text[at], at > 0. */
static size_t before(const char *text, size_t at) {
  size_t start = at - 1;
  while (start > 0 && at - start < 4 && ((unsigned char)text[start] & 0xC0) == 0x80) start--;
  return start;
}

static size_t leading_spaces(const char *text, size_t length) {
  size_t count = 0, size;
  for (size_t at = 0; at < length && is_space(text, at, length, &size); at += size) count++;
  return count;
}

static size_t trailing_spaces(const char *text, size_t length) {
  size_t count = 0, size;
  for (; length > 0 && is_space(text, before(text, length), length, &size); length = before(text, length)) count++;
  return count;
}

/* The reference moves offsets by as many characters as the token has spaces. It takes the token at the start of the
 * text, and the first of a window, for one that may have a space which the text has not, but not two. */
static void trim(const as_tokenizer *tokenizer, const void *state, const as_work *work, as_text_view source,
                 as_token *token, bool first) {
  const as_byte_level *members = as_roberta_processing_members(state);
  size_t length = 0;
  const char *text = members->trim_offsets ? as_work_token(tokenizer, work, token, &length) : NULL;
  if (!text) return;
  size_t leading = leading_spaces(text, length), trailing = trailing_spaces(text, length);
  uint32_t start = token->span.start, end = token->span.end;
  if (leading == 1 && members->add_prefix_space && (first || start == 0)) leading = 0;
  for (; leading > 0 && start < end; leading--) do
      start++;
    while (start < end && ((unsigned char)source.bytes[start] & 0xC0) == 0x80);
  token->span.start = start;
  for (; trailing > 0 && end > 0; trailing--) end = (uint32_t)before(source.bytes, end);
  if (trailing == 0) token->span.end = end > start ? end : start;
}

const as_post_processor_type as_roberta_processing = {
    .component = {.name = "RobertaProcessing", .read = read_roberta, .write = write_roberta, .release = release},
    .adjust = trim,
    .form = form_of,
};

const as_post_processor_type as_byte_level_processing = {
    .component = {.name = "ByteLevel", .read = read_byte_level, .write = write_byte_level, .release = release},
    .adjust = trim,
};
