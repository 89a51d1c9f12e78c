/* A restricted reader of Python pickles: enough for what torch.save writes, and nothing that could do anything.
 *
 * A pickle is a program for a small stack machine. This one knows only the opcodes that build numbers, texts, tuples,
 * lists and dictionaries; a name of a class or function must be on the caller's list, and a call of it is not carried
 * out but kept as a value that says what was to be called with what. Python's own reader is specified by the module
 * pickletools.
 *
 * Invariant: memory is bounded by a constant times the length of the pickle, whatever lengths and indices it contains;
 * no input makes the reader recurse. */
#ifndef AS_MODELS_PICKLE_H
#define AS_MODELS_PICKLE_H

#include "base/context.h"

typedef enum as_pickle_kind {
  AS_PICKLE_NONE,
  AS_PICKLE_BOOL,
  AS_PICKLE_INT,
  AS_PICKLE_FLOAT,
  AS_PICKLE_TEXT,
  AS_PICKLE_TUPLE,
  AS_PICKLE_LIST,
  AS_PICKLE_DICT,
  AS_PICKLE_GLOBAL,    /* a name from the list */
  AS_PICKLE_CALL,      /* of a name from the list with a tuple */
  AS_PICKLE_PERSISTENT /* an object outside of the pickle, known by a value */
} as_pickle_kind;

/* What may be done with a name on the list. */
typedef enum as_pickle_use {
  AS_PICKLE_IS_CONSTANT, /* nothing */
  AS_PICKLE_IS_FUNCTION, /* a call of it becomes an AS_PICKLE_CALL */
  AS_PICKLE_IS_DICT      /* a call of it with no arguments becomes an empty AS_PICKLE_DICT */
} as_pickle_use;

typedef struct as_pickle_global {
  const char *module; /* NULL ends the list */
  const char *name;
  as_pickle_use use;
  int value; /* the caller's */
} as_pickle_global;

/* A value. References to other values are numbers for as_pickle_at. */
typedef struct as_pickle_value {
  as_pickle_kind kind;
  uint32_t count; /* TEXT: bytes; TUPLE: items; LIST, DICT: entries */
  union {
    int64_t integer; /* BOOL (0 or 1), INT */
    double real;
    const char *text; /* UTF-8, not ended by NUL; inside the pickle's bytes */
    uint32_t items;   /* TUPLE: see as_pickle_item */
    struct {
      uint32_t first, last; /* LIST, DICT: see as_pickle_entry */
    } chain;
    struct {
      const as_pickle_global *global; /* GLOBAL, CALL */
      uint32_t arguments;             /* CALL: a TUPLE */
    } call;
    uint32_t id; /* PERSISTENT: of the value that names it */
  } as;
} as_pickle_value;

typedef struct as_pickle as_pickle;

/* Reads the pickle in data[length], protocols 2 to 5, which is borrowed as long as the result lives. `where` stands in
 * front of error texts, which say "pickle" and the byte; AS_E_MODEL for everything that is wrong with it. Caller frees
 * with as_pickle_free. */
AS_MUST_CHECK as_status as_pickle_read(as_context *ctx, const unsigned char *data, size_t length, const char *where,
                                       const as_pickle_global *allowed, as_pickle **out);
void as_pickle_free(as_pickle *pickle); /* NULL is allowed */

/* The value that the whole pickle stands for. */
const as_pickle_value *as_pickle_root(const as_pickle *pickle);
const as_pickle_value *as_pickle_at(const as_pickle *pickle, uint32_t reference);
/* Item `index` of a TUPLE; NULL if it has fewer, or is no tuple. */
const as_pickle_value *as_pickle_item(const as_pickle *pickle, const as_pickle_value *tuple, uint32_t index);
/* Walks a DICT or LIST: *position starts as 0; false at the end. *key is NULL for a LIST. Entries come as they were put
 * in, a key that was put in twice both times. */
bool as_pickle_next(const as_pickle *pickle, const as_pickle_value *container, uint32_t *position,
                    const as_pickle_value **key, const as_pickle_value **value);

/* For error texts: "an integer", "a tuple" and so on. */
const char *as_pickle_kind_name(as_pickle_kind kind);

#endif
