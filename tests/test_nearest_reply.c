/* TF-IDF similarities against scikit-learn's, and the replies found by them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/nearest_reply.h"
#include "data/tfidf.h"
#include "tests/harness.h"

static as_context *ctx;
static const char *folder;

static void setup(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
}
static void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

/* ---- TF-IDF ----------------------------------------------------------------------------------------------------- */

static const char *const texts[] = {
    "Where is my order? My order is late", "I want to buy the gold package", "where is my parcel",
    "Caf\xC3\xA9 \xC4\xB0stanbul: \xCE\xA3\xCE\x9F\xCE\xA6\xCE\x9F\xCE\xA3 a b c", "cancel my order, cancel it now"};
enum { TEXTS = sizeof texts / sizeof texts[0] };

static as_status make_collection(as_tfidf **out) {
  as_status status = as_tfidf_new(ctx, out);
  for (int i = 0; status == AS_OK && i < TEXTS; i++) status = as_tfidf_add(*out, texts[i], strlen(texts[i]));
  return status == AS_OK ? as_tfidf_finish(*out) : status;
}

/* From TfidfVectorizer(sublinear_tf=True) of scikit-learn 1.9.1. */
static const struct {
  const char *question;
  double similarities[TEXTS];
} questions[] = {{"my my order where", {0.7315266230893014, 0, 0.5286564075363147, 0, 0.3589377062842823}},
                 {"CAF\xC3\x89 \xCF\x83\xCE\xBF\xCF\x86\xCE\xBF\xCF\x82", {0, 0, 0, 0.816496580927726, 0}},
                 {"gold gold cancel unknown", {0, 0.3515168816202685, 0, 0, 0.3525118653250009}},
                 {"Where is my order? My order is late", {1, 0, 0.586646113825487, 0, 0.2951161941201484}},
                 {"x y", {0}},
                 {"", {0}}};

START_TEST(similarities_are_those_of_the_reference) {
  as_tfidf *collection;
  double similarities[TEXTS];
  ck_assert_ok(ctx, make_collection(&collection));
  ck_assert_int_eq(as_tfidf_count(collection), TEXTS);
  for (size_t q = 0; q < sizeof questions / sizeof questions[0]; q++) {
    const char *question = questions[q].question;
    ck_assert_ok(ctx, as_tfidf_similarities(collection, question, strlen(question), similarities));
    for (int i = 0; i < TEXTS; i++) ck_assert_double_eq_tol(similarities[i], questions[q].similarities[i], 1e-14);
  }
  as_tfidf_free(collection);
}
END_TEST

START_TEST(an_empty_collection_has_nothing_similar) {
  as_tfidf *collection;
  double none;
  ck_assert_ok(ctx, as_tfidf_new(ctx, &collection));
  ck_assert_ok(ctx, as_tfidf_finish(collection));
  ck_assert_int_eq(as_tfidf_count(collection), 0);
  ck_assert_ok(ctx, as_tfidf_similarities(collection, "anything", 8, &none));
  as_tfidf_free(collection);
}
END_TEST

/* ---- replies ---------------------------------------------------------------------------------------------------- */

static const char table[] = "content,response,intent\n"
                            "where is my order,It is on its way.,tracking\n"
                            "where is my order,Never given.,\n"
                            "cancel my order,\"Say \"\"yes\"\",\r\nplease.\",support\n"
                            "where is my gold,  ,support\n"
                            "where is my invoice,In your account.,support\n";

static as_messages *read_table(const char *text) {
  static const as_column_request columns[] = {{.name = "response", .kind = AS_COLUMN_TEXT, .may_be_empty = true},
                                              {.name = "intent", .may_be_absent = true, .may_be_empty = true}};
  const as_message_options options = {.columns = columns, .column_count = 2};
  as_messages *messages;
  char *path = as_path_join(ctx, folder, "in.csv");
  ck_assert_ok(ctx, as_file_write(ctx, path, text, strlen(text)));
  ck_assert_ok(ctx, as_messages_read(ctx, path, &options, NULL, &messages));
  as_free(ctx, path);
  return messages;
}

static void check_reply(const as_nearest_reply *replies, const char *text, const char *intent, const char *reply) {
  as_nearest_answer answer;
  ck_assert_ok(ctx, as_nearest_reply_find(replies, text, strlen(text), intent, &answer));
  ck_assert_str_eq(answer.reply, reply);
  ck_assert(answer.similarity >= 0 && answer.similarity <= 1);
}

static void check_replies(const as_nearest_reply *replies) {
  as_nearest_answer answer;
  ck_assert_int_eq(as_nearest_reply_count(replies), 4);
  check_reply(replies, "where is my order now", NULL, "It is on its way.");
  check_reply(replies, "where is my order now", "support", "In your account.");
  check_reply(replies, "cancel it", "", "Say \"yes\",\r\nplease.");
  check_reply(replies, "cancel it", "unheard of", "Say \"yes\",\r\nplease.");
  check_reply(replies, "nothing like it", "tracking", "It is on its way.");
  ck_assert_ok(ctx, as_nearest_reply_find(replies, "Where IS my order?", 18, NULL, &answer));
  ck_assert_double_eq_tol(answer.similarity, 1, 1e-12);
  ck_assert_str_eq(answer.message, "where is my order");
  ck_assert_str_eq(answer.intent, "tracking");
}

