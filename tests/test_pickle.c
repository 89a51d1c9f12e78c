/* The pickle reader: what it builds, what it refuses, and that no input makes it use more than its share of memory. */
#include <string.h>

#include "base/random.h"
#include "models/pickle.h"
#include "tests/harness.h"

enum { MAKE_DICT = 1, DO_IT, KIND };
static const as_pickle_global allowed[] = {{"collections", "OrderedDict", AS_PICKLE_IS_DICT, MAKE_DICT},
                                           {"my.module", "do_it", AS_PICKLE_IS_FUNCTION, DO_IT},
                                           {"torch", "FloatStorage", AS_PICKLE_IS_CONSTANT, KIND},
                                           {NULL, NULL, AS_PICKLE_IS_CONSTANT, 0}};

/* Text with its length, NULs included. */
#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1
#define TEXT(length, text) "X" length "\0\0\0" text
#define DICT_CLASS "ccollections\nOrderedDict\n"

static as_pickle *read_good(as_context *ctx, const unsigned char *data, size_t length) {
  as_pickle *pickle;
  ck_assert_ok(ctx, as_pickle_read(ctx, data, length, "some.bin", allowed, &pickle));
  return pickle;
}

static const struct {
  const char *data;
  size_t length;
  int64_t integer;
} integers[] = {
    {"\x80\2K\0.", 5, 0},
    {"\x80\2K\xff.", 5, 255},
    {"\x80\2M\x02\x01.", 6, 258},
    {"\x80\2J\xfe\xff\xff\xff.", 8, -2},
    {"\x80\2J\xff\xff\xff\x7f.", 8, INT32_MAX},
    {"\x80\2\x8a\0.", 5, 0},
    {"\x80\2\x8a\1\xff.", 6, -1},
    {"\x80\2\x8a\5\0\0\0\0\1.", 10, (int64_t)1 << 32},
    {"\x80\2\x8a\5\0\0\0\0\xff.", 10, -((int64_t)1 << 32)},
    {"\x80\2\x8a\x08\0\0\0\0\0\0\0\x80.", 13, INT64_MIN},
    {"\x80\2\x88.", 4, 1},
    {"\x80\2\x89.", 4, 0},
};

