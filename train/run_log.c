/* train.jsonl: one JSON line for each optimizer step and each epoch. A resumed run first cuts off what was written
 * after its checkpoint, so that the file reads as if the run had not been interrupted. Times are left out for the same
 * reason. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "train/run.h"

/* The length that the file is to begin with: that of the position, or, of a file that has lost lines since, that of its
 * last whole line. */
static as_status find_end(as_training_run *run, const char *path, off_t *end) {
  int64_t recorded = run->position.log_bytes;
  struct stat info;
  if (fstat(fileno(run->log), &info) != 0) return AS_E_IO;
  *end = (off_t)recorded;
  if (info.st_size >= *end) return AS_OK;
  for (*end = info.st_size; *end > 0; --*end) {
    if (fseeko(run->log, *end - 1, SEEK_SET) != 0) return AS_E_IO;
    if (fgetc(run->log) == '\n') break;
  }
  as_warn(run->ctx, "%s: the lines of steps before %lld are missing; the file goes on from here", path,
          (long long)run->position.step + 1);
  run->position.log_bytes = *end;
  return AS_OK;
}

as_status as_run_log_open(as_training_run *run) {
  char *path = as_path_join(run->ctx, run->files.out, "train.jsonl");
  if (!path) return AS_E_NOMEM;
  as_status status = AS_OK;
  off_t end = 0;
  int number = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  run->log = number >= 0 ? fdopen(number, "r+") : NULL;
  if (!run->log && number >= 0) close(number);
  if (!run->log || find_end(run, path, &end) != AS_OK || ftruncate(fileno(run->log), end) != 0 ||
      fseeko(run->log, end, SEEK_SET) != 0)
    status = as_fail(run->ctx, AS_E_IO, "%s: cannot be written: %s", path, strerror(errno));
  as_free(run->ctx, path);
  return status;
}

void as_run_log_close(as_training_run *run) {
  if (run->log) fclose(run->log);
  run->log = NULL;
}

as_status as_run_log_forget(as_training_run *run) {
  if (!run->log || run->position.log_bytes > 0) return AS_OK;
  as_run_log_close(run);
  char *path = as_path_join(run->ctx, run->files.out, "train.jsonl");
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (path && unlink(path) != 0 && errno != ENOENT)
    status = as_fail(run->ctx, AS_E_IO, "%s: cannot be removed: %s", path, strerror(errno));
  as_free(run->ctx, path);
  return status;
}

static as_status write_line(as_training_run *run, as_buffer *line) {
  as_buffer_char(line, '\n');
  as_status status = as_buffer_status(line);
  if (status == AS_OK && (fwrite(line->data, 1, line->length, run->log) != line->length || fflush(run->log) != 0))
    status = as_fail(run->ctx, AS_E_IO, "%s/train.jsonl: cannot be written: %s", run->files.out, strerror(errno));
  if (status == AS_OK) run->position.log_bytes += (int64_t)line->length;
  as_buffer_free(line);
  return status;
}

static as_json_writer begin(as_training_run *run, as_buffer *line, const char *kind) {
  as_buffer_init(line, run->ctx);
  as_json_writer writer = as_json_writer_start(line, 0);
  as_json_open_object(&writer, NULL);
  as_json_string(&writer, "event", kind);
  return writer;
}

as_status as_run_log_step(as_training_run *run, const as_training_step *step) {
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

as_status as_run_log_epoch(as_training_run *run, const as_training_epoch *epoch) {
  as_buffer line;
  as_json_writer writer = begin(run, &line, "epoch");
  as_json_int(&writer, "epoch", epoch->epoch);
  as_json_double(&writer, "train_loss", epoch->train_loss);
  if (epoch->validated) {
    as_json_double(&writer, "valid_loss", epoch->valid_loss);
    for (int i = 0; i < epoch->metric_count; i++)
      as_json_double(&writer, epoch->metrics[i].name, epoch->metrics[i].value);
    as_json_bool(&writer, "best", epoch->is_best);
  }
  as_json_close_object(&writer);
  return write_line(run, &line);
}
