/* Synthetic messages: the same seed gives the same bytes, the shipped sample among them; templates are sound; the rows
 * are what the columns promise. */
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/utf8.h"
#include "data/messages.h"
#include "data/synth.h"
#include "data/synth_drift.h"
#include "data/synth_text.h"
#include "data/templates.h"
#include "tests/folder_fixture.h"

static const as_synth_intent *const intents[AS_SYNTH_INTENTS] = {&as_synth_complaint, &as_synth_inquiry,
                                                                 &as_synth_purchase,  &as_synth_return,
                                                                 &as_synth_support,   &as_synth_tracking};

static as_buffer synth(int64_t rows, uint64_t seed) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_synth_options options = {.rows_per_class = rows, .seed = seed};
  ck_assert_ok(ctx, as_synth(ctx, &options, as_test_gather, &out));
  return out;
}

START_TEST(the_shipped_sample_is_what_its_seed_gives) {
  as_buffer out = synth(AS_SYNTH_SAMPLE_ROWS, AS_SYNTH_SAMPLE_SEED);
  char *sample;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, as_source_path("data/samples/messages.csv"), 0, AS_E_DATA, &sample, &length));
  size_t same = 0;
  while (same < length && same < out.length && sample[same] == out.data[same]) same++;
  ck_assert_msg(same == length && same == out.length,
                "byte %zu of the sample (%zu bytes) differs from what synth gives (%zu bytes)", same, length,
                out.length);
  as_free(ctx, sample);
  as_buffer_free(&out);
}
END_TEST

START_TEST(another_seed_gives_other_messages) {
  as_buffer a = synth(20, 1), again = synth(20, 1), b = synth(20, 2);
  ck_assert_str_eq(as_buffer_string(&a), as_buffer_string(&again));
  ck_assert_str_ne(as_buffer_string(&a), as_buffer_string(&b));
  as_buffer_free(&a);
  as_buffer_free(&again);
  as_buffer_free(&b);
}
END_TEST

static const as_column_request columns[] = {
    {.name = "intent"}, {.name = "sentiment"}, {.name = "response", .kind = AS_COLUMN_TEXT}};
static const as_message_options reading = {.columns = columns, .column_count = 3, .on_error = AS_ON_ERROR_FAIL};

START_TEST(rows_are_distinct_balanced_and_carry_every_tone) {
  as_synth_options options = {.rows_per_class = 700, .seed = 9};
  ck_assert_ok(ctx, as_synth_file(ctx, &options, below("m.csv")));
  as_messages *m;
  as_data_report report;
  ck_assert_ok(ctx, as_messages_read(ctx, below("m.csv"), &reading, &report, &m));
  ck_assert_int_eq(as_messages_count(m), 6 * 700);
  for (int problem = 1; problem < AS_PROBLEM_COUNT; problem++)
    ck_assert_msg(report.findings[problem].count == 0, "%d %s", (int)report.findings[problem].count,
                  as_data_problem_text((as_data_problem)problem));
  ck_assert_int_eq(as_messages_label_count(m, 0), 6);
  ck_assert_int_eq(as_messages_label_count(m, 1), 3);
  int counts[6][3] = {{0}};
  for (int64_t row = 0; row < as_messages_count(m); row++) {
    counts[as_messages_label(m, 0, row)][as_messages_label(m, 1, row)]++;
    ck_assert_ptr_nonnull(strpbrk(as_messages_value(m, 2, row), ".?!"));
  }
  for (int i = 0; i < 6; i++) {
    ck_assert_str_eq(as_messages_label_name(m, 0, i), intents[i]->name);
    ck_assert_int_eq(counts[i][0] + counts[i][1] + counts[i][2], 700);
    for (int tone = 0; tone < 3; tone++)
      ck_assert_msg(abs(counts[i][tone] - 7 * intents[i]->tone_shares[tone]) < 70, "%s: %d rows of tone %d",
                    intents[i]->name, counts[i][tone], tone);
  }
  as_messages_free(m);
}
END_TEST

