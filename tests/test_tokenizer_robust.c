/* Neither a failing allocation nor a damaged file does harm: an error, nothing leaked, nothing half done. */
#include "base/random.h"
#include "tests/bpe_files.h"
#include "tests/text_source.h"
#include "tests/tokenizer_folder.h"

/* ---- failing allocations -------------------------------------------------------------------------------------- */

/* The kinds of tokenizers, and how their files come into the folder. */
static void put_wordpiece(void) {
  put_text("vocab.txt", SMALL_VOCAB);
  char *text = small_json(ctx, ",{\"id\":39,\"content\":\"X Y\",\"lstrip\":true}", NULL, NULL);
  put_text("tokenizer.json", text);
  as_free(ctx, text);
  put_text("tokenizer_config.json",
           "{\"do_lower_case\": true, \"unk_token\": \"[UNK]\", \"cls_token\": {\"content\": \"[CLS]\"}, "
           "\"model_max_length\": 512, \"added_tokens_decoder\": {\"4\": {\"content\": \"[MASK]\"}}}");
}

static void put_bpe(void) {
  write_small_bpe(ctx, folder);
  char *text = small_bpe_json(ctx, "\"unk_token\":\"<unk>\",\"fuse_unk\":true,", NULL, NULL);
  put_text("tokenizer.json", text);
  as_free(ctx, text);
  put_text("tokenizer_config.json",
           "{\"add_prefix_space\": true, \"unk_token\": \"<unk>\", \"cls_token\": {\"content\": \"<s>\"}, "
           "\"model_max_length\": 512, \"added_tokens_decoder\": {\"4\": {\"content\": \"<mask>\"}}}");
}

static const struct {
  const char *model, *vocabulary;
  void (*put)(void);
} kinds[] = {{"WordPiece", "vocab.txt", put_wordpiece}, {"BPE", "vocab.json", put_bpe}};
enum { KINDS = 2 };

typedef struct job {
  int kind;
  as_tokenizer *tokenizer;
} job;

static as_status open_file(const char *name) {
  as_tokenizer *tokenizer;
  as_status status = as_tokenizer_open(ctx, path_of(name), &tokenizer);
  as_tokenizer_free(tokenizer);
  return status;
}

static as_status open_json(job *work) {
  (void)work;
  return open_file("tokenizer.json");
}

static as_status open_vocab(job *work) {
  return open_file(kinds[work->kind].vocabulary);
}

static as_status encode_pair(job *work) {
  as_encoding encoding;
  as_encoding_init(&encoding, ctx);
  const char *text = "Caf\xC3\xA9 \xFF un[MASK]affable <mask>  hello world \xE4\xB8\xAD \xE3\x80\xAE\xF0\x9D\x85\xA5",
             *pair = "where is my\xC2 order";
  as_encode_options options = {.offsets = true, .max_length = 6, .windows = true, .pad_to = 8};
  as_status status = as_tokenizer_encode(work->tokenizer, text, strlen(text), pair, strlen(pair), &options, &encoding);
  as_encoding_free(&encoding);
  return status;
}

static as_status decode_ids(job *work) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_status status = as_tokenizer_decode(work->tokenizer, (int64_t[]){2, 8, 9, 21, 39, 3}, 6, false, &out);
  as_buffer_free(&out);
  return status;
}

static as_status save_all(job *work) {
  return as_tokenizer_save(work->tokenizer, path_of("saved"), 0);
}

static as_status train(job *work) {
  static const char *const lines[] = {"low lower lowest", "new newer newest", "wide \xFF wider", NULL};
  as_lines_source source = {.lines = lines};
  as_tokenizer *tokenizer;
  as_status status =
      as_tokenizer_train(ctx, kinds[work->kind].model, work->kind ? 300 : 60, as_next_line, &source, &tokenizer);
  as_tokenizer_free(tokenizer);
  return status;
}

static const struct {
  const char *name;
  as_status (*run)(job *work);
} jobs[] = {{"open tokenizer.json", open_json},
            {"open the vocabulary", open_vocab},
            {"encode", encode_pair},
            {"decode", decode_ids},
            {"save", save_all},
            {"train", train}};
enum { JOBS = sizeof jobs / sizeof *jobs };

