/* The table of what can be wrong with a row, and the counters over it. */
#include "data/report.h"

#include <inttypes.h>
#include <string.h>

enum { M = 1 << AS_TABLE_MESSAGES, I = 1 << AS_TABLE_INTERACTIONS, P = 1 << AS_TABLE_PRODUCTS, ALL = M | I | P };

static const struct {
  as_problem_class class;
  int tables; /* that can have it */
  const char *key;
  const char *one, *many;
} problems[AS_PROBLEM_COUNT] = {
    [AS_PROBLEM_NONE] = {AS_CLASS_NONE, 0, "sound", "sound row", "sound rows"},
    [AS_PROBLEM_STRAY_QUOTE] = {AS_CLASS_BROKEN, ALL, "stray_quotes", "row with a stray quote",
                                "rows with a stray quote"},
    [AS_PROBLEM_UNTERMINATED_QUOTE] = {AS_CLASS_BROKEN, ALL, "unterminated_quotes", "quote that is never closed",
                                       "quotes that are never closed"},
    [AS_PROBLEM_SHORT_ROW] = {AS_CLASS_BROKEN, ALL, "short_rows", "row with fewer fields than columns",
                              "rows with fewer fields than columns"},
    [AS_PROBLEM_LONG_ROW] = {AS_CLASS_BROKEN, ALL, "long_rows", "row with more fields than columns",
                             "rows with more fields than columns"},
    [AS_PROBLEM_NUL_BYTE] = {AS_CLASS_BROKEN, ALL, "nul_bytes", "row with a NUL byte", "rows with NUL bytes"},
    [AS_PROBLEM_INVALID_UTF8] = {AS_CLASS_BROKEN, ALL, "invalid_utf8", "row with invalid UTF-8",
                                 "rows with invalid UTF-8"},
    [AS_PROBLEM_EMPTY_ID] = {AS_CLASS_BROKEN, I | P, "empty_ids", "row with an empty id", "rows with an empty id"},
    [AS_PROBLEM_DUPLICATE_ID] = {AS_CLASS_BROKEN, P, "duplicate_ids", "row with the id of an earlier product",
                                 "rows with the id of an earlier product"},
    [AS_PROBLEM_BAD_PRICE] = {AS_CLASS_BROKEN, P, "bad_prices", "row with a price that is no number",
                              "rows with a price that is no number"},
    [AS_PROBLEM_UNKNOWN_TYPE] = {AS_CLASS_BROKEN, I, "unknown_types", "row of a type that has no weight",
                                 "rows of a type that has no weight"},
    [AS_PROBLEM_BAD_TIME] = {AS_CLASS_BROKEN, I, "bad_times", "row with a time that can't be read",
                             "rows with a time that can't be read"},
    [AS_PROBLEM_UNKNOWN_PRODUCT] = {AS_CLASS_BROKEN, I, "unknown_products",
                                    "row with a product that is not in the catalogue",
                                    "rows with a product that is not in the catalogue"},
    [AS_PROBLEM_EMPTY_ROW] = {AS_CLASS_EMPTY, ALL, "empty_rows", "row with nothing in it", "rows with nothing in them"},
    [AS_PROBLEM_EMPTY_TEXT] = {AS_CLASS_EMPTY, M, "empty_texts", "row with an empty text", "rows with an empty text"},
    [AS_PROBLEM_EMPTY_LABEL] = {AS_CLASS_EMPTY, M, "empty_labels", "row with an empty label",
                                "rows with an empty label"},
    [AS_PROBLEM_DUPLICATE] = {AS_CLASS_KEPT, M | I, "duplicates", "duplicate row", "duplicate rows"},
    [AS_PROBLEM_CONTRADICTION] = {AS_CLASS_KEPT, M, "contradictions", "contradicting row (same text, another label)",
                                  "contradicting rows (same text, another label)"},
    [AS_PROBLEM_MOJIBAKE] = {AS_CLASS_KEPT, M, "mojibake", "row that was once read in a wrong encoding (Ã¤ for ä)",
                             "rows that were once read in a wrong encoding (Ã¤ for ä)"},
    [AS_PROBLEM_REPLACEMENT] = {AS_CLASS_KEPT, M, "replacement_characters", "row that has lost characters (U+FFFD)",
                                "rows that have lost characters (U+FFFD)"},
    [AS_PROBLEM_CONTROL] = {AS_CLASS_KEPT, M, "control_characters", "row with control characters or invisible marks",
                            "rows with control characters or invisible marks"},
    [AS_PROBLEM_FUTURE] = {AS_CLASS_KEPT, I, "future_times", "row with a time that has not come yet",
                           "rows with a time that has not come yet"},
};

as_status as_on_error_by_name(as_context *ctx, const char *name, as_on_error *out) {
  *out = AS_ON_ERROR_DEFAULT;
  if (!name) return AS_OK;
  if (strcmp(name, "fail") == 0)
    *out = AS_ON_ERROR_FAIL;
  else if (strcmp(name, "skip") == 0)
    *out = AS_ON_ERROR_SKIP;
  else
    return as_fail(ctx, AS_E_INVALID, "--on-error is 'fail' or 'skip', not '%s'", name);
  return AS_OK;
}

