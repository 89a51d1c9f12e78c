/* The list of trainings that `train all` works by: written and read back, locked, held against the files, refused when
 * it is wrong. */
#include <string.h>

#include "lifecycle/training_list.h"
#include "tests/store_fixture.h"

static as_context *ctx;
static const char *folder;
static as_store *store;
static as_training_list list;

static void setup(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
  store = as_fixture_store(ctx, folder);
  ck_assert_ok(ctx, as_make_folders(ctx, as_store_root(store)));
  ck_assert_ok(ctx, as_training_list_init(&list, store));
}
static void teardown(void) {
  as_training_list_free(&list);
  as_store_close(store);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static const char *data_file(const char *content) {
  const char *path = as_fixture_path(folder, "messages.csv");
  ck_assert_ok(ctx, as_file_write(ctx, path, content, strlen(content)));
  return path;
}

static void write_text(const char *text) {
  ck_assert_ok(ctx, as_file_write(ctx, list.path, text, strlen(text)));
}

/* Two trainings: one that waits for the data file, one that failed. */
static as_status fill(as_training_list *l, const char *data) {
  static const char *const words[] = {"train", "intent", "--data", "a file.csv", "--seed", "7"};
  l->count = 2;
  l->list[0] = (as_listed_training){.model = "intent",
                                    .state = AS_LISTED_WAITING,
                                    .size = "tiny",
                                    .rows = 12,
                                    .valid_rows = 3,
                                    .epochs = 4,
                                    .bytes = INT64_C(1) << 40,
                                    .expected = 1.5};
  l->list[1] = (as_listed_training){.model = "response", .state = AS_LISTED_FAILED, .exit_code = 3, .before = 2};
  as_status status = as_listed_set_words(l->ctx, &l->list[0], words, 6);
  if (status == AS_OK) status = as_listed_add_file(l->ctx, &l->list[0], data);
  if (status == AS_OK) status = as_listed_set_why(l->ctx, &l->list[1], "f.csv: line 2: \"odd\"\n");
  return status == AS_OK ? as_training_list_write(l) : status;
}

START_TEST(what_is_written_is_read) {
  as_training_list read;
  ck_assert(!as_training_list_exists(&list));
  ck_assert_ok(ctx, fill(&list, data_file("content\n")));
  ck_assert(as_training_list_exists(&list));
  ck_assert_ok(ctx, as_training_list_init(&read, store));
  ck_assert_ok(ctx, as_training_list_read(&read));
  ck_assert_uint_eq(read.count, 2);
  const as_listed_training *a = &read.list[0], *b = &read.list[1];
  ck_assert_str_eq(a->model, "intent");
  ck_assert_int_eq(a->state, AS_LISTED_WAITING);
  ck_assert_uint_eq(a->word_count, 6);
  ck_assert_str_eq(a->words[3], "a file.csv");
  ck_assert_str_eq(a->files[0].sha256, list.list[0].files[0].sha256);
  ck_assert_ptr_null(a->files[1].path);
  ck_assert_int_eq(a->bytes, INT64_C(1) << 40);
  ck_assert_double_eq(a->expected, 1.5);
  ck_assert_int_eq(a->rows + a->valid_rows + a->epochs, 19);
  ck_assert_ptr_null(a->why);
  ck_assert_int_eq(b->state, AS_LISTED_FAILED);
  ck_assert_int_eq(b->exit_code, 3);
  ck_assert_int_eq(b->before, 2);
  ck_assert_str_eq(b->why, "f.csv: line 2: \"odd\"\n");
  as_training_list_free(&read);
  ck_assert_ok(ctx, as_training_list_remove(&list));
  ck_assert_ok(ctx, as_training_list_remove(&list));
  ck_assert(!as_training_list_exists(&list));
}
END_TEST

START_TEST(one_at_a_time) {
  as_training_list other;
  ck_assert_ok(ctx, as_training_list_init(&other, store));
  ck_assert_ok(ctx, as_training_list_lock(&list));
  ck_assert_refused(ctx, as_training_list_lock(&other), AS_E_IO, "another `train all` works in this store");
  as_training_list_free(&list);
  ck_assert_ok(ctx, as_training_list_lock(&other));
  as_training_list_free(&other);
  ck_assert_ok(ctx, as_training_list_init(&list, store));
}
END_TEST

START_TEST(a_changed_file_is_refused_only_while_it_is_needed) {
  ck_assert_ok(ctx, fill(&list, data_file("content\n")));
  ck_assert_ok(ctx, as_training_list_check_files(&list));
  const char *path = data_file("content\nmore\n");
  ck_assert_refused(ctx, as_training_list_check_files(&list), AS_E_DATA,
                    "messages.csv: line 1: the file is not the one");
  list.list[0].state = AS_LISTED_BEGUN;
  ck_assert_refused(ctx, as_training_list_check_files(&list), AS_E_DATA, "intent is still to be trained");
  list.list[0].state = AS_LISTED_DONE;
  ck_assert_ok(ctx, as_training_list_check_files(&list));
  list.list[0].state = AS_LISTED_WAITING;
  ck_assert_ok(ctx, as_folder_remove(ctx, path));
  ck_assert_refused(ctx, as_training_list_check_files(&list), AS_E_DATA, "messages.csv");
}
END_TEST

#define REST                                                                                                           \
  "\"exit_code\":0,\"before\":0,\"version\":0,\"rows\":1,\"validation_rows\":1,\"epochs\":1,\"bytes\":1,"              \
  "\"expected_seconds\":1,\"seconds\":0"
#define TRAINING(fields) "{\"format\":1,\"trainings\":[{" fields "}]}"
static const struct {
  const char *text, *field;
} wrong[] = {
    {"", "train_all.json"},
    {"[]", "format"},
    {"{\"format\":2,\"trainings\":[]}", "format"},
    {"{\"format\":1}", "trainings"},
    {"{\"format\":1,\"trainings\":[1,2,3,4,5,6,7,8,9]}", "trainings"},
    {TRAINING(""), "model"},
    {TRAINING("\"model\":\"../x\""), "model"},
    {TRAINING("\"model\":\"a\",\"state\":\"begun\",\"size\":\"\""), "state"},
    {TRAINING("\"model\":\"a\",\"state\":\"done\""), "size"},
    {TRAINING("\"model\":\"a\",\"state\":\"done\",\"size\":\"\",\"exit_code\":-1"), "a number"},
    {TRAINING("\"model\":\"a\",\"state\":\"done\",\"size\":\"\"," REST), "command"},
    {TRAINING("\"model\":\"a\",\"state\":\"done\",\"size\":\"\"," REST ",\"command\":[1]"), "command"},
    {TRAINING("\"model\":\"a\",\"state\":\"done\",\"size\":\"\"," REST ",\"command\":[]"), "files"},
    {TRAINING("\"model\":\"a\",\"state\":\"done\",\"size\":\"\"," REST ",\"command\":[],\"files\":[{},{},{}]"),
     "files"},
    {TRAINING("\"model\":\"a\",\"state\":\"done\",\"size\":\"\"," REST
              ",\"command\":[],\"files\":[{\"path\":\"x\",\"sha256\":\"ab\"}]"),
     "files"},
};

START_TEST(what_is_no_list_is_refused) {
  write_text(wrong[_i].text);
  ck_assert_refused(ctx, as_training_list_read(&list), AS_E_MODEL, wrong[_i].field);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "train_all.json"));
}
END_TEST

