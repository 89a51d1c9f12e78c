/* assistify.json of a model folder, and the template of a response model's input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/input_template.h"
#include "models/task_file.h"
#include "tests/harness.h"

static as_context *ctx;
static const char *folder;

static void begin(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
}

static void end(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static void put(const char *text, size_t length) {
  char path[4200];
  snprintf(path, sizeof path, "%s/assistify.json", folder);
  ck_assert_ok(ctx, as_file_write(ctx, path, text, length));
}

START_TEST(what_was_written_is_read) {
  char task[] = "response", template[] = "say {content} \"so\" \xc3\xbc {intent}";
  as_task_file out = {.task = task}, in;
  begin();
  ck_assert_ok(ctx, as_task_file_read(ctx, folder, &in)); /* no file: nothing is said, and any task will do */
  ck_assert_ptr_null(in.task);
  ck_assert_ok(ctx, as_task_file_expect(ctx, folder, &in, "intent"));
  ck_assert_ok(ctx, as_task_file_write(ctx, folder, &out));
  ck_assert_ok(ctx, as_task_file_read(ctx, folder, &in));
  ck_assert_str_eq(in.task, "response");
  ck_assert_ptr_null(in.input_template);
  ck_assert_ok(ctx, as_task_file_expect(ctx, folder, &in, "response"));
  ck_assert_ok(ctx, as_task_file_expect(ctx, folder, &in, NULL));
  ck_assert_refused(ctx, as_task_file_expect(ctx, folder, &in, "intent"), AS_E_MODEL,
                    "assistify.json: task: the model was trained for response, not for intent");
  as_task_file_free(ctx, &in);
  out.input_template = template;
  out.validation = (as_task_validation){.rows = 7, .bleu = 2.5, .nearest_bleu = 14.125, .frequent_bleu = 0};
  ck_assert_ok(ctx, as_task_file_write(ctx, folder, &out));
  ck_assert_ok(ctx, as_task_file_read(ctx, folder, &in));
  ck_assert_str_eq(in.input_template, template);
  ck_assert_int_eq(in.validation.rows, 7);
  ck_assert(in.validation.bleu == 2.5 && in.validation.nearest_bleu == 14.125 && in.validation.frequent_bleu == 0);
  as_task_file_free(ctx, &in);
  out.task = NULL; /* the file of the model that lay here before goes */
  ck_assert_ok(ctx, as_task_file_write(ctx, folder, &out));
  ck_assert_ok(ctx, as_task_file_write(ctx, folder, &out));
  ck_assert_ok(ctx, as_task_file_read(ctx, folder, &in));
  ck_assert_ptr_null(in.task);
  end();
}
END_TEST

START_TEST(hostile_files_are_refused) {
  static const struct {
    const char *text;
    const char *fragment;
  } cases[] = {{"", "assistify.json"},
               {"{", "assistify.json"},
               {"[]", "is not a JSON object"},
               {"{}", "task is missing"},
               {"{\"task\":1}", "task must be a text"},
               {"{\"task\":null}", "task must be a text"},
               {"{\"task\":\"\"}", "task must be a name"},
               {"{\"task\":\"Intent\"}", "task must be a name"},
               {"{\"task\":\"../x\"}", "task must be a name"},
               {"{\"task\":\"in\\u0000tent\"}", "assistify.json"},
               {"{\"task\":\"a\",\"task\":\"b\"}", "task"},
               {"{\"task\":\"response\",\"validation\":3}", "validation.rows"},
               {"{\"task\":\"response\",\"validation\":{\"rows\":0}}", "validation.rows"},
               {"{\"task\":\"response\",\"validation\":{\"rows\":1,\"bleu\":-1}}", "validation.bleu"},
               {"{\"task\":\"response\",\"validation\":{\"rows\":1,\"bleu\":1}}", "validation.nearest_bleu"},
               {"{\"task\":\"response\",\"input_template\":{}}", "input_template must be a text"},
               {"{\"task\":\"response\",\"input_template\":\"\"}", "lacks {content}"},
               {"{\"task\":\"response\",\"input_template\":\"{content} {name}\"}", "brace at byte 10"},
               {"{\"task\":\"response\",\"input_template\":\"{content}\\n\"}", "control character at byte 9"}};
  as_task_file in;
  begin();
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    put(cases[i].text, strlen(cases[i].text));
    ck_assert_refused(ctx, as_task_file_read(ctx, folder, &in), AS_E_MODEL, cases[i].fragment);
    ck_assert_ptr_null(in.task);
  }
  size_t many = 70000;
  char *large = malloc(many);
  memset(large, ' ', many);
  memcpy(large, "{}", 2);
  put(large, many);
  free(large);
  ck_assert_refused(ctx, as_task_file_read(ctx, folder, &in), AS_E_MODEL, "assistify.json");
  char longest[66] = "", wrong[] = "{content";
  memset(longest, 'a', 65);
  as_task_file out = {.task = longest};
  ck_assert_refused(ctx, as_task_file_write(ctx, folder, &out), AS_E_INVALID, "at most 64");
  longest[64] = 0;
  ck_assert_ok(ctx, as_task_file_write(ctx, folder, &out));
  out.input_template = wrong;
  ck_assert_refused(ctx, as_task_file_write(ctx, folder, &out), AS_E_INVALID, "brace at byte 0");
  end();
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  char task[] = "response", template[] = AS_INPUT_TEMPLATE_DEFAULT;
  as_task_file out = {.task = task, .input_template = template}, in;
  begin();
  bool done = false;
  for (uint64_t n = 1; !done; n++) {
    as_test_fail_at(ctx, n);
    as_status status = as_task_file_write(ctx, folder, &out);
    if (status == AS_OK) status = as_task_file_read(ctx, folder, &in);
    if (status == AS_OK) as_task_file_free(ctx, &in);
    done = !as_test_failed_one(ctx);
    ck_assert_int_eq(status, done ? AS_OK : AS_E_NOMEM);
    as_test_fail_at(ctx, 0);
  }
  end();
}
END_TEST

