/* The limits of the control groups (cgroups, version 1 and 2) that this process is in.
 *
 * Invariant: a limit holds for all groups from the process's own up to the root of its hierarchy, so each is looked at
 * and the lowest counts. What can't be read sets no limit. */
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/internal.h"

void as_read_start(const char *path, char *text, size_t capacity) {
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

double as_read_number(const char *folder, const char *name) {
  char path[PATH_MAX], text[64], *end;
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return -1;
  as_read_start(path, text, sizeof text);
  long long number = strtoll(text, &end, 10);
  return end == text ? -1 : (double)number;
}

/* The lowest limit from the process's own group up to the folder where the hierarchy is mounted. */
static double hierarchy_lowest(const char *root, const char *mount, const char *group, bool version2,
                               as_cgroup_reader read) {
  char folder[PATH_MAX];
  double lowest = INFINITY;
  int base = snprintf(folder, sizeof folder, "%s%s", root, mount);
  if (base < 0 || base >= (int)sizeof folder) return INFINITY;
  int length = base + snprintf(folder + base, sizeof folder - (size_t)base, "%s", group);
  if (length >= (int)sizeof folder) return INFINITY;
  for (;;) {
    double here = read(folder, version2);
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
static bool find_group(char *groups, const char *controller, bool version2, char *group, size_t capacity) {
  char *rest = NULL;
  for (char *line = strtok_r(groups, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) continue;
    *path++ = 0;
    controllers++;
    if (version2 ? controllers[0] == 0 : has_word(controllers, controller))
      return snprintf(group, capacity, "%s", path) < (int)capacity;
  }
  return false;
}

/* A line of mountinfo: "36 35 98:0 /root /mount options - type source options" (proc_pid_mountinfo(5)). */
static double mount_lowest(const char *root, char *line, const char *groups, const char *controller,
                           as_cgroup_reader read) {
  char *fields[5], *rest = NULL, *separator = strstr(line, " - ");
  if (!separator) return INFINITY;
  *separator = 0;
  char *type = strtok_r(separator + 3, " ", &rest), *source = strtok_r(NULL, " ", &rest);
  char *super_options = strtok_r(NULL, " ", &rest);
  bool version2 = type && strcmp(type, "cgroup2") == 0;
  if (!type || !source || !super_options) return INFINITY;
  if (!version2 && (strcmp(type, "cgroup") != 0 || !has_word(super_options, controller))) return INFINITY;
  for (int i = 0; i < 5; i++) {
    fields[i] = strtok_r(i ? NULL : line, " ", &rest);
    if (!fields[i]) return INFINITY;
  }
  char copy[4096], path[PATH_MAX];
  snprintf(copy, sizeof copy, "%s", groups);
  if (!find_group(copy, controller, version2, path, sizeof path)) return INFINITY;
  /* Within a container the mount may show a part of the hierarchy only: the part below its root field. */
  const char *group = path;
  size_t above = strlen(fields[3]);
  if (strcmp(fields[3], "/") != 0 && strncmp(path, fields[3], above) == 0) group = path + above;
  if (strcmp(group, "/") == 0) group = "";
  return hierarchy_lowest(root, fields[4], group, version2, read);
}

double as_cgroup_lowest(const char *root, const char *controller, as_cgroup_reader read) {
  char path[PATH_MAX], groups[4096], mounts[32768], *rest = NULL;
  double lowest = INFINITY;
  if (snprintf(path, sizeof path, "%s/proc/self/cgroup", root) >= (int)sizeof path) return INFINITY;
  as_read_start(path, groups, sizeof groups);
  snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
  as_read_start(path, mounts, sizeof mounts);
  for (char *line = strtok_r(mounts, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    double here = mount_lowest(root, line, groups, controller, read);
    if (here < lowest) lowest = here;
  }
  return lowest;
}
