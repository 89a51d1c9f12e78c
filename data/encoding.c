/* Encodings: names, detection, conversion. The invariant that readers rely on: what leaves a decoder is valid UTF-8
 * exactly where the input had a meaning. */
#include "data/encoding.h"

#include <ctype.h>
#include <string.h>

#include "base/utf8.h"

static const struct {
  const char *name;
  as_text_encoding encoding;
} names[] = {
    {"utf-8", AS_ENCODING_UTF_8},
    {"utf8", AS_ENCODING_UTF_8},
    {"utf-16", AS_ENCODING_UTF_16},
    {"utf16", AS_ENCODING_UTF_16},
    {"utf-16le", AS_ENCODING_UTF_16LE},
    {"utf-16-le", AS_ENCODING_UTF_16LE},
    {"utf-16be", AS_ENCODING_UTF_16BE},
    {"utf-16-be", AS_ENCODING_UTF_16BE},
    {"windows-1252", AS_ENCODING_WINDOWS_1252},
    {"cp1252", AS_ENCODING_WINDOWS_1252},
    {"latin-1", AS_ENCODING_LATIN_1},
    {"latin1", AS_ENCODING_LATIN_1},
    {"iso-8859-1", AS_ENCODING_LATIN_1},
};

static bool same_name(const char *a, const char *b) {
  for (; *a && *b; a++, b++) {
    char x = *a == '_' ? '-' : (char)tolower((unsigned char)*a);
    if (x != *b) return false;
  }
  return *a == *b;
}

as_status as_encoding_by_name(as_context *ctx, const char *name, as_text_encoding *out) {
  *out = AS_ENCODING_AUTO;
  if (!name) return AS_OK;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (same_name(name, names[i].name)) {
      *out = names[i].encoding;
      return AS_OK;
    }
  return as_fail(
      ctx, AS_E_INVALID,
      "encoding '%s' is not known; known are utf-8, utf-16, utf-16le, utf-16be, windows-1252 (cp1252) and latin-1",
      name);
}

const char *as_encoding_name(as_text_encoding encoding) {
  if (encoding == AS_ENCODING_UTF_32) return "utf-32";
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].encoding == encoding) return names[i].name;
  return "utf-8";
}

/* Windows-1252, bytes 80 to 9F (Unicode's CP1252.TXT); 0 where it is undefined. A0 to FF are U+00A0 to U+00FF. */
static const uint16_t windows_1252[32] = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                          0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                          0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                          0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

int as_windows_1252_byte(uint32_t code_point) {
  if (code_point <= 0xFF) return (int)code_point;
  for (int i = 0; i < 32; i++)
    if (windows_1252[i] == code_point) return 0x80 + i;
  return -1;
}

static bool undefined_in_1252(unsigned char byte) {
  return byte >= 0x80 && byte <= 0x9F && windows_1252[byte - 0x80] == 0;
}

/* Euro, quotation marks, dashes, ellipsis, trade mark, S/Z caron, OE; no-break space, punctuation, currency, degree and
 * ordinal signs; the letters of Western Europe. Left out: fractions, accents standing alone, eth, thorn, y diaeresis.
 */
static bool plausible_in_1252(unsigned char byte) {
  static const char marks[] = "\x80\x82\x84\x85\x8A\x8C\x8E\x91\x92\x93\x94\x95\x96\x97\x99\x9A\x9C\x9E"
                              "\xA0\xA1\xA2\xA3\xA5\xA7\xA9\xAA\xAB\xAE\xB0\xB2\xB4\xB5\xB7\xBA\xBB\xBF";
  if (byte >= 0xC0) return byte != 0xD0 && byte != 0xD7 && byte != 0xDE && byte != 0xF0 && byte != 0xF7 && byte < 0xFE;
  return byte != 0 && strchr(marks, (char)byte) != NULL;
}

void as_encoding_survey_start(as_encoding_survey *survey) {
  memset(survey, 0, sizeof *survey);
  survey->line = 1;
}

static void note_invalid(as_encoding_survey *survey, unsigned char lead) {
  survey->invalid++;
  if (survey->first_invalid_line == 0) survey->first_invalid_line = survey->line;
  if (undefined_in_1252(lead)) survey->undefined_1252++;
  if (plausible_in_1252(lead)) survey->plausible_1252++;
  survey->needed = 0;
}

/* Begins a sequence with the byte `b` >= 0x80: bounds of the second byte after Unicode 15, table 3-7. */
static void begin_sequence(as_encoding_survey *survey, unsigned char b) {
  survey->lead = b;
  survey->low = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
  survey->high = b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF;
  if (b >= 0xC2 && b <= 0xDF)
    survey->needed = 1;
  else if (b >= 0xE0 && b <= 0xEF)
    survey->needed = 2;
  else if (b >= 0xF0 && b <= 0xF4)
    survey->needed = 3;
  else
    note_invalid(survey, b);
}

