/* Reading the table. While rows come in, labels are numbered as they appear; at the end they are renumbered by their
 * bytes. A row that is left out leaves no trace but in the report. */
#include "data/messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "data/csv_source.h"
#include "data/text_index.h"

typedef struct column {
  char *name;
  as_column_kind kind;
  bool present, may_be_empty;
  size_t field;        /* in the CSV row */
  as_text_block texts; /* text column: [rows]; label column: the different labels */
  as_text_index index; /* of the labels, while reading */
  int32_t *labels;     /* [rows], -1 where empty; label columns only */
  size_t labels_size;
} column;

struct as_messages {
  as_context *ctx;
  char *path;
  unsigned char digest[32];
  as_text_block texts; /* [rows] */
  uint64_t *lines;     /* [rows] */
  int64_t *first;      /* [rows] */
  size_t lines_size, first_size;
  size_t rows;
  column *columns; /* [column_count] */
  size_t column_count;
};

/* What only the reading needs. */
typedef struct reading {
  as_csv_reader *csv;
  const as_message_options *options;
  as_data_report *report;
  as_text_index index; /* of the texts: a text's number is its first row */
  size_t text_field;
} reading;

void as_messages_free(as_messages *messages) {
  if (!messages) return;
  as_context *ctx = messages->ctx;
  for (size_t c = 0; c < messages->column_count; c++) {
    column *col = &messages->columns[c];
    as_text_block_free(ctx, &col->texts);
    as_text_index_free(ctx, &col->index);
    as_free(ctx, col->labels);
    as_free(ctx, col->name);
  }
  as_text_block_free(ctx, &messages->texts);
  as_free(ctx, messages->columns);
  as_free(ctx, messages->lines);
  as_free(ctx, messages->first);
  as_free(ctx, messages->path);
  as_free(ctx, messages);
}

static as_status find_columns(as_messages *messages, reading *in) {
  const char *text = in->options->text_column ? in->options->text_column : "content";
  as_status status = as_csv_column(in->csv, text, &in->text_field);
  if (status == AS_E_DATA && in->options->text_column_hint && !as_csv_has_column(in->csv, text))
    return as_fail(messages->ctx, AS_E_DATA, "%s; %s", as_error_text(messages->ctx), in->options->text_column_hint);
  messages->columns = as_alloc_zero(messages->ctx, in->options->column_count, sizeof *messages->columns);
  if (!messages->columns) return AS_E_NOMEM;
  for (size_t c = 0; c < in->options->column_count && status == AS_OK; c++) {
    const as_column_request *request = &in->options->columns[c];
    column *col = &messages->columns[messages->column_count++];
    col->kind = request->kind;
    col->may_be_empty = request->may_be_empty;
    col->name = as_strdup(messages->ctx, request->name);
    if (!col->name) return AS_E_NOMEM;
    col->present = !request->may_be_absent || as_csv_has_column(in->csv, request->name);
    if (col->present) status = as_csv_column(in->csv, request->name, &col->field);
  }
  return status;
}

/* A column's value in a row, without white space around it if it is a label. */
static as_csv_field value_of(const column *col, const as_csv_row *row) {
  if (!col->present) return (as_csv_field){"", 0};
  as_csv_field value = row->fields[col->field];
  if (col->kind == AS_COLUMN_TEXT) return value;
  if (as_text_is_blank(value.text, value.length)) return (as_csv_field){"", 0};
  while (as_text_is_blank(value.text, 1)) value.text++, value.length--;
  while (as_text_is_blank(value.text + value.length - 1, 1)) value.length--;
  return value;
}