as_problem_class as_data_problem_class(as_data_problem problem) {
  return problems[problem].class;
}
const char *as_data_problem_key(as_data_problem problem) {
  return problems[problem].key;
}
const char *as_data_problem_text(as_data_problem problem) {
  return problems[problem].many;
}

bool as_data_problem_fails(as_data_problem problem, as_on_error on_error) {
  switch (problems[problem].class) {
  case AS_CLASS_BROKEN:
    return on_error != AS_ON_ERROR_SKIP;
  case AS_CLASS_EMPTY:
    return on_error == AS_ON_ERROR_FAIL;
  default:
    return false;
  }
}

void as_data_report_add(as_data_report *report, as_data_problem problem, uint64_t line, uint64_t earlier) {
  as_data_finding *finding = &report->findings[problem];
  if (finding->count < AS_DATA_EXAMPLES) {
    finding->lines[finding->count] = line;
    finding->earlier[finding->count] = earlier;
  }
  finding->count++;
}

int64_t as_data_report_broken(const as_data_report *report, uint64_t *first_line) {
  int64_t rows = 0;
  *first_line = 0;
  for (int problem = 1; problem < AS_PROBLEM_COUNT; problem++) {
    const as_data_finding *finding = &report->findings[problem];
    if (problems[problem].class != AS_CLASS_BROKEN || finding->count == 0) continue;
    rows += finding->count;
    if (*first_line == 0 || finding->lines[0] < *first_line) *first_line = finding->lines[0];
  }
  return rows;
}

static int examples(const as_data_finding *finding) {
  return finding->count < AS_DATA_EXAMPLES ? (int)finding->count : AS_DATA_EXAMPLES;
}

/* "2 rows with an empty text, left out (lines 4, 9)", without a line end. */
static void print_finding(const as_data_report *report, as_data_problem problem, as_buffer *out) {
  const as_data_finding *finding = &report->findings[problem];
  as_buffer_printf(out, "%" PRId64 " %s", finding->count,
                   finding->count == 1 ? problems[problem].one : problems[problem].many);
  if (problems[problem].class != AS_CLASS_KEPT) as_buffer_text(out, ", left out");
  as_buffer_text(out, finding->count == 1 ? " (line " : " (lines ");
  for (int i = 0; i < examples(finding); i++) {
    as_buffer_printf(out, "%s%" PRIu64, i > 0 ? ", " : "", finding->lines[i]);
    if (finding->earlier[i] == 0 || finding->earlier[i] == finding->lines[i]) continue;
    if (problem == AS_PROBLEM_UNTERMINATED_QUOTE)
      as_buffer_printf(out, ", opened on line %" PRIu64, finding->earlier[i]);
    else
      as_buffer_printf(out, " like %" PRIu64, finding->earlier[i]);
  }
  as_buffer_text(out, finding->count > AS_DATA_EXAMPLES ? ", ...)" : ")");
}

void as_data_report_print(const as_data_report *report, as_buffer *out) {
  for (int problem = 1; problem < AS_PROBLEM_COUNT; problem++) {
    if (report->findings[problem].count == 0) continue;
    print_finding(report, (as_data_problem)problem, out);
    as_buffer_char(out, '\n');
  }
}

void as_data_report_warn(as_context *ctx, const as_data_report *report, const char *path) {
  for (int problem = 1; problem < AS_PROBLEM_COUNT; problem++) {
    if (report->findings[problem].count == 0) continue;
    as_buffer text;
    as_buffer_init(&text, ctx);
    print_finding(report, (as_data_problem)problem, &text);
    if (text.failed)
      as_warn(ctx, "%s: %s", path, problems[problem].many);
    else
      as_warn(ctx, "%s: %s", path, as_buffer_string(&text));
    as_buffer_free(&text);
  }
}

static void lines_json(as_json_writer *writer, const char *key, const uint64_t *lines, int count) {
  as_json_open_array(writer, key);
  for (int i = 0; i < count; i++) as_json_int(writer, NULL, (int64_t)lines[i]);
  as_json_close_array(writer);
}

void as_data_finding_json(const as_data_finding *finding, bool earlier, as_json_writer *writer) {
  lines_json(writer, "lines", finding->lines, examples(finding));
  if (earlier) lines_json(writer, "earlier", finding->earlier, examples(finding));
}

void as_data_report_json(const as_data_report *report, as_json_writer *writer) {
  as_json_int(writer, "rows", report->rows);
  as_json_int(writer, "kept", report->kept);
  as_json_int(writer, "blank_lines", report->blank_lines);
  as_json_open_object(writer, "problems");
  for (int problem = 1; problem < AS_PROBLEM_COUNT; problem++) {
    const as_data_finding *finding = &report->findings[problem];
    if (!(problems[problem].tables & 1 << report->table)) continue;
    as_json_open_object(writer, problems[problem].key);
    as_json_int(writer, "count", finding->count);
    as_json_string(writer, "action", problems[problem].class == AS_CLASS_KEPT ? "kept" : "left out");
    as_data_finding_json(finding, problem == AS_PROBLEM_DUPLICATE || problem == AS_PROBLEM_CONTRADICTION, writer);
    as_json_close_object(writer);
  }
  as_json_close_object(writer);
}