/* The answer speaks of what the message named: an order number in a message is the one in the answer. */
START_TEST(answers_name_the_order_of_their_message) {
  as_synth_options options = {.rows_per_class = 300, .seed = 4};
  ck_assert_ok(ctx, as_synth_file(ctx, &options, below("m.csv")));
  as_messages *m;
  ck_assert_ok(ctx, as_messages_read(ctx, below("m.csv"), &reading, NULL, &m));
  int named = 0;
  for (int64_t row = 0; row < as_messages_count(m); row++) {
    const char *answer = as_messages_value(m, 2, row), *at = answer;
    while ((at = strpbrk(at, "0123456789")) != NULL) {
      size_t digits = strspn(at, "0123456789");
      if (digits >= 5) { /* nothing else has so many */
        char number[32];
        snprintf(number, sizeof number, "%.*s", (int)digits, at);
        ck_assert_msg(strstr(as_messages_text(m, row, NULL), number) != NULL, "%s: %s", as_messages_text(m, row, NULL),
                      answer);
        named++;
      }
      at += digits;
    }
  }
  ck_assert_int_gt(named, 50);
  as_messages_free(m);
}
END_TEST

static void expand_often(const char *what, const char *template) {
  as_random random = as_random_start(1, 1);
  as_synth_values values;
  as_buffer out;
  as_synth_values_init(&values, ctx, &random);
  as_buffer_init(&out, ctx);
  for (int i = 0; i < 20; i++) {
    as_buffer_clear(&out);
    as_synth_values_clear(&values);
    ck_assert_msg(as_synth_expand(&values, template, &out), "%s: \"%s\" is malformed", what, template);
    ck_assert_msg(out.length > 0 && as_utf8_valid(out.data, out.length), "%s: \"%s\" gave \"%s\"", what, template,
                  as_buffer_string(&out));
    ck_assert_msg(!strstr(out.data, "  ") && out.data[out.length - 1] != ' ' && !strpbrk(out.data, "[]|<>"),
                  "%s: \"%s\" gave \"%s\"", what, template, out.data);
  }
  as_buffer_free(&out);
  as_synth_values_free(&values);
}

static void expand_list(const char *what, const char *const *list) {
  ck_assert_ptr_nonnull(list[0]);
  for (; *list; list++) expand_often(what, *list);
}

START_TEST(every_template_expands) {
  for (int i = 0; i < AS_SYNTH_INTENTS; i++)
    for (const as_synth_topic *topic = intents[i]->topics; topic->name; topic++) {
      for (const as_synth_core *core = topic->cores; core->text; core++) {
        ck_assert_msg(core->tones >= 1 && core->tones <= AS_TONE_ANY, "%s: tones %d", core->text, core->tones);
        expand_often(topic->name, core->text);
      }
      expand_list(topic->name, topic->answers);
    }
  int slots = 0;
  for (const as_synth_slot *slot = as_synth_slots; slot->name; slot++, slots++) expand_list(slot->name, slot->values);
  ck_assert_int_le(slots, AS_SYNTH_MAX_SLOTS);
  expand_list("greetings", as_synth_greetings);
  expand_list("background", as_synth_background);
  expand_list("signatures", as_synth_signatures);
  for (int tone = 0; tone < 3; tone++) {
    expand_list("openings", as_synth_openings[tone]);
    expand_list("closings", as_synth_closings[tone]);
    expand_list("answer openings", as_synth_answer_openings[tone]);
    expand_list("answer closings", as_synth_answer_closings[tone]);
  }
  for (int i = 0; as_synth_shorthand[i][0]; i++)
    ck_assert_uint_le(strlen(as_synth_shorthand[i][1]), strlen(as_synth_shorthand[i][0]));
}
END_TEST

START_TEST(every_intent_says_many_things_in_every_tone) {
  for (int i = 0; i < AS_SYNTH_INTENTS; i++) {
    int cores = 0, tones[3] = {0};
    for (const as_synth_topic *topic = intents[i]->topics; topic->name; topic++)
      for (const as_synth_core *core = topic->cores; core->text; core++, cores++)
        for (int tone = 0; tone < 3; tone++) tones[tone] += core->tones >> tone & 1;
    ck_assert_msg(cores >= 25, "%s has %d cores", intents[i]->name, cores);
    for (int tone = 0; tone < 3; tone++)
      ck_assert_msg(tones[tone] >= 5, "%s: %d of tone %d", intents[i]->name, tones[tone], tone);
    ck_assert_int_eq(intents[i]->tone_shares[0] + intents[i]->tone_shares[1] + intents[i]->tone_shares[2], 100);
  }
}
END_TEST

