/* See retrain_log.h. */
#include "lifecycle/retrain_log.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/timestamp.h"

#define LARGEST (64u << 20) /* bytes of the log */
#define MOST_DIGITS 12      /* of a retraining's number; what is larger in the files was not written here */
#define MOST_NUMBER 999999999999

static const char *const names[] = {"promoted", "first", "waits", "same", "refused", "data", "failed", "interrupted"};

const char *as_retrain_verdict_name(as_retrain_verdict verdict) {
  return names[verdict];
}

/* ---- the log ---------------------------------------------------------------------------------------------------- */
static as_status read_text(as_context *ctx, const char *root, char **text, size_t *length) {
  char *path = as_path_join(ctx, root, AS_RETRAIN_LOG);
  *text = NULL;
  *length = 0;
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(path)) status = as_file_read(ctx, path, LARGEST, AS_E_IO, text, length);
  as_free(ctx, path);
  return status;
}

as_status as_retrain_log_read(as_context *ctx, const char *root, json_t **out) {
  char *text;
  size_t length;
  *out = json_array();
  as_status status = *out ? read_text(ctx, root, &text, &length) : AS_E_NOMEM;
  if (status == AS_OK) {
    for (const char *at = text, *end = text + length; text && at < end;) {
      const char *stop = memchr(at, '\n', (size_t)(end - at));
      const size_t bytes = (size_t)((stop ? stop : end) - at);
      json_t *line = json_loadb(at, bytes, JSON_REJECT_DUPLICATES, NULL);
      if (json_is_object(line) && json_array_append(*out, line) != 0) status = AS_E_NOMEM;
      json_decref(line);
      at += bytes + 1;
    }
    as_free(ctx, text);
  }
  if (status == AS_OK) return AS_OK;
  json_decref(*out);
  *out = NULL;
  return status == AS_E_NOMEM ? as_fail(ctx, status, "out of memory") : status;
}

/* Where the last `count` lines of the text begin. */
static const char *last_lines(const char *text, size_t length, int count) {
  const char *at = text + length;
  for (int lines = 0; at > text; at--)
    if (at[-1] == '\n' && at < text + length && ++lines == count) return at;
  return text;
}

void as_retrain_entry_json(as_json_writer *w, const as_retrain_entry *e) {
  as_json_string(w, "model", e->model);
  as_json_string(w, "verdict", names[e->verdict]);
  if (*e->reason) as_json_string(w, "reason", e->reason);
  if (e->champion > 0) as_json_int(w, "champion", e->champion);
  if (e->version > 0) as_json_int(w, "version", e->version);
  if (e->metric) {
    as_json_string(w, "metric", e->metric);
    as_json_double(w, "of_champion", e->of_champion);
    as_json_double(w, "of_version", e->of_version);
  }
  if (e->drift) as_json_string(w, "drift", e->drift);
  as_json_int(w, "rows", e->rows);
  as_json_int(w, "usable", e->usable);
  as_json_double(w, "seconds", e->seconds);
}

static as_status write_log(as_context *ctx, const char *root, const as_retrain_entry *entry, int64_t number) {
  char *text, now[AS_TIMESTAMP_TEXT];
  size_t length;
  as_buffer out;
  as_status status = read_text(ctx, root, &text, &length);
  if (status != AS_OK) return status;
  as_buffer_init(&out, ctx);
  if (text) as_buffer_text(&out, last_lines(text, length, AS_RETRAIN_LINES - 1));
  if (out.length > 0 && out.data[out.length - 1] != '\n') as_buffer_char(&out, '\n');
  as_timestamp_write((uint32_t)time(NULL), now);
  as_json_writer w = as_json_writer_start(&out, 0);
  as_json_open_object(&w, NULL);
  as_json_int(&w, "number", number);
  as_json_string(&w, "time", now);
  as_retrain_entry_json(&w, entry);
  as_json_close_object(&w);
  as_buffer_char(&out, '\n');
  status = as_file_write_into(ctx, root, AS_RETRAIN_LOG, &out);
  as_buffer_free(&out);
  as_free(ctx, text);
  return status;
}

/* ---- reports ---------------------------------------------------------------------------------------------------- */

/* The number that the name of a report begins with; 0: it is none. */
static int64_t report_number(const char *name) {
  const size_t digits = strspn(name, "0123456789");
  if (digits < 6 || digits > MOST_DIGITS || name[digits] != '-') return 0;
  return strtoll(name, NULL, 10);
}

/* The largest number among the reports; removes those up to `last`. */
static as_status walk_reports(as_context *ctx, const char *folder, int64_t last, int64_t *largest) {
  DIR *dir = opendir(folder);
  *largest = 0;
  if (!dir) return as_fail(ctx, AS_E_IO, "%s: cannot be read: %s", folder, strerror(errno));
  as_status status = AS_OK;
  for (const struct dirent *entry; status == AS_OK && (entry = readdir(dir));) {
    const int64_t number = report_number(entry->d_name);
    if (number > *largest) *largest = number;
    if (number == 0 || number > last) continue;
    char *path = as_path_join(ctx, folder, entry->d_name);
    status = path ? AS_OK : AS_E_NOMEM;
    if (path && unlink(path) != 0 && errno != ENOENT)
      status = as_fail(ctx, AS_E_IO, "%s: cannot be removed: %s", path, strerror(errno));
    as_free(ctx, path);
  }
  closedir(dir);
  return status;
}

static as_status write_report(as_context *ctx, const char *folder, const as_retrain_entry *entry,
                              const as_buffer *report, int64_t number) {
  as_buffer name;
  as_buffer_init(&name, ctx);
  as_buffer_printf(&name, "%06" PRId64 "-%s.md", number, entry->model);
  as_status status = as_buffer_status(&name);
  if (status == AS_OK) status = as_file_write_into(ctx, folder, as_buffer_string(&name), report);
  as_buffer_free(&name);
  return status;
}

as_status as_retrain_log_add(as_context *ctx, const char *root, const as_retrain_entry *entry, const as_buffer *report,
                             int64_t keep, int64_t *number) {
  int64_t next = 0, unused;
  json_t *lines = NULL;
  char *folder = as_path_join(ctx, root, AS_RETRAIN_REPORTS);
  as_status status = folder ? as_make_folders(ctx, folder) : AS_E_NOMEM;
  if (status == AS_OK) status = walk_reports(ctx, folder, 0, &next);
  if (status == AS_OK) status = as_retrain_log_read(ctx, root, &lines);
  if (status == AS_OK && json_array_size(lines) > 0) {
    const json_t *last = json_array_get(lines, json_array_size(lines) - 1);
    const int64_t logged = json_integer_value(json_object_get(last, "number"));
    if (logged > next && logged <= MOST_NUMBER) next = logged;
  }
  next++;
  if (status == AS_OK) status = write_report(ctx, folder, entry, report, next);
  if (status == AS_OK) status = write_log(ctx, root, entry, next);
  if (status == AS_OK) status = walk_reports(ctx, folder, next - keep, &unused);
  if (number) *number = next;
  json_decref(lines);
  as_free(ctx, folder);
  return status;
}
