/* Writing the parts of a table: the rows of its file, each into the file of its part. */
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/csv_write.h"
#include "data/split.h"

enum { PARTS = 3, FLUSH_BYTES = 1 << 16 };

typedef struct split_files {
  as_context *ctx;
  as_file_writer writers[PARTS];
  as_buffer rows[PARTS]; /* not written yet */
  bool wanted[PARTS];
  size_t made; /* of the folder's path: as_make_folders_for_now */
} split_files;

static as_status flush(split_files *files, int part) {
  as_buffer *rows = &files->rows[part];
  if (rows->failed) return AS_E_NOMEM;
  if (rows->length > 0) fwrite(rows->data, 1, rows->length, files->writers[part].stream); /* commit checks the stream */
  as_buffer_clear(rows);
  return AS_OK;
}

/* Refuses to write over the file that the rows come from, under whatever name, and over others unasked. */
static as_status check_target(as_context *ctx, const as_messages *messages, const char *path, bool overwrite) {
  struct stat source, target;
  if (stat(path, &target) != 0) return AS_OK;
  if (stat(as_messages_path(messages), &source) == 0 && source.st_dev == target.st_dev &&
      source.st_ino == target.st_ino)
    return as_fail(ctx, AS_E_INVALID, "split: %s is the file that is split; choose another folder", path);
  if (overwrite) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "split: %s is there already; --overwrite replaces it", path);
}

static as_status open_files(split_files *files, const as_messages *messages, const char *folder, bool overwrite) {
  static const char *const names[PARTS] = {"train.csv", "valid.csv", "test.csv"};
  as_status status = as_make_folders_for_now(files->ctx, folder, &files->made);
  for (int part = 0; part < PARTS && status == AS_OK; part++) {
    if (!files->wanted[part]) continue;
    char *path = as_path_join(files->ctx, folder, names[part]);
    status = path ? check_target(files->ctx, messages, path, overwrite) : AS_E_NOMEM;
    if (status == AS_OK) status = as_file_begin(files->ctx, &files->writers[part], path);
    as_free(files->ctx, path);
  }
  return status;
}

static as_status changed(const as_messages *messages, as_context *ctx) {
  return as_fail(ctx, AS_E_DATA, "%s: the file changed while it was being split; nothing was written",
                 as_messages_path(messages));
}

/* Copies the rows of the table, found by their lines, to the files of their parts. */
static as_status copy_rows(split_files *files, as_csv_reader *csv, const as_messages *messages, const as_part *parts,
                           int64_t counts[3]) {
  char delimiter = as_csv_delimiter(csv);
  for (int part = 0; part < PARTS; part++)
    if (files->wanted[part])
      as_csv_append_row(&files->rows[part], as_csv_header(csv), as_csv_column_count(csv), delimiter);
  int64_t next = 0, count = as_messages_count(messages);
  for (;;) {
    const as_csv_row *row;
    as_status status = as_csv_next(csv, &row);
    if (status != AS_OK) return status;
    if (!row) break;
    if (next == count || row->line != as_messages_line(messages, next)) continue;
    as_part part = parts[next++];
    counts[part]++;
    as_csv_append_row(&files->rows[part], row->fields, row->count, delimiter);
    if (files->rows[part].length < FLUSH_BYTES && !files->rows[part].failed) continue;
    status = flush(files, (int)part);
    if (status != AS_OK) return status;
  }
  unsigned char digest[32];
  as_csv_digest(csv, digest);
  if (next != count || memcmp(digest, as_messages_digest(messages), sizeof digest) != 0)
    return changed(messages, files->ctx);
  return AS_OK;
}

static as_status commit_files(split_files *files) {
  as_status status = AS_OK;
  for (int part = 0; part < PARTS && status == AS_OK; part++) {
    if (!files->wanted[part]) continue;
    status = flush(files, part);
    if (status == AS_OK) status = as_file_commit(files->ctx, &files->writers[part]);
  }
  return status;
}

as_status as_split_write(as_context *ctx, const as_messages *messages, const as_csv_options *csv, const as_part *parts,
                         const as_split_options *options, const char *folder, bool overwrite, int64_t counts[3]) {
  split_files files = {.ctx = ctx};
  files.wanted[AS_PART_TRAIN] = true;
  files.wanted[AS_PART_VALID] = options->valid > 0;
  files.wanted[AS_PART_TEST] = options->test > 0;
  for (int part = 0; part < PARTS; part++) as_buffer_init(&files.rows[part], ctx);
  memset(counts, 0, PARTS * sizeof *counts);
  as_csv_reader *reader = NULL;
  as_status status = as_csv_open(ctx, as_messages_path(messages), csv, &reader);
  if (status == AS_OK) status = open_files(&files, messages, folder, overwrite);
  if (status == AS_OK) status = copy_rows(&files, reader, messages, parts, counts);
  if (status == AS_OK) status = commit_files(&files);
  for (int part = 0; part < PARTS; part++) {
    if (files.wanted[part]) as_file_abandon(ctx, &files.writers[part]);
    as_buffer_free(&files.rows[part]);
  }
  if (status != AS_OK) as_unmake_folders(ctx, folder, files.made);
  as_csv_close(reader);
  return status;
}
