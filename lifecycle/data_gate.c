/* See data_gate.h. */
#include "lifecycle/data_gate.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

as_data_limits as_data_limits_usual(void) {
  return (as_data_limits){.least_rows = 100,
                          .least_class_rows = 10,
                          .most_unusable = 0.05,
                          .most_contradictions = 0.05,
                          .most_shrinkage = 0.34};
}

/* "path: 3 of 10 rows ... \n" */
static void add_share(as_data_verdict *v, const char *path, int64_t count, int64_t of, const char *what, double most) {
  if (of <= 0 || (double)count <= most * (double)of) return;
  as_buffer_printf(&v->faults, "%s: %" PRId64 " of %" PRId64 " rows %s (%.1f %%; at most %.1f %%)\n", path, count, of,
                   what, 100.0 * (double)count / (double)of, 100.0 * most);
}

static void check_size(as_data_verdict *v, const char *path, const as_data_limits *limits,
                       const as_data_before *before) {
  struct stat info;
  if (stat(path, &info) == 0) v->bytes = (int64_t)info.st_size;
  if (v->bytes < (int64_t)((1 - limits->most_shrinkage) * (double)before->bytes))
    as_buffer_printf(&v->faults,
                     "%s: has %" PRId64 " bytes, and what the champion learned from had %" PRId64
                     " (%.0f %% smaller; at most %.0f %%)\n",
                     path, v->bytes, before->bytes, 100.0 - 100.0 * (double)v->bytes / (double)before->bytes,
                     100.0 * limits->most_shrinkage);
  if (v->usable < limits->least_rows)
    as_buffer_printf(&v->faults, "%s: has %" PRId64 " usable rows; at least %" PRId64 " are wanted\n", path, v->usable,
                     limits->least_rows);
}

/* A file that can't be read at all has its fault said by the error. */
static as_status take_error(as_context *ctx, as_status status, as_data_verdict *v) {
  if (status != AS_E_DATA) return status;
  as_buffer_printf(&v->faults, "%s\n", as_error_text(ctx));
  return as_buffer_status(&v->faults);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */
static as_status check_classes(as_data_verdict *v, const char *path, const as_messages *m, const as_data_limits *limits,
                               const as_data_before *before) {
  const char *column = as_messages_column_name(m, 0);
  const int32_t count = as_messages_label_count(m, 0);
  for (size_t i = 0; i < before->class_count; i++)
    if (as_messages_label_find(m, 0, before->classes[i]) < 0)
      as_buffer_printf(&v->faults, "%s: no row has the %s \"%.60s\" any more, which the champion knows\n", path, column,
                       before->classes[i]);
  int64_t *rows = as_alloc_zero(v->faults.ctx, (size_t)count, sizeof *rows);
  int32_t small = 0, first = -1;
  if (!rows) return AS_E_NOMEM;
  for (int64_t row = 0; row < as_messages_count(m); row++) rows[as_messages_label(m, 0, row)]++;
  for (int32_t label = count - 1; label >= 0; label--) {
    if (rows[label] >= limits->least_class_rows) continue;
    small++;
    first = label;
  }
  if (small > 0)
    as_buffer_printf(&v->faults, "%s: %d of %d values of %s have fewer than %" PRId64 " rows, \"%.60s\" among them\n",
                     path, (int)small, (int)count, column, limits->least_class_rows,
                     as_messages_label_name(m, 0, first));
  as_free(v->faults.ctx, rows);
  return AS_OK;
}

as_status as_data_gate_messages(as_context *ctx, const char *path, const as_message_options *options,
                                const as_data_limits *limits, const as_data_before *before, as_data_verdict *v) {
  as_message_options lenient = *options;
  as_data_report report = {0};
  as_messages *m = NULL;
  lenient.on_error = AS_ON_ERROR_SKIP; /* to count all of them */
  as_status status = as_messages_read(ctx, path, &lenient, &report, &m);
  v->rows = report.rows;
  v->usable = report.kept + report.other_side;
  if (status != AS_OK) return take_error(ctx, status, v);
  add_share(v, path, v->rows - v->usable, v->rows, "can't be used", limits->most_unusable);
  add_share(v, path, report.findings[AS_PROBLEM_CONTRADICTION].count, v->usable,
            "have a text that stood before with another label", limits->most_contradictions);
  check_size(v, path, limits, before);
  if (options->column_count > 0 && options->columns[0].kind == AS_COLUMN_LABEL && !options->columns[0].may_be_absent)
    status = check_classes(v, path, m, limits, before);
  as_messages_free(m);
  return status == AS_OK ? as_buffer_status(&v->faults) : status;
}

/* ---- interactions ----------------------------------------------------------------------------------------------- */
as_status as_data_gate_interactions(as_context *ctx, const char *path, const char *products, const as_csv_options *csv,
                                    const as_interaction_types *types, const as_data_limits *limits,
                                    const as_data_before *before, as_data_verdict *v) {
  const as_product_options catalogue = {.csv = *csv, .on_error = AS_ON_ERROR_SKIP};
  const as_interaction_options options = {
      .csv = *csv, .types = types, .on_error = AS_ON_ERROR_SKIP, .skip_unknown = true};
  as_products *p = NULL;
  as_interactions *t = NULL;
  as_status status = as_products_read(ctx, products, &catalogue, &p);
  if (status == AS_OK) status = as_interactions_read(ctx, path, p, &options, &t);
  if (status == AS_OK) {
    const int64_t count = as_products_count(p);
    v->usable = as_interactions_count(t) + t->ignored;
    v->rows = v->usable + t->unknown + t->skipped;
    add_share(v, products, p->skipped, count + p->skipped, "can't be used", limits->most_unusable);
    add_share(v, path, t->unknown, v->rows, "name a product that the catalogue lacks", limits->most_unusable);
    add_share(v, path, t->skipped, v->rows, "can't be used", limits->most_unusable);
    check_size(v, path, limits, before);
  }
  as_interactions_free(t);
  as_products_free(p);
  return status == AS_OK ? as_buffer_status(&v->faults) : take_error(ctx, status, v);
}
