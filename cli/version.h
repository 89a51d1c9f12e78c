/* What this build is made of, for --version and doctor. */
#ifndef AS_CLI_VERSION_H
#define AS_CLI_VERSION_H

#include <stddef.h>

typedef struct as_library_version {
  const char *name;
  char version[40]; /* of the library that is loaded, not of the header */
} as_library_version;

#define AS_LIBRARIES_MOST 8
/* Fills `out` and returns how many there are. */
size_t as_library_versions(as_library_version out[AS_LIBRARIES_MOST]);

/* OpenBLAS's own words, "OpenBLAS 0.3.21 ... USE_OPENMP ..."; NULL if the build has none. */
const char *as_openblas_config(void);
const char *as_openblas_core(void); /* the processor it chose kernels for; NULL if the build has none */
int as_openblas_threads(void);      /* 0 if the build has none */

const char *as_compiler(void);

#endif
