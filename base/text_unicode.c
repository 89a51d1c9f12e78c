/* Unicode through utf8proc, completed where its mapping is one code point to one: by the two special lower-casings that
 * the Unicode Standard (section 3.13 and SpecialCasing.txt) has outside of particular languages. */
#include "base/text_unicode.h"

#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

enum { CAPITAL_SIGMA = 0x3a3, SMALL_SIGMA = 0x3c3, FINAL_SIGMA = 0x3c2, CAPITAL_I_WITH_DOT = 0x130 };

as_string_view as_string_view_of(const char *text) {
  return (as_string_view){text, strlen(text)};
}

uint32_t as_next_code_point(as_string_view *rest) {
  uint32_t code_point;
  const int decoded = as_utf8_decode(rest->text, rest->length, &code_point);
  const size_t bytes = (size_t)(decoded < 0 ? -decoded : decoded);
  rest->text += bytes;
  rest->length -= bytes;
  return code_point;
}

bool as_is_space(uint32_t c) {
  return (c >= 0x9 && c <= 0xd) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool as_is_ascii_punctuation(uint32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

bool as_is_word(uint32_t c) {
  switch (utf8proc_category((utf8proc_int32_t)c)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_ND:
  case UTF8PROC_CATEGORY_NL:
  case UTF8PROC_CATEGORY_NO:
    return true;
  default:
    return c == '_';
  }
}

as_string_view as_strip_end(as_string_view text) {
  size_t kept = 0;
  for (as_string_view rest = text; rest.length > 0;) {
    if (!as_is_space(as_next_code_point(&rest))) kept = text.length - rest.length;
  }
  return (as_string_view){text.text, kept};
}

/* ---- lower-casing ---------------------------------------------------------------------------------------------- */

/* The properties Cased and Case_Ignorable (DerivedCoreProperties.txt), in which letters and marks go by their category
 * and the rest are these. */
static bool is_cased(uint32_t c) {
  switch (utf8proc_category((utf8proc_int32_t)c)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
    return true;
  default:
    return c == 0xaa || c == 0xba || (c >= 0x2160 && c <= 0x217f) || (c >= 0x24b6 && c <= 0x24e9) ||
           (c >= 0x1f130 && c <= 0x1f149) || (c >= 0x1f150 && c <= 0x1f169) || (c >= 0x1f170 && c <= 0x1f189);
  }
}

static bool is_case_ignorable(uint32_t c) {
  static const uint32_t inside_words[] = {'\'',   '.',    ':',    0xb7,   0x387,  0x55f,  0x5f4,  0x2018, 0x2019,
                                          0x2024, 0x2027, 0xfe13, 0xfe52, 0xfe55, 0xff07, 0xff0e, 0xff1a};
  switch (utf8proc_category((utf8proc_int32_t)c)) {
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_SK:
    return true;
  default:
    for (size_t i = 0; i < sizeof inside_words / sizeof *inside_words; i++) {
      if (c == inside_words[i]) return true;
    }
    return false;
  }
}

/* Whether the next code point that counts for case is cased. */
static bool cased_follows(as_string_view rest) {
  while (rest.length > 0) {
    const uint32_t c = as_next_code_point(&rest);
    if (!is_case_ignorable(c)) return is_cased(c);
  }
  return false;
}

static void append_code_point(as_buffer *out, uint32_t code_point) {
  char bytes[4];
  const int length = as_utf8_encode(code_point, bytes);
  as_buffer_append(out, bytes, (size_t)length);
}

void as_append_lower(as_buffer *out, as_string_view text) {
  bool after_cased = false; /* the last code point that counts for case was cased */
  while (text.length > 0) {
    const uint32_t c = as_next_code_point(&text);
    if (c == CAPITAL_SIGMA) {
      append_code_point(out, after_cased && !cased_follows(text) ? FINAL_SIGMA : SMALL_SIGMA);
    } else if (c == CAPITAL_I_WITH_DOT) {
      as_buffer_text(out, "i\xcc\x87");
    } else {
      append_code_point(out, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
    }
    if (!is_case_ignorable(c)) after_cased = is_cased(c);
  }
}
