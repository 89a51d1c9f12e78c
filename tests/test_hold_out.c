/* The frozen test set: the same side for the same content, whatever file it is in, and the share that was asked for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/interactions.h"
#include "data/messages.h"
#include "tests/folder_fixture.h"

static bool held(const char *text, double share) {
  return as_is_held_out(text, strlen(text), share);
}

/* The first 53 bits of SHA-256 over "one space" texts, computed with Python's hashlib. */
START_TEST(the_fraction_is_the_one_of_sha256) {
  static const struct {
    const char *text;
    double fraction;
  } known[] = {{"Where is my order?", 0x1.a546b061b0f18p-2}, {"Danke", 0x1.babc29022f554p-1}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    ck_assert(!held(known[i].text, known[i].fraction)); /* below, not at */
    ck_assert(held(known[i].text, nextafter(known[i].fraction, 1)));
  }
  ck_assert(!as_is_pair_held_out("c1", 2, "p2", 2, 0x1.23f518a42ab74p-1));
  ck_assert(as_is_pair_held_out("c1", 2, "p2", 2, nextafter(0x1.23f518a42ab74p-1, 1)));
}
END_TEST

START_TEST(the_share_is_that_of_the_rows_and_grows_only) {
  static const double shares[] = {0.01, 0.1, 0.2, 0.5, 0.9};
  enum { ROWS = 20000 };
  int counts[5] = {0};
  for (int i = 0; i < ROWS; i++) {
    char text[64];
    const int length = snprintf(text, sizeof text, "message number %d", i);
    ck_assert(!held(text, 0));
    ck_assert(held(text, 1));
    bool before = false;
    for (int s = 0; s < 5; s++) {
      const bool now = as_is_held_out(text, (size_t)length, shares[s]);
      ck_assert_msg(now || !before, "\"%s\" is held out at %g and not at %g", text, shares[s - 1], shares[s]);
      counts[s] += before = now;
    }
  }
  for (int s = 0; s < 5; s++) {
    const double expected = ROWS * shares[s], deviation = sqrt(expected * (1 - shares[s]));
    ck_assert_msg(fabs(counts[s] - expected) < 4 * deviation, "share %g: %d of %d rows", shares[s], counts[s], ROWS);
  }
}
END_TEST

START_TEST(white_space_does_not_move_a_row) {
  static const char *const same[] = {"two words\nand a line", "  two words\r\nand a line ",
                                     "two\twords and  a line\r\n",
                                     ("\xC2\xA0two words and\xC2\xA0\xC2\xA0"
                                      "a line")};
  static const double shares[] = {0.1, 0.3, 0.5, 0.7, 0.9};
  for (int i = 1; i < 4; i++)
    for (int s = 0; s < 5; s++) ck_assert(held(same[i], shares[s]) == held(same[0], shares[s]));
  /* The fractions of these differ: words are not joined, and a character that begins as NBSP does is a letter. */
  int differs = 0;
  for (double share = 0.001; share < 1; share += 0.001)
    differs += held("a b", share) != held("ab", share) || held("\xC2\xA9", share) != held("", share);
  ck_assert_int_gt(differs, 0);
  ck_assert(held("", 0.9) == held(" \n", 0.9));
  ck_assert(held("\xC2", 1)); /* the text ends within a character */
}
END_TEST

START_TEST(customer_and_product_do_not_run_together) {
  int differs = 0;
  for (double share = 0.001; share < 1; share += 0.001)
    differs += as_is_pair_held_out("1", 1, "23", 2, share) != as_is_pair_held_out("12", 2, "3", 1, share);
  ck_assert_int_gt(differs, 0);
  for (double share = 0.1; share < 1; share += 0.1)
    ck_assert(as_is_pair_held_out(" 1", 2, "23 ", 3, share) == as_is_pair_held_out("1", 1, "23", 2, share));
}
END_TEST

