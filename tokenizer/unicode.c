/* Look-ups in the tables of unicode.h. */
#include "tokenizer/unicode.h"

#include <utf8proc.h>

unsigned as_unicode_flags(uint32_t code_point) {
  if (code_point > 0x10FFFF) return 0;
  uint32_t low = as_unicode_pages[0x20000 / 256], high = as_unicode_run_count; /* the run is in [low, high) */
  if (code_point < 0x20000) {
    low = as_unicode_pages[code_point >> 8];
    high = as_unicode_pages[(code_point >> 8) + 1] + 1u;
  }
  uint32_t key = code_point << AS_UC_BITS | ((1u << AS_UC_BITS) - 1);
  while (high - low > 1) {
    uint32_t middle = (low + high) / 2;
    if (as_unicode_runs[middle] <= key)
      low = middle;
    else
      high = middle;
  }
  return as_unicode_runs[low] & ((1u << AS_UC_BITS) - 1);
}

int as_unicode_lower(uint32_t code_point, unsigned flags, uint32_t out[2]) {
  out[0] = code_point;
  if (code_point < 0x80) {
    if (code_point >= 'A' && code_point <= 'Z') out[0] = code_point + ('a' - 'A');
    return 1;
  }
  if (!(flags & AS_UC_CASED)) return 1;
  if (code_point == 0x130) { /* I with dot above: i and a combining dot above */
    out[0] = 'i';
    out[1] = 0x307;
    return 2;
  }
  uint32_t low = 0, high = as_lower_row_count;
  while (high - low > 1) {
    uint32_t middle = (low + high) / 2;
    if (as_lower_rows[middle].first <= code_point)
      low = middle;
    else
      high = middle;
  }
  const as_lower_row *row = &as_lower_rows[low];
  if (code_point >= row->first && code_point <= row->last && (code_point - row->first) % (uint32_t)row->step == 0)
    out[0] = (uint32_t)((int32_t)code_point + row->difference);
  return 1;
}

int as_unicode_decompose(uint32_t code_point, unsigned flags, uint32_t out[4]) {
  out[0] = code_point;
  if (!(flags & AS_UC_DECOMPOSES)) return 1;
  utf8proc_int32_t parts[4];
  int last_bound_class = 0;
  utf8proc_ssize_t count =
      utf8proc_decompose_char((utf8proc_int32_t)code_point, parts, 4, UTF8PROC_DECOMPOSE, &last_bound_class);
  if (count < 1 || count > 4) return 1;
  for (utf8proc_ssize_t i = 0; i < count; i++) out[i] = (uint32_t)parts[i];
  return (int)count;
}

int as_unicode_combining_class(uint32_t code_point, unsigned flags) {
  if (!(flags & AS_UC_NON_STARTER)) return 0;
  return utf8proc_get_property((utf8proc_int32_t)code_point)->combining_class;
}
