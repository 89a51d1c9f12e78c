/* The CSV reader. libcsv's state machine is fed one physical line at a time, so that the line numbers are ours and a
 * row is complete at the end of a feed; its entry buffer is allocated here, always large enough for the next feed, so
 * that it never allocates behind the context's back. */
#include "data/csv.h"

#include <csv.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "data/csv_source.h"

static const size_t default_row_limit = (size_t)16 << 20;

struct as_csv_reader {
  as_context *ctx;
  as_csv_source source;
  char delimiter;
  size_t row_limit;
  const unsigned char *block; /* what is left of the source's block */
  size_t block_length;
  uint64_t line; /* of block[0] */
  bool after_cr; /* a CR ended the last line: an LF right after it belongs to it */
  int64_t blank_lines;

  struct csv_parser parser;
  unsigned char *entry;
  size_t entry_size;
  bool in_row; /* a row has begun and not ended */
  bool row_done;
  bool skipping; /* the rest of the line is dropped after a stray quote */
  bool quoted;   /* the last feed ended inside quotes ... */
  size_t quoted_field;
  uint64_t quote_line; /* ... which opened here */

  as_buffer bytes;      /* the row's fields, each ended by a NUL */
  as_csv_field *fields; /* while a row is being read, `text` is unset */
  size_t fields_size;
  as_csv_row row;

  as_buffer header_bytes; /* the header row as it stands in the file */
  as_buffer header_text;  /* owns the names */
  as_csv_field *header;
  size_t columns;
  uint64_t header_line;
};

as_status as_csv_delimiter_by_name(as_context *ctx, const char *name, char *out) {
  static const struct {
    const char *name;
    char delimiter;
  } known[] = {{",", ','},    {"comma", ','}, {";", ';'}, {"semicolon", ';'}, {"\t", '\t'},
               {"\\t", '\t'}, {"tab", '\t'},  {"|", '|'}, {"pipe", '|'}};
  *out = ',';
  if (!name) return AS_OK;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(name, known[i].name) == 0) {
      *out = known[i].delimiter;
      return AS_OK;
    }
  return as_fail(ctx, AS_E_INVALID, "delimiter '%s' is not known; known are ',' ';' '|' and tab", name);
}

bool as_text_is_blank(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == ' ' || (c >= '\t' && c <= '\r')) continue;
    if (c == 0xC2 && i + 1 < length && (unsigned char)text[i + 1] == 0xA0) {
      i++;
      continue;
    }
    return false;
  }
  return true;
}

/* libcsv strips what this says from both ends of unquoted fields: nothing. */
static int no_space(unsigned char c) {
  (void)c;
  return 0;
}

static void *no_memory(void *pointer, size_t bytes) {
  (void)pointer, (void)bytes;
  return NULL;
}

static void start_parser(as_csv_reader *reader) {
  csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI);
  csv_set_delim(&reader->parser, (unsigned char)reader->delimiter);
  csv_set_space_func(&reader->parser, no_space);
  csv_set_realloc_func(&reader->parser, no_memory);
  reader->parser.entry_buf = reader->entry;
  reader->parser.entry_size = reader->entry_size;
}

static void on_field(void *text, size_t length, void *user) {
  as_csv_reader *reader = user;
  size_t index = reader->row.count;
  as_csv_field *fields = as_grow(reader->ctx, reader->fields, &reader->fields_size, index + 1, sizeof *fields);
  if (!fields) {
    reader->bytes.failed = true;
    return;
  }
  reader->fields = fields;
  fields[index].length = length;
  reader->row.count++;
  as_buffer_append(&reader->bytes, text, length);
  as_buffer_char(&reader->bytes, '\0');
}

static void on_row(int terminator, void *user) {
  (void)terminator;
  ((as_csv_reader *)user)->row_done = true;
}

static void begin_row(as_csv_reader *reader) {
  as_buffer_clear(&reader->bytes);
  reader->row = (as_csv_row){.line = reader->line, .problem_line = reader->line};
  reader->in_row = true;
  reader->row_done = reader->skipping = reader->quoted = false;
}