/* ---- tables ----------------------------------------------------------------------------------------------------- */
static as_messages *read_side(const char *name, const char *text, as_hold_out hold_out, as_data_report *report) {
  static const as_column_request columns[] = {{.name = "intent"}};
  as_message_options options = {.columns = columns, .column_count = 1, .hold_out = hold_out};
  as_messages *messages;
  ck_assert_ok(ctx, as_file_write(ctx, below(name), text, strlen(text)));
  ck_assert_ok(ctx, as_messages_read(ctx, below(name), &options, report, &messages));
  return messages;
}

static bool has(const as_messages *messages, const char *text) {
  for (int64_t row = 0; row < as_messages_count(messages); row++)
    if (strcmp(as_messages_text(messages, row, NULL), text) == 0) return true;
  return false;
}

/* The same hundred messages as two programs write them: other order, line ends and quotes, other columns, and as many
 * new rows. */
static void write_files(as_buffer *first, as_buffer *second) {
  as_buffer_text(first, "content,intent\n");
  as_buffer_text(second, "id,intent,content\r\n");
  for (int i = 0; i < 200; i++) {
    const int k = 199 - i;
    if (i < 100) as_buffer_printf(first, "my question number %d,%s\n", i, i % 2 ? "a" : "b");
    as_buffer_printf(second, "%d,%s,\"my question number %d\"\r\n", k, k % 2 ? "a" : "b", k);
  }
}

START_TEST(a_row_is_on_the_same_side_in_every_file) {
  as_buffer first, second;
  as_data_report report;
  as_buffer_init(&first, ctx);
  as_buffer_init(&second, ctx);
  write_files(&first, &second);
  as_messages *rest = read_side("1.csv", as_buffer_string(&first), (as_hold_out){.share = 0.2}, &report);
  as_messages *test = read_side("2.csv", as_buffer_string(&second), (as_hold_out){0.2, true}, NULL);
  as_messages *later = read_side("2.csv", as_buffer_string(&second), (as_hold_out){.share = 0.2}, NULL);
  int64_t of_first = 0;
  for (int64_t row = 0; row < as_messages_count(rest); row++) {
    const char *text = as_messages_text(rest, row, NULL);
    ck_assert_msg(!has(test, text), "\"%s\" is trained on and tested with", text);
    ck_assert(has(later, text));
  }
  for (int i = 0; i < 100; i++) {
    char text[64];
    snprintf(text, sizeof text, "my question number %d", i);
    of_first += has(test, text);
  }
  ck_assert_int_eq(as_messages_count(rest) + of_first, 100);
  ck_assert_int_eq(as_messages_count(later) + as_messages_count(test), 200);
  ck_assert_int_eq(report.rows, 100);
  ck_assert_int_eq(report.kept, as_messages_count(rest));
  ck_assert_int_eq(report.other_side, of_first);
  as_messages_free(rest);
  as_messages_free(test);
  as_messages_free(later);
  as_buffer_free(&first);
  as_buffer_free(&second);
}
END_TEST

START_TEST(a_side_without_rows_is_refused) {
  static const char text[] = "content\nWhere is my order?\n"; /* 0.411 */
  as_messages *messages;
  as_message_options options = {.hold_out = {0.3, true}};
  ck_assert_ok(ctx, as_file_write(ctx, below("one.csv"), text, strlen(text)));
  ck_assert_refused(ctx, as_messages_read(ctx, below("one.csv"), &options, NULL, &messages), AS_E_DATA,
                    "one.csv: line 1: none of its rows is held out");
  options.hold_out = (as_hold_out){.share = 0.5};
  ck_assert_refused(ctx, as_messages_read(ctx, below("one.csv"), &options, NULL, &messages), AS_E_DATA,
                    "one.csv: line 1: all of its rows are held out");
}
END_TEST

