/* CSV reading and writing, and the encodings of data files: what is read, what is refused and on which line. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "data/csv.h"
#include "data/csv_write.h"
#include "tests/harness.h"

static as_context *ctx;
static const char *folder;

static void setup(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
}

static void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

#define BYTES(literal) (literal), sizeof(literal) - 1

static const char *put(const void *bytes, size_t length) {
  static char path[4200];
  snprintf(path, sizeof path, "%s/in.csv", folder);
  FILE *stream = fopen(path, "wb");
  ck_assert_ptr_nonnull(stream);
  ck_assert_uint_eq(fwrite(bytes, 1, length, stream), length);
  ck_assert_int_eq(fclose(stream), 0);
  return path;
}

static as_csv_reader *open_bytes(const void *bytes, size_t length, const as_csv_options *options) {
  as_csv_reader *reader;
  ck_assert_ok(ctx, as_csv_open(ctx, put(bytes, length), options, &reader));
  return reader;
}

/* All rows as "line:field|field" lines, problems as "line!key@problem_line". */
static const char *rows_of(as_csv_reader *reader) {
  static as_buffer out;
  static char text[1 << 16];
  as_buffer_init(&out, ctx);
  for (;;) {
    const as_csv_row *row;
    ck_assert_ok(ctx, as_csv_next(reader, &row));
    if (!row) break;
    as_buffer_printf(&out, "%d", (int)row->line);
    if (row->problem != AS_PROBLEM_NONE)
      as_buffer_printf(&out, "!%s@%d", as_data_problem_key(row->problem), (int)row->problem_line);
    else
      for (size_t i = 0; i < row->count; i++) {
        ck_assert_uint_eq(row->fields[i].text[row->fields[i].length], 0);
        as_buffer_printf(&out, "%c%s", i ? '|' : ':', row->fields[i].text);
      }
    as_buffer_char(&out, '\n');
  }
  ck_assert(out.length < sizeof text);
  strcpy(text, as_buffer_string(&out));
  as_buffer_free(&out);
  return text;
}

static void check_rows(const void *bytes, size_t length, const as_csv_options *options, const char *expected) {
  as_csv_reader *reader = open_bytes(bytes, length, options);
  ck_assert_str_eq(rows_of(reader), expected);
  as_csv_close(reader);
}

static void refused(const void *bytes, size_t length, const as_csv_options *options, const char *fragment) {
  as_csv_reader *reader;
  const char *path = put(bytes, length);
  ck_assert_refused(ctx, as_csv_open(ctx, path, options, &reader), AS_E_DATA, fragment);
  ck_assert_ptr_null(reader);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "in.csv"));
}

START_TEST(rows_know_their_physical_line) {
  check_rows(BYTES("a,b\n1,2\n\"x\ny\nz\",3\n4,\"5\n6\"\n7,8"), NULL, "2:1|2\n3:x\ny\nz|3\n6:4|5\n6\n8:7|8\n");
}
END_TEST

START_TEST(line_ends_may_be_lf_crlf_or_cr) {
  check_rows(BYTES("a,b\r\n1,\"2\r\n3\"\r\n4,5\r\n"), NULL, "2:1|2\r\n3\n4:4|5\n");
  check_rows(BYTES("a,b\r1,2\r3,4\r"), NULL, "2:1|2\n3:3|4\n");
  check_rows(BYTES("a,b\n1,2\r\n3,4\r5,6\n"), NULL, "2:1|2\n3:3|4\n4:5|6\n");
}
END_TEST

START_TEST(blank_lines_are_passed_over_and_counted) {
  as_csv_reader *reader = open_bytes(BYTES("\n\na,b\r\n\r\n1,2\n\n\n3,4\n\n"), NULL);
  ck_assert_str_eq(rows_of(reader), "5:1|2\n8:3|4\n");
  ck_assert_int_eq(as_csv_blank_lines(reader), 6);
  as_csv_close(reader);
  check_rows(BYTES("a\r\r1\r\r\r2\r"), NULL, "3:1\n6:2\n");
}
END_TEST

START_TEST(spaces_are_kept_and_quotes_undoubled) {
  check_rows(BYTES("a,b\n 1 ,\" 2 \"\n\"say \"\"hi\"\"\",\n"), NULL, "2: 1 | 2 \n3:say \"hi\"|\n");
}
END_TEST