static as_status make_room(as_csv_reader *reader, size_t length) {
  size_t needed = reader->parser.entry_pos + length + 1;
  if (reader->bytes.length + needed > reader->row_limit)
    return as_fail(reader->ctx, AS_E_DATA, "%s: line %llu: the row is larger than %zu bytes%s", as_csv_name(reader),
                   (unsigned long long)reader->row.line, reader->row_limit,
                   reader->quoted ? "; is a quote in it never closed?" : "");
  unsigned char *entry = as_grow(reader->ctx, reader->entry, &reader->entry_size, needed, 1);
  if (!entry) return AS_E_NOMEM;
  reader->entry = reader->parser.entry_buf = entry;
  reader->parser.entry_size = reader->entry_size;
  return AS_OK;
}

/* Remembers on which line the quoted field opened that this feed leaves open. */
static void follow_quote(as_csv_reader *reader) {
  bool quoted = !reader->row_done && reader->parser.quoted;
  if (quoted && !(reader->quoted && reader->quoted_field == reader->row.count)) {
    reader->quote_line = reader->line;
    reader->quoted_field = reader->row.count;
  }
  reader->quoted = quoted;
}

/* Gives libcsv a piece of one physical line. */
static as_status parse(as_csv_reader *reader, const unsigned char *bytes, size_t length) {
  as_status status = make_room(reader, length);
  if (status != AS_OK) return status;
  if (reader->columns == 0) as_buffer_append(&reader->header_bytes, bytes, length);
  size_t used = csv_parse(&reader->parser, bytes, length, on_field, on_row, reader);
  if (reader->bytes.failed || reader->header_bytes.failed) return AS_E_NOMEM;
  if (used < length) {
    reader->row.problem = AS_PROBLEM_STRAY_QUOTE;
    reader->row.problem_line = reader->line;
    reader->row.problem_column = reader->row.count;
    reader->skipping = true;
    start_parser(reader);
    return AS_OK;
  }
  follow_quote(reader);
  return AS_OK;
}

/* One piece of the file that ends at the first LF or CR, or at the end of the block. */
static as_status feed(as_csv_reader *reader, const unsigned char *bytes, size_t length) {
  unsigned char last = bytes[length - 1];
  bool pair = reader->after_cr && length == 1 && last == '\n';
  reader->after_cr = false;
  if (pair) return AS_OK;
  bool blank = !reader->in_row && (length == 1 || (length == 2 && bytes[0] == '\r')) && (last == '\n' || last == '\r');
  if (blank) {
    reader->blank_lines++;
  } else {
    if (!reader->in_row) begin_row(reader);
    if (!reader->skipping) {
      as_status status = parse(reader, bytes, length);
      if (status != AS_OK) return status;
    }
    if (reader->skipping && (last == '\n' || last == '\r')) reader->row_done = true;
  }
  reader->after_cr = last == '\r' && (blank || reader->row_done);
  if (last == '\n' || reader->after_cr) reader->line++;
  return AS_OK;
}

/* Length of the piece that feed() gets next: up to and with CR LF, LF or CR. */
static size_t piece_length(const unsigned char *bytes, size_t length) {
  const unsigned char *lf = memchr(bytes, '\n', length);
  size_t end = lf ? (size_t)(lf - bytes) + 1 : length;
  const unsigned char *cr = memchr(bytes, '\r', end);
  if (!cr || (lf && cr + 1 == lf)) return end;
  return (size_t)(cr - bytes) + 1;
}

static void finish_file(as_csv_reader *reader) {
  if (!reader->skipping && csv_fini(&reader->parser, on_field, on_row, reader) != 0) {
    reader->row.problem = AS_PROBLEM_UNTERMINATED_QUOTE;
    reader->row.problem_line = reader->quote_line;
    reader->row.problem_column = reader->row.count;
    start_parser(reader);
  }
  reader->row_done = true;
}

