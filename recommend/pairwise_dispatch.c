/* Which pairwise kernels a context trains with: those of the instruction set that the engine's table has. */
#include <string.h>

#include "config.h"

#include "recommend/pairwise_tables.h"
#include "tensor/kernels/kernels.h"

static const as_pair_kernels *const TABLES[] = {
    &as_pair_kernels_scalar,
#if defined(AS_HAVE_BASELINE)
    &as_pair_kernels_baseline,
#endif
#if defined(AS_HAVE_AVX2)
    &as_pair_kernels_avx2,
#endif
#if defined(AS_HAVE_AVX512)
    &as_pair_kernels_avx512,
#endif
#if defined(AS_HAVE_NEON)
    &as_pair_kernels_neon,
#endif
};
enum { TABLE_COUNT = sizeof TABLES / sizeof *TABLES };

as_status as_pair_kernels_select(as_context *ctx, const as_pair_kernels **out) {
  const as_kernels_f32 *chosen;
  as_status status = as_kernels_select(ctx, &chosen);
  *out = TABLES[0];
  for (size_t i = 0; status == AS_OK && i < TABLE_COUNT; i++)
    if (strcmp(TABLES[i]->isa, chosen->isa) == 0) *out = TABLES[i];
  return status;
}

const as_pair_kernels *as_pair_kernels_at(size_t index, bool *supported) {
  if (index >= TABLE_COUNT) return NULL;
  bool found = false;
  for (size_t i = 0; !found; i++) { /* the engine's list has every name of ours */
    const as_kernels_f32 *table = as_kernels_at(i, supported);
    if (!table) return NULL;
    found = strcmp(table->isa, TABLES[index]->isa) == 0;
  }
  return TABLES[index];
}
