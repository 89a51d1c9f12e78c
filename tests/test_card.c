/* Model cards and training.json: what they say, what they do without, and what they do not let through. */
#include "lifecycle/card.h"

#include <string.h>

#include "lifecycle/main_figure.h"
#include "lifecycle/origin.h"
#include "tests/store_fixture.h"

static const char *card_of(as_context *ctx, const char *folder) {
  ck_assert_ok(ctx, as_card_write(ctx, folder, "intent"));
  return as_fixture_read(ctx, as_fixture_path(folder, AS_CARD_NAME));
}

static void put(as_context *ctx, const char *folder, const char *name, const char *text) {
  ck_assert_ok(ctx, as_file_write(ctx, as_fixture_path(folder, name), text, strlen(text)));
}

static void expect(const char *card, const char *text) {
  ck_assert_msg(strstr(card, text), "\"%s\" is not in: %s", text, card);
}

START_TEST(card_says_what_is_known) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  put(ctx, folder, "config.json", "{\"model_type\": \"distilbert\", \"n_layers\": 2}");
  put(ctx, folder, "recipe.json", "{\"epochs\": 3, \"lr\": 0.0005, \"valid_none\": false, \"max_length\": 128}");
  put(ctx, folder, "metrics.json",
      "{\"n\": 40, \"accuracy\": 0.875, \"f1\": {\"macro\": 0.86, \"per_class\": [0.9, 0.82]}, \"labels\": [\"buy\", "
      "\"ask\"], \"support\": [22, 18], \"precision\": {\"per_class\": [0.91, 0.8]}, \"recall\": {\"per_class\": "
      "[0.89, "
      "0.84]}, \"ci95\": {\"accuracy\": [0.76, 0.96], \"macro_f1\": [0.75, 0.95]}, \"ece15\": 0.031, \"log_loss\": "
      "0.4, "
      "\"baselines\": {\"majority\": {\"accuracy\": 0.55}}}");
  put(ctx, folder, "training.json",
      "{\"command\": [\"assistify\", \"train\", \"intent\", \"--data\", \"my data.csv\", \"--lr\", \"it's\"], "
      "\"files\": "
      "[{\"option\": \"data\", \"path\": \"my data.csv\", \"sha256\": \"00ff\", \"bytes\": 12}], \"program\": "
      "\"0.1.0\", "
      "\"finished\": \"2026-01-31 12:30:00\"}");
  const char *card = card_of(ctx, folder);
  expect(card,
         "# Model card: intent\n\nArchitecture: distilbert. Trained: 2026-01-31 12:30:00 UTC, with assistify 0.1.0.");
  expect(card, "| data | my data.csv | 12 | 00ff |");
  expect(card, "On 40 validation rows");
  expect(card, "| accuracy | 87.50 % | 76.00 to 96.00 % |");
  expect(card, "| accuracy of always answering the commonest class | 55.00 % | |");
  expect(card, "| buy | 22 | 0.910 | 0.890 | 0.900 |");
  expect(card,
         "no temperature was kept.\n\n| | |\n|---|---|\n| expected calibration error (15 bins) | 0.0310 |\n| log");
  expect(card, "| lr | 0.0005 |");
  expect(card, "They are 40 rows only");
  expect(card, "up to 128 tokens");
  expect(card, "    assistify train intent --data 'my data.csv' --lr 'it'\\''s'\n");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(card_shows_what_calibration_did) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  put(ctx, folder, "metrics.json",
      "{\"ece15\": 0.5, \"calibration\": {\"temperature\": 1.75, \"before\": {\"ece15\": 0.25, \"log_loss\": 1.5, "
      "\"brier\": "
      "0.5}, \"after\": {\"ece15\": 0.125, \"log_loss\": 1.25, \"brier\": 0.375}}}");
  const char *card = card_of(ctx, folder);
  expect(card, "with the temperature T = 1.75, fitted on the validation rows");
  expect(
      card,
      "| | before | after |\n|---|---|---|\n| expected calibration error (15 bins) | 0.2500 | 0.1250 |\n| log loss | "
      "1.5000 | 1.2500 |\n| Brier score | 0.5000 | 0.3750 |\n");
  put(ctx, folder, "metrics.json",
      "{\"calibration\": {\"temperature\": null, \"reason\": \"too *few*\", \"before\": {\"ece15\": 0.25, "
      "\"log_loss\": 1.5, "
      "\"brier\": 0.5}, \"after\": {\"ece15\": 0.125, \"log_loss\": 1.25, \"brier\": 0.375}}}");
  card = card_of(ctx, folder);
  expect(card, "no temperature was kept: too \\*few\\*.\n\n| | |\n|---|---|\n| expected calibration error (15 bins) | "
               "0.2500 |\n");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(card_does_without) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder(), *card = card_of(ctx, folder);
  expect(card, "Architecture: not said. Trained: not said.");
  expect(card, "`assistify evaluate intent` takes them");
  expect(card, "## To make it again\n\nNot recorded.");
  put(ctx, folder, "metrics.json", "{}");
  put(ctx, folder, "training.json", "{\"command\": 7, \"files\": {}}");
  card = card_of(ctx, folder);
  expect(card, "On 0 validation rows");
  put(ctx, folder, "metrics.json", "[]");
  ck_assert_refused(ctx, as_card_write(ctx, folder, "intent"), AS_E_MODEL, "metrics.json: is no JSON object");
  put(ctx, folder, "metrics.json", "{");
  ck_assert_refused(ctx, as_card_write(ctx, folder, "intent"), AS_E_MODEL, "metrics.json");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(card_of_a_response_model) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  put(ctx, folder, "config.json", "{\"model_type\": \"t5\"}");
  put(ctx, folder, "recipe.json", "{\"max_length\": 64, \"max_target_length\": 96, \"patience\": 0}");
  const char *card = card_of(ctx, folder);
  expect(card, "there were no rows to validate on");
  put(ctx, folder, "metrics.json", "{\"rows\": 200, \"bleu\": 31.5, \"nearest_bleu\": 20.25, \"frequent_bleu\": 3}");
  card = card_of(ctx, folder);
  expect(card, "Replies to 200 validation messages");
  expect(card, "| this model | 31.50 |\n| the reply to the most similar training message | 20.25 |\n"
               "| the commonest reply of all | 3.00 |\n\nPlainly: the model is better than both.\n");
  expect(card, "It learned from replies of up to 96 tokens.\n- A text is read up to 64 tokens.");
  ck_assert_ptr_null(strstr(card, "| class |"));
  ck_assert_ptr_null(strstr(card, "Calibration"));
  ck_assert_ptr_null(strstr(card, "also chose the epoch")); /* patience 0: the last one */
  put(ctx, folder, "metrics.json", "{\"rows\": 200, \"bleu\": 1.5, \"nearest_bleu\": 20.25, \"frequent_bleu\": 3}");
  expect(card_of(ctx, folder), "Plainly: the reply of the most similar training message is better");
  put(ctx, folder, "metrics.json", "{\"bleu\": \"x\", \"rows\": []}");
  expect(card_of(ctx, folder), "| this model | |\n");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(card_of_a_recommender) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  put(ctx, folder, "config.json",
      "{\"model_type\": \"lightfm\", \"loss\": \"warp\", \"calibrated\": true, \"calibration_slope\": 0.5, "
      "\"calibration_intercept\": -2}");
  const char *card = card_of(ctx, folder);
  expect(card, "`assistify evaluate recommend --split time` takes them");
  put(ctx, folder, "metrics.json",
      "{\"split\": \"last\", \"held_rows\": 321, \"positives\": \"purchase\", \"customers\": 42, \"ndcg@10\": 0.25, "
      "\"ci95\": {\"ndcg@10\": [0.125, 0.5]}, \"baselines\": {\"popular\": {\"ndcg@10\": 0.0625, \"coverage\": 0.5}}}");
  put(ctx, folder, "training.json", "{\"command\": [\"assistify\", \"train\", \"recommend\", \"--hogwild\"]}");
  card = card_of(ctx, folder);
  expect(card, "trained without 321 of the rows (each customer's last tenth)");
  expect(card, "products that 42 customers had not met before and bought then");
  expect(card, "| NDCG@10 | 0.2500 | 0.1250 to 0.5000 | 0.0625 |");
  expect(card, "| share of the products in anybody's list | | | 0.5000 |");
  expect(card, "1 / (1 + exp(-(0.5 raw -2)))");
  expect(card, "They are 42 customers only");
  expect(card, "| loss | warp |");
  expect(card, "each training gives other weights");
  ck_assert_ptr_null(strstr(card, "| class |"));
  ck_assert_ptr_null(strstr(card, "byte for byte"));
  as_test_context_free(ctx);
}
END_TEST

