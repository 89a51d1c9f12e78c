/* The stack machine of pickles, with what is allowed of it in one table. */
#include "models/pickle.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

#define NOTHING UINT32_MAX /* no value; on the stack: a mark */

enum { MAX_LENGTH = 1 << 30, SHOWN_NAME = 100 };

/* An entry of a list or dictionary. */
typedef struct entry {
  uint32_t key, value, next; /* next: 1 + the number of the next entry, 0 at the end */
} entry;

struct as_pickle {
  as_context *ctx;
  const as_pickle_global *allowed;
  const char *where;
  const unsigned char *data;
  size_t length, at, opcode_at;
  as_pickle_value *values;
  size_t value_count, value_capacity;
  uint32_t *items; /* of all tuples */
  size_t item_count, item_capacity;
  entry *entries; /* of all lists and dictionaries */
  size_t entry_count, entry_capacity;
  uint32_t *stack;
  size_t stack_count, stack_capacity;
  uint32_t *memo;
  size_t memo_count, memo_capacity;
  uint64_t argument;            /* of the opcode, as an unsigned little-endian number */
  const unsigned char *counted; /* the bytes that it counts */
  bool stopped;
};

static as_status fail(const as_pickle *pickle, const char *what) {
  return as_fail(pickle->ctx, AS_E_MODEL, "%s: pickle, byte %zu: %s", pickle->where, pickle->opcode_at, what);
}

/* ---- values and the stack --------------------------------------------------------------------------------------- */

static as_status push(as_pickle *pickle, uint32_t reference) {
  uint32_t *stack =
      as_grow(pickle->ctx, pickle->stack, &pickle->stack_capacity, pickle->stack_count + 1, sizeof *stack);
  if (!stack) return AS_E_NOMEM;
  pickle->stack = stack;
  stack[pickle->stack_count++] = reference;
  return AS_OK;
}

static as_status push_value(as_pickle *pickle, as_pickle_value value) {
  as_pickle_value *values =
      as_grow(pickle->ctx, pickle->values, &pickle->value_capacity, pickle->value_count + 1, sizeof *values);
  if (!values) return AS_E_NOMEM;
  pickle->values = values;
  values[pickle->value_count] = value;
  return push(pickle, (uint32_t)pickle->value_count++);
}

/* What is `depth` below the top, 0 being the top itself, down to the last mark. */
static as_status peek(as_pickle *pickle, size_t depth, uint32_t *reference) {
  if (depth >= pickle->stack_count || pickle->stack[pickle->stack_count - 1 - depth] == NOTHING)
    return fail(pickle, "its stack has too few values");
  *reference = pickle->stack[pickle->stack_count - 1 - depth];
  return AS_OK;
}

/* The number of values above the last mark. */
static as_status count_to_mark(as_pickle *pickle, size_t *count) {
  for (*count = 0; *count < pickle->stack_count; ++*count)
    if (pickle->stack[pickle->stack_count - 1 - *count] == NOTHING) return AS_OK;
  return fail(pickle, "its stack has no mark");
}

static as_pickle_value *at(const as_pickle *pickle, uint32_t reference) {
  return &pickle->values[reference];
}

/* ---- opcodes: plain values -------------------------------------------------------------------------------------- */

static as_status op_proto(as_pickle *pickle) {
  if (pickle->argument >= 2 && pickle->argument <= 5) return AS_OK;
  return fail(pickle, "its protocol is not 2, 3, 4 or 5");
}

static as_status op_frame(as_pickle *pickle) {
  (void)pickle; /* frames only help to read ahead */
  return AS_OK;
}

static as_status op_stop(as_pickle *pickle) {
  uint32_t root = 0;
  as_status status = peek(pickle, 0, &root);
  if (status == AS_OK && pickle->stack_count != 1)
    status = fail(pickle, "its stack has more than one value at the end");
  pickle->stopped = true;
  return status;
}

