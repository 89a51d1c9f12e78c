/* Truncation, windows, the template and padding, as `tokenizers` does them (Encoding::truncate and merge_with,
 * truncate_encodings, pad_encodings): a truncated pair has every window of one text with every window of the other. */
#include "tokenizer/assemble.h"

#include <string.h>

#include "base/memory.h"

enum { MAX_TOKENS = 1 << 27 };

/* ---- what is left of each text -------------------------------------------------------------------------------- */

static as_status put_window(as_work *work, as_window_list *list, size_t start, size_t end) {
  as_window *items = as_grow(work->ctx, list->items, &list->capacity, list->length + 1, sizeof *items);
  if (!items) return AS_E_NOMEM;
  list->items = items;
  list->items[list->length++] = (as_window){.start = start, .end = end};
  return AS_OK;
}

/* Windows of at most `keep` of `count` tokens, each sharing `stride` with the one before; the first is the answer. */
static as_status cut(as_work *work, as_window_list *list, size_t count, size_t keep, const as_encode_options *options) {
  bool left = options->truncation_side == AS_SIDE_LEFT;
  list->length = 0;
  if (count <= keep) return put_window(work, list, 0, count);
  if (!options->windows) return left ? put_window(work, list, count - keep, count) : put_window(work, list, 0, keep);
  if (keep == 0) { /* nothing fits: the reference keeps the whole text aside */
    as_status status = put_window(work, list, 0, 0);
    return status == AS_OK ? put_window(work, list, 0, count) : status;
  }
  if (options->stride >= keep)
    return as_fail(work->ctx, AS_E_INVALID,
                   "a stride of %zu tokens needs windows of more than %zu tokens of text: "
                   "raise max_length or lower the stride",
                   options->stride, keep);
  as_status status = AS_OK;
  for (size_t at = 0, step = keep - options->stride; status == AS_OK;
       at += step) { /* `at` tokens are before the window */
    size_t end = count - at < keep ? count : at + keep;
    status = left ? put_window(work, list, count - end, count - at) : put_window(work, list, at, end);
    if (end == count) break;
  }
  return status;
}

/* How many tokens of each text stay when `room` are allowed. longest_first is not token by token: the longer text gives
 * way down to the shorter one's length, and then both become halves. */
static void share_room(size_t room, const size_t count[2], size_t keep[2]) {
  int shorter = count[0] > count[1];
  size_t s = count[shorter], l = s > room ? s : (room - s > s ? room - s : s);
  if (s + l > room) {
    s = room / 2;
    l = room - s;
  }
  keep[shorter] = s;
  keep[!shorter] = l;
}

static as_status choose(as_work *work, const as_encode_options *options, size_t added, int texts) {
  size_t count[2] = {work->tokens[0].length, texts == 2 ? work->tokens[1].length : 0};
  size_t keep[2] = {count[0], count[1]}, total = count[0] + count[1], room = options->max_length - added;
  bool limited = options->max_length > 0 && options->max_length >= added && total > room;
  if (limited && room == 0) {
    keep[0] = keep[1] = 0;
  } else if (limited && options->truncation == AS_LONGEST_FIRST) {
    if (texts == 2)
      share_room(room, count, keep);
    else
      keep[0] = room;
  } else if (limited) {
    int target = options->truncation == AS_ONLY_SECOND;
    if (target >= texts) return as_fail(work->ctx, AS_E_INVALID, "truncation only_second needs a second text");
    if (count[target] <= total - room)
      return as_fail(work->ctx, AS_E_INVALID,
                     "the %s text has %zu tokens, too few to cut %zu so that max_length %zu holds: "
                     "use longest_first or a larger max_length",
                     target ? "second" : "first", count[target], total - room, options->max_length);
    keep[target] -= total - room;
  }
  as_status status = AS_OK;
  for (int text = 0; text < texts && status == AS_OK; text++)
    status = cut(work, &work->windows[text], count[text], keep[text], options);
  return status;
}

/* ---- the arrays ----------------------------------------------------------------------------------------------- */

