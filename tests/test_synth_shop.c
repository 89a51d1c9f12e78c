/* The synthetic shop: the same seed gives the same bytes, the shipped sample among them, and what is promised of it is
 * there: sizes, grades within reach of an upgrade, seasons, bundles, upgrades. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/interactions.h"
#include "data/synth_shop.h"
#include "tests/folder_fixture.h"

static as_buffer interactions(int64_t customers, uint64_t seed) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  const as_synth_shop_options options = {.customers = customers, .seed = seed};
  ck_assert_ok(ctx, as_synth_shop_interactions(ctx, &options, as_test_gather, &out));
  return out;
}

static void assert_same_file(const char *made, const char *shipped) {
  char *a, *b;
  size_t m, n, same = 0;
  ck_assert_ok(ctx, as_file_read(ctx, below(made), 0, AS_E_DATA, &a, &m));
  ck_assert_ok(ctx, as_file_read(ctx, as_source_path(shipped), 0, AS_E_DATA, &b, &n));
  while (same < m && same < n && a[same] == b[same]) same++;
  ck_assert_msg(same == m && same == n, "%s: byte %zu differs from what synth gives", shipped, same);
  as_free(ctx, a);
  as_free(ctx, b);
}

START_TEST(the_shipped_shop_is_what_its_seed_gives) {
  const as_synth_shop_options options = {.customers = AS_SYNTH_SHOP_CUSTOMERS, .seed = AS_SYNTH_SHOP_SEED};
  ck_assert_ok(ctx, as_synth_shop_folder(ctx, &options, folder));
  assert_same_file("products.csv", "data/samples/products.csv");
  assert_same_file("interactions.csv", "data/samples/interactions.csv");
}
END_TEST

START_TEST(seeds_and_customers_are_each_their_own) {
  as_buffer a = interactions(40, 1), b = interactions(40, 2), again = interactions(40, 1);
  ck_assert_str_eq(a.data, again.data);
  ck_assert_str_ne(a.data, b.data);
  as_buffer *const all[] = {&a, &b, &again};
  for (int i = 0; i < 3; i++) as_buffer_free(all[i]);
}
END_TEST

START_TEST(the_catalogue_is_sound) {
  int seasons = 0, bundles = 0;
  for (int k = 0; k < AS_SHOP_KINDS; k++) {
    const as_shop_kind *kind = &as_shop_kinds[k];
    seasons += kind->season > 0;
    for (int g = 1; g < AS_SHOP_GRADES; g++) {
      ck_assert_int_gt(kind->cents[g], kind->cents[g - 1]);
      ck_assert_int_le(kind->cents[g], 2 * kind->cents[g - 1]);
    }
    if (kind->bundle < 0) continue;
    bundles++;
    ck_assert_str_ne(kind->category, as_shop_kinds[kind->bundle].category);
  }
  ck_assert_int_ge(seasons, 10);
  ck_assert_int_ge(bundles, 10);
}
END_TEST

/* ---- what happened in the sample --------------------------------------------------------------------------------- */

static as_products *products;
static as_interactions *rows;

static void read_sample(void) {
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  ck_assert_ok(ctx, as_products_read(ctx, as_source_path("data/samples/products.csv"), NULL, &products));
  ck_assert_ok(ctx,
               as_interactions_read(ctx, as_source_path("data/samples/interactions.csv"), products, &options, &rows));
}
static void free_sample(void) {
  as_interactions_free(rows);
  as_products_free(products);
}

static bool is_purchase(const as_interaction *row) {
  const as_interaction_types types = as_interaction_types_usual();
  return (int)row->type == as_interaction_type_find(&types, "purchase", strlen("purchase"));
}

START_TEST(the_sample_is_as_large_as_promised) {
  read_sample();
  ck_assert_int_ge(as_products_count(products), 60);
  ck_assert_int_eq(as_interactions_customers(rows), 500);
  ck_assert_int_ge(as_interactions_count(rows), 8000);
  int64_t purchases = 0;
  for (int64_t i = 0; i < as_interactions_count(rows); i++) purchases += is_purchase(&rows->rows[i]);
  ck_assert_int_ge(purchases, 1000);
  free_sample();
}
END_TEST

/* A third of the year around its season sells more than half of what a kind sells in a year. */
START_TEST(kinds_sell_in_their_season) {
  read_sample();
  int64_t within = 0, all = 0;
  for (int64_t i = 0; i < as_interactions_count(rows); i++) {
    const as_shop_kind *kind = &as_shop_kinds[rows->rows[i].product / AS_SHOP_GRADES];
    if (!is_purchase(&rows->rows[i]) || kind->season == 0) continue;
    const int day = (int)(rows->rows[i].time / AS_DAY_SECONDS) - 19723;
    int away = abs(day - kind->season);
    if (away > 183) away = 366 - away;
    within += away <= 60;
    all++;
  }
  ck_assert_int_gt(all, 500);
  ck_assert_msg(2 * within > all, "%lld of %lld purchases are in season", (long long)within, (long long)all);
  free_sample();
}
END_TEST

