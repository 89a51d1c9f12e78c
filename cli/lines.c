#include "cli/lines.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

as_status as_lines_open(as_context *ctx, const char *path, size_t limit, as_lines *out) {
  *out = (as_lines){.ctx = ctx, .limit = limit};
  if (strcmp(path, "-") == 0) {
    out->stream = stdin;
    out->name = "standard input";
    return AS_OK;
  }
  out->name = path;
  out->stream = fopen(path, "rb");
  if (!out->stream) return as_fail(ctx, AS_E_DATA, "%s: cannot be opened: %s", path, strerror(errno));
  struct stat about;
  if (fstat(fileno(out->stream), &about) == 0 && S_ISDIR(about.st_mode)) {
    as_lines_close(out);
    return as_fail(ctx, AS_E_DATA, "%s: is a folder, not a file", path);
  }
  return AS_OK;
}

void as_lines_close(as_lines *lines) {
  if (lines->stream && lines->stream != stdin) fclose(lines->stream);
  if (lines->ctx) as_free(lines->ctx, lines->line);
  lines->stream = NULL;
  lines->line = NULL;
  lines->capacity = 0;
}

as_status as_lines_fail(const as_lines *lines, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return as_fail(lines->ctx, AS_E_DATA, "%s: line %llu: %s", lines->name, (unsigned long long)lines->number, text);
}

/* Reads up to the end of the line; what is over the limit is counted, not kept. */
static as_status read_bytes(as_lines *lines, size_t *length) {
  *length = 0;
  for (;;) {
    errno = 0;
    int c = getc_unlocked(lines->stream);
    if (c == EOF && ferror(lines->stream)) {
      lines->at_end = true;
      return as_fail(lines->ctx, AS_E_DATA, "%s: line %llu: reading failed: %s", lines->name,
                     (unsigned long long)lines->number, strerror(errno ? errno : EIO));
    }
    if (c == EOF) {
      lines->at_end = true;
      return AS_OK;
    }
    if (c == '\n') return AS_OK;
    if (*length <= lines->limit + 1) { /* room for the CR of a line that is exactly as long as allowed */
      char *line = as_grow(lines->ctx, lines->line, &lines->capacity, *length + 2, 1);
      if (!line) return AS_E_NOMEM;
      lines->line = line;
      line[*length] = (char)c;
    }
    ++*length;
  }
}

as_status as_lines_next(as_lines *lines, const char **line, size_t *length) {
  *line = NULL;
  *length = 0;
  if (lines->at_end) return AS_OK;
  lines->number++;
  size_t read;
  as_status status = read_bytes(lines, &read);
  if (status != AS_OK) return status;
  if (lines->at_end && read == 0) return AS_OK;
  if (!lines->line) { /* the first line is empty */
    char *first = as_grow(lines->ctx, NULL, &lines->capacity, 2, 1);
    if (!first) return AS_E_NOMEM;
    lines->line = first;
  }
  char *start = lines->line;
  if (read && read <= lines->limit + 1 && start[read - 1] == '\r') read--;
  if (read > lines->limit) return as_lines_fail(lines, "%zu bytes long; at most %zu are allowed", read, lines->limit);
  start[read] = 0;
  if (lines->number == 1 && read >= 3 && memcmp(start, "\xEF\xBB\xBF", 3) == 0) {
    start += 3;
    read -= 3;
  }
  *line = start;
  *length = read;
  return AS_OK;
}
