#include "cli/console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/utf8.h"

void as_console_start(as_console *console, FILE *out, FILE *err) {
  *console = (as_console){.out = out, .err = err};
  const char *kind = getenv("TERM");
  console->terminal = isatty(fileno(err)) && kind && *kind && strcmp(kind, "dumb") != 0;
  console->out_terminal = isatty(fileno(out)) != 0;
  pthread_mutex_init(&console->lock, NULL);
}

int as_console_width(const as_console *console) {
  struct winsize size;
  if (console->terminal && ioctl(fileno(console->err), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

/* ---- results ------------------------------------------------------------------------------------------------ */

static void wipe(as_console *console) {
  if (console->progress[0]) fputs("\r\033[K", console->err);
}

static void redraw(as_console *console) {
  if (console->progress[0]) fputs(console->progress, console->err);
  fflush(console->err);
}

bool as_console_out(as_console *console, const char *text, size_t length) {
  pthread_mutex_lock(&console->lock);
  bool drawn = console->progress[0] && console->out_terminal;
  if (drawn) {
    wipe(console);
    fflush(console->err);
  }
  if (!console->out_errno) {
    errno = 0;
    if (fwrite(text, 1, length, console->out) != length || (drawn && fflush(console->out)))
      console->out_errno = errno ? errno : EIO;
  }
  if (drawn) redraw(console);
  bool good = !console->out_errno;
  pthread_mutex_unlock(&console->lock);
  return good;
}

bool as_console_print(as_console *console, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length >= 0 && (size_t)length < sizeof text) return as_console_out(console, text, (size_t)length);
  if (!console->out_errno) console->out_errno = EOVERFLOW;
  return false;
}

bool as_console_buffer(as_console *console, const as_buffer *buffer) {
  if (buffer->failed && !console->out_errno) console->out_errno = ENOMEM;
  return !buffer->failed && as_console_out(console, as_buffer_string(buffer), buffer->length);
}

bool as_console_flush(as_console *console) {
  pthread_mutex_lock(&console->lock);
  errno = 0;
  if (!console->out_errno && fflush(console->out)) console->out_errno = errno ? errno : EIO;
  bool good = !console->out_errno;
  pthread_mutex_unlock(&console->lock);
  return good;
}

int as_console_finish(as_console *console, int code) {
  as_console_flush(console);
  if (console->out_errno && console->out_errno != EPIPE) {
    char text[200];
    snprintf(text, sizeof text, "results could not be written to standard output: %s", strerror(console->out_errno));
    as_console_error(console, text);
    if (code == 0) code = 1;
  }
  pthread_mutex_destroy(&console->lock);
  return code;
}

/* ---- messages ----------------------------------------------------------------------------------------------- */

/* Writes one code point, or an escape for what would steer a terminal; returns its columns (1 for any letter). */
static int put_visible(FILE *err, const char *text, int length, uint32_t code_point) {
  if (length < 0) return fprintf(err, "\\x%02x", (unsigned char)*text);
  if ((code_point < 0x20 && code_point != '\t') || code_point == 0x7F || (code_point >= 0x80 && code_point < 0xA0))
    return fprintf(err, "\\x%02x", code_point);
  fwrite(text, 1, (size_t)length, err);
  return 1;
}

/* The text, on a terminal broken at blanks so that words are not cut; lines after the first are indented. */
static void put_message(as_console *console, int column, const char *text) {
  int width = console->terminal ? as_console_width(console) : 0;
  size_t left = strlen(text);
  while (left) {
    if (*text == '\n' || (width && *text == ' ')) {
      size_t word = 1 + strcspn(text + 1, " \n");
      bool wrap = *text == '\n' || column + (int)as_utf8_count(text, word < left ? word : left) > width;
      column = wrap ? fprintf(console->err, "\n  ") - 1 : column + fprintf(console->err, " ");
      text++;
      left--;
      continue;
    }
    uint32_t code_point;
    int length = as_utf8_decode(text, left, &code_point);
    column += put_visible(console->err, text, length < 0 ? -1 : length, code_point);
    size_t step = length < 0 ? 1 : (size_t)length;
    text += step;
    left -= step;
  }
  fputc('\n', console->err);
}

static void message(as_console *console, const char *prefix, const char *text) {
  pthread_mutex_lock(&console->lock);
  wipe(console);
  fputs(prefix, console->err);
  put_message(console, (int)strlen(prefix), text);
  redraw(console);
  pthread_mutex_unlock(&console->lock);
}

void as_console_error(as_console *console, const char *text) {
  message(console, "assistify: ", text);
}

void as_console_warn(void *console, const char *text) {
  if (((as_console *)console)->muted) return;
  message(console, "assistify: warning: ", text);
}

void as_console_note(as_console *console, const char *format, ...) {
  if (console->quiet) return;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  message(console, "", text);
}

void as_console_progress(as_console *console, const char *line) {
  if (!console->terminal || console->quiet) return;
  pthread_mutex_lock(&console->lock);
  wipe(console);
  snprintf(console->progress, sizeof console->progress, "%s", line);
  redraw(console);
  pthread_mutex_unlock(&console->lock);
}