START_TEST(lines_of_text_are_divided_too) {
  static const char text[] = "Where is my order?\r\n\nDanke\n"; /* 0.411, 0.865 */
  as_messages *messages;
  as_data_report report;
  as_message_options options = {.lines = true, .hold_out = {.share = 0.5}};
  ck_assert_ok(ctx, as_file_write(ctx, below("texts.txt"), text, strlen(text)));
  ck_assert_ok(ctx, as_messages_read(ctx, below("texts.txt"), &options, &report, &messages));
  ck_assert_int_eq(as_messages_count(messages), 1);
  ck_assert_str_eq(as_messages_text(messages, 0, NULL), "Danke");
  ck_assert_int_eq(report.other_side, 1);
  as_messages_free(messages);
}
END_TEST

static as_interactions *read_pairs(const as_products *products, as_hold_out hold_out) {
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types, .hold_out = hold_out};
  as_interactions *table;
  ck_assert_ok(ctx, as_interactions_read(ctx, below("i.csv"), products, &options, &table));
  return table;
}

START_TEST(a_customer_s_rows_with_a_product_are_on_one_side) {
  as_buffer text;
  as_products *products;
  as_product_options options = {0};
  as_buffer_init(&text, ctx);
  as_buffer_text(&text, "product_id,name,category,price\n");
  for (int p = 0; p < 20; p++) as_buffer_printf(&text, "p%d,thing,things,1\n", p);
  ck_assert_ok(ctx, as_file_write(ctx, below("p.csv"), text.data, text.length));
  as_buffer_clear(&text);
  as_buffer_text(&text, "customer_id,product_id,interaction_type,timestamp\n");
  for (int c = 0; c < 20; c++)
    for (int p = 0; p < 20; p++)
      as_buffer_printf(&text, "c%d,p%d,view,%d\nc%d,p%d,purchase,%d\n", c, p, 1000 + p, c, p, 2000 + p);
  ck_assert_ok(ctx, as_file_write(ctx, below("i.csv"), text.data, text.length));
  as_buffer_free(&text);
  ck_assert_ok(ctx, as_products_read(ctx, below("p.csv"), &options, &products));
  as_interactions *rest = read_pairs(products, (as_hold_out){.share = 0.25});
  as_interactions *test = read_pairs(products, (as_hold_out){0.25, true});
  ck_assert_int_eq(as_interactions_count(rest) + as_interactions_count(test), 800);
  ck_assert_int_eq(rest->other_side, as_interactions_count(test));
  ck_assert_int_eq(as_interactions_count(test) % 2, 0);
  ck_assert_int_gt(as_interactions_count(test), 120); /* of 200 expected */
  ck_assert_int_lt(as_interactions_count(test), 280);
  for (int64_t c = 0; c < as_interactions_customers(test); c++) {
    size_t length;
    const char *id = as_interactions_customer(test, c, &length);
    int seen[20] = {0};
    for (int64_t i = test->starts[c]; i < test->starts[c + 1]; i++) {
      const as_interaction *row = &test->rows[i];
      size_t id_length;
      const char *product = as_products_id(products, row->product, &id_length);
      ck_assert(as_is_pair_held_out(id, length, product, id_length, 0.25));
      seen[row->product]++;
    }
    for (int p = 0; p < 20; p++) ck_assert(seen[p] == 0 || seen[p] == 2);
  }
  as_interactions_free(rest);
  as_interactions_free(test);
  as_products_free(products);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("hold_out");
  TCase *tests = tcase_create("hold_out");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, the_fraction_is_the_one_of_sha256);
  tcase_add_test(tests, the_share_is_that_of_the_rows_and_grows_only);
  tcase_add_test(tests, white_space_does_not_move_a_row);
  tcase_add_test(tests, customer_and_product_do_not_run_together);
  tcase_add_test(tests, a_row_is_on_the_same_side_in_every_file);
  tcase_add_test(tests, a_side_without_rows_is_refused);
  tcase_add_test(tests, lines_of_text_are_divided_too);
  tcase_add_test(tests, a_customer_s_rows_with_a_product_are_on_one_side);
  suite_add_tcase(suite, tests);
  return suite;
}
