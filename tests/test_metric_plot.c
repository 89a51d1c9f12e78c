/* The picture of the history of figures: that it is XML whatever the names, legible however many points there are, and
 * true to the numbers. */
#include "lifecycle/metric_plot.h"

#include <math.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/small_xml.h"

static as_context *ctx;
static as_metric_plot *plot;

static void begin(void) {
  ctx = as_test_context(1);
  ck_assert_ok(ctx, as_metric_plot_new(ctx, &plot));
}

static void end(void) {
  as_metric_plot_free(plot);
  as_test_context_free(ctx);
}

static void add(const char *model, const char *version, const char *metric, double value, const char *timestamp) {
  const as_metric_row row = {
      .model = model, .version = version, .metric = metric, .value = value, .timestamp = timestamp};
  ck_assert_ok(ctx, as_metric_plot_add(plot, &row));
}

/* Draws; the buffer's text is checked to be XML. */
static void draw(as_buffer *out) {
  as_buffer_init(out, ctx);
  ck_assert_ok(ctx, as_metric_plot_svg(plot, out));
  as_assert_xml(as_buffer_string(out));
}

static int count(const char *text, const char *word) {
  int found = 0;
  for (; (text = strstr(text, word)); text++) found++;
  return found;
}

static void expect(const as_buffer *out, const char *text) {
  ck_assert_msg(strstr(as_buffer_string(out), text), "\"%s\" is not in: %.2000s", text, as_buffer_string(out));
}

START_TEST(nothing_is_a_picture_too) {
  as_buffer out;
  begin();
  draw(&out);
  expect(&out, ">There are no such figures</text>");
  as_buffer_free(&out);
  end();
}
END_TEST

START_TEST(one_figure_stands_in_the_middle) {
  as_buffer out;
  begin();
  add("intent", "1", "accuracy", 0.75, "2026-01-31 12:30:00");
  draw(&out);
  expect(&out, ">intent accuracy</text>");
  expect(&out, ">2026-01-31 12:30:00</text>");
  expect(&out, "<title>2026-01-31 12:30:00, version 1: 0.75</title>");
  expect(&out, ">v1</text>");
  ck_assert_int_eq(count(as_buffer_string(&out), "class=\"dot\""), 1);
  as_buffer_free(&out);
  end();
}
END_TEST

START_TEST(versions_measured_together_are_lines_of_their_own) {
  as_buffer out;
  begin();
  add("intent", "1", "accuracy", 0.5, "2026-01-01 00:00:00");
  add("intent", "1", "accuracy", 0.25, "2026-01-02 00:00:00");
  add("intent", "2", "accuracy", 0.75, "2026-01-02 00:00:00");
  add("intent", "1", "accuracy", 0.25, "2026-01-03 00:00:00");
  draw(&out);
  const char *path = strstr(as_buffer_string(&out), "<path class=\"line\" d=\"");
  ck_assert_ptr_nonnull(path);
  int x[6], y[6];
  ck_assert_int_eq(sscanf(path, "<path class=\"line\" d=\"M%d %dL%d %dM%d %dM%d %dL%d %d\"", &x[0], &y[0], &x[1], &y[1],
                          &x[2], &y[2], &x[3], &y[3], &x[4], &y[4]),
                   10);
  ck_assert_int_eq(x[1] - x[0], x[4] - x[1]); /* a day each */
  ck_assert_int_eq(x[2], x[1]);
  ck_assert(x[3] == x[1] && y[3] == y[1]); /* the line of version 1 goes on from its own point */
  ck_assert(y[2] < y[0] && y[0] < y[1] && y[4] == y[1]);
  ck_assert_int_eq(count(as_buffer_string(&out), "class=\"mark\""), 2);
  as_buffer_free(&out);
  end();
}
END_TEST

