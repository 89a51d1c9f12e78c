/* The stratified split. Invariant: as_split_messages gives equal texts equal parts, and leaves every label at least one
 * text for training. */
#include "data/split.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/csv_write.h"
#include "data/text_index.h"

/* A different text and the rows that have it. */
typedef struct text_group {
  int32_t label;
  uint64_t key; /* its place in the order of its label */
  int64_t row;  /* the first with this text */
  int64_t size; /* rows */
  const char *text;
} text_group;

static int by_label_and_key(const void *a, const void *b) {
  const text_group *x = a, *y = b;
  if (x->label != y->label) return x->label < y->label ? -1 : 1;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return strcmp(x->text, y->text);
}

static uint64_t group_key(uint64_t seed, const char *text, size_t length) {
  uint64_t hash = as_text_hash(text, length);
  uint32_t counter[4] = {(uint32_t)hash, (uint32_t)(hash >> 32), 0x73706c69, 0x74000000}, out[4]; /* "split" */
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  as_philox4x32(counter, key, out);
  return (uint64_t)out[1] << 32 | out[0];
}

/* Fills groups[rows], sorted; returns how many there are. `place` is scratch, [rows]. */
static size_t make_groups(const as_messages *messages, const as_split_options *options, text_group *groups,
                          int64_t *place) {
  size_t count = 0;
  for (int64_t row = 0; row < as_messages_count(messages); row++) {
    int64_t first = as_messages_first(messages, row);
    if (first != row) {
      groups[place[first]].size++;
      continue;
    }
    size_t length;
    const char *text = as_messages_text(messages, row, &length);
    int32_t label = options->label_column < 0 ? 0 : as_messages_label(messages, (size_t)options->label_column, row);
    place[row] = (int64_t)count;
    groups[count++] = (text_group){label, group_key(options->seed, text, length), row, 1, text};
  }
  qsort(groups, count, sizeof *groups, by_label_and_key);
  return count;
}

/* Moves groups of one label from training to `part`, as near to `share` of the label's rows as whole texts allow. *left
 * is the number of texts still in training, of which one stays there. */
static void take_part(const text_group *groups, size_t count, double share, as_part part, as_part *parts,
                      size_t *left) {
  int64_t rows = 0, taken = 0;
  for (size_t i = 0; i < count; i++) rows += groups[i].size;
  int64_t quota = (int64_t)(share * (double)rows + 0.5);
  if (share <= 0) return;
  if (quota < 1) quota = 1;
  const text_group *smallest = NULL;
  for (size_t i = 0; i<count && * left> 1 && taken < quota; i++) {
    const text_group *group = &groups[i];
    if (parts[group->row] != AS_PART_TRAIN) continue;
    if (!smallest || group->size < smallest->size) smallest = group;
    if (taken + group->size > quota) continue;
    parts[group->row] = part;
    taken += group->size;
    --*left;
  }
  if (taken > 0 || !smallest || *left <= 1) return;
  parts[smallest->row] = part;
  --*left;
}

as_status as_split_messages(as_context *ctx, const as_messages *messages, const as_split_options *options,
                            as_part *parts) {
  if (!(options->valid >= 0 && options->test >= 0 && options->valid + options->test < 1))
    return as_fail(ctx, AS_E_INVALID,
                   "split: shares of %g for validation and %g for test; both are at least 0 and below 1 "
                   "together",
                   options->valid, options->test);
  size_t column = options->label_column < 0 ? 0 : (size_t)options->label_column;
  if (options->label_column >= 0 &&
      (column >= as_messages_column_count(messages) || as_messages_label_count(messages, column) == 0))
    return as_fail(ctx, AS_E_INVALID, "split: column %d of the table has no labels", options->label_column);
  int64_t rows = as_messages_count(messages);
  text_group *groups = as_alloc(ctx, (size_t)rows, sizeof *groups);
  int64_t *place = as_alloc(ctx, (size_t)rows, sizeof *place);
  as_status status = groups && place ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) {
    size_t count = make_groups(messages, options, groups, place);
    for (int64_t row = 0; row < rows; row++) parts[row] = AS_PART_TRAIN;
    for (size_t begin = 0, end; begin < count; begin = end) {
      for (end = begin; end < count && groups[end].label == groups[begin].label; end++) {}
      size_t left = end - begin;
      take_part(groups + begin, end - begin, options->test, AS_PART_TEST, parts, &left);
      take_part(groups + begin, end - begin, options->valid, AS_PART_VALID, parts, &left);
    }
    for (int64_t row = 0; row < rows; row++) parts[row] = parts[as_messages_first(messages, row)];
  }
  as_free(ctx, groups);
  as_free(ctx, place);
  return status;
}

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

/* Refuses to write over the file that the rows come from, under whatever name. */
static as_status check_target(as_context *ctx, const as_messages *messages, const char *path) {
  struct stat source, target;
  if (stat(as_messages_path(messages), &source) != 0 || stat(path, &target) != 0) return AS_OK;
  if (source.st_dev != target.st_dev || source.st_ino != target.st_ino) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "split: %s is the file that is split; choose another folder", path);
}

static as_status open_files(split_files *files, const as_messages *messages, const char *folder) {
  static const char *const names[PARTS] = {"train.csv", "valid.csv", "test.csv"};
  as_status status = as_make_folders_for_now(files->ctx, folder, &files->made);
  for (int part = 0; part < PARTS && status == AS_OK; part++) {
    if (!files->wanted[part]) continue;
    char *path = as_path_join(files->ctx, folder, names[part]);
    status = path ? check_target(files->ctx, messages, path) : AS_E_NOMEM;
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
                         const as_split_options *options, const char *folder, int64_t counts[3]) {
  split_files files = {.ctx = ctx};
  files.wanted[AS_PART_TRAIN] = true;
  files.wanted[AS_PART_VALID] = options->valid > 0;
  files.wanted[AS_PART_TEST] = options->test > 0;
  for (int part = 0; part < PARTS; part++) as_buffer_init(&files.rows[part], ctx);
  memset(counts, 0, PARTS * sizeof *counts);
  as_csv_reader *reader = NULL;
  as_status status = as_csv_open(ctx, as_messages_path(messages), csv, &reader);
  if (status == AS_OK) status = open_files(&files, messages, folder);
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
