#include "cli/version.h"

#include <csv.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "cli/command.h"
#include "config.h"
#include "tensor/kernels/kernels.h"
#ifdef AS_HAVE_LIBZIP
#include <zip.h>
#endif
#ifdef AS_HAVE_OPENBLAS
#include <cblas.h>
#endif

#define TEXT(x) TEXT_OF(x)
#define TEXT_OF(x) #x

const char *as_compiler(void) {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#else
  return "an unknown compiler";
#endif
}

const char *as_openblas_config(void) {
#ifdef AS_HAVE_OPENBLAS
  return openblas_get_config();
#else
  return NULL;
#endif
}

const char *as_openblas_core(void) {
#ifdef AS_HAVE_OPENBLAS
  return openblas_get_corename();
#else
  return NULL;
#endif
}

int as_openblas_threads(void) {
#ifdef AS_HAVE_OPENBLAS
  return openblas_get_num_threads();
#else
  return 0;
#endif
}

static const char *jansson_version(void) {
#if JANSSON_VERSION_HEX >= 0x020D00
  return jansson_version_str();
#else
  return JANSSON_VERSION;
#endif
}

static size_t add(as_library_version *out, size_t count, const char *name, const char *version) {
  out[count].name = name;
  snprintf(out[count].version, sizeof out[count].version, "%s", version);
  return count + 1;
}

size_t as_library_versions(as_library_version out[AS_LIBRARIES_MOST]) {
  size_t count = add(out, 0, "jansson", jansson_version());
  count = add(out, count, "utf8proc", utf8proc_version());
  count = add(out, count, "sqlite", sqlite3_libversion());
  count =
      add(out, count, "libcsv", TEXT(CSV_MAJOR) "." TEXT(CSV_MINOR) "." TEXT(CSV_RELEASE)); /* tells none at run time */
#ifdef AS_HAVE_LIBZIP
  count = add(out, count, "libzip", zip_libzip_version());
#endif
  const char *openblas = as_openblas_config();
  if (openblas) {
    char version[40] = "";
    if (sscanf(openblas, "OpenBLAS %39s", version) != 1) snprintf(version, sizeof version, "unknown");
    count = add(out, count, "OpenBLAS", version);
  }
  return count;
}

static void write_kernels(as_buffer *out, as_context *ctx) {
  const as_kernels_f32 *chosen, *table;
  if (as_kernels_select(ctx, &chosen) == AS_OK)
    as_buffer_printf(out, "kernels    %s (built:", chosen->isa);
  else
    as_buffer_printf(out, "kernels    none: %s (built:", as_error_text(ctx));
  for (size_t i = 0; (table = as_kernels_at(i, NULL)); i++) as_buffer_printf(out, "%s %s", i ? "," : "", table->isa);
  as_buffer_text(out, ")\n");
}

void as_version_write(as_buffer *out, as_context *ctx) {
  as_buffer_printf(out, "assistify %s\nbuild      %s\n", PACKAGE_VERSION, as_compiler());
  write_kernels(out, ctx);
  as_library_version libraries[AS_LIBRARIES_MOST];
  size_t count = as_library_versions(libraries);
  for (size_t i = 0; i < count; i++) {
    const char *before = i == 0 ? "libraries  " : i == 3 ? ",\n           " : ", ";
    as_buffer_printf(out, "%s%s %s", before, libraries[i].name, libraries[i].version);
  }
  as_buffer_char(out, '\n');
}
