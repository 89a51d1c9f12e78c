/* Reading, writing and asking a precompiled character map: u32 bytes of the double array, the array, the texts. All
 * numbers are little-endian. */
#include "tokenizer/charsmap.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

static uint32_t u32_at(const char *bytes) {
  const unsigned char *b = (const unsigned char *)bytes;
  return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void put_u32(as_buffer *out, uint32_t value) {
  char bytes[4] = {(char)value, (char)(value >> 8), (char)(value >> 16), (char)(value >> 24)};
  as_buffer_append(out, bytes, sizeof bytes);
}

/* Every value that a key leads to must begin a replacement. The check of the array has seen to it that they are inside;
 * here the texts are looked at. */
static as_status check_texts(as_context *ctx, const as_charsmap *map) {
  if (!as_utf8_valid(map->texts, map->texts_length)) return as_fail(ctx, AS_E_MODEL, "has texts that are not UTF-8");
  for (uint32_t i = 0; i < map->rules.count; i++) {
    uint32_t unit = map->units[i], value = unit & 0x7FFFFFFF;
    if (unit >> 31 && value < map->texts_length && ((unsigned char)map->texts[value] & 0xC0) == 0x80)
      return as_fail(ctx, AS_E_MODEL, "has a value that points into a character");
  }
  return AS_OK;
}

static as_status read_blob(as_context *ctx, as_charsmap *map) {
  if (map->length < 8) return as_fail(ctx, AS_E_MODEL, "has %zu bytes, too few for any rules", map->length);
  uint32_t size = u32_at(map->blob);
  if (size % 4 || size == 0 || size > map->length - 4)
    return as_fail(ctx, AS_E_MODEL, "says that its double array has %lu bytes, but it has %zu in all",
                   (unsigned long)size, map->length);
  map->texts = map->blob + 4 + size;
  if (map->length - 4 - size > INT32_MAX) return as_fail(ctx, AS_E_MODEL, "is longer than 2 GiB");
  map->texts_length = (uint32_t)(map->length - 4 - size);
  if (map->texts_length > 0 && map->texts[map->texts_length - 1] != 0)
    return as_fail(ctx, AS_E_MODEL, "does not end with a NUL");
  map->units = as_alloc(ctx, size / 4, sizeof *map->units);
  if (!map->units) return AS_E_NOMEM;
  for (uint32_t i = 0; i < size / 4; i++) map->units[i] = u32_at(map->blob + 4 + 4 * (size_t)i);
  map->rules = (as_double_array){.units = map->units, .count = size / 4};
  as_status status = as_double_array_check(ctx, &map->rules, map->texts_length);
  return status == AS_OK ? check_texts(ctx, map) : status;
}

as_status as_charsmap_read(as_context *ctx, const char *blob, size_t length, as_charsmap *out) {
  as_charsmap map = {.ctx = ctx, .length = length};
  map.blob = as_strndup(ctx, blob, length);
  as_status status = map.blob ? read_blob(ctx, &map) : AS_E_NOMEM;
  if (status == AS_OK)
    *out = map;
  else
    as_charsmap_free(&map);
  return status;
}

void as_charsmap_free(as_charsmap *map) {
  as_free(map->ctx, map->blob);
  as_free(map->ctx, map->units);
}

as_status as_charsmap_write(as_context *ctx, const as_double_array_key *keys, size_t count, const char *texts,
                            size_t texts_length, as_buffer *out) {
  uint32_t *units, unit_count;
  as_status status = as_double_array_build(ctx, keys, count, &units, &unit_count);
  if (status != AS_OK) return status;
  put_u32(out, 4 * unit_count);
  for (uint32_t i = 0; i < unit_count; i++) put_u32(out, units[i]);
  as_buffer_append(out, texts, texts_length);
  as_free(ctx, units);
  return as_buffer_status(out);
}

const char *as_charsmap_shortest(const as_charsmap *map, const char *text, size_t length) {
  uint32_t base = as_unit_offset(map->units[0]);
  int64_t value;
  for (size_t i = 0; i < length && as_double_array_step(&map->rules, &base, (unsigned char)text[i], &value); i++)
    if (value >= 0) return map->texts + value;
  return NULL;
}

const char *as_charsmap_longest(const as_charsmap *map, const char *text, size_t length, size_t *matched) {
  uint32_t base = as_unit_offset(map->units[0]);
  int64_t value, best = -1;
  for (size_t i = 0; i < length && as_double_array_step(&map->rules, &base, (unsigned char)text[i], &value); i++) {
    if (value < 0) continue;
    best = value;
    *matched = i + 1;
  }
  return best < 0 ? NULL : map->texts + best;
}
