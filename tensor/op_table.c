/* The op table of one number type, in the order of as_op_id. Compiled twice, as the op files are. */
#include "tensor/node.h"
#include "tensor/real.h"

#define X(name) extern const as_op AS_REAL(as_op_##name);
AS_OP_LIST(X)
#undef X

#define X(name) &AS_REAL(as_op_##name),
const as_op *const AS_REAL(as_op_table)[] = {AS_OP_LIST(X)};
#undef X
