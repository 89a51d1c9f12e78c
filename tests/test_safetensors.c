/* safetensors files and checkpoints made of them: what is written, what is read, what is refused. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/random.h"
#include "models/checkpoint.h"
#include "models/safetensors.h"
#include "tests/harness.h"

static const char *folder;

static void make_folder(void) {
  folder = as_test_folder();
}
static void remove_folder(void) {
  as_test_folder_remove(folder);
}

/* folder/name; static memory, 4 in turn. */
static const char *in_folder(const char *name) {
  static char paths[4][4096];
  static unsigned turn;
  char *path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static void write_bytes(const char *name, const void *bytes, size_t length) {
  FILE *file = fopen(in_folder(name), "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
  fclose(file);
}

static void write_text(const char *name, const char *text) {
  write_bytes(name, text, strlen(text));
}

/* A safetensors file of this header and `data_length` bytes 0, 1, 2, ...; `length` is what the file says the header's
 * is (0: the truth). */
static void write_raw(const char *name, const char *header, size_t data_length, uint64_t length) {
  static char file[1 << 16];
  size_t header_length = strlen(header);
  if (!length) length = header_length;
  ck_assert_uint_le(8 + header_length + data_length, sizeof file);
  memcpy(file, &length, 8);
  memcpy(file + 8, header, header_length);
  for (size_t i = 0; i < data_length; i++) file[8 + header_length + i] = (char)i;
  write_bytes(name, file, 8 + header_length + data_length);
}

static char *read_bytes(as_context *ctx, const char *name, size_t *length) {
  char *data;
  ck_assert_ok(ctx, as_file_read(ctx, in_folder(name), 0, AS_E_IO, &data, length));
  return data;
}

/* ---- writing and reading ----------------------------------------------------------------------------------------- */

static const float six[6] = {1, -2, 3.5f, 0, 1e-40f, 3.4e38f};
static const int64_t longs[2] = {-1, INT64_MAX};
static const uint16_t halves[3] = {0x3c00, 0xc000, 0x0001};  /* F16: 1, -2, 2^-24 */
static const uint16_t bfloats[3] = {0x3f80, 0xc000, 0x0001}; /* BF16: 1, -2, 2^-133 */
static const double doubles[2] = {0.1, -1e300 * 1e-290};
static const as_safetensors_item items[] = {
    {.name = "b.weight", .type = AS_STORED_F32, .ndim = 2, .shape = {2, 3}, .data = six},
    {.name = "a.weight", .type = AS_STORED_F32, .ndim = 1, .shape = {6}, .data = six},
    {.name = "ids", .type = AS_STORED_I64, .ndim = 1, .shape = {2}, .data = longs},
    {.name = "half", .type = AS_STORED_F16, .ndim = 1, .shape = {3}, .data = halves},
    {.name = "bfloat", .type = AS_STORED_BF16, .ndim = 3, .shape = {1, 3, 1}, .data = bfloats},
    {.name = "double", .type = AS_STORED_F64, .ndim = 1, .shape = {2}, .data = doubles},
    {.name = "scalar", .type = AS_STORED_F32, .ndim = 0, .data = six},
    {.name = "empty", .type = AS_STORED_F32, .ndim = 2, .shape = {0, 7}},
    {.name = "\xc3\xbc \"quoted\"\n", .type = AS_STORED_U8, .ndim = 1, .shape = {1}, .data = "x"},
};
enum { ITEMS = sizeof items / sizeof items[0] };

/* The expected text is what the safetensors library (0.7.0) writes for these tensors. */
START_TEST(bytes_are_those_of_the_library) {
  as_context *ctx = as_test_context(1);
  const char *expected =
      "{\"__metadata__\":{\"format\":\"pt\"},\"ids\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
      "\"double\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[16,32]},"
      "\"a.weight\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[32,56]},"
      "\"b.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[56,80]},"
      "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[80,80]},"
      "\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[80,84]},"
      "\"bfloat\":{\"dtype\":\"BF16\",\"shape\":[1,3,1],\"data_offsets\":[84,90]},"
      "\"half\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[90,96]},"
      "\"\xc3\xbc \\\"quoted\\\"\\n\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[96,97]}}";
  ck_assert_ok(ctx, as_safetensors_write(ctx, in_folder("x"), items, ITEMS));
  size_t length;
  uint64_t header;
  char *bytes = read_bytes(ctx, "x", &length);
  memcpy(&header, bytes, 8);
  ck_assert_uint_eq(header % 8, 0);
  ck_assert_uint_lt(header, strlen(expected) + 8);
  ck_assert_int_eq(strncmp(bytes + 8, expected, strlen(expected)), 0);
  ck_assert_uint_eq(strspn(bytes + 8 + strlen(expected), " "), header - strlen(expected));
  ck_assert_uint_eq(length, 8 + header + 97);
  ck_assert_int_eq(memcmp(bytes + 8 + header, longs, 16), 0);
  ck_assert_int_eq(memcmp(bytes + 8 + header + 56, six, 24), 0);
  as_free(ctx, bytes);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(order_of_items_does_not_matter) {
  as_context *ctx = as_test_context(1);
  as_safetensors_item reversed[ITEMS];
  for (int i = 0; i < ITEMS; i++) reversed[i] = items[ITEMS - 1 - i];
  ck_assert_ok(ctx, as_safetensors_write(ctx, in_folder("x"), items, ITEMS));
  ck_assert_ok(ctx, as_safetensors_write(ctx, in_folder("y"), reversed, ITEMS));
  size_t x_length, y_length;
  char *x = read_bytes(ctx, "x", &x_length), *y = read_bytes(ctx, "y", &y_length);
  ck_assert_uint_eq(x_length, y_length);
  ck_assert_int_eq(memcmp(x, y, x_length), 0);
  as_free(ctx, x);
  as_free(ctx, y);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(what_is_written_is_read) {
  as_context *ctx = as_test_context(1);
  as_safetensors *file;
  ck_assert_ok(ctx, as_safetensors_write(ctx, in_folder("x"), items, ITEMS));
  ck_assert_ok(ctx, as_safetensors_open(ctx, in_folder("x"), &file));
  ck_assert_uint_eq(as_safetensors_count(file), ITEMS);
  for (int i = 0; i < ITEMS; i++) {
    size_t at;
    ck_assert(as_safetensors_find(file, items[i].name, &at));
    const as_stored_tensor *tensor = as_safetensors_tensor(file, at);
    ck_assert_str_eq(tensor->name, items[i].name);
    ck_assert_int_eq(tensor->type, items[i].type);
    ck_assert(as_shape_equal(tensor->ndim, tensor->shape, items[i].ndim, items[i].shape));
    size_t bytes = (size_t)tensor->elements * as_stored_type_size(tensor->type);
    if (bytes) ck_assert_int_eq(memcmp(as_safetensors_data(file, at), items[i].data, bytes), 0);
  }
  size_t at;
  ck_assert(!as_safetensors_find(file, "c.weight", &at));
  ck_assert_str_eq(as_safetensors_tensor(file, 0)->name, "a.weight");
  as_safetensors_close(file);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(files_without_tensors) {
  as_context *ctx = as_test_context(1);
  as_safetensors *file;
  ck_assert_ok(ctx, as_safetensors_write(ctx, in_folder("x"), NULL, 0));
  ck_assert_ok(ctx, as_safetensors_open(ctx, in_folder("x"), &file));
  ck_assert_uint_eq(as_safetensors_count(file), 0);
  as_safetensors_close(file);
  write_raw("x", "{}", 0, 0);
  ck_assert_ok(ctx, as_safetensors_open(ctx, in_folder("x"), &file));
  as_safetensors_close(file);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(what_cannot_be_written_is_refused) {
  as_context *ctx = as_test_context(1);
  const char *path = in_folder("x");
  as_safetensors_item two[2] = {items[0], items[0]};
  ck_assert_refused(ctx, as_safetensors_write(ctx, path, two, 2), AS_E_INVALID, "b.weight");
  two[1].name = "__metadata__";
  ck_assert_refused(ctx, as_safetensors_write(ctx, path, two, 2), AS_E_INVALID, "__metadata__");
  two[1].name = "\xff";
  ck_assert_refused(ctx, as_safetensors_write(ctx, path, two, 2), AS_E_INVALID, "name");
  two[1].name = "c";
  two[1].shape[0] = -1;
  ck_assert_refused(ctx, as_safetensors_write(ctx, path, two, 2), AS_E_INVALID, "\"c\"");
  two[1].ndim = 9;
  ck_assert_refused(ctx, as_safetensors_write(ctx, path, two, 2), AS_E_INVALID, "\"c\"");
  ck_assert(!as_path_exists(path));
  ck_assert_refused(ctx, as_safetensors_write(ctx, in_folder("absent/x"), two, 1), AS_E_IO, "absent/x");
  as_test_context_free(ctx);
}
END_TEST

/* ---- damaged files ----------------------------------------------------------------------------------------------- */

#define ENTRY(name, dtype, shape, offsets)                                                                             \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define W0 ENTRY("w0", "F32", "[2]", "[0,8]")

static const struct {
  const char *header;
  size_t data;
  uint64_t length;
  const char *fragments[3]; /* the text names the file and these */
} damaged[] = {
    {"{" W0 "}", 8, 1000, {"header length", "1000"}},
    {"{" W0 "}", 8, UINT64_MAX, {"header length", "18446744073709551615"}},
    {"{" W0 "}", 8, 100000001, {"header length"}},
    {"", 8, 0, {"header"}},
    {"[1]", 0, 0, {"header"}},
    {" {" W0 "}", 8, 0, {"header"}},
    {"{" W0 "} x", 8, 0, {"header"}},
    {"{" W0, 8, 0, {"header"}},
    {"{\"\xff\":1}", 8, 0, {"header"}},
    {"{\"a\\u0000b\":1}", 8, 0, {"header"}},
    {"{" W0 "," W0 "}", 8, 0, {"header", "\"w0\""}},
    {"{\"w0\":{\"dtype\":\"F32\",\"shape\":[2],\"shape\":[2],\"data_offsets\":[0,8]}}", 8, 0, {"\"w0\" > \"shape\""}},
    {"{\"w0\":3}", 8, 0, {"\"w0\""}},
    {"{\"w0\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, 0, {"\"w0\"", "dtype"}},
    {"{\"w0\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, 0, {"\"w0\"", "dtype"}},
    {"{\"w0\":{\"dtype\":\"F32\\u0000\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, 0, {"\"w0\"", "dtype"}},
    {"{" ENTRY("w0", "f32", "[2]", "[0,8]") "}", 8, 0, {"\"w0\"", "f32"}},
    {"{" ENTRY("w0", "F4", "[16]", "[0,8]") "}", 8, 0, {"\"w0\"", "F4"}},
    {"{\"w0\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, 0, {"\"w0\"", "shape"}},
    {"{" ENTRY("w0", "F32", "2", "[0,8]") "}", 8, 0, {"\"w0\"", "shape"}},
    {"{" ENTRY("w0", "F32", "[2.0]", "[0,8]") "}", 8, 0, {"\"w0\"", "shape"}},
    {"{" ENTRY("w0", "F32", "[\"2\"]", "[0,8]") "}", 8, 0, {"\"w0\"", "shape"}},
    {"{" ENTRY("w0", "F32", "[-1,-2]", "[0,8]") "}", 8, 0, {"\"w0\"", "[-1, -2]", "negative"}},
    {"{" ENTRY("w0", "F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]") "}", 8, 0, {"\"w0\"", "shape"}},
    {"{" ENTRY("w0", "F32", "[4294967296,4294967296]", "[0,0]") "}", 0, 0, {"\"w0\"", "4294967296"}},
    {"{" ENTRY("w0", "F32", "[0,4294967296,4294967296]", "[0,0]") "}", 0, 0, {"\"w0\"", "4294967296"}},
    {"{" ENTRY("w0", "F32", "[2305843009213693952]", "[0,0]") "}", 0, 0, {"\"w0\"", "2305843009213693952"}},
    {"{" ENTRY("w0", "F32", "[2]", "[0,9223372036854775808]") "}", 8, 0, {"\"w0\"", "data_offsets"}},
    {"{" ENTRY("w0", "F32", "[3]", "[0,8]") "}", 8, 0, {"\"w0\"", "[3]", "12 bytes"}},
    {"{\"w0\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, 0, {"\"w0\"", "data_offsets"}},
    {"{" ENTRY("w0", "F32", "[2]", "[0]") "}", 8, 0, {"\"w0\"", "data_offsets"}},
    {"{" ENTRY("w0", "F32", "[2]", "[0,8,8]") "}", 8, 0, {"\"w0\"", "data_offsets"}},
    {"{" ENTRY("w0", "F32", "[2]", "[\"0\",\"8\"]") "}", 8, 0, {"\"w0\"", "data_offsets"}},
    {"{" ENTRY("w0", "F32", "[2]", "[-8,0]") "}", 8, 0, {"\"w0\"", "[-8, 0]"}},
    {"{" ENTRY("w0", "F32", "[2]", "[8,0]") "}", 8, 0, {"\"w0\"", "[8, 0]"}},
    {"{" W0 "}", 7, 0, {"\"w0\"", "truncated"}},
    {"{" W0 "}", 9, 0, {"1 extra bytes"}},
    {"{}", 1, 0, {"1 extra bytes"}},
    {"{" W0 "," ENTRY("w1", "F32", "[1]", "[9,13]") "}", 13, 0, {"\"w1\"", "belong to no tensor"}},
    {"{" ENTRY("w0", "F32", "[1]", "[4,8]") "}", 8, 0, {"\"w0\"", "belong to no tensor"}},
    {"{" W0 "," ENTRY("w1", "F32", "[1]", "[4,8]") "}", 8, 0, {"\"w1\"", "inside tensor \"w0\""}},
    {"{\"__metadata__\":{\"format\":3}," W0 "}", 8, 0, {"__metadata__", "format"}},
    {"{\"__metadata__\":[]," W0 "}", 8, 0, {"__metadata__"}},
};

START_TEST(damaged_files_are_refused) {
  as_context *ctx = as_test_context(1);
  as_safetensors *file;
  write_raw("some.safetensors", damaged[_i].header, damaged[_i].data, damaged[_i].length);
  for (int i = 0; i < 3 && (i == 0 || damaged[_i].fragments[i]); i++)
    ck_assert_refused(ctx, as_safetensors_open(ctx, in_folder("some.safetensors"), &file), AS_E_MODEL,
                      damaged[_i].fragments[i]);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "/some.safetensors"));
  ck_assert_ptr_null(file);
  ck_assert_uint_lt(as_memory_peak(ctx), 65536);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(short_files_are_refused) {
  as_context *ctx = as_test_context(1);
  as_safetensors *file;
  write_bytes("x", "", 0);
  ck_assert_refused(ctx, as_safetensors_open(ctx, in_folder("x"), &file), AS_E_MODEL, "too short");
  write_bytes("x", "\2\0\0\0\0\0\0", 7);
  ck_assert_refused(ctx, as_safetensors_open(ctx, in_folder("x"), &file), AS_E_MODEL, "too short");
  ck_assert_refused(ctx, as_safetensors_open(ctx, in_folder("absent"), &file), AS_E_MODEL, "absent");
  ck_assert_refused(ctx, as_safetensors_open(ctx, folder, &file), AS_E_MODEL, folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(deep_nesting_is_refused) {
  static char header[40100];
  as_context *ctx = as_test_context(1);
  as_safetensors *file;
  strcpy(header, "{\"a\":");
  memset(header + 5, '[', 20000);
  memset(header + 20005, ']', 20000);
  header[40005] = '}';
  write_raw("x", header, 0, 0);
  ck_assert_refused(ctx, as_safetensors_open(ctx, in_folder("x"), &file), AS_E_MODEL, "header");
  as_test_context_free(ctx);
}
END_TEST

/* Any damage of a good file gives AS_OK or a text, never a crash; what still opens can be read. Two thousand files with
 * one to three bytes changed, half of the changes in the header. */
START_TEST(mutated_files_do_no_harm) {
  as_context *ctx = as_test_context(1);
  as_random random = as_random_start(7, 1);
  size_t length;
  ck_assert_ok(ctx, as_safetensors_write(ctx, in_folder("x"), items, ITEMS));
  char *good = read_bytes(ctx, "x", &length), *bad = as_alloc(ctx, length, 1);
  int opened = 0, refused = 0;
  for (int round = 0; round < 2000; round++) {
    as_checkpoint *checkpoint;
    memcpy(bad, good, length);
    for (uint64_t changes = 1 + as_random_below(&random, 3); changes > 0; changes--) {
      size_t at = as_random_below(&random, as_random_below(&random, 2) ? length : 700);
      bad[at] = (char)(as_random_below(&random, 2) ? bad[at] ^ 1 << as_random_below(&random, 8)
                                                   : (int)as_random_below(&random, 256));
    }
    write_bytes("model.safetensors", bad, as_random_below(&random, 8) ? length : as_random_below(&random, length));
    as_status status = as_checkpoint_open(ctx, folder, &checkpoint);
    if (status != AS_OK) {
      ck_assert_int_eq(status, AS_E_MODEL);
      ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "model.safetensors"));
      refused++;
      continue;
    }
    float out[16];
    for (size_t i = 0; i < as_checkpoint_count(checkpoint); i++) {
      ck_assert_int_le(as_checkpoint_tensor(checkpoint, i)->elements, 16);
      status = as_checkpoint_read_f32(checkpoint, i, out);
      ck_assert(status == AS_OK || status == AS_E_MODEL);
    }
    as_checkpoint_close(checkpoint);
    opened++;
  }
  ck_assert_int_gt(opened, 100);
  ck_assert_int_gt(refused, 500);
  ck_assert_uint_lt(as_memory_peak(ctx), 65536);
  as_free(ctx, good);
  as_free(ctx, bad);
  as_test_context_free(ctx);
}
END_TEST

