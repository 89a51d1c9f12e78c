/* See nearest_reply.h. */
#include "data/nearest_reply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/csv_write.h"
#include "data/tfidf.h"

enum { RESPONSE, INTENT };
static const as_column_request columns[] = {[RESPONSE] = {.name = "response", .kind = AS_COLUMN_TEXT},
                                            [INTENT] = {.name = "intent", .may_be_absent = true, .may_be_empty = true}};

struct as_nearest_reply {
  as_context *ctx;
  as_messages *opened; /* the table, when it is ours */
  const as_messages *messages;
  size_t response;
  int intent;    /* -1: no such column */
  int64_t *rows; /* [as_tfidf_count]: the row of each text of the collection */
  as_tfidf *collection;
};

void as_nearest_reply_free(as_nearest_reply *r) {
  if (!r) return;
  as_tfidf_free(r->collection);
  as_messages_free(r->opened);
  as_free(r->ctx, r->rows);
  as_free(r->ctx, r);
}

int64_t as_nearest_reply_count(const as_nearest_reply *r) {
  return as_tfidf_count(r->collection);
}

static as_status add_row(as_nearest_reply *r, int64_t row) {
  const char *reply = as_messages_value(r->messages, r->response, row);
  size_t length;
  const char *text = as_messages_text(r->messages, row, &length);
  if (as_text_is_blank(reply, strlen(reply))) return AS_OK;
  r->rows[as_tfidf_count(r->collection)] = row;
  return as_tfidf_add(r->collection, text, length);
}

as_status as_nearest_reply_build(as_context *ctx, const as_messages *messages, size_t response, int intent,
                                 const int64_t *rows, int64_t count, as_nearest_reply **out) {
  as_nearest_reply *r = as_alloc_zero(ctx, 1, sizeof *r);
  *out = NULL;
  if (!r) return AS_E_NOMEM;
  if (!rows) count = as_messages_count(messages);
  *r = (as_nearest_reply){.ctx = ctx, .messages = messages, .response = response, .intent = intent};
  r->rows = as_alloc(ctx, (size_t)count, sizeof *r->rows);
  as_status status = r->rows ? as_tfidf_new(ctx, &r->collection) : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < count; i++) status = add_row(r, rows ? rows[i] : i);
  if (status == AS_OK && as_nearest_reply_count(r) == 0)
    status = as_fail(ctx, AS_E_DATA, "%s: no row has a response", as_messages_path(messages));
  if (status == AS_OK) status = as_tfidf_finish(r->collection);
  if (status == AS_OK)
    *out = r;
  else
    as_nearest_reply_free(r);
  return status;
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static const char *intent_of(const as_nearest_reply *r, int64_t row) {
  return r->intent < 0 ? "" : as_messages_value(r->messages, (size_t)r->intent, row);
}

as_status as_nearest_reply_save(const as_nearest_reply *r, const char *folder) {
  const size_t count = r->intent < 0 ? 2 : 3;
  const as_csv_field header[] = {as_csv_text("content"), as_csv_text("response"), as_csv_text("intent")};
  as_buffer out;
  as_buffer_init(&out, r->ctx);
  as_csv_append_row(&out, header, count, ',');
  for (int64_t i = 0; i < as_nearest_reply_count(r); i++) {
    const int64_t row = r->rows[i];
    as_csv_field fields[] = {
        {0}, as_csv_text(as_messages_value(r->messages, r->response, row)), as_csv_text(intent_of(r, row))};
    fields[0].text = as_messages_text(r->messages, row, &fields[0].length);
    as_csv_append_row(&out, fields, count, ',');
  }
  as_status status = as_file_write_into(r->ctx, folder, AS_NEAREST_REPLY_FILE, &out);
  as_buffer_free(&out);
  return status;
}

bool as_nearest_reply_in(as_context *ctx, const char *folder) {
  char *path = as_path_join(ctx, folder, AS_NEAREST_REPLY_FILE);
  const bool there = path && as_path_exists(path);
  as_free(ctx, path);
  return there;
}

