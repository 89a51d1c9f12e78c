/* See main_figure.h. */
#include "lifecycle/main_figure.h"

#include <math.h>
#include <stdio.h>

/* Where a kind of model has its figure. */
typedef struct place {
  as_main_figure figure;
  const char *count;
  const char *baseline[3]; /* keys that lead to it, up to NULL */
} place;

static const place places[] = {
    {{"accuracy", "accuracy", true, NAN, NAN, NAN, 0, "validation rows", "the commonest class", NAN},
     "n",
     {"baselines", "majority", "accuracy"}},
    {{"bleu", "BLEU", false, NAN, NAN, NAN, 0, "validation rows", "the nearest reply", NAN}, "rows", {"nearest_bleu"}},
    {{"ndcg@10", "NDCG@10", false, NAN, NAN, NAN, 0, "customers", "popular products", NAN},
     "customers",
     {"baselines", "popular", "ndcg@10"}},
};

static double number_of(const json_t *value) {
  return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

bool as_main_figure_find(const json_t *metrics, as_main_figure *out) {
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    const place *p = &places[i];
    const json_t *value = json_object_get(metrics, p->figure.name), *baseline = metrics;
    if (!json_is_number(value)) continue;
    const json_t *interval = json_object_get(json_object_get(metrics, "ci95"), p->figure.name);
    for (int k = 0; k < 3 && p->baseline[k]; k++) baseline = json_object_get(baseline, p->baseline[k]);
    *out = p->figure;
    out->value = json_number_value(value);
    out->low = number_of(json_array_get(interval, 0));
    out->high = number_of(json_array_get(interval, 1));
    out->count = json_integer_value(json_object_get(metrics, p->count));
    out->baseline = number_of(baseline);
    return true;
  }
  return false;
}

void as_main_figure_value(const as_main_figure *f, double value, char *text, size_t size) {
  if (f->is_share)
    snprintf(text, size, "%.2f %%", 100 * value);
  else
    snprintf(text, size, "%.*f", fabs(value) < 1 ? 4 : 2, value);
}

void as_main_figure_text(const as_main_figure *f, char *text, size_t size) {
  char value[32];
  as_main_figure_value(f, f->value, value, sizeof value);
  snprintf(text, size, "%s %s", f->label, value);
}

void as_main_figure_json(as_json_writer *w, const char *key, const as_main_figure *f) {
  if (!f) {
    as_json_null(w, key);
    return;
  }
  as_json_open_object(w, key);
  as_json_string(w, "name", f->name);
  as_json_double(w, "value", f->value);
  if (isnan(f->low)) {
    as_json_null(w, "ci95");
  } else {
    as_json_open_array(w, "ci95");
    as_json_double(w, NULL, f->low);
    as_json_double(w, NULL, f->high);
    as_json_close_array(w);
  }
  as_json_int(w, "count", f->count);
  as_json_double(w, "baseline", f->baseline);
  as_json_close_object(w);
}
