/* Files: reading, mapping, atomic writing with the system refusing at each step. */
#include "tests/harness.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* These stand in front of libc's: they count, and fail with `refuse_number` when it is their turn. */
static int fsync_calls, rename_calls, refuse_fsync_at, refuse_rename_at, refuse_number;

int fsync(int fd) {
  if (++fsync_calls == refuse_fsync_at) {
    errno = refuse_number;
    return -1;
  }
  return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to) {
  if (++rename_calls == refuse_rename_at) {
    errno = refuse_number;
    return -1;
  }
  return renameat(-100 /* AT_FDCWD */, from, -100, to);
}

static as_context *ctx;
static const char *folder;
static char *path; /* folder/file */

static void setup(void) {
  fsync_calls = rename_calls = refuse_fsync_at = refuse_rename_at = 0;
  ctx = as_test_context(1);
  folder = as_test_folder();
  path = as_path_join(ctx, folder, "file");
}

static void teardown(void) {
  as_free(ctx, path);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static void write_text(const char *text) {
  ck_assert_ok(ctx, as_file_write(ctx, path, text, strlen(text)));
}

static void assert_content(const char *expected) {
  char *data;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_DATA, &data, &length));
  ck_assert_uint_eq(length, strlen(expected));
  ck_assert_str_eq(data, expected);
  as_free(ctx, data);
}

static int entries_in_folder(void) {
  int count = 0;
  DIR *dir = opendir(folder);
  while (readdir(dir)) count++;
  closedir(dir);
  return count - 2;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

START_TEST(file_is_read_whole) {
  char bytes[100000], *data;
  size_t length;
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7);
  ck_assert_ok(ctx, as_file_write(ctx, path, bytes, sizeof bytes));
  ck_assert_ok(ctx, as_file_read(ctx, path, sizeof bytes, AS_E_DATA, &data, &length));
  ck_assert_uint_eq(length, sizeof bytes);
  ck_assert_mem_eq(data, bytes, length);
  ck_assert_int_eq(data[length], 0);
  as_free(ctx, data);
  write_text("");
  assert_content("");
}
END_TEST

START_TEST(what_is_no_readable_file_is_refused_as_the_caller_says) {
  char *data;
  size_t length;
  write_text("12345");
  ck_assert_refused(ctx, as_file_read(ctx, path, 4, AS_E_MODEL, &data, &length), AS_E_MODEL, "more than the 4");
  ck_assert_ptr_null(data);
  ck_assert_refused(ctx, as_file_read(ctx, folder, 0, AS_E_DATA, &data, &length), AS_E_DATA, "is a folder");
  ck_assert_refused(ctx, as_file_read(ctx, "/nowhere/x.csv", 0, AS_E_DATA, &data, &length), AS_E_DATA,
                    "/nowhere/x.csv");
  ck_assert_refused(ctx, as_file_read(ctx, "/dev/null", 0, AS_E_IO, &data, &length), AS_E_IO, "device or pipe");
  unlink(path);
  ck_assert_int_eq(mkfifo(path, 0600), 0);
  ck_assert_refused(ctx, as_file_read(ctx, path, 0, AS_E_DATA, &data, &length), AS_E_DATA, "device or pipe");
  as_mapping mapping;
  ck_assert_refused(ctx, as_file_map(ctx, path, AS_E_MODEL, &mapping), AS_E_MODEL, "device or pipe");
  ck_assert_refused(ctx, as_file_map(ctx, "/nowhere/w", AS_E_MODEL, &mapping), AS_E_MODEL, "/nowhere/w");
  as_file_unmap(ctx, &mapping);
}
END_TEST

START_TEST(file_is_mapped) {
  as_mapping mapping, empty;
  write_text("weights");
  ck_assert_ok(ctx, as_file_map(ctx, path, AS_E_MODEL, &mapping));
  ck_assert_uint_eq(mapping.length, 7);
  ck_assert_mem_eq(mapping.data, "weights", 7);
  write_text(""); /* the view is of the old file */
  ck_assert_mem_eq(mapping.data, "weights", 7);
  ck_assert_ok(ctx, as_file_map(ctx, path, AS_E_MODEL, &empty));
  ck_assert_uint_eq(empty.length, 0);
  ck_assert_ptr_nonnull(empty.data);
  as_file_unmap(ctx, &mapping);
  as_file_unmap(ctx, &mapping);
  as_file_unmap(ctx, &empty);
}
END_TEST

