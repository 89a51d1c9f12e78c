# train/: optimizer, schedules, batching, the trainers and their state on disk.
traindir_includedir = $(pkgincludedir)/train
traindir_include_HEADERS = train/schedule.h train/adamw.h train/step.h
libassistify_all_la_SOURCES += train/schedule.c train/adamw.c train/step.c train/batches.c train/batches.h