START_TEST(failing_allocations_leave_nothing) {
  const char *path = data_file("content\n");
  const size_t used = as_memory_used(ctx);
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_training_list one;
    as_test_fail_at(ctx, n);
    as_status status = as_training_list_init(&one, store);
    if (status == AS_OK) status = as_training_list_lock(&one);
    if (status == AS_OK) status = fill(&one, path);
    as_training_list_free(&one);
    failed = as_test_failed_cleanly(ctx, status, used);
  }
  failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_training_list one;
    as_test_fail_at(ctx, n);
    as_status status = as_training_list_init(&one, store);
    if (status == AS_OK) status = as_training_list_read(&one);
    as_training_list_free(&one);
    failed = as_test_failed_cleanly(ctx, status, used);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("training list");
  TCase *all = tcase_create("list");
  as_fixture_folders_in_memory();
  tcase_add_checked_fixture(all, setup, teardown);
  tcase_add_test(all, what_is_written_is_read);
  tcase_add_test(all, one_at_a_time);
  tcase_add_test(all, a_changed_file_is_refused_only_while_it_is_needed);
  tcase_add_loop_test(all, what_is_no_list_is_refused, 0, (int)(sizeof wrong / sizeof wrong[0]));
  tcase_add_test(all, failing_allocations_leave_nothing);
  suite_add_tcase(suite, all);
  return suite;
}
