/* See prediction_log.h.
 *
 * The queue is a list with its oldest row first; the batch that is being written is taken off it and put back in front
 * when it could not be written. The writer's thread has a context of its own, whose errors nobody else sees; its memory
 * comes from the context that the log was opened with. */
#include "lifecycle/prediction_log.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "data/timestamp.h"
#include "lifecycle/database_internal.h"

enum {
  QUEUE_BYTES = 16 << 20,
  BATCH_ROWS = 1000,     /* in one transaction */
  LINGER = 1000,         /* milliseconds that a row waits for others at most */
  BUSY_WAIT = 500,       /* milliseconds that one try waits for a busy database */
  BUSY_PAUSE = 20000000, /* nanoseconds between such tries */
  PAUSE = 5000,          /* milliseconds after a failure until the next try */
  ERASE_ROWS = 2000      /* rows of the past that a batch deletes at most */
};

/* The texts of a row, one after another in `data`. */
typedef enum field { REQUEST_ID, MODEL, VERSION, INPUT, LABEL, PROBABILITIES, FIELDS } field;

typedef struct row {
  struct row *next;
  size_t bytes; /* of the whole */
  uint32_t time;
  double confidence;
  int64_t tokens, unknown, latency_us;
  bool truncated;
  bool there[FIELDS];
  size_t ends[FIELDS]; /* in `data` */
  char data[];
} row;

struct as_prediction_log {
  as_context *ctx, *own;
  char *path;
  as_prediction_log_options options;
  pthread_t thread;
  pthread_mutex_t lock; /* of all that follows */
  pthread_cond_t work;  /* for the writer: rows, closing */
  pthread_cond_t idle;  /* for who flushes: a batch has ended, well or not */
  as_buffer scratch;    /* a row's probabilities */
  row *first, *last;
  size_t rows, bytes; /* in the list */
  bool hurry;         /* somebody waits for the rows to be written */
  bool writing;       /* a batch is off the list */
  bool closing, failed, warned;
  int64_t deadline; /* when closing: milliseconds */
  as_prediction_log_counts counts;
  /* The writer's own: */
  as_database *database;
  sqlite3_stmt *insert, *erase;
};

static int64_t now_ms(void) {
  struct timespec now = {0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t ms) {
  const struct timespec until = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
  pthread_cond_timedwait(condition, lock, &until);
}

/* ---- request ids ------------------------------------------------------------------------------------------------ */

void as_request_id(char out[AS_REQUEST_ID]) {
  unsigned char bytes[(AS_REQUEST_ID - 1) / 2];
  if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) { /* only before Linux 3.17 */
    struct {
      struct timespec time;
      const void *place;
      pid_t process;
    } now = {.place = bytes, .process = getpid()};
    unsigned char digest[32];
    as_sha256 hash;
    clock_gettime(CLOCK_REALTIME, &now.time);
    as_sha256_start(&hash);
    as_sha256_update(&hash, &now, sizeof now);
    as_sha256_finish(&hash, digest);
    memcpy(bytes, digest, sizeof bytes);
  }
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < sizeof bytes; i++) {
    out[2 * i] = digits[bytes[i] >> 4];
    out[2 * i + 1] = digits[bytes[i] & 15];
  }
  out[AS_REQUEST_ID - 1] = 0;
}

/* ---- the queue -------------------------------------------------------------------------------------------------- */

static void drop_first(as_prediction_log *log) {
  row *r = log->first;
  log->first = r->next;
  if (!log->first) log->last = NULL;
  log->rows--;
  log->bytes -= r->bytes;
  log->counts.lost++;
  as_free(log->ctx, r);
}

static void keep_bound(as_prediction_log *log) {
  while (log->bytes > log->options.queue_bytes) drop_first(log);
}

/* A row that alone is too much must not push out those that wait. */
static void append(as_prediction_log *log, row *r) {
  if (r->bytes > log->options.queue_bytes) {
    log->counts.lost++;
    as_free(log->ctx, r);
    return;
  }
  r->next = NULL;
  *(log->last ? &log->last->next : &log->first) = r;
  log->last = r;
  log->rows++;
  log->bytes += r->bytes;
  keep_bound(log);
}

typedef struct piece {
  const char *text; /* NULL: none */
  size_t length;
} piece;

static piece text_piece(const char *text) {
  return (piece){text, text ? strlen(text) : 0};
}

/* What is kept of a text. */
static piece private_piece(const as_prediction_log *log, const char *text, size_t length, char hex[65]) {
  if (!text || log->options.text == AS_LOG_TEXT_NONE) return (piece){NULL, 0};
  if (log->options.text == AS_LOG_TEXT_FULL) return (piece){text, length};
  unsigned char digest[32];
  as_sha256 hash;
  as_sha256_start(&hash);
  as_sha256_update(&hash, text, length);
  as_sha256_finish(&hash, digest);
  as_sha256_hex(digest, hex);
  return (piece){hex, 64};
}

