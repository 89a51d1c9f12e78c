/* The one figure of a version that a list has room for: of a classifier its accuracy, of a response model BLEU, of a
 * recommender NDCG, as training measured it. */
#ifndef AS_LIFECYCLE_MAIN_FIGURE_H
#define AS_LIFECYCLE_MAIN_FIGURE_H

#include "base/json.h"

typedef struct as_main_figure {
  const char *name;  /* as in metrics.json: "accuracy", "bleu", "ndcg@10" */
  const char *label; /* as people read it: "accuracy", "BLEU", "NDCG@10" */
  bool is_share;     /* from 0 to 1, read as a percentage */
  double value;
  double low, high;          /* 95 % interval; NaN: there is none */
  int64_t count;             /* of what it was measured on ... */
  const char *what;          /* "validation rows", "customers" */
  const char *baseline_name; /* "the commonest class", "the nearest reply", "popular products" */
  double baseline;           /* what that reaches; NaN: not known */
} as_main_figure;

/* Finds it in the object of a metrics.json; false when there is none. */
bool as_main_figure_find(const json_t *metrics, as_main_figure *out);
/* A value of the kind that the figure is: "93.10 %", "31.50", "0.1895". */
void as_main_figure_value(const as_main_figure *figure, double value, char *text, size_t size);
/* "accuracy 93.10 %", "BLEU 31.50". */
void as_main_figure_text(const as_main_figure *figure, char *text, size_t size);
/* Writes {"name", "value", "ci95": [low, high] or null, "count", "baseline"} as the member `key`; null for NULL. */
void as_main_figure_json(as_json_writer *writer, const char *key, const as_main_figure *figure);

#endif