START_TEST(a_utf8_mark_is_skipped) {
  as_csv_reader *reader = open_bytes(BYTES("\xEF\xBB\xBF" "content,intent\nh\xC3\xA9,x\n"), NULL);
  size_t index;
  ck_assert_ok(ctx, as_csv_column(reader, "content", &index));
  ck_assert_str_eq(rows_of(reader), "2:h\xC3\xA9|x\n");
  as_csv_close(reader);
}
END_TEST

START_TEST(every_kind_of_broken_row_is_named_with_its_line) {
  check_rows(BYTES("a,b\n1\n1,2,3\n1,2\n"), NULL, "2!short_rows@2\n3!long_rows@3\n4:1|2\n");
  check_rows(BYTES("a,b\n5\" disk,2\n1,2\n\"x\"y,3\n4,5\n"), NULL,
             "2!stray_quotes@2\n3:1|2\n4!stray_quotes@4\n5:4|5\n");
  check_rows(BYTES("a,b\n,\n  ,\t\n\"\",\"\"\n \n"), NULL,
             "2!empty_rows@2\n3!empty_rows@3\n4!empty_rows@4\n5!empty_rows@5\n");
  check_rows(BYTES("a,b\n1,\0002\n3,4\n"), NULL, "2!nul_bytes@2\n3:3|4\n");
  check_rows(BYTES("a,b\n1,\xFF\n3,\xC3\xA9\n\"\n\xE9\",2\n"), NULL,
             "2!invalid_utf8@2\n3:3|\xC3\xA9\n4!invalid_utf8@4\n");
}
END_TEST

START_TEST(a_quote_that_never_closes_is_reported_where_it_opened) {
  check_rows(BYTES("a,b\n1,2\n\"3\n4\",\"5\n6,7\n8,9\n"), NULL, "2:1|2\n3!unterminated_quotes@4\n");
  check_rows(BYTES("a,b\n1,\"2"), NULL, "2!unterminated_quotes@2\n");
  check_rows(BYTES("a,b\n1,\"2\""), NULL, "2:1|2\n");
  check_rows(BYTES("a,b\n\"\n\",\"x\n\n\"\"\n"), NULL, "2!unterminated_quotes@3\n");
}
END_TEST

START_TEST(a_failed_row_becomes_a_message_with_file_line_and_reason) {
  static const struct {
    const char *text, *expected;
  } cases[] = {
      {"a,b\n1,2\n3\n", "in.csv: line 3: 1 field, but the header names 2 columns"},
      {"a,b\n1,2,3\n",
       "in.csv: line 2: 3 fields, but the header names 2 columns; put a field that contains ',' in quotes"},
      {"a,b\n1,x\"y\n", "in.csv: line 2: a stray quote in column 'b'"},
      {"a,b\n1,2\n3,\"\n\n", "in.csv: line 3: the quote that opens here, in column 'b', is never closed"},
      {"a,b\n1,\xFFz\n",
       "in.csv: line 2: invalid UTF-8 in column 'b'; if the file is in another encoding, convert it with "
       "--encoding"},
      {"a,b\n,\n", "in.csv: line 2: rows with nothing in them"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    as_csv_reader *reader = open_bytes(cases[i].text, strlen(cases[i].text), NULL);
    const as_csv_row *row = NULL;
    do ck_assert_ok(ctx, as_csv_next(reader, &row));
    while (row && row->problem == AS_PROBLEM_NONE);
    ck_assert_ptr_nonnull(row);
    ck_assert_refused(ctx, as_csv_fail_row(reader, row), AS_E_DATA, cases[i].expected);
    as_csv_close(reader);
  }
}
END_TEST

START_TEST(a_missing_column_lists_what_is_there_and_the_delimiter_that_would_help) {
  as_csv_reader *reader = open_bytes(BYTES("text,category\n1,2\n"), NULL);
  size_t index = 9;
  ck_assert_ok(ctx, as_csv_column(reader, "category", &index));
  ck_assert_uint_eq(index, 1);
  ck_assert(as_csv_has_column(reader, "text") && !as_csv_has_column(reader, "Text"));
  ck_assert_refused(ctx, as_csv_column(reader, "content", &index), AS_E_DATA,
                    "line 1: there is no column 'content'; there are the columns 'text', 'category'");
  ck_assert_ptr_null(strstr(as_error_text(ctx), "--delimiter"));
  as_csv_close(reader);

  reader = open_bytes(BYTES("\ncontent;intent\r\n1;2\n"), NULL);
  ck_assert_refused(ctx, as_csv_column(reader, "intent", &index), AS_E_DATA, "with --delimiter ';' there would be");
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx),
                               "line 2: there is no column 'intent'; there is only column 'content;intent'"));
  as_csv_close(reader);
  reader = open_bytes(BYTES("content\tintent\n1\t2\n"), NULL);
  ck_assert_refused(ctx, as_csv_column(reader, "content", &index), AS_E_DATA, "with --delimiter tab there would be");
  as_csv_close(reader);
  refused(BYTES("\"content\";\"intent\"\n\"1\";\"2\"\n"), NULL, "try --delimiter ';'");

  as_csv_options options = {.delimiter = ';'};
  check_rows(BYTES("content;intent\n1,5;2\n"), &options, "2:1,5|2\n");
  options.delimiter = '\t';
  check_rows(BYTES("content\tintent\n1,5\t\"2\t\"\n"), &options, "2:1,5|2\t\n");
}
END_TEST