/* ---- checkpoints: reading ---------------------------------------------------------------------------------------- */

static as_checkpoint *open_checkpoint(as_context *ctx) {
  as_checkpoint *checkpoint;
  ck_assert_ok(ctx, as_checkpoint_open(ctx, folder, &checkpoint));
  return checkpoint;
}

static void write_items(as_context *ctx, const char *name, const as_safetensors_item *which, size_t count) {
  ck_assert_ok(ctx, as_safetensors_write(ctx, in_folder(name), which, count));
}

START_TEST(floats_are_widened) {
  as_context *ctx = as_test_context(2);
  write_items(ctx, "model.safetensors", items, ITEMS);
  as_checkpoint *checkpoint = open_checkpoint(ctx);
  float out[6];
  ck_assert_ok(ctx, as_checkpoint_read_f32(checkpoint, (size_t)as_checkpoint_find(checkpoint, "a.weight"), out));
  ck_assert_int_eq(memcmp(out, six, sizeof out), 0);
  ck_assert_ok(ctx, as_checkpoint_read_f32(checkpoint, (size_t)as_checkpoint_find(checkpoint, "half"), out));
  ck_assert(out[0] == 1 && out[1] == -2 && out[2] == 0x1p-24f);
  ck_assert_ok(ctx, as_checkpoint_read_f32(checkpoint, (size_t)as_checkpoint_find(checkpoint, "bfloat"), out));
  ck_assert(out[0] == 1 && out[1] == -2 && out[2] == 0x1p-133f);
  ck_assert_ok(ctx, as_checkpoint_read_f32(checkpoint, (size_t)as_checkpoint_find(checkpoint, "double"), out));
  ck_assert(out[0] == 0.1f && out[1] == (float)doubles[1]);
  ck_assert_ok(ctx, as_checkpoint_read_f32(checkpoint, (size_t)as_checkpoint_find(checkpoint, "scalar"), out));
  ck_assert(out[0] == six[0]);
  ck_assert_ok(ctx, as_checkpoint_read_f32(checkpoint, (size_t)as_checkpoint_find(checkpoint, "empty"), NULL));
  ck_assert_refused(ctx, as_checkpoint_read_f32(checkpoint, (size_t)as_checkpoint_find(checkpoint, "ids"), out),
                    AS_E_MODEL, "model.safetensors: tensor \"ids\" is I64");
  ck_assert_int_eq(as_checkpoint_find(checkpoint, "half2"), -1);
  as_checkpoint_close(checkpoint);
  as_test_context_free(ctx);
}
END_TEST

