/* Lines of the metrics command: what they may leave out, how hostile ones are refused, and failing allocations in each
 * task. */
#include "tests/harness.h"

#include <string.h>

#include "eval/metrics_json.h"

static as_status measure(as_context *ctx, const char *task, const char *line, as_buffer *out) {
  ck_assert_msg(as_metrics_task_find(task) != NULL, "no task %s", task);
  return as_metrics_line(ctx, as_metrics_task_find(task), line, strlen(line), 7, out);
}

/* Lines and what their answers must contain. */
static const struct {
  const char *task, *line, *answer;
} good[] = {
    /* the likeliest class where predictions are absent */
    {"classification", "{\"n_classes\":3,\"y_true\":[0,1,2],\"proba\":[[0.5,0.25,0.25],[0.2,0.3,0.5],[0,0,1]]}",
     "\"confusion\":[[1,0,0],[0,0,1],[0,0,1]]"},
    {"classification", "{\"n_classes\":2,\"y_true\":[],\"y_pred\":[]}", "{\"n\":0,\"accuracy\":null,"},
    {"classification", "{\"n_classes\":1,\"y_true\":[0],\"y_pred\":[0]}", "\"kappa\":null}"},
    {"mcnemar", "{\"y_true\":[0,1,2],\"pred_a\":[0,1,1],\"pred_b\":[1,1,1]}", "{\"exact_p\":1.0,\"midp\":0.5"},
    {"bootstrap", "{\"n_classes\":2,\"y_true\":[0,1],\"pred_a\":[0,1],\"pred_b\":[0,1],\"n_resamples\":9,\"seed\":1}",
     "\"p_two_sided\":1.0,\"first10\":[0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0]"},
    {"bootstrap", "{\"n_classes\":2,\"y_true\":[],\"pred_a\":[],\"pred_b\":[],\"resamples\":[[]]}",
     "\"observed\":null"},
    {"temperature", "{\"logits\":[],\"y_true\":[]}", "{\"temperature\":null,\"at_bound\":null"},
    {"temperature", "{\"logits\":[[9,0],[9,0]],\"y_true\":[0,0],\"search_interval\":[0.5,2]}",
     "{\"temperature\":0.5,\"at_bound\":\"low\""},
    {"psi", "{\"kind\":\"counts\",\"ref\":[0,0],\"cur\":[1,2]}", "{\"psi\":null}"},
    {"psi", "{\"kind\":\"numeric\",\"ref\":[],\"cur\":[1,2.5]}",
     "{\"edges\":[],\"ref_counts\":[0],\"cur_counts\":[2],\"psi\":null,\"ks_statistic\":null}"},
    {"text", "{\"hyp\":\"a b\\na\",\"refs\":[\"a\",\"A b.\"]}",
     "\"exact_match\":false,\"exact_match_normalized\":false}"},
    {"tokens", "{\"text\":\"Running, 5.\"}",
     "{\"bleu_13a\":[\"Running\",\",\",\"5\",\".\"],\"rouge\":[\"running\",\"5\"],\"rouge_stemmed\":[\"run\",\"5\"]}"},
    {"ranking", "{\"ks\":[1],\"scores\":[[1,2],[0,0]],\"relevant\":[[1],[]],\"seen\":[[],[0]],\"grades\":[[[1,2]],[]]}",
     "\"mrr\":1.0,\"auc\":1.0},null],\"top\":[[1],[1]],\"users_counted\":1,"},
    {"ranking", "{\"ks\":[],\"scores\":[],\"relevant\":[],\"seen\":[]}",
     "{\"per_user\":[],\"top\":[],\"users_counted\":0,\"mean\":{\"mrr\":null,\"auc\":null}}"},
    {"proportions", "{\"x1\":0,\"n1\":0,\"x2\":1,\"n2\":2}", "{\"difference\":null,\"wald95\":[null,null]"},
};