START_TEST(columns_with_the_same_name_are_refused_when_asked_for) {
  as_csv_reader *reader = open_bytes(BYTES("a,b,a\n1,2,3\n"), NULL);
  size_t index;
  ck_assert_ok(ctx, as_csv_column(reader, "b", &index));
  ck_assert_refused(ctx, as_csv_column(reader, "a", &index), AS_E_DATA, "2 columns are named 'a'");
  as_csv_close(reader);
}
END_TEST

START_TEST(files_that_cannot_be_read_are_refused) {
  as_csv_reader *reader;
  ck_assert_refused(ctx, as_csv_open(ctx, "/no/such.csv", NULL, &reader), AS_E_DATA, "/no/such.csv: cannot be opened");
  ck_assert_refused(ctx, as_csv_open(ctx, folder, NULL, &reader), AS_E_DATA, "is a folder");
  ck_assert_refused(ctx, as_csv_open_fd(ctx, -1, "pipe", NULL, &reader), AS_E_INVALID, "pipe");
  refused(BYTES(""), NULL, "line 1: the file is empty");
  refused(BYTES("\n\r\n\n"), NULL, "the file is empty");
  refused(BYTES("\xEF\xBB\xBF"), NULL, "the file is empty");
  refused(BYTES("a,\"b\n1,2\n"), NULL, "line 1: the quote that opens here, in field 2, is never closed");
  refused(BYTES("a,b\xFF\n1,2\n"), NULL, "line 1: invalid UTF-8 in field 2");
}
END_TEST

START_TEST(a_row_larger_than_the_limit_is_refused_with_its_line) {
  as_csv_options options = {.row_limit = 100};
  char text[400] = "a,b\n1,2\n3,\"";
  memset(text + strlen(text), '\n', 200);
  as_csv_reader *reader = open_bytes(text, strlen(text), &options);
  const as_csv_row *row;
  ck_assert_ok(ctx, as_csv_next(reader, &row));
  ck_assert_refused(ctx, as_csv_next(reader, &row), AS_E_DATA, "line 3: the row is larger than 100 bytes; is a quote");
  as_csv_close(reader);
}
END_TEST

START_TEST(memory_is_bounded_by_a_row_not_by_the_file) {
  enum { ROWS = 200000 };
  as_buffer big;
  as_buffer_init(&big, ctx);
  as_buffer_text(&big, "content,intent\n");
  for (int i = 0; i < ROWS; i++)
    as_buffer_printf(&big, "\"message number %d, with\na second line\",label%d\r\n", i, i % 7);
  const char *path = put(big.data, big.length);
  as_buffer_free(&big);
  as_context *small = as_test_context(1);
  as_csv_reader *reader;
  ck_assert_ok(small, as_csv_open(small, path, NULL, &reader));
  uint64_t rows = 0, allocations = 0;
  for (;;) {
    const as_csv_row *row;
    ck_assert_ok(small, as_csv_next(reader, &row));
    if (!row) break;
    ck_assert_int_eq(row->problem, AS_PROBLEM_NONE);
    ck_assert_uint_eq(row->line, 2 + 2 * rows);
    if (++rows == 1000) allocations = as_allocation_count(small);
  }
  ck_assert_uint_eq(rows, ROWS);
  ck_assert_uint_eq(as_allocation_count(small), allocations);
  ck_assert_uint_lt(as_memory_peak(small), 256 * 1024);
  as_csv_close(reader);
  as_test_context_free(small);
}
END_TEST

