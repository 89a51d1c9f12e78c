/* Export and import: the same bytes there and back, and archives that mean harm. */
#include "lifecycle/transfer.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lifecycle/manifest.h"
#include "lifecycle/tar.h"
#include "base/sha256.h"
#include "tests/store_fixture.h"

#define MODEL "intent"

typedef struct sites {
  as_context *ctx;
  const char *folder;
  as_store *here, *there;
  const char *archive;
} sites;

static sites start(void) {
  sites s = {.ctx = as_test_context(1), .folder = as_test_folder()};
  s.here = as_fixture_store(s.ctx, s.folder);
  ck_assert_ok(s.ctx, as_store_open(s.ctx, as_fixture_path(s.folder, "there"), &s.there));
  s.archive = strdup(as_fixture_path(s.folder, "model.tar"));
  as_fixture_add(s.ctx, s.here, MODEL, "one");
  return s;
}

static void finish(sites *s) {
  free((char *)s->archive);
  as_store_close(s->here);
  as_store_close(s->there);
  as_test_context_free(s->ctx);
}

static as_status import(sites *s, const char *model, int64_t *number) {
  as_version version = {.number = 0};
  bool is_champion;
  as_status status = as_store_import(s->there, s->archive, model, &version, &is_champion);
  *number = version.number;
  return status;
}

START_TEST(there_and_back) {
  sites s = start();
  uint64_t bytes, again;
  int64_t number;
  ck_assert_ok(s.ctx, as_store_export(s.here, &(as_version){MODEL, 1}, s.archive, &bytes));
  ck_assert_uint_eq(bytes % 512, 0);
  ck_assert_ok(s.ctx, as_store_export(s.here, &(as_version){MODEL, 1}, as_fixture_path(s.folder, "again.tar"), &again));
  char *a, *b;
  size_t length_a, length_b;
  ck_assert_ok(s.ctx, as_file_read(s.ctx, s.archive, 0, AS_E_IO, &a, &length_a));
  ck_assert_ok(s.ctx, as_file_read(s.ctx, as_fixture_path(s.folder, "again.tar"), 0, AS_E_IO, &b, &length_b));
  ck_assert_uint_eq(length_a, bytes);
  ck_assert_uint_eq(length_b, length_a);
  ck_assert_int_eq(memcmp(a, b, length_a), 0);
  as_free(s.ctx, a);
  as_free(s.ctx, b);
  ck_assert_ok(s.ctx, import(&s, NULL, &number));
  ck_assert_int_eq(number, 1);
  as_fixture_expect(s.ctx, s.there, "intent@champion", "one");
  ck_assert_ok(s.ctx, import(&s, NULL, &number)); /* numbers are this site's own */
  ck_assert_int_eq(number, 2);
  ck_assert_int_eq(as_fixture_alias(s.ctx, s.there, MODEL, AS_CHAMPION), 1);
  ck_assert_int_eq(as_fixture_alias(s.ctx, s.there, MODEL, AS_CHALLENGER), 2);
  ck_assert_ok(s.ctx, import(&s, "intent_de", &number));
  as_fixture_expect(s.ctx, s.there, "intent_de@champion", "one");
  ck_assert_ok(s.ctx, as_store_verify(s.there, &(as_version){.model = MODEL}, NULL, NULL));
  ck_assert_refused(s.ctx, import(&s, "../x", &number), AS_E_INVALID, "is no name of a model");
  finish(&s);
}
END_TEST

/* tar itself reads what we write, and writes what we read. */
START_TEST(tar_agrees) {
  sites s = start();
  uint64_t bytes;
  int64_t number;
  char command[2048];
  ck_assert_ok(s.ctx, as_store_export(s.here, &(as_version){MODEL, 1}, s.archive, &bytes));
  snprintf(command, sizeof command,
           "cd '%s' && mkdir out && tar -xf model.tar -C out && cd out/intent/v0001 && "
           "diff -r . ../../../trained_models/intent/v0001",
           s.folder);
  ck_assert_int_eq(system(command), 0);
  snprintf(command, sizeof command, "cd '%s' && rm model.tar && tar -cf model.tar -C out intent", s.folder);
  ck_assert_int_eq(system(command), 0);
  ck_assert_ok(s.ctx, import(&s, NULL, &number));
  as_fixture_expect(s.ctx, s.there, "intent@champion", "one");
  finish(&s);
}
END_TEST

