/* pytorch_model.bin: state dictionaries as torch writes them, made here piece by piece, and all that may be wrong. */
#include "config.h"
#include "tests/harness.h"

#ifndef AS_HAVE_LIBZIP
Suite *as_suite(void) {
  as_skip_all("libzip was left out of this build");
  return NULL;
}
#else

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/random.h"
#include "models/checkpoint.h"

static const char *folder;
static as_context *ctx;
static as_buffer pickle;

static void setup(void) {
  folder = as_test_folder();
  ctx = as_test_context(2);
  as_buffer_init(&pickle, ctx);
}

static void teardown(void) {
  as_buffer_free(&pickle);
  as_test_context_free(ctx);
  as_test_folder_remove(folder);
}

static const char *in_folder(const char *name) {
  static char paths[4][4096];
  static unsigned turn;
  char *path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

/* ---- making pickles --------------------------------------------------------------------------------------------- */

static void put(const char *opcodes) {
  as_buffer_text(&pickle, opcodes);
}

static void put_text(const char *text) {
  uint32_t length = (uint32_t)strlen(text);
  put("X");
  as_buffer_append(&pickle, &length, sizeof length);
  put(text);
}

static void put_integer(int64_t number) {
  put("\x8a\x08");
  as_buffer_append(&pickle, &number, sizeof number);
}

static void put_integers(const int64_t *numbers, int count) {
  put("(");
  for (int i = 0; i < count; i++) put_integer(numbers[i]);
  put("t");
}

typedef struct tensor {
  const char *name, *storage, *type;
  int64_t elements, offset;
  int ndim;
  int64_t shape[9], strides[9];
} tensor;

static void put_storage(const tensor *t) {
  put("(");
  put_text("storage");
  as_buffer_printf(&pickle, "ctorch\n%s\n", t->type);
  put_text(t->storage);
  put_text("cpu");
  put_integer(t->elements);
  put("tQ");
}

static void put_tensor(const tensor *t) {
  put("ctorch._utils\n_rebuild_tensor_v2\n(");
  put_storage(t);
  put_integer(t->offset);
  put_integers(t->shape, t->ndim);
  put_integers(t->strides, t->ndim);
  put("\x89"
      "ccollections\nOrderedDict\n)RtR");
}

static void put_entry(const tensor *t) {
  put_text(t->name);
  put_tensor(t);
}

static void begin_state(void) {
  as_buffer_clear(&pickle);
  put("\x80\2"
      "ccollections\nOrderedDict\n)R(");
}

static void end_state(void) {
  put("u.");
}

static void make_state(const tensor *tensors, size_t count) {
  begin_state();
  for (size_t i = 0; i < count; i++) put_entry(&tensors[i]);
  end_state();
}

/* ---- making archives -------------------------------------------------------------------------------------------- */

typedef struct member {
  const char *name;
  const void *bytes;
  size_t length;
} member;

/* An archive of these members, named below "root/", and of the pickle if it is not empty. */
static void write_archive(const char *name, const member *members, size_t count, zip_int32_t method) {
  int error;
  zip_t *archive = zip_open(in_folder(name), ZIP_CREATE | ZIP_TRUNCATE, &error);
  member data = {"data.pkl", pickle.data, pickle.length};
  ck_assert_ptr_nonnull(archive);
  for (size_t i = 0; i <= count; i++) {
    const member *m = i == 0 ? &data : &members[i - 1];
    char path[256];
    if (m->length == 0 && i == 0) continue;
    snprintf(path, sizeof path, "root/%s", m->name);
    zip_int64_t at = zip_file_add(archive, path, zip_source_buffer(archive, m->bytes, m->length, 0), ZIP_FL_ENC_UTF_8);
    ck_assert_int_ge(at, 0);
    ck_assert_int_eq(zip_set_file_compression(archive, (zip_uint64_t)at, method, 0), 0);
  }
  ck_assert_int_eq(zip_close(archive), 0);
}

static as_checkpoint *open_good(void) {
  as_checkpoint *checkpoint;
  ck_assert_ok(ctx, as_checkpoint_open(ctx, folder, &checkpoint));
  return checkpoint;
}

static void assert_refused(const char *fragment) {
  as_checkpoint *checkpoint;
  ck_assert_refused(ctx, as_checkpoint_open(ctx, folder, &checkpoint), AS_E_MODEL, fragment);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "/pytorch_model.bin: "));
  ck_assert_ptr_null(checkpoint);
}

