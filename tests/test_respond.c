/* The command respond, and analyze as far as it is the same: what it prints for messages from everywhere, what the classifiers fill in, what it refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/utf8.h"
#include "data/nearest_reply.h"
#include "tests/program.h"
#include "tests/small_responder.h"
#include "tests/small_training.h"

static as_context *ctx;
static const char *folder; /* of all models */

/* response_generator with replies, and intent_classifier; no sentiment_analyzer. */
static void setup(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
  const char *model = as_small_path(folder, "response_generator");
  ck_assert_ok(ctx, as_make_folders(ctx, model));
  as_write_small_responder(ctx, model);
  const char *path = as_small_path(model, AS_NEAREST_REPLY_FILE);
  const char replies[] = "content,response,intent\nwhere is my order,It is on its way.,track\n"
                         "cancel my order,The order is cancelled.,return\n";
  ck_assert_ok(ctx, as_file_write(ctx, path, replies, strlen(replies)));
  as_small_task = &as_intent_task;
  const as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "train.csv", 24, 0));
  as_small_train(ctx, &recipe, as_small_path(folder, "intent_classifier"));
}
static void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

#define RESPOND(...)                                                                                                   \
  as_run_program(ctx, (const char *const[]){"respond", "--models", folder, "--max-new-tokens", "6", __VA_ARGS__, NULL})

static json_t *answer_of(as_program program) {
  json_t *answer = as_program_json(ctx, &program);
  as_program_free(&program);
  return answer;
}