START_TEST(every_failing_allocation_is_survived) {
  const int run = _i % JOBS;
  job work = {.kind = _i / JOBS};
  kinds[work.kind].put();
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &work.tokenizer));
  size_t used = as_memory_used(ctx);
  uint64_t n = 1;
  for (;; n++) {
    as_test_fail_at(ctx, n);
    as_status status = jobs[run].run(&work);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    if (as_memory_used(ctx) != used)
      ck_abort_msg("%s: allocation %llu failing leaks", jobs[run].name, (unsigned long long)n);
    if (!failed) {
      ck_assert_int_eq(status, AS_OK);
      break;
    }
    if (status != AS_E_NOMEM)
      ck_abort_msg("%s: allocation %llu failing gives status %d", jobs[run].name, (unsigned long long)n, (int)status);
  }
  ck_assert_uint_gt(n, 2);
  as_tokenizer_free(work.tokenizer);
}
END_TEST

/* ---- damaged files -------------------------------------------------------------------------------------------- */

/* Changes a few bytes: overwritten, removed, doubled. Returns the new length; there is room for 64 more. */
static size_t damage(as_random *random, char *text, size_t length) {
  for (uint64_t i = as_random_below(random, 4) + 1; i > 0 && length > 8; i--) {
    size_t at = (size_t)as_random_below(random, length), size = (size_t)as_random_below(random, 8) + 1;
    if (size > length - at) size = length - at;
    switch (as_random_below(random, 4)) {
    case 0:
      text[at] = (char)as_random_below(random, 256);
      break;
    case 1:
      text[at] = "{}[]\",:0-9e.\\n"[as_random_below(random, 14)];
      break;
    case 2:
      memmove(text + at, text + at + size, length - at - size);
      length -= size;
      break;
    default:
      memmove(text + at + size, text + at, length - at);
      length += size;
    }
  }
  return length;
}

static const struct {
  int kind;
  const char *name;
} damaged[] = {{0, "tokenizer.json"}, {0, "vocab.txt"},  {0, "tokenizer_config.json"}, {1, "tokenizer.json"},
               {1, "vocab.json"},     {1, "merges.txt"}, {1, "tokenizer_config.json"}};

/* A damaged file opens or is refused with a text; what opens can be used. */
START_TEST(damaged_files_do_no_harm) {
  const char *name = damaged[_i].name;
  size_t length;
  char *good;
  kinds[damaged[_i].kind].put();
  ck_assert_ok(ctx, as_file_read(ctx, path_of(name), 0, AS_E_MODEL, &good, &length));
  if (strcmp(name, "tokenizer.json") != 0) ck_assert_int_eq(remove(path_of("tokenizer.json")), 0);
  char *bad = as_alloc(ctx, length + 64, 1);
  as_random random = as_random_start(7, (uint64_t)_i);
  as_encoding encoding;
  as_encoding_init(&encoding, ctx);
  size_t opened = 0;
  for (int round = 0; round < 1500; round++) {
    memcpy(bad, good, length);
    as_tokenizer *tokenizer;
    FILE *file = fopen(path_of(name), "wb"); /* as_file_write would wait for the disk each time */
    ck_assert_ptr_nonnull(file);
    size_t size = damage(&random, bad, length);
    ck_assert_uint_eq(fwrite(bad, 1, size, file), size);
    fclose(file);
    as_status status = as_tokenizer_open(ctx, folder, &tokenizer);
    if (status != AS_OK) {
      ck_assert_int_eq(status, AS_E_MODEL);
      ck_assert_ptr_nonnull(strstr(as_error_text(ctx), folder));
      continue;
    }
    opened++;
    const char *text = "Where is my X Y order? un[MASK]affable <mask>hello world caf\xC3\xA9 \xE4\xB8\xAD";
    as_encode_options options = {.offsets = true};
    ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, text, strlen(text), text, strlen(text), &options, &encoding));
    for (size_t i = 0; i < encoding.length; i++)
      ck_assert_uint_lt((size_t)encoding.ids[i], as_tokenizer_vocab_size(tokenizer));
    as_tokenizer_free(tokenizer);
  }
  ck_assert_uint_gt(opened, 10);
  ck_assert_uint_lt(opened, 1400);
  as_encoding_free(&encoding);
  as_free(ctx, bad);
  as_free(ctx, good);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("tokenizer_robust");
  TCase *tcase = tcase_create("robust");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_loop_test(tcase, every_failing_allocation_is_survived, 0, KINDS * JOBS);
  tcase_add_loop_test(tcase, damaged_files_do_no_harm, 0, (int)(sizeof damaged / sizeof *damaged));
  suite_add_tcase(suite, tcase);
  return suite;
}