/* ---- good files ------------------------------------------------------------------------------------------------- */

static const float six[6] = {1, 2, 3, 4, 5, 6};
static const uint16_t halves[2] = {0x3c00, 0xc000}, bfloats[2] = {0x3f80, 0xc000};
static const double doubles[2] = {0.1, -2};
static const int64_t longs[2] = {7, 8};
static const member storages[] = {{"data/0", six, sizeof six},         {"data/1", halves, sizeof halves},
                                  {"data/2", bfloats, sizeof bfloats}, {"data/3", doubles, sizeof doubles},
                                  {"data/4", longs, sizeof longs},     {"data/5", NULL, 0},
                                  {"byteorder", "little", 6},          {"version", "3\n", 2}};
enum { STORAGES = sizeof storages / sizeof storages[0] };

static const tensor state[] = {
    {"w", "0", "FloatStorage", 6, 0, 2, {2, 3}, {3, 1}},
    {"transposed", "0", "FloatStorage", 6, 0, 2, {3, 2}, {1, 3}},
    {"part", "0", "FloatStorage", 6, 2, 1, {2}, {2}},
    {"tied", "0", "FloatStorage", 6, 0, 2, {2, 3}, {3, 1}},
    {"scalar", "0", "FloatStorage", 6, 5, 0, {0}, {0}},
    {"row", "0", "FloatStorage", 6, 0, 2, {1, 6}, {77, 1}},
    {"half", "1", "HalfStorage", 2, 0, 1, {2}, {1}},
    {"bfloat", "2", "BFloat16Storage", 2, 0, 1, {2}, {1}},
    {"double", "3", "DoubleStorage", 2, 0, 1, {2}, {1}},
    {"ids", "4", "LongStorage", 2, 0, 2, {1, 2}, {2, 1}},
    {"empty", "5", "FloatStorage", 0, 0, 2, {0, 4}, {4, 1}},
};
enum { STATE = sizeof state / sizeof state[0] };

static void assert_reads(as_checkpoint *checkpoint, const char *name, const float *expected, int64_t count) {
  float out[16];
  int64_t at = as_checkpoint_find(checkpoint, name);
  ck_assert_int_ge(at, 0);
  ck_assert_int_eq(as_checkpoint_tensor(checkpoint, (size_t)at)->elements, count);
  ck_assert_ok(ctx, as_checkpoint_read_f32(checkpoint, (size_t)at, out));
  for (int64_t i = 0; i < count; i++) ck_assert_float_eq(out[i], expected[i]);
}

static void assert_state(as_checkpoint *checkpoint) {
  float out[2];
  ck_assert_uint_eq(as_checkpoint_count(checkpoint), STATE);
  assert_reads(checkpoint, "w", six, 6);
  assert_reads(checkpoint, "tied", six, 6);
  assert_reads(checkpoint, "row", six, 6);
  assert_reads(checkpoint, "transposed", (float[]){1, 4, 2, 5, 3, 6}, 6);
  assert_reads(checkpoint, "part", (float[]){3, 5}, 2);
  assert_reads(checkpoint, "scalar", (float[]){6}, 1);
  assert_reads(checkpoint, "half", (float[]){1, -2}, 2);
  assert_reads(checkpoint, "bfloat", (float[]){1, -2}, 2);
  assert_reads(checkpoint, "double", (float[]){0.1f, -2}, 2);
  assert_reads(checkpoint, "empty", NULL, 0);
  ck_assert_refused(ctx, as_checkpoint_read_f32(checkpoint, (size_t)as_checkpoint_find(checkpoint, "ids"), out),
                    AS_E_MODEL, "tensor \"ids\" is I64");
}