START_TEST(reading_survives_failing_allocations) {
  char *data;
  size_t length;
  write_text("text");
  as_test_fail_at(ctx, 1);
  ck_assert_refused(ctx, as_file_read(ctx, path, 0, AS_E_DATA, &data, &length), AS_E_NOMEM, path);
  ck_assert_ptr_null(data);
}
END_TEST

/* ---- writing ---------------------------------------------------------------------------------------------------- */

START_TEST(file_is_replaced_and_synchronised) {
  write_text("old");
  ck_assert_int_eq(chmod(path, 0640), 0);
  fsync_calls = rename_calls = 0;
  write_text("new text");
  assert_content("new text");
  ck_assert_int_eq(fsync_calls, 2); /* the file and its folder */
  ck_assert_int_eq(rename_calls, 1);
  ck_assert_int_eq(entries_in_folder(), 1);
  struct stat info;
  ck_assert_int_eq(stat(path, &info), 0);
  ck_assert_int_eq(info.st_mode & 0777, 0640);
}
END_TEST

START_TEST(readers_see_the_old_file_until_commit) {
  as_file_writer writer;
  write_text("old");
  ck_assert_ok(ctx, as_file_begin(ctx, &writer, path));
  fprintf(writer.stream, "new %d", 1);
  fflush(writer.stream);
  assert_content("old");
  char start[4096];
  snprintf(start, sizeof start, "%s.tmp-%ld-", path, (long)getpid());
  ck_assert_int_eq(strncmp(writer.temporary, start, strlen(start)), 0);
  ck_assert_ok(ctx, as_file_commit(ctx, &writer));
  assert_content("new 1");
  as_file_abandon(ctx, &writer); /* after commit: nothing */
  ck_assert_ok(ctx, as_file_begin(ctx, &writer, path));
  fputs("never", writer.stream);
  as_file_abandon(ctx, &writer);
  assert_content("new 1");
  ck_assert_int_eq(entries_in_folder(), 1);
}
END_TEST

START_TEST(names_left_by_a_dead_process_are_passed_over) {
  char *left = as_alloc(ctx, 4096, 1);
  for (int i = 0; i < 3; i++) {
    snprintf(left, 4096, "%s.tmp-%ld-%d", path, (long)getpid(), i);
    fclose(fopen(left, "w"));
  }
  as_free(ctx, left);
  write_text("written");
  assert_content("written");
  ck_assert_int_eq(entries_in_folder(), 4);
  ck_assert_ok(ctx, as_file_remove_temporaries(ctx, path));
  assert_content("written");
  ck_assert_int_eq(entries_in_folder(), 1);
  as_test_fail_at(ctx, 1);
  ck_assert_int_eq(as_file_remove_temporaries(ctx, path), AS_E_NOMEM);
  as_test_fail_at(ctx, 0);
  ck_assert_ok(ctx, as_file_remove_temporaries(ctx, "/no/such/folder/file"));
}
END_TEST

START_TEST(each_refusal_leaves_the_old_file) {
  write_text("old");
  refuse_number = ENOSPC;
  fsync_calls = 0, refuse_fsync_at = 1;
  ck_assert_refused(ctx, as_file_write(ctx, path, "new", 3), AS_E_IO, "disk is full");
  refuse_fsync_at = 0;
  refuse_number = EACCES;
  rename_calls = 0, refuse_rename_at = 1;
  ck_assert_refused(ctx, as_file_write(ctx, path, "new", 3), AS_E_IO, "cannot be replaced: Permission denied");
  refuse_rename_at = 0;
  assert_content("old");
  ck_assert_int_eq(entries_in_folder(), 1);
  refuse_number = EIO;
  fsync_calls = 0, refuse_fsync_at = 2; /* the folder: the new file is there, but may not last */
  ck_assert_refused(ctx, as_file_write(ctx, path, "new", 3), AS_E_IO, "folder cannot be synchronised");
  refuse_number = EINVAL; /* a file system without fsync for folders */
  fsync_calls = 0, refuse_fsync_at = 2;
  ck_assert_ok(ctx, as_file_write(ctx, path, "newer", 5));
  assert_content("newer");
}
END_TEST