/* ---- encodings -------------------------------------------------------------------------------------------------- */

static size_t to_utf16(const char *utf8, bool big_endian, bool mark, unsigned char *out) {
  size_t n = 0, length = strlen(utf8);
  for (size_t at = 0; at <= length;) {
    uint32_t c = 0xFEFF;
    if (mark) mark = false;
    else if (at == length) break;
    else at += (size_t)as_utf8_decode(utf8 + at, length - at, &c);
    uint32_t units[2] = {c, 0};
    if (c > 0xFFFF) units[0] = 0xD7C0 + (c >> 10), units[1] = 0xDC00 + (c & 0x3FF);
    for (int u = 0; u < 2 && units[u]; u++) {
      out[n++] = (unsigned char)(big_endian ? units[u] >> 8 : units[u]);
      out[n++] = (unsigned char)(big_endian ? units[u] : units[u] >> 8);
    }
  }
  return n;
}

static const char sample[] = "content,intent\nO\xC3\xB9 est \xE2\x82\xAC\xF0\x9F\x98\x80?,x\n\"a\nb\",y\n";
static const char sample_rows[] = "2:O\xC3\xB9 est \xE2\x82\xAC\xF0\x9F\x98\x80?|x\n3:a\nb|y\n";

START_TEST(utf16_is_named_in_the_error_and_converted_on_request) {
  unsigned char bytes[400];
  for (int big = 0; big < 2; big++)
    for (int mark = 0; mark < 2; mark++) {
      size_t length = to_utf16(sample, big, mark, bytes);
      refused(bytes, length, NULL, big ? "UTF-16BE, not UTF-8: convert it with --encoding utf-16be"
                                       : "UTF-16LE, not UTF-8: convert it with --encoding utf-16le");
      as_csv_options options = {.encoding = AS_ENCODING_UTF_8};
      refused(bytes, length, &options, "UTF-16");
      options.encoding = AS_ENCODING_UTF_16;
      check_rows(bytes, length, &options, sample_rows);
      options.encoding = big ? AS_ENCODING_UTF_16BE : AS_ENCODING_UTF_16LE;
      check_rows(bytes, length, &options, sample_rows);
      options.encoding = big ? AS_ENCODING_UTF_16LE : AS_ENCODING_UTF_16BE;
      refused(bytes, length, &options, "was asked for, but the file looks like utf-16");
      options.encoding = AS_ENCODING_WINDOWS_1252;
      refused(bytes, length, &options, "but the file is in utf-16");
    }
  as_csv_options options = {.encoding = AS_ENCODING_UTF_16};
  refused(BYTES("content,intent\nx,y\n"), &options, "looks like utf-8");
  refused(BYTES("\xFF\xFE\0\0c\0\0\0"), NULL, "UTF-32");
}
END_TEST

START_TEST(half_a_character_of_utf16_makes_the_row_invalid) {
  unsigned char bytes[400];
  size_t length = to_utf16("a,b\n1,2\n3,Z\n4,Z", false, true, bytes);
  as_csv_options options = {.encoding = AS_ENCODING_UTF_16};
  for (size_t i = 2; i < length; i += 2)
    if (bytes[i] == 'Z') bytes[i + 1] = 0xD8; /* a high surrogate with nothing behind it */
  check_rows(bytes, length, &options, "2:1|2\n3!invalid_utf8@3\n4!invalid_utf8@4\n");
  length = to_utf16("a,b\n1,2", false, true, bytes);
  check_rows(bytes, length - 1, &options, "2!invalid_utf8@2\n");
}
END_TEST