as_status as_nearest_reply_open(as_context *ctx, const char *folder, as_nearest_reply **out) {
  const as_message_options options = {.columns = columns, .column_count = sizeof columns / sizeof columns[0]};
  as_messages *messages = NULL;
  char *path = as_path_join(ctx, folder, AS_NEAREST_REPLY_FILE);
  *out = NULL;
  as_status status = path ? as_messages_read(ctx, path, &options, NULL, &messages) : AS_E_NOMEM;
  as_free(ctx, path);
  if (status == AS_OK)
    status = as_nearest_reply_build(ctx, messages, RESPONSE, as_messages_column_present(messages, INTENT) ? INTENT : -1,
                                    NULL, 0, out);
  if (status == AS_OK)
    (*out)->opened = messages;
  else
    as_messages_free(messages);
  return status == AS_E_DATA ? as_fail_prefix(ctx, AS_E_MODEL, "the stored replies") : status;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

/* The label to look for; -1: all rows will do. */
static int32_t wanted_label(const as_nearest_reply *r, const char *intent) {
  if (r->intent < 0 || !intent || !*intent) return -1;
  const int32_t label = as_messages_label_find(r->messages, (size_t)r->intent, intent);
  for (int64_t i = 0; label >= 0 && i < as_nearest_reply_count(r); i++)
    if (as_messages_label(r->messages, (size_t)r->intent, r->rows[i]) == label) return label;
  return -1;
}

as_status as_nearest_reply_find(const as_nearest_reply *r, const char *text, size_t length, const char *intent,
                                as_nearest_answer *out) {
  const int64_t count = as_nearest_reply_count(r);
  const int32_t label = wanted_label(r, intent);
  double *similarities = as_alloc(r->ctx, (size_t)count, sizeof *similarities);
  as_status status = similarities ? as_tfidf_similarities(r->collection, text, length, similarities) : AS_E_NOMEM;
  int64_t best = -1;
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    if (label >= 0 && as_messages_label(r->messages, (size_t)r->intent, r->rows[i]) != label) continue;
    if (best < 0 || similarities[i] > similarities[best]) best = i;
  }
  if (status == AS_OK)
    *out = (as_nearest_answer){.reply = as_messages_value(r->messages, r->response, r->rows[best]),
                               .message = as_messages_text(r->messages, r->rows[best], NULL),
                               .intent = intent_of(r, r->rows[best]),
                               .similarity = fmin(similarities[best], 1)}; /* rounding may go beyond */
  as_free(r->ctx, similarities);
  return status;
}

/* ---- the commonest ---------------------------------------------------------------------------------------------- */

typedef struct numbered_reply {
  const char *text;
  int64_t number;
} numbered_reply;

static int by_text_and_number(const void *a, const void *b) {
  const numbered_reply *x = a, *y = b;
  const int order = strcmp(x->text, y->text);
  return order ? order : x->number < y->number ? -1 : 1;
}

as_status as_nearest_reply_commonest(const as_nearest_reply *r, const char **out) {
  const int64_t count = as_nearest_reply_count(r);
  int64_t best = 0, most = 0, end;
  numbered_reply *sorted = as_alloc(r->ctx, (size_t)count, sizeof *sorted);
  if (!sorted) return AS_E_NOMEM;
  for (int64_t i = 0; i < count; i++)
    sorted[i] = (numbered_reply){as_messages_value(r->messages, r->response, r->rows[i]), i};
  qsort(sorted, (size_t)count, sizeof *sorted, by_text_and_number);
  for (int64_t begin = 0; begin < count; begin = end) {
    for (end = begin + 1; end < count && strcmp(sorted[end].text, sorted[begin].text) == 0; end++) {}
    const bool earlier = end - begin == most && sorted[begin].number < sorted[best].number;
    if (end - begin < most || (end - begin == most && !earlier)) continue;
    most = end - begin;
    best = begin;
  }
  *out = sorted[best].text;
  as_free(r->ctx, sorted);
  return AS_OK;
}
