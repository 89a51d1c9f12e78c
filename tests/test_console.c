/* What meets the outside: the two streams, the progress line, signals, and lines of input. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/lines.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "tests/harness.h"

/* ---- a terminal to write to --------------------------------------------------------------------------------- */

typedef struct terminal {
  int master;
  FILE *stream;
} terminal;

static terminal open_terminal(unsigned short columns) {
  terminal t = {.master = posix_openpt(O_RDWR | O_NOCTTY)};
  ck_assert_int_ge(t.master, 0);
  ck_assert_int_eq(grantpt(t.master), 0);
  ck_assert_int_eq(unlockpt(t.master), 0);
  int slave = open(ptsname(t.master), O_RDWR | O_NOCTTY);
  ck_assert_int_ge(slave, 0);
  struct winsize size = {.ws_row = 24, .ws_col = columns};
  ck_assert_int_eq(ioctl(slave, TIOCSWINSZ, &size), 0);
  t.stream = fdopen(slave, "w");
  setenv("TERM", "xterm", 1);
  return t;
}

/* What has been written since the last call; the terminal turns \n into \r\n. */
static const char *read_terminal(const terminal *t) {
  static char text[4096];
  fcntl(t->master, F_SETFL, O_NONBLOCK);
  size_t length = 0;
  ssize_t got;
  while ((got = read(t->master, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
  text[length] = 0;
  return text;
}

static void close_terminal(terminal *t) {
  fclose(t->stream);
  close(t->master);
}

static as_console plain_console(FILE **err) {
  as_console console;
  *err = tmpfile();
  ck_assert_ptr_nonnull(*err);
  as_console_start(&console, *err, *err);
  return console;
}

static const char *content(FILE *file) {
  static char text[4096];
  rewind(file);
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  return text;
}

/* ---- messages ----------------------------------------------------------------------------------------------- */

START_TEST(a_warning_does_not_mix_with_the_progress_line) {
  terminal t = open_terminal(80);
  as_console console;
  as_console_start(&console, t.stream, t.stream);
  as_console_progress(&console, "step 1");
  ck_assert_str_eq(read_terminal(&t), "step 1");
  as_console_warn(&console, "odd row");
  ck_assert_str_eq(read_terminal(&t), "\r\033[Kassistify: warning: odd row\r\nstep 1");
  as_console_out(&console, "result\n", 7);
  ck_assert_str_eq(read_terminal(&t), "\r\033[Kresult\r\nstep 1");
  as_console_progress(&console, "");
  ck_assert_str_eq(read_terminal(&t), "\r\033[K");
  ck_assert_int_eq(as_console_finish(&console, 0), 0);
  close_terminal(&t);
}
END_TEST

START_TEST(long_messages_break_at_blanks_on_a_terminal) {
  terminal t = open_terminal(40);
  as_console console;
  as_console_start(&console, t.stream, t.stream);
  as_console_error(&console, "data.csv line 7: the text is empty; give --on-error skip");
  ck_assert_str_eq(read_terminal(&t), "assistify: data.csv line 7: the text is\r\n  empty; give --on-error skip\r\n");
  as_console_finish(&console, 0);
  close_terminal(&t);
}
END_TEST

START_TEST(messages_are_one_line_elsewhere_and_cannot_steer_a_terminal) {
  FILE *err;
  as_console console = plain_console(&err);
  as_console_error(&console, "bad \033[31m name \xc2\x9b \xff caf\xc3\xa9");
  ck_assert_str_eq(content(err), "assistify: bad \\x1b[31m name \\x9b \\xff caf\xc3\xa9\n");
  as_console_finish(&console, 0);
  fclose(err);
}
END_TEST

START_TEST(quiet_silences_notes_and_progress_only) {
  FILE *err;
  as_console console = plain_console(&err);
  console.quiet = true;
  as_console_note(&console, "5 rows");
  as_progress progress;
  as_progress_start(&progress, &console, 0);
  as_progress_figures figures = {.step = 50, .steps = 100, .loss = 1, .lr = 1, .rate = 1};
  as_progress_update_at(&progress, &figures, progress.started + 1000);
  as_console_warn(&console, "still here");
  ck_assert_str_eq(content(err), "assistify: warning: still here\n");
  as_console_finish(&console, 0);
  fclose(err);
}
END_TEST

/* ---- results ------------------------------------------------------------------------------------------------ */

START_TEST(a_reader_that_went_away_is_no_failure) {
  int ends[2];
  signal(SIGPIPE, SIG_IGN);
  ck_assert_int_eq(pipe(ends), 0);
  close(ends[0]);
  FILE *out = fdopen(ends[1], "w"), *err = tmpfile();
  as_console console;
  as_console_start(&console, out, err);
  char block[8192] = "x";
  memset(block, 'x', sizeof block);
  bool good = true;
  for (int i = 0; i < 100 && good; i++) good = as_console_out(&console, block, sizeof block);
  ck_assert(!good);
  ck_assert_int_eq(as_console_finish(&console, 0), 0);
  ck_assert_int_eq(console.out_errno, EPIPE);
  ck_assert_str_eq(content(err), "");
  fclose(out);
  fclose(err);
}
END_TEST

START_TEST(lost_results_are_a_failure) {
  FILE *out = fopen("/dev/full", "w"), *err = tmpfile();
  if (!out) return; /* there is no such device here */
  as_console console;
  as_console_start(&console, out, err);
  ck_assert(as_console_print(&console, "%d\n", 42));
  ck_assert_int_eq(as_console_finish(&console, 0), 1);
  ck_assert_ptr_nonnull(strstr(content(err), "could not be written"));
  fclose(out);
  fclose(err);
}
END_TEST

/* ---- progress ----------------------------------------------------------------------------------------------- */

static const as_progress_figures FIGURES = {.epoch = 2,
                                            .epochs = 5,
                                            .step = 340,
                                            .steps = 1565,
                                            .loss = 0.43121,
                                            .lr = 8.1e-5,
                                            .rate = 1234.5,
                                            .unit = "tokens"};

START_TEST(the_line_fits_the_width) {
  char line[256];
  as_progress_line(&FIGURES, 151, 200, line, sizeof line);
  ck_assert_str_eq(line, "epoch 2/5  step 340/1565  loss 0.4312  lr 8.10e-05  1234 tokens/s  2:31 left");
  as_progress_line(&FIGURES, 151, 60, line, sizeof line);
  ck_assert_str_eq(line, "epoch 2/5  step 340/1565  loss 0.4312  2:31 left");
  as_progress_line(&FIGURES, 151, 40, line, sizeof line);
  ck_assert_str_eq(line, "step 340/1565  loss 0.4312  2:31 left");
  for (int width = 2; width < 120; width++) {
    as_progress_line(&FIGURES, 100000, width, line, sizeof line);
    ck_assert_msg(strlen(line) < (size_t)width, "%zu characters on %d columns", strlen(line), width);
  }
}
END_TEST

START_TEST(what_is_not_known_is_not_shown) {
  char line[256];
  as_progress_figures figures = {.step = 7, .loss = NAN, .lr = NAN, .rate = NAN};
  as_progress_line(&figures, -1, 80, line, sizeof line);
  ck_assert_str_eq(line, "step 7");
}
END_TEST

START_TEST(plain_lines_come_now_and_then) {
  FILE *err;
  as_console console = plain_console(&err);
  as_progress progress;
  as_progress_start(&progress, &console, 100);
  as_progress_figures figures = FIGURES;
  int lines = 0;
  for (int second = 1; second <= 120; second++) {
    figures.step = 100 + second;
    figures.steps = 1100;
    as_progress_update_at(&progress, &figures, progress.started + second);
  }
  const char *text = content(err);
  for (const char *at = text; (at = strchr(at, '\n')); at++) lines++;
  ck_assert_msg(lines == 2, "%d lines: %s", lines, text);
  /* 10 steps in 10 s, 990 to go: those before the resume do not count */
  ck_assert_msg(strstr(text, "step 110/1100") && strstr(text, "16:30 left"), "%s", text);
  as_console_finish(&console, 0);
  fclose(err);
}
END_TEST

START_TEST(a_terminal_is_not_redrawn_too_often) {
  terminal t = open_terminal(40);
  as_console console;
  as_console_start(&console, t.stream, t.stream);
  as_progress progress;
  as_progress_start(&progress, &console, 0);
  as_progress_update_at(&progress, &FIGURES, progress.started + 1);
  as_progress_update_at(&progress, &FIGURES, progress.started + 1.01);
  ck_assert_str_eq(read_terminal(&t), "step 340/1565  loss 0.4312  0:04 left");
  as_progress_end(&progress);
  as_console_finish(&console, 0);
  close_terminal(&t);
}
END_TEST

/* ---- signals ------------------------------------------------------------------------------------------------ */

/* Sends the signals to a child that catches them; returns what waitpid says of it. The child ends with 10 + the flag.
 */
static int child_after(const int *signals, size_t count) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    as_signals_catch();
    for (size_t i = 0; i < count; i++) raise(signals[i]);
    _exit(10 + as_interrupted(NULL));
  }
  int status = 0;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  return status;
}

START_TEST(the_first_signal_is_a_flag_the_second_ends) {
  int status = child_after(NULL, 0);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 10);
  status = child_after((int[]){SIGTERM}, 1);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 11);
  status = child_after((int[]){SIGINT}, 1);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 11);
  status = child_after((int[]){SIGINT, SIGINT}, 2);
  ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
  status = child_after((int[]){SIGTERM, SIGTERM}, 2);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 11);
  status = child_after((int[]){SIGTERM, SIGINT}, 2);
  ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}
