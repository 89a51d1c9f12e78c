/* Every row of every golden file of metrics. */
#include "tests/harness.h"

#include "tests/metrics_rows.h"

static const struct {
  const char *file, *task;
  int64_t least_rows;
} files[] = {
    {"metrics/classification.jsonl", "classification", 39},
    {"metrics/mcnemar.jsonl", "mcnemar", 31},
    {"metrics/bootstrap.jsonl", "bootstrap", 4},
    {"metrics/temperature.jsonl", "temperature", 6},
    {"metrics/psi.jsonl", "psi", 14},
    {"metrics/generation_segments.jsonl", "text", 144},
    {"metrics/generation_tokens.jsonl", "tokens", 111},
    {"metrics/ranking.jsonl", "ranking", 14},
    {"metrics/proportions.jsonl", "proportions", 17},
};

START_TEST(every_row_of_the_file) {
  as_check_metrics_rows(as_golden(files[_i].file), files[_i].task, files[_i].least_rows);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden metrics");
  TCase *tests = tcase_create("rows");
  tcase_add_loop_test(tests, every_row_of_the_file, 0, (int)(sizeof files / sizeof *files));
  suite_add_tcase(suite, tests);
  return suite;
}