static row *make_row(as_prediction_log *log, const as_logged_prediction *p, const piece *pieces /* [FIELDS] */) {
  size_t length = 0;
  for (int f = 0; f < FIELDS; f++) length += pieces[f].length;
  row *r = as_alloc(log->ctx, 1, sizeof *r + length);
  if (!r) return NULL;
  *r = (row){.bytes = sizeof *r + length,
             .time = (uint32_t)time(NULL),
             .confidence = p->confidence,
             .tokens = p->tokens,
             .unknown = p->unknown,
             .latency_us = p->latency_us,
             .truncated = p->truncated};
  size_t at = 0;
  for (int f = 0; f < FIELDS; f++) {
    r->there[f] = pieces[f].text != NULL;
    if (pieces[f].length) memcpy(r->data + at, pieces[f].text, pieces[f].length);
    r->ends[f] = at += pieces[f].length;
  }
  return r;
}

static piece probabilities_piece(as_prediction_log *log, const as_logged_prediction *p) {
  if (!p->probabilities) return text_piece(p->scores);
  as_buffer_clear(&log->scratch);
  as_json_writer w = as_json_writer_start(&log->scratch, 0);
  as_json_open_object(&w, NULL);
  for (size_t k = 0; k < p->classes; k++) as_json_float(&w, p->names[k], p->probabilities[k]);
  as_json_close_object(&w);
  return (piece){log->scratch.data, log->scratch.length};
}

void as_prediction_log_add(as_prediction_log *log, const as_logged_prediction *p) {
  char input_hex[65], label_hex[65];
  piece pieces[FIELDS] = {[REQUEST_ID] = text_piece(p->request_id),
                          [MODEL] = text_piece(p->model),
                          [VERSION] = text_piece(p->version),
                          [INPUT] = private_piece(log, p->input, p->input_length, input_hex),
                          [LABEL] = text_piece(p->label)};
  if (p->label_is_text) pieces[LABEL] = private_piece(log, p->label, pieces[LABEL].length, label_hex);
  pthread_mutex_lock(&log->lock);
  pieces[PROBABILITIES] = probabilities_piece(log, p);
  row *r = log->scratch.failed ? NULL : make_row(log, p, pieces);
  if (r)
    append(log, r);
  else
    log->counts.lost++;
  if (log->scratch.failed) as_buffer_free(&log->scratch); /* the next row may have more luck */
  if (log->rows == 1 || log->rows == BATCH_ROWS) pthread_cond_signal(&log->work);
  pthread_mutex_unlock(&log->lock);
}

/* ---- writing: all by the log's thread --------------------------------------------------------------------------- */

static void disconnect(as_prediction_log *log) {
  sqlite3_finalize(log->insert);
  sqlite3_finalize(log->erase);
  log->insert = log->erase = NULL;
  as_database_close(log->database);
  log->database = NULL;
}

static as_status connect(as_prediction_log *log, bool *busy) {
  static const char insert[] = "INSERT INTO predictions (timestamp, request_id, model, version, input, label,"
                               " probabilities, confidence, tokens, unknown, latency_us, truncated)"
                               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
  as_status status = as_database_open_for(log->own, log->path, true, BUSY_WAIT, busy, &log->database);
  /* A power cut may take the last rows with it, but not the database: in WAL no commit has to wait for the disk. */
  if (status == AS_OK) status = as_database_run(log->database, "PRAGMA synchronous = NORMAL", "cannot be written");
  if (status == AS_OK &&
      (sqlite3_prepare_v2(log->database->connection, insert, -1, &log->insert, NULL) != SQLITE_OK ||
       sqlite3_prepare_v2(log->database->connection, AS_PREDICTIONS_ERASE, -1, &log->erase, NULL) != SQLITE_OK))
    status = as_database_fail(log->database, "cannot be written");
  if (status == AS_OK || !log->database) return status;
  *busy = as_database_is_busy(log->database);
  disconnect(log);
  return status;
}

/* Bytes that are no UTF-8 text, or hold a NUL, where SQL's functions would end a text, are a BLOB. */
static void bind_text(sqlite3_stmt *statement, int at, const row *r, field f) {
  const size_t start = f ? r->ends[f - 1] : 0, length = r->ends[f] - start;
  const char *text = r->data + start;
  if (!r->there[f])
    sqlite3_bind_null(statement, at);
  else if (!memchr(text, 0, length) && as_utf8_valid(text, length))
    sqlite3_bind_text64(statement, at, text, length, SQLITE_STATIC, SQLITE_UTF8);
  else
    sqlite3_bind_blob64(statement, at, text, length, SQLITE_STATIC);
}

