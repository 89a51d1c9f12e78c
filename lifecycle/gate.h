/* The gate between a comparison and a promotion: may the second version take the place of the first?
 *
 * It is a list of criteria, each with figure, limit and verdict, and it is passed when all are. Which criteria there
 * are, and how strict, is the caller's; nothing here looks at anything but the figures that it is given.
 *
 * The usual one is that the second is no worse. With enough rows that means: the lower end of the difference's 95 %
 * interval isn't below -max_loss (non-inferiority). With few rows the interval is wider than any sensible max_loss, and
 * a gate that asked for that proof would refuse everything, the better versions too; so where the interval reaches
 * above 0 (nothing says that the second is worse), the difference itself is asked for: it must not be below -max_loss.
 * A version that is equally good then passes more often than not, one that is worse by more than the interval's width
 * does not. Whoever wants proof of gain asks for min_gain. */
#ifndef AS_LIFECYCLE_GATE_H
#define AS_LIFECYCLE_GATE_H

#include "base/json.h"
#include "base/report.h"
#include "eval/statistics.h"

/* NaN: not asked for. */
typedef struct as_gate_limits {
  int64_t min_rows;
  double max_loss;
  double min_gain;             /* the lower end of the difference's interval must reach it */
  double min_score;            /* of the second */
  double max_drop;             /* of the second, from what the first had when it was measured before */
  double max_class_loss;       /* of F1 of a class, where it is significant */
  int64_t min_class_rows;      /* classes with fewer are not looked at for that */
  double max_calibration_loss; /* of ECE */
  double max_slowdown;         /* median time of the second / that of the first */
} as_gate_limits;

/* What was found for one class. */
typedef struct as_gate_class {
  const char *label;
  int64_t rows;
  double difference;
  double p; /* adjusted for the number of classes */
} as_gate_class;

typedef struct as_gate_figures {
  const char *name, *unit; /* of the main figure, "macro F1"; of what it is measured on, "rows" */
  int64_t rows;
  double second, difference;    /* of the main figure */
  as_interval ci95;             /* of the difference */
  double before;                /* main figure of the first in an earlier measurement; NaN: there is none */
  const as_gate_class *classes; /* [class_count] */
  size_t class_count;
  double calibration_loss; /* ECE of the second less that of the first */
  double slowdown;
  int decimals; /* of the main figure, for people */
} as_gate_figures;

enum { AS_GATE_CRITERIA = 8, AS_GATE_TEXT = 200 };

typedef struct as_gate_criterion {
  const char *name;     /* "rows", "loss", "gain", "score", "drop", "class_loss", "calibration", "slowdown" */
  double figure, limit; /* as they are held against each other */
  bool passed;
  char text[AS_GATE_TEXT];
} as_gate_criterion;

typedef struct as_gate {
  bool passed;
  size_t count;
  as_gate_criterion criteria[AS_GATE_CRITERIA];
} as_gate;

/* Limits that ask for nothing but a row. */
as_gate_limits as_gate_no_limits(void);
/* A criterion whose figure is not defined is not passed; without rows only their number is judged. */
void as_gate_judge(const as_gate_limits *limits, const as_gate_figures *figures, as_gate *out);

/* Writes gate {passed, criteria [{name, figure, limit, passed, text}]} into the open object. */
void as_gate_json(as_json_writer *writer, const as_gate *gate);
void as_gate_report(as_report *report, const as_gate *gate);

#endif
