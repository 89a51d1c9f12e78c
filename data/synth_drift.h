/* How a synthetic shop changes from week to week, so that there is something to notice and to retrain for. Private to
 * data/.
 *
 * Everything returns after 52 weeks. How often a class is asked rises and falls in the course of a year, each class
 * with a peak of its own, up to seven times as often as at its lowest. Each way of saying something, each product and
 * each other value is in use for a part of the year that its text decides. Only whole numbers are computed with, so
 * that a week is the same on every machine. */
#ifndef AS_DATA_SYNTH_DRIFT_H
#define AS_DATA_SYNTH_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

enum { AS_SYNTH_YEAR = 52, AS_SYNTH_CORE_WEEKS = 30, AS_SYNTH_VALUE_WEEKS = 40 };

/* Chances of class `which` of `count` in a week, which is counted from 1. */
int as_synth_class_weight(int which, int count, int64_t week);
/* Whether the text is in use in a week, being so for `weeks` of the 52; week 0 is outside of time: always. */
bool as_synth_in_use(const char *text, int64_t week, int weeks);

#endif