START_TEST(a_state_dictionary_is_read) {
  static const zip_int32_t methods[] = {ZIP_CM_STORE, ZIP_CM_DEFLATE};
  make_state(state, STATE);
  write_archive("pytorch_model.bin", storages, STORAGES, methods[_i]);
  as_checkpoint *checkpoint = open_good();
  assert_state(checkpoint);
  as_checkpoint_close(checkpoint);
}
END_TEST

/* What torch adds: parameters in place of tensors, the attribute _metadata, memorised values. */
START_TEST(parameters_and_metadata_are_read) {
  begin_state();
  put_text(state[0].name);
  put("ctorch._utils\n_rebuild_parameter\n(");
  put_tensor(&state[0]);
  put("\x88"
      "ccollections\nOrderedDict\n)RtR");
  put("u}");
  put_text("_metadata");
  put("ccollections\nOrderedDict\n)R(");
  put_text("");
  put("}");
  put_text("version");
  put_integer(1);
  put("susb.");
  write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
  as_checkpoint *checkpoint = open_good();
  ck_assert_uint_eq(as_checkpoint_count(checkpoint), 1);
  assert_reads(checkpoint, "w", six, 6);
  as_checkpoint_close(checkpoint);
}
END_TEST

START_TEST(shards_are_one_checkpoint) {
  make_state(state, 1);
  write_archive("a.bin", storages, STORAGES, ZIP_CM_STORE);
  make_state(state + 1, STATE - 1);
  write_archive("b.bin", storages, STORAGES, ZIP_CM_STORE);
  const char *index = "{\"weight_map\":{\"w\":\"a.bin\",\"part\":\"b.bin\"}}";
  ck_assert_ok(ctx, as_file_write(ctx, in_folder("pytorch_model.bin.index.json"), index, strlen(index)));
  as_checkpoint *checkpoint = open_good();
  assert_state(checkpoint);
  ck_assert_str_eq(as_checkpoint_file(checkpoint, (size_t)as_checkpoint_find(checkpoint, "w")), in_folder("a.bin"));
  as_checkpoint_close(checkpoint);
}
END_TEST

/* A large transposed tensor and a part of it, over many blocks and threads, read together with its whole. */
START_TEST(large_tensors_on_one_storage_are_read) {
  enum { ROWS = 517, COLUMNS = 391, COUNT = ROWS * COLUMNS };
  static const tensor tensors[] = {
      {"transposed", "0", "FloatStorage", COUNT, 0, 2, {COLUMNS, ROWS}, {1, COLUMNS}},
      {"whole", "0", "FloatStorage", COUNT, 0, 2, {ROWS, COLUMNS}, {COLUMNS, 1}},
      {"even", "0", "FloatStorage", COUNT, COLUMNS, 3, {COLUMNS, 1, ROWS / 2}, {1, 5, 2 * COLUMNS}}};
  float *values = as_alloc(ctx, COUNT, sizeof *values), *out[3];
  for (int i = 0; i < COUNT; i++) values[i] = (float)i;
  member storage = {"data/0", values, COUNT * sizeof *values};
  make_state(tensors, 3);
  write_archive("pytorch_model.bin", &storage, 1, ZIP_CM_STORE);
  as_checkpoint *checkpoint = open_good();
  as_checkpoint_read reads[3];
  for (size_t i = 0; i < 3; i++) {
    out[i] = as_alloc(ctx, COUNT, sizeof *out[i]);
    reads[i] = (as_checkpoint_read){(size_t)as_checkpoint_find(checkpoint, tensors[i].name), out[i]};
  }
  ck_assert_ok(ctx, as_checkpoint_read_all(checkpoint, reads, 3));
  ck_assert_mem_eq(out[1], values, COUNT * sizeof *values);
  for (int column = 0; column < COLUMNS; column++)
    for (int row = 0; row < ROWS; row++) {
      if (out[0][column * ROWS + row] != values[row * COLUMNS + column]) ck_abort_msg("[%d, %d]", column, row);
      if (row % 2 && out[2][column * (ROWS / 2) + row / 2] != values[row * COLUMNS + column])
        ck_abort_msg("even [%d, %d]", column, row);
    }
  for (int i = 0; i < 3; i++) as_free(ctx, out[i]);
  as_free(ctx, values);
  as_checkpoint_close(checkpoint);
}
END_TEST

