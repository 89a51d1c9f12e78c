# cli/: the program. All of it but main is a library, so that the tests can call it.
noinst_LTLIBRARIES += libassistify_cli.la
libassistify_cli_la_SOURCES = cli/command.h cli/commands.c cli/completion.c cli/config.c cli/console.c cli/console.h \
  cli/help.c cli/lines.c cli/lines.h cli/manual.c cli/options.c cli/options.h cli/progress.c cli/progress.h cli/signals.c cli/signals.h cli/suggest.c \
  cli/values.c cli/version.c cli/version.h
# The commands, one file each.
libassistify_cli_la_SOURCES += cli/doctor.c

bin_PROGRAMS += assistify
assistify_SOURCES = cli/main.c
assistify_LDADD = libassistify_cli.la libassistify_all.la $(COMMON_LIBS)
