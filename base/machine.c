#include "base/machine.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/internal.h"

static double none_if_negative(double value) {
  return value < 0 ? INFINITY : value;
}

/* Version 1 says "no limit" by a number near 2^63. */
static double memory_limit(const char *folder, bool version2) {
  double limit = none_if_negative(as_read_number(folder, version2 ? "memory.max" : "memory.limit_in_bytes"));
  return limit >= 0x1p62 ? INFINITY : limit;
}

/* The number after "name " at the start of a line; `missing` if there is none. */
static double field(const char *text, const char *name, double missing) {
  size_t length = strlen(name);
  for (const char *line = text; line; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, name, length) == 0) return (double)strtoll(line + length, NULL, 10);
  }
  return missing;
}

/* What is left of a group's limit. Its files that are in the cache and not in use give way, so they are not counted. */
static double memory_left(const char *folder, bool version2) {
  double limit = memory_limit(folder, version2);
  double used = as_read_number(folder, version2 ? "memory.current" : "memory.usage_in_bytes");
  if (isinf(limit) || used < 0) return limit;
  char path[PATH_MAX], text[4096];
  if (snprintf(path, sizeof path, "%s/memory.stat", folder) >= (int)sizeof path) return limit;
  as_read_start(path, text, sizeof text);
  double left = limit - used + field(text, version2 ? "inactive_file " : "total_inactive_file ", 0);
  return left < 0 ? 0 : left < limit ? left : limit;
}

static uint64_t bytes(double value) {
  return value < 0x1p63 ? (uint64_t)value : UINT64_MAX;
}

void as_machine_memory_at(const char *root, as_machine_memory *out) {
  char path[PATH_MAX], text[4096] = "";
  if (snprintf(path, sizeof path, "%s/proc/meminfo", root) < (int)sizeof path) as_read_start(path, text, sizeof text);
  double free = field(text, "MemAvailable:", INFINITY) * 1024;
  double left = as_cgroup_lowest(root, "memory", memory_left);
  out->total = bytes(field(text, "MemTotal:", INFINITY) * 1024);
  out->cgroup_limit = bytes(as_cgroup_lowest(root, "memory", memory_limit));
  out->available = bytes(left < free ? left : free);
}

void as_machine_memory_read(as_machine_memory *out) {
  as_machine_memory_at("", out);
}

size_t as_second_cache_bytes(void) {
#ifdef _SC_LEVEL2_CACHE_SIZE
  long size = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return size > 0 ? (size_t)size : 0;
#else
  return 0;
#endif
}

uint64_t as_peak_resident_bytes(void) {
  char text[4096] = "";
  as_read_start("/proc/self/status", text, sizeof text);
  return bytes(field(text, "VmHWM:", 0) * 1024);
}