START_TEST(a_write_that_does_not_fit_is_refused) {
  static char large[1 << 20];
  struct rlimit limit = {65536, RLIM_INFINITY}, unlimited;
  getrlimit(RLIMIT_FSIZE, &unlimited);
  write_text("old");
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  ck_assert_refused(ctx, as_file_write(ctx, path, large, sizeof large), AS_E_IO, path);
  as_file_writer writer; /* small pieces meet the limit in the middle of the stream */
  ck_assert_ok(ctx, as_file_begin(ctx, &writer, path));
  for (int i = 0; i < 100000; i++) fputs("123456", writer.stream);
  ck_assert_refused(ctx, as_file_commit(ctx, &writer), AS_E_IO, "cannot be written");
  setrlimit(RLIMIT_FSIZE, &unlimited);
  assert_content("old");
  ck_assert_int_eq(entries_in_folder(), 1);
}
END_TEST

START_TEST(writing_survives_failing_allocations) {
  write_text("old");
  int n = 1;
  for (;; n++) {
    as_test_fail_at(ctx, (uint64_t)n);
    as_status status = as_file_write(ctx, path, "new", 3);
    if (!as_test_failed_one(ctx)) break;
    ck_assert_int_eq(status, AS_E_NOMEM);
    as_test_fail_at(ctx, 0);
    assert_content("old");
    ck_assert_int_eq(entries_in_folder(), 1);
  }
  as_test_fail_at(ctx, 0);
  ck_assert_int_eq(n, 3);
  assert_content("new");
}
END_TEST

START_TEST(a_buffer_is_written_or_its_failure_told) {
  as_buffer buffer;
  as_buffer_init(&buffer, ctx);
  ck_assert_ok(ctx, as_file_write_into(ctx, folder, "file", &buffer));
  assert_content("");
  as_buffer_text(&buffer, "some text");
  ck_assert_ok(ctx, as_file_write_into(ctx, folder, "file", &buffer));
  assert_content("some text");
  buffer.failed = true;
  ck_assert_int_eq(as_file_write_into(ctx, folder, "file", &buffer), AS_E_NOMEM);
  as_buffer_free(&buffer);
  assert_content("some text");
}
END_TEST

START_TEST(a_missing_folder_is_refused) {
  ck_assert_refused(ctx, as_file_write(ctx, "/nowhere/at/all", "x", 1), AS_E_IO,
                    "/nowhere/at/all: cannot be written: No such");
}
END_TEST

/* ---- paths ------------------------------------------------------------------------------------------------------ */

START_TEST(folders_are_made_with_their_parents) {
  char *deep = as_path_join(ctx, folder, "a/b//c/");
  ck_assert_ok(ctx, as_make_folders(ctx, deep));
  ck_assert_ok(ctx, as_make_folders(ctx, deep));
  ck_assert(as_path_is_folder(deep));
  as_free(ctx, deep);
  write_text("a file");
  char *below = as_path_join(ctx, path, "x");
  ck_assert_refused(ctx, as_make_folders(ctx, below), AS_E_IO, "Not a directory");
  ck_assert_refused(ctx, as_make_folders(ctx, path), AS_E_IO, "Not a directory");
  as_test_fail_at(ctx, 1);
  ck_assert_refused(ctx, as_make_folders(ctx, below), AS_E_NOMEM, "out of memory");
  as_free(ctx, below);
  ck_assert_ok(ctx, as_make_folders(ctx, "."));
  ck_assert_ok(ctx, as_make_folders(ctx, "/"));
  ck_assert_ok(ctx, as_make_folders(ctx, ""));
}
END_TEST

START_TEST(a_folder_in_the_place_of_a_file_is_refused) {
  as_file_writer writer;
  ck_assert_refused(ctx, as_file_write(ctx, folder, "x", 1), AS_E_IO, "is a folder; the name of a file is needed");
  ck_assert_refused(ctx, as_file_begin(ctx, &writer, folder), AS_E_IO, folder);
  as_file_abandon(ctx, &writer);
}
END_TEST

