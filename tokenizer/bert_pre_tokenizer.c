/* BertPreTokenizer: words end at white space, which is dropped, and each punctuation character is a word of its own. */
#include "base/utf8.h"
#include "tokenizer/components.h"
#include "tokenizer/unicode.h"

/* What the code point at `at` is; *size gets its bytes. */
static inline unsigned class_at(const as_aligned_text *text, uint32_t at, uint32_t end, uint32_t *size) {
  unsigned char first = (unsigned char)text->bytes[at];
  *size = 1;
  if (first < 0x80) { /* the same that the table says, sooner */
    if ((first | 0x20) >= 'a' && (first | 0x20) <= 'z') return 0;
    if (first <= ' ') return first == ' ' || (first >= '\t' && first <= '\r') ? AS_UC_SPACE : 0;
    return (first >= '0' && first <= '9') || first == 0x7F ? 0 : AS_UC_PUNCTUATION;
  }
  uint32_t code_point;
  int decoded = as_utf8_decode(text->bytes + at, end - at, &code_point);
  *size = (uint32_t)(decoded < 0 ? -decoded : decoded);
  return as_unicode_flags(code_point);
}

static as_status split_piece(as_work *work, as_split piece) {
  uint32_t start = piece.start, size;
  as_status status = AS_OK;
  for (uint32_t at = piece.start; at < piece.end && status == AS_OK; at += size) {
    unsigned flags = class_at(&work->text, at, piece.end, &size);
    if (!(flags & (AS_UC_SPACE | AS_UC_PUNCTUATION))) continue;
    if (start < at) status = as_split_put(work, &work->spare_splits, start, at, -1);
    if (status == AS_OK && flags & AS_UC_PUNCTUATION)
      status = as_split_put(work, &work->spare_splits, at, at + size, -1);
    start = at + size;
  }
  if (status == AS_OK && start < piece.end) status = as_split_put(work, &work->spare_splits, start, piece.end, -1);
  return status;
}

static as_status split(const void *state, as_work *work) {
  (void)state;
  work->spare_splits.length = 0;
  as_status status = AS_OK;
  for (size_t i = 0; i < work->splits.length && status == AS_OK; i++) {
    as_split piece = work->splits.items[i];
    if (piece.added < 0)
      status = split_piece(work, piece);
    else
      status = as_split_put(work, &work->spare_splits, piece.start, piece.end, piece.added);
  }
  as_split_list done = work->spare_splits;
  work->spare_splits = work->splits;
  work->splits = done;
  return status;
}

const as_pre_tokenizer_type as_bert_pre_tokenizer = {.component = {.name = "BertPreTokenizer"}, .split = split};
