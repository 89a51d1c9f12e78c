/* How many processors this process may use: its affinity mask, lowered to the CPU quota of its control group. */
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/internal.h"

static double processors_of(double quota, double period) {
  if (quota <= 0 || period <= 0) return INFINITY;
  return ceil(quota / period);
}

/* The quota of one control group's folder. cpu.max (version 2) holds "max 100000" or "150000 100000". */
static double folder_processors(const char *folder, bool version2) {
  if (!version2)
    return processors_of(as_read_number(folder, "cpu.cfs_quota_us"), as_read_number(folder, "cpu.cfs_period_us"));
  char path[PATH_MAX], text[64], *end;
  if (snprintf(path, sizeof path, "%s/cpu.max", folder) >= (int)sizeof path) return INFINITY;
  as_read_start(path, text, sizeof text);
  long long quota = strtoll(text, &end, 10);
  return end == text ? INFINITY : processors_of((double)quota, (double)strtoll(end, NULL, 10));
}

int as_cgroup_processors(const char *root) {
  double processors = as_cgroup_lowest(root, "cpu", folder_processors);
  return processors < INT_MAX ? (int)processors : INT_MAX;
}

int as_default_threads(void) {
  cpu_set_t set[64]; /* 65,536 processors: the kernel refuses a mask that is too short for its own */
  int threads = 1;
  if (sched_getaffinity(0, sizeof set, set) == 0) threads = CPU_COUNT_S(sizeof set, set);
  int quota = as_cgroup_processors("");
  if (threads > quota) threads = quota;
  if (threads > AS_MAX_THREADS) threads = AS_MAX_THREADS;
  return threads < 1 ? 1 : threads;
}