START_TEST(windows_1252_is_told_from_damaged_utf8) {
  static const char western[] = "content,intent\nO\xF9 est ma commande ?,suivi\nC'est d\xE9j\xE0 pay\xE9,achat\n"
                                "prix : 5 \x80,achat\n";
  refused(BYTES(western), NULL, "line 2: the file is not UTF-8 but looks like Windows-1252");
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "--encoding windows-1252"));
  as_csv_options options = {.encoding = AS_ENCODING_WINDOWS_1252};
  check_rows(BYTES(western), &options,
             "2:O\xC3\xB9 est ma commande ?|suivi\n3:C'est d\xC3\xA9j\xC3\xA0 pay\xC3\xA9|achat\n"
             "4:prix : 5 \xE2\x82\xAC|achat\n");
  check_rows(BYTES("a,b\nx,\x81\n"), &options, "2!invalid_utf8@2\n");
  options.encoding = AS_ENCODING_LATIN_1;
  check_rows(BYTES("a,b\n\xE9,\x80\n"), &options, "2:\xC3\xA9|\xC2\x80\n");
  options.encoding = AS_ENCODING_UTF_8;
  check_rows(BYTES("a,b\nd\xE9j\xE0,1\np\xE9,2\nx,3\n"), &options, "2!invalid_utf8@2\n3!invalid_utf8@3\n4:x|3\n");

  /* UTF-8 with a few broken bytes: row by row */
  check_rows(BYTES("a,b\ncaf\xC3\xA9 \xC3\xA0 la \xC3\xA9t\xC3\xA9,1\np\xE9,2\n\xE9,3\n\xE0,4\n"), NULL,
             "2:caf\xC3\xA9 \xC3\xA0 la \xC3\xA9t\xC3\xA9|1\n3!invalid_utf8@3\n4!invalid_utf8@4\n5!invalid_utf8@5\n");
  check_rows(BYTES("a,b\n\xFF\xFE,1\n\xFF,2\n\xFE,3\n"), NULL,
             "2!invalid_utf8@2\n3!invalid_utf8@3\n4!invalid_utf8@4\n");
  check_rows(BYTES("a,b\nx\xE9,1\n"), NULL, "2!invalid_utf8@2\n");
}
END_TEST

START_TEST(an_encoding_that_would_garble_utf8_is_warned_about) {
  as_csv_options options = {.encoding = AS_ENCODING_WINDOWS_1252};
  check_rows(BYTES("a\ncaf\xC3\xA9\n"), &options, "2:caf\xC3\x83\xC2\xA9\n");
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "valid UTF-8"));
  refused(BYTES("\xEF\xBB\xBF" "a\nx\n"), &options, "but the file is in utf-8");
}
END_TEST

START_TEST(names_of_encodings_and_delimiters) {
  as_text_encoding encoding;
  ck_assert_ok(ctx, as_encoding_by_name(ctx, "CP1252", &encoding));
  ck_assert_int_eq(encoding, AS_ENCODING_WINDOWS_1252);
  ck_assert_ok(ctx, as_encoding_by_name(ctx, "Utf_16LE", &encoding));
  ck_assert_int_eq(encoding, AS_ENCODING_UTF_16LE);
  ck_assert_ok(ctx, as_encoding_by_name(ctx, NULL, &encoding));
  ck_assert_int_eq(encoding, AS_ENCODING_AUTO);
  ck_assert_refused(ctx, as_encoding_by_name(ctx, "ebcdic", &encoding), AS_E_INVALID, "windows-1252");
  ck_assert_refused(ctx, as_encoding_by_name(ctx, "utf-1", &encoding), AS_E_INVALID, "utf-1");
  char delimiter;
  ck_assert_ok(ctx, as_csv_delimiter_by_name(ctx, "tab", &delimiter));
  ck_assert_int_eq(delimiter, '\t');
  ck_assert_ok(ctx, as_csv_delimiter_by_name(ctx, ";", &delimiter));
  ck_assert_int_eq(delimiter, ';');
  ck_assert_refused(ctx, as_csv_delimiter_by_name(ctx, "\"", &delimiter), AS_E_INVALID, "delimiter");
}
END_TEST

/* ---- pipes, digests, writing ------------------------------------------------------------------------------------ */

START_TEST(a_pipe_is_read_as_it_comes) {
  int ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  ck_assert_int_eq(write(ends[1], "a,b\n1,2\n3", 9), 9);
  as_csv_reader *reader;
  ck_assert_ok(ctx, as_csv_open_fd(ctx, ends[0], "the pipe", NULL, &reader)); /* would hang if it waited for the end */
  const as_csv_row *row;
  ck_assert_ok(ctx, as_csv_next(reader, &row));
  ck_assert_str_eq(row->fields[1].text, "2");
  ck_assert_int_eq(write(ends[1], ",4\n", 3), 3);
  close(ends[1]);
  ck_assert_str_eq(rows_of(reader), "3:3|4\n");
  ck_assert_str_eq(as_csv_name(reader), "the pipe");
  unsigned char digest[32];
  char hex[65];
  as_csv_digest(reader, digest);
  as_sha256_hex(digest, hex);
  as_csv_close(reader);
  close(ends[0]);

  ck_assert_ok(ctx, as_sha256_file(ctx, put(BYTES("a,b\n1,2\n3,4\n")), AS_E_DATA, digest));
  char expected[65];
  as_sha256_hex(digest, expected);
  ck_assert_str_eq(hex, expected);
}
END_TEST