static void bind_count(sqlite3_stmt *statement, int at, int64_t value) {
  if (value < 0)
    sqlite3_bind_null(statement, at);
  else
    sqlite3_bind_int64(statement, at, value);
}

static as_status step(as_prediction_log *log, sqlite3_stmt *statement) {
  const bool done = sqlite3_step(statement) == SQLITE_DONE;
  as_status status = done ? AS_OK : as_database_fail(log->database, "predictions cannot be written");
  sqlite3_reset(statement);
  return status;
}

static as_status write_row(as_prediction_log *log, const row *r) {
  char time[AS_TIMESTAMP_TEXT];
  as_timestamp_write(r->time, time);
  sqlite3_bind_text(log->insert, 1, time, -1, SQLITE_TRANSIENT);
  for (int f = 0; f < FIELDS; f++) bind_text(log->insert, 2 + f, r, (field)f);
  if (isnan(r->confidence))
    sqlite3_bind_null(log->insert, 8);
  else
    sqlite3_bind_double(log->insert, 8, r->confidence);
  bind_count(log->insert, 9, r->tokens);
  bind_count(log->insert, 10, r->unknown);
  bind_count(log->insert, 11, r->latency_us);
  sqlite3_bind_int(log->insert, 12, r->truncated);
  return step(log, log->insert);
}

static as_status erase_old(as_prediction_log *log) {
  const int64_t now = (int64_t)time(NULL), days = log->options.days;
  char before[AS_TIMESTAMP_TEXT];
  if (!days || now / AS_DAY_SECONDS < days) return AS_OK;
  as_timestamp_write((uint32_t)(now - days * AS_DAY_SECONDS), before);
  sqlite3_bind_text(log->erase, 1, before, -1, SQLITE_TRANSIENT);
  sqlite3_bind_int(log->erase, 2, ERASE_ROWS);
  return step(log, log->erase);
}

static as_status write_rows(as_prediction_log *log, const row *batch) {
  as_status status = AS_OK;
  for (const row *r = batch; status == AS_OK && r; r = r->next) status = write_row(log, r);
  if (status == AS_OK) status = erase_old(log);
  return status == AS_OK ? as_database_run(log->database, "COMMIT", "predictions cannot be written") : status;
}

/* *busy: another process holds the database. After any other failure it is opened again: by the next try it may be
 * another file. */
static as_status write_batch(as_prediction_log *log, const row *batch, bool *busy) {
  *busy = false;
  as_status status = log->database ? AS_OK : connect(log, busy);
  if (status == AS_OK) {
    status = as_database_run(log->database, "BEGIN IMMEDIATE", "predictions cannot be written");
    const bool begun = status == AS_OK;
    if (begun) status = write_rows(log, batch);
    *busy = status != AS_OK && as_database_is_busy(log->database);
    if (begun && status != AS_OK) sqlite3_exec(log->database->connection, "ROLLBACK", NULL, NULL, NULL);
  }
  if (status != AS_OK && !*busy) disconnect(log);
  return status;
}

/* Takes the oldest rows off the list. */
static row *take_batch(as_prediction_log *log, size_t *count, row **last) {
  row *batch = log->first;
  *count = 0;
  for (row *r = batch; r && *count < BATCH_ROWS; r = r->next) {
    *last = r;
    ++*count;
    log->bytes -= r->bytes;
  }
  log->first = (*last)->next;
  if (!log->first) log->last = NULL;
  log->rows -= *count;
  (*last)->next = NULL;
  return batch;
}

static void put_back(as_prediction_log *log, row *batch, size_t count, row *last) {
  for (const row *r = batch; r; r = r->next) log->bytes += r->bytes;
  last->next = log->first;
  log->first = batch;
  if (!log->last) log->last = last;
  log->rows += count;
  keep_bound(log);
}

static void free_rows(as_prediction_log *log, row *batch) {
  for (row *r = batch, *next; r; r = next) {
    next = r->next;
    as_free(log->ctx, r);
  }
}

/* The only warning; what is wrong now may be wrong for every batch to come. */
static void warn(as_prediction_log *log) {
  if (!log->warned) as_warn(log->ctx, "%s; predictions go on without being logged", as_error_text(log->own));
  log->warned = true;
}

/* Writes a batch without holding the lock. */
static void write_some(as_prediction_log *log) {
  size_t count;
  row *last = NULL, *batch = take_batch(log, &count, &last);
  bool busy;
  log->writing = true;
  pthread_mutex_unlock(&log->lock);
  const as_status status = write_batch(log, batch, &busy);
  if (status == AS_OK) free_rows(log, batch);
  if (busy) nanosleep(&(struct timespec){.tv_nsec = BUSY_PAUSE}, NULL); /* SQLite does not wait for every lock */
  pthread_mutex_lock(&log->lock);
  log->writing = false;
  log->failed = status != AS_OK && !busy;
  if (status == AS_OK)
    log->counts.written += count;
  else
    put_back(log, batch, count, last);
  const bool gives_up = log->closing && status != AS_OK && (!busy || now_ms() >= log->deadline);
  if (log->failed || gives_up) warn(log);
  while (gives_up && log->first) drop_first(log);
  pthread_cond_broadcast(&log->idle);
}

