/* What a call that can fail answers. The text that goes with it is in the context (base/context.h). */
#ifndef AS_BASE_STATUS_H
#define AS_BASE_STATUS_H

typedef enum as_status {
  AS_OK = 0,
  AS_E_NOMEM,    /* an allocation failed */
  AS_E_INVALID,  /* an argument that the caller should not have given: shapes that do not fit, a NULL, a bad option */
  AS_E_IO,       /* the operating system refused: open, read, write, fsync, rename, a full disk */
  AS_E_DATA,     /* a data file (CSV, JSON lines, workload) is absent or wrong */
  AS_E_MODEL,    /* a model folder (config, weights, tokenizer) is absent or wrong */
  AS_E_LIMIT,    /* more memory would be needed than the caller allows */
  AS_E_DIVERGED, /* a loss or a gradient is not finite */
  AS_E_INTERRUPTED, /* stopped on request; what was done is saved */
  AS_E_UNSUPPORTED  /* right, but this build or version cannot do it; the message says what can */
} as_status;

/* A short English name such as "out of memory"; never NULL. */
const char *as_status_name(as_status status);

#if defined(__GNUC__)
#define AS_PRINTF(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#define AS_MUST_CHECK __attribute__((warn_unused_result))
#else
#define AS_PRINTF(format_index, first_argument)
#define AS_MUST_CHECK
#endif

#endif
