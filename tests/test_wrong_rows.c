/* Wrong rows as CSV: order, quoting, absent probabilities, failing allocations; read back it is what was written. */
#include "tests/harness.h"

#include <string.h>

#include "data/csv.h"
#include "infer/wrong_rows.h"

static const char file[] = "content,intent\n"
                           "\"where, is\nmy \"\"parcel\"\"\",tracking\n"
                           "give it back,return\n"
                           "thanks,other\n"
                           "buy,return\n";
static const char *const labels[] = {"other", "return", "tracking"};
static const int32_t truth[] = {2, 1, 0, 1}, predicted[] = {0, 1, 2, 2};
static const double probabilities[] = {0.5, 0.25, 0.25, 0.125, 0.75, 0.125, 0.0, 0.3, 0.7, 0.25, 0.25, 0.5};

static as_messages *read_messages(as_context *ctx, const char *folder) {
  char path[512];
  snprintf(path, sizeof path, "%s/messages.csv", folder);
  ck_assert_ok(ctx, as_file_write(ctx, path, file, strlen(file)));
  const as_column_request column = {.name = "intent", .kind = AS_COLUMN_LABEL};
  const as_message_options options = {.columns = &column, .column_count = 1};
  as_messages *messages;
  ck_assert_ok(ctx, as_messages_read(ctx, path, &options, NULL, &messages));
  return messages;
}

START_TEST(the_surest_mistakes_come_first) {
  static const char expected[] = "line,text,truth,predicted,confidence\n"
                                 "5,thanks,other,tracking,0.7\n"
                                 "2,\"where, is\nmy \"\"parcel\"\"\",tracking,other,0.5\n"
                                 "6,buy,return,tracking,0.5\n";
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  as_messages *messages = read_messages(ctx, folder);
  const as_answers answers = {messages, 3, labels, truth, predicted, probabilities};
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_wrong_rows_csv(ctx, &answers, &out));
  ck_assert_str_eq(as_buffer_string(&out), expected);
  as_buffer_free(&out);
  as_messages_free(messages);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(without_probabilities_the_file_gives_the_order) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  as_messages *messages = read_messages(ctx, folder);
  const as_answers answers = {messages, 3, labels, truth, predicted, NULL},
                   right = {messages, 3, labels, truth, truth, NULL};
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_wrong_rows_csv(ctx, &answers, &out));
  ck_assert_ptr_nonnull(
      strstr(as_buffer_string(&out), "tracking,other,\n5,thanks,other,tracking,\n6,buy,return,tracking,\n"));
  as_buffer_clear(&out);
  ck_assert_ok(ctx, as_wrong_rows_csv(ctx, &right, &out));
  ck_assert_str_eq(as_buffer_string(&out), "line,text,truth,predicted,confidence\n");
  as_buffer_free(&out);
  as_messages_free(messages);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  as_messages *messages = read_messages(ctx, folder);
  const as_answers answers = {messages, 3, labels, truth, predicted, probabilities};
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_buffer out;
    as_buffer_init(&out, ctx);
    as_test_fail_at(ctx, n);
    const as_status status = as_wrong_rows_csv(ctx, &answers, &out);
    failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    as_buffer_free(&out);
  }
  as_messages_free(messages);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("wrong rows");
  TCase *tests = tcase_create("wrong rows");
  tcase_add_test(tests, the_surest_mistakes_come_first);
  tcase_add_test(tests, without_probabilities_the_file_gives_the_order);
  tcase_add_test(tests, failing_allocations_are_reported);
  suite_add_tcase(suite, tests);
  return suite;
}