/* The system's reason must survive the look at what is there instead. */
START_TEST(a_folder_that_cannot_be_made_says_why) {
  ck_assert_refused(ctx, as_make_folders(ctx, "/proc/no-such/folder"), AS_E_IO, "No such file or directory");
  ck_assert_refused(ctx, as_make_folders(ctx, "/sys/kernel/assistify"), AS_E_IO, "the folder cannot be made: ");
  ck_assert_ptr_null(strstr(as_error_text(ctx), "No such file or directory"));
}
END_TEST

START_TEST(folders_made_for_now_are_unmade_as_far_as_they_are_empty) {
  char *deep = as_path_join(ctx, folder, "new//b/c/"), *top = as_path_join(ctx, folder, "new");
  char *middle = as_path_join(ctx, folder, "new/b"), *inner = as_path_join(ctx, folder, "new/b/file");
  size_t made = 0;
  ck_assert_ok(ctx, as_make_folders_for_now(ctx, deep, &made));
  ck_assert_uint_eq(made, strlen(top));
  as_unmake_folders(ctx, deep, 0);
  ck_assert(as_path_is_folder(deep));
  ck_assert_ok(ctx, as_file_write(ctx, inner, "x", 1));
  as_unmake_folders(ctx, deep, made);
  ck_assert(!as_path_exists(deep) && as_path_exists(inner));
  ck_assert_int_eq(unlink(inner), 0);
  as_unmake_folders(ctx, deep, made);
  ck_assert(!as_path_exists(top) && as_path_is_folder(folder));
  ck_assert_ok(ctx, as_make_folders(ctx, top));
  made = 0;
  ck_assert_ok(ctx, as_make_folders_for_now(ctx, deep, &made));
  ck_assert_uint_gt(made, strlen(top));
  as_unmake_folders(ctx, deep, made);
  ck_assert(!as_path_exists(middle) && as_path_is_folder(top));
  made = 0;
  ck_assert_ok(ctx, as_make_folders_for_now(ctx, top, &made));
  ck_assert_uint_eq(made, 0);
  as_free(ctx, deep);
  as_free(ctx, top);
  as_free(ctx, middle);
  as_free(ctx, inner);
}
END_TEST