START_TEST(the_digest_is_that_of_the_bytes_in_the_file) {
  unsigned char bytes[400], digest[32], expected[32];
  size_t length = to_utf16(sample, false, true, bytes);
  as_csv_options options = {.encoding = AS_ENCODING_UTF_16};
  as_csv_reader *reader = open_bytes(bytes, length, &options);
  rows_of(reader);
  as_csv_digest(reader, digest);
  ck_assert_ok(ctx, as_sha256_file(ctx, put(bytes, length), AS_E_DATA, expected));
  ck_assert_int_eq(memcmp(digest, expected, 32), 0);
  as_csv_close(reader);
}
END_TEST

START_TEST(what_is_written_is_read_back) {
  as_random random = as_random_start(7, 0);
  static const char alphabet[] = "ab,;\t\"\r\n \xC3\xA9|";
  for (int round = 0; round < 300; round++) {
    char delimiter = ",;\t"[round % 3];
    size_t columns = 1 + (size_t)as_random_below(&random, 4);
    char texts[4][12];
    as_csv_field fields[4], names[4];
    for (size_t i = 0; i < columns; i++) {
      size_t length = (size_t)as_random_below(&random, 9);
      for (size_t k = 0; k < length; k++) {
        size_t pick = (size_t)as_random_below(&random, sizeof alphabet - 1);
        texts[i][k] = (unsigned char)alphabet[pick] >= 0x80 ? 'z' : alphabet[pick];
      }
      if (i == 0) texts[i][length++] = 'x'; /* a row of nothing is another test */
      texts[i][length] = 0;
      fields[i] = (as_csv_field){texts[i], length};
      names[i] = as_csv_text((const char *[]){"one", "two", "three", "four"}[i]);
    }
    as_buffer out;
    as_buffer_init(&out, ctx);
    as_csv_append_row(&out, names, columns, delimiter);
    as_csv_append_row(&out, fields, columns, delimiter);
    as_csv_options options = {.delimiter = delimiter};
    as_csv_reader *reader = open_bytes(out.data, out.length, &options);
    const as_csv_row *row;
    ck_assert_ok(ctx, as_csv_next(reader, &row));
    ck_assert_msg(row && row->problem == AS_PROBLEM_NONE, "written as %s", out.data);
    ck_assert_uint_eq(row->count, columns);
    for (size_t i = 0; i < columns; i++) {
      ck_assert_uint_eq(row->fields[i].length, fields[i].length);
      ck_assert_str_eq(row->fields[i].text, fields[i].text);
    }
    as_buffer_free(&out);
    as_csv_close(reader);
  }
}
END_TEST

/* ---- hostile surroundings --------------------------------------------------------------------------------------- */

START_TEST(every_failing_allocation_is_an_error_without_a_leak) {
  unsigned char wide[800];
  char narrow[600] = "content,intent\n\"";
  memset(narrow + strlen(narrow), 'x', 300);
  strcat(narrow, "\",y\n1,2\n3\n");
  size_t length = to_utf16(narrow, false, true, wide);
  as_csv_options options = {.encoding = AS_ENCODING_UTF_16};
  const char *path = put(wide, length);
  for (uint64_t n = 1;; n++) {
    as_test_fail_at(ctx, n);
    as_csv_reader *reader;
    as_status status = as_csv_open(ctx, path, &options, &reader);
    const as_csv_row *row = NULL;
    do {
      if (status == AS_OK) status = as_csv_next(reader, &row);
      if (status == AS_OK && row && row->problem != AS_PROBLEM_NONE) {
        status = as_csv_fail_row(reader, row);
        if (status == AS_E_DATA) status = AS_OK;
      }
    } while (status == AS_OK && row);
    size_t index;
    if (status == AS_OK) status = as_csv_column(reader, "none", &index) == AS_E_NOMEM ? AS_E_NOMEM : AS_OK;
    as_csv_close(reader);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_uint_eq(as_memory_used(ctx), 0);
    if (!failed) {
      ck_assert_uint_gt(n, 8);
      break;
    }
    ck_assert_int_eq(status, AS_E_NOMEM);
  }
}
END_TEST