/* A measurement a week: labels of versions and times must not lie on one another. */
START_TEST(many_points_stay_legible) {
  static const int sizes[] = {2, 52, 1000, 20000};
  for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
    as_buffer out;
    begin();
    for (int i = 0; i < sizes[k]; i++) {
      char version[16], time[24];
      snprintf(version, sizeof version, "%d", sizes[k] <= 52 ? i + 1 : i / 40 + 1);
      snprintf(time, sizeof time, "%lld", 1700000000LL + 7 * 86400LL * i / (sizes[k] > 52 ? 100 : 1));
      add("intent", version, "accuracy", 0.8 + 0.1 * sin(i), time);
    }
    draw(&out);
    double least = 1e9;
    const char *at = as_buffer_string(&out);
    int x, before = -100000, labels = 0;
    while ((at = strstr(at, "<text class=\"soft\" x=\""))) {
      int y, size, version;
      if (sscanf(at, "<text class=\"soft\" x=\"%d\" y=\"%d\" font-size=\"%d\" text-anchor=\"middle\">v%d<", &x, &y,
                 &size, &version) == 4) {
        least = fmin(least, x - before);
        before = x;
        labels++;
      }
      at++;
    }
    ck_assert_int_ge(labels, 2);
    ck_assert_msg(least >= 200, "%d points: two versions are %g apart", sizes[k], least);
    ck_assert_int_le(labels, 45);
    ck_assert_int_le(count(as_buffer_string(&out), "</text>"), 75);
    ck_assert_int_eq(count(as_buffer_string(&out), "class=\"dot\""), sizes[k] <= 52 ? sizes[k] : 0);
    as_buffer_free(&out);
    end();
  }
}
END_TEST

START_TEST(hostile_names_and_numbers_are_harmless) {
  as_buffer out;
  begin();
  add("a<b>&\"'\x01\xff", "/long/path/<x> of a folder & more", "acc]]>", 1e300, "2026-01-01 00:00:00");
  add("a<b>&\"'\x01\xff", "3", "acc]]>", -1e300, "2026-01-01 00:00:10");
  add("a<b>&\"'\x01\xff", "3", "acc]]>", 1.7e308, "2026-01-01 00:00:10");
  add("a<b>&\"'\x01\xff", "3", "acc]]>", (double)INFINITY, "2026-01-01 00:00:10");
  add("a<b>&\"'\x01\xff", "3", "acc]]>", (double)NAN, "2026-01-01 00:00:10");
  add("back", "1", "in time", 0, "2026-01-01 00:00:10");
  add("back", "2", "in time", 1e-9, "1970-01-01 00:00:00");
  add("back", "3", "in time", 5e-324, "2106-02-07 06:28:15");
  add("tiny", "1", "x", 5e-324, "2106-02-07 06:28:15");
  draw(&out);
  expect(&out, "a&lt;b&gt;&amp;\"'");
  expect(&out, "version /long/path/&lt;x&gt; of a folder &amp; more: 1e+300<");
  expect(&out, "3 charts, one for each metric of each model, with 6 measurements");
  as_buffer_free(&out);
  const as_metric_row row = {.model = "a", .version = "1", .metric = "b", .value = 1, .timestamp = "yesterday"};
  ck_assert_refused(ctx, as_metric_plot_add(plot, &row), AS_E_DATA, "\"yesterday\" of a b is no timestamp");
  end();
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  ctx = as_test_context(1);
  as_status status;
  uint64_t n = 1;
  do {
    as_metric_plot *p;
    as_buffer out;
    as_buffer_init(&out, ctx);
    as_test_fail_at(ctx, n++);
    status = as_metric_plot_new(ctx, &p);
    for (int i = 0; status == AS_OK && i < 40; i++) {
      char version[8];
      snprintf(version, sizeof version, "%d", i);
      const as_metric_row row = {
          .model = "m", .version = version, .metric = i % 20 < 10 ? "a" : "b", .value = i, .timestamp = "2026-01-01"};
      status = as_metric_plot_add(p, &row);
    }
    if (status == AS_OK) status = as_metric_plot_svg(p, &out);
    as_metric_plot_free(p);
    as_buffer_free(&out);
  } while (as_test_failed_cleanly(ctx, status, 0));
  ck_assert_uint_gt(n, 20);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("metric plot");
  TCase *tests = tcase_create("plot");
  tcase_add_test(tests, nothing_is_a_picture_too);
  tcase_add_test(tests, one_figure_stands_in_the_middle);
  tcase_add_test(tests, versions_measured_together_are_lines_of_their_own);
  tcase_add_test(tests, many_points_stay_legible);
  tcase_add_test(tests, hostile_names_and_numbers_are_harmless);
  tcase_add_test(tests, failing_allocations_are_reported);
  suite_add_tcase(suite, tests);
  return suite;
}