static as_data_problem problem_of(const as_messages *messages, const reading *in, const as_csv_row *row,
                                  const char **where) {
  *where = NULL;
  if (row->problem != AS_PROBLEM_NONE) return row->problem;
  const as_csv_field *text = &row->fields[in->text_field];
  if (as_text_is_blank(text->text, text->length)) return AS_PROBLEM_EMPTY_TEXT;
  for (size_t c = 0; c < messages->column_count; c++) {
    const column *col = &messages->columns[c];
    as_csv_field value = value_of(col, row);
    *where = col->name;
    if (col->present && !col->may_be_empty && as_text_is_blank(value.text, value.length)) return AS_PROBLEM_EMPTY_LABEL;
  }
  return AS_PROBLEM_NONE;
}

/* Puts a row's value into its column; *label is the number it gets for now. */
static bool add_value(as_messages *messages, column *col, as_csv_field value) {
  as_context *ctx = messages->ctx;
  if (col->kind == AS_COLUMN_TEXT) return as_text_block_add(ctx, &col->texts, value.text, value.length);
  int32_t *labels = as_grow(ctx, col->labels, &col->labels_size, messages->rows + 1, sizeof *labels);
  if (!labels) return false;
  col->labels = labels;
  labels[messages->rows] = -1;
  if (value.length == 0) return true;
  uint64_t number;
  if (!as_text_index_put(ctx, &col->index, &col->texts, value.text, value.length, col->texts.count, &number))
    return false;
  if (number == UINT64_MAX) {
    number = col->texts.count;
    if (number >= INT32_MAX) {
      as_fail(ctx, AS_E_NOMEM, "%s: column '%s' has more different labels than can be held", messages->path, col->name);
      return false;
    }
    if (!as_text_block_add(ctx, &col->texts, value.text, value.length)) return false;
  }
  labels[messages->rows] = (int32_t)number;
  return true;
}

static void note_repetition(as_messages *messages, as_data_report *report) {
  size_t row = messages->rows;
  size_t first = (size_t)messages->first[row];
  if (first == row) return;
  bool differs = false;
  for (size_t c = 0; c < messages->column_count; c++) {
    const column *col = &messages->columns[c];
    if (col->kind == AS_COLUMN_LABEL && col->labels[row] != col->labels[first]) differs = true;
  }
  as_data_report_add(report, differs ? AS_PROBLEM_CONTRADICTION : AS_PROBLEM_DUPLICATE, messages->lines[row],
                     messages->lines[first]);
}

static bool add_row(as_messages *messages, reading *in, const as_csv_row *row) {
  as_context *ctx = messages->ctx;
  size_t n = messages->rows;
  uint64_t *lines = as_grow(ctx, messages->lines, &messages->lines_size, n + 1, sizeof *lines);
  if (!lines) return false;
  messages->lines = lines;
  int64_t *first = as_grow(ctx, messages->first, &messages->first_size, n + 1, sizeof *first);
  if (!first) return false;
  messages->first = first;

  const as_csv_field *text = &row->fields[in->text_field];
  uint64_t number;
  if (!as_text_index_put(ctx, &in->index, &messages->texts, text->text, text->length, n, &number)) return false;
  if (!as_text_block_add(ctx, &messages->texts, text->text, text->length)) return false;
  first[n] = number == UINT64_MAX ? (int64_t)n : (int64_t)number;
  lines[n] = row->line;
  for (size_t c = 0; c < messages->column_count; c++)
    if (!add_value(messages, &messages->columns[c], value_of(&messages->columns[c], row))) return false;
  note_repetition(messages, in->report);
  messages->rows++;
  return true;
}

static as_status refuse_row(as_messages *messages, reading *in, const as_csv_row *row, as_data_problem problem,
                            const char *where) {
  unsigned long long line = row->line;
  if (row->problem != AS_PROBLEM_NONE) {
    as_status status = as_csv_fail_row(in->csv, row);
    if (status != AS_E_DATA) return status;
  } else if (problem == AS_PROBLEM_EMPTY_LABEL) {
    as_fail(messages->ctx, AS_E_DATA, "%s: line %llu: nothing in column '%s'", messages->path, line, where);
  } else {
    as_fail(messages->ctx, AS_E_DATA, "%s: line %llu: the text is empty", messages->path, line);
  }
  return as_fail(messages->ctx, AS_E_DATA, "%s (--on-error skip leaves such rows out)", as_error_text(messages->ctx));
}

