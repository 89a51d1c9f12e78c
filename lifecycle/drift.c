/* See drift.h. */
#include "lifecycle/drift.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "lifecycle/database_internal.h"

enum { MOST_LABELS = 1000 }; /* that a reference of the log tells apart; no classifier has so many */

/* ---- counting --------------------------------------------------------------------------------------------------- */

/* What no text has is not what the program wrote, and sums of it would not be numbers. */
static bool has_tokens(const as_prediction_row *row) {
  return row->tokens >= 0 && row->tokens <= INT32_MAX;
}

static as_status count_row(void *user, const as_prediction_row *row) {
  as_reference *r = user;
  if (row->label.text) as_reference_add_answer(r, row->label.text);
  if (!isnan(row->confidence)) as_histogram_add(&r->confidence, row->confidence);
  if (has_tokens(row)) as_histogram_add(&r->length, (double)row->tokens);
  if (has_tokens(row) && row->unknown >= 0 && row->unknown <= row->tokens) as_reference_add_tokens(r, row->tokens, row->unknown);
  return AS_OK;
}

as_status as_drift_count_log(as_database *d, const as_prediction_query *query, as_reference *out) {
  return as_predictions_read(d, query, count_row, out);
}

/* ---- a reference ------------------------------------------------------------------------------------------------ */

typedef struct numbers {
  double *values;
  size_t count, capacity;
} numbers;

/* What the rows hold. */
typedef struct gathered {
  as_context *ctx;
  numbers confidences, lengths;
  char *labels[MOST_LABELS];
  int64_t label_count;
} gathered;

static as_status keep_number(as_context *ctx, numbers *n, double value) {
  double *grown = as_grow(ctx, n->values, &n->capacity, n->count + 1, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  n->values = grown;
  n->values[n->count++] = value;
  return AS_OK;
}

static as_status keep_label(gathered *g, const char *label) {
  for (int64_t i = 0; i < g->label_count; i++)
    if (strcmp(g->labels[i], label) == 0) return AS_OK;
  if (g->label_count == MOST_LABELS) return AS_OK;
  g->labels[g->label_count] = as_strdup(g->ctx, label);
  return g->labels[g->label_count] ? (g->label_count++, AS_OK) : AS_E_NOMEM;
}

static as_status gather_row(void *user, const as_prediction_row *row) {
  gathered *g = user;
  as_status status = row->label.text ? keep_label(g, row->label.text) : AS_OK;
  if (status == AS_OK && !isnan(row->confidence)) status = keep_number(g->ctx, &g->confidences, row->confidence);
  if (status == AS_OK && has_tokens(row)) status = keep_number(g->ctx, &g->lengths, (double)row->tokens);
  return status;
}

/* Two readings: edges must be known before anything is counted. */
as_status as_drift_reference_of_log(as_database *d, const as_prediction_query *query, as_reference *out) {
  as_reference edges = {.ctx = NULL};
  *out = (as_reference){.ctx = NULL};
  gathered *g = as_alloc_zero(d->ctx, 1, sizeof *g);
  if (!g) return AS_E_NOMEM;
  g->ctx = d->ctx;
  as_status status = as_predictions_read(d, query, gather_row, g);
  if (status == AS_OK) status = as_reference_init(d->ctx, (const char *const *)g->labels, g->label_count, &edges);
  if (status == AS_OK) {
    as_histogram_fit(g->confidences.values, (int64_t)g->confidences.count, &edges.confidence);
    as_histogram_fit(g->lengths.values, (int64_t)g->lengths.count, &edges.length);
    status = as_reference_like(&edges, out);
  }
  if (status == AS_OK) status = as_drift_count_log(d, query, out);
  as_reference_free(&edges);
  for (int64_t i = 0; i < g->label_count; i++) as_free(d->ctx, g->labels[i]);
  as_free(d->ctx, g->confidences.values);
  as_free(d->ctx, g->lengths.values);
  as_free(d->ctx, g);
  return status;
}