START_TEST(labels_do_not_break_the_card) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  put(ctx, folder, "metrics.json", "{\"labels\": [\"a|b\", \"<script>\", \"x\\ny\", \"[z](http://z)\"]}");
  const char *card = card_of(ctx, folder);
  expect(card, "| a\\|b | 0 |");
  expect(card, "| \\<script\\> | 0 |");
  expect(card, "| x y | 0 |");
  expect(card, "| \\[z\\](http://z) | 0 |");
  as_test_context_free(ctx);
}
END_TEST

static void check_figure(const char *metrics, const char *text, const char *json) {
  as_context *ctx = as_test_context(1);
  as_main_figure figure;
  char shown[64];
  json_t *root = json_loads(metrics, 0, NULL);
  const bool found = as_main_figure_find(root, &figure);
  ck_assert_int_eq(found, text != NULL);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_json_writer w = as_json_writer_start(&out, 0);
  as_json_open_object(&w, NULL);
  as_main_figure_json(&w, "figure", found ? &figure : NULL);
  as_json_close_object(&w);
  ck_assert_str_eq(as_buffer_string(&out), json);
  if (found) as_main_figure_text(&figure, shown, sizeof shown);
  if (found) ck_assert_str_eq(shown, text);
  as_buffer_free(&out);
  json_decref(root);
  as_test_context_free(ctx);
}

