/* Times in data files: ISO 8601 or Unix seconds, as whole seconds since 1970 in UTC. */
#ifndef AS_DATA_TIMESTAMP_H
#define AS_DATA_TIMESTAMP_H

#include "base/context.h"

#define AS_DAY_SECONDS 86400

/* Reads "2025-01-31", "2025-01-31 12:30", "2025-01-31T12:30:00", a fraction of a second (dropped) and a zone "Z" or
 * "+02:00" behind it (no zone: UTC), or Unix seconds with or without a fraction. False when `text` is none of these, a
 * day that the calendar does not have, or outside 1970-01-01 .. 2106-02-07, which is what 32 bits of seconds hold. */
bool as_timestamp_read(const char *text, size_t length, uint32_t *out);
enum { AS_TIMESTAMP_TEXT = 20 };
/* "2025-01-31 12:30:00" and a NUL. */
void as_timestamp_write(uint32_t seconds, char out[AS_TIMESTAMP_TEXT]);

#endif
