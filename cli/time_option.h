/* Times as people write them in options: before now, or a date; and ranges of them. */
#ifndef AS_CLI_TIME_OPTION_H
#define AS_CLI_TIME_OPTION_H

#include "base/context.h"
#include "data/timestamp.h"

#define AS_TIME_HELP "12h, 30d or 4w before now, or a date"

/* "30d", "12h", "4w" before `now`, or what as_timestamp_read takes; false when it is neither. */
bool as_cli_time_read(const char *text, size_t length, int64_t now, uint32_t *out);
/* The value of an option that as_cli_time_check took, as the tables have times; NULL for NULL. */
const char *as_cli_time(const char *value, char out[AS_TIMESTAMP_TEXT]);
/* For as_option.check. */
as_status as_cli_time_check(as_context *ctx, const char *value);

/* The times from `since` on and before `before`. */
typedef struct as_time_range {
  char since[AS_TIMESTAMP_TEXT], before[AS_TIMESTAMP_TEXT]; /* before "": no end */
} as_time_range;
/* "30d": from then until now; "30d..7d", "2026-01-01..2026-02-01": from the first until before the second. */
bool as_cli_range_read(const char *text, int64_t now, as_time_range *out);
as_status as_cli_range_check(as_context *ctx, const char *value);

#endif
