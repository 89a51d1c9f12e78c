/* SHA-256 against the examples of FIPS 180-4 (NIST, "SHA256.pdf" of the examples with intermediate values, and the long
 * message of a million letters). */
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "tests/harness.h"

static const struct {
  const char *text;
  int repeat;
  const char *hex;
} vectors[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static void digest_hex(as_sha256 *hash, char hex[65]) {
  unsigned char digest[32];
  as_sha256_finish(hash, digest);
  as_sha256_hex(digest, hex);
}

START_TEST(known_messages_have_known_digests) {
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    as_sha256 hash;
    as_sha256_start(&hash);
    for (int k = 0; k < vectors[i].repeat; k++) as_sha256_update(&hash, vectors[i].text, strlen(vectors[i].text));
    char hex[65];
    digest_hex(&hash, hex);
    ck_assert_str_eq(hex, vectors[i].hex);
  }
}
END_TEST

START_TEST(the_cut_into_blocks_does_not_matter) {
  unsigned char bytes[300];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 7);
  for (size_t length = 0; length <= sizeof bytes; length++) {
    as_sha256 whole, parts;
    as_sha256_start(&whole);
    as_sha256_start(&parts);
    as_sha256_update(&whole, bytes, length);
    for (size_t at = 0, step = 1; at < length; at += step, step = step % 97 + 13)
      as_sha256_update(&parts, bytes + at, at + step < length ? step : length - at);
    char a[65], b[65];
    digest_hex(&whole, a);
    digest_hex(&parts, b);
    ck_assert_str_eq(a, b);
  }
}
END_TEST

START_TEST(files_are_hashed_and_absent_ones_refused) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  char *path = as_path_join(ctx, folder, "abc");
  ck_assert_ok(ctx, as_file_write(ctx, path, "abc", 3));
  unsigned char digest[32];
  char hex[65];
  ck_assert_ok(ctx, as_sha256_file(ctx, path, AS_E_MODEL, digest));
  as_sha256_hex(digest, hex);
  ck_assert_str_eq(hex, vectors[1].hex);
  ck_assert_refused(ctx, as_sha256_file(ctx, "/no/such", AS_E_MODEL, digest), AS_E_MODEL, "/no/such: cannot be opened");
  ck_assert_refused(ctx, as_sha256_file(ctx, folder, AS_E_DATA, digest), AS_E_DATA, "cannot be read");
  as_free(ctx, path);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("sha256");
  TCase *tests = tcase_create("sha256");
  tcase_add_test(tests, known_messages_have_known_digests);
  tcase_add_test(tests, the_cut_into_blocks_does_not_matter);
  tcase_add_test(tests, files_are_hashed_and_absent_ones_refused);
  suite_add_tcase(suite, tests);
  return suite;
}