/* Sleeps until there is something to do. */
static void await_rows(as_prediction_log *log) {
  if (log->failed) {
    const int64_t again = now_ms() + PAUSE;
    while (!log->closing && now_ms() < again) wait_until(&log->work, &log->lock, again);
    return;
  }
  while (!log->rows && !log->closing) pthread_cond_wait(&log->work, &log->lock);
  const int64_t enough = now_ms() + LINGER;
  while (log->rows < BATCH_ROWS && !log->hurry && !log->closing && now_ms() < enough)
    wait_until(&log->work, &log->lock, enough);
}

static void *write_all(void *user) {
  as_prediction_log *log = user;
  pthread_mutex_lock(&log->lock);
  for (;;) {
    await_rows(log);
    if (log->rows) write_some(log);
    if (log->closing && !log->rows) break;
  }
  pthread_mutex_unlock(&log->lock);
  disconnect(log);
  return NULL;
}

/* ---- opening and closing ---------------------------------------------------------------------------------------- */

static void *allocate_from(void *user, size_t bytes) {
  return as_alloc(user, 1, bytes);
}

static void release_to(void *user, void *pointer, size_t bytes) {
  (void)bytes;
  as_free(user, pointer);
}

/* Signals are for the program's own threads. */
static as_status start_thread(as_prediction_log *log) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(&log->thread, NULL, write_all, log);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error)
    return as_fail(log->ctx, AS_E_IO, "the thread that logs predictions cannot be started: %s", strerror(error));
  return AS_OK;
}

static void release(as_prediction_log *log) {
  as_context *ctx = log->ctx;
  as_context_free(log->own);
  as_buffer_free(&log->scratch);
  pthread_cond_destroy(&log->idle);
  pthread_cond_destroy(&log->work);
  pthread_mutex_destroy(&log->lock);
  as_free(ctx, log->path);
  as_free(ctx, log);
}

as_status as_prediction_log_open(as_context *ctx, const char *path, const as_prediction_log_options *options,
                                 as_prediction_log **out) {
  const as_allocator allocator = {allocate_from, release_to, ctx};
  as_prediction_log *log = as_alloc_zero(ctx, 1, sizeof *log);
  *out = NULL;
  if (!log) return AS_E_NOMEM;
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_mutex_init(&log->lock, NULL);
  pthread_cond_init(&log->work, &monotonic);
  pthread_cond_init(&log->idle, &monotonic);
  pthread_condattr_destroy(&monotonic);
  as_buffer_init(&log->scratch, ctx);
  log->ctx = ctx;
  log->options = *options;
  if (!log->options.queue_bytes) log->options.queue_bytes = QUEUE_BYTES;
  if (!log->options.close_wait) log->options.close_wait = AS_DATABASE_WAIT * 1000;
  log->path = as_strdup(ctx, path);
  as_status status =
      log->path ? as_context_new(&log->own, &(as_context_options){.threads = 1, .allocator = &allocator}) : AS_E_NOMEM;
  if (status == AS_OK) status = start_thread(log);
  if (status != AS_OK) {
    release(log);
    return status;
  }
  *out = log;
  return AS_OK;
}

void as_prediction_log_flush(as_prediction_log *log, int wait) {
  const int64_t until = now_ms() + wait;
  pthread_mutex_lock(&log->lock);
  log->hurry = true;
  pthread_cond_signal(&log->work);
  while ((log->rows || log->writing) && !log->failed && now_ms() < until) wait_until(&log->idle, &log->lock, until);
  log->hurry = false;
  pthread_mutex_unlock(&log->lock);
}

as_prediction_log_counts as_prediction_log_count(as_prediction_log *log) {
  pthread_mutex_lock(&log->lock);
  const as_prediction_log_counts counts = log->counts;
  pthread_mutex_unlock(&log->lock);
  return counts;
}

as_prediction_log_counts as_prediction_log_close(as_prediction_log *log) {
  if (!log) return (as_prediction_log_counts){0, 0};
  pthread_mutex_lock(&log->lock);
  log->closing = true;
  log->deadline = now_ms() + log->options.close_wait;
  pthread_cond_signal(&log->work);
  pthread_mutex_unlock(&log->lock);
  pthread_join(log->thread, NULL);
  const as_prediction_log_counts counts = log->counts;
  release(log);
  return counts;
}