START_TEST(values_that_are_not_finite_are_refused) {
  static const double bad[6] = {1, 2, 3, 4, NAN, 1e300};
  static const tensor tensors[] = {{"transposed", "0", "DoubleStorage", 6, 0, 2, {3, 2}, {1, 3}},
                                   {"last", "0", "DoubleStorage", 6, 5, 2, {1, 1}, {1, 1}},
                                   {"column", "0", "DoubleStorage", 6, 2, 1, {2}, {3}}};
  static const char *const texts[] = {"\"transposed\" has NaN at [1, 1]",
                                      "\"last\" has a value beyond the range of 32-bit floats at [0, 0]",
                                      "\"column\" has a value beyond the range of 32-bit floats at [1]"};
  member storage = {"data/0", bad, sizeof bad};
  float out[6];
  make_state(tensors, 3);
  write_archive("pytorch_model.bin", &storage, 1, ZIP_CM_STORE);
  as_checkpoint *checkpoint = open_good();
  for (int i = 0; i < 3; i++)
    ck_assert_refused(ctx,
                      as_checkpoint_read_f32(checkpoint, (size_t)as_checkpoint_find(checkpoint, tensors[i].name), out),
                      AS_E_MODEL, texts[i]);
  as_checkpoint_close(checkpoint);
}
END_TEST

/* ---- bad state dictionaries ------------------------------------------------------------------------------------- */

static const struct {
  tensor t;
  const char *fragment;
} bad_tensors[] = {
    {{"bad.weight", "0", "FloatStorage", 6, -1, 1, {2}, {1}}, "offset"},
    {{"bad.weight", "0", "FloatStorage", 6, 5, 1, {2}, {1}}, "beyond its storage"},
    {{"bad.weight", "0", "FloatStorage", 6, 7, 1, {0}, {1}}, "beyond its storage"},
    {{"bad.weight", "0", "FloatStorage", 6, INT64_MAX, 1, {2}, {1}}, "beyond its storage"},
    {{"bad.weight", "0", "FloatStorage", 6, 0, 2, {2, -3}, {3, 1}}, "negative"},
    {{"bad.weight", "0", "FloatStorage", 6, 0, 2, {2, 3}, {3, -1}}, "beyond its storage"},
    {{"bad.weight", "0", "FloatStorage", 6, 0, 2, {2, 3}, {4, 1}}, "beyond its storage"},
    {{"bad.weight", "0", "FloatStorage", 6, 0, 2, {2, 3}, {INT64_MAX, 1}}, "beyond its storage"},
    {{"bad.weight", "0", "FloatStorage", 6, 0, 2, {INT64_MAX, INT64_MAX}, {0, 0}}, "more elements than"},
    {{"bad.weight", "0", "FloatStorage", 6, 0, 1, {7}, {0}}, "beyond its storage"},
    {{"bad.weight", "0", "FloatStorage", 6, 0, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1}},
     "8 integers"},
    {{"bad.weight", "0", "FloatStorage", 7, 0, 1, {2}, {1}}, "storage 0 of 7 F32 elements, but that has 24 bytes"},
    {{"bad.weight", "0", "FloatStorage", -6, 0, 1, {2}, {1}}, "storage"},
    {{"bad.weight", "0", "DoubleStorage", 6, 0, 1, {2}, {1}}, "storage 0 of 6 F64 elements, but that has 24 bytes"},
    {{"bad.weight", "77", "FloatStorage", 6, 0, 1, {2}, {1}}, "storage 77"},
    {{"bad.weight", "../data.pkl", "FloatStorage", 6, 0, 1, {2}, {1}}, "storage ../data.pkl"},
    {{"w", "0", "FloatStorage", 6, 0, 1, {2}, {1}}, "\"w\" is there twice"},
};

START_TEST(bad_tensors_are_refused) {
  const tensor both[] = {state[0], bad_tensors[_i].t};
  make_state(both, 2);
  write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
  assert_refused(bad_tensors[_i].fragment);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), both[1].name));
}
END_TEST