/* Reads until a row is complete; none is left when in_row is false afterwards. */
static as_status read_row(as_csv_reader *reader) {
  reader->row_done = reader->in_row = false;
  while (!reader->row_done) {
    if (reader->block_length == 0) {
      as_status status = as_csv_source_next(&reader->source, &reader->block, &reader->block_length);
      if (status != AS_OK) return status;
    }
    if (reader->block_length == 0) {
      if (!reader->in_row) return AS_OK;
      finish_file(reader);
      break;
    }
    size_t length = piece_length(reader->block, reader->block_length);
    as_status status = feed(reader, reader->block, length);
    if (status != AS_OK) return status;
    reader->block += length;
    reader->block_length -= length;
  }
  if (reader->bytes.failed) return AS_E_NOMEM;
  const char *text = as_buffer_string(&reader->bytes);
  for (size_t i = 0; i < reader->row.count; text += reader->fields[i++].length + 1) reader->fields[i].text = text;
  reader->row.fields = reader->fields;
  return AS_OK;
}

static bool row_is_empty(const as_csv_row *row) {
  for (size_t i = 0; i < row->count; i++)
    if (!as_text_is_blank(row->fields[i].text, row->fields[i].length)) return false;
  return true;
}

static void check_texts(as_csv_row *row) {
  for (size_t i = 0; i < row->count && row->problem == AS_PROBLEM_NONE; i++) {
    const as_csv_field *field = &row->fields[i];
    row->problem_column = i;
    if (memchr(field->text, 0, field->length))
      row->problem = AS_PROBLEM_NUL_BYTE;
    else if (!as_utf8_valid(field->text, field->length))
      row->problem = AS_PROBLEM_INVALID_UTF8;
  }
}

static void check_row(as_csv_reader *reader) {
  as_csv_row *row = &reader->row;
  if (row->problem != AS_PROBLEM_NONE) return;
  if (row_is_empty(row) && (row->count == 1 || row->count == reader->columns))
    row->problem = AS_PROBLEM_EMPTY_ROW;
  else if (row->count < reader->columns)
    row->problem = AS_PROBLEM_SHORT_ROW;
  else if (row->count > reader->columns)
    row->problem = AS_PROBLEM_LONG_ROW;
  else
    check_texts(row);
}

as_status as_csv_next(as_csv_reader *reader, const as_csv_row **row) {
  *row = NULL;
  as_status status = read_row(reader);
  if (status != AS_OK || !reader->in_row) return status;
  check_row(reader);
  *row = &reader->row;
  return AS_OK;
}

/* As a person would give it to --delimiter. */
static const char *delimiter_name(char delimiter, char text[4]) {
  if (delimiter == '\t') return "tab";
  memcpy(text, (char[4]){'\'', delimiter, '\'', '\0'}, 4);
  return text;
}

static void quote_name(const as_csv_field *name, as_buffer *out) {
  as_buffer_printf(out, "'%.*s'", (int)(name->length < 60 ? name->length : 60), name->text);
}

static void name_column(const as_csv_reader *reader, size_t index, as_buffer *out) {
  as_buffer_text(out, index < reader->columns ? "column " : "field ");
  if (index < reader->columns)
    quote_name(&reader->header[index], out);
  else
    as_buffer_printf(out, "%zu", index + 1);
}

/* What is wrong with the row, for a message that has already named file and line. */
static void explain(const as_csv_reader *reader, const as_csv_row *row, as_buffer *out) {
  char text[4];
  switch (row->problem) {
  case AS_PROBLEM_SHORT_ROW:
  case AS_PROBLEM_LONG_ROW:
    as_buffer_printf(out, "%zu %s, but the header names %zu columns", row->count, row->count == 1 ? "field" : "fields",
                     reader->columns);
    if (row->problem == AS_PROBLEM_LONG_ROW)
      as_buffer_printf(out, "; put a field that contains %s in quotes", delimiter_name(reader->delimiter, text));
    return;
  case AS_PROBLEM_STRAY_QUOTE:
    as_buffer_text(out, "a stray quote in ");
    name_column(reader, row->problem_column, out);
    as_buffer_text(out, ": a field with quotes in it is written in quotes, each inner one doubled");
    return;
  case AS_PROBLEM_UNTERMINATED_QUOTE:
    as_buffer_text(out, "the quote that opens here, in ");
    name_column(reader, row->problem_column, out);
    as_buffer_text(out, ", is never closed");
    return;
  case AS_PROBLEM_NUL_BYTE:
  case AS_PROBLEM_INVALID_UTF8:
    as_buffer_text(out, row->problem == AS_PROBLEM_NUL_BYTE ? "a NUL byte in " : "invalid UTF-8 in ");
    name_column(reader, row->problem_column, out);
    as_buffer_text(out, "; if the file is in another encoding, convert it with --encoding (windows-1252, utf-16, ...)");
    return;
  default:
    as_buffer_text(out, as_data_problem_text(row->problem));
  }
}

