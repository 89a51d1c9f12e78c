/* A list of lines as the source of texts that a trainer reads. */
#ifndef AS_TESTS_TEXT_SOURCE_H
#define AS_TESTS_TEXT_SOURCE_H

#include <string.h>

#include "tests/harness.h"
#include "tokenizer/trainer.h"

typedef struct as_lines_source {
  const char *const *lines; /* ended by NULL */
  size_t next;
} as_lines_source;

static inline as_status as_next_line(void *user, const char **text, size_t *length) {
  as_lines_source *from = user;
  if (!from->lines[from->next]) return AS_OK;
  *text = from->lines[from->next++];
  *length = strlen(*text);
  return AS_OK;
}

#endif
