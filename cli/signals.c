#include "cli/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void note_signal(int number) {
  (void)number;
  interrupted = 1;
  struct sigaction plain = {.sa_handler = SIG_DFL};
  sigaction(SIGINT, &plain, NULL);
}

void as_signals_start(void) {
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  sigaction(SIGPIPE, &ignore, NULL);
  /* The wrong way round on purpose: writing to what was closed shall fail, not vanish. */
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) == -1) return;
}

/* SIGINT is caught even where it was ignored at the start, as a shell does for `assistify train ... &`: a signal sent
 * to us by hand shall save the state there too. System calls are begun again (SA_RESTART): the flag is enough. */
void as_signals_catch(void) {
  struct sigaction flag = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
  sigemptyset(&flag.sa_mask);
  sigaction(SIGINT, &flag, NULL);
  sigaction(SIGTERM, &flag, NULL);
}

bool as_interrupted(void *unused) {
  (void)unused;
  return interrupted != 0;
}