START_TEST(damaged_version_is_not_exported) {
  sites s = start();
  uint64_t bytes;
  const char *weights = as_fixture_path(as_store_root(s.here), MODEL "/v0001/model.safetensors");
  ck_assert_ok(s.ctx, as_file_write(s.ctx, weights, "onf", 3));
  ck_assert_refused(s.ctx, as_store_export(s.here, &(as_version){MODEL, 1}, s.archive, &bytes), AS_E_MODEL,
                    "its SHA-256 differs");
  ck_assert(!as_path_exists(s.archive));
  ck_assert_refused(s.ctx, as_store_export(s.here, &(as_version){MODEL, 4}, s.archive, &bytes), AS_E_MODEL,
                    "no such version");
  finish(&s);
}
END_TEST

/* ---- archives that mean harm ------------------------------------------------------------------------------------ */

typedef struct member {
  const char *name, *content;
  char type; /* 0: a plain file */
} member;

static void put_manifest(as_buffer *text, const member *m) {
  as_sha256 hash;
  unsigned char digest[32];
  char hex[65];
  as_sha256_start(&hash);
  as_sha256_update(&hash, m->content, strlen(m->content));
  as_sha256_finish(&hash, digest);
  as_sha256_hex(digest, hex);
  as_buffer_printf(text, "%s  %s\n", hex, strrchr(m->name, '/') ? strrchr(m->name, '/') + 1 : m->name);
}

static void put_member(FILE *out, as_context *ctx, const member *m, const char *content) {
  long at = ftell(out);
  ck_assert_ok(ctx, as_tar_header(ctx, out, m->name, strlen(content)));
  if (m->type) { /* another type, or damage: the header is written anew with its checksum */
    unsigned char header[512];
    unsigned sum = 0;
    fflush(out);
    ck_assert_int_eq(fseek(out, at, SEEK_SET), 0);
    ck_assert_uint_eq(fread(header, 1, 512, out), 512);
    header[156] = (unsigned char)m->type;
    if (m->type == '1' || m->type == '2') strcpy((char *)header + 157, "/etc/passwd");
    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++) sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
    ck_assert_int_eq(fseek(out, at, SEEK_SET), 0);
    fwrite(header, 1, 512, out);
  }
  fwrite(content, 1, strlen(content), out);
  as_tar_pad(out, strlen(content));
}

#define TOP "intent/v0001/"
static const struct {
  member members[4];
  const char *says;
} harmful[] = {
    {{{TOP "../../../../evil", "x", 0}}, "a name that a model version does not have"},
    {{{"/tmp/evil", "x", 0}}, "is no file of a model version"},
    {{{"../intent/v0001/evil", "x", 0}}, "is no file of a model version"},
    {{{"intent/../evil", "x", 0}}, "is no file of a model version"},
    {{{"intent/v0001", "x", 0}}, "is no file of a model version"},
    {{{"intent/evil/config.json", "x", 0}}, "is no file of a model version"},
    {{{"Intent/v0001/config.json", "x", 0}}, "is no file of a model version"},
    {{{TOP "config.json", "x", 0}, {"intent/v0002/config.json", "x", 0}}, "does not lie below intent/v0001/"},
    {{{TOP ".hidden", "x", 0}}, "a name that a model version does not have"},
    {{{TOP "a//b", "x", 0}}, "a name that a model version does not have"},
    {{{TOP "a\\b", "x", 0}}, "a name that a model version does not have"},
    {{{TOP "a\nb", "x", 0}}, "a name that a model version does not have"},
    {{{TOP "a/b/c/d/e", "x", 0}}, "a name that a model version does not have"},
    {{{TOP "link", "", '2'}}, "holds something else than files"},
    {{{TOP "link", "", '1'}}, "holds something else than files"},
    {{{TOP "device", "", '3'}}, "holds something else than files"},
    {{{TOP "pipe", "", '6'}}, "holds something else than files"},
    {{{TOP "long", "name", 'L'}}, "holds something else than files"},
    {{{TOP "pax", "11 path=/x\n", 'x'}}, "holds something else than files"},
    {{{TOP "config.json", "x", 0}, {TOP "config.json", "x", 0}}, "stands in the archive twice"},
};