/* Tensors around the sizes at which the work is cut, in one call and at odd addresses. */
START_TEST(all_sizes_are_read_whole) {
  static const int64_t sizes[] = {1, 31, 32, 2047, 2048, 2049, 65535, 65536, 65537, 200001};
  enum { COUNT = sizeof sizes / sizeof sizes[0] };
  as_context *ctx = as_test_context(_i + 1);
  char header[2048] = "{", text[256];
  int64_t total = 0;
  for (int i = 0; i < COUNT; i++) {
    snprintf(text, sizeof text, "%s\"t%d\":{\"dtype\":\"%s\",\"shape\":[%lld],\"data_offsets\":[%lld,%lld]}",
             i ? "," : "", i, i % 2 ? "BF16" : "F32", (long long)sizes[i], (long long)total,
             (long long)(total + sizes[i] * (i % 2 ? 2 : 4)));
    strcat(header, text);
    total += sizes[i] * (i % 2 ? 2 : 4);
  }
  strcat(header, "}");
  if (strlen(header) % 2 == 0) strcat(header, " ");
  size_t length = 8 + strlen(header) + (size_t)total;
  char *file = as_alloc_zero(ctx, length, 1), *at = file + 8 + strlen(header);
  uint64_t header_length = strlen(header);
  memcpy(file, &header_length, 8);
  memcpy(file + 8, header, header_length);
  for (int i = 0; i < COUNT; i++)
    for (int64_t j = 0; j < sizes[i]; j++) {
      float value = (float)((j * 7 + i) % 128);
      memcpy(at, (char *)&value + (i % 2 ? 2 : 0), i % 2 ? 2 : 4);
      at += i % 2 ? 2 : 4;
    }
  write_bytes("model.safetensors", file, length);
  as_free(ctx, file);

  as_checkpoint *checkpoint = open_checkpoint(ctx);
  as_checkpoint_read reads[COUNT];
  for (int i = 0; i < COUNT; i++) {
    float *out = as_alloc(ctx, (size_t)sizes[i] + 1, sizeof *out);
    out[sizes[i]] = 77;
    reads[i] = (as_checkpoint_read){.index = (size_t)i, .out = out};
  }
  ck_assert_ok(ctx, as_checkpoint_read_all(checkpoint, reads, COUNT));
  for (int i = 0; i < COUNT; i++) {
    for (int64_t j = 0; j < sizes[i]; j++)
      if (reads[i].out[j] != (float)((j * 7 + i) % 128)) ck_abort_msg("tensor %d element %lld", i, (long long)j);
    ck_assert(reads[i].out[sizes[i]] == 77);
    as_free(ctx, reads[i].out);
  }
  as_checkpoint_close(checkpoint);
  as_test_context_free(ctx);
}
END_TEST