/* Whether a sound row is on the side that is wanted; the others are counted. */
static bool takes(reading *in, const as_csv_field *text) {
  const bool taken = as_hold_out_takes(&in->options->hold_out, text->text, text->length);
  in->report->other_side += !taken;
  return taken;
}

static as_status read_rows(as_messages *messages, reading *in) {
  for (;;) {
    const as_csv_row *row;
    as_status status = as_csv_next(in->csv, &row);
    if (status != AS_OK) return status;
    in->report->blank_lines = as_csv_blank_lines(in->csv);
    if (!row) return AS_OK;
    in->report->rows++;
    const char *where;
    as_data_problem problem = problem_of(messages, in, row, &where);
    if (problem != AS_PROBLEM_NONE) {
      as_data_report_add(in->report, problem, row->line, row->problem_line);
      if (as_data_problem_fails(problem, in->options->on_error)) return refuse_row(messages, in, row, problem, where);
      continue;
    }
    if (!takes(in, &row->fields[in->text_field])) continue;
    if (!add_row(messages, in, row)) return AS_E_NOMEM;
    in->report->kept++;
  }
}

typedef struct named_label {
  const char *name;
  int32_t number;
} named_label;

static int by_bytes(const void *a, const void *b) {
  return strcmp(((const named_label *)a)->name, ((const named_label *)b)->name); /* strcmp compares unsigned bytes */
}

/* Renumbers a column's labels in the order of their bytes. */
static bool order_labels(as_messages *messages, column *col) {
  as_context *ctx = messages->ctx;
  size_t count = col->texts.count;
  named_label *sorted = as_alloc(ctx, count, sizeof *sorted);
  int32_t *renumbered = as_alloc(ctx, count, sizeof *renumbered);
  as_text_block texts = {0};
  bool done = sorted && renumbered;
  for (size_t i = 0; done && i < count; i++)
    sorted[i] = (named_label){as_text_block_get(&col->texts, i, NULL), (int32_t)i};
  if (done) qsort(sorted, count, sizeof *sorted, by_bytes);
  for (size_t i = 0; done && i < count; i++) {
    renumbered[sorted[i].number] = (int32_t)i;
    done = as_text_block_add(ctx, &texts, sorted[i].name, strlen(sorted[i].name));
  }
  for (size_t row = 0; done && row < messages->rows; row++)
    if (col->labels[row] >= 0) col->labels[row] = renumbered[col->labels[row]];
  as_text_block_free(ctx, done ? &col->texts : &texts);
  if (done) col->texts = texts;
  as_text_index_free(ctx, &col->index);
  as_free(ctx, sorted);
  as_free(ctx, renumbered);
  return done;
}

/* Nothing is left: says what the first row's fault was, if there was a row. */
static as_status fail_empty(const as_messages *messages, const reading *in) {
  const as_data_report *report = in->report;
  uint64_t line = 0;
  const char *fault = "";
  for (int problem = 1; problem < AS_PROBLEM_COUNT; problem++) {
    const as_data_finding *finding = &report->findings[problem];
    if (finding->count == 0 || (line > 0 && finding->lines[0] > line)) continue;
    line = finding->lines[0];
    fault = as_data_problem_text((as_data_problem)problem);
  }
  if (report->other_side > 0)
    return as_fail(messages->ctx, AS_E_DATA, "%s: line 1: %s", messages->path,
                   in->options->hold_out.only_held_out ? "none of its rows is held out"
                                                       : "all of its rows are held out");
  if (line == 0)
    return as_fail(messages->ctx, AS_E_DATA, "%s: line 1: %s", messages->path,
                   in->options->lines ? "there is no text" : "there are no rows below the header");
  return as_fail(messages->ctx, AS_E_DATA,
                 "%s: line %llu: none of the %lld rows can be used; the first is one of the %s", messages->path,
                 (unsigned long long)line, (long long)report->rows, fault);
}