START_TEST(integers_are_read) {
  as_context *ctx = as_test_context(1);
  as_pickle *pickle = read_good(ctx, (const unsigned char *)integers[_i].data, integers[_i].length);
  const as_pickle_value *root = as_pickle_root(pickle);
  ck_assert(root->kind == AS_PICKLE_INT || root->kind == AS_PICKLE_BOOL);
  ck_assert_int_eq(root->as.integer, integers[_i].integer);
  as_pickle_free(pickle);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(other_values_are_read) {
  as_context *ctx = as_test_context(1);
  as_pickle *pickle = read_good(ctx, BYTES("\x80\2G\xc0\x04\0\0\0\0\0\0."));
  ck_assert_int_eq(as_pickle_root(pickle)->kind, AS_PICKLE_FLOAT);
  ck_assert(as_pickle_root(pickle)->as.real == -2.5);
  as_pickle_free(pickle);
  static const struct {
    const char *data;
    size_t length;
  } texts[] = {{"\x80\2X\2\0\0\0\xc3\xbc.", 10},
               {"\x80\4\x8c\2\xc3\xbc.", 7},
               {"\x80\4\x8d\2\0\0\0\0\0\0\0\xc3\xbc.", 14},
               {"\x80\2U\2\xc3\xbc.", 7},
               {"\x80\2T\2\0\0\0\xc3\xbc.", 10}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    pickle = read_good(ctx, (const unsigned char *)texts[i].data, texts[i].length);
    ck_assert_int_eq(as_pickle_root(pickle)->kind, AS_PICKLE_TEXT);
    ck_assert_uint_eq(as_pickle_root(pickle)->count, 2);
    ck_assert_mem_eq(as_pickle_root(pickle)->as.text, "\xc3\xbc", 2);
    as_pickle_free(pickle);
  }
  pickle = read_good(ctx, BYTES("\x80\2N."));
  ck_assert_int_eq(as_pickle_root(pickle)->kind, AS_PICKLE_NONE);
  as_pickle_free(pickle);
  as_test_context_free(ctx);
}
END_TEST

/* {"a": (1, [2, 3], ()), "b": (4,)} with items set one by one and together, and the memo in use. */
START_TEST(containers_are_read) {
  as_context *ctx = as_test_context(1);
  as_pickle *pickle =
      read_good(ctx, BYTES("\x80\2}q\0" TEXT("\1", "a") "(K\1](K\2K\3e)tq\1s"
                                                        "(" TEXT("\1", "b") "K\4\x85" TEXT("\1", "c") "h\1u."));
  const as_pickle_value *root = as_pickle_root(pickle), *key, *value, *item;
  uint32_t position = 0;
  ck_assert_int_eq(root->kind, AS_PICKLE_DICT);
  ck_assert_uint_eq(root->count, 3);
  ck_assert(as_pickle_next(pickle, root, &position, &key, &value));
  ck_assert_mem_eq(key->as.text, "a", 1);
  ck_assert_int_eq(value->kind, AS_PICKLE_TUPLE);
  ck_assert_uint_eq(value->count, 3);
  ck_assert_int_eq(as_pickle_item(pickle, value, 0)->as.integer, 1);
  ck_assert_int_eq(as_pickle_item(pickle, value, 2)->kind, AS_PICKLE_TUPLE);
  ck_assert_ptr_null(as_pickle_item(pickle, value, 3));
  ck_assert_ptr_null(as_pickle_item(pickle, root, 0));
  const as_pickle_value *list = as_pickle_item(pickle, value, 1), *shared = value;
  uint32_t in_list = 0;
  ck_assert_int_eq(list->kind, AS_PICKLE_LIST);
  ck_assert(as_pickle_next(pickle, list, &in_list, &key, &item));
  ck_assert_ptr_null(key);
  ck_assert_int_eq(item->as.integer, 2);
  ck_assert(as_pickle_next(pickle, list, &in_list, &key, &item));
  ck_assert_int_eq(item->as.integer, 3);
  ck_assert(!as_pickle_next(pickle, list, &in_list, &key, &item));
  ck_assert(as_pickle_next(pickle, root, &position, &key, &value));
  ck_assert_mem_eq(key->as.text, "b", 1);
  ck_assert_uint_eq(value->count, 1);
  ck_assert(as_pickle_next(pickle, root, &position, &key, &value));
  ck_assert_ptr_eq(value, shared);
  ck_assert(!as_pickle_next(pickle, root, &position, &key, &value));
  as_pickle_free(pickle);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(calls_are_kept_and_not_made) {
  as_context *ctx = as_test_context(1);
  as_pickle *pickle = read_good(ctx, BYTES("\x80\2cmy.module\ndo_it\n(K\7" TEXT("\1", "x") "QtR."));
  const as_pickle_value *root = as_pickle_root(pickle);
  ck_assert_int_eq(root->kind, AS_PICKLE_CALL);
  ck_assert_int_eq(root->as.call.global->value, DO_IT);
  const as_pickle_value *arguments = as_pickle_at(pickle, root->as.call.arguments);
  ck_assert_uint_eq(arguments->count, 2);
  const as_pickle_value *outside = as_pickle_item(pickle, arguments, 1);
  ck_assert_int_eq(outside->kind, AS_PICKLE_PERSISTENT);
  ck_assert_mem_eq(as_pickle_at(pickle, outside->as.id)->as.text, "x", 1);
  as_pickle_free(pickle);
  /* A dictionary class makes an empty dictionary; attributes set on it are dropped. */
  pickle = read_good(ctx, BYTES("\x80\2" DICT_CLASS ")R(" TEXT("\1", "k") "K\1u}" TEXT("\1", "m") "K\2sb."));
  ck_assert_int_eq(as_pickle_root(pickle)->kind, AS_PICKLE_DICT);
  ck_assert_uint_eq(as_pickle_root(pickle)->count, 1);
  as_pickle_free(pickle);
  /* The names of protocol 4, in a frame and memorised. */
  pickle = read_good(ctx, BYTES("\x80\4\x95\x1b\0\0\0\0\0\0\0\x8c\5torch\x94\x8c\x0c"
                                "FloatStorage\x94\x93\x94."));
  ck_assert_int_eq(as_pickle_root(pickle)->kind, AS_PICKLE_GLOBAL);
  ck_assert_int_eq(as_pickle_root(pickle)->as.call.global->value, KIND);
  as_pickle_free(pickle);
  as_test_context_free(ctx);
}
END_TEST

#define BAD(text, fragment)                                                                                            \
  { text, sizeof(text) - 1, fragment }
static const struct {
  const char *data;
  size_t length;
  const char *fragment;
} bad[] = {
    BAD("", "protocol"),
    BAD("\x80", "protocol"),
    BAD("}.", "protocol"),
    BAD("\x80\1}.", "protocol"),
    BAD("\x80\6}.", "protocol"),
    BAD("\x80\2", "truncated"),
    BAD("\x80\2}", "truncated"),
    BAD("\x80\2K", "truncated"),
    BAD("\x80\2J\1\2\3", "truncated"),
    BAD("\x80\2X\xff\xff\xff\xff"
        "abc.",
        "truncated"),
    BAD("\x80\4\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
        "abc.",
        "truncated"),
    BAD("\x80\2U\4abc", "truncated"),
    BAD("\x80\2\x8a\x08\1.", "truncated"),
    BAD("\x80\2\x8a\x09\1\1\1\1\1\1\1\1\1.", "more than 64 bits"),
    BAD("\x80\2X\2\0\0\0\xc3(.", "UTF-8"),
    BAD("\x80\2.", "too few"),
    BAD("\x80\2NN.", "more than one"),
    BAD("\x80\2(.", "too few"),
    BAD("\x80\2t.", "no mark"),
    BAD("\x80\2K\1\x86.", "too few"),
    BAD("\x80\2K\1(\x85.", "too few"),
    BAD("\x80\2K\1(K\2\x86.", "too few"),
    BAD("\x80\2]K\1e.", "no mark"),
    BAD("\x80\2K\1K\2a.", "no list"),
    BAD("\x80\2}K\2a.", "no list"),
    BAD("\x80\2]K\1K\2s.", "no list"),
    BAD("\x80\2}(K\1u.", "no list"),
    BAD("\x80\2(K\1K\2u.", "no list"),
    BAD("\x80\2(K\1e.", "no list"),
    BAD("\x80\2((K\1e.", "no list"),
    BAD("\x80\2K\1K\2s.", "no list"),
    BAD("\x80\2a.", "too few"),
    BAD("\x80\2cos\nsystem\n.", "os.system"),
    BAD("\x80\2cmy.module\ndo_it2\n.", "my.module.do_it2"),
    BAD("\x80\2cmy.module\ndo_i\n.", "my.module.do_i"),
    BAD("\x80\2cos\nsystem", "name is cut off"),
    BAD("\x80\2cos", "name is cut off"),
    BAD("\x80\2c\xff\nsystem\n.", "name is cut off or not UTF-8"),
    BAD("\x80\4\x8c\x08"
        "builtins\x8c\4eval\x93.",
        "builtins.eval"),
    BAD("\x80\4\x8c\x08"
        "builtinsK\1\x93.",
        "name is not text"),
    BAD("\x80\4\x8c\1a\x93.", "too few"),
    BAD("\x80\2ctorch\nFloatStorage\n)R.", "calls"),
    BAD("\x80\2" DICT_CLASS "K\1\x85R.", "calls"),
    BAD("\x80\2cmy.module\ndo_it\nK\1R.", "calls"),
    BAD("\x80\2K\1)R.", "calls"),
    BAD("\x80\2)R.", "too few"),
    BAD("\x80\2K\1}b.", "attributes"),
    BAD("\x80\2}K\1b.", "attributes"),
    BAD("\x80\2}b.", "too few"),
    BAD("\x80\2Q.", "too few"),
    BAD("\x80\2q\0.", "too few"),
    BAD("\x80\2(q\0.", "too few"),
    BAD("\x80\2h\0.", "memo"),
    BAD("\x80\2Nq\1h\0.", "memo"),
    BAD("\x80\2}r\xff\xff\xff\xff.", "memo"),
    BAD("\x80\2j\xff\xff\xff\xff.", "memo"),
    BAD("\x80\2\xf5.", "opcode 0xf5"),
    BAD("\x80\2cmy.module\ndo_it\n)\x81.", "opcode 0x81"),
    BAD("\x80\2(imy.module\ndo_it\n.", "opcode 0x69"),
    BAD("\x80\2I1\n.", "opcode 0x49"),
    BAD("\x80\2N0.", "opcode 0x30"),
    BAD("\x80\2\x82\1.", "opcode 0x82"),
};

START_TEST(bad_pickles_are_refused) {
  as_context *ctx = as_test_context(1);
  as_pickle *pickle;
  ck_assert_refused(
      ctx, as_pickle_read(ctx, (const unsigned char *)bad[_i].data, bad[_i].length, "some.bin", allowed, &pickle),
      AS_E_MODEL, bad[_i].fragment);
  ck_assert_int_eq(strncmp(as_error_text(ctx), "some.bin: pickle, byte ", 23), 0);
  ck_assert_ptr_null(pickle);
  as_test_context_free(ctx);
}
END_TEST

/* One opcode over and over is the most that a byte of pickle can cost. */
START_TEST(memory_is_bounded_by_length) {
  static const struct {
    const char *opcodes;
    size_t length;
  } repeated[] = {{"(", 1},    {"}", 1},   {"N", 1},     {")", 1},       {"K\1", 2},
                  {"}q\0", 3}, {"h\0", 2}, {"]\x94", 2}, {")))\x87", 4}, {"((t", 3}};
  enum { LENGTH = 60000 };
  as_context *ctx = as_test_context(1);
  for (size_t i = 0; i < sizeof repeated / sizeof repeated[0]; i++) {
    as_buffer data;
    as_pickle *pickle;
    as_buffer_init(&data, ctx);
    as_buffer_append(&data, "\x80\4}q\0", 5);
    while (data.length < LENGTH) as_buffer_append(&data, repeated[i].opcodes, repeated[i].length);
    as_status status = as_pickle_read(ctx, (const unsigned char *)data.data, data.length, "x", allowed, &pickle);
    ck_assert_int_eq(status, AS_E_MODEL);
    as_buffer_free(&data);
  }
  ck_assert_uint_lt(as_memory_peak(ctx), 150 * LENGTH);
  as_test_context_free(ctx);
}
END_TEST

static const unsigned char everything[] =
    "\x80\2" DICT_CLASS "q\0)Rq\1(" TEXT("\1", "w") "q\2cmy.module\ndo_it\nq\3((" TEXT(
        "\7", "storage") "ctorch\nFloatStorage\nK\4tq\5Q\x8a\1\xffJ\1\0\0\0M\1\1G\0\0\0\0\0\0\0\0\x88\x89N](K\1K\2e]"
                         "K\3ah\0)RtR" TEXT("\1", "v") "K\1K\2K\3\x87u}" TEXT("\1", "m") "K\1K\2\x86sb.";

START_TEST(every_allocation_may_fail) {
  as_context *ctx = as_test_context(1);
  uint64_t n = 1;
  for (;; n++) {
    as_pickle *pickle;
    as_test_fail_at(ctx, n);
    as_status status = as_pickle_read(ctx, everything, sizeof everything - 1, "x", allowed, &pickle);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    if (!failed) {
      ck_assert_ok(ctx, status);
      as_pickle_free(pickle);
      break;
    }
    ck_assert_int_eq(status, AS_E_NOMEM);
    ck_assert_uint_eq(as_memory_used(ctx), 0);
  }
  ck_assert_uint_gt(n, 5);
  as_test_context_free(ctx);
}
END_TEST

/* Walks a result two levels deep, which reads everything that a user of it would. */
static void walk(const as_pickle *pickle, const as_pickle_value *value, int depth) {
  const as_pickle_value *key, *item;
  uint32_t position = 0;
  if (depth == 0) return;
  if (value->kind == AS_PICKLE_TEXT) ck_assert(value->count == 0 || value->as.text[value->count - 1] != 1);
  if (value->kind == AS_PICKLE_DICT || value->kind == AS_PICKLE_LIST)
    while (as_pickle_next(pickle, value, &position, &key, &item)) walk(pickle, item, depth - 1);
  for (uint32_t i = 0; (item = as_pickle_item(pickle, value, i)); i++) walk(pickle, item, depth - 1);
}

START_TEST(mutated_pickles_do_no_harm) {
  as_context *ctx = as_test_context(1);
  as_random random = as_random_start(11, 1);
  int good = 0;
  for (int round = 0; round < 20000; round++) {
    size_t length = sizeof everything - 1;
    unsigned char *data = as_alloc(ctx, length, 1);
    memcpy(data, everything, length);
    for (uint64_t changes = 1 + as_random_below(&random, 4); changes > 0; changes--)
      data[as_random_below(&random, length)] = as_random_below(&random, 3)
                                                   ? everything[as_random_below(&random, length)]
                                                   : (unsigned char)as_random_u32(&random);
    as_pickle *pickle;
    as_status status = as_pickle_read(ctx, data, length, "x", allowed, &pickle);
    ck_assert(status == AS_OK || status == AS_E_MODEL);
    if (pickle) walk(pickle, as_pickle_root(pickle), 3);
    good += pickle != NULL;
    as_pickle_free(pickle);
    as_free(ctx, data);
  }
  ck_assert_int_gt(good, 100);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("pickle");
  TCase *tcase = tcase_create("pickle");
  tcase_add_loop_test(tcase, integers_are_read, 0, sizeof integers / sizeof integers[0]);
  tcase_add_test(tcase, other_values_are_read);
  tcase_add_test(tcase, containers_are_read);
  tcase_add_test(tcase, calls_are_kept_and_not_made);
  tcase_add_loop_test(tcase, bad_pickles_are_refused, 0, sizeof bad / sizeof bad[0]);
  tcase_add_test(tcase, memory_is_bounded_by_length);
  tcase_add_test(tcase, every_allocation_may_fail);
  tcase_add_test(tcase, mutated_pickles_do_no_harm);
  suite_add_tcase(suite, tcase);
  return suite;
}