/* Weights that are copied out of a mapped file are in memory once: the file's pages go as they are read. */
START_TEST(reading_holds_each_weight_once) {
  enum { COUNT = 4, ELEMENTS = 4 << 20 };
  as_context *ctx = as_test_context(2);
  char header[512] = "{", text[128];
  for (long long i = 0; i < COUNT; i++) {
    snprintf(text, sizeof text, "%s\"t%lld\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[%lld,%lld]}", i ? "," : "",
             i, ELEMENTS, i * 4 * ELEMENTS, (i + 1) * 4 * ELEMENTS);
    strcat(header, text);
  }
  strcat(header, "}");
  write_raw("model.safetensors", header, 0, 0);
  const long long bytes = (long long)COUNT * 4 * ELEMENTS; /* zeros, which take no room on the disk */
  ck_assert_int_eq(truncate(in_folder("model.safetensors"), 8 + (long long)strlen(header) + bytes), 0);

  as_checkpoint *checkpoint = open_checkpoint(ctx);
  float *out = as_alloc(ctx, COUNT, ELEMENTS * sizeof *out);
  as_checkpoint_read reads[COUNT];
  for (int i = 0; i < COUNT; i++) reads[i] = (as_checkpoint_read){.index = (size_t)i, .out = out + i * ELEMENTS};
  const uint64_t before = as_peak_resident_bytes();
  ck_assert_ok(ctx, as_checkpoint_read_all(checkpoint, reads, COUNT));
  ck_assert_uint_lt(as_peak_resident_bytes() - before, (uint64_t)bytes * 3 / 2);
  as_free(ctx, out);
  as_checkpoint_close(checkpoint);
  as_test_context_free(ctx);
}
END_TEST

