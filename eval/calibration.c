/* Reliability bins. */
#include "eval/calibration.h"

#include <math.h>

#include "eval/classification.h"

static int reliability_bin(double confidence) {
  int bin = 0;
  for (int k = 1; k < AS_RELIABILITY_BINS; k++) bin += confidence > (double)k / AS_RELIABILITY_BINS;
  return bin;
}

void as_reliability_measure(int64_t rows, int64_t classes, const int32_t *truth, const double *probabilities,
                            as_reliability *out) {
  double right[AS_RELIABILITY_BINS] = {0}, confidence[AS_RELIABILITY_BINS] = {0};
  *out = (as_reliability){.ece = NAN, .mce = NAN};
  for (int64_t row = 0; row < rows; row++) {
    const double *p = probabilities + row * classes;
    const int32_t best = as_argmax(p, classes);
    const int bin = reliability_bin(p[best]);
    out->count[bin]++;
    right[bin] += best == truth[row];
    confidence[bin] += p[best];
  }
  double ece = 0, mce = 0;
  for (int bin = 0; bin < AS_RELIABILITY_BINS; bin++) {
    const double count = (double)out->count[bin];
    out->accuracy[bin] = out->count[bin] > 0 ? right[bin] / count : NAN;
    out->confidence[bin] = out->count[bin] > 0 ? confidence[bin] / count : NAN;
    if (out->count[bin] == 0) continue;
    const double gap = fabs(out->accuracy[bin] - out->confidence[bin]);
    ece += count / (double)rows * gap;
    mce = fmax(mce, gap);
  }
  if (rows == 0) return;
  out->ece = ece;
  out->mce = mce;
}
