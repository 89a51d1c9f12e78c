/* What every test program shares: the main function, a context with a watched allocator, golden files, float
 * comparison.
 *
 * A test program defines `Suite *as_suite(void)` and links with libtest_harness, which runs it and prints TAP. One that
 * lives on the golden files alone calls as_golden_or_skip() first in it. */
#ifndef AS_TESTS_HARNESS_H
#define AS_TESTS_HARNESS_H

#include <check.h>

#include "base/buffer.h"
#include "base/context.h"
#include "base/file.h"
#include "base/memory.h"

Suite *as_suite(void);

/* A context with `threads` threads whose allocator counts; fails the test when it can't be made. Warnings go to
 * as_test_warnings(). as_test_context_free fails the test if memory is still allocated. */
as_context *as_test_context(int threads);
/* The same, but allocation number `n` (1-based, counted from the return of this function) fails, and so does every
 * later one if `forever`. */
as_context *as_test_context_failing(int threads, uint64_t n, bool forever);
/* Starts failing at the n-th allocation from now on an as_test_context; 0 stops failing. */
void as_test_fail_at(as_context *ctx, uint64_t n);
bool as_test_failed_one(as_context *ctx); /* whether the planned failure has happened */
/* Ends a round of a loop over failing allocations, whose work ended with `status`: stops failing, and fails the test
 * unless the work failed if and only if an allocation did, with AS_E_NOMEM, and `used` bytes are in use. Whether an
 * allocation failed: if not, the loop is through. */
bool as_test_failed_cleanly(as_context *ctx, as_status status, size_t used);
void as_test_context_free(as_context *ctx);
const char *as_test_warnings(as_context *ctx); /* all warnings so far, one a line */

/* Path below the golden folder (environment ASSISTIFY_GOLDEN) or below the source tree; static memory, 8 in turn. */
const char *as_golden(const char *relative);
const char *as_source_path(const char *relative);
/* Ends the program with a TAP "skip all" that says why; called in as_suite. */
void as_skip_all(const char *why);
/* The same when ASSISTIFY_GOLDEN is not set. */
void as_golden_or_skip(void);

/* A new empty folder for this test, below $TMPDIR or /tmp; removed with its content by as_test_folder_remove, and at
 * the latest when the program ends. */
const char *as_test_folder(void);
void as_test_folder_remove(const char *folder);

/* Takes bytes for what writes to a function: `user` is the as_buffer that they are appended to. */
as_status as_test_gather(void *user, const char *bytes, size_t length);

/* Fails the test with both values and the index when |a-b| > absolute + relative*|b| somewhere, or on NaN. */
void as_assert_close(const char *what, const float *actual, const float *expected, size_t count, double absolute,
                     double relative);

#define ck_assert_ok(ctx, call)                                                                                        \
  do {                                                                                                                 \
    as_status status_ = (call);                                                                                        \
    if (status_ != AS_OK) ck_abort_msg("%s: %s: %s", #call, as_status_name(status_), as_error_text(ctx));              \
  } while (0)
/* The call must fail with this status and a text that contains `fragment`. */
#define ck_assert_refused(ctx, call, expected_status, fragment)                                                        \
  do {                                                                                                                 \
    as_status status_ = (call);                                                                                        \
    if (status_ != (expected_status))                                                                                  \
      ck_abort_msg("%s: status %d, expected %d: %s", #call, (int)status_, (int)(expected_status), as_error_text(ctx)); \
    if (!strstr(as_error_text(ctx), (fragment)))                                                                       \
      ck_abort_msg("%s: text lacks \"%s\": %s", #call, (fragment), as_error_text(ctx));                                \
  } while (0)

#endif