/* The place of a value that is not finite, wherever it lies in the blocks; the first of several. */
START_TEST(values_that_are_not_finite_are_refused) {
  enum { ROWS = 700, COLUMNS = 300 };
  as_context *ctx = as_test_context(3);
  static float values[ROWS][COLUMNS], out[ROWS * COLUMNS];
  static const struct {
    int row, column;
    float value;
    const char *text;
  } cases[] = {{0, 0, NAN, "has NaN at [0, 0]"},           {699, 299, INFINITY, "has Inf at [699, 299]"},
               {6, 247, -INFINITY, "has Inf at [6, 247]"}, {6, 248, -NAN, "has NaN at [6, 248]"},
               {218, 135, NAN, "has NaN at [218, 135]"},   {218, 136, NAN, "has NaN at [218, 136]"}};
  as_safetensors_item item = {
      .name = "encoder.weight", .type = AS_STORED_F32, .ndim = 2, .shape = {ROWS, COLUMNS}, .data = values};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    memset(values, 0, sizeof values);
    values[cases[i].row][cases[i].column] = cases[i].value;
    if (cases[i].row < 400) values[690][1] = NAN;
    write_items(ctx, "model.safetensors", &item, 1);
    as_checkpoint *checkpoint = open_checkpoint(ctx);
    for (int in_place = 0; in_place < 2; in_place++) {
      const as_checkpoint_read read = {.index = 0, .out = in_place ? NULL : out};
      ck_assert_refused(ctx, as_checkpoint_read_all(checkpoint, &read, 1), AS_E_MODEL, cases[i].text);
      ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "model.safetensors: tensor \"encoder.weight\""));
    }
    as_checkpoint_close(checkpoint);
  }
  as_test_context_free(ctx);
}
END_TEST

