/* Golden model files: the same weights in different formats read alike, and what transformers wrote is
 * written again byte by byte. */
#include <string.h>

#include "models/checkpoint.h"
#include "models/safetensors.h"
#include "tests/harness.h"

/* Folders of one golden model in two formats. */
static const char *const pairs[][2] = {
    {"malformed/valid_safetensors", "malformed/valid_pickle"},
    {"models/distilbert_a", "models/distilbert_a_bin"},
    {"models/distilbert_b", "models/distilbert_b_bin_sharded"},
    {"models/roberta_a", "models/roberta_a_bin_extra"},
    {"models/t5_v10_a", "models/t5_v10_a_bin"},
    {"models/t5_v11_a", "models/t5_v11_a_sharded"},
};

static void read_tensor(as_context *ctx, as_checkpoint *checkpoint, size_t index, float **out) {
  *out = as_alloc(ctx, (size_t)as_checkpoint_tensor(checkpoint, index)->elements, sizeof **out);
  ck_assert_ok(ctx, as_checkpoint_read_f32(checkpoint, index, *out));
}

START_TEST(formats_agree) {
  as_context *ctx = as_test_context(2);
  as_checkpoint *a, *b;
  ck_assert_ok(ctx, as_checkpoint_open(ctx, as_golden(pairs[_i][0]), &a));
  as_status status = as_checkpoint_open(ctx, as_golden(pairs[_i][1]), &b);
  if (status == AS_E_UNSUPPORTED) { /* a build without libzip */
    ck_assert_ptr_nonnull(strstr(as_error_text(ctx), ".bin"));
    as_checkpoint_close(a);
    as_test_context_free(ctx);
    return;
  }
  ck_assert_ok(ctx, status);
  ck_assert_uint_gt(as_checkpoint_count(a), 10);
  for (size_t i = 0; i < as_checkpoint_count(a); i++) {
    const as_stored_tensor *tensor = as_checkpoint_tensor(a, i);
    float *x, *y;
    int64_t at = as_checkpoint_find(b, tensor->name);
    if (at < 0) ck_abort_msg("%s lacks %s", pairs[_i][1], tensor->name);
    const as_stored_tensor *other = as_checkpoint_tensor(b, (size_t)at);
    ck_assert(as_shape_equal(tensor->ndim, tensor->shape, other->ndim, other->shape));
    read_tensor(ctx, a, i, &x);
    read_tensor(ctx, b, (size_t)at, &y);
    if (memcmp(x, y, (size_t)tensor->elements * sizeof *x) != 0) ck_abort_msg("%s differs", tensor->name);
    as_free(ctx, x);
    as_free(ctx, y);
  }
  as_checkpoint_close(a);
  as_checkpoint_close(b);
  as_test_context_free(ctx);
}
END_TEST

static const char *const written[] = {"models/distilbert_a/model.safetensors",
                                      "models/distilbert_a_bf16/model.safetensors",
                                      "models/roberta_a_fp16/model.safetensors", "models/t5_v11_a/model.safetensors"};

START_TEST(files_are_written_again_byte_by_byte) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder(), *path = as_golden(written[_i]);
  as_safetensors *file;
  ck_assert_ok(ctx, as_safetensors_open(ctx, path, &file));
  size_t count = as_safetensors_count(file), length, copy_length;
  as_safetensors_item *items = as_alloc_zero(ctx, count, sizeof *items);
  for (size_t i = 0; i < count; i++) {
    const as_stored_tensor *tensor = as_safetensors_tensor(file, i);
    items[i] = (as_safetensors_item){
        .name = tensor->name, .type = tensor->type, .ndim = tensor->ndim, .data = as_safetensors_data(file, i)};
    memcpy(items[i].shape, tensor->shape, sizeof items[i].shape);
  }
  char *copy_path = as_path_join(ctx, folder, "copy"), *bytes, *copy;
  ck_assert_ok(ctx, as_safetensors_write(ctx, copy_path, items, count));
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_IO, &bytes, &length));
  ck_assert_ok(ctx, as_file_read(ctx, copy_path, 0, AS_E_IO, &copy, &copy_length));
  ck_assert_uint_eq(length, copy_length);
  ck_assert(memcmp(bytes, copy, length) == 0);
  as_free(ctx, bytes);
  as_free(ctx, copy);
  as_free(ctx, copy_path);
  as_free(ctx, items);
  as_safetensors_close(file);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden checkpoints");
  TCase *tcase = tcase_create("checkpoints");
  tcase_add_loop_test(tcase, formats_agree, 0, sizeof pairs / sizeof pairs[0]);
  tcase_add_loop_test(tcase, files_are_written_again_byte_by_byte, 0, sizeof written / sizeof written[0]);
  suite_add_tcase(suite, tcase);
  return suite;
}