END_TEST

/* ---- lines -------------------------------------------------------------------------------------------------- */

static const char *write_lines(as_context *ctx, const char *folder, const char *text, size_t length) {
  static char path[4200];
  snprintf(path, sizeof path, "%s/lines.txt", folder);
  ck_assert_ok(ctx, as_file_write(ctx, path, text, length));
  return path;
}

static void expect_line(as_lines *lines, const char *expected) {
  const char *line;
  size_t length;
  ck_assert_ok(lines->ctx, as_lines_next(lines, &line, &length));
  if (!expected) {
    ck_assert_ptr_null(line);
    return;
  }
  ck_assert_ptr_nonnull(line);
  ck_assert_str_eq(line, expected);
  ck_assert_uint_eq(length, strlen(expected));
}

START_TEST(lines_end_as_they_may) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  static const char text[] = "\xEF\xBB\xBFone\r\n\ntwo \r x\nlast";
  as_lines lines;
  ck_assert_ok(ctx, as_lines_open(ctx, write_lines(ctx, folder, text, sizeof text - 1), 100, &lines));
  expect_line(&lines, "one");
  expect_line(&lines, "");
  expect_line(&lines, "two \r x");
  ck_assert_uint_eq(lines.number, 3);
  expect_line(&lines, "last");
  expect_line(&lines, NULL);
  expect_line(&lines, NULL);
  as_lines_close(&lines);
  ck_assert_ok(ctx, as_lines_open(ctx, write_lines(ctx, folder, "", 0), 100, &lines));
  expect_line(&lines, NULL);
  as_lines_close(&lines);
  ck_assert_ok(ctx, as_lines_open(ctx, write_lines(ctx, folder, "\n", 1), 100, &lines));
  expect_line(&lines, "");
  expect_line(&lines, NULL);
  as_lines_close(&lines);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_line_over_the_limit_is_an_error_and_not_the_end) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder(), *line;
  size_t length;
  as_lines lines;
  static const char text[] = "12345\r\n123456\n12345678901234567890\r\nok\n";
  ck_assert_ok(ctx, as_lines_open(ctx, write_lines(ctx, folder, text, sizeof text - 1), 5, &lines));
  expect_line(&lines, "12345");
  ck_assert_refused(ctx, as_lines_next(&lines, &line, &length), AS_E_DATA,
                    "lines.txt: line 2: 6 bytes long; at most 5");
  ck_assert_refused(ctx, as_lines_next(&lines, &line, &length), AS_E_DATA, "line 3");
  expect_line(&lines, "ok");
  expect_line(&lines, NULL);
  ck_assert_uint_lt(as_memory_peak(ctx), 200);
  as_lines_close(&lines);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_nul_byte_is_part_of_its_line) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder(), *line;
  size_t length;
  as_lines lines;
  ck_assert_ok(ctx, as_lines_open(ctx, write_lines(ctx, folder, "a\0b\n", 4), 5, &lines));
  ck_assert_ok(ctx, as_lines_next(&lines, &line, &length));
  ck_assert_uint_eq(length, 3);
  as_lines_close(&lines);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(what_cannot_be_read_is_a_data_error) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder(), *line;
  size_t length;
  as_lines lines;
  ck_assert_refused(ctx, as_lines_open(ctx, "/nonexistent/x", 5, &lines), AS_E_DATA, "/nonexistent/x");
  ck_assert_refused(ctx, as_lines_open(ctx, folder, 5, &lines), AS_E_DATA, "is a folder");
  ck_assert_ok(ctx, as_lines_open(ctx, write_lines(ctx, folder, "abc\n", 4), 50, &lines));
  as_test_fail_at(ctx, 1);
  ck_assert_int_eq(as_lines_next(&lines, &line, &length), AS_E_NOMEM);
  as_test_fail_at(ctx, 0);
  ck_assert_int_eq(as_lines_fail(&lines, "bad %s", "thing"), AS_E_DATA);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "lines.txt: line 1: bad thing"));
  as_lines_close(&lines);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("console");
  TCase *messages = tcase_create("messages"), *progress = tcase_create("progress"), *lines = tcase_create("lines");
  tcase_add_test(messages, a_warning_does_not_mix_with_the_progress_line);
  tcase_add_test(messages, long_messages_break_at_blanks_on_a_terminal);
  tcase_add_test(messages, messages_are_one_line_elsewhere_and_cannot_steer_a_terminal);
  tcase_add_test(messages, quiet_silences_notes_and_progress_only);
  tcase_add_test(messages, a_reader_that_went_away_is_no_failure);
  tcase_add_test(messages, lost_results_are_a_failure);
  tcase_add_test(messages, the_first_signal_is_a_flag_the_second_ends);
  tcase_add_test(progress, the_line_fits_the_width);
  tcase_add_test(progress, what_is_not_known_is_not_shown);
  tcase_add_test(progress, plain_lines_come_now_and_then);
  tcase_add_test(progress, a_terminal_is_not_redrawn_too_often);
  tcase_add_test(lines, lines_end_as_they_may);
  tcase_add_test(lines, a_line_over_the_limit_is_an_error_and_not_the_end);
  tcase_add_test(lines, a_nul_byte_is_part_of_its_line);
  tcase_add_test(lines, what_cannot_be_read_is_a_data_error);
  suite_add_tcase(suite, messages);
  suite_add_tcase(suite, progress);
  suite_add_tcase(suite, lines);
  return suite;
}