static as_status read_table(as_messages *messages, reading *in) {
  as_status status = find_columns(messages, in);
  if (status == AS_OK) status = read_rows(messages, in);
  if (status != AS_OK) return status;
  if (messages->rows == 0) return fail_empty(messages, in);
  as_csv_digest(in->csv, messages->digest);
  for (size_t c = 0; c < messages->column_count; c++)
    if (messages->columns[c].kind == AS_COLUMN_LABEL && !order_labels(messages, &messages->columns[c]))
      return AS_E_NOMEM;
  return AS_OK;
}

/* ---- a text a line ---------------------------------------------------------------------------------------------- */
#define LINE_LIMIT ((size_t)1 << 20)

static as_data_problem problem_of_line(const as_csv_field *text) {
  if (memchr(text->text, 0, text->length)) return AS_PROBLEM_NUL_BYTE;
  return as_utf8_valid(text->text, text->length) ? AS_PROBLEM_NONE : AS_PROBLEM_INVALID_UTF8;
}

static as_status take_line(as_messages *messages, reading *in, as_csv_field text, uint64_t line) {
  if (text.length > 0 && text.text[text.length - 1] == '\r') text.length--;
  if (as_text_is_blank(text.text, text.length)) {
    in->report->blank_lines++;
    return AS_OK;
  }
  in->report->rows++;
  as_data_problem problem = problem_of_line(&text);
  if (problem != AS_PROBLEM_NONE) {
    as_data_report_add(in->report, problem, line, line);
    if (!as_data_problem_fails(problem, in->options->on_error)) return AS_OK;
    return as_fail(messages->ctx, AS_E_DATA, "%s: line %llu: %s (--on-error skip leaves such rows out)", messages->path,
                   (unsigned long long)line,
                   problem == AS_PROBLEM_NUL_BYTE ? "there is a NUL byte" : "there are bytes that are not UTF-8");
  }
  if (!takes(in, &text)) return AS_OK;
  as_csv_row row = {.fields = &text, .count = 1, .line = line};
  if (!add_row(messages, in, &row)) return AS_E_NOMEM;
  in->report->kept++;
  return AS_OK;
}

/* Adds bytes to the line that is being put together. */
static as_status extend_line(const as_messages *messages, as_buffer *pending, const char *bytes, size_t length,
                             uint64_t line) {
  if (pending->length + length > LINE_LIMIT)
    return as_fail(messages->ctx, AS_E_DATA, "%s: line %llu: longer than 1 MiB; a text file has a text a line",
                   messages->path, (unsigned long long)line);
  as_buffer_append(pending, bytes, length);
  return as_buffer_status(pending);
}

static as_status read_lines(as_messages *messages, reading *in, as_csv_source *source, as_buffer *pending) {
  uint64_t line = 1;
  for (;;) {
    const unsigned char *bytes;
    size_t length;
    as_status status = as_csv_source_next(source, &bytes, &length);
    if (status != AS_OK) return status;
    if (length == 0) break;
    for (const char *at = (const char *)bytes, *end = at + length; at < end;) {
      const char *stop = memchr(at, '\n', (size_t)(end - at));
      status = extend_line(messages, pending, at, (size_t)((stop ? stop : end) - at), line);
      if (status == AS_OK && stop)
        status = take_line(messages, in, (as_csv_field){as_buffer_string(pending), pending->length}, line++);
      if (status != AS_OK) return status;
      if (stop) as_buffer_clear(pending);
      at = stop ? stop + 1 : end;
    }
  }
  if (pending->length == 0) return AS_OK;
  return take_line(messages, in, (as_csv_field){as_buffer_string(pending), pending->length}, line);
}

