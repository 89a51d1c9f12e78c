/* See synth_drift.h. */
#include "data/synth_drift.h"

#include <string.h>

#include "data/text_index.h"

/* Weeks from one week of the year to another, whichever way round is shorter. */
static int between(int64_t a, int64_t b) {
  const int away = (int)((a - b) % AS_SYNTH_YEAR + AS_SYNTH_YEAR) % AS_SYNTH_YEAR;
  return away <= AS_SYNTH_YEAR / 2 ? away : AS_SYNTH_YEAR - away;
}

int as_synth_class_weight(int which, int count, int64_t week) {
  const int lowest = 4;
  return lowest + AS_SYNTH_YEAR / 2 - between(week, AS_SYNTH_YEAR * (int64_t)which / count);
}

bool as_synth_in_use(const char *text, int64_t week, int weeks) {
  const int64_t middle = (int64_t)(as_text_hash(text, strlen(text)) % AS_SYNTH_YEAR);
  return week == 0 || between(week, middle) <= weeks / 2;
}
