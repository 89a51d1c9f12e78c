/* See platt.h. The loss is convex in slope and intercept, so Newton's method with backtracking finds its minimum. */
#include "eval/platt.h"

#include <math.h>

/* log(1 + exp(z)) without overflow. */
static double softplus(double z) { return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z)); }

double as_platt_probability(as_platt platt, double score) {
  const double z = platt.slope * score + platt.intercept;
  return z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z));
}

typedef struct examples {
  int64_t count;
  const float *scores, *weights;
  const unsigned char *positive;
  double target[2]; /* of negatives and of positives */
} examples;

static double weight_of(const examples *e, int64_t i) { return e->weights ? (double)e->weights[i] : 1; }

static double loss_of(const examples *e, as_platt p) {
  double loss = 0;
  for (int64_t i = 0; i < e->count; i++) {
    const double z = p.slope * (double)e->scores[i] + p.intercept;
    loss += weight_of(e, i) * (softplus(z) - e->target[e->positive[i]] * z);
  }
  return loss;
}

/* Gradient (g) and Hessian (h: slope-slope, slope-intercept, intercept-intercept) of the loss. */
static void derive(const examples *e, as_platt p, double g[2], double h[3]) {
  g[0] = g[1] = h[1] = 0;
  h[0] = h[2] = 1e-12;
  for (int64_t i = 0; i < e->count; i++) {
    const double s = (double)e->scores[i], q = as_platt_probability(p, s), w = weight_of(e, i);
    const double d = w * (q - e->target[e->positive[i]]), v = w * q * (1 - q);
    g[0] += d * s;
    g[1] += d;
    h[0] += v * s * s;
    h[1] += v * s;
    h[2] += v;
  }
}

as_platt as_platt_fit(int64_t count, const float *scores, const unsigned char *positive, const float *weights,
                      bool *fitted) {
  examples e = {.count = count, .scores = scores, .weights = weights, .positive = positive};
  double n[2] = {0, 0};
  for (int64_t i = 0; i < count; i++) n[positive[i]] += weight_of(&e, i);
  *fitted = n[0] > 0 && n[1] > 0;
  as_platt p = {.slope = *fitted ? 0 : 1, .intercept = *fitted ? log((n[1] + 1) / (n[0] + 1)) : 0};
  if (!*fitted) return p;
  e.target[0] = 1 / (n[0] + 2);
  e.target[1] = (n[1] + 1) / (n[1] + 2);
  double loss = loss_of(&e, p), g[2], h[3];
  for (int round = 0; round < 100; round++) {
    derive(&e, p, g, h);
    if (fabs(g[0]) < 1e-7 * (n[0] + n[1]) && fabs(g[1]) < 1e-7 * (n[0] + n[1])) break;
    const double det = h[0] * h[2] - h[1] * h[1];
    const double ds = -(h[2] * g[0] - h[1] * g[1]) / det, di = -(h[0] * g[1] - h[1] * g[0]) / det;
    double step = 1, tried = loss;
    as_platt next = p;
    for (; step > 1e-10; step /= 2) {
      next = (as_platt){p.slope + step * ds, p.intercept + step * di};
      tried = loss_of(&e, next);
      if (tried < loss) break;
    }
    if (!(tried < loss)) break;
    p = next;
    loss = tried;
  }
  *fitted = p.slope > 0;
  return p;
}