START_TEST(the_reply_to_the_most_similar_message_of_the_intent_is_given) {
  static const int64_t rows[] = {2, 3};
  as_messages *messages = read_table(table);
  as_nearest_reply *replies;
  ck_assert_ok(ctx, as_nearest_reply_build(ctx, messages, 0, 1, NULL, 0, &replies));
  check_replies(replies);
  as_nearest_reply_free(replies);
  ck_assert_ok(ctx, as_nearest_reply_build(ctx, messages, 0, 1, rows, 2, &replies));
  ck_assert_int_eq(as_nearest_reply_count(replies), 1);
  check_reply(replies, "where is my order", "tracking", "Say \"yes\",\r\nplease.");
  as_nearest_reply_free(replies);
  ck_assert_refused(ctx, as_nearest_reply_build(ctx, messages, 0, 1, rows + 1, 1, &replies), AS_E_DATA,
                    "no row has a response");
  ck_assert_ptr_null(replies);
  as_messages_free(messages);
}
END_TEST

START_TEST(the_commonest_reply_is_the_first_of_equals) {
  static const struct {
    const char *rows, *commonest;
  } cases[] = {{"a,x\nb,y\nc,y\n", "y"}, {"a,x\nb,y\n", "x"}, {"a,y\nb,x\nc,x\nd,y\n", "y"}, {"a,only\n", "only"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[200];
    const char *commonest;
    as_nearest_reply *replies;
    snprintf(text, sizeof text, "content,response\n%s", cases[i].rows);
    as_messages *messages = read_table(text);
    ck_assert_ok(ctx, as_nearest_reply_build(ctx, messages, 0, -1, NULL, 0, &replies));
    ck_assert_ok(ctx, as_nearest_reply_commonest(replies, &commonest));
    ck_assert_str_eq(commonest, cases[i].commonest);
    as_nearest_reply_free(replies);
    as_messages_free(messages);
  }
}
END_TEST

START_TEST(what_is_saved_gives_the_same_replies) {
  for (int with_intents = 0; with_intents < 2; with_intents++) {
    as_messages *messages = read_table(table);
    as_nearest_reply *replies;
    ck_assert_ok(ctx, as_nearest_reply_build(ctx, messages, 0, with_intents ? 1 : -1, NULL, 0, &replies));
    ck_assert_ok(ctx, as_nearest_reply_save(replies, folder));
    as_nearest_reply_free(replies);
    as_messages_free(messages);
    ck_assert(as_nearest_reply_in(ctx, folder));
    ck_assert_ok(ctx, as_nearest_reply_open(ctx, folder, &replies));
    if (with_intents)
      check_replies(replies);
    else
      check_reply(replies, "where is my order now", "support", "It is on its way.");
    as_nearest_reply_free(replies);
  }
}
END_TEST

START_TEST(files_that_hold_no_replies_are_refused) {
  static const struct {
    const char *text, *fragment;
  } wrong[] = {{"content\nhello\n", "response"},
               {"content,response\nhello,\n", "line 2"},
               {"content,response\nhello,\"\"\"\n", "line 2"},
               {"", "nearest_replies.csv"}};
  as_nearest_reply *replies;
  ck_assert(!as_nearest_reply_in(ctx, folder));
  ck_assert_refused(ctx, as_nearest_reply_open(ctx, folder, &replies), AS_E_MODEL, "nearest_replies.csv");
  char *path = as_path_join(ctx, folder, AS_NEAREST_REPLY_FILE);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    ck_assert_ok(ctx, as_file_write(ctx, path, wrong[i].text, strlen(wrong[i].text)));
    ck_assert_refused(ctx, as_nearest_reply_open(ctx, folder, &replies), AS_E_MODEL, wrong[i].fragment);
    ck_assert_ptr_null(replies);
  }
  as_free(ctx, path);
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  as_messages *messages = read_table(table);
  for (uint64_t n = 1;; n++) {
    as_nearest_reply *replies, *opened = NULL;
    as_nearest_answer answer;
    as_test_fail_at(ctx, n);
    as_status status = as_nearest_reply_build(ctx, messages, 0, 1, NULL, 0, &replies);
    if (status == AS_OK) status = as_nearest_reply_save(replies, folder);
    if (status == AS_OK) status = as_nearest_reply_open(ctx, folder, &opened);
    if (status == AS_OK) status = as_nearest_reply_find(opened, "where is it", 11, "support", &answer);
    const bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    as_nearest_reply_free(opened);
    as_nearest_reply_free(replies);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    if (!failed) break;
  }
  as_messages_free(messages);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("nearest_reply");
  TCase *tests = tcase_create("nearest_reply");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, similarities_are_those_of_the_reference);
  tcase_add_test(tests, an_empty_collection_has_nothing_similar);
  tcase_add_test(tests, the_reply_to_the_most_similar_message_of_the_intent_is_given);
  tcase_add_test(tests, the_commonest_reply_is_the_first_of_equals);
  tcase_add_test(tests, what_is_saved_gives_the_same_replies);
  tcase_add_test(tests, files_that_hold_no_replies_are_refused);
  tcase_add_test(tests, failing_allocations_are_reported);
  suite_add_tcase(suite, tests);
  return suite;
}