static const char *text_in(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static void check_refused(as_program program, int code, const char *fragment) {
  ck_assert_msg(program.code == code, "exit code %d, expected %d: %s", program.code, code, program.err);
  ck_assert_msg(strstr(program.err, fragment), "the message lacks \"%s\": %s", fragment, program.err);
  ck_assert_str_eq(program.out, "");
  as_program_free(&program);
}

START_TEST(a_message_gets_a_reply_and_what_was_not_said_is_told) {
  json_t *said = answer_of(RESPOND("Where is my order?", "--intent", "track", "--sentiment", "negative"));
  ck_assert_str_eq(text_in(said, "source"), "generate");
  ck_assert_str_eq(text_in(said, "intent"), "track");
  ck_assert_str_eq(text_in(said, "sentiment"), "negative");
  ck_assert_int_eq((int)json_array_size(json_object_get(said, "predicted")), 0);
  ck_assert_int_le((int)json_integer_value(json_object_get(said, "output_length")), 6);
  ck_assert(json_is_string(json_object_get(said, "response")) && json_is_real(json_object_get(said, "score")));
  json_decref(said);

  as_program program = RESPOND("Where is my order?");
  ck_assert_ptr_nonnull(strstr(program.err, "no sentiment classifier in "));
  json_t *told = answer_of(program);
  ck_assert_ptr_nonnull(strstr("buy return track", text_in(told, "intent")));
  ck_assert(json_is_null(json_object_get(told, "sentiment")));
  ck_assert_int_eq((int)json_array_size(json_object_get(told, "predicted")), 1);
  ck_assert_str_eq(json_string_value(json_array_get(json_object_get(told, "predicted"), 0)), "intent");
  json_decref(told);
}
END_TEST

START_TEST(stored_replies_follow_the_intent) {
  json_t *answer = answer_of(RESPOND("where is it", "--mode", "nearest", "--intent", "track"));
  ck_assert_str_eq(text_in(answer, "response"), "It is on its way.");
  ck_assert_str_eq(text_in(answer, "source"), "nearest");
  ck_assert_str_eq(text_in(answer, "finish_reason"), "stored");
  ck_assert(json_number_value(json_object_get(answer, "similarity")) > 0);
  json_decref(answer);
  answer = answer_of(RESPOND("where is it", "--mode", "nearest", "--intent", "return"));
  ck_assert_str_eq(text_in(answer, "response"), "The order is cancelled.");
  json_decref(answer);
  as_program program = RESPOND("where is it", "--mode", "nearest", "--intent", "track", "--beams", "2");
  ck_assert_ptr_nonnull(strstr(program.err, "options of generation change nothing"));
  json_decref(answer_of(program));
}
END_TEST

/* The lines that the program printed, which are freed with it. */
static size_t split_lines(char *out, char *lines[], size_t most) {
  size_t count = 0;
  for (char *at = strtok(out, "\n"); at && count < most; at = strtok(NULL, "\n")) lines[count++] = at;
  return count;
}

START_TEST(rows_of_a_csv_are_answered_as_they_would_be_alone) {
  static const char csv[] = "content,intent,sentiment\nWhere is my order?,track,negative\n,track,\n"
                            "Cancel the order,,positive\n\"broken\nwhere,return,\n";
  static const char *const alone[][4] = {{"Where is my order?", "track", "negative"},
                                         {"Cancel the order", NULL, "positive"}};
  char *lines[8];
  const char *path = as_small_path(folder, "in.csv");
  ck_assert_ok(ctx, as_file_write(ctx, path, csv, strlen(csv)));
  as_program program = RESPOND("--input", path, "--seed", "3", "--top-k", "0", "--batch", "1");
  ck_assert_msg(program.code == 0, "%s", program.err);
  ck_assert_uint_eq(split_lines(program.out, lines, 8), 4);
  ck_assert_ptr_nonnull(strstr(lines[1], "\"error\":\""));
  ck_assert_ptr_nonnull(strstr(lines[1], "line 3: the text is empty"));
  ck_assert_ptr_nonnull(strstr(lines[3], "line 5"));
  json_t *first = json_loads(lines[0], 0, NULL), *third = json_loads(lines[2], 0, NULL);
  ck_assert_str_eq(text_in(third, "sentiment"), "positive");
  ck_assert_int_eq((int)json_array_size(json_object_get(third, "predicted")), 1);
  json_t *one =
      answer_of(RESPOND(alone[0][0], "--intent", "track", "--sentiment", "negative", "--seed", "3", "--top-k", "0"));
  ck_assert_int_eq(json_equal(one, first), 1);
  json_decref(one);
  json_decref(first);
  json_decref(third);
  as_program_free(&program);
}
END_TEST

START_TEST(a_stream_is_the_reply_alone) {
  const char *const message = "Where is my order?";
  json_t *answer = answer_of(RESPOND(message, "--intent", "track", "--sentiment", "", "--sample", "--seed", "2"));
  as_program program = RESPOND(message, "--intent", "track", "--sentiment", "", "--sample", "--seed", "2", "--stream");
  ck_assert_int_eq(program.code, 0);
  const size_t length = strlen(program.out);
  ck_assert_uint_ge(length, 2);
  ck_assert_int_eq(program.out[length - 1], '\n');
  program.out[length - 1] = '\0';
  ck_assert_str_eq(program.out, text_in(answer, "response"));
  as_program_free(&program);

  char first[8] = {0}; /* the reply ends before its own third character */
  memcpy(first, text_in(answer, "response") + 2, 1);
  program =
      RESPOND(message, "--intent", "track", "--sentiment", "", "--sample", "--seed", "2", "--stream", "--stop", first);
  ck_assert_int_eq(program.code, 0);
  ck_assert_uint_le(strlen(program.out), 3);
  as_program_free(&program);
  json_decref(answer);
}
END_TEST

START_TEST(stop_strings_have_escapes) {
  static const char *const wrong[][2] = {
      {"", "empty"}, {"a,,b", "empty"}, {"a\\x", "stands for nothing"}, {"a,", "empty"}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    check_refused(RESPOND("hello", "--stop", wrong[i][0]), 2, wrong[i][1]);
  json_decref(answer_of(RESPOND("hello", "--stop", "\\n,a\\,b", "--stop", "\\\\,\\t")));
}
END_TEST

START_TEST(what_makes_no_sense_is_refused) {
  check_refused(RESPOND("hello", "--stream", "--beams", "2"), 2, "comes at the end");
  check_refused(RESPOND("hello", "--stream", "--sample", "--num-return-sequences", "2"), 2, "comes at the end");
  check_refused(RESPOND("hello", "--input", "x.csv"), 2, "not both");
  check_refused(RESPOND("--stream", "--input", "x.csv"), 2, "--stream");
  check_refused(RESPOND("hello", "--beams", "2", "--sample"), 2, "--beams");
  check_refused(RESPOND("hello", "--min-new-tokens", "7"), 2, "min_new_tokens");
  check_refused(RESPOND("hello", "--num-return-sequences", "2"), 2, "num_return_sequences");
  check_refused(RESPOND("hello", "--model", "/nowhere"), 4, "/nowhere");
  check_refused(RESPOND("hello", "--intent-model", "/nowhere"), 4, "/nowhere");
  check_refused(RESPOND("hello", "--intent-model", as_small_path(folder, "response_generator")), 4, "t5");
  check_refused(RESPOND("hello", "--model", as_small_path(folder, "intent_classifier")), 4, "intent");
  check_refused(RESPOND("--input", "/nowhere.csv"), 3, "/nowhere.csv");
}
END_TEST

START_TEST(failing_allocations_end_with_a_message) {
  for (uint64_t n = 1;; n += 1 + n / 15) {
    as_test_fail_at(ctx, n);
    as_program program = RESPOND("where is it", "--stop", "zz", _i ? "--stream" : "--sample");
    const bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_msg(program.code == (failed ? 1 : 0), "allocation %d: exit %d, %s", (int)n, program.code, program.err);
    as_program_free(&program);
    if (!failed) break;
  }
}
END_TEST

/* analyze has what respond has, and the other models' parts; the recommender is absent. */
START_TEST(analyze_puts_it_together) {
  as_program program = as_run_program(ctx, (const char *const[]){"analyze", "where is it", "--models", folder, NULL});
  ck_assert_ptr_nonnull(strstr(program.err, "no model for recommend in "));
  json_t *all = answer_of(program), *reply = json_object_get(all, "response");
  json_t *alone =
      answer_of(as_run_program(ctx, (const char *const[]){"respond", "where is it", "--models", folder, NULL}));
  ck_assert_int_eq(json_equal(reply, alone), 1);
  ck_assert_str_eq(text_in(all, "text"), "where is it");
  ck_assert_str_eq(text_in(json_object_get(all, "intent"), "intent"), text_in(reply, "intent"));
  ck_assert(json_is_null(json_object_get(all, "sentiment")) && json_is_null(json_object_get(all, "recommendations")));
  json_decref(alone);
  json_decref(all);
}
END_TEST

START_TEST(failing_allocations_of_analyze) {
  for (uint64_t n = 1;; n += 1 + n / 15) {
    as_test_fail_at(ctx, n);
    as_program program =
        as_run_program(ctx, (const char *const[]){"analyze", "where is it", " ", "--customer", "7", "--models", folder,
                                                  _i ? "--table" : "--log-text=none", NULL});
    const bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_msg(program.code == (failed ? 1 : 0), "allocation %d: exit %d, %s", (int)n, program.code, program.err);
    as_program_free(&program);
    if (!failed) break;
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("respond");
  TCase *tests = tcase_create("respond");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, a_message_gets_a_reply_and_what_was_not_said_is_told);
  tcase_add_test(tests, stored_replies_follow_the_intent);
  tcase_add_test(tests, rows_of_a_csv_are_answered_as_they_would_be_alone);
  tcase_add_test(tests, a_stream_is_the_reply_alone);
  tcase_add_test(tests, stop_strings_have_escapes);
  tcase_add_test(tests, what_makes_no_sense_is_refused);
  tcase_add_test(tests, analyze_puts_it_together);
  tcase_add_loop_test(tests, failing_allocations_of_analyze, 0, 2);
  tcase_add_loop_test(tests, failing_allocations_end_with_a_message, 0, 2);
  suite_add_tcase(suite, tests);
  return suite;
}
