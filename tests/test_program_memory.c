/* The commands config and data with every allocation failing in its turn: exit code 1 with the reason, nothing printed
 * as a result, no memory left, and none of the files that were there changed. */
#include <string.h>

#include "tests/harness.h"
#include "tests/program.h"

static as_context *ctx;
static const char *folder;

/* folder/name; static memory, 32 in turn. */
static const char *below(const char *name) {
  static char paths[32][4200];
  static unsigned turn;
  char *path = paths[turn++ % 32];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static void write_text(const char *name, const char *text) {
  ck_assert_ok(ctx, as_file_write(ctx, below(name), text, strlen(text)));
}

static void setup(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
  write_text("my.conf", "threads = 1\n[doctor]\njson = yes\n[train]\nepochs = 3\n");
  write_text("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nword\n");
  write_text("train.csv", "content,intent,day,who\none,x,1,a\ntwo,x,2,b\nthree,y,3,c\nword,y,4,d\n");
  write_text("other.csv", "content,intent\nnew,x\nold,y\n");
  write_text("products.csv", "product_id,name,price\n1,lamp,2\n2,rug,3.50\n");
  write_text("interactions.csv",
             "customer_id,product_id,interaction_type,timestamp\n7,1,view,1\n7,2,view,2\n8,1,view,3\n");
}
static void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

enum { COMMANDS = 13, WORDS = 12 };

static void take_command(int which, const char *words[WORDS]) {
  const char *const commands[COMMANDS][WORDS] = {
      {"config", "show", "doctor", "--config", below("my.conf")},
      {"config", "show", "doctor", "--config", below("my.conf"), "--json"},
      {"config", "check", below("my.conf")},
      {"config", "example", "doctor"},
      {"data", "check", below("train.csv"), "--tokenizer", below("vocab.txt"), "--against", below("other.csv")},
      {"data", "check", below("train.csv"), "--json"},
      {"data", "check", "--products", below("products.csv"), "--interactions", below("interactions.csv")},
      {"data", "check", "--products", below("products.csv"), "--interactions", below("interactions.csv"), "--json"},
      {"data", "split", below("train.csv"), "--out-dir", below("out"), "--overwrite", "--test", "0.3"},
      {"data", "split", below("train.csv"), "--out-dir", below("out"), "--overwrite", "--by", "time", "--time-col",
       "day", "--json"},
      {"data", "split", below("train.csv"), "--out-dir", below("out"), "--overwrite", "--by", "group", "--group-col",
       "who"},
      {"data", "split", "--interactions", below("interactions.csv"), "--out-dir", below("out"), "--overwrite"},
      {"data", "synth", "--out-dir", below("made"), "--rows-per-class", "1", "--customers", "1"},
  };
  memcpy(words, commands[which], sizeof commands[which]);
}

START_TEST(every_failing_allocation_is_reported) {
  const char *words[WORDS];
  take_command(_i, words);
  for (uint64_t n = 1;; n++) {
    const size_t used = as_memory_used(ctx);
    as_test_fail_at(ctx, n);
    as_program program = as_run_program(ctx, words);
    const bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_msg(program.code == (failed ? 1 : 0), "allocation %llu: exit %d: %s", (unsigned long long)n, program.code,
                  program.err);
    if (failed) ck_assert_msg(strstr(program.err, "memory") && !*program.out, "%s%s", program.err, program.out);
    as_program_free(&program);
    ck_assert_uint_eq(as_memory_used(ctx), used);
    if (!failed) {
      ck_assert_uint_gt(n, 3);
      break;
    }
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("program_memory");
  TCase *tests = tcase_create("memory");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_loop_test(tests, every_failing_allocation_is_reported, 0, COMMANDS);
  suite_add_tcase(suite, tests);
  return suite;
}