static as_status op_mark(as_pickle *pickle) {
  return push(pickle, NOTHING);
}
static as_status op_none(as_pickle *pickle) {
  return push_value(pickle, (as_pickle_value){.kind = AS_PICKLE_NONE});
}

static as_status push_integer(as_pickle *pickle, as_pickle_kind kind, int64_t integer) {
  return push_value(pickle, (as_pickle_value){.kind = kind, .as.integer = integer});
}

static as_status op_true(as_pickle *pickle) {
  return push_integer(pickle, AS_PICKLE_BOOL, 1);
}
static as_status op_false(as_pickle *pickle) {
  return push_integer(pickle, AS_PICKLE_BOOL, 0);
}

static as_status op_unsigned(as_pickle *pickle) {
  return push_integer(pickle, AS_PICKLE_INT, (int64_t)pickle->argument);
}

static as_status op_int32(as_pickle *pickle) {
  return push_integer(pickle, AS_PICKLE_INT, (int32_t)(uint32_t)pickle->argument);
}

/* An integer of `argument` bytes, two's complement. */
static as_status op_long(as_pickle *pickle) {
  uint64_t bits = 0;
  size_t bytes = (size_t)pickle->argument;
  if (bytes > sizeof bits) return fail(pickle, "it has an integer of more than 64 bits");
  for (size_t i = 0; i < bytes; i++) bits |= (uint64_t)pickle->counted[i] << (8 * i);
  if (bytes > 0 && bytes < sizeof bits && pickle->counted[bytes - 1] & 0x80) bits |= UINT64_MAX << (8 * bytes);
  return push_integer(pickle, AS_PICKLE_INT, (int64_t)bits);
}

static as_status op_float(as_pickle *pickle) {
  as_pickle_value value = {.kind = AS_PICKLE_FLOAT};
  uint64_t bits = __builtin_bswap64(pickle->argument); /* the one number that is stored with its high byte first */
  memcpy(&value.as.real, &bits, sizeof bits);
  return push_value(pickle, value);
}

static as_status op_text(as_pickle *pickle) {
  const char *text = (const char *)pickle->counted;
  if (!as_utf8_valid(text, (size_t)pickle->argument)) return fail(pickle, "a text is not UTF-8");
  return push_value(pickle,
                    (as_pickle_value){.kind = AS_PICKLE_TEXT, .count = (uint32_t)pickle->argument, .as.text = text});
}

/* ---- opcodes: containers ---------------------------------------------------------------------------------------- */

/* Replaces the topmost `count` values by a tuple of them. */
static as_status make_tuple(as_pickle *pickle, size_t count, bool marked) {
  uint32_t *items =
      as_grow(pickle->ctx, pickle->items, &pickle->item_capacity, pickle->item_count + count, sizeof *items);
  if (!items) return AS_E_NOMEM;
  pickle->items = items;
  pickle->stack_count -= count;
  if (count) memcpy(items + pickle->item_count, pickle->stack + pickle->stack_count, count * sizeof *items);
  as_pickle_value value = {.kind = AS_PICKLE_TUPLE, .count = (uint32_t)count, .as.items = (uint32_t)pickle->item_count};
  pickle->item_count += count;
  if (marked) pickle->stack_count--;
  return push_value(pickle, value);
}

static as_status make_short_tuple(as_pickle *pickle, size_t count) {
  uint32_t lowest = 0;
  as_status status = AS_OK;
  for (size_t i = 0; i < count && status == AS_OK; i++) status = peek(pickle, i, &lowest);
  return status == AS_OK ? make_tuple(pickle, count, false) : status;
}

static as_status op_empty_tuple(as_pickle *pickle) {
  return make_short_tuple(pickle, 0);
}
static as_status op_tuple1(as_pickle *pickle) {
  return make_short_tuple(pickle, 1);
}
static as_status op_tuple2(as_pickle *pickle) {
  return make_short_tuple(pickle, 2);
}
static as_status op_tuple3(as_pickle *pickle) {
  return make_short_tuple(pickle, 3);
}