as_status as_csv_fail_row(as_csv_reader *reader, const as_csv_row *row) {
  as_buffer text;
  as_buffer_init(&text, reader->ctx);
  explain(reader, row, &text);
  as_status status = as_buffer_status(&text);
  if (status == AS_OK)
    status = as_fail(reader->ctx, AS_E_DATA, "%s: line %llu: %s", as_csv_name(reader),
                     (unsigned long long)row->problem_line, as_buffer_string(&text));
  as_buffer_free(&text);
  return status;
}

/* Whether the header row, cut at `delimiter`, has the column `name`; NULL: whether it has more than one column. */
static bool header_would_have(const as_csv_reader *reader, char delimiter, const char *name) {
  const char *at = as_buffer_string(&reader->header_bytes), *end = at + reader->header_bytes.length;
  if (!name) return memchr(at, delimiter, (size_t)(end - at)) != NULL;
  size_t length = strlen(name);
  while (at <= end) {
    const char *stop = memchr(at, delimiter, (size_t)(end - at));
    const char *last = stop ? stop : end;
    const char *first = at;
    while (first < last && (*first == '"' || *first == ' ')) first++;
    const char *after = last;
    while (after > first && strchr("\" \r\n", after[-1]) != NULL) after--;
    if ((size_t)(after - first) == length && memcmp(first, name, length) == 0) return true;
    at = last + 1;
  }
  return false;
}

static as_status check_header(as_csv_reader *reader) {
  as_csv_row *row = &reader->row;
  if (row->problem == AS_PROBLEM_NONE) check_texts(row);
  if (row->problem == AS_PROBLEM_NONE) return AS_OK;
  as_status status = as_csv_fail_row(reader, row);
  char text[4], mine[4];
  for (const char *other = ",;\t|"; *other && row->problem == AS_PROBLEM_STRAY_QUOTE; other++)
    if (*other != reader->delimiter && header_would_have(reader, *other, NULL))
      return as_fail(reader->ctx, status,
                     "%s: line %llu: the header cannot be read with the delimiter %s; try --delimiter %s",
                     as_csv_name(reader), (unsigned long long)row->line, delimiter_name(reader->delimiter, mine),
                     delimiter_name(*other, text));
  return status;
}

static as_status read_header(as_csv_reader *reader) {
  as_status status = read_row(reader);
  if (status != AS_OK) return status;
  if (!reader->in_row)
    return as_fail(reader->ctx, AS_E_DATA, "%s: line 1: the file is empty; its first row has to name the columns",
                   as_csv_name(reader));
  status = check_header(reader);
  if (status != AS_OK) return status;
  reader->header_line = reader->row.line;
  reader->header_text = reader->bytes; /* the names stay where they are; rows get a buffer of their own */
  reader->header = reader->fields;
  reader->columns = reader->row.count;
  reader->fields = NULL;
  reader->fields_size = 0;
  as_buffer_init(&reader->bytes, reader->ctx);
  return AS_OK;
}

static as_status open_reader(as_context *ctx, const char *path, int fd, const as_csv_options *options,
                             as_csv_reader **out) {
  static const as_csv_options defaults;
  if (!options) options = &defaults;
  *out = NULL;
  as_csv_reader *reader = as_alloc_zero(ctx, 1, sizeof *reader);
  if (!reader) return AS_E_NOMEM;
  reader->ctx = ctx;
  reader->delimiter = options->delimiter ? options->delimiter : ',';
  reader->row_limit = options->row_limit ? options->row_limit : default_row_limit;
  reader->line = 1;
  as_buffer_init(&reader->bytes, ctx);
  as_buffer_init(&reader->header_bytes, ctx);
  as_buffer_init(&reader->header_text, ctx);
  start_parser(reader);
  as_status status = fd < 0 ? as_csv_source_open(&reader->source, ctx, path, options->encoding)
                            : as_csv_source_open_fd(&reader->source, ctx, fd, path, options->encoding);
  if (status == AS_OK) status = read_header(reader);
  if (status != AS_OK) {
    as_csv_close(reader);
    return status;
  }
  *out = reader;
  return AS_OK;
}

