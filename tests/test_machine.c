/* The machine as the process sees it: processors and memory, with the limits of control groups of both versions. The
 * systems are folders with the files that the kernel would show. */
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/internal.h"
#include "tests/harness.h"

static void put(const char *root, const char *path, const char *text) {
  as_context *ctx = as_test_context(1);
  char full[4096];
  snprintf(full, sizeof full, "%s/%s", root, path);
  *strrchr(full, '/') = 0;
  ck_assert_ok(ctx, as_make_folders(ctx, full));
  full[strlen(full)] = '/';
  ck_assert_ok(ctx, as_file_write(ctx, full, text, strlen(text)));
  as_test_context_free(ctx);
}

static const char MEMINFO[] = "MemTotal:       24684092 kB\nMemFree:        1000000 kB\nMemAvailable:   20000000 kB\n";

START_TEST(without_groups_the_machine_is_all) {
  const char *root = as_test_folder();
  as_machine_memory memory;
  put(root, "proc/meminfo", MEMINFO);
  as_machine_memory_at(root, &memory);
  ck_assert_uint_eq(memory.total, UINT64_C(24684092) * 1024);
  ck_assert_uint_eq(memory.available, UINT64_C(20000000) * 1024);
  ck_assert_uint_eq(memory.cgroup_limit, UINT64_MAX);
  ck_assert_int_eq(as_cgroup_processors(root), INT_MAX);
  as_test_folder_remove(root);
}
END_TEST

START_TEST(version_2_the_lowest_of_the_way_up_counts) {
  const char *root = as_test_folder();
  as_machine_memory memory;
  put(root, "proc/meminfo", MEMINFO);
  put(root, "proc/self/cgroup", "0::/outer/inner\n");
  put(root, "proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n");
  put(root, "sys/fs/cgroup/outer/memory.max", "4294967296\n");
  put(root, "sys/fs/cgroup/outer/memory.current", "3221225472\n");
  put(root, "sys/fs/cgroup/outer/memory.stat", "anon 1\nactive_file 7\ninactive_file 1073741824\n");
  put(root, "sys/fs/cgroup/outer/inner/memory.max", "max\n");
  put(root, "sys/fs/cgroup/outer/cpu.max", "250000 100000\n");
  put(root, "sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
  as_machine_memory_at(root, &memory);
  ck_assert_uint_eq(memory.cgroup_limit, UINT64_C(4294967296));
  ck_assert_uint_eq(memory.available, UINT64_C(2147483648));
  ck_assert_int_eq(as_cgroup_processors(root), 3);
  as_test_folder_remove(root);
}
END_TEST

START_TEST(version_1_is_read_from_its_controllers) {
  const char *root = as_test_folder();
  as_machine_memory memory;
  put(root, "proc/meminfo", MEMINFO);
  put(root, "proc/self/cgroup", "4:memory:/box\n2:cpu,cpuacct:/box\n0::/\n");
  put(root, "proc/self/mountinfo",
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put(root, "sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1073741824\n");
  put(root, "sys/fs/cgroup/memory/box/memory.usage_in_bytes", "1073741824\n");
  put(root, "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "-1\n");
  put(root, "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
  as_machine_memory_at(root, &memory);
  ck_assert_uint_eq(memory.cgroup_limit, UINT64_C(1073741824));
  ck_assert_uint_eq(memory.available, 0);
  ck_assert_int_eq(as_cgroup_processors(root), INT_MAX);
  as_test_folder_remove(root);
}
END_TEST

START_TEST(this_machine_has_something) {
  as_machine_memory memory;
  as_machine_memory_read(&memory);
  ck_assert_uint_gt(memory.total, 0);
  ck_assert_uint_gt(memory.available, 0);
  ck_assert_int_ge(as_default_threads(), 1);
}
END_TEST

START_TEST(peak_memory_grows_with_what_is_touched) {
  enum { BYTES = 32 << 20 };
  uint64_t before = as_peak_resident_bytes();
  ck_assert_uint_gt(before, 0);
  as_context *ctx = as_test_context(1);
  char *memory = as_alloc(ctx, BYTES, 1);
  ck_assert_ptr_nonnull(memory);
  for (size_t i = 0; i < BYTES; i += 1024) ((volatile char *)memory)[i] = 1;
  as_free(ctx, memory);
  ck_assert_uint_ge(as_peak_resident_bytes(), before + BYTES / 2); /* kept when the memory is given back */
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("machine");
  TCase *machine = tcase_create("machine");
  tcase_add_test(machine, without_groups_the_machine_is_all);
  tcase_add_test(machine, version_2_the_lowest_of_the_way_up_counts);
  tcase_add_test(machine, version_1_is_read_from_its_controllers);
  tcase_add_test(machine, this_machine_has_something);
  tcase_add_test(machine, peak_memory_grows_with_what_is_touched);
  suite_add_tcase(suite, machine);
  return suite;
}