static as_status op_tuple(as_pickle *pickle) {
  size_t count = 0;
  as_status status = count_to_mark(pickle, &count);
  return status == AS_OK ? make_tuple(pickle, count, true) : status;
}

static as_status op_empty_list(as_pickle *pickle) {
  return push_value(pickle, (as_pickle_value){.kind = AS_PICKLE_LIST});
}

static as_status op_empty_dict(as_pickle *pickle) {
  return push_value(pickle, (as_pickle_value){.kind = AS_PICKLE_DICT});
}

static as_status add_entry(as_pickle *pickle, uint32_t container, uint32_t key, uint32_t value) {
  entry *entries =
      as_grow(pickle->ctx, pickle->entries, &pickle->entry_capacity, pickle->entry_count + 1, sizeof *entries);
  if (!entries) return AS_E_NOMEM;
  pickle->entries = entries;
  entries[pickle->entry_count++] = (entry){.key = key, .value = value};
  as_pickle_value *to = at(pickle, container);
  uint32_t number = (uint32_t)pickle->entry_count;
  if (to->as.chain.last)
    entries[to->as.chain.last - 1].next = number;
  else
    to->as.chain.first = number;
  to->as.chain.last = number;
  to->count++;
  return AS_OK;
}

/* Puts the topmost `count` values, `width` at a time, into the container below them (and below a mark). */
static as_status fill(as_pickle *pickle, size_t count, size_t width, bool marked) {
  as_pickle_kind kind = width == 2 ? AS_PICKLE_DICT : AS_PICKLE_LIST;
  size_t base = pickle->stack_count - count;
  uint32_t container;
  if (marked) base--;
  if (base == 0 || (container = pickle->stack[base - 1]) == NOTHING || at(pickle, container)->kind != kind ||
      count % width != 0)
    return fail(pickle, "it adds to something that is no list or dictionary");
  const uint32_t *added = pickle->stack + pickle->stack_count - count;
  as_status status = AS_OK;
  for (size_t i = 0; i < count && status == AS_OK; i += width)
    status = add_entry(pickle, container, width == 2 ? added[i] : NOTHING, added[i + width - 1]);
  pickle->stack_count = base;
  return status;
}

static as_status fill_one(as_pickle *pickle, size_t width) {
  uint32_t lowest = 0;
  as_status status = AS_OK;
  for (size_t i = 0; i < width && status == AS_OK; i++) status = peek(pickle, i, &lowest);
  return status == AS_OK ? fill(pickle, width, width, false) : status;
}

static as_status fill_marked(as_pickle *pickle, size_t width) {
  size_t count = 0;
  as_status status = count_to_mark(pickle, &count);
  return status == AS_OK ? fill(pickle, count, width, true) : status;
}

static as_status op_append(as_pickle *pickle) {
  return fill_one(pickle, 1);
}
static as_status op_setitem(as_pickle *pickle) {
  return fill_one(pickle, 2);
}
static as_status op_appends(as_pickle *pickle) {
  return fill_marked(pickle, 1);
}
static as_status op_setitems(as_pickle *pickle) {
  return fill_marked(pickle, 2);
}

/* ---- opcodes: names, calls, persistent objects ------------------------------------------------------------------ */

typedef struct span {
  const char *text;
  size_t length;
} span;

static bool span_is(span s, const char *text) {
  return strlen(text) == s.length && memcmp(s.text, text, s.length) == 0;
}

