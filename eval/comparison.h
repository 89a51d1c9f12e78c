/* Two classifiers on the same rows: which is better, by how much, how sure is that, and for which classes.
 *
 * Classes are the union of both label sets. macro_f1 is the mean over those of them that occur in the truth or in an
 * answer of either, the same ones for both and in every resample; where both answer only what occurs it is the
 * macro_seen of an evaluation. */
#ifndef AS_EVAL_COMPARISON_H
#define AS_EVAL_COMPARISON_H

#include "eval/compared_figures.h"
#include "eval/evaluation.h"

/* Everything is borrowed; `labels` must live as long as the as_comparison made from it. */
typedef struct as_comparison_input {
  int64_t rows, classes;
  const char *const *labels;      /* [classes] */
  const int32_t *truth;           /* [rows] */
  const int32_t *predicted[2];    /* [rows] of the first and of the second */
  const double *probabilities[2]; /* [rows, classes]; 0 for a class that the classifier does not know */
  int64_t resamples;
  uint64_t seed;
} as_comparison_input;

/* A class against the rest. */
typedef struct as_compared_class {
  bool seen; /* in the truth or in an answer; otherwise nothing was tested */
  int64_t support;
  double f1[2], difference; /* second - first */
  int64_t b, c;   /* rows of which only the first, only the second, tells rightly whether they are of the class */
  double exact_p; /* McNemar's, of b and c */
  double holm_p;  /* adjusted for all seen classes (as_holm_adjust) */
} as_compared_class;

enum {
  AS_COMPARED_ACCURACY,
  AS_COMPARED_MACRO_F1,
  AS_COMPARED_LOG_LOSS,
  AS_COMPARED_BRIER,
  AS_COMPARED_ECE, /* not resampled: it grows as rows get fewer */
  AS_COMPARED_FIGURES
};

typedef struct as_comparison {
  int64_t rows, classes, seen, resamples;
  uint64_t seed;
  const char *const *labels;    /* [classes], borrowed */
  as_evaluation evaluations[2]; /* each for itself, over all `classes` */
  as_compared_figure figures[AS_COMPARED_FIGURES];
  int64_t b, c; /* rows that only the first, only the second, answers rightly */
  as_mcnemar mcnemar;
  int64_t both_wrong;      /* rows where both are wrong and differ */
  as_compared_class *each; /* [classes] */
} as_comparison;

/* Caller frees with as_comparison_free. No rows are allowed and leave every figure NaN. Errors as those of
 * as_evaluation_measure. */
AS_MUST_CHECK as_status as_comparison_measure(as_context *ctx, const as_comparison_input *input, as_comparison *out);
void as_comparison_free(as_context *ctx, as_comparison *comparison); /* a zeroed one is allowed */

/* What became of a row. */
typedef enum as_row_change { AS_ROW_ALIKE, AS_ROW_BROKEN, AS_ROW_FIXED, AS_ROW_BOTH_WRONG } as_row_change;
const char *as_row_change_name(as_row_change change); /* "broken", "fixed", "both wrong" */
as_row_change as_row_change_of(int32_t truth, int32_t first, int32_t second);

/* Writes into the open object: n, labels, the members of as_compared_figures_json, resamples, seed, mcnemar {b, c, and
 * the fields of `metrics mcnemar`}, changes {fixed, broken, both_wrong} and classes [{label, support, f1_first,
 * f1_second, difference, b, c, exact_p, holm_p}], those seen. */
void as_comparison_json(as_json_writer *writer, const as_comparison *comparison);
/* Figures, test, changed rows and the classes that changed, the most first. */
AS_MUST_CHECK as_status as_comparison_report(as_context *ctx, as_report *report, const as_comparison *comparison);

#endif
