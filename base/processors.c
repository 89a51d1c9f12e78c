/* How many processors this process may use: its affinity mask, lowered to the CPU quota of its control group. */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/internal.h"

/* Reads the start of a small file into `text`; "" when that can't be done. Not as_file_read: there is no context yet. */
static void read_text(const char *path, char *text, size_t capacity) {
  size_t length = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  while (fd >= 0 && length < capacity - 1) {
    ssize_t got = read(fd, text + length, capacity - 1 - length);
    if (got <= 0) break;
    length += (size_t)got;
  }
  if (fd >= 0) close(fd);
  text[length] = 0;
}

static int processors_of(double quota, double period) {
  if (quota <= 0 || period <= 0) return INT_MAX;
  double processors = quota / period;
  if (processors >= INT_MAX) return INT_MAX;
  int whole = (int)processors;
  return whole < processors ? whole + 1 : whole > 0 ? whole : 1;
}

static double read_number(const char *folder, const char *name) {
  char path[PATH_MAX], text[64];
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return -1;
  read_text(path, text, sizeof text);
  return text[0] ? (double)strtoll(text, NULL, 10) : -1;
}

/* The quota of one control group's folder. cpu.max (version 2) holds "max 100000" or "150000 100000". */
static int folder_processors(const char *folder, bool version2) {
  if (!version2) return processors_of(read_number(folder, "cpu.cfs_quota_us"), read_number(folder, "cpu.cfs_period_us"));
  char path[PATH_MAX], text[64], *end;
  if (snprintf(path, sizeof path, "%s/cpu.max", folder) >= (int)sizeof path) return INT_MAX;
  read_text(path, text, sizeof text);
  long long quota = strtoll(text, &end, 10);
  return end == text ? INT_MAX : processors_of((double)quota, (double)strtoll(end, NULL, 10));
}

/* The lowest quota from the process's own group up to the folder where the hierarchy is mounted. */
static int hierarchy_processors(const char *root, const char *mount, const char *group, bool version2) {
  char folder[PATH_MAX];
  int lowest = INT_MAX;
  int base = snprintf(folder, sizeof folder, "%s%s", root, mount);
  if (base < 0 || base >= (int)sizeof folder) return INT_MAX;
  int length = base + snprintf(folder + base, sizeof folder - (size_t)base, "%s", group);
  if (length >= (int)sizeof folder) return INT_MAX;
  for (;;) {
    int here = folder_processors(folder, version2);
    if (here < lowest) lowest = here;
    char *slash = strrchr(folder + base, '/');
    if (!slash) return lowest;
    *slash = 0;
  }
}

/* Whether `word` is one of the comma-separated words of `list`. */
static bool has_word(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = list; at; at = strchr(at, ',')) {
    if (*at == ',') at++;
    if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == 0)) return true;
  }
  return false;
}

/* The process's group in the hierarchy: "0::/path" for version 2, "4:cpu,cpuacct:/path" for version 1. */
static bool find_group(char *groups, bool version2, char *group, size_t capacity) {
  char *rest = NULL;
  for (char *line = strtok_r(groups, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) continue;
    *path++ = 0;
    controllers++;
    if (version2 ? controllers[0] == 0 : has_word(controllers, "cpu"))
      return snprintf(group, capacity, "%s", path) < (int)capacity;
  }
  return false;
}

/* A line of mountinfo: "36 35 98:0 /root /mount options - type source options" (proc_pid_mountinfo(5)). */
static int mount_processors(const char *root, char *line, const char *groups) {
  char *fields[5], *rest = NULL, *separator = strstr(line, " - ");
  if (!separator) return INT_MAX;
  *separator = 0;
  char *type = strtok_r(separator + 3, " ", &rest), *source = strtok_r(NULL, " ", &rest);
  char *super_options = strtok_r(NULL, " ", &rest);
  bool version2 = type && strcmp(type, "cgroup2") == 0;
  if (!type || !source || !super_options) return INT_MAX;
  if (!version2 && (strcmp(type, "cgroup") != 0 || !has_word(super_options, "cpu"))) return INT_MAX;
  for (int i = 0; i < 5; i++) {
    fields[i] = strtok_r(i ? NULL : line, " ", &rest);
    if (!fields[i]) return INT_MAX;
  }
  char copy[4096], path[PATH_MAX];
  snprintf(copy, sizeof copy, "%s", groups);
  if (!find_group(copy, version2, path, sizeof path)) return INT_MAX;
  /* Within a container the mount may show a part of the hierarchy only: the part below its root field. */
  const char *group = path;
  size_t above = strlen(fields[3]);
  if (strcmp(fields[3], "/") != 0 && strncmp(path, fields[3], above) == 0) group = path + above;
  if (strcmp(group, "/") == 0) group = "";
  return hierarchy_processors(root, fields[4], group, version2);
}

int as_cgroup_processors(const char *root) {
  char path[PATH_MAX], groups[4096], mounts[32768], *rest = NULL;
  int lowest = INT_MAX;
  if (snprintf(path, sizeof path, "%s/proc/self/cgroup", root) >= (int)sizeof path) return INT_MAX;
  read_text(path, groups, sizeof groups);
  snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
  read_text(path, mounts, sizeof mounts);
  for (char *line = strtok_r(mounts, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    int here = mount_processors(root, line, groups);
    if (here < lowest) lowest = here;
  }
  return lowest;
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