START_TEST(each_kind_of_model_has_its_figure) {
  check_figure("{\"n\": 40, \"accuracy\": 0.875, \"ci95\": {\"accuracy\": [0.75, 1]}, \"baselines\": {\"majority\": "
               "{\"accuracy\": 0.5}}}",
               "accuracy 87.50 %",
               "{\"figure\":{\"name\":\"accuracy\",\"value\":0.875,\"ci95\":[0.75,1.0],\"count\":40,\"baseline\":0.5}}");
  check_figure("{\"rows\": 200, \"bleu\": 31.5, \"nearest_bleu\": 20.25}", "BLEU 31.50",
               "{\"figure\":{\"name\":\"bleu\",\"value\":31.5,\"ci95\":null,\"count\":200,\"baseline\":20.25}}");
  check_figure("{\"customers\": 42, \"ndcg@10\": 0.25, \"ci95\": {\"ndcg@10\": [null, null]}}", "NDCG@10 0.2500",
               "{\"figure\":{\"name\":\"ndcg@10\",\"value\":0.25,\"ci95\":null,\"count\":42,\"baseline\":null}}");
  check_figure("{\"accuracy\": \"high\"}", NULL, "{\"figure\":null}");
  check_figure("{}", NULL, "{\"figure\":null}");
}
END_TEST

START_TEST(origin_is_written_in_two_steps) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder(), *path = as_fixture_path(folder, "unfinished.json");
  put(ctx, folder, "m.csv", "one");
  const char *const words[] = {"assistify", "train"};
  const as_origin_file files[] = {{"data", as_fixture_path(folder, "m.csv")}, {"valid", "none"}};
  const as_origin origin = {words, 2, files, 2};
  ck_assert_ok(ctx, as_origin_finish(ctx, path, folder));
  ck_assert(!as_path_exists(as_fixture_path(folder, AS_ORIGIN_NAME)));
  ck_assert_ok(ctx, as_origin_write(ctx, &origin, path));
  ck_assert_ok(ctx, as_origin_finish(ctx, path, folder));
  const char *text = as_fixture_read(ctx, as_fixture_path(folder, AS_ORIGIN_NAME));
  expect(text, "\"sha256\": \"7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\"");
  expect(text, "\"bytes\": 3");
  expect(text, "\"started\": \"20");
  expect(text, "\"finished\": \"20");
  ck_assert_ptr_null(strstr(text, "none"));
  put(ctx, folder, "unfinished.json", "nonsense");
  ck_assert_refused(ctx, as_origin_finish(ctx, path, folder), AS_E_MODEL, "unfinished.json");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations) {
  for (uint64_t at = 1;; at++) {
    as_context *ctx = as_test_context(1);
    const char *folder = as_test_folder(), *path = as_fixture_path(folder, "unfinished.json");
    put(ctx, folder, "metrics.json", "{\"labels\": [\"a\"]}");
    const char *const words[] = {"assistify"};
    const as_origin_file file = {"data", as_fixture_path(folder, "metrics.json")};
    const as_origin origin = {words, 1, &file, 1};
    as_test_fail_at(ctx, at);
    as_status status = as_origin_write(ctx, &origin, path);
    if (status == AS_OK) status = as_origin_finish(ctx, path, folder);
    if (status == AS_OK) status = as_card_write(ctx, folder, "intent");
    bool failed = as_test_failed_one(ctx);
    ck_assert_msg(!failed || status == AS_E_NOMEM, "allocation %d: %s", (int)at, as_error_text(ctx));
    as_test_context_free(ctx);
    as_test_folder_remove(folder);
    if (!failed) break;
  }
}
END_TEST

Suite *as_suite(void) {
  as_fixture_folders_in_memory();
  Suite *suite = suite_create("card");
  TCase *tests = tcase_create("card");
  tcase_add_test(tests, card_says_what_is_known);
  tcase_add_test(tests, card_shows_what_calibration_did);
  tcase_add_test(tests, card_does_without);
  tcase_add_test(tests, card_of_a_response_model);
  tcase_add_test(tests, card_of_a_recommender);
  tcase_add_test(tests, labels_do_not_break_the_card);
  tcase_add_test(tests, each_kind_of_model_has_its_figure);
  tcase_add_test(tests, origin_is_written_in_two_steps);
  tcase_add_test(tests, failing_allocations);
  suite_add_tcase(suite, tests);
  return suite;
}
