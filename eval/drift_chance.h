/* How large the population stability index gets when nothing has changed.
 *
 * Two samples of m and n values from one distribution over B bins differ by chance, and their PSI is about
 * (1/m + 1/n) times a chi-squared variable with B - 1 degrees of freedom (Yurdakul 2018, "Statistical Properties of
 * Population Stability Index"). So its expectation is (B - 1)(1/m + 1/n). Where bins have few values that is too small
 * for the tail, above all because an empty bin counts as a share of 1e-4; so the quantile is simulated. */
#ifndef AS_EVAL_DRIFT_CHANCE_H
#define AS_EVAL_DRIFT_CHANCE_H

#include "base/context.h"

typedef struct as_psi_chance {
  double expected; /* (B - 1)(1/m + 1/n), B being the bins that have a value on either side */
  double quantile; /* exceeded by chance with the probability asked for; NaN, as `expected`, when a side is empty */
} as_psi_chance;

enum { AS_PSI_SIMULATIONS = 9999 };

/* Draws both samples anew AS_PSI_SIMULATIONS times from the two together, and takes the value that a share of
 * `probability` (from 0.0002 to 0.5) of the PSIs reaches. Same counts, same result, bit for bit. */
AS_MUST_CHECK as_status as_psi_by_chance(as_context *ctx, const int64_t *reference /* [bins] */,
                                         const int64_t *current /* [bins] */, int64_t bins, double probability,
                                         as_psi_chance *out);

#endif
