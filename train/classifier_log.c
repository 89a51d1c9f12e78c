/* train.jsonl: one JSON line for each optimizer step and each epoch. A resumed run first cuts off what was written
 * after its checkpoint, so that the file reads as if the run had not been interrupted. Times are left out for the same
 * reason. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "train/classifier_run.h"

as_status as_run_log_open(as_classifier_run *run) {
  char *path = as_path_join(run->ctx, run->files.out, "train.jsonl");
  if (!path) return AS_E_NOMEM;
  as_status status = AS_OK;
  run->log = fopen(path, run->position.log_bytes > 0 ? "r+" : "w");
  if (!run->log || ftruncate(fileno(run->log), (off_t)run->position.log_bytes) != 0 ||
      fseek(run->log, 0, SEEK_END) != 0)
    status = as_fail(run->ctx, AS_E_IO, "%s: cannot be written: %s", path, strerror(errno));
  as_free(run->ctx, path);
  return status;
}

void as_run_log_close(as_classifier_run *run) {
  if (run->log) fclose(run->log);
  run->log = NULL;
}

static as_status write_line(as_classifier_run *run, as_buffer *line) {
  as_buffer_char(line, '\n');
  as_status status = as_buffer_status(line);
  if (status == AS_OK && (fwrite(line->data, 1, line->length, run->log) != line->length || fflush(run->log) != 0))
    status = as_fail(run->ctx, AS_E_IO, "%s/train.jsonl: cannot be written: %s", run->files.out, strerror(errno));
  if (status == AS_OK) run->position.log_bytes += (int64_t)line->length;
  as_buffer_free(line);
  return status;
}

static as_json_writer begin(as_classifier_run *run, as_buffer *line, const char *kind) {
  as_buffer_init(line, run->ctx);
  as_json_writer writer = as_json_writer_start(line, 0);
  as_json_open_object(&writer, NULL);
  as_json_string(&writer, "event", kind);
  return writer;
}

as_status as_run_log_step(as_classifier_run *run, const as_training_step *step) {
  as_buffer line;
  as_json_writer writer = begin(run, &line, "step");
  as_json_int(&writer, "step", step->step);
  as_json_int(&writer, "epoch", step->epoch);
  as_json_double(&writer, "loss", step->loss);
  as_json_double(&writer, "grad_norm", step->grad_norm);
  as_json_double(&writer, "lr", step->lr);
  as_json_int(&writer, "tokens", step->tokens);
  as_json_close_object(&writer);
  return write_line(run, &line);
}

as_status as_run_log_epoch(as_classifier_run *run, const as_training_epoch *epoch) {
  as_buffer line;
  as_json_writer writer = begin(run, &line, "epoch");
  as_json_int(&writer, "epoch", epoch->epoch);
  as_json_double(&writer, "train_loss", epoch->train_loss);
  if (epoch->validated) {
    as_json_double(&writer, "valid_loss", epoch->valid_loss);
    as_json_double(&writer, "accuracy", epoch->accuracy);
    as_json_double(&writer, "macro_f1", epoch->macro_f1);
    as_json_bool(&writer, "best", epoch->is_best);
  }
  as_json_close_object(&writer);
  return write_line(run, &line);
}
