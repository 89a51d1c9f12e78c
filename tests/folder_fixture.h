/* The fixture of tests that write files: each test has a context of two threads and a new empty folder, and fails when
 * it leaves memory behind. For tcase_add_checked_fixture(tests, setup, teardown). */
#ifndef AS_TESTS_FOLDER_FIXTURE_H
#define AS_TESTS_FOLDER_FIXTURE_H

#include <stdio.h>

#include "tests/harness.h"

static as_context *ctx;
static const char *folder;

static inline void setup(void) {
  ctx = as_test_context(2);
  folder = as_test_folder();
}

static inline void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

/* folder/name; static memory, 4 in turn. */
static inline const char *below(const char *name) {
  static char paths[4][4200];
  static unsigned turn;
  char *path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

#endif
