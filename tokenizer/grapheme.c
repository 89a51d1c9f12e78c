/* Where a grapheme cluster ends: rules GB3 to GB11 of Unicode Annex 29. */
#include "tokenizer/grapheme.h"

#include <stdbool.h>

#include "base/utf8.h"

enum { ZERO_WIDTH_JOINER = 0x200D };

static as_grapheme_class class_of(uint32_t code_point) {
  if (code_point < 0x300) {
    if (code_point == 0xA9 || code_point == 0xAE) return AS_GC_PICTOGRAPHIC;
    return code_point < ' ' || (code_point >= 0x7F && code_point < 0xA0) || code_point == 0xAD ? AS_GC_CONTROL
                                                                                               : AS_GC_OTHER;
  }
  if (code_point >= 0xAC00 && code_point <= 0xD7A3) return (code_point - 0xAC00) % 28 ? AS_GC_LVT : AS_GC_LV;
  uint32_t low = 0, high = as_grapheme_run_count, key = code_point << AS_GC_BITS | ((1u << AS_GC_BITS) - 1);
  while (high - low > 1) {
    uint32_t middle = (low + high) / 2;
    if (as_grapheme_runs[middle] <= key)
      low = middle;
    else
      high = middle;
  }
  return (as_grapheme_class)(as_grapheme_runs[low] & ((1u << AS_GC_BITS) - 1));
}

/* What of a cluster decides whether the next code point belongs to it. */
typedef struct cluster {
  as_grapheme_class last;
  bool joiner;    /* the last code point is U+200D */
  bool pictogram; /* it is a pictogram and what extends it */
  bool consonant; /* it is a consonant and what extends it */
  bool linked;    /* with a virama among that */
} cluster;

static bool joins(const cluster *c, as_grapheme_class next) {
  switch (next) {
  case AS_GC_CONTROL:
    return false;
  case AS_GC_EXTEND:
  case AS_GC_SPACING:
  case AS_GC_LINKER:
    return true;
  default:
    break;
  }
  switch (c->last) {
  case AS_GC_PREPEND:
    return true;
  case AS_GC_L:
    return next == AS_GC_L || next == AS_GC_V || next == AS_GC_LV || next == AS_GC_LVT;
  case AS_GC_V:
  case AS_GC_LV:
    return next == AS_GC_V || next == AS_GC_T;
  case AS_GC_T:
  case AS_GC_LVT:
    return next == AS_GC_T;
  default:
    break;
  }
  return (c->pictogram && c->joiner && next == AS_GC_PICTOGRAPHIC) || (c->linked && next == AS_GC_CONSONANT);
}

static void add(cluster *c, uint32_t code_point, as_grapheme_class class) {
  bool extends = class == AS_GC_EXTEND || class == AS_GC_LINKER;
  c->pictogram = class == AS_GC_PICTOGRAPHIC || (c->pictogram && extends);
  c->consonant = class == AS_GC_CONSONANT || (c->consonant && extends);
  c->linked = c->consonant && extends && (c->linked || class == AS_GC_LINKER);
  c->joiner = code_point == ZERO_WIDTH_JOINER;
  c->last = class;
}

size_t as_grapheme_length(const char *text, size_t length) {
  cluster c = {0};
  uint32_t code_point;
  size_t at = (size_t)as_utf8_decode(text, length, &code_point);
  as_grapheme_class class = class_of(code_point);
  if (class == AS_GC_CONTROL) return at + (*text == '\r' && length > 1 && text[1] == '\n');
  add(&c, code_point, class);
  while (at < length) {
    size_t size = (size_t)as_utf8_decode(text + at, length - at, &code_point);
    class = class_of(code_point);
    if (!joins(&c, class)) break;
    add(&c, code_point, class);
    at += size;
  }
  return at;
}