static void put_strided(const char *sizes, const char *strides) {
  put_text("bad.weight");
  put("ctorch._utils\n_rebuild_tensor_v2\n(");
  put_storage(&state[0]);
  put_integer(0);
  put(sizes);
  put(strides);
  put("tR");
}

static void put_with_id(const char *id) {
  put_text("bad.weight");
  put("ctorch._utils\n_rebuild_tensor_v2\n(");
  put(id);
  put("QtR");
}

START_TEST(strange_state_dictionaries_are_refused) {
  static const char *const ids[] = {"N", ")", "(NNNNNt", "(Nctorch\nFloatStorage\nNNK\1t"};
  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
    begin_state();
    put_with_id(ids[i]);
    end_state();
    write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
    assert_refused("\"bad.weight\" has no storage");
  }
  static const char *const numbers[] = {"K\6", "N", "(N", "]"};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    char tuple[16];
    snprintf(tuple, sizeof tuple, i == 2 ? "%st" : "%s", numbers[i]);
    begin_state();
    put_strided(tuple, "(K\1t");
    end_state();
    write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
    assert_refused("\"bad.weight\" has a size and strides");
  }
  begin_state();
  put_strided("(K\1K\1t", "(K\1t");
  end_state();
  write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
  assert_refused("\"bad.weight\" has a size and strides");

  static const struct {
    const char *value, *fragment;
  } values[] = {{"N", "\"some.name\" is not a tensor"},
                {"}", "\"some.name\" is not a tensor"},
                {"ctorch\nFloatStorage\n", "\"some.name\" is not a tensor"},
                {"ctorch._utils\n_rebuild_tensor_v2\n)R", "\"some.name\" has no storage"},
                {"ctorch._utils\n_rebuild_parameter\n)R", "\"some.name\" is not a tensor"},
                {"ctorch._utils\n_rebuild_parameter\n(ctorch._utils\n_rebuild_parameter\n)RtR", "is not a tensor"},
                {"ctorch.jit\nload\n)R", "torch.jit.load"}};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    begin_state();
    put_text("some.name");
    put(values[i].value);
    end_state();
    write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
    assert_refused(values[i].fragment);
  }
  begin_state();
  put("K\1N");
  end_state();
  write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
  assert_refused("key of the state dictionary is an integer");
  as_buffer_clear(&pickle);
  put("\x80\2].");
  write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
  assert_refused("top-level object is a list");
}
END_TEST

/* ---- bad archives ----------------------------------------------------------------------------------------------- */

static size_t read_archive(char **bytes) {
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, in_folder("pytorch_model.bin"), 0, AS_E_IO, bytes, &length));
  return length;
}