START_TEST(a_path_beside_a_file_is_in_its_folder) {
  static const char *const rows[][2] = {{"a/b/file", "a/b/x"}, {"file", "./x"}, {"/file", "/x"}, {"a//file", "a/x"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char *beside = as_path_beside(ctx, rows[i][0], "x");
    ck_assert_str_eq(beside, rows[i][1]);
    as_free(ctx, beside);
  }
}
END_TEST

START_TEST(paths_are_joined) {
  const char *const cases[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char *joined = as_path_join(ctx, cases[i][0], cases[i][1]);
    ck_assert_str_eq(joined, cases[i][2]);
    as_free(ctx, joined);
  }
  as_test_fail_at(ctx, 1);
  ck_assert_ptr_null(as_path_join(ctx, "a", "b"));
}
END_TEST

START_TEST(paths_are_looked_at) {
  ck_assert(as_path_exists(folder) && as_path_is_folder(folder));
  ck_assert(!as_path_exists(path) && !as_path_is_folder(path));
  write_text("x");
  ck_assert(as_path_exists(path) && !as_path_is_folder(path));
  ck_assert(as_disk_free(folder) != UINT64_MAX);
  ck_assert(as_disk_free("/no/such/folder/yet") != UINT64_MAX);
  ck_assert(as_disk_free("relative-and-absent") != UINT64_MAX);
  char *below = as_path_join(ctx, path, "below-a-file");
  ck_assert(as_disk_free(below) == UINT64_MAX);
  as_free(ctx, below);
}
END_TEST

START_TEST(folders_are_removed_with_their_content_but_no_link_is_followed) {
  char *tree = as_path_join(ctx, folder, "tree"), *deep = as_path_join(ctx, tree, "a/b/c");
  char *inner = as_path_join(ctx, deep, "file"), *link = as_path_join(ctx, tree, "link");
  ck_assert_ok(ctx, as_make_folders(ctx, deep));
  ck_assert_ok(ctx, as_file_write(ctx, inner, "x", 1));
  write_text("outside");
  ck_assert_int_eq(symlink(folder, link), 0);
  ck_assert_ok(ctx, as_folder_remove(ctx, tree));
  ck_assert(!as_path_exists(tree));
  assert_content("outside");
  ck_assert_ok(ctx, as_folder_remove(ctx, tree));
  as_free(ctx, tree);
  as_free(ctx, deep);
  as_free(ctx, inner);
  as_free(ctx, link);
}
END_TEST

START_TEST(renaming_is_made_to_last) {
  char *to = as_path_join(ctx, folder, "to"), *nowhere = as_path_join(ctx, folder, "no/where");
  write_text("moved");
  fsync_calls = 0;
  ck_assert_ok(ctx, as_rename(ctx, path, to));
  ck_assert_int_eq(fsync_calls, 1); /* the folder */
  ck_assert(as_path_exists(to) && !as_path_exists(path));
  ck_assert_refused(ctx, as_rename(ctx, path, to), AS_E_IO, "cannot be put in place: No such file");
  ck_assert_refused(ctx, as_rename(ctx, to, nowhere), AS_E_IO, nowhere);
  refuse_number = EIO;
  fsync_calls = 0, refuse_fsync_at = 1;
  ck_assert_refused(ctx, as_rename(ctx, to, path), AS_E_IO, "Input/output error");
  as_free(ctx, to);
  as_free(ctx, nowhere);
}
END_TEST

START_TEST(names_change_places_or_stay) {
  char *other = as_path_join(ctx, folder, "other"), *absent = as_path_join(ctx, folder, "absent");
  write_text("first");
  ck_assert_ok(ctx, as_file_write(ctx, other, "second", 6));
  bool done;
  fsync_calls = 0;
  ck_assert_ok(ctx, as_rename_exchange(ctx, path, other, &done));
  ck_assert_int_eq(fsync_calls, done);       /* the folder */
  assert_content(done ? "second" : "first"); /* done: wherever the file system can */
  ck_assert_int_eq(entries_in_folder(), 2);
  if (done) {
    ck_assert_refused(ctx, as_rename_exchange(ctx, path, absent, &done), AS_E_IO, "No such file");
    assert_content("second");
  }
  as_free(ctx, other);
  as_free(ctx, absent);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("file");
  TCase *read = tcase_create("read"), *write = tcase_create("write"), *paths = tcase_create("paths");
  tcase_add_checked_fixture(read, setup, teardown);
  tcase_add_checked_fixture(write, setup, teardown);
  tcase_add_checked_fixture(paths, setup, teardown);
  tcase_add_test(read, file_is_read_whole);
  tcase_add_test(read, what_is_no_readable_file_is_refused_as_the_caller_says);
  tcase_add_test(read, file_is_mapped);
  tcase_add_test(read, reading_survives_failing_allocations);
  tcase_add_test(write, file_is_replaced_and_synchronised);
  tcase_add_test(write, readers_see_the_old_file_until_commit);
  tcase_add_test(write, names_left_by_a_dead_process_are_passed_over);
  tcase_add_test(write, each_refusal_leaves_the_old_file);
  tcase_add_test(write, a_write_that_does_not_fit_is_refused);
  tcase_add_test(write, writing_survives_failing_allocations);
  tcase_add_test(write, a_buffer_is_written_or_its_failure_told);
  tcase_add_test(write, a_missing_folder_is_refused);
  tcase_add_test(paths, folders_are_made_with_their_parents);
  tcase_add_test(paths, folders_made_for_now_are_unmade_as_far_as_they_are_empty);
  tcase_add_test(paths, a_folder_in_the_place_of_a_file_is_refused);
  tcase_add_test(paths, a_folder_that_cannot_be_made_says_why);
  tcase_add_test(paths, paths_are_joined);
  tcase_add_test(paths, a_path_beside_a_file_is_in_its_folder);
  tcase_add_test(paths, folders_are_removed_with_their_content_but_no_link_is_followed);
  tcase_add_test(paths, renaming_is_made_to_last);
  tcase_add_test(paths, names_change_places_or_stay);
  tcase_add_test(paths, paths_are_looked_at);
  suite_add_tcase(suite, read);
  suite_add_tcase(suite, write);
  suite_add_tcase(suite, paths);
  return suite;
}
