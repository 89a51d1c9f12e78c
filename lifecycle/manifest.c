/* MANIFEST.sha256. See manifest.h. */
#include "lifecycle/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"

enum { HEX = 64, LARGEST = AS_MANIFEST_FILES * (HEX + AS_MANIFEST_PATH + 3) };

bool as_manifest_path_ok(const char *path) {
  if (strlen(path) > AS_MANIFEST_PATH) return false;
  for (int depth = 1; depth <= AS_MANIFEST_DEPTH; depth++) {
    if (*path == '.' || *path == '/' || !*path) return false;
    for (; *path && *path != '/'; path++)
      if (*path <= ' ' || *path > '~' || *path == '\\') return false;
    if (!*path) return true;
    path++;
  }
  return false;
}

/* ---- the files of a folder -------------------------------------------------------------------------------------- */

/* What lies below a folder: plain files with safe names as entries; of anything else the first is kept as text. */
typedef struct listing {
  as_context *ctx;
  const char *folder;
  as_manifest found;
  size_t capacity;
  uint64_t bytes;
  as_manifest_problem *problem; /* NULL: what is no file ends the listing with AS_E_MODEL */
  void *user;
} listing;

static as_status list_below(listing *l, const char *inside, int depth);

static as_status odd(listing *l, const char *path, const char *what) {
  as_status status = as_fail(l->ctx, AS_E_MODEL, "%s/%s: %s", l->folder, path, what);
  if (!l->problem) return status;
  l->problem(l->user, as_error_text(l->ctx));
  return AS_OK;
}