static void write_bytes(const void *bytes, size_t length) {
  FILE *file = fopen(in_folder("pytorch_model.bin"), "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
  fclose(file);
}

/* The place of `wanted` in bytes[length], the last one. */
static char *find_last(char *bytes, size_t length, const void *wanted, size_t wanted_length) {
  for (char *at = bytes + length - wanted_length; at >= bytes; at--)
    if (memcmp(at, wanted, wanted_length) == 0) return at;
  ck_abort_msg("not found");
  return NULL;
}

START_TEST(files_that_are_no_archives_are_refused) {
  static const unsigned char old[] = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  write_bytes(old, sizeof old);
  assert_refused("torch before 1.6");
  write_bytes("hello", 5);
  assert_refused("neither a zip archive");
  write_bytes("", 0);
  assert_refused("neither a zip archive");
  make_state(state, STATE);
  write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
  char *bytes;
  size_t length = read_archive(&bytes);
  for (size_t cut = 4; cut < length; cut += 97) {
    write_bytes(bytes, cut);
    assert_refused("damaged or truncated zip archive");
  }
  as_free(ctx, bytes);
}
END_TEST

START_TEST(archives_of_something_else_are_refused) {
  as_buffer_clear(&pickle);
  write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
  assert_refused("without a data.pkl");
  make_state(state, STATE);
  member members[STORAGES];
  memcpy(members, storages, sizeof members);
  members[6].bytes = "biggle";
  write_archive("pytorch_model.bin", members, STORAGES, ZIP_CM_STORE);
  assert_refused("byteorder");
  members[6] = (member){"byteorder", "big", 3};
  write_archive("pytorch_model.bin", members, STORAGES, ZIP_CM_STORE);
  assert_refused("byteorder");
}
END_TEST

/* Sets a 32-bit field of the directory record of root/data/0, whose name stands 46 bytes after its start. */
static void write_with_field(size_t field, uint32_t value) {
  char *bytes;
  size_t length = read_archive(&bytes);
  char *record = find_last(bytes, length, "root/data/0", 11) - 46;
  ck_assert_mem_eq(record, "PK\1\2", 4);
  memcpy(record + field, &value, sizeof value);
  write_bytes(bytes, length);
  as_free(ctx, bytes);
}

START_TEST(bad_directories_are_refused) {
  enum { CRC = 16, PACKED_SIZE = 20, SIZE = 24, PLACE = 42, METHOD = 10 };
  static const struct {
    size_t field;
    uint32_t value;
    const char *fragment;
    bool when_read; /* rather than when opened */
  } cases[] = {{PACKED_SIZE, 0x7ffffff0, "root/data/0", false},
               {SIZE, 0x7ffffff0, "root/data/0", false},
               {SIZE, 23, "root/data/0", false},
               {CRC, 1, "root/data/0 of the zip archive: its checksum", true},
               {PLACE, 0x7ffffff0, "root/data/0", true},
               {PLACE, 1, "root/data/0", true},
               {METHOD, 12, "root/data/0 of the zip archive: it is compressed", false}};
  make_state(state, 1);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
    write_with_field(cases[i].field, cases[i].value);
    if (!cases[i].when_read) {
      assert_refused(cases[i].fragment);
      continue;
    }
    float out[6];
    as_checkpoint *checkpoint = open_good();
    ck_assert_refused(ctx, as_checkpoint_read_f32(checkpoint, 0, out), AS_E_MODEL, cases[i].fragment);
    ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "/pytorch_model.bin: "));
    as_checkpoint_close(checkpoint);
  }
}
END_TEST

/* A member that is said to unpack to more than it can. */
START_TEST(impossible_compression_is_refused) {
  make_state(state, 1);
  write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_DEFLATE);
  write_with_field(24, 0x7ffffff0);
  assert_refused("root/data/0 of the zip archive: it is said to unpack to an impossible size");
  ck_assert_uint_lt(as_memory_peak(ctx), 1 << 20);
}
END_TEST

/* A 64-bit end record that counts more members than the file has bytes: libzip would make room for all of them. */
START_TEST(impossible_counts_are_refused) {
  make_state(state, 1);
  write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
  char *bytes;
  size_t length = read_archive(&bytes), end = (size_t)(find_last(bytes, length, "PK\5\6", 4) - bytes);
  unsigned char end64[56] = {'P', 'K', 6, 6, 44}, locator[20] = {'P', 'K', 6, 7};
  uint64_t members = (uint64_t)1 << 31, place = end;
  uint32_t disks = 1;
  memcpy(end64 + 24, &members, 8);
  memcpy(end64 + 32, &members, 8);
  memcpy(locator + 8, &place, 8);
  memcpy(locator + 16, &disks, 4);
  as_buffer file;
  as_buffer_init(&file, ctx);
  as_buffer_append(&file, bytes, end);
  as_buffer_append(&file, end64, sizeof end64);
  as_buffer_append(&file, locator, sizeof locator);
  as_buffer_append(&file, bytes + end, length - end);
  memset(file.data + file.length - (length - end) + 8, 0xff, 4); /* "see the 64-bit record" */
  write_bytes(file.data, file.length);
  assert_refused("counts more members than it has bytes for");
  as_buffer_free(&file);
  as_free(ctx, bytes);
}
END_TEST

/* ---- damage and memory ------------------------------------------------------------------------------------------ */

