/* See time_option.h. */
#include "cli/time_option.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool as_cli_time_read(const char *text, size_t length, int64_t now, uint32_t *out) {
  static const char units[] = "hdw";
  static const int64_t seconds[] = {3600, AS_DAY_SECONDS, 7 * AS_DAY_SECONDS};
  int64_t count = 0;
  size_t i = 0;
  for (; i < length && i < 6 && text[i] >= '0' && text[i] <= '9'; i++) count = count * 10 + (text[i] - '0');
  const char *unit = i && i + 1 == length ? memchr(units, text[i], sizeof units - 1) : NULL;
  if (!unit) return as_timestamp_read(text, length, out);
  const int64_t before = count * seconds[unit - units];
  *out = (uint32_t)(before < now ? now - before : 0);
  return true;
}

const char *as_cli_time(const char *value, char out[AS_TIMESTAMP_TEXT]) {
  uint32_t seconds;
  if (!value || !as_cli_time_read(value, strlen(value), (int64_t)time(NULL), &seconds)) return NULL;
  as_timestamp_write(seconds, out);
  return out;
}

as_status as_cli_time_check(as_context *ctx, const char *value) {
  uint32_t seconds;
  if (as_cli_time_read(value, strlen(value), (int64_t)time(NULL), &seconds)) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "\"%s\" is neither a time before now (12h, 30d, 4w) nor a date (2026-01-31)",
                 value);
}

bool as_cli_range_read(const char *text, int64_t now, as_time_range *out) {
  const char *dots = strstr(text, "..");
  uint32_t since, before = 0;
  if (!as_cli_time_read(text, dots ? (size_t)(dots - text) : strlen(text), now, &since)) return false;
  if (dots && !as_cli_time_read(dots + 2, strlen(dots + 2), now, &before)) return false;
  if (dots && before <= since) return false;
  as_timestamp_write(since, out->since);
  out->before[0] = 0;
  if (dots) as_timestamp_write(before, out->before);
  return true;
}

as_status as_cli_range_check(as_context *ctx, const char *value) {
  as_time_range range;
  if (as_cli_range_read(value, (int64_t)time(NULL), &range)) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "\"%s\" is neither a time (7d, 2026-01-31) nor a range of them (30d..7d)", value);
}
