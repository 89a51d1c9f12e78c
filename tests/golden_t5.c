/* T5 against transformers: the buckets of relative positions. (Activations, losses, gradients and training:
 * golden_inspect.) */
#include "base/json.h"
#include "tensor/ops.h"
#include "tests/harness.h"

START_TEST(relative_positions_fall_into_the_same_buckets) {
  as_context *ctx = as_test_context(1);
  json_t *file;
  ck_assert_ok(ctx, as_json_read(ctx, as_golden("ops/relative_position_buckets.json"), 1 << 20, AS_E_DATA, &file));
  const json_t *tables = json_object_get(file, "tables");
  ck_assert_uint_gt(json_array_size(tables), 3);
  for (size_t i = 0; i < json_array_size(tables); i++) {
    const json_t *table = json_array_get(tables, i), *expected = json_object_get(table, "bucket");
    int64_t buckets = json_integer_value(json_object_get(table, "num_buckets"));
    int64_t most = json_integer_value(json_object_get(table, "max_distance"));
    int64_t first = json_integer_value(json_object_get(table, "first_distance"));
    bool bidirectional = json_is_true(json_object_get(table, "bidirectional"));
    ck_assert_uint_gt(json_array_size(expected), 500);
    for (size_t k = 0; k < json_array_size(expected); k++)
      ck_assert_int_eq(as_relative_position_bucket(first + (int64_t)k, bidirectional, buckets, most),
                       json_integer_value(json_array_get(expected, k)));
  }
  json_decref(file);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden_t5");
  TCase *tcase = tcase_create("golden_t5");
  tcase_add_test(tcase, relative_positions_fall_into_the_same_buckets);
  suite_add_tcase(suite, tcase);
  return suite;
}
