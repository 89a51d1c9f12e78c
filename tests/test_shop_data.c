/* Products and interactions from CSV: what is read, and what is refused with the file's line. */
#include <string.h>

#include "data/interactions.h"
#include "tests/harness.h"

static as_context *ctx;
static const char *folder;
static char path[4200];

static void setup(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
  snprintf(path, sizeof path, "%s/f.csv", folder);
}
static void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static void write_text(const char *text) { ck_assert_ok(ctx, as_file_write(ctx, path, text, strlen(text))); }

START_TEST(times_are_read) {
  static const struct {
    const char *text;
    int64_t seconds; /* -1: refused */
  } cases[] = {{"1970-01-01", 0},
               {"2025-01-31 12:30:00", 1738326600},
               {"2025-01-31T12:30:00Z", 1738326600},
               {"2025-01-31T14:30:00+02:00", 1738326600},
               {"2025-01-31 12:30", 1738326600},
               {"2025-01-31T12:30:00.250", 1738326600},
               {"1738326600", 1738326600},
               {"1738326600.9", 1738326600},
               {"4294967295", 4294967295},
               {"2024-02-29", 1709164800},
               {"2025-02-29", -1},
               {"2025-13-01", -1},
               {"2025-01-31 24:00:00", -1},
               {"2025-01-31 12", -1},
               {"4294967296", -1},
               {"1969-12-31", -1},
               {"2106-02-08", -1},
               {"-5", -1},
               {"yesterday", -1},
               {"12.", -1},
               {"", -1},
               {"2025-01-31 12:30:00 UTC", -1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint32_t seconds = 0;
    const bool ok = as_timestamp_read(cases[i].text, strlen(cases[i].text), &seconds);
    if (ok != (cases[i].seconds >= 0)) ck_abort_msg("\"%s\": %s", cases[i].text, ok ? "read" : "refused");
    if (ok) ck_assert_int_eq((int64_t)seconds, cases[i].seconds);
  }
  char text[AS_TIMESTAMP_TEXT];
  as_timestamp_write(1738326600, text);
  ck_assert_str_eq(text, "2025-01-31 12:30:00");
  as_timestamp_write(4294967295u, text);
  ck_assert_str_eq(text, "2106-02-07 06:28:15");
}
END_TEST

START_TEST(prices_are_read_in_hundredths) {
  static const struct {
    const char *text;
    int64_t hundredths; /* -1: refused */
  } cases[] = {{"12", 1200}, {"12.5", 1250}, {"0.005", 1}, {"0.004", 0}, {" 7.99 ", 799}, {".5", 50}, {"1e3", -1},
               {"-1", -1},   {"", -1},       {".", -1},    {"12,50", -1}, {"99999999999999999999", -1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t price = -1;
    const bool ok = as_price_read(cases[i].text, strlen(cases[i].text), &price);
    if (ok != (cases[i].hundredths >= 0)) ck_abort_msg("\"%s\": %s", cases[i].text, ok ? "read" : "refused");
    if (ok) ck_assert_int_eq(price, cases[i].hundredths);
  }
}
END_TEST

static as_products *read_products(void) {
  as_products *products;
  write_text("product_id,name,category,price,brand\nA,Lamp,Light,10,x\nB,\"Desk, big\",Wood,,y\nC,,,5.5,\n");
  ck_assert_ok(ctx, as_products_read(ctx, path, NULL, &products));
  return products;
}

START_TEST(products_are_found_by_id) {
  as_products *p = read_products();
  ck_assert_int_eq(as_products_count(p), 3);
  ck_assert_int_eq(as_products_find(p, "B", 1), 1);
  ck_assert_int_eq(as_products_find(p, "D", 1), -1);
  ck_assert_str_eq(as_products_name(p, 1), "Desk, big");
  ck_assert_int_eq(p->prices[0], 1000);
  ck_assert_int_eq(p->prices[1], AS_PRICE_UNKNOWN);
  as_products_free(p);
}
END_TEST

START_TEST(bad_products_are_refused_by_line) {
  static const struct {
    const char *text, *says;
  } cases[] = {{"", "line 1: the file is empty"},
               {"product_id,name\n", "line 1: there is no product"},
               {"name\nx\n", "no column 'product_id'"},
               {"product_id,price\nA,1\nB,cheap\n", "line 3: product \"B\": price"},
               {"product_id\nA\nB\nA\n", "line 4: product \"A\": stands in an earlier row"},
               {"product_id,name\n,x\n", "line 2: product \"\": product_id is empty"},
               {"product_id,name\nA\n", "line 2: 1 field"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    as_products *p;
    write_text(cases[i].text);
    ck_assert_refused(ctx, as_products_read(ctx, path, NULL, &p), AS_E_DATA, cases[i].says);
  }
  const as_product_options skip = {.on_error = AS_ON_ERROR_SKIP};
  as_products *p;
  write_text("product_id,price\nA,1\nB,cheap\nA,2\nC,3\n");
  ck_assert_ok(ctx, as_products_read(ctx, path, &skip, &p));
  ck_assert_int_eq(as_products_count(p), 2);
  ck_assert_int_eq(p->skipped, 2);
  as_products_free(p);
}
END_TEST

START_TEST(rows_stand_by_customer_and_time) {
  as_products *products = read_products();
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  as_interactions *t;
  write_text("customer_id,product_id,interaction_type,timestamp\nz,A,view,300\ny,B,purchase,100\nz,C,view,200\nz,B,view,"
             "200\ny,A,view,50\n");
  ck_assert_ok(ctx, as_interactions_read(ctx, path, products, &options, &t));
  ck_assert_int_eq(as_interactions_customers(t), 2);
  ck_assert_int_eq(as_interactions_count(t), 5);
  ck_assert_int_eq(as_interactions_find(t, "y", 1), 1);
  static const int32_t order[] = {2, 1, 0, 0, 1};
  for (int i = 0; i < 5; i++) ck_assert_int_eq(t->rows[i].product, order[i]);
  ck_assert_uint_eq(t->oldest, 50);
  ck_assert_uint_eq(t->newest, 300);
  as_interactions_free(t);
  as_products_free(products);
}
END_TEST

START_TEST(bad_interactions_are_refused_by_line) {
  static const struct {
    const char *rows, *says;
  } cases[] = {{"", "no interaction in it"},
               {"1,A,view,100\n2,Q,view,100\n", "line 3: product \"Q\" is not in the catalogue"},
               {"1,A,hover,100\n", "line 2: interaction type \"hover\" has no weight"},
               {"1,A,view,soon\n", "line 2: timestamp \"soon\""},
               {",A,view,100\n", "line 2: customer_id is empty"},
               {"1,A,view\n", "line 2: 3 fields"},
               {"1,A,view,100,x\n", "line 2: 5 fields"}};
  as_products *products = read_products();
  as_interaction_types types = as_interaction_types_usual();
  as_interaction_options options = {.types = &types};
  char text[400];
  as_interactions *t;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(text, sizeof text, "customer_id,product_id,interaction_type,timestamp\n%s", cases[i].rows);
    write_text(text);
    ck_assert_refused(ctx, as_interactions_read(ctx, path, products, &options, &t), AS_E_DATA, cases[i].says);
  }
  write_text("customer_id,product_id,interaction_type,timestamp\n1,A,view,100\n1,Q,view,100\n1,B,view,soon\n2,A,purchase,9\n");
  options.skip_unknown = true;
  options.on_error = AS_ON_ERROR_SKIP;
  ck_assert_ok(ctx, as_interaction_types_set(ctx, &types, "view=0,hover=2"));
  ck_assert_ok(ctx, as_interactions_read(ctx, path, products, &options, &t));
  ck_assert_int_eq(as_interactions_count(t), 1);
  ck_assert_int_eq(t->unknown, 1);
  ck_assert_uint_eq(t->first_unknown, 3);
  ck_assert_int_eq(t->skipped, 1);
  ck_assert_int_eq(t->ignored, 1);
  as_interactions_free(t);
  ck_assert_refused(ctx, as_interaction_types_set(ctx, &types, "view"), AS_E_INVALID, "purchase=5");
  ck_assert_refused(ctx, as_interaction_types_set(ctx, &types, "view=-1"), AS_E_INVALID, "weight");
  as_products_free(products);
}
END_TEST

START_TEST(every_failing_allocation_is_reported) {
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  char rows[4200];
  snprintf(rows, sizeof rows, "%s/i.csv", folder);
  as_products *kept = read_products();
  const char *text = "customer_id,product_id,interaction_type,timestamp\n1,A,view,100\n2,A,view,90\n1,B,view,80\n";
  ck_assert_ok(ctx, as_file_write(ctx, rows, text, strlen(text)));
  as_products_free(kept);
  for (uint64_t n = 1;; n++) {
    as_products *products = NULL;
    as_interactions *t = NULL;
    as_test_fail_at(ctx, n);
    as_status status = as_products_read(ctx, path, NULL, &products);
    if (status == AS_OK) status = as_interactions_read(ctx, rows, products, &options, &t);
    const bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    as_interactions_free(t);
    as_products_free(products);
    if (!failed) break;
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("shop_data");
  TCase *tcase = tcase_create("shop_data");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_test(tcase, times_are_read);
  tcase_add_test(tcase, prices_are_read_in_hundredths);
  tcase_add_test(tcase, products_are_found_by_id);
  tcase_add_test(tcase, bad_products_are_refused_by_line);
  tcase_add_test(tcase, rows_stand_by_customer_and_time);
  tcase_add_test(tcase, bad_interactions_are_refused_by_line);
  tcase_add_test(tcase, every_failing_allocation_is_reported);
  suite_add_tcase(suite, tcase);
  return suite;
}