/* Floats can be used where they lie if they are floats and aligned as such. */
START_TEST(floats_lie_in_the_mapped_file) {
  as_context *ctx = as_test_context(2);
  static const float values[4] = {1, -2, 3.5f, 1e-30f};
  static const uint16_t narrow[4] = {0, 0x3c00, 0, 0};
  as_safetensors_item pair[] = {{.name = "a", .type = AS_STORED_F32, .ndim = 1, .shape = {4}, .data = values},
                                {.name = "b", .type = AS_STORED_BF16, .ndim = 1, .shape = {4}, .data = narrow}};
  write_items(ctx, "model.safetensors", pair, 2);
  as_checkpoint *checkpoint = open_checkpoint(ctx);
  const as_checkpoint_read read = {.index = 0, .out = NULL};
  ck_assert_ok(ctx, as_checkpoint_read_all(checkpoint, &read, 1));
  ck_assert_ptr_nonnull(as_checkpoint_floats(checkpoint, 0));
  ck_assert_mem_eq(as_checkpoint_floats(checkpoint, 0), values, sizeof values);
  ck_assert_ptr_null(as_checkpoint_floats(checkpoint, 1));
  as_checkpoint_close(checkpoint);
  static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
  for (size_t padding = 0; padding < 4; padding++) { /* the data begin at any address */
    char file[8 + sizeof header + 3 + 8] = {0};
    size_t length = sizeof header - 1 + padding;
    file[0] = (char)length;
    memcpy(file + 8, header, sizeof header - 1);
    memset(file + 8 + sizeof header - 1, ' ', padding);
    memcpy(file + 8 + length, values, 8);
    write_bytes("model.safetensors", file, 8 + length + 8);
    checkpoint = open_checkpoint(ctx);
    ck_assert_int_eq(as_checkpoint_floats(checkpoint, 0) != NULL, (8 + length) % sizeof(float) == 0);
    as_checkpoint_close(checkpoint);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(narrow_types_that_are_not_finite_are_refused) {
  static const uint16_t half_inf[2] = {0, 0x7c00}, bfloat_nan[2] = {0, 0x7fc0};
  static const double huge[2] = {1, -1e39};
  static const as_safetensors_item bad[] = {
      {.name = "w", .type = AS_STORED_F16, .ndim = 1, .shape = {2}, .data = half_inf},
      {.name = "w", .type = AS_STORED_BF16, .ndim = 1, .shape = {2}, .data = bfloat_nan},
      {.name = "w", .type = AS_STORED_F64, .ndim = 1, .shape = {2}, .data = huge}};
  static const char *const texts[] = {"Inf at [1]", "NaN at [1]", "beyond the range of 32-bit floats at [1]"};
  as_context *ctx = as_test_context(1);
  float out[2];
  for (int i = 0; i < 3; i++) {
    write_items(ctx, "model.safetensors", &bad[i], 1);
    as_checkpoint *checkpoint = open_checkpoint(ctx);
    ck_assert_refused(ctx, as_checkpoint_read_f32(checkpoint, 0, out), AS_E_MODEL, texts[i]);
    as_checkpoint_close(checkpoint);
  }
  as_test_context_free(ctx);
}
END_TEST

/* ---- checkpoints: shards ----------------------------------------------------------------------------------------- */

static void write_shards(as_context *ctx) {
  write_items(ctx, "one.safetensors", items, 2);
  write_items(ctx, "two.safetensors", items + 2, 3);
}

START_TEST(shards_are_one_checkpoint) {
  as_context *ctx = as_test_context(2);
  write_shards(ctx);
  write_text("model.safetensors.index.json",
             "{\"metadata\":{\"total_size\":1},\"weight_map\":{\"a.weight\":\"one.safetensors\","
             "\"b.weight\":\"one.safetensors\",\"ids\":\"two.safetensors\"}}");
  as_checkpoint *checkpoint = open_checkpoint(ctx);
  static const char *const names[] = {"a.weight", "b.weight", "bfloat", "half", "ids"};
  ck_assert_uint_eq(as_checkpoint_count(checkpoint), 5);
  for (size_t i = 0; i < 5; i++) {
    ck_assert_str_eq(as_checkpoint_tensor(checkpoint, i)->name, names[i]);
    ck_assert_int_eq(as_checkpoint_find(checkpoint, names[i]), (int64_t)i);
  }
  ck_assert_str_eq(as_checkpoint_file(checkpoint, 1), in_folder("one.safetensors"));
  ck_assert_str_eq(as_checkpoint_file(checkpoint, 3), in_folder("two.safetensors"));
  float a[6], half[3];
  as_checkpoint_read reads[] = {{3, half}, {0, a}};
  ck_assert_ok(ctx, as_checkpoint_read_all(checkpoint, reads, 2));
  ck_assert(half[1] == -2 && a[2] == 3.5f);
  as_checkpoint_close(checkpoint);

  write_items(ctx, "model.safetensors", items, 1); /* the single file comes first */
  checkpoint = open_checkpoint(ctx);
  ck_assert_uint_eq(as_checkpoint_count(checkpoint), 1);
  as_checkpoint_close(checkpoint);
  as_test_context_free(ctx);
}
END_TEST

static const struct {
  const char *index;
  const char *fragments[2];
} wrong_indices[] = {
    {"{\"weight_map\":{\"a.weight\":\"one.safetensors\",\"ids\":\"one.safetensors\"}}", {"\"ids\"", "one.safetensors"}},
    {"{\"weight_map\":{\"a.weight\":\"one.safetensors\",\"ids\":\"three.safetensors\"}}", {"three.safetensors"}},
    {"{\"weight_map\":{\"a.weight\":\"one.safetensors\",\"bias\":\"two.safetensors\"}}",
     {"\"bias\"", "two.safetensors"}},
    {"{\"weight_map\":{\"a.weight\":\"../one.safetensors\"}}", {"\"../one.safetensors\"", "a.weight"}},
    {"{\"weight_map\":{\"a.weight\":\"sub/../../one.safetensors\"}}", {"\"sub/../../one.safetensors\""}},
    {"{\"weight_map\":{\"a.weight\":\"/etc/passwd\"}}", {"\"/etc/passwd\""}},
    {"{\"weight_map\":{\"a.weight\":\"\"}}", {"a.weight"}},
    {"{\"weight_map\":{\"a.weight\":\"..\"}}", {"\"..\""}},
    {"{\"weight_map\":{\"a.weight\":7}}", {"a.weight"}},
    {"{\"weight_map\":{\"a.weight\":\"one.safetensors\\u0000\"}}", {"a.weight"}},
    {"{\"weight_map\":[]}", {"weight_map"}},
    {"{}", {"weight_map"}},
    {"[]", {"weight_map"}},
    {"{\"weight_map\":{\"a.weight\":\"one.safetensors\",\"a.weight\":\"one.safetensors\"}}", {"\"a.weight\""}},
    {"{\"weight_map\":", {"line 1"}},
    {"{\"weight_map\":{\"a.weight\":\"one.safetensors\",\"b.weight\":\"again.safetensors\"}}",
     {"\"a.weight\" is also in", "again.safetensors"}},
};

START_TEST(wrong_indices_are_refused) {
  as_context *ctx = as_test_context(1);
  as_checkpoint *checkpoint;
  write_shards(ctx);
  write_items(ctx, "again.safetensors", items, 2);
  write_text("model.safetensors.index.json", wrong_indices[_i].index);
  for (int i = 0; i < 2 && wrong_indices[_i].fragments[i]; i++)
    ck_assert_refused(ctx, as_checkpoint_open(ctx, folder, &checkpoint), AS_E_MODEL, wrong_indices[_i].fragments[i]);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), folder));
  ck_assert_ptr_null(checkpoint);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(folders_without_weights_are_refused) {
  as_context *ctx = as_test_context(1);
  as_checkpoint *checkpoint;
  ck_assert_refused(ctx, as_checkpoint_open(ctx, folder, &checkpoint), AS_E_MODEL, "model.safetensors");
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), folder));
  ck_assert_refused(ctx, as_checkpoint_open(ctx, in_folder("absent"), &checkpoint), AS_E_MODEL, "absent");
  write_text("pytorch_model.bin", "something");
