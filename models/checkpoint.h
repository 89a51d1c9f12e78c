/* The weights of a Hugging Face model folder, whichever way they lie there: model.safetensors, its shards behind
 * model.safetensors.index.json, pytorch_model.bin, or its shards behind pytorch_model.bin.index.json (the first that
 * exists, in this order).
 *
 * Invariant of an open checkpoint: names are unique over all shards; every tensor that an index promises is in the
 * shard it names; no file outside the folder was opened because an index said so; and memory was used in proportion to
 * the headers of the files, not to what they claim. */
#ifndef AS_MODELS_CHECKPOINT_H
#define AS_MODELS_CHECKPOINT_H

#include "base/context.h"
#include "models/stored_tensor.h"

typedef struct as_checkpoint as_checkpoint;

/* Opens the weights in `folder`. AS_E_MODEL, with a text that names the file and the tensor or path, when there are
 * none or they are damaged; AS_E_UNSUPPORTED for a pytorch_model.bin when libzip was left out of this build. On failure
 * *out is NULL. Caller closes with as_checkpoint_close. */
AS_MUST_CHECK as_status as_checkpoint_open(as_context *ctx, const char *folder, as_checkpoint **out);
void as_checkpoint_close(as_checkpoint *checkpoint); /* NULL is allowed */

/* Tensors are ordered by name, byte by byte. What these return is borrowed until the checkpoint is closed. */
size_t as_checkpoint_count(const as_checkpoint *checkpoint);
const as_stored_tensor *as_checkpoint_tensor(const as_checkpoint *checkpoint, size_t index);
/* The path of the file that holds the tensor. */
const char *as_checkpoint_file(const as_checkpoint *checkpoint, size_t index);
/* The number of the tensor of this name, -1 if there is none. */
int64_t as_checkpoint_find(const as_checkpoint *checkpoint, const char *name);

/* ---- reading ---------------------------------------------------------------------------------------------------- */

typedef struct as_checkpoint_read {
  size_t index; /* of the tensor */
  float *out;   /* [elements of the tensor]; NULL: it is only checked, for as_checkpoint_floats */
} as_checkpoint_read;

/* Where the tensor's floats lie in its mapped file, row by row, until the checkpoint is closed; NULL if they cannot be
 * used as they lie there: not F32, not aligned for a float, or a format that is not mapped. */
const float *as_checkpoint_floats(const as_checkpoint *checkpoint, size_t index);

/* Reads tensors into floats, all together: each byte of the files is touched once and the work is spread over the
 * context's threads, so reading a whole model in one call is the fast way. F16 and BF16 are widened exactly, F64 is
 * rounded to nearest even. A tensor of another type (I64, ...) and a value that is NaN, infinite or beyond float's
 * range are AS_E_MODEL, naming file, tensor and type or position; then the content of `out` is undefined. A storage of
 * a pytorch_model.bin is held in memory while the tensors on it are read. */
AS_MUST_CHECK as_status as_checkpoint_read_all(as_checkpoint *checkpoint, const as_checkpoint_read *reads /* [count] */,
                                               size_t count);
/* The same for one tensor. */
AS_MUST_CHECK as_status as_checkpoint_read_f32(as_checkpoint *checkpoint, size_t index, float *out /* [elements] */);

/* ---- agreeing with a model -------------------------------------------------------------------------------------- */

/* A tensor that a model asks for. */
typedef struct as_expectation {
  const char *name;
  int ndim;
  int64_t shape[AS_STORED_MAX_DIMS];
  int optional; /* 0: must be there. Else the number of a group of which all must be there or none (a head) */
} as_expectation;

typedef struct as_expect_rules {
  /* The model's name in front of its body's tensors ("distilbert."), or NULL. Where no tensor of the file begins with
   * it, as in a file of the bare body, expectations are looked up without it. */
  const char *prefix;
  /* Parts of names, ended by NULL, or NULL: a tensor that no expectation names is passed over in silence if one of the
   * parts between the dots of its name is one of these ("pooler" covers "roberta.pooler.dense.weight"). */
  const char *const *ignored;
} as_expect_rules;

/* The usual `ignored` of encoders with a classification head: poolers, position ids, masked-language-model heads. */
extern const char *const as_ignored_by_classifiers[];

/* Holds the checkpoint against what a model needs. found[i] is the number of the tensor for expectations[i], -1 for an
 * optional one that is absent. Tensors that are missing or of another shape are listed in one AS_E_MODEL text, the first
 * of them by name and the rest by number; tensors that are in the file only are listed so in one warning. */
AS_MUST_CHECK as_status as_checkpoint_expect(const as_checkpoint *checkpoint,
                                             const as_expectation *expectations /* [count] */, size_t count,
                                             const as_expect_rules *rules, int64_t *found /* [count] */);

#endif