as_status as_csv_open(as_context *ctx, const char *path, const as_csv_options *options, as_csv_reader **out) {
  return open_reader(ctx, path, -1, options, out);
}

as_status as_csv_open_fd(as_context *ctx, int fd, const char *name, const as_csv_options *options,
                         as_csv_reader **out) {
  *out = NULL;
  if (fd < 0) return as_fail(ctx, AS_E_INVALID, "%s: %d is not a file descriptor", name, fd);
  return open_reader(ctx, name, fd, options, out);
}

void as_csv_close(as_csv_reader *reader) {
  if (!reader) return;
  as_csv_source_close(&reader->source);
  as_buffer_free(&reader->bytes);
  as_buffer_free(&reader->header_bytes);
  as_buffer_free(&reader->header_text);
  as_free(reader->ctx, reader->entry);
  as_free(reader->ctx, reader->fields);
  as_free(reader->ctx, reader->header);
  as_free(reader->ctx, reader);
}

const char *as_csv_name(const as_csv_reader *reader) {
  return reader->source.name;
}
char as_csv_delimiter(const as_csv_reader *reader) {
  return reader->delimiter;
}
size_t as_csv_column_count(const as_csv_reader *reader) {
  return reader->columns;
}
const as_csv_field *as_csv_header(const as_csv_reader *reader) {
  return reader->header;
}
int64_t as_csv_blank_lines(const as_csv_reader *reader) {
  return reader->blank_lines;
}

void as_csv_digest(const as_csv_reader *reader, unsigned char digest[32]) {
  as_sha256 hash = reader->source.hash;
  as_sha256_finish(&hash, digest);
}

static bool is_named(const as_csv_reader *reader, size_t index, const char *name) {
  return strlen(name) == reader->header[index].length && memcmp(reader->header[index].text, name, strlen(name)) == 0;
}

bool as_csv_has_column(const as_csv_reader *reader, const char *name) {
  for (size_t i = 0; i < reader->columns; i++)
    if (is_named(reader, i, name)) return true;
  return false;
}

static as_status fail_column(as_csv_reader *reader, const char *name) {
  enum { MOST_NAMED = 30 };
  as_buffer text;
  as_buffer_init(&text, reader->ctx);
  as_buffer_printf(&text, "there is no column '%s'; there %s ", name,
                   reader->columns == 1 ? "is only column" : "are the columns");
  for (size_t i = 0; i < reader->columns && i < MOST_NAMED; i++) {
    if (i > 0) as_buffer_text(&text, ", ");
    quote_name(&reader->header[i], &text);
  }
  if (reader->columns > MOST_NAMED) as_buffer_printf(&text, " and %zu more", reader->columns - MOST_NAMED);
  char quoted[4];
  for (const char *other = ",;\t|"; *other; other++)
    if (*other != reader->delimiter && header_would_have(reader, *other, name))
      as_buffer_printf(&text, "; with --delimiter %s there would be", delimiter_name(*other, quoted));
  as_status status = as_buffer_status(&text);
  if (status == AS_OK)
    status = as_fail(reader->ctx, AS_E_DATA, "%s: line %llu: %s", as_csv_name(reader),
                     (unsigned long long)reader->header_line, as_buffer_string(&text));
  as_buffer_free(&text);
  return status;
}

as_status as_csv_column(as_csv_reader *reader, const char *name, size_t *index) {
  size_t found = 0;
  for (size_t i = reader->columns; i-- > 0;)
    if (is_named(reader, i, name)) {
      *index = i;
      found++;
    }
  if (found == 0) return fail_column(reader, name);
  if (found > 1)
    return as_fail(reader->ctx, AS_E_DATA, "%s: line %llu: %zu columns are named '%s'; rename all but one",
                   as_csv_name(reader), (unsigned long long)reader->header_line, found, name);
  return AS_OK;
}