#ifdef AS_HAVE_LIBZIP
  ck_assert_refused(ctx, as_checkpoint_open(ctx, folder, &checkpoint), AS_E_MODEL, "/pytorch_model.bin: ");
#else
  ck_assert_refused(ctx, as_checkpoint_open(ctx, folder, &checkpoint), AS_E_UNSUPPORTED, "/pytorch_model.bin: ");
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "libzip"));
#endif
  as_test_context_free(ctx);
}
END_TEST

/* ---- checkpoints: expectations ----------------------------------------------------------------------------------- */

static const as_expectation body[] = {
    {.name = "net.embeddings.weight", .ndim = 2, .shape = {2, 3}},
    {.name = "net.layer.0.bias", .ndim = 1, .shape = {6}},
    {.name = "head.weight", .ndim = 2, .shape = {2, 3}, .optional = 1},
    {.name = "head.bias", .ndim = 1, .shape = {6}, .optional = 1},
};
enum { BODY = sizeof body / sizeof body[0] };
static const as_expect_rules rules = {.prefix = "net.", .ignored = as_ignored_by_classifiers};

/* Writes a checkpoint of tensors of these names; those that end in "weight" are [2, 3], "wide" [7], others [6]. */
static void write_names(as_context *ctx, const char *const *names) {
  static float zeros[7];
  as_safetensors_item list[16];
  size_t count = 0;
  for (; *names; names++) {
    bool matrix = strlen(*names) > 6 && strcmp(*names + strlen(*names) - 6, "weight") == 0;
    list[count++] = (as_safetensors_item){.name = *names,
                                          .type = AS_STORED_F32,
                                          .ndim = matrix ? 2 : 1,
                                          .shape = {matrix                   ? 2
                                                    : strstr(*names, "wide") ? 7
                                                                             : 6,
                                                    3},
                                          .data = zeros};
  }
  write_items(ctx, "model.safetensors", list, count);
}

START_TEST(expected_tensors_are_found) {
  as_context *ctx = as_test_context(1);
  int64_t found[BODY];
  write_names(ctx, (const char *[]){"net.embeddings.weight", "net.layer.0.bias", "head.weight", "head.bias", NULL});
  as_checkpoint *checkpoint = open_checkpoint(ctx);
  ck_assert_ok(ctx, as_checkpoint_expect(checkpoint, body, BODY, &rules, found));
  for (int i = 0; i < BODY; i++)
    ck_assert_str_eq(as_checkpoint_tensor(checkpoint, (size_t)found[i])->name, body[i].name);
  as_checkpoint_close(checkpoint);

  write_names(ctx, (const char *[]){"embeddings.weight", "layer.0.bias", NULL}); /* a bare body: no prefix, no head */
  checkpoint = open_checkpoint(ctx);
  ck_assert_ok(ctx, as_checkpoint_expect(checkpoint, body, BODY, &rules, found));
  ck_assert_str_eq(as_checkpoint_tensor(checkpoint, (size_t)found[0])->name, "embeddings.weight");
  ck_assert_str_eq(as_checkpoint_tensor(checkpoint, (size_t)found[1])->name, "layer.0.bias");
  ck_assert_int_eq(found[2], -1);
  ck_assert_int_eq(found[3], -1);
  as_checkpoint_close(checkpoint);
  ck_assert_str_eq(as_test_warnings(ctx), "");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(all_that_does_not_fit_is_listed) {
  as_context *ctx = as_test_context(1);
  int64_t found[BODY];
  write_names(ctx, (const char *[]){"net.layer.0.weight", "head.weight", "net.embeddings.weight", NULL});
  as_checkpoint *checkpoint = open_checkpoint(ctx);
  as_expectation wider[BODY];
  memcpy(wider, body, sizeof wider);
  wider[0].shape[0] = 5;
  ck_assert_refused(ctx, as_checkpoint_expect(checkpoint, wider, BODY, &rules, found), AS_E_MODEL,
                    "net.embeddings.weight is [2, 3] and must be [5, 3]; net.layer.0.bias is missing; "
                    "head.bias is missing");
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "model.safetensors: 3 of the 4"));
  as_checkpoint_close(checkpoint);
  as_test_context_free(ctx);
}
END_TEST

/* The weights of another architecture, or of a deeper model: a few names say it. */
START_TEST(a_long_list_is_counted) {
  as_context *ctx = as_test_context(1);
  static char names[101][64];
  static as_expectation many[101];
  static int64_t found[101];
  for (int i = 0; i < 101; i++) {
    snprintf(names[i], sizeof names[i], "net.layer.%d.attention.output.dense.bias", i);
    many[i] = (as_expectation){.name = names[i], .ndim = 1, .shape = {6}};
  }
  write_names(ctx, (const char *[]){"net.layer.0.attention.output.dense.bias", NULL});
  as_checkpoint *checkpoint = open_checkpoint(ctx);
  ck_assert_refused(ctx, as_checkpoint_expect(checkpoint, many, 101, &rules, found), AS_E_MODEL,
                    "100 of the 101 tensors that the configuration asks for do not fit: "
                    "net.layer.1.attention.output.dense.bias is missing; net.layer.2.");
  const char *text = as_error_text(ctx);
  int listed = 0;
  for (const char *at = text; (at = strstr(at, "is missing")); at++) listed++;
  ck_assert_int_eq(listed, 5);
  ck_assert_str_eq(strstr(text, "; and "), "; and 95 more");
  as_checkpoint_close(checkpoint);

  write_names(ctx, (const char *[]){"other.a.bias", "other.b.bias", NULL});
  checkpoint = open_checkpoint(ctx);
  ck_assert_refused(ctx, as_checkpoint_expect(checkpoint, many, 101, &rules, found), AS_E_MODEL,
                    "has none of the 101 tensors that the configuration asks for, but 2 others, such as other.a.bias;");
  ck_assert_str_eq(strstr(as_error_text(ctx), "; and "), "; and 96 more");
  as_checkpoint_close(checkpoint);
  as_test_context_free(ctx);
}
END_TEST