START_TEST(answers_of_short_lines) {
  as_context *ctx = as_test_context(1);
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, measure(ctx, good[_i].task, good[_i].line, &out));
  ck_assert_msg(strstr(as_buffer_string(&out), good[_i].answer) != NULL, "%s: %s lacks %s", good[_i].task,
                as_buffer_string(&out), good[_i].answer);
  ck_assert_int_eq(out.data[out.length - 1], '\n');
  as_buffer_free(&out);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_failing_allocation_is_reported_and_writes_nothing) {
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_context *ctx = as_test_context(1);
    as_buffer out;
    as_buffer_init(&out, ctx);
    as_test_fail_at(ctx, n);
    const as_status status = measure(ctx, good[_i].task, good[_i].line, &out);
    failed = as_test_failed_one(ctx);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    ck_assert(!failed || out.length == 0);
    as_buffer_free(&out);
    as_test_context_free(ctx);
  }
}
END_TEST

/* Lines that must be refused, and a part of the reason. */
static const struct {
  const char *task, *line, *reason;
} hostile[] = {
    {"classification", "", "line 7"},
    {"classification", "[1]", "line 7: not a JSON object"},
    {"classification", "{\"y_true\":[0]}", "line 7: field \"n_classes\" is missing"},
    {"classification", "{\"n_classes\":1e3,\"y_true\":[],\"y_pred\":[]}", "not a whole number"},
    {"classification", "{\"n_classes\":100000000,\"y_true\":[],\"y_pred\":[]}", "not in 1..1024"},
    {"classification", "{\"n_classes\":2,\"y_true\":5,\"y_pred\":[]}", "\"y_true\" is not an array"},
    {"classification", "{\"n_classes\":2,\"y_true\":[0,2],\"y_pred\":[0,1]}", "y_true[1] is 2"},
    {"classification", "{\"n_classes\":2,\"y_true\":[0,\"1\"],\"y_pred\":[0,1]}", "y_true[1] is not a whole number"},
    {"classification", "{\"n_classes\":2,\"y_true\":[0,1],\"y_pred\":[0]}", "y_pred has 1 values"},
    {"classification", "{\"n_classes\":2,\"y_true\":[0,1],\"y_pred\":null}", "\"y_pred\" is not an array"},
    {"classification", "{\"n_classes\":2,\"y_true\":[0],\"proba\":[[0.5,0.25,0.25]]}", "proba is [1, 3]"},
    {"classification", "{\"n_classes\":2,\"y_true\":[0,1],\"proba\":[[0.5,0.5],[1]]}", "proba[1] has 1 values"},
    {"classification", "{\"n_classes\":2,\"y_true\":[0,1],\"proba\":[[0.5,0.5],7]}", "proba[1] is not an array"},
    {"classification", "{\"n_classes\":2,\"y_true\":[0],\"proba\":[[0.5,true]]}", "proba[1] is not a number"},
    {"classification", "{\"n_classes\":2,\"y_true\":[0],\"proba\":[[-1,2]]}", "not in 0..1"},
    {"mcnemar", "{\"b\":1}", "\"c\" is missing"},
    {"mcnemar", "{\"b\":-1,\"c\":1}", "\"b\" is -1"},
    {"mcnemar", "{\"b\":1.5,\"c\":1}", "\"b\" is not a whole number"},
    {"mcnemar", "{\"y_true\":[0],\"pred_a\":[0],\"pred_b\":[]}", "pred_b has 0 values"},
    {"bootstrap", "{\"n_classes\":2,\"y_true\":[0],\"pred_a\":[0],\"pred_b\":[0]}", "\"n_resamples\" is missing"},
    {"bootstrap", "{\"n_classes\":2,\"y_true\":[0],\"pred_a\":[0],\"pred_b\":[0],\"resamples\":[[1]]}",
     "resamples[0]: resample[0] is 1"},
    {"bootstrap", "{\"n_classes\":2,\"y_true\":[0],\"pred_a\":[0],\"pred_b\":[0],\"resamples\":[[0],[0,0]]}",
     "resamples[1] is not an array of 1 row numbers"},
    {"bootstrap", "{\"n_classes\":2,\"y_true\":[0],\"pred_a\":[0],\"pred_b\":[0],\"n_resamples\":1000000000000}",
     "not in 1..1000000"},
    {"temperature", "{\"logits\":[[1,2]],\"y_true\":[2]}", "y_true[0] is 2"},
    {"temperature", "{\"logits\":[[1,2]],\"y_true\":[]}", "logits has 1 rows, y_true has 0"},
    {"temperature", "{\"logits\":[[]],\"y_true\":[]}", "line 7"},
    {"temperature", "{\"logits\":[[1,1e200]],\"y_true\":[0]}", "logit 1e+200"},
    {"temperature", "{\"logits\":[[1,2]],\"y_true\":[0],\"search_interval\":[2,1]}", "interval"},
    {"temperature", "{\"logits\":[[1,2]],\"y_true\":[0],\"search_interval\":[2]}", "search_interval has 1 values"},
    {"psi", "{\"kind\":\"other\",\"ref\":[1],\"cur\":[1]}", "neither \"counts\" nor \"numeric\""},
    {"psi", "{\"kind\":\"counts\",\"ref\":[1,2],\"cur\":[1]}", "ref has 2 bins, cur has 1"},
    {"psi", "{\"kind\":\"counts\",\"ref\":[-1],\"cur\":[1]}", "ref[0] is -1"},
    {"psi", "{\"kind\":5,\"ref\":[1],\"cur\":[1]}", "\"kind\" is not a string"},
    {"psi", "{\"kind\":\"numeric\",\"ref\":[null],\"cur\":[1]}", "ref[0] is not a number"},
    {"text", "{\"hyp\":\"a\",\"refs\":[]}", "refs is empty"},
    {"text", "{\"hyp\":\"a\",\"refs\":\"a\"}", "\"refs\" is not an array"},
    {"text", "{\"hyp\":\"a\",\"refs\":[\"a\",1]}", "refs[1] is not a string"},
    {"text", "{\"hyp\":null,\"refs\":[\"a\"]}", "\"hyp\" is not a string"},
    {"tokens", "{\"texts\":\"a\"}", "\"text\" is missing"},
    {"ranking", "{\"ks\":[0],\"scores\":[[1]],\"relevant\":[[0]],\"seen\":[[]]}", "ks[0] is 0"},
    {"ranking", "{\"ks\":[2,1],\"scores\":[[1]],\"relevant\":[[0]],\"seen\":[[]]}", "ks is not ascending"},
    {"ranking", "{\"ks\":[1],\"scores\":[[1]],\"relevant\":[],\"seen\":[[]]}", "relevant has 0 elements"},
    {"ranking", "{\"ks\":[1],\"scores\":[[1]],\"relevant\":[[1]],\"seen\":[[]]}", "user 0: relevant[0] is 1"},
    {"ranking", "{\"ks\":[1],\"scores\":[[1]],\"relevant\":[[0]],\"seen\":[0]}", "user 0: seen is not an array"},
    {"ranking", "{\"ks\":[1],\"scores\":[[1]],\"relevant\":[[0]],\"seen\":[[]],\"grades\":[[]]}",
     "relevant item 0 has none"},
    {"ranking", "{\"ks\":[1],\"scores\":[[1]],\"relevant\":[[0]],\"seen\":[[]],\"grades\":[[[0]]]}",
     "pair 0 is not an item and a grade"},
    {"proportions", "{\"x1\":3,\"n1\":2,\"x2\":1,\"n2\":2}", "\"x1\" is 3, not in 0..2"},
};