static void expect_nothing_written(sites *s) {
  ck_assert(!as_path_exists(as_fixture_path(s->folder, "evil")));
  ck_assert(!as_path_exists(as_fixture_path(s->folder, "there/evil")));
  ck_assert(!as_path_exists("/tmp/evil"));
  ck_assert_msg(!as_path_exists(as_store_root(s->there)), "a refused import leaves no folder");
}

START_TEST(harmful_archives_are_refused) {
  sites s = start();
  int64_t number;
  as_buffer manifest;
  as_buffer_init(&manifest, s.ctx);
  FILE *out = fopen(s.archive, "w+b");
  ck_assert_ptr_nonnull(out);
  for (const member *m = harmful[_i].members; m->name; m++) {
    put_member(out, s.ctx, m, m->content);
    if (m == harmful[_i].members || strcmp(m->name, m[-1].name) != 0) put_manifest(&manifest, m);
  }
  put_member(out, s.ctx, &(member){.name = TOP AS_MANIFEST_NAME}, as_buffer_string(&manifest));
  as_tar_end(out);
  fclose(out);
  as_buffer_free(&manifest);
  ck_assert_refused(s.ctx, import(&s, NULL, &number), AS_E_MODEL, harmful[_i].says);
  expect_nothing_written(&s);
  finish(&s);
}
END_TEST

/* Every cut and every flipped byte is noticed, or does not matter: what comes in verifies. */
START_TEST(cut_and_changed_archives) {
  sites s = start();
  uint64_t bytes;
  int64_t number;
  char *whole;
  size_t length;
  ck_assert_ok(s.ctx, as_store_export(s.here, &(as_version){MODEL, 1}, s.archive, &bytes));
  ck_assert_ok(s.ctx, as_file_read(s.ctx, s.archive, 0, AS_E_IO, &whole, &length));
  for (size_t cut = 0; cut + 512 < length; cut += cut % 512 == 1 ? 511 : 1) { /* at each block and just behind it */
    ck_assert_ok(s.ctx, as_file_write(s.ctx, s.archive, whole, cut));
    if (cut + 1024 == length) continue; /* without its last two blocks there is no end */
    ck_assert_int_eq(import(&s, NULL, &number), AS_E_MODEL);
    expect_nothing_written(&s);
  }
  int taken = 0, refused = 0;
  for (size_t at = 0; at < length; at += 7) {
    whole[at] = (char)(whole[at] ^ 0x41);
    ck_assert_ok(s.ctx, as_file_write(s.ctx, s.archive, whole, length));
    whole[at] = (char)(whole[at] ^ 0x41);
    as_status status = import(&s, NULL, &number);
    ck_assert_msg(status == AS_OK || status == AS_E_MODEL, "byte %zu: %s", at, as_error_text(s.ctx));
    taken += status == AS_OK;
    refused += status != AS_OK;
  }
  ck_assert_int_gt(refused, 100);
  if (taken) {
    ck_assert_ok(s.ctx, as_store_verify(s.there, &(as_version){.model = MODEL}, NULL, NULL));
    as_fixture_expect(s.ctx, s.there, "intent@champion", "one");
  }
  as_free(s.ctx, whole);
  finish(&s);
}
END_TEST

