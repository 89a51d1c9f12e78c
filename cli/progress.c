#include "cli/progress.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "cli/signals.h"

#define REDRAW_SECONDS 0.1
/* The first plain line comes after 10 s; each further one when a twentieth more is done, but not sooner than 10 s after
 * the last nor later than 60 s. */
#define PLAIN_SOONEST 10.0
#define PLAIN_LATEST 60.0
#define PLAIN_FRACTION 0.05

enum { EPOCH, STEP, LOSS, LR, RATE, LEFT, PARTS };

static void write_parts(const as_progress_figures *f, double seconds_left, char parts[PARTS][48]) {
  for (int i = 0; i < PARTS; i++) parts[i][0] = 0;
  if (f->epochs > 0) snprintf(parts[EPOCH], 48, "epoch %lld/%lld", (long long)f->epoch, (long long)f->epochs);
  if (f->steps > 0)
    snprintf(parts[STEP], 48, "step %lld/%lld", (long long)f->step, (long long)f->steps);
  else
    snprintf(parts[STEP], 48, "step %lld", (long long)f->step);
  if (!isnan(f->loss)) snprintf(parts[LOSS], 48, "loss %.4f", f->loss);
  if (!isnan(f->lr)) snprintf(parts[LR], 48, "lr %.2e", f->lr);
  if (!isnan(f->rate)) snprintf(parts[RATE], 48, "%.*f %s/s", f->rate < 100 ? 1 : 0, f->rate, f->unit ? f->unit : "");
  if (seconds_left >= 0 && seconds_left < 1e7) {
    long long s = (long long)(seconds_left + 0.5);
    if (s >= 3600)
      snprintf(parts[LEFT], 48, "%lld:%02lld:%02lld left", s / 3600, s / 60 % 60, s % 60);
    else
      snprintf(parts[LEFT], 48, "%lld:%02lld left", s / 60, s % 60);
  }
}

static size_t length_of(char parts[PARTS][48]) {
  size_t length = 0;
  for (int i = 0; i < PARTS; i++)
    if (parts[i][0]) length += strlen(parts[i]) + (length ? 2 : 0);
  return length;
}

void as_progress_line(const as_progress_figures *figures, double seconds_left, int width, char *line, size_t size) {
  static const int gives_way[] = {LR, RATE, EPOCH, LOSS};
  char parts[PARTS][48];
  write_parts(figures, seconds_left, parts);
  size_t room = (size_t)(width < 40 ? 40 : width) - 1;
  for (size_t i = 0; i < sizeof gives_way / sizeof gives_way[0] && length_of(parts) > room; i++)
    parts[gives_way[i]][0] = 0;
  size_t used = 0;
  line[0] = 0;
  for (int i = 0; i < PARTS; i++)
    if (parts[i][0] && used < size)
      used += (size_t)snprintf(line + used, size - used, "%s%s", used ? "  " : "", parts[i]);
  size_t columns = width > 1 ? (size_t)width - 1 : 0;
  if (strlen(line) > columns) line[columns] = 0;
}

void as_progress_start(as_progress *progress, as_console *console, int64_t first_step) {
  *progress = (as_progress){.console = console, .started = as_seconds(), .shown = -1, .first_step = first_step};
}

void as_progress_end(as_progress *progress) {
  as_console_progress(progress->console, "");
}

static bool is_due(const as_progress *progress, double now, double fraction) {
  if (progress->console->terminal) return progress->shown < 0 || now - progress->shown >= REDRAW_SECONDS;
  if (progress->shown < 0) return now - progress->started >= PLAIN_SOONEST;
  double waited = now - progress->shown;
  return waited >= PLAIN_LATEST || (waited >= PLAIN_SOONEST && fraction - progress->shown_fraction >= PLAIN_FRACTION);
}

void as_progress_update_at(as_progress *progress, const as_progress_figures *figures, double now) {
  double fraction = figures->steps > 0 ? (double)figures->step / (double)figures->steps : 0;
  if (progress->console->quiet || !is_due(progress, now, fraction)) return;
  int64_t done = figures->step - progress->first_step;
  double left = -1;
  if (figures->steps > 0 && done > 0)
    left = (now - progress->started) / (double)done * (double)(figures->steps - figures->step);
  progress->shown = now;
  progress->shown_fraction = fraction;
  char line[256];
  int width = progress->console->terminal ? as_console_width(progress->console) : (int)sizeof line;
  as_progress_line(figures, left, width, line, sizeof line);
  if (progress->console->terminal)
    as_console_progress(progress->console, line);
  else
    as_console_note(progress->console, "%s", line);
}

void as_progress_update(as_progress *progress, const as_progress_figures *figures) {
  as_progress_update_at(progress, figures, as_seconds());
}

bool as_progress_rows(void *user, int64_t done, int64_t count) {
  as_progress *progress = user;
  const double seconds = as_seconds() - progress->started;
  const as_progress_figures figures = {.step = done,
                                       .steps = count,
                                       .loss = NAN,
                                       .lr = NAN,
                                       .rate = seconds > 0 ? (double)done / seconds : NAN,
                                       .unit = "rows"};
  as_progress_update(progress, &figures);
  if (done == count) as_progress_end(progress);
  return !as_interrupted(NULL);
}