START_TEST(hostile_lines_are_refused_with_their_number) {
  as_context *ctx = as_test_context(1);
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_refused(ctx, measure(ctx, hostile[_i].task, hostile[_i].line, &out), AS_E_DATA, hostile[_i].reason);
  ck_assert_msg(strstr(as_error_text(ctx), "line 7") != NULL, "%s", as_error_text(ctx));
  ck_assert_uint_eq(out.length, 0);
  as_buffer_free(&out);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(every_task_is_found_by_its_name) {
  size_t count;
  const as_metrics_task *tasks = as_metrics_tasks(&count);
  for (size_t i = 0; i < count; i++) ck_assert_ptr_eq(as_metrics_task_find(tasks[i].name), &tasks[i]);
  ck_assert_ptr_null(as_metrics_task_find("clasification"));
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("metrics of JSON lines");
  TCase *tests = tcase_create("lines");
  tcase_add_test(tests, every_task_is_found_by_its_name);
  tcase_add_loop_test(tests, answers_of_short_lines, 0, (int)(sizeof good / sizeof *good));
  tcase_add_loop_test(tests, a_failing_allocation_is_reported_and_writes_nothing, 0, (int)(sizeof good / sizeof *good));
  tcase_add_loop_test(tests, hostile_lines_are_refused_with_their_number, 0, (int)(sizeof hostile / sizeof *hostile));
  suite_add_tcase(suite, tests);
  return suite;
}