static as_status push_global(as_pickle *pickle, span module, span name) {
  for (const as_pickle_global *global = pickle->allowed; global->module; global++)
    if (span_is(module, global->module) && span_is(name, global->name))
      return push_value(pickle, (as_pickle_value){.kind = AS_PICKLE_GLOBAL, .as.call.global = global});
  return as_fail(pickle->ctx, AS_E_MODEL,
                 "%s: pickle, byte %zu: it wants %.*s.%.*s, which plain weights have no use for; nothing was executed",
                 pickle->where, pickle->opcode_at, (int)(module.length < SHOWN_NAME ? module.length : SHOWN_NAME),
                 module.text, (int)(name.length < SHOWN_NAME ? name.length : SHOWN_NAME), name.text);
}

/* The rest of the line; false when there is none. */
static bool take_line(as_pickle *pickle, span *line) {
  const unsigned char *start = pickle->data + pickle->at;
  const unsigned char *end = memchr(start, '\n', pickle->length - pickle->at);
  if (!end) return false;
  *line = (span){(const char *)start, (size_t)(end - start)};
  pickle->at += line->length + 1;
  return as_utf8_valid(line->text, line->length);
}

static as_status op_global(as_pickle *pickle) {
  span module, name;
  if (!take_line(pickle, &module) || !take_line(pickle, &name)) return fail(pickle, "a name is cut off or not UTF-8");
  return push_global(pickle, module, name);
}

static as_status op_stack_global(as_pickle *pickle) {
  uint32_t references[2] = {0};
  as_status status = peek(pickle, 0, &references[1]);
  if (status == AS_OK) status = peek(pickle, 1, &references[0]);
  if (status != AS_OK) return status;
  const as_pickle_value *module = at(pickle, references[0]), *name = at(pickle, references[1]);
  if (module->kind != AS_PICKLE_TEXT || name->kind != AS_PICKLE_TEXT) return fail(pickle, "a name is not text");
  pickle->stack_count -= 2;
  return push_global(pickle, (span){module->as.text, module->count}, (span){name->as.text, name->count});
}

static as_status op_reduce(as_pickle *pickle) {
  uint32_t function = 0, arguments = 0;
  as_status status = peek(pickle, 0, &arguments);
  if (status == AS_OK) status = peek(pickle, 1, &function);
  if (status != AS_OK) return status;
  const as_pickle_value *callee = at(pickle, function), *tuple = at(pickle, arguments);
  as_pickle_use use = callee->kind == AS_PICKLE_GLOBAL ? callee->as.call.global->use : AS_PICKLE_IS_CONSTANT;
  if (use == AS_PICKLE_IS_CONSTANT || tuple->kind != AS_PICKLE_TUPLE || (use == AS_PICKLE_IS_DICT && tuple->count != 0))
    return fail(pickle, "it calls something in a way that plain weights have no use for; nothing was executed");
  as_pickle_value value = {.kind = use == AS_PICKLE_IS_DICT ? AS_PICKLE_DICT : AS_PICKLE_CALL};
  if (value.kind == AS_PICKLE_CALL) {
    value.as.call.global = callee->as.call.global;
    value.as.call.arguments = arguments;
  }
  pickle->stack_count -= 2;
  return push_value(pickle, value);
}

/* Sets attributes of an object. Dictionaries may have some (torch's _metadata); they are dropped. */
static as_status op_build(as_pickle *pickle) {
  uint32_t state = 0, object = 0;
  as_status status = peek(pickle, 0, &state);
  if (status == AS_OK) status = peek(pickle, 1, &object);
  if (status == AS_OK && (at(pickle, object)->kind != AS_PICKLE_DICT || at(pickle, state)->kind != AS_PICKLE_DICT))
    status = fail(pickle, "it sets attributes of something that is no dictionary");
  if (status == AS_OK) pickle->stack_count--;
  return status;
}

static as_status op_persistent(as_pickle *pickle) {
  uint32_t id = 0;
  as_status status = peek(pickle, 0, &id);
  if (status != AS_OK) return status;
  pickle->stack_count--;
  return push_value(pickle, (as_pickle_value){.kind = AS_PICKLE_PERSISTENT, .as.id = id});
}

