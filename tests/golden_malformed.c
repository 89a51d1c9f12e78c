/* Every case of golden/malformed: opened as a user's model folder would be, it is accepted or refused as its index
 * says, with a text that names the file and what the index asks for, and without memory that the files don't account
 * for. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "models/encoder.h"
#include "tests/harness.h"

enum { MEMORY = 1 << 20 }; /* no case's files have more than 50 kB */

static json_t *read_index(as_context *ctx) {
  json_t *index;
  ck_assert_ok(ctx, as_json_read(ctx, as_golden("malformed/index.json"), 0, AS_E_DATA, &index));
  return index;
}

/* Whether the text names one of the case's files by its name. */
static bool names_a_file(const char *text, const json_t *files) {
  for (size_t i = 0; i < json_array_size(files); i++)
    if (strstr(text, json_string_value(json_array_get(files, i)))) return true;
  return strstr(text, "config.json") != NULL;
}

static void check_refusal(const char *name, as_status status, const char *text, const json_t *one) {
  const json_t *wanted = json_object_get(one, "error_names");
  if (status != AS_E_MODEL && status != AS_E_UNSUPPORTED)
    ck_abort_msg("%s: %s: %s", name, as_status_name(status), text);
  if (!names_a_file(text, json_object_get(one, "files"))) ck_abort_msg("%s: the text names no file: %s", name, text);
  for (size_t i = 0; i < json_array_size(wanted); i++)
    if (!strstr(text, json_string_value(json_array_get(wanted, i))))
      ck_abort_msg("%s: the text lacks \"%s\": %s", name, json_string_value(json_array_get(wanted, i)), text);
}

static void check_case(const json_t *one) {
  const char *name = json_string_value(json_object_get(one, "case"));
  const char *verdict = json_string_value(json_object_get(one, "verdict"));
  char folder[4096];
  as_context *ctx = as_test_context(2);
  as_encoder_options options = {.dropout = -1};
  as_encoder *encoder;
  snprintf(folder, sizeof folder, "malformed/%s", name);
  as_status status = as_encoder_open(ctx, as_golden(folder), &options, &encoder);
  if (status == AS_E_UNSUPPORTED && strstr(as_error_text(ctx), "libzip")) {
    ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "pytorch_model.bin")); /* a build without libzip */
  } else if (status != AS_OK) {
    if (strcmp(verdict, "accept") == 0) ck_abort_msg("%s: refused: %s", name, as_error_text(ctx));
    check_refusal(name, status, as_error_text(ctx), one);
  } else if (strcmp(verdict, "refuse") == 0) {
    ck_abort_msg("%s: accepted", name);
  }
  if (as_memory_peak(ctx) > MEMORY) ck_abort_msg("%s: used %zu bytes", name, as_memory_peak(ctx));
  if (getenv("ASSISTIFY_SHOW")) printf("# %s: %s\n", name, status == AS_OK ? "accepted" : as_error_text(ctx));
  as_encoder_free(encoder);
  as_test_context_free(ctx);
}

START_TEST(every_case_gets_its_verdict) {
  as_context *ctx = as_test_context(1);
  json_t *index = read_index(ctx);
  const json_t *cases = json_object_get(index, "cases");
  ck_assert_uint_gt(json_array_size(cases), 50);
  for (size_t i = 0; i < json_array_size(cases); i++) check_case(json_array_get(cases, i));
  json_decref(index);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden malformed");
  TCase *tcase = tcase_create("malformed");
  tcase_add_test(tcase, every_case_gets_its_verdict);
  suite_add_tcase(suite, tcase);
  return suite;
}
