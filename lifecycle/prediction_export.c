/* Rows of the table predictions as CSV and as JSON lines; see predictions.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "data/csv_write.h"
#include "lifecycle/predictions.h"

enum { COLUMNS = 13, NUMBER = 32 };
static const char *const names[COLUMNS] = {"timestamp",  "request_id", "model",         "version", "input",
                                           "label",      "confidence", "probabilities", "tokens",  "unknown",
                                           "latency_us", "truncated",  "feedback"};

/* A classifier's confidence was a float: then that many digits say all. */
static void put_number(as_json_writer *w, const char *key, double value) {
  if ((double)(float)value == value)
    as_json_float(w, key, (float)value);
  else
    as_json_double(w, key, value);
}

/* ---- CSV -------------------------------------------------------------------------------------------------------- */

/* A spreadsheet computes what begins so (OWASP, "CSV Injection"); the apostrophe is on the list to make it certain that
 * one in front was put there. */
static bool needs_guard(const as_prediction_text *t) {
  return t->length && memchr("=+-@\t\r'", t->text[0], 7);
}

/* Appends the text to the row's room; returns where it begins there. */
static size_t keep_text(as_buffer *room, const as_prediction_text *t) {
  const size_t start = room->length;
  if (!t->text) return start;
  if (needs_guard(t)) as_buffer_char(room, '\'');
  for (size_t at = 0; at < t->length;) {
    const char *from = t->text + at, *nul = memchr(from, 0, t->length - at);
    const size_t length = nul ? (size_t)(nul - from) : t->length - at;
    as_utf8_repair(room, from, length);
    if (nul) as_buffer_text(room, "\xEF\xBF\xBD"); /* readers of CSV end a text, or the file, at a NUL */
    at += length + (nul != NULL);
  }
  return start;
}

static as_csv_field count_field(int64_t value, char out[NUMBER]) {
  out[0] = 0;
  if (value >= 0) snprintf(out, NUMBER, "%" PRId64, value);
  return as_csv_text(out);
}

static void append_names(as_buffer *out) {
  as_csv_field fields[COLUMNS];
  for (int i = 0; i < COLUMNS; i++) fields[i] = as_csv_text(names[i]);
  as_csv_append_row(out, fields, COLUMNS, ',');
}

void as_prediction_append_csv(as_buffer *out, const as_prediction_row *row) {
  enum { TEXTS = 7 };
  if (!row) {
    append_names(out);
    return;
  }
  static const int columns[TEXTS] = {1, 2, 3, 4, 5, 7, 12};
  const as_prediction_text texts[TEXTS] = {{row->request_id, strlen(row->request_id)},
                                           {row->model, strlen(row->model)},
                                           {row->version, strlen(row->version)},
                                           row->input,
                                           row->label,
                                           row->probabilities,
                                           row->feedback};
  as_csv_field fields[COLUMNS];
  char tokens[NUMBER], unknown[NUMBER], latency[NUMBER];
  size_t starts[TEXTS + 2];
  as_buffer room;
  as_buffer_init(&room, out->ctx);
  for (int i = 0; i < TEXTS; i++) starts[i] = keep_text(&room, &texts[i]);
  starts[TEXTS] = room.length;
  as_json_writer w = as_json_writer_start(&room, 0);
  if (!isnan(row->confidence)) put_number(&w, NULL, row->confidence);
  starts[TEXTS + 1] = room.length;
  if (room.failed) {
    out->failed = true;
    as_buffer_free(&room);
    return;
  }
  const char *text = as_buffer_string(&room);
  for (int i = 0; i < TEXTS; i++) fields[columns[i]] = (as_csv_field){text + starts[i], starts[i + 1] - starts[i]};
  fields[6] = (as_csv_field){text + starts[TEXTS], starts[TEXTS + 1] - starts[TEXTS]};
  fields[0] = as_csv_text(row->timestamp);
  fields[8] = count_field(row->tokens, tokens);
  fields[9] = count_field(row->unknown, unknown);
  fields[10] = count_field(row->latency_us, latency);
  fields[11] = as_csv_text(row->truncated ? "true" : "false");
  as_csv_append_row(out, fields, COLUMNS, ',');
  as_buffer_free(&room);
}

/* ---- JSON lines ------------------------------------------------------------------------------------------------- */

static void put_text(as_json_writer *w, const char *key, const as_prediction_text *t) {
  if (t->text)
    as_json_string_n(w, key, t->text, t->length);
  else
    as_json_null(w, key);
}

static void put_count(as_json_writer *w, const char *key, int64_t value) {
  if (value >= 0)
    as_json_int(w, key, value);
  else
    as_json_null(w, key);
}

/* A table that somebody else wrote may have anything here: then it stays a text. */
static as_status put_probabilities(as_context *ctx, as_json_writer *w, const as_prediction_text *t) {
  json_t *root = NULL;
  if (!t->text) {
    as_json_null(w, names[7]);
    return AS_OK;
  }
  const as_status status = as_json_parse(ctx, t->text, t->length, names[7], AS_E_DATA, &root);
  if (status == AS_OK)
    as_json_value(w, names[7], root);
  else
    put_text(w, names[7], t);
  json_decref(root);
  return status == AS_E_NOMEM ? status : AS_OK;
}

as_status as_prediction_append_json(as_context *ctx, as_buffer *out, const as_prediction_row *row) {
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_json_string(&w, names[0], row->timestamp);
  as_json_string(&w, names[1], row->request_id);
  as_json_string(&w, names[2], row->model);
  as_json_string(&w, names[3], row->version);
  put_text(&w, names[4], &row->input);
  put_text(&w, names[5], &row->label);
  put_number(&w, names[6], row->confidence);
  as_status status = put_probabilities(ctx, &w, &row->probabilities);
  put_count(&w, names[8], row->tokens);
  put_count(&w, names[9], row->unknown);
  put_count(&w, names[10], row->latency_us);
  as_json_bool(&w, names[11], row->truncated);
  put_text(&w, names[12], &row->feedback);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
  return status == AS_OK ? as_buffer_status(out) : status;
}
