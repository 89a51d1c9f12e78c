/* See reference.h. */
#include "eval/reference.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "eval/drift_chance.h"
#include "eval/json_fields.h"

enum { FORMAT = 1, LARGEST_FILE = 16 << 20 };
#define MOST_ROWS ((int64_t)1 << 53) /* a count that a double can hold */

/* ---- making ----------------------------------------------------------------------------------------------------- */

as_status as_reference_init(as_context *ctx, const char *const *labels, int64_t count, as_reference *out) {
  static const as_histogram shares = {.edges_count = 5, .edges = {0, 0.02, 0.05, 0.1, 0.25}};
  *out = (as_reference){.ctx = ctx, .unknown = shares};
  out->labels = as_alloc_zero(ctx, (size_t)count, sizeof *out->labels);
  out->training_labels = as_alloc_zero(ctx, (size_t)count, sizeof *out->training_labels);
  out->answers = as_alloc_zero(ctx, (size_t)count + 1, sizeof *out->answers);
  if (!out->labels || !out->training_labels || !out->answers) return AS_E_NOMEM;
  for (; out->label_count < count; out->label_count++) {
    out->labels[out->label_count] = as_strdup(ctx, labels[out->label_count]);
    if (!out->labels[out->label_count]) return AS_E_NOMEM;
  }
  return AS_OK;
}

void as_reference_free(as_reference *r) {
  if (!r->ctx) return;
  for (int64_t i = 0; i < r->label_count; i++) as_free(r->ctx, r->labels[i]);
  as_free(r->ctx, r->labels);
  as_free(r->ctx, r->training_labels);
  as_free(r->ctx, r->answers);
  *r = (as_reference){.ctx = NULL};
}

static as_histogram empty_like(const as_histogram *h) {
  as_histogram empty = *h;
  memset(empty.counts, 0, sizeof empty.counts);
  return empty;
}

as_status as_reference_like(const as_reference *other, as_reference *out) {
  as_status status = as_reference_init(other->ctx, (const char *const *)other->labels, other->label_count, out);
  out->confidence = empty_like(&other->confidence);
  out->length = empty_like(&other->length);
  out->unknown = empty_like(&other->unknown);
  return status;
}

/* ---- counting --------------------------------------------------------------------------------------------------- */

void as_reference_add_tokens(as_reference *r, int64_t tokens, int64_t unknown) {
  if (tokens < 1) return;
  as_histogram_add(&r->unknown, (double)unknown / (double)tokens);
  r->tokens += tokens;
  r->unknown_tokens += unknown;
}

void as_reference_add_answer(as_reference *r, const char *label) {
  int64_t i = 0;
  while (i < r->label_count && strcmp(r->labels[i], label) != 0) i++;
  r->answers[i]++;
}

static int64_t total(const int64_t *counts, int64_t bins) {
  int64_t sum = 0;
  for (int64_t i = 0; i < bins; i++) sum += counts[i];
  return sum;
}

int64_t as_reference_rows(const as_reference *r) {
  return total(r->length.counts, AS_DRIFT_BINS);
}