START_TEST(other_files_are_refused) {
  sites s = start();
  int64_t number;
  ck_assert_refused(s.ctx, import(&s, NULL, &number), AS_E_MODEL, "model.tar: cannot be opened");
  ck_assert_ok(s.ctx, as_file_write(s.ctx, s.archive, "", 0));
  ck_assert_refused(s.ctx, import(&s, NULL, &number), AS_E_MODEL, "cut short");
  char zeros[1024] = {0};
  ck_assert_ok(s.ctx, as_file_write(s.ctx, s.archive, zeros, sizeof zeros));
  ck_assert_refused(s.ctx, import(&s, NULL, &number), AS_E_MODEL, "holds no " AS_MANIFEST_NAME);
  memset(zeros, 'x', sizeof zeros);
  ck_assert_ok(s.ctx, as_file_write(s.ctx, s.archive, zeros, sizeof zeros));
  ck_assert_refused(s.ctx, import(&s, NULL, &number), AS_E_MODEL, "this is no tar archive");
  expect_nothing_written(&s);
  finish(&s);
}
END_TEST

START_TEST(model_of_another_task_is_refused) {
  sites s = start();
  uint64_t bytes;
  int64_t number;
  as_store_work work;
  const char *text = "{\"task\": \"sentiment\"}\n";
  ck_assert_ok(s.ctx, as_store_begin_training(s.here, MODEL, &work));
  as_fixture_files(s.ctx, work.folder, "two");
  ck_assert_ok(s.ctx, as_file_write(s.ctx, as_fixture_path(work.folder, "assistify.json"), text, strlen(text)));
  ck_assert_ok(s.ctx, as_store_publish(&work, true));
  as_store_work_end(&work);
  ck_assert_ok(s.ctx, as_store_export(s.here, &(as_version){MODEL, 2}, s.archive, &bytes));
  ck_assert_refused(s.ctx, import(&s, NULL, &number), AS_E_MODEL, "trained for sentiment, not for intent");
  ck_assert_ok(s.ctx, import(&s, "sentiment", &number));
  finish(&s);
}
END_TEST

START_TEST(failing_allocations) {
  for (uint64_t at = 1;; at++) {
    sites s = start();
    uint64_t bytes;
    int64_t number;
    ck_assert_ok(s.ctx, as_store_export(s.here, &(as_version){MODEL, 1}, s.archive, &bytes));
    as_test_fail_at(s.ctx, at);
    as_status status = as_store_export(s.here, &(as_version){MODEL, 1}, s.archive, &bytes);
    if (status == AS_OK) status = import(&s, NULL, &number);
    bool failed = as_test_failed_one(s.ctx);
    as_test_fail_at(s.ctx, 0);
    ck_assert_msg(!failed || status == AS_E_NOMEM, "allocation %d: %s", (int)at, as_error_text(s.ctx));
    int64_t *list;
    size_t count;
    ck_assert_ok(s.ctx, as_store_versions(s.there, MODEL, &list, &count));
    as_free(s.ctx, list);
    if (count) ck_assert_ok(s.ctx, as_store_verify(s.there, &(as_version){.model = MODEL}, NULL, NULL));
    const char *folder = s.folder;
    finish(&s);
    as_test_folder_remove(folder);
    if (!failed) break;
  }
}
END_TEST

Suite *as_suite(void) {
  as_fixture_folders_in_memory();
  Suite *suite = suite_create("transfer");
  TCase *plain = tcase_create("export and import"), *harm = tcase_create("harmful archives");
  tcase_add_test(plain, there_and_back);
  tcase_add_test(plain, tar_agrees);
  tcase_add_test(plain, damaged_version_is_not_exported);
  tcase_add_test(plain, model_of_another_task_is_refused);
  tcase_add_test(plain, failing_allocations);
  tcase_add_loop_test(harm, harmful_archives_are_refused, 0, (int)(sizeof harmful / sizeof harmful[0]));
  tcase_add_test(harm, cut_and_changed_archives);
  tcase_add_test(harm, other_files_are_refused);
  suite_add_tcase(suite, plain);
  suite_add_tcase(suite, harm);
  return suite;
}
