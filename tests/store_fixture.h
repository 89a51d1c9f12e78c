/* Model stores for tests: versions with a few small files, made as a training makes them. */
#ifndef AS_TESTS_STORE_FIXTURE_H
#define AS_TESTS_STORE_FIXTURE_H

#include "lifecycle/store.h"
#include "tests/harness.h"

/* These tests bring thousands of small files to the disk: puts their folders into memory where there is such a place,
 * unless TMPDIR says where they shall be. For as_suite. */
void as_fixture_folders_in_memory(void);
/* A store in folder/trained_models. */
as_store *as_fixture_store(as_context *ctx, const char *folder);
/* Writes a small model (config.json, model.safetensors, parts/index.json) that holds `content` into `folder`. */
void as_fixture_files(as_context *ctx, const char *folder, const char *content);
/* Adds a version that holds `content`; returns its number. */
int64_t as_fixture_add(as_context *ctx, as_store *store, const char *model, const char *content);
/* The content of a version's weights equals `content`. */
void as_fixture_expect(as_context *ctx, const as_store *store, const char *reference, const char *content);
/* The number that an alias stands for, 0: none. */
int64_t as_fixture_alias(as_context *ctx, const as_store *store, const char *model, as_alias alias);
/* folder/name; static memory, 16 in turn. */
const char *as_fixture_path(const char *folder, const char *name);
/* Whole content of a text file as static memory, 4 in turn. */
const char *as_fixture_read(as_context *ctx, const char *path);

#endif
