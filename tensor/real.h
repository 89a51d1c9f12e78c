/* The number type of a computation. Operations and reference kernels are written once with `real` and compiled twice:
 * for float, in which models run, and for double (-DAS_REAL_DOUBLE), in which gradients are checked. AS_REAL(name) is
 * the name with the suffix of the type: name_f32 or name_f64. */
#ifndef AS_TENSOR_REAL_H
#define AS_TENSOR_REAL_H

#if defined(AS_REAL_DOUBLE)
typedef double real;
#define AS_REAL(name) name##_f64
#define AS_REAL_C(x) x
#define AS_REAL_EXP(x) exp(x)
#else
typedef float real;
#define AS_REAL(name) name##_f32
#define AS_REAL_C(x) x##f
#define AS_REAL_EXP(x) expf(x)
#endif

#endif