START_TEST(ambiguous_messages_belong_to_two_intents_and_topics_that_exist) {
  for (const as_synth_ambiguous *a = as_synth_ambiguous_messages; a->text; a++) {
    ck_assert_str_ne(a->intents[0], a->intents[1]);
    expand_often("ambiguous", a->text);
    for (int side = 0; side < 2; side++) {
      bool found = false;
      for (int i = 0; i < AS_SYNTH_INTENTS; i++)
        for (const as_synth_topic *topic = intents[i]->topics; topic->name; topic++)
          if (strcmp(intents[i]->name, a->intents[side]) == 0 && strcmp(topic->name, a->topics[side]) == 0)
            found = true;
      ck_assert_msg(found, "\"%s\": no topic %s/%s", a->text, a->intents[side], a->topics[side]);
    }
  }
}
END_TEST

START_TEST(malformed_templates_are_refused) {
  static const char *const bad[] = {"[a|b", "{nosuch}", "{product", "{{open",
                                    "<5>",  "<9-3>",    "<3-9",     "[[[[[[[[[[x]]]]]]]]]]"};
  as_random random = as_random_start(1, 1);
  as_synth_values values;
  as_buffer out;
  as_synth_values_init(&values, ctx, &random);
  as_buffer_init(&out, ctx);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ck_assert_msg(!as_synth_expand(&values, bad[i], &out), "\"%s\" was expanded", bad[i]);
  as_buffer_clear(&out);
  ck_assert(as_synth_expand(&values, "[|] <7-7> {{kept}}{comma_name}", &out));
  ck_assert_str_eq(out.data, " 7 {{kept}}");
  as_buffer_free(&out);
  as_synth_values_free(&values);
}
END_TEST

START_TEST(typing_errors_change_one_word_and_shorthand_only_whole_words) {
  as_random random = as_random_start(3, 1);
  as_buffer text;
  as_buffer_init(&text, ctx);
  for (int i = 0; i < 500; i++) {
    as_buffer_clear(&text);
    as_buffer_text(&text, "Zo\xC3\xAB is wrapped in 12345");
    as_synth_mistype(&random, &text);
    ck_assert_uint_eq(text.length, strlen(text.data));
    ck_assert_int_eq(strncmp(text.data, "Zo\xC3\xAB is w", 9), 0); /* the only word of four letters, after its first */
    ck_assert_str_eq(text.data + text.length - 9, " in 12345");
  }
  as_buffer_clear(&text);
  as_buffer_text(&text, "young and yours, you landed: thanks");
  for (int i = 0; i < 50; i++) as_synth_shorten(&random, &text);
  ck_assert_str_eq(text.data, "young & yours, u landed: thx");
  as_buffer_clear(&text);
  as_synth_mistype(&random, &text); /* nothing to change */
  ck_assert_uint_eq(text.length, 0);
  as_buffer_free(&text);
}
END_TEST

/* ---- a shop that changes ---------------------------------------------------------------------------------------- */
static as_buffer export_of(int64_t week, int64_t weeks) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_synth_options options = {.rows_per_class = 40, .seed = 3, .week = week, .weeks = weeks};
  ck_assert_ok(ctx, as_synth(ctx, &options, as_test_gather, &out));
  return out;
}

START_TEST(a_week_is_the_same_in_every_export) {
  as_buffer one = export_of(1, 0), two = export_of(2, 0), three = export_of(3, 0), last = export_of(3, 2);
  ck_assert_int_eq(strncmp(two.data, one.data, one.length), 0);
  ck_assert_int_eq(strncmp(three.data, two.data, two.length), 0);
  /* The last two weeks of three: the header, and what follows the first week. */
  const size_t header = strcspn(last.data, "\n") + 1;
  ck_assert_str_eq(as_buffer_string(&last) + header, as_buffer_string(&three) + one.length);
  as_buffer wide = export_of(3, 100);
  ck_assert_str_eq(as_buffer_string(&wide), as_buffer_string(&three));
  as_buffer *all[] = {&one, &two, &three, &last, &wide};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) as_buffer_free(all[i]);
}
END_TEST

/* Rows of each intent in one week, in the order of their names. */
static void count_intents(int64_t week, int counts[AS_SYNTH_INTENTS]) {
  as_buffer rows = export_of(week, 1);
  as_messages *m;
  ck_assert_ok(ctx, as_file_write(ctx, below("week.csv"), rows.data, rows.length));
  ck_assert_ok(ctx, as_messages_read(ctx, below("week.csv"), &reading, NULL, &m));
  memset(counts, 0, AS_SYNTH_INTENTS * sizeof *counts);
  ck_assert_int_eq(as_messages_label_count(m, 0), AS_SYNTH_INTENTS);
  for (int64_t row = 0; row < as_messages_count(m); row++) counts[as_messages_label(m, 0, row)]++;
  as_messages_free(m);
  as_buffer_free(&rows);
}

