/* The reference metrics that come with the sources. */
#include "tests/harness.h"

#include <stdio.h>

#include "tests/metrics_rows.h"

static const struct {
  const char *task;
  int64_t least_rows;
} files[] = {{"classification", 32}, {"mcnemar", 31},    {"bootstrap", 1}, {"temperature", 6}, {"psi", 14},
             {"ranking", 11},        {"proportions", 17}};

START_TEST(every_row_of_the_file) {
  char name[100];
  snprintf(name, sizeof name, "tests/golden/metrics/%s.jsonl", files[_i].task);
  as_check_metrics_rows(as_source_path(name), files[_i].task, files[_i].least_rows);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("reference metrics");
  TCase *tests = tcase_create("rows");
  tcase_add_loop_test(tests, every_row_of_the_file, 0, (int)(sizeof files / sizeof *files));
  suite_add_tcase(suite, tests);
  return suite;
}