/* Room for so many tokens and parts; what the arrays held is lost. They share one block, the wider elements first. */
static as_status reserve(as_encoding *encoding, size_t tokens, size_t parts) {
  as_work *work = encoding->work;
  if (parts + 1 > work->part_capacity) {
    size_t *part_start = as_grow(work->ctx, encoding->part_start, &work->part_capacity, parts + 1, sizeof *part_start);
    if (!part_start) return AS_E_NOMEM;
    encoding->part_start = part_start;
  }
  if (tokens <= work->capacity) return AS_OK;
  size_t capacity = work->capacity * 2 > tokens ? work->capacity * 2 : tokens;
  as_free(work->ctx, work->block);
  work->capacity = 0;
  work->block = as_alloc(work->ctx, capacity, 7 * sizeof(int32_t) + 3);
  if (!work->block) return AS_E_NOMEM;
  encoding->ids = work->block;
  encoding->type_ids = encoding->ids + capacity;
  work->surface_of = encoding->type_ids + capacity;
  encoding->byte_offsets = (uint32_t *)(work->surface_of + capacity);
  encoding->char_offsets = encoding->byte_offsets + 2 * capacity;
  encoding->attention = (uint8_t *)(encoding->char_offsets + 2 * capacity);
  encoding->special = encoding->attention + capacity;
  encoding->sequence = (int8_t *)(encoding->special + capacity);
  work->capacity = capacity;
  return AS_OK;
}

typedef struct row {
  const as_tokenizer *tokenizer;
  as_encoding *encoding;
  size_t at;
} row;

static void put(row *out, as_token token, int32_t type_id, bool special, bool attention, int8_t sequence) {
  as_encoding *encoding = out->encoding;
  size_t at = out->at++;
  encoding->ids[at] = token.id;
  encoding->type_ids[at] = type_id;
  encoding->attention[at] = attention;
  encoding->special[at] = special;
  encoding->sequence[at] = sequence;
  encoding->byte_offsets[2 * at] = token.span.start;
  encoding->byte_offsets[2 * at + 1] = token.span.end;
  encoding->work->surface_of[at] = token.surface;
}

static void put_text(row *out, int text, as_window window, int32_t type_id) {
  const as_work *work = out->encoding->work;
  const as_stage *stage = &out->tokenizer->stages[AS_STAGE_POST_PROCESSOR];
  const as_post_processor_type *type = as_post_processor_of(out->tokenizer);
  for (size_t i = window.start; i < window.end; i++) {
    as_token token = work->tokens[text].items[i];
    if (type && type->adjust)
      type->adjust(out->tokenizer, stage->state, work, work->source[text], &token, i == window.start);
    put(out, token, type_id, false, true, (int8_t)text);
  }
}

static void put_special(row *out, const as_template_special *special, int32_t type_id) {
  for (size_t i = 0; i < special->count; i++)
    put(out, (as_token){.id = special->ids[i], .surface = -1}, type_id, true, true, -1);
}

static void put_padding(row *out, int32_t pad_id, size_t count) {
  for (size_t i = 0; i < count; i++) put(out, (as_token){.id = pad_id, .surface = -1}, 0, true, false, -1);
}

/* The type of a text's tokens. TemplateProcessing forgets the windows of what was cut off: they keep the number of
 * their text, whatever the template says. */
static int32_t text_type(const row *out, const as_template_piece *piece, as_window window) {
  int text = piece->kind == AS_PIECE_SECOND;
  as_window answer = out->encoding->work->windows[text].items[0];
  bool is_answer = window.start == answer.start && window.end == answer.end;
  return is_answer || !as_post_processor_of(out->tokenizer)->forgets_windows ? piece->type_id : text;
}

/* One part: the chosen windows of the texts in the template's order. */
static void put_part(row *out, const as_template *form, bool no_special_tokens, int texts, const as_window window[2]) {
  if (!form) { /* no post-processor: one text after the other */
    for (int text = 0; text < texts; text++) put_text(out, text, window[text], text);
    return;
  }
  const as_template_piece *pieces = form->pieces[texts - 1];
  for (size_t i = 0; i < form->piece_count[texts - 1]; i++) {
    int text = pieces[i].kind == AS_PIECE_SECOND;
    if (pieces[i].kind != AS_PIECE_SPECIAL)
      put_text(out, text, window[text], text_type(out, &pieces[i], window[text]));
    else if (!no_special_tokens)
      put_special(out, &form->specials[pieces[i].special], pieces[i].type_id);
  }
}

/* ---- all of it ------------------------------------------------------------------------------------------------ */

/* What is known before the arrays are filled. */
typedef struct layout {
  size_t added;  /* special tokens in each part */
  size_t padded; /* the length that parts are padded to; 0: they are not */
  size_t parts, tokens;
  int32_t pad_id;
} layout;