/* Long names leave room for the rest of the text. */
START_TEST(a_list_of_long_names_is_counted) {
  as_context *ctx = as_test_context(1);
  static char names[4][1001];
  as_expectation many[4];
  int64_t found[4];
  for (int i = 0; i < 4; i++) {
    memset(names[i], 'a' + i, 1000);
    many[i] = (as_expectation){.name = names[i], .ndim = 1, .shape = {4}};
  }
  write_names(ctx, (const char *[]){NULL});
  as_checkpoint *checkpoint = open_checkpoint(ctx);
  ck_assert_refused(ctx, as_checkpoint_expect(checkpoint, many, 4, &rules, found), AS_E_MODEL, "; and 1 more");
  as_checkpoint_close(checkpoint);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(unknown_tensors_are_warned_about) {
  as_context *ctx = as_test_context(1);
  int64_t found[BODY];
  write_names(ctx, (const char *[]){"net.embeddings.weight", "net.layer.0.bias", "net.pooler.dense.weight",
                                    "vocab_projector.bias", "net.embeddings.position_ids", "lm_head.bias",
                                    "net.layer.1.bias", "poolers.bias", NULL});
  as_checkpoint *checkpoint = open_checkpoint(ctx);
  ck_assert_ok(ctx, as_checkpoint_expect(checkpoint, body, BODY, &rules, found));
  ck_assert_uint_eq(as_warning_count(ctx), 1);
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "2 tensors"));
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), ": net.layer.1.bias; poolers.bias\n"));
  as_checkpoint_close(checkpoint);
  as_test_context_free(ctx);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static as_status write_open_and_read(as_context *ctx) {
  as_checkpoint *checkpoint;
  int64_t found[1];
  float out[6];
  static const as_expectation one = {.name = "a.weight", .ndim = 1, .shape = {6}};
  as_status status = as_safetensors_write(ctx, in_folder("one.safetensors"), items, ITEMS);
  if (status == AS_OK) status = as_checkpoint_open(ctx, folder, &checkpoint);
  if (status != AS_OK) return status;
  status = as_checkpoint_expect(checkpoint, &one, 1, &rules, found);
  if (status == AS_OK) status = as_checkpoint_read_f32(checkpoint, (size_t)found[0], out);
  as_checkpoint_close(checkpoint);
  return status;
}

START_TEST(every_allocation_may_fail) {
  as_context *ctx = as_test_context(2);
  write_text("model.safetensors.index.json", "{\"weight_map\":{\"a.weight\":\"one.safetensors\"}}");
  uint64_t n = 1;
  for (;; n++) {
    as_test_fail_at(ctx, n);
    as_status status = write_open_and_read(ctx);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_uint_eq(as_memory_used(ctx), 0);
    if (!failed) {
      ck_assert_ok(ctx, status);
      break;
    }
    ck_assert_int_eq(status, AS_E_NOMEM);
  }
  ck_assert_uint_gt(n, 10);
  as_test_context_free(ctx);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name) {
  TCase *tcase = tcase_create(name);
  tcase_add_checked_fixture(tcase, make_folder, remove_folder);
  suite_add_tcase(suite, tcase);
  return tcase;
}

Suite *as_suite(void) {
  Suite *suite = suite_create("safetensors");
  TCase *files = add_case(suite, "files");
  tcase_add_test(files, bytes_are_those_of_the_library);
  tcase_add_test(files, order_of_items_does_not_matter);
  tcase_add_test(files, what_is_written_is_read);
  tcase_add_test(files, files_without_tensors);
  tcase_add_test(files, what_cannot_be_written_is_refused);
  tcase_add_loop_test(files, damaged_files_are_refused, 0, sizeof damaged / sizeof damaged[0]);
  tcase_add_test(files, short_files_are_refused);
  tcase_add_test(files, deep_nesting_is_refused);
  tcase_add_test(files, mutated_files_do_no_harm);
  TCase *reading = add_case(suite, "reading");
  tcase_add_test(reading, floats_are_widened);
  tcase_add_loop_test(reading, all_sizes_are_read_whole, 0, 3);
  tcase_add_test(reading, values_that_are_not_finite_are_refused);
  tcase_add_test(reading, floats_lie_in_the_mapped_file);
  tcase_add_test(reading, reading_holds_each_weight_once);
  tcase_add_test(reading, narrow_types_that_are_not_finite_are_refused);
  TCase *shards = add_case(suite, "shards");
  tcase_add_test(shards, shards_are_one_checkpoint);
  tcase_add_loop_test(shards, wrong_indices_are_refused, 0, sizeof wrong_indices / sizeof wrong_indices[0]);
  tcase_add_test(shards, folders_without_weights_are_refused);
  TCase *expecting = add_case(suite, "expectations");
  tcase_add_test(expecting, expected_tensors_are_found);
  tcase_add_test(expecting, all_that_does_not_fit_is_listed);
  tcase_add_test(expecting, a_long_list_is_counted);
  tcase_add_test(expecting, a_list_of_long_names_is_counted);
  tcase_add_test(expecting, unknown_tensors_are_warned_about);
  tcase_add_test(add_case(suite, "memory"), every_allocation_may_fail);
  return suite;
}