/* Of the pairs of purchases by one customer within 12 days, more than a third are bundles, which is one pair of kinds
 * in twenty; and the next grade comes after the first more often than before it. */
START_TEST(bundles_and_upgrades_are_bought) {
  read_sample();
  int64_t bundles = 0, others = 0, up = 0, down = 0;
  for (int64_t c = 0; c < as_interactions_customers(rows); c++)
    for (int64_t i = rows->starts[c]; i < rows->starts[c + 1]; i++)
      for (int64_t j = i + 1; j < rows->starts[c + 1]; j++) {
        const as_interaction *a = &rows->rows[i], *b = &rows->rows[j];
        const int ka = a->product / AS_SHOP_GRADES, kb = b->product / AS_SHOP_GRADES;
        if (!is_purchase(a) || !is_purchase(b)) continue;
        if (ka == kb && a->product != b->product) (b->product > a->product ? &up : &down)[0]++;
        if (ka == kb || b->time - a->time > 12 * AS_DAY_SECONDS) continue;
        (as_shop_kinds[ka].bundle == kb || as_shop_kinds[kb].bundle == ka ? &bundles : &others)[0]++;
      }
  ck_assert_int_gt(bundles, 200);
  ck_assert_msg(2 * bundles > others, "%lld bundles, %lld other pairs", (long long)bundles, (long long)others);
  ck_assert_int_gt(up, 60);
  ck_assert_int_gt(up, 2 * down);
  free_sample();
}
END_TEST

static as_buffer shop_until(int64_t week) {
  const as_synth_shop_options options = {60, 5, week};
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_synth_shop_interactions(ctx, &options, as_test_gather, &out));
  return out;
}

START_TEST(a_week_s_export_is_the_beginning_of_the_year) {
  as_buffer year = shop_until(0);
  size_t before = 0;
  for (int64_t week = 1; week <= 52; week += 17) {
    as_buffer week_rows = shop_until(week);
    ck_assert_int_ge(week_rows.length, before);
    ck_assert_int_eq(strncmp(year.data, week_rows.data, week_rows.length), 0);
    before = week_rows.length;
    as_buffer_free(&week_rows);
  }
  as_buffer first = shop_until(1);
  const char *day = strrchr(as_buffer_string(&first), '-'); /* 2024-01-07 at most */
  ck_assert_msg(atoi(day + 1) >= 1 && atoi(day + 1) <= 7, "%s", as_buffer_string(&first));
  ck_assert_int_gt(first.length, strlen("customer_id,product_id,interaction_type,timestamp\n"));
  as_buffer_free(&first);
  as_buffer_free(&year);
}
END_TEST

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static as_status refuse(void *user, const char *bytes, size_t length) {
  (void)user, (void)bytes, (void)length;
  return AS_E_INTERRUPTED;
}

START_TEST(bad_options_and_failing_sinks_are_errors) {
  const as_synth_shop_options none = {0, 1, 0}, many = {1000001, 1, 0}, few = {3, 1, 0};
  ck_assert_refused(ctx, as_synth_shop_interactions(ctx, &none, refuse, NULL), AS_E_INVALID, "0 customers");
  ck_assert_refused(ctx, as_synth_shop_interactions(ctx, &many, refuse, NULL), AS_E_INVALID, "1000001 customers");
  const as_synth_shop_options late = {3, 1, AS_SYNTH_MOST_WEEKS + 1};
  ck_assert_refused(ctx, as_synth_shop_interactions(ctx, &late, refuse, NULL), AS_E_INVALID, "week 10001");
  ck_assert_int_eq(as_synth_shop_interactions(ctx, &few, refuse, NULL), AS_E_INTERRUPTED);
  ck_assert_int_eq(as_synth_shop_products(ctx, refuse, NULL), AS_E_INTERRUPTED);
}
END_TEST

START_TEST(every_failing_allocation_is_an_error_without_a_leak) {
  const as_synth_shop_options few = {30, 1, 0};
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_test_fail_at(ctx, n);
    failed = as_test_failed_cleanly(ctx, as_synth_shop_folder(ctx, &few, folder), 0);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("synth_shop");
  TCase *tests = tcase_create("synth_shop");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, the_shipped_shop_is_what_its_seed_gives);
  tcase_add_test(tests, seeds_and_customers_are_each_their_own);
  tcase_add_test(tests, the_catalogue_is_sound);
  tcase_add_test(tests, a_week_s_export_is_the_beginning_of_the_year);
  tcase_add_test(tests, the_sample_is_as_large_as_promised);
  tcase_add_test(tests, kinds_sell_in_their_season);
  tcase_add_test(tests, bundles_and_upgrades_are_bought);
  tcase_add_test(tests, bad_options_and_failing_sinks_are_errors);
  tcase_add_test(tests, every_failing_allocation_is_an_error_without_a_leak);
  suite_add_tcase(suite, tests);
  return suite;
}