static size_t window_length(as_window window) {
  return window.end - window.start;
}

/* The length that parts are padded to, 0 for none. */
static size_t padded_length(const as_encode_options *options, size_t first_length) {
  size_t length = options->pad_to, multiple = options->pad_to_multiple;
  if (length == 0 && multiple == 0) return 0;
  if (length == 0) length = first_length;
  if (multiple && length % multiple) length += multiple - length % multiple;
  return length;
}

/* Counts the parts and a bound of the tokens in them all. */
static as_status measure(as_work *work, int texts, layout *plan) {
  size_t first = work->windows[0].length, second = texts == 2 ? work->windows[1].length : 1;
  double total = ((double)plan->added + (double)plan->padded) * (double)first * (double)second; /* cannot overflow */
  for (int text = 0; text < texts; text++)
    for (size_t i = 0; i < work->windows[text].length; i++)
      total += (double)window_length(work->windows[text].items[i]) * (double)(text ? first : second);
  if (total > MAX_TOKENS)
    return as_fail(work->ctx, AS_E_LIMIT,
                   "windows (or padding) of %.0f tokens are more than the %d allowed: "
                   "raise max_length, lower the stride or shorten the text",
                   total, MAX_TOKENS);
  plan->parts = first * second;
  plan->tokens = (size_t)total;
  return AS_OK;
}

/* The pair of windows that part `index` shows: the answer first, then the later windows of the first text, each with
 * all of the second, then the later ones of the second text. */
static void part_windows(const as_work *work, int texts, size_t index, as_window window[2]) {
  size_t seconds = texts == 2 ? work->windows[1].length : 1, later = (work->windows[0].length - 1) * seconds;
  size_t first = 0, second = 0;
  if (index > later) {
    second = index - later;
  } else if (index > 0) {
    first = 1 + (index - 1) / seconds;
    second = (index - 1) % seconds;
  }
  window[0] = work->windows[0].items[first];
  window[1] = texts == 2 ? work->windows[1].items[second] : (as_window){0, 0};
}

static void put_parts(const as_tokenizer *tokenizer, const as_encode_options *options, int texts, const layout *plan,
                      as_encoding *encoding) {
  const as_template *form = as_template_of(tokenizer);
  row out = {.tokenizer = tokenizer, .encoding = encoding};
  for (size_t part = 0; part < plan->parts; part++) {
    as_window window[2];
    part_windows(encoding->work, texts, part, window);
    size_t length = window_length(window[0]) + window_length(window[1]) + plan->added;
    size_t padding = length < plan->padded ? plan->padded - length : 0;
    encoding->part_start[part] = out.at;
    if (options->padding_side == AS_SIDE_LEFT) put_padding(&out, plan->pad_id, padding);
    put_part(&out, form, options->no_special_tokens, texts, window);
    if (options->padding_side == AS_SIDE_RIGHT) put_padding(&out, plan->pad_id, padding);
  }
  encoding->part_start[plan->parts] = out.at;
  encoding->parts = plan->parts;
  encoding->length = encoding->part_start[1];
}

as_status as_assemble(const as_tokenizer *tokenizer, const as_encode_options *options, int texts,
                      as_encoding *encoding) {
  as_work *work = encoding->work;
  const as_template *form = as_template_of(tokenizer);
  layout plan = {.pad_id = tokenizer->special_ids[AS_TOKEN_PAD]};
  if (form && !options->no_special_tokens) plan.added = form->added[texts - 1];
  as_status status = choose(work, options, plan.added, texts);
  if (status != AS_OK) return status;
  size_t kept = 0, had = 0;
  for (int text = 0; text < texts; text++) {
    kept += window_length(work->windows[text].items[0]);
    had += work->tokens[text].length;
  }
  plan.padded = padded_length(options, kept + plan.added);
  if (plan.padded && plan.pad_id < 0)
    return as_fail(work->ctx, AS_E_INVALID, "this tokenizer has no padding token: encode without padding");
  status = measure(work, texts, &plan);
  if (status == AS_OK) status = reserve(encoding, plan.tokens, plan.parts);
  if (status != AS_OK) return status;
  put_parts(tokenizer, options, texts, &plan, encoding);
  encoding->cut = had - kept;
  return AS_OK;
}
