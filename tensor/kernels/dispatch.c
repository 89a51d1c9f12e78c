/* Which kernel tables are there, and which one a context computes with.
 *
 * Invariant: a table is handed out only when this processor, and the operating system on it, can run it. */
#include <string.h>

#include "config.h"

#include "tensor/kernels/tables.h"

static bool always(void) {
  return true;
}

#if defined(AS_HAVE_AVX2)
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

#if defined(AS_HAVE_AVX512)
static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

typedef struct kernel_choice {
  const as_kernels_f32 *table;
  bool (*supported)(void);
} kernel_choice;

/* Best last. */
static const kernel_choice CHOICES[] = {
    {&as_kernels_scalar_f32, always},
#if defined(AS_HAVE_BASELINE)
    {&as_kernels_baseline, always},
#endif
#if defined(AS_HAVE_AVX2)
    {&as_kernels_avx2, has_avx2},
#endif
#if defined(AS_HAVE_AVX512)
    {&as_kernels_avx512, has_avx512},
#endif
#if defined(AS_HAVE_NEON)
    {&as_kernels_neon, always},
#endif
};
enum { CHOICE_COUNT = sizeof CHOICES / sizeof *CHOICES };

const as_kernels_f64 *as_kernels_reference_f64(void) {
  return &as_kernels_scalar_f64;
}

const as_kernels_f32 *as_kernels_at(size_t index, bool *supported) {
  if (index >= CHOICE_COUNT) return NULL;
  if (supported) *supported = CHOICES[index].supported();
  return CHOICES[index].table;
}

/* Refuses `isa`, naming those that could be had. */
static as_status refuse(as_context *ctx, const char *isa, bool built) {
  char names[128] = "";
  size_t length = 0;
  for (size_t i = 0; i < CHOICE_COUNT; i++) {
    const char *name = CHOICES[i].table->isa;
    if (!CHOICES[i].supported() || length + strlen(name) + 3 > sizeof names) continue;
    if (length) {
      memcpy(names + length, ", ", 2);
      length += 2;
    }
    memcpy(names + length, name, strlen(name) + 1);
    length += strlen(name);
  }
  return as_fail(ctx, AS_E_UNSUPPORTED,
                 "the instruction set (ASSISTIFY_ISA) \"%s\" %s; choose one of: %s, or none for the best", isa,
                 built ? "is not supported by this processor" : "is unknown or not in this build", names);
}

as_status as_kernels_select(as_context *ctx, const as_kernels_f32 **out) {
  const char *isa = as_context_isa(ctx);
  *out = NULL;
  for (size_t i = CHOICE_COUNT; i-- > 0;) {
    const kernel_choice *choice = &CHOICES[i];
    if (isa && *isa && strcmp(isa, choice->table->isa) != 0) continue;
    if (choice->supported()) {
      *out = choice->table;
      return AS_OK;
    }
    if (isa && *isa) return refuse(ctx, isa, true);
  }
  return refuse(ctx, isa, false);
}