static as_status read_text_file(as_messages *messages, reading *in, const char *path) {
  as_csv_source source;
  as_buffer pending;
  as_status status = as_csv_source_open(&source, messages->ctx, path, in->options->csv.encoding);
  if (status != AS_OK) return status;
  as_buffer_init(&pending, messages->ctx);
  messages->path = as_strdup(messages->ctx, source.name);
  status = messages->path ? read_lines(messages, in, &source, &pending) : AS_E_NOMEM;
  as_buffer_free(&pending);
  if (status == AS_OK && messages->rows == 0) status = fail_empty(messages, in);
  as_sha256_finish(&source.hash, messages->digest);
  as_csv_source_close(&source);
  return status;
}

static as_status read_csv(as_messages *messages, reading *in, const char *path) {
  as_status status = as_csv_open(messages->ctx, path, &in->options->csv, &in->csv);
  if (status == AS_OK) {
    messages->path = as_strdup(messages->ctx, as_csv_name(in->csv));
    status = messages->path ? read_table(messages, in) : AS_E_NOMEM;
  }
  as_csv_close(in->csv);
  return status;
}

as_status as_messages_read(as_context *ctx, const char *path, const as_message_options *options, as_data_report *report,
                           as_messages **out) {
  as_data_report unwanted;
  reading in = {.options = options, .report = report ? report : &unwanted};
  memset(in.report, 0, sizeof *in.report);
  *out = NULL;
  as_messages *messages = as_alloc_zero(ctx, 1, sizeof *messages);
  if (!messages) return AS_E_NOMEM;
  messages->ctx = ctx;
  as_status status = (options->lines ? read_text_file : read_csv)(messages, &in, path);
  as_text_index_free(ctx, &in.index);
  if (status != AS_OK) {
    as_messages_free(messages);
    return status;
  }
  *out = messages;
  return AS_OK;
}

int64_t as_messages_count(const as_messages *messages) {
  return (int64_t)messages->rows;
}
uint64_t as_messages_line(const as_messages *messages, int64_t row) {
  return messages->lines[row];
}
int64_t as_messages_first(const as_messages *messages, int64_t row) {
  return messages->first[row];
}
size_t as_messages_column_count(const as_messages *messages) {
  return messages->column_count;
}
const char *as_messages_path(const as_messages *messages) {
  return messages->path;
}
const unsigned char *as_messages_digest(const as_messages *messages) {
  return messages->digest;
}

const char *as_messages_text(const as_messages *messages, int64_t row, size_t *length) {
  return as_text_block_get(&messages->texts, (size_t)row, length);
}

const char *as_messages_column_name(const as_messages *messages, size_t c) {
  return messages->columns[c].name;
}
bool as_messages_column_present(const as_messages *messages, size_t c) {
  return messages->columns[c].present;
}

const char *as_messages_value(const as_messages *messages, size_t c, int64_t row) {
  const column *col = &messages->columns[c];
  if (col->kind == AS_COLUMN_TEXT) return as_text_block_get(&col->texts, (size_t)row, NULL);
  return col->labels[row] < 0 ? "" : as_text_block_get(&col->texts, (size_t)col->labels[row], NULL);
}

int32_t as_messages_label_count(const as_messages *messages, size_t c) {
  return messages->columns[c].kind == AS_COLUMN_LABEL ? (int32_t)messages->columns[c].texts.count : 0;
}

const char *as_messages_label_name(const as_messages *messages, size_t c, int32_t label) {
  return as_text_block_get(&messages->columns[c].texts, (size_t)label, NULL);
}

int32_t as_messages_label(const as_messages *messages, size_t c, int64_t row) {
  return messages->columns[c].kind == AS_COLUMN_LABEL ? messages->columns[c].labels[row] : -1;
}

int32_t as_messages_label_find(const as_messages *messages, size_t c, const char *name) {
  int32_t low = 0, high = as_messages_label_count(messages, c) - 1;
  while (low <= high) {
    int32_t middle = low + (high - low) / 2;
    int order = strcmp(name, as_messages_label_name(messages, c, middle));
    if (order == 0) return middle;
    if (order < 0)
      high = middle - 1;
    else
      low = middle + 1;
  }
  return -1;
}