void as_encoding_survey_add(as_encoding_survey *survey, const unsigned char *bytes, size_t length) {
  for (size_t i = 0; i < length && survey->bytes + i < sizeof survey->head; i++)
    survey->head[survey->bytes + i] = bytes[i];
  survey->bytes += length;
  for (size_t i = 0; i < length; i++) {
    unsigned char b = bytes[i];
    if (survey->needed > 0) {
      if (b >= survey->low && b <= survey->high) {
        survey->low = 0x80, survey->high = 0xBF;
        if (--survey->needed == 0) survey->valid++;
        continue;
      }
      note_invalid(survey, survey->lead);
    }
    if (b >= 0x80)
      begin_sequence(survey, b);
    else if (b == '\n')
      survey->line++;
  }
}

/* A header in the Latin alphabet has a zero byte beside each letter; which side tells the byte order. Some characters
 * have one on the other side. */
static as_text_encoding utf16_without_mark(const as_encoding_survey *survey) {
  size_t length = survey->bytes < sizeof survey->head ? (size_t)survey->bytes : sizeof survey->head;
  size_t zeros[2] = {0, 0};
  for (size_t i = 0; i < length; i++)
    if (survey->head[i] == 0) zeros[i % 2]++;
  size_t enough = length / 2 * 2 / 5 + 1;
  if (length >= 4 && zeros[1] >= enough && zeros[0] * 8 <= zeros[1]) return AS_ENCODING_UTF_16LE;
  if (length >= 4 && zeros[0] >= enough && zeros[1] * 8 <= zeros[0]) return AS_ENCODING_UTF_16BE;
  return AS_ENCODING_UTF_8;
}

as_text_encoding as_encoding_detect(const as_encoding_survey *survey, size_t *bom) {
  static const struct {
    const char *mark;
    size_t length;
    as_text_encoding encoding;
  } marks[] = {
      {"\xFF\xFE\0\0", 4, AS_ENCODING_UTF_32}, /* before UTF-16's, of which it is the longer */
      {"\0\0\xFE\xFF", 4, AS_ENCODING_UTF_32}, {"\xEF\xBB\xBF", 3, AS_ENCODING_UTF_8},
      {"\xFF\xFE", 2, AS_ENCODING_UTF_16LE},   {"\xFE\xFF", 2, AS_ENCODING_UTF_16BE},
  };
  size_t skip = 0;
  if (!bom) bom = &skip;
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
    if (survey->bytes >= marks[i].length && memcmp(survey->head, marks[i].mark, marks[i].length) == 0) {
      *bom = marks[i].length;
      return marks[i].encoding;
    }
  *bom = 0;
  as_text_encoding wide = utf16_without_mark(survey);
  if (wide != AS_ENCODING_UTF_8) return wide;
  if (survey->invalid >= 3 && survey->valid * 10 <= survey->invalid && survey->undefined_1252 == 0 &&
      survey->plausible_1252 * 10 >= survey->invalid * 9)
    return AS_ENCODING_WINDOWS_1252;
  return AS_ENCODING_UTF_8;
}

void as_decoder_start(as_decoder *decoder, as_text_encoding encoding) {
  decoder->encoding = encoding;
  decoder->surrogate = 0;
  decoder->odd = -1;
}

static void put(as_buffer *out, uint32_t code_point) {
  char bytes[4];
  as_buffer_append(out, bytes, (size_t)as_utf8_encode(code_point, bytes));
}

/* A byte that is never part of UTF-8: the mark of what could not be converted. */
static void put_invalid(as_buffer *out) {
  as_buffer_char(out, (char)0xFF);
}

static void convert_unit(as_decoder *decoder, uint32_t unit, as_buffer *out) {
  bool low = unit >= 0xDC00 && unit <= 0xDFFF;
  if (decoder->surrogate) {
    uint32_t high = decoder->surrogate;
    decoder->surrogate = 0;
    if (low) {
      put(out, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
      return;
    }
    put_invalid(out);
  }
  if (unit >= 0xD800 && unit <= 0xDBFF)
    decoder->surrogate = unit;
  else if (low)
    put_invalid(out);
  else
    put(out, unit);
}

void as_decoder_convert(as_decoder *decoder, const unsigned char *bytes, size_t length, bool last, as_buffer *out) {
  bool wide = decoder->encoding == AS_ENCODING_UTF_16LE || decoder->encoding == AS_ENCODING_UTF_16BE;
  for (size_t i = 0; i < length; i++) {
    unsigned char b = bytes[i];
    if (wide && decoder->odd < 0) {
      decoder->odd = b;
    } else if (wide) {
      uint32_t first = (uint32_t)decoder->odd;
      decoder->odd = -1;
      convert_unit(decoder, decoder->encoding == AS_ENCODING_UTF_16LE ? first | (uint32_t)b << 8 : first << 8 | b, out);
    } else if (decoder->encoding == AS_ENCODING_WINDOWS_1252 && b >= 0x80 && b <= 0x9F) {
      if (undefined_in_1252(b))
        put_invalid(out);
      else
        put(out, windows_1252[b - 0x80]);
    } else {
      put(out, b);
    }
  }
  if (last && (decoder->odd >= 0 || decoder->surrogate)) put_invalid(out);
}