START_TEST(mutated_files_do_no_harm) {
  as_random random = as_random_start(13, 1);
  int opened = 0, refused = 0;
  char *good;
  make_state(state, STATE);
  write_archive("pytorch_model.bin", storages, STORAGES, _i ? ZIP_CM_DEFLATE : ZIP_CM_STORE);
  size_t length = read_archive(&good);
  char *bad = as_alloc(ctx, length, 1);
  for (int round = 0; round < 1500; round++) {
    as_checkpoint *checkpoint;
    memcpy(bad, good, length);
    for (uint64_t changes = 1 + as_random_below(&random, 3); changes > 0; changes--) {
      size_t at = as_random_below(&random, length);
      bad[at] = (char)(as_random_below(&random, 2) ? bad[at] ^ 1 << as_random_below(&random, 8)
                                                   : (int)as_random_below(&random, 256));
    }
    write_bytes(bad, as_random_below(&random, 8) ? length : as_random_below(&random, length));
    as_status status = as_checkpoint_open(ctx, folder, &checkpoint);
    if (status != AS_OK) {
      ck_assert_int_eq(status, AS_E_MODEL);
      ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "pytorch_model.bin"));
      refused++;
      continue;
    }
    for (size_t i = 0; i < as_checkpoint_count(checkpoint); i++) {
      float out[16];
      ck_assert_int_le(as_checkpoint_tensor(checkpoint, i)->elements, 16);
      status = as_checkpoint_read_f32(checkpoint, i, out);
      ck_assert(status == AS_OK || status == AS_E_MODEL);
    }
    as_checkpoint_close(checkpoint);
    opened++;
  }
  ck_assert_int_gt(opened, 50);
  ck_assert_int_gt(refused, 500);
  ck_assert_uint_lt(as_memory_peak(ctx), 1 << 20);
  as_free(ctx, good);
  as_free(ctx, bad);
}
END_TEST

static as_status open_and_read(void) {
  as_checkpoint *checkpoint;
  float w[6], part[2];
  as_status status = as_checkpoint_open(ctx, folder, &checkpoint);
  if (status != AS_OK) return status;
  as_checkpoint_read reads[] = {{(size_t)as_checkpoint_find(checkpoint, "w"), w},
                                {(size_t)as_checkpoint_find(checkpoint, "part"), part}};
  status = as_checkpoint_read_all(checkpoint, reads, 2);
  as_checkpoint_close(checkpoint);
  return status;
}

START_TEST(every_allocation_may_fail) {
  make_state(state, STATE);
  write_archive("pytorch_model.bin", storages, STORAGES, ZIP_CM_STORE);
  size_t before = as_memory_used(ctx);
  uint64_t n = 1;
  for (;; n++) {
    as_test_fail_at(ctx, n);
    as_status status = open_and_read();
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_uint_eq(as_memory_used(ctx), before);
    if (!failed) {
      ck_assert_ok(ctx, status);
      break;
    }
    ck_assert_int_eq(status, AS_E_NOMEM);
  }
  ck_assert_uint_gt(n, 15);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("torch file");
  TCase *tcase = tcase_create("torch file");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_loop_test(tcase, a_state_dictionary_is_read, 0, 2);
  tcase_add_test(tcase, parameters_and_metadata_are_read);
  tcase_add_test(tcase, shards_are_one_checkpoint);
  tcase_add_test(tcase, large_tensors_on_one_storage_are_read);
  tcase_add_test(tcase, values_that_are_not_finite_are_refused);
  tcase_add_loop_test(tcase, bad_tensors_are_refused, 0, sizeof bad_tensors / sizeof bad_tensors[0]);
  tcase_add_test(tcase, strange_state_dictionaries_are_refused);
  tcase_add_test(tcase, files_that_are_no_archives_are_refused);
  tcase_add_test(tcase, archives_of_something_else_are_refused);
  tcase_add_test(tcase, bad_directories_are_refused);
  tcase_add_test(tcase, impossible_compression_is_refused);
  tcase_add_test(tcase, impossible_counts_are_refused);
  tcase_add_loop_test(tcase, mutated_files_do_no_harm, 0, 2);
  tcase_add_test(tcase, every_allocation_may_fail);
  suite_add_tcase(suite, tcase);
  return suite;
}
#endif
