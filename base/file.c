/* Files. See base/file.h for the invariant. A temporary file lies beside its target, since only a rename within one
 * file system is atomic, and is made with O_EXCL, so no two writers ever share one. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/internal.h"
#include "base/memory.h"

#define TEMPORARY ".tmp-" /* behind the name of the file that is written */

/* Says what the system refused and, where the number alone does not, what to do about it. */
static as_status fail_errno(as_context *ctx, as_status status, const char *path, const char *doing, int number) {
  if (number == ENOSPC || number == EDQUOT || number == EFBIG)
    return as_fail(ctx, status, "%s: %s: %s (%" PRIu64 " bytes free; make room or choose another folder)", path, doing,
                   number == EFBIG ? "the file is larger than this system allows" : "the disk is full",
                   as_disk_free(path));
  return as_fail(ctx, status, "%s: %s: %s", path, doing, strerror(number));
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Opens a regular file. Not blocking: a pipe in a file's place must not hold us up. */
static as_status open_regular(as_context *ctx, const char *path, as_status kind, int *fd, size_t *size) {
  struct stat info;
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (*fd < 0) return fail_errno(ctx, kind, path, "cannot be opened", errno);
  as_status status = AS_OK;
  if (fstat(*fd, &info) != 0)
    status = fail_errno(ctx, kind, path, "cannot be read", errno);
  else if (!S_ISREG(info.st_mode))
    status = as_fail(ctx, kind, "%s: is %s, not a file", path, S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
  else if ((uintmax_t)info.st_size > PTRDIFF_MAX)
    status = as_fail(ctx, kind, "%s: is too large for this machine", path);
  if (status == AS_OK)
    *size = (size_t)info.st_size;
  else
    close(*fd);
  return status;
}

/* Reads until `size` bytes are there or the file ends. */
static as_status read_all(as_context *ctx, int fd, const char *path, as_status kind, char *data, size_t size,
                          size_t *length) {
  *length = 0;
  while (*length < size) {
    ssize_t got = read(fd, data + *length, size - *length);
    if (got == 0) break;
    if (got < 0 && errno != EINTR) return fail_errno(ctx, kind, path, "cannot be read", errno);
    if (got > 0) *length += (size_t)got;
  }
  return AS_OK;
}

as_status as_file_read(as_context *ctx, const char *path, size_t limit, as_status kind, char **data, size_t *length) {
  int fd;
  size_t size;
  *data = NULL;
  *length = 0;
  as_status status = open_regular(ctx, path, kind, &fd, &size);
  if (status != AS_OK) return status;
  if (limit && size > limit) {
    close(fd);
    return as_fail(ctx, kind, "%s: has %zu bytes, more than the %zu that such a file may have", path, size, limit);
  }
  char *bytes = as_alloc(ctx, size + 1, 1);
  status = bytes ? read_all(ctx, fd, path, kind, bytes, size, length) : AS_E_NOMEM;
  close(fd);
  if (status != AS_OK) {
    as_free(ctx, bytes);
    *length = 0;
    return status == AS_E_NOMEM ? as_fail_prefix(ctx, status, "%s", path) : status;
  }
  bytes[*length] = 0;
  *data = bytes;
  return AS_OK;
}

as_status as_file_map(as_context *ctx, const char *path, as_status kind, as_mapping *mapping) {
  int fd;
  size_t size;
  *mapping = (as_mapping){.data = (const unsigned char *)""};
  as_status status = open_regular(ctx, path, kind, &fd, &size);
  if (status != AS_OK) return status;
  if (size > 0) {
    void *view = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (view == MAP_FAILED)
      status = fail_errno(ctx, errno == ENOMEM ? AS_E_NOMEM : kind, path, "cannot be mapped", errno);
    else
      *mapping = (as_mapping){.data = view, .length = size, .owner = view};
  }
  close(fd);
  return status;
}

void as_file_unmap(as_context *ctx, as_mapping *mapping) {
  (void)ctx;
  if (mapping->owner) munmap(mapping->owner, mapping->length);
  *mapping = (as_mapping){0};
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* Makes a new file beside `path`; a name that is taken (by another context, or left by a dead process) is passed over.
 */
static as_status open_temporary(as_context *ctx, as_file_writer *writer, int *fd) {
  size_t capacity = strlen(writer->path) + 64;
  writer->temporary = as_alloc(ctx, capacity, 1);
  if (!writer->temporary) return AS_E_NOMEM;
  do {
    uint64_t number = atomic_fetch_add(&ctx->temporary_names, 1);
    snprintf(writer->temporary, capacity, "%s" TEMPORARY "%ld-%" PRIu64, writer->path, (long)getpid(), number);
    *fd = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (*fd < 0 && errno == EEXIST);
  return *fd < 0 ? fail_errno(ctx, AS_E_IO, writer->path, "cannot be written", errno) : AS_OK;
}

as_status as_file_begin(as_context *ctx, as_file_writer *writer, const char *path) {
  struct stat old;
  int fd = -1;
  *writer = (as_file_writer){0};
  if (as_path_is_folder(path)) return as_fail(ctx, AS_E_IO, "%s: is a folder; the name of a file is needed", path);
  writer->path = as_strdup(ctx, path);
  as_status status = writer->path ? open_temporary(ctx, writer, &fd) : AS_E_NOMEM;
  if (status == AS_OK) {
    if (stat(path, &old) == 0 && S_ISREG(old.st_mode)) (void)!fchmod(fd, old.st_mode & 0777);
    writer->stream = fdopen(fd, "wb");
    if (!writer->stream) {
      status = fail_errno(ctx, AS_E_NOMEM, path, "cannot be written", errno);
      close(fd);
      unlink(writer->temporary);
    }
  }
  if (status != AS_OK) {
    as_free(ctx, writer->path);
    as_free(ctx, writer->temporary);
    *writer = (as_file_writer){0};
  }
  return status;
}

/* Copies the folder of `path` into `folder` ("." or "/" when it names none); false when it is too long. */
static bool folder_of(const char *path, char *folder, size_t capacity) {
  const char *slash = strrchr(path, '/');
  size_t length = slash ? (size_t)(slash - path) : 0;
  if (length >= capacity) return false;
  memcpy(folder, path, length);
  folder[length] = 0;
  if (length == 0) strcpy(folder, slash ? "/" : ".");
  return true;
}

/* Makes a rename in the folder of `path` last. Some file systems have no fsync for folders. */
static int sync_folder(const char *path) {
  char folder[PATH_MAX];
  if (!folder_of(path, folder, sizeof folder)) return ENAMETOOLONG;
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  int number = fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP ? errno : 0;
  close(fd);
  return number;
}

/* Brings everything to the disk and closes the stream; returns 0 or the number of what went wrong. */
static int finish_stream(FILE *stream, const char *path) {
  int number = 0;
  bool broken = ferror(stream) != 0; /* some earlier write; its errno is gone, but a flush usually meets it again */
  errno = 0;
  if (fflush(stream) != 0) number = errno;
  if (broken && number == 0) number = as_disk_free(path) < 1 << 20 ? ENOSPC : EIO;
  if (number == 0 && fsync(fileno(stream)) != 0) number = errno;
  errno = 0;
  if (fclose(stream) != 0 && number == 0) number = errno ? errno : EIO;
  return number;
}

static void writer_release(as_context *ctx, as_file_writer *writer) {
  as_free(ctx, writer->path);
  as_free(ctx, writer->temporary);
  *writer = (as_file_writer){0};
}

as_status as_file_commit(as_context *ctx, as_file_writer *writer) {
  as_status status = AS_OK;
  int number = finish_stream(writer->stream, writer->path);
  if (number != 0) {
    status = fail_errno(ctx, AS_E_IO, writer->path, "cannot be written", number);
    unlink(writer->temporary);
  } else if (rename(writer->temporary, writer->path) != 0) {
    status = fail_errno(ctx, AS_E_IO, writer->path, "cannot be replaced", errno);
    unlink(writer->temporary);
  } else if ((number = sync_folder(writer->path)) != 0) {
    status = fail_errno(ctx, AS_E_IO, writer->path, "its folder cannot be synchronised", number);
  }
  writer_release(ctx, writer);
  return status;
}

void as_file_abandon(as_context *ctx, as_file_writer *writer) {
  if (!writer->stream) return;
  fclose(writer->stream);
  unlink(writer->temporary);
  writer_release(ctx, writer);
}

as_status as_file_remove_temporaries(as_context *ctx, const char *path) {
  const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
  const size_t length = strlen(file);
  char *folder = as_path_beside(ctx, path, ".");
  if (!folder) return AS_E_NOMEM;
  DIR *dir = opendir(folder);
  as_status status = AS_OK;
  if (!dir && errno != ENOENT) status = as_fail(ctx, AS_E_IO, "%s: cannot be read: %s", folder, strerror(errno));
  for (const struct dirent *entry; dir && status == AS_OK && (entry = readdir(dir));) {
    const char *name = entry->d_name;
    if (strncmp(name, file, length) != 0 || strncmp(name + length, TEMPORARY, strlen(TEMPORARY)) != 0) continue;
    char *stray = as_path_beside(ctx, path, name);
    if (!stray)
      status = AS_E_NOMEM;
    else if (unlink(stray) != 0 && errno != ENOENT)
      status = as_fail(ctx, AS_E_IO, "%s: cannot be removed: %s", stray, strerror(errno));
    as_free(ctx, stray);
  }
  if (dir) closedir(dir);
  as_free(ctx, folder);
  return status;
}

as_status as_file_write(as_context *ctx, const char *path, const void *bytes, size_t length) {
  as_file_writer writer;
  as_status status = as_file_begin(ctx, &writer, path);
  if (status != AS_OK) return status;
  if (length) fwrite(bytes, 1, length, writer.stream); /* commit sees the stream's error */
  return as_file_commit(ctx, &writer);
}

as_status as_file_write_into(as_context *ctx, const char *folder, const char *name, const as_buffer *buffer) {
  as_status status = as_buffer_status(buffer);
  char *path = status == AS_OK ? as_path_join(ctx, folder, name) : NULL;
  if (status == AS_OK) status = path ? as_file_write(ctx, path, as_buffer_string(buffer), buffer->length) : AS_E_NOMEM;
  as_free(ctx, path);
  return status;
}

/* ---- paths ------------------------------------------------------------------------------------------------------ */

as_status as_make_folders_for_now(as_context *ctx, const char *path, size_t *made) {
  char *part = as_strdup(ctx, path);
  as_status status = part ? AS_OK : AS_E_NOMEM;
  for (char *at = part; status == AS_OK && *at;) {
    at += strspn(at, "/");
    at += strcspn(at, "/");
    char kept = *at;
    *at = 0;
    int number = mkdir(part, 0777) == 0 ? 0 : errno;
    if (number == 0 && !*made) *made = (size_t)(at - part);
    if (number != 0 && !as_path_is_folder(part))
      status = fail_errno(ctx, AS_E_IO, part, "the folder cannot be made", number == EEXIST ? ENOTDIR : number);
    *at = kept;
  }
  as_free(ctx, part);
  return status;
}

as_status as_make_folders(as_context *ctx, const char *path) {
  size_t made = 0;
  return as_make_folders_for_now(ctx, path, &made);
}

void as_unmake_folders(as_context *ctx, const char *path, size_t made) {
  char *part = made ? as_strdup(ctx, path) : NULL;
  for (size_t length = part ? strlen(part) : 0; length >= made && length > 0;) {
    part[length] = 0;
    if (rmdir(part) != 0 && errno != ENOENT) break;
    while (length > 0 && part[length - 1] != '/') length--;
    while (length > 0 && part[length - 1] == '/') length--;
  }
  as_free(ctx, part);
}

char *as_path_join(as_context *ctx, const char *folder, const char *name) {
  as_buffer path;
  size_t length = strlen(folder);
  as_buffer_init(&path, ctx);
  as_buffer_append(&path, folder, length);
  if (length > 0 && folder[length - 1] != '/') as_buffer_char(&path, '/');
  as_buffer_text(&path, name);
  char *joined = as_buffer_take(&path);
  as_buffer_free(&path);
  return joined;
}

char *as_path_beside(as_context *ctx, const char *path, const char *name) {
  const char *slash = strrchr(path, '/');
  char *folder = slash ? as_strndup(ctx, path, (size_t)(slash - path)) : as_strdup(ctx, ".");
  char *joined = folder ? as_path_join(ctx, slash == path ? "/" : folder, name) : NULL;
  as_free(ctx, folder);
  return joined;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk) {
  (void)info;
  (void)kind;
  (void)walk;
  return remove(path);
}

as_status as_folder_remove(as_context *ctx, const char *path) {
  enum { OPEN_FOLDERS = 16 };
  if (nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT) return AS_OK;
  return fail_errno(ctx, AS_E_IO, path, "the folder cannot be removed", errno);
}

as_status as_rename(as_context *ctx, const char *from, const char *to) {
  int number = rename(from, to) != 0 ? errno : sync_folder(to);
  return number ? fail_errno(ctx, AS_E_IO, to, "cannot be put in place", number) : AS_OK;
}

as_status as_rename_exchange(as_context *ctx, const char *a, const char *b, bool *done) {
  enum { EXCHANGE = 2 }; /* RENAME_EXCHANGE of linux/fs.h */
  *done = syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE) == 0;
  if (!*done && (errno == ENOSYS || errno == EINVAL)) return AS_OK;
  const int number = *done ? sync_folder(b) : errno;
  return number ? fail_errno(ctx, AS_E_IO, b, "cannot be replaced", number) : AS_OK;
}

as_status as_folder_replace(as_context *ctx, const char *fresh, const char *path) {
  if (!as_path_exists(path)) return as_rename(ctx, fresh, path);
  bool done;
  as_status status = as_rename_exchange(ctx, fresh, path, &done);
  if (status == AS_OK && done) return as_folder_remove(ctx, fresh);
  /* A file system that cannot exchange: for a moment there is no folder of this name. */
  if (status == AS_OK) status = as_folder_remove(ctx, path);
  return status == AS_OK ? as_rename(ctx, fresh, path) : status;
}

bool as_path_exists(const char *path) {
  return access(path, F_OK) == 0;
}

bool as_path_is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

uint64_t as_disk_free(const char *path) {
  char folder[PATH_MAX];
  struct statvfs info;
  if (strlen(path) >= sizeof folder) return UINT64_MAX;
  strcpy(folder, path);
  /* What does not exist yet will lie where its nearest existing folder lies. */
  while (statvfs(folder, &info) != 0) {
    char parent[PATH_MAX];
    if (errno != ENOENT || !folder_of(folder, parent, sizeof parent) || strcmp(parent, folder) == 0) return UINT64_MAX;
    strcpy(folder, parent);
  }
  return (uint64_t)info.f_bavail * info.f_frsize;
}
