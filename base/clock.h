/* The clock that durations are measured with. */
#ifndef AS_BASE_CLOCK_H
#define AS_BASE_CLOCK_H

/* Seconds since some moment, on a clock that only goes forward, whatever happens to the time of day. */
double as_seconds(void);

#endif