/* ---- templates -------------------------------------------------------------------------------------------------- */
static void assert_rendered(const char *template, const as_input_values *values, const char *expected) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_input_template_check(ctx, template, AS_E_MODEL, "here"));
  as_input_template_render(template, values, &out);
  ck_assert_ok(ctx, as_buffer_status(&out));
  ck_assert_str_eq(as_buffer_string(&out), expected);
  as_buffer_free(&out);
}

START_TEST(a_template_is_filled_with_what_is_known) {
  static const char text[] = "my {intent} is {{Order Number}} %s";
  as_input_values values = {.content = text, .content_length = strlen(text), .intent = "purchase"};
  begin();
  assert_rendered(AS_INPUT_TEMPLATE_DEFAULT, &values,
                  "respond intent: purchase sentiment:  message: my {intent} is {{Order Number}} %s");
  values.sentiment = "{content}"; /* means nothing in a value */
  assert_rendered("{sentiment}{content}", &values, "{content}my {intent} is {{Order Number}} %s");
  values.content_length = 2;
  assert_rendered("{content}", &values, "my");
  end();
}
END_TEST

START_TEST(wrong_templates_are_refused) {
  static const struct {
    const char *template;
    const char *fragment;
  } cases[] = {{"", "lacks {content}"},
               {"{intent}", "lacks {content}"},
               {"{content}{content}", "{content} twice"},
               {"{content}{intent}{intent}", "{intent} twice"},
               {"{{content}}", "brace at byte 0"},
               {"{content}}", "brace at byte 9"},
               {"{CONTENT}", "brace at byte 0"},
               {"{content", "brace at byte 0"},
               {"\t{content}", "control character at byte 0"},
               {"{content}\xff", "not UTF-8"}};
  char large[1100];
  begin();
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    ck_assert_refused(ctx, as_input_template_check(ctx, cases[i].template, AS_E_INVALID, "here"), AS_E_INVALID,
                      cases[i].fragment);
  memset(large, 'a', sizeof large);
  memcpy(large, "{content}", 9);
  large[1000] = 0;
  ck_assert_ok(ctx, as_input_template_check(ctx, large, AS_E_INVALID, "here"));
  large[1000] = 'a';
  large[1001] = 0;
  ck_assert_refused(ctx, as_input_template_check(ctx, large, AS_E_INVALID, "here"), AS_E_INVALID, "1001 bytes");
  end();
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {what_was_written_is_read, hostile_files_are_refused, failing_allocations_are_reported,
                                a_template_is_filled_with_what_is_known, wrong_templates_are_refused};
  Suite *suite = suite_create("task file");
  for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    TCase *tcase = tcase_create(tests[i]->name);
    tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
  }
  return suite;
}