int64_t as_reference_answers(const as_reference *r) {
  return total(r->answers, r->label_count + 1);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put_counts(as_json_writer *w, const char *key, const int64_t *counts, int64_t bins) {
  as_json_open_array(w, key);
  for (int64_t i = 0; i < bins; i++) as_json_int(w, NULL, counts[i]);
  as_json_close_array(w);
}

static void put_histogram(as_json_writer *w, const char *key, const as_histogram *h) {
  as_json_open_object(w, key);
  as_json_open_array(w, "edges");
  for (int i = 0; i < h->edges_count; i++) as_json_double(w, NULL, h->edges[i]);
  as_json_close_array(w);
  put_counts(w, "counts", h->counts, h->edges_count + 1);
  as_json_close_object(w);
}

as_status as_reference_write(const as_reference *r, const char *folder) {
  as_buffer out;
  as_buffer_init(&out, r->ctx);
  as_json_writer w = as_json_writer_start(&out, 0);
  as_json_open_object(&w, NULL);
  as_json_int(&w, "format", FORMAT);
  as_json_int(&w, "max_length", r->max_length);
  as_json_open_array(&w, "labels");
  for (int64_t i = 0; i < r->label_count; i++) as_json_string(&w, NULL, r->labels[i]);
  as_json_close_array(&w);
  put_counts(&w, "training_labels", r->training_labels, r->label_count);
  put_histogram(&w, "length", &r->length);
  put_histogram(&w, "unknown", &r->unknown);
  as_json_int(&w, "tokens", r->tokens);
  as_json_int(&w, "unknown_tokens", r->unknown_tokens);
  as_json_string(&w, "answers_to", r->answers_training ? "training" : "validation");
  put_counts(&w, "answers", r->answers, r->label_count);
  put_histogram(&w, "confidence", &r->confidence);
  as_json_close_object(&w);
  as_buffer_char(&out, '\n');
  const as_status status = as_file_write_into(r->ctx, folder, AS_REFERENCE_NAME, &out);
  as_buffer_free(&out);
  return status;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static as_status read_counts(as_context *ctx, const json_t *object, const char *name, int64_t bins, int64_t *out) {
  const json_t *array;
  int64_t *values = NULL, count = 0;
  as_status status = as_line_array(ctx, object, name, &array);
  if (status == AS_OK) status = as_array_integers(ctx, array, name, 0, MOST_ROWS, &values, &count);
  if (status == AS_OK && count != bins)
    status = as_fail(ctx, AS_E_DATA, "%s has %lld counts, but must have %lld", name, (long long)count, (long long)bins);
  if (status == AS_OK && bins) memcpy(out, values, (size_t)bins * sizeof *out);
  as_free(ctx, values);
  return status;
}

static as_status read_edges(as_context *ctx, const json_t *object, as_histogram *out) {
  double *edges = NULL;
  int64_t count = 0;
  as_status status = as_line_numbers(ctx, object, "edges", &edges, &count);
  if (status == AS_OK && count >= AS_DRIFT_BINS) status = as_fail(ctx, AS_E_DATA, "edges: there are too many");
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    if (!isfinite(edges[i]) || (i && edges[i] <= edges[i - 1]))
      status = as_fail(ctx, AS_E_DATA, "edges: they must ascend");
    out->edges[i] = edges[i];
  }
  if (status == AS_OK) out->edges_count = (int)count;
  as_free(ctx, edges);
  return status;
}

static as_status read_histogram(as_context *ctx, const json_t *root, const char *name, as_histogram *out) {
  const json_t *object = json_object_get(root, name);
  *out = (as_histogram){.edges_count = 0};
  if (!json_is_object(object)) return as_fail(ctx, AS_E_DATA, "%s is no object", name);
  as_status status = read_edges(ctx, object, out);
  if (status == AS_OK) status = read_counts(ctx, object, "counts", out->edges_count + 1, out->counts);
  return status == AS_OK ? AS_OK : as_fail_prefix(ctx, status, "%s", name);
}

static as_status read_labels(as_context *ctx, const json_t *root, as_reference *out) {
  const json_t *array;
  as_status status = as_line_array(ctx, root, "labels", &array);
  if (status != AS_OK) return status;
  const size_t count = json_array_size(array);
  const char **names = as_alloc(ctx, count, sizeof *names);
  if (!names) return AS_E_NOMEM;
  for (size_t i = 0; status == AS_OK && i < count; i++) {
    names[i] = json_string_value(json_array_get(array, i));
    if (!names[i]) status = as_fail(ctx, AS_E_DATA, "labels: element %zu is no text", i);
  }
  if (status == AS_OK) status = as_reference_init(ctx, names, (int64_t)count, out);
  as_free(ctx, names);
  return status;
}

static as_status read_fields(as_context *ctx, const json_t *root, as_reference *out) {
  const char *answers_to = NULL;
  size_t length;
  int64_t format;
  as_status status = as_line_int(ctx, root, "format", FORMAT, FORMAT, &format);
  if (status == AS_OK) status = read_labels(ctx, root, out);
  if (status == AS_OK) status = as_line_int(ctx, root, "max_length", 0, MOST_ROWS, &out->max_length);
  if (status == AS_OK) status = as_line_int(ctx, root, "tokens", 0, MOST_ROWS, &out->tokens);
  if (status == AS_OK) status = as_line_int(ctx, root, "unknown_tokens", 0, MOST_ROWS, &out->unknown_tokens);
  if (status == AS_OK) status = read_counts(ctx, root, "training_labels", out->label_count, out->training_labels);
  if (status == AS_OK) status = read_counts(ctx, root, "answers", out->label_count, out->answers);
  if (status == AS_OK) status = read_histogram(ctx, root, "length", &out->length);
  if (status == AS_OK) status = read_histogram(ctx, root, "unknown", &out->unknown);
  if (status == AS_OK) status = read_histogram(ctx, root, "confidence", &out->confidence);
  if (status == AS_OK) status = as_line_string(ctx, root, "answers_to", &answers_to, &length);
  if (status == AS_OK) out->answers_training = strcmp(answers_to, "training") == 0;
  return status;
}

as_status as_reference_read(as_context *ctx, const char *folder, as_reference *out) {
  json_t *root = NULL;
  *out = (as_reference){.ctx = ctx};
  char *path = as_path_join(ctx, folder, AS_REFERENCE_NAME);
  if (!path) return AS_E_NOMEM;
  as_status status = AS_OK;
  if (!as_path_exists(path))
    status = as_fail(ctx, AS_E_DATA,
                     "%s: is not there: the model was not trained by this program, or by an older one; there is "
                     "nothing to compare with",
                     path);
  if (status == AS_OK) {
    status = as_json_read(ctx, path, LARGEST_FILE, AS_E_MODEL, &root);
    if (status == AS_OK && (status = read_fields(ctx, root, out)) != AS_OK)
      status = as_fail_prefix(ctx, status == AS_E_DATA ? AS_E_MODEL : status, "%s", path);
  }
  json_decref(root);
  as_free(ctx, path);
  return status;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static as_status compare(as_context *ctx, const char *name, const int64_t *reference, const int64_t *now, int64_t bins,
                         double threshold, double probability, as_drift_feature *out) {
  as_psi_chance chance;
  const as_status status = as_psi_by_chance(ctx, reference, now, bins, probability, &chance);
  *out = (as_drift_feature){.name = name,
                            .reference = total(reference, bins),
                            .current = total(now, bins),
                            .psi = as_psi(reference, now, bins),
                            .expected = chance.expected,
                            .quantile = chance.quantile};
  out->drifted = out->psi > threshold && out->psi > out->quantile;
  return status;
}

as_status as_reference_compare(const as_reference *r, const as_reference *now, double threshold, double probability,
                               as_drift_feature out[AS_DRIFT_FEATURES]) {
  static const char *const names[] = {"confidence", "length", "unknown"};
  const as_histogram *const before[] = {&r->confidence, &r->length, &r->unknown};
  const as_histogram *const after[] = {&now->confidence, &now->length, &now->unknown};
  /* With no row that has another label its bin is empty on both sides, and a bin that is only takes room. */
  const int64_t bins = r->label_count + (r->answers[r->label_count] + now->answers[r->label_count] > 0);
  as_status status = compare(r->ctx, "labels", r->answers, now->answers, bins, threshold, probability, &out[0]);
  for (int i = 0; status == AS_OK && i < AS_DRIFT_FEATURES - 1; i++)
    status = compare(r->ctx, names[i], before[i]->counts, after[i]->counts, before[i]->edges_count + 1, threshold,
                     probability, &out[i + 1]);
  return status;
}