/* Any bytes at all: rows or an error, lines that only grow, no byte read outside. */
START_TEST(mutated_files_never_break_the_reader) {
  static const char seed_text[] = "content,intent,note\r\n\"a \"\"b\"\"\nc\",x,1\nd,\"e,f\",\r\n"
                                  "\xC3\xA9\xE2\x82\xAC,y,\"\"\n\n,,\nlast,z,3";
  static const char spice[] = "\",\n\r\0\xFF\xC3 ;";
  as_random random = as_random_start(11, 3);
  for (int round = 0; round < 4000; round++) {
    char bytes[sizeof seed_text + 16];
    size_t length = sizeof seed_text - 1;
    memcpy(bytes, seed_text, length);
    for (uint64_t change = 1 + as_random_below(&random, 8); change > 0; change--) {
      size_t at = (size_t)as_random_below(&random, length);
      switch (as_random_below(&random, 3)) {
      case 0: bytes[at] = spice[as_random_below(&random, sizeof spice - 1)]; break;
      case 1: bytes[at] = (char)as_random_below(&random, 256); break;
      default: memmove(bytes + at, bytes + at + 1, --length - at);
      }
    }
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], bytes, length), (ssize_t)length);
    close(ends[1]);
    as_csv_options options = {.encoding = (as_text_encoding)(round % 7), .row_limit = round % 5 ? 0 : 40};
    as_csv_reader *reader;
    as_status status = as_csv_open_fd(ctx, ends[0], "fuzz", &options, &reader);
    uint64_t line = 0;
    const as_csv_row *row = NULL;
    while (status == AS_OK) {
      status = as_csv_next(reader, &row);
      if (status != AS_OK || !row) break;
      ck_assert_uint_gt(row->line, line);
      ck_assert_uint_ge(row->problem_line, row->line);
      line = row->line;
      if (row->problem == AS_PROBLEM_NONE) ck_assert_uint_eq(row->count, as_csv_column_count(reader));
      else ck_assert_int_eq(as_csv_fail_row(reader, row), AS_E_DATA);
    }
    ck_assert(status == AS_OK || status == AS_E_DATA);
    as_csv_close(reader);
    close(ends[0]);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("csv");
  TCase *tests = tcase_create("csv");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, rows_know_their_physical_line);
  tcase_add_test(tests, line_ends_may_be_lf_crlf_or_cr);
  tcase_add_test(tests, blank_lines_are_passed_over_and_counted);
  tcase_add_test(tests, spaces_are_kept_and_quotes_undoubled);
  tcase_add_test(tests, a_utf8_mark_is_skipped);
  tcase_add_test(tests, every_kind_of_broken_row_is_named_with_its_line);
  tcase_add_test(tests, a_quote_that_never_closes_is_reported_where_it_opened);
  tcase_add_test(tests, a_failed_row_becomes_a_message_with_file_line_and_reason);
  tcase_add_test(tests, a_missing_column_lists_what_is_there_and_the_delimiter_that_would_help);
  tcase_add_test(tests, columns_with_the_same_name_are_refused_when_asked_for);
  tcase_add_test(tests, files_that_cannot_be_read_are_refused);
  tcase_add_test(tests, a_row_larger_than_the_limit_is_refused_with_its_line);
  tcase_add_test(tests, memory_is_bounded_by_a_row_not_by_the_file);
  tcase_add_test(tests, utf16_is_named_in_the_error_and_converted_on_request);
  tcase_add_test(tests, half_a_character_of_utf16_makes_the_row_invalid);
  tcase_add_test(tests, windows_1252_is_told_from_damaged_utf8);
  tcase_add_test(tests, an_encoding_that_would_garble_utf8_is_warned_about);
  tcase_add_test(tests, names_of_encodings_and_delimiters);
  tcase_add_test(tests, a_pipe_is_read_as_it_comes);
  tcase_add_test(tests, the_digest_is_that_of_the_bytes_in_the_file);
  tcase_add_test(tests, what_is_written_is_read_back);
  tcase_add_test(tests, every_failing_allocation_is_an_error_without_a_leak);
  tcase_add_test(tests, mutated_files_never_break_the_reader);
  suite_add_tcase(suite, tests);
  return suite;
}