static as_status add(listing *l, const char *path, const struct stat *info) {
  l->bytes += (uint64_t)info->st_size;
  if (l->found.count == AS_MANIFEST_FILES)
    return as_fail(l->ctx, AS_E_MODEL, "%s: has more than %d files", l->folder, AS_MANIFEST_FILES);
  as_manifest_entry *grown = as_grow(l->ctx, l->found.entries, &l->capacity, l->found.count + 1, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  l->found.entries = grown;
  as_manifest_entry *entry = &grown[l->found.count++];
  memset(entry, 0, sizeof *entry);
  strcpy(entry->path, path);
  return AS_OK;
}

static as_status list_one(listing *l, const char *inside, const char *name, int depth) {
  as_buffer path;
  as_buffer_init(&path, l->ctx);
  as_buffer_printf(&path, "%s%s%s", inside, *inside ? "/" : "", name);
  char *full = as_buffer_status(&path) == AS_OK ? as_path_join(l->ctx, l->folder, as_buffer_string(&path)) : NULL;
  as_status status = full ? AS_OK : AS_E_NOMEM;
  struct stat info;
  if (status == AS_OK && lstat(full, &info) != 0)
    status = as_fail(l->ctx, AS_E_MODEL, "%s: cannot be read: %s", full, strerror(errno));
  else if (status == AS_OK && !as_manifest_path_ok(as_buffer_string(&path)))
    status = odd(l, as_buffer_string(&path), "a name or depth that a model version does not have");
  else if (status == AS_OK && S_ISDIR(info.st_mode))
    status = list_below(l, as_buffer_string(&path), depth + 1);
  else if (status == AS_OK && !S_ISREG(info.st_mode))
    status = odd(l, as_buffer_string(&path), S_ISLNK(info.st_mode) ? "is a link, not a file" : "is not a file");
  else if (status == AS_OK)
    status = add(l, as_buffer_string(&path), &info);
  as_free(l->ctx, full);
  as_buffer_free(&path);
  return status;
}

/* As deep as a safe path: a deeper name is refused before its folder is opened. */
static as_status list_below(listing *l, const char *inside, int depth) {
  char *path = *inside ? as_path_join(l->ctx, l->folder, inside) : as_strdup(l->ctx, l->folder);
  if (!path) return AS_E_NOMEM;
  DIR *dir = opendir(path);
  as_status status = dir ? AS_OK : as_fail(l->ctx, AS_E_MODEL, "%s: cannot be read: %s", path, strerror(errno));
  as_free(l->ctx, path);
  while (status == AS_OK) {
    const struct dirent *entry = readdir(dir);
    if (!entry) break;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (depth == 1 && strcmp(entry->d_name, AS_MANIFEST_NAME) == 0) continue;
    status = list_one(l, inside, entry->d_name, depth);
  }
  if (dir) closedir(dir);
  return status;
}

static int by_path(const void *a, const void *b) {
  return strcmp(((const as_manifest_entry *)a)->path, ((const as_manifest_entry *)b)->path);
}

static as_status list(listing *l) {
  as_status status = list_below(l, "", 1);
  if (status == AS_OK && l->found.count) qsort(l->found.entries, l->found.count, sizeof *l->found.entries, by_path);
  return status;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* The files come from elsewhere, and a rename that lasts must not outlive their content. */
static as_status sync_file(as_context *ctx, const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  int number = fd < 0 || fsync(fd) != 0 ? errno : 0;
  if (fd >= 0) close(fd);
  return number ? as_fail(ctx, AS_E_IO, "%s: cannot be written to the disk: %s", path, strerror(number)) : AS_OK;
}

static as_status digest_of(as_context *ctx, const char *folder, as_manifest_entry *entry, bool sync) {
  char *path = as_path_join(ctx, folder, entry->path);
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && sync) status = sync_file(ctx, path);
  if (status == AS_OK) status = as_sha256_file(ctx, path, AS_E_MODEL, entry->digest);
  as_free(ctx, path);
  return status;
}

as_status as_manifest_write(as_context *ctx, const char *folder) {
  listing l = {.ctx = ctx, .folder = folder};
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_status status = list(&l);
  if (status == AS_OK && l.found.count == 0) status = as_fail(ctx, AS_E_MODEL, "%s: holds no file", folder);
  for (size_t i = 0; status == AS_OK && i < l.found.count; i++) {
    char hex[HEX + 1];
    status = digest_of(ctx, folder, &l.found.entries[i], true);
    as_sha256_hex(l.found.entries[i].digest, hex);
    as_buffer_printf(&text, "%s  %s\n", hex, l.found.entries[i].path);
  }
  if (status == AS_OK) status = as_file_write_into(ctx, folder, AS_MANIFEST_NAME, &text);
  as_buffer_free(&text);
  as_manifest_free(ctx, &l.found);
  return status;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static int hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_line(const char *line, size_t length, as_manifest_entry *entry) {
  if (length < HEX + 3 || length > HEX + 2 + AS_MANIFEST_PATH || memcmp(line + HEX, "  ", 2) != 0) return false;
  for (int i = 0; i < 32; i++) {
    int high = hex_digit(line[2 * i]), low = hex_digit(line[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    entry->digest[i] = (unsigned char)(high * 16 + low);
  }
  memcpy(entry->path, line + HEX + 2, length - HEX - 2);
  entry->path[length - HEX - 2] = 0;
  return strlen(entry->path) == length - HEX - 2 && as_manifest_path_ok(entry->path) &&
         strcmp(entry->path, AS_MANIFEST_NAME) != 0;
}

static as_status read_lines(as_context *ctx, const char *path, const char *text, as_manifest *out) {
  size_t capacity = 0, line = 1;
  for (; *text; line++) {
    const char *end = strchr(text, '\n');
    as_manifest_entry *grown = as_grow(ctx, out->entries, &capacity, out->count + 1, sizeof *grown);
    if (!grown) return AS_E_NOMEM;
    out->entries = grown;
    if (!end || !read_line(text, (size_t)(end - text), &grown[out->count]))
      return as_fail(ctx, AS_E_MODEL, "%s: line %zu: not a SHA-256, two blanks and the path of a file", path, line);
    if (out->count && strcmp(grown[out->count - 1].path, grown[out->count].path) >= 0)
      return as_fail(ctx, AS_E_MODEL, "%s: line %zu: the paths are not in order, or one stands twice", path, line);
    out->count++;
    text = end + 1;
  }
  return out->count ? AS_OK : as_fail(ctx, AS_E_MODEL, "%s: lists no file", path);
}

as_status as_manifest_read(as_context *ctx, const char *folder, as_manifest *out) {
  *out = (as_manifest){0};
  char *path = as_path_join(ctx, folder, AS_MANIFEST_NAME), *text = NULL;
  size_t length = 0;
  as_status status = path ? as_file_read(ctx, path, LARGEST, AS_E_MODEL, &text, &length) : AS_E_NOMEM;
  if (status == AS_OK && strlen(text) != length) status = as_fail(ctx, AS_E_MODEL, "%s: holds a NUL byte", path);
  if (status == AS_OK) status = read_lines(ctx, path, text, out);
  as_free(ctx, text);
  as_free(ctx, path);
  return status;
}

void as_manifest_free(as_context *ctx, as_manifest *manifest) {
  as_free(ctx, manifest->entries);
  *manifest = (as_manifest){0};
}

/* ---- checking --------------------------------------------------------------------------------------------------- */

typedef struct checking {
  as_buffer first;
  size_t count;
  as_manifest_problem *problem;
  void *user;
} checking;

static void tell(void *user, const char *text) {
  checking *c = user;
  if (c->count++ == 0) as_buffer_text(&c->first, text);
  if (c->problem) c->problem(c->user, text);
}

static as_status check_file(as_context *ctx, const char *folder, const as_manifest_entry *expected, checking *c) {
  as_manifest_entry actual = *expected;
  as_status status = digest_of(ctx, folder, &actual, false);
  if (status == AS_OK && memcmp(actual.digest, expected->digest, sizeof actual.digest) != 0)
    status = as_fail(ctx, AS_E_MODEL, "%s/%s: is not the file that the manifest lists: its SHA-256 differs", folder,
                     expected->path);
  if (status != AS_E_MODEL) return status;
  tell(c, as_error_text(ctx));
  return AS_OK;
}

/* Goes through both ordered lists at once. */
static as_status compare(as_context *ctx, const char *folder, const as_manifest *listed, const as_manifest *found,
                         checking *c) {
  as_status status = AS_OK;
  for (size_t i = 0, j = 0; status == AS_OK && (i < listed->count || j < found->count);) {
    int order = i == listed->count  ? 1
                : j == found->count ? -1
                                    : strcmp(listed->entries[i].path, found->entries[j].path);
    if (order == 0) {
      status = check_file(ctx, folder, &listed->entries[i], c);
    } else {
      as_fail(ctx, AS_E_MODEL, "%s/%s: %s", folder, order < 0 ? listed->entries[i].path : found->entries[j].path,
              order < 0 ? "is missing" : "is not in the manifest");
      tell(c, as_error_text(ctx));
    }
    i += order <= 0;
    j += order >= 0;
  }
  return status;
}

as_status as_manifest_check(as_context *ctx, const char *folder, as_manifest_problem *problem, void *user) {
  checking c = {.problem = problem, .user = user};
  listing l = {.ctx = ctx, .folder = folder, .problem = tell, .user = &c};
  as_manifest listed = {0};
  as_buffer_init(&c.first, ctx);
  as_status status = as_manifest_read(ctx, folder, &listed);
  if (status == AS_OK) status = list(&l);
  if (status == AS_E_MODEL) { /* no manifest, or nothing to list */
    tell(&c, as_error_text(ctx));
    status = AS_OK;
  } else if (status == AS_OK) {
    status = compare(ctx, folder, &listed, &l.found, &c);
  }
  if (status == AS_OK && c.count) status = as_fail(ctx, AS_E_MODEL, "%s", as_buffer_string(&c.first));
  as_buffer_free(&c.first);
  as_manifest_free(ctx, &listed);
  as_manifest_free(ctx, &l.found);
  return status;
}

static void ignore(void *user, const char *text) {
  (void)user;
  (void)text;
}

as_status as_manifest_bytes(as_context *ctx, const char *folder, uint64_t *bytes) {
  listing l = {.ctx = ctx, .folder = folder, .problem = ignore};
  struct stat info;
  char *path = as_path_join(ctx, folder, AS_MANIFEST_NAME);
  as_status status = path ? list_below(&l, "", 1) : AS_E_NOMEM;
  if (path && lstat(path, &info) == 0) l.bytes += (uint64_t)info.st_size;
  as_free(ctx, path);
  as_manifest_free(ctx, &l.found);
  *bytes = l.bytes;
  return status;
}