/* ---- opcodes: the memo ------------------------------------------------------------------------------------------ */

/* Picklers number the memo from 0 on, so no index reaches the length of the pickle. */
static as_status memorise(as_pickle *pickle, uint64_t index) {
  uint32_t top = 0;
  as_status status = peek(pickle, 0, &top);
  if (status != AS_OK) return status;
  if (index >= pickle->length) return fail(pickle, "an index of its memo is too large");
  uint32_t *memo = as_grow(pickle->ctx, pickle->memo, &pickle->memo_capacity, (size_t)index + 1, sizeof *memo);
  if (!memo) return AS_E_NOMEM;
  pickle->memo = memo;
  while (pickle->memo_count <= index) memo[pickle->memo_count++] = NOTHING;
  memo[index] = top;
  return AS_OK;
}

static as_status op_put(as_pickle *pickle) {
  return memorise(pickle, pickle->argument);
}
static as_status op_memoize(as_pickle *pickle) {
  return memorise(pickle, pickle->memo_count);
}

static as_status op_get(as_pickle *pickle) {
  uint64_t index = pickle->argument;
  if (index >= pickle->memo_count || pickle->memo[index] == NOTHING)
    return fail(pickle, "it recalls something that its memo does not have");
  return push(pickle, pickle->memo[index]);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

/* An opcode has an argument of `width` bytes; with `counts` that many further bytes follow it. */
static const struct opcode {
  as_status (*run)(as_pickle *pickle);
  unsigned char width;
  bool counts;
} opcodes[256] = {
    [0x80] = {op_proto, 1, false},   [0x95] = {op_frame, 8, false},     ['.'] = {op_stop, 0, false},
    ['('] = {op_mark, 0, false},     ['N'] = {op_none, 0, false},       [0x88] = {op_true, 0, false},
    [0x89] = {op_false, 0, false},   ['K'] = {op_unsigned, 1, false},   ['M'] = {op_unsigned, 2, false},
    ['J'] = {op_int32, 4, false},    [0x8a] = {op_long, 1, true},       ['G'] = {op_float, 8, false},
    ['X'] = {op_text, 4, true},      [0x8c] = {op_text, 1, true},       [0x8d] = {op_text, 8, true},
    ['U'] = {op_text, 1, true},      ['T'] = {op_text, 4, true},        [')'] = {op_empty_tuple, 0, false},
    ['t'] = {op_tuple, 0, false},    [0x85] = {op_tuple1, 0, false},    [0x86] = {op_tuple2, 0, false},
    [0x87] = {op_tuple3, 0, false},  [']'] = {op_empty_list, 0, false}, ['a'] = {op_append, 0, false},
    ['e'] = {op_appends, 0, false},  ['}'] = {op_empty_dict, 0, false}, ['s'] = {op_setitem, 0, false},
    ['u'] = {op_setitems, 0, false}, ['c'] = {op_global, 0, false},     [0x93] = {op_stack_global, 0, false},
    ['R'] = {op_reduce, 0, false},   ['b'] = {op_build, 0, false},      ['Q'] = {op_persistent, 0, false},
    ['q'] = {op_put, 1, false},      ['r'] = {op_put, 4, false},        [0x94] = {op_memoize, 0, false},
    ['h'] = {op_get, 1, false},      ['j'] = {op_get, 4, false},
};

/* Reads one opcode with its argument and carries it out. */
static as_status step(as_pickle *pickle) {
  pickle->opcode_at = pickle->at;
  if (pickle->at == pickle->length) return fail(pickle, "it is truncated: it ends without STOP");
  unsigned char code = pickle->data[pickle->at++];
  const struct opcode *opcode = &opcodes[code];
  if (!opcode->run)
    return as_fail(pickle->ctx, AS_E_MODEL,
                   "%s: pickle, byte %zu: opcode 0x%02x is unknown or not one that plain "
                   "weights have use for",
                   pickle->where, pickle->opcode_at, code);
  size_t left = pickle->length - pickle->at;
  if (opcode->width > left) return fail(pickle, "it is truncated inside an argument");
  pickle->argument = 0;
  for (int i = 0; i < opcode->width; i++) pickle->argument |= (uint64_t)pickle->data[pickle->at++] << (8 * i);
  left -= opcode->width;
  if (opcode->counts) {
    if (pickle->argument > left) return fail(pickle, "a text or number is longer than what follows: it is truncated");
    pickle->counted = pickle->data + pickle->at;
    pickle->at += (size_t)pickle->argument;
  }
  return opcode->run(pickle);
}

as_status as_pickle_read(as_context *ctx, const unsigned char *data, size_t length, const char *where,
                         const as_pickle_global *allowed, as_pickle **out) {
  *out = NULL;
  as_pickle *pickle = as_alloc_zero(ctx, 1, sizeof *pickle);
  if (!pickle) return as_fail_prefix(ctx, AS_E_NOMEM, "%s: pickle", where);
  *pickle = (as_pickle){.ctx = ctx, .allowed = allowed, .where = where, .data = data, .length = length};
  as_status status = AS_OK;
  if (length > MAX_LENGTH)
    status = fail(pickle, "it is too long");
  else if (length < 2 || data[0] != 0x80)
    status = fail(pickle, "it does not begin with a protocol");
  while (status == AS_OK && !pickle->stopped) status = step(pickle);
  if (status == AS_OK)
    *out = pickle;
  else
    as_pickle_free(pickle);
  return status;
}

void as_pickle_free(as_pickle *pickle) {
  if (!pickle) return;
  as_context *ctx = pickle->ctx;
  as_free(ctx, pickle->values);
  as_free(ctx, pickle->items);
  as_free(ctx, pickle->entries);
  as_free(ctx, pickle->stack);
  as_free(ctx, pickle->memo);
  as_free(ctx, pickle);
}

/* ---- looking at the result -------------------------------------------------------------------------------------- */

const as_pickle_value *as_pickle_root(const as_pickle *pickle) {
  return at(pickle, pickle->stack[0]);
}
const as_pickle_value *as_pickle_at(const as_pickle *pickle, uint32_t reference) {
  return at(pickle, reference);
}

const as_pickle_value *as_pickle_item(const as_pickle *pickle, const as_pickle_value *tuple, uint32_t index) {
  if (tuple->kind != AS_PICKLE_TUPLE || index >= tuple->count) return NULL;
  return at(pickle, pickle->items[tuple->as.items + index]);
}

bool as_pickle_next(const as_pickle *pickle, const as_pickle_value *container, uint32_t *position,
                    const as_pickle_value **key, const as_pickle_value **value) {
  uint32_t number = *position ? pickle->entries[*position - 1].next : container->as.chain.first;
  if (!number) return false;
  const entry *e = &pickle->entries[number - 1];
  *position = number;
  *key = e->key == NOTHING ? NULL : at(pickle, e->key);
  *value = at(pickle, e->value);
  return true;
}

const char *as_pickle_kind_name(as_pickle_kind kind) {
  static const char *const names[] = {
      [AS_PICKLE_NONE] = "None",
      [AS_PICKLE_BOOL] = "a truth value",
      [AS_PICKLE_INT] = "an integer",
      [AS_PICKLE_FLOAT] = "a float",
      [AS_PICKLE_TEXT] = "text",
      [AS_PICKLE_TUPLE] = "a tuple",
      [AS_PICKLE_LIST] = "a list",
      [AS_PICKLE_DICT] = "a dictionary",
      [AS_PICKLE_GLOBAL] = "a name",
      [AS_PICKLE_CALL] = "a call",
      [AS_PICKLE_PERSISTENT] = "a storage",
  };
  return names[kind];
}