START_TEST(each_intent_has_its_time_of_the_year) {
  int counts[AS_SYNTH_INTENTS];
  for (int i = 0; i < AS_SYNTH_INTENTS; i++) {
    const int64_t peak = AS_SYNTH_YEAR * i / AS_SYNTH_INTENTS;
    count_intents(AS_SYNTH_YEAR + peak, counts);
    const int most = counts[i];
    count_intents(AS_SYNTH_YEAR / 2 + AS_SYNTH_YEAR + peak, counts);
    ck_assert_msg(most > 3 * counts[i], "%s: %d rows at its peak, %d half a year later", intents[i]->name, most,
                  counts[i]);
  }
}
END_TEST

START_TEST(wording_changes_with_the_weeks_and_comes_back) {
  static const char *const texts[] = {"kettle", "where is my parcel?", "desk lamp", "{order}"};
  for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
    int used = 0;
    for (int64_t week = 1; week <= AS_SYNTH_YEAR; week++) {
      const bool now = as_synth_in_use(texts[t], week, AS_SYNTH_CORE_WEEKS);
      ck_assert(as_synth_in_use(texts[t], week + AS_SYNTH_YEAR, AS_SYNTH_CORE_WEEKS) == now);
      used += now;
    }
    ck_assert_int_eq(used, AS_SYNTH_CORE_WEEKS + 1);
    ck_assert(as_synth_in_use(texts[t], 0, 1));
  }
}
END_TEST

static as_status refuse_to_take(void *user, const char *bytes, size_t length) {
  (void)bytes, (void)length;
  return as_fail(user, AS_E_IO, "the pipe is closed");
}

START_TEST(bad_options_and_failing_sinks_are_errors) {
  as_synth_options options = {.rows_per_class = 0, .seed = 1};
  ck_assert_refused(ctx, as_synth(ctx, &options, refuse_to_take, ctx), AS_E_INVALID, "0 rows per class");
  options.rows_per_class = INT64_MAX;
  ck_assert_refused(ctx, as_synth(ctx, &options, refuse_to_take, ctx), AS_E_INVALID, "rows per class");
  options.rows_per_class = 5;
  options.week = AS_SYNTH_MOST_WEEKS + 1;
  ck_assert_refused(ctx, as_synth(ctx, &options, refuse_to_take, ctx), AS_E_INVALID, "week 10001");
  options.week = 0;
  ck_assert_refused(ctx, as_synth(ctx, &options, refuse_to_take, ctx), AS_E_IO, "the pipe is closed");
  ck_assert_refused(ctx, as_synth_file(ctx, &options, "/no/such/folder/m.csv"), AS_E_IO, "/no/such/folder/m.csv");
}
END_TEST

START_TEST(every_failing_allocation_is_an_error_without_a_leak) {
  as_synth_options options = {.rows_per_class = 12, .seed = 5};
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_test_fail_at(ctx, n);
    failed = as_test_failed_cleanly(ctx, as_synth_file(ctx, &options, below("m.csv")), 0);
  }
  options.week = 2;
  failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_test_fail_at(ctx, n);
    failed = as_test_failed_cleanly(ctx, as_synth_file(ctx, &options, below("m.csv")), 0);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("synth");
  TCase *tests = tcase_create("synth");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, the_shipped_sample_is_what_its_seed_gives);
  tcase_add_test(tests, another_seed_gives_other_messages);
  tcase_add_test(tests, rows_are_distinct_balanced_and_carry_every_tone);
  tcase_add_test(tests, answers_name_the_order_of_their_message);
  tcase_add_test(tests, every_template_expands);
  tcase_add_test(tests, every_intent_says_many_things_in_every_tone);
  tcase_add_test(tests, ambiguous_messages_belong_to_two_intents_and_topics_that_exist);
  tcase_add_test(tests, malformed_templates_are_refused);
  tcase_add_test(tests, typing_errors_change_one_word_and_shorthand_only_whole_words);
  tcase_add_test(tests, a_week_is_the_same_in_every_export);
  tcase_add_test(tests, each_intent_has_its_time_of_the_year);
  tcase_add_test(tests, wording_changes_with_the_weeks_and_comes_back);
  tcase_add_test(tests, bad_options_and_failing_sinks_are_errors);
  tcase_add_test(tests, every_failing_allocation_is_an_error_without_a_leak);
  suite_add_tcase(suite, tests);
  return suite;
}
