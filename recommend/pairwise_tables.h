/* The tables of pairwise.h that can be built. Private to recommend/. */
#ifndef AS_RECOMMEND_PAIRWISE_TABLES_H
#define AS_RECOMMEND_PAIRWISE_TABLES_H

#include "recommend/pairwise.h"

extern const as_pair_kernels as_pair_kernels_scalar, as_pair_kernels_baseline, as_pair_kernels_avx2,
    as_pair_kernels_avx512, as_pair_kernels_neon;

#endif
