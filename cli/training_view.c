/* What a person sees of a training run. */
#include <stdio.h>

#include "base/memory.h"
#include "cli/signals.h"
#include "cli/training.h"

#define FEW_ROWS 500 /* a class with fewer rows gets a warning */

static void show_note(void *user, const char *text) {
  as_console_note(((as_training_view *)user)->cli->console, "%s", text);
}

static void show_classes(as_console *console, const as_training_summary *s) {
  size_t few = 0;
  for (size_t c = 0; c < s->labels->count; c++) few += s->label_rows[c] < FEW_ROWS;
  for (size_t c = 0; c < s->labels->count; c++) {
    if (s->labels->count > 24 && c == 12) {
      as_console_note(console, "    ... %zu more classes ...", s->labels->count - 24);
      c = s->labels->count - 12;
    }
    as_console_note(console, "    %8lld  %.60s%s", (long long)s->label_rows[c], s->labels->names[c],
                    s->label_rows[c] < FEW_ROWS && s->labels->count <= 24 ? "  (few)" : "");
  }
  if (few) {
    char text[160];
    snprintf(text, sizeof text, "%zu of %zu classes have fewer than %d rows; expect them to be less certain", few,
             s->labels->count, FEW_ROWS);
    as_console_warn(console, text);
  }
}

static void show_data(as_console *console, const as_training_summary *s) {
  as_console_note(console, "data      %lld training rows, %lld for validation", (long long)s->train_rows,
                  (long long)s->valid_rows);
  if (s->recipe->hold_out > 0)
    as_console_note(console, "          %lld rows (%g of all, by their text) held out for tests",
                    (long long)s->report->other_side, s->recipe->hold_out);
  if (s->labels) show_classes(console, s);
  as_console_note(console, "tokens    %lld median, %lld at 90 %%, %lld at 95 %%, %lld at 99 %%, %lld longest",
                  (long long)s->length_percentiles[0], (long long)s->length_percentiles[1],
                  (long long)s->length_percentiles[2], (long long)s->length_percentiles[3],
                  (long long)s->length_percentiles[4]);
  if (s->truncated)
    as_console_note(console, "          %lld rows (%.1f %%) are cut to --max-length", (long long)s->truncated,
                    100.0 * (double)s->truncated / (double)s->train_rows);
  if (s->targets_truncated)
    as_console_note(console, "          %lld replies (%.1f %%) are cut to --max-target-length",
                    (long long)s->targets_truncated, 100.0 * (double)s->targets_truncated / (double)s->train_rows);
}

static void show_recipe(const as_training_view *v, const as_training_summary *s) {
  as_console *console = v->cli->console;
  static const char *const schedules[] = {"linear", "cosine", "constant", "inverse_sqrt"};
  const as_recipe *r = s->recipe;
  char batch[64];
  snprintf(batch, sizeof batch, r->batch_tokens ? "%lld tokens" : "%lld rows",
           (long long)(r->batch_tokens ? r->batch_tokens : r->batch_rows));
  as_console_note(console, "model     %s, %s, %lld parameters%s, vocabulary %lld", s->architecture,
                  r->from ? r->from : r->size, (long long)s->parameters,
                  s->trained_parameters < s->parameters ? " (some frozen)" : "", (long long)s->vocab_size);
  if (s->head_replaced)
    as_console_note(console, "          the labels differ from the folder's: its head is replaced by a fresh one");
  if (s->head_absent && !s->fresh)
    as_console_note(console, "          the folder has no %s: a fresh one is made", v->head);
  if (r->relative_step)
    as_console_note(console, "recipe    %lld epochs, batches of %s x %lld, Adafactor with relative steps",
                    (long long)r->epochs, batch, (long long)r->accumulate);
  else
    as_console_note(console, "recipe    %lld epochs, batches of %s x %lld, %s, lr %g %s, warm-up %lld steps",
                    (long long)r->epochs, batch, (long long)r->accumulate,
                    r->optimizer == AS_OPTIMIZER_ADAFACTOR ? "Adafactor" : "AdamW", r->lr, schedules[r->schedule],
                    (long long)s->warmup);
  as_console_note(console, "          weight decay %g, clipping %g, label smoothing %g, patience %lld, seed %lld",
                  r->weight_decay, r->max_grad_norm, r->label_smoothing, (long long)r->patience, (long long)r->seed);
  as_console_note(console, "memory    %.1f MiB: %.1f parameters and moments, %.1f activations (recompute %lld)",
                  (double)(s->parameter_bytes + s->graph_bytes) / 1048576, (double)s->parameter_bytes / 1048576,
                  (double)s->graph_bytes / 1048576, (long long)r->recompute);
  as_console_note(console, "steps     %lld%s", (long long)s->steps, s->resumed_step ? ", going on" : "");
  if (s->resumed_step) as_console_note(console, "          after step %lld", (long long)s->resumed_step);
}

static void show_summary(void *user, const as_training_summary *s) {
  as_training_view *v = user;
  as_data_report_warn(v->cli->ctx, s->report, s->recipe->data);
  if (s->valid_report) as_data_report_warn(v->cli->ctx, s->valid_report, s->recipe->valid);
  show_data(v->cli->console, s);
  show_recipe(v, s);
  as_progress_start(&v->progress, v->cli->console, s->resumed_step);
  v->running = true;
}

static void show_step(void *user, const as_training_step *step) {
  as_progress_figures figures = {.epoch = step->epoch,
                                 .epochs = step->epochs,
                                 .step = step->step,
                                 .steps = step->steps,
                                 .loss = step->loss,
                                 .lr = step->lr,
                                 .rate = step->tokens_per_second,
                                 .unit = "tokens"};
  as_progress_update(&((as_training_view *)user)->progress, &figures);
}

static void show_epoch(void *user, const as_training_epoch *e) {
  as_console *console = ((as_training_view *)user)->cli->console;
  char figures[256] = "";
  size_t used = 0;
  for (int i = 0; i < e->metric_count; i++) {
    const as_training_metric *m = &e->metrics[i];
    used += (size_t)snprintf(figures + used, sizeof figures - used, m->is_share ? ", %s %.2f %%" : ", %s %.4g",
                             m->label, m->is_share ? 100 * m->value : m->value);
  }
  if (e->validated)
    as_console_note(console, "epoch %lld/%lld  loss %.4f  validation: loss %.4f%s%s", (long long)e->epoch,
                    (long long)e->epochs, e->train_loss, e->valid_loss, figures, e->is_best ? "  best" : "");
  else
    as_console_note(console, "epoch %lld/%lld  loss %.4f", (long long)e->epoch, (long long)e->epochs, e->train_loss);
}

as_training_listener as_training_view_listener(as_training_view *view) {
  return (as_training_listener){show_summary, show_step, show_epoch, show_note, as_interrupted, view};
}

int as_training_view_end(as_training_view *view, as_status status, const as_training_result *result, const char *out,
                         const char *more) {
  if (view->running) as_progress_end(&view->progress);
  if (status != AS_OK) return as_cli_failed(view->cli, status);
  as_console_note(view->cli->console, "trained in %.1f s, %.0f tokens/s%s; the weights of epoch %lld are in %s%s",
                  result->seconds, result->tokens_per_second, result->stopped_early ? ", stopped early" : "",
                  (long long)result->best_epoch, out, more ? more : "");
  return AS_EXIT_DONE;
}
