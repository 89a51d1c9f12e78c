/* The rules of the split. Invariant: by class, equal texts get equal parts and every label keeps at least one text for
 * training; by group, equal groups get equal parts. */
#include "data/split.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "data/hold_out.h"
#include "data/text_index.h"
#include "data/timestamp.h"

as_split_rule as_split_rule_by_name(const char *name) {
  static const char *const names[] = {"class", "time", "group", "hash"};
  as_split_rule rule = AS_RULE_CLASS;
  while (rule < AS_RULE_HASH && strcmp(names[rule], name) != 0) rule++;
  return rule;
}

/* ---- by class and by group -------------------------------------------------------------------------------------- */

/* A different text, or group, and the rows that have it. `row` finds its place in the parts. */
typedef struct text_group {
  int32_t label;
  uint64_t key; /* its place in the order of its label */
  int64_t row;  /* the first with this text */
  int64_t size; /* rows */
  const char *text;
} text_group;

static int by_label_and_key(const void *a, const void *b) {
  const text_group *x = a, *y = b;
  if (x->label != y->label) return x->label < y->label ? -1 : 1;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return strcmp(x->text, y->text);
}

static uint64_t group_key(uint64_t seed, const char *text, size_t length) {
  uint64_t hash = as_text_hash(text, length);
  uint32_t counter[4] = {(uint32_t)hash, (uint32_t)(hash >> 32), 0x73706c69, 0x74000000}, out[4]; /* "split" */
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  as_philox4x32(counter, key, out);
  return (uint64_t)out[1] << 32 | out[0];
}

/* Fills groups[rows], sorted; returns how many there are. `place` is scratch, [rows]. */
static size_t make_groups(const as_messages *messages, const as_split_options *options, text_group *groups,
                          int64_t *place) {
  size_t count = 0;
  for (int64_t row = 0; row < as_messages_count(messages); row++) {
    int64_t first = as_messages_first(messages, row);
    if (first != row) {
      groups[place[first]].size++;
      continue;
    }
    size_t length;
    const char *text = as_messages_text(messages, row, &length);
    int32_t label = options->label_column < 0 ? 0 : as_messages_label(messages, (size_t)options->label_column, row);
    place[row] = (int64_t)count;
    groups[count++] = (text_group){label, group_key(options->seed, text, length), row, 1, text};
  }
  qsort(groups, count, sizeof *groups, by_label_and_key);
  return count;
}

/* Moves groups of one label from training to `part`, as near to `share` of the label's rows as whole texts allow. *left
 * is the number of texts still in training, of which one stays there. */
static void take_part(const text_group *groups, size_t count, double share, as_part part, as_part *parts,
                      size_t *left) {
  int64_t rows = 0, taken = 0;
  for (size_t i = 0; i < count; i++) rows += groups[i].size;
  int64_t quota = (int64_t)(share * (double)rows + 0.5);
  if (share <= 0) return;
  if (quota < 1) quota = 1;
  const text_group *smallest = NULL;
  for (size_t i = 0; i<count && * left> 1 && taken < quota; i++) {
    const text_group *group = &groups[i];
    if (parts[group->row] != AS_PART_TRAIN) continue;
    if (!smallest || group->size < smallest->size) smallest = group;
    if (taken + group->size > quota) continue;
    parts[group->row] = part;
    taken += group->size;
    --*left;
  }
  if (taken > 0 || !smallest || *left <= 1) return;
  parts[smallest->row] = part;
  --*left;
}

/* Both parts of one label's groups. */
static void take_parts(const text_group *groups, size_t count, const as_split_options *options, as_part *parts) {
  size_t left = count;
  take_part(groups, count, options->test, AS_PART_TEST, parts, &left);
  take_part(groups, count, options->valid, AS_PART_VALID, parts, &left);
}

static as_status refuse_column(as_context *ctx, int column) {
  return as_fail(ctx, AS_E_INVALID, "split: column %d of the table is not of the kind that is needed", column);
}

static bool has_labels(const as_messages *messages, int column) {
  return column >= 0 && (size_t)column < as_messages_column_count(messages) &&
         as_messages_label_count(messages, (size_t)column) > 0;
}

static as_status split_by_class(as_context *ctx, const as_messages *messages, const as_split_options *options,
                                as_part *parts) {
  if (options->label_column >= 0 && !has_labels(messages, options->label_column))
    return refuse_column(ctx, options->label_column);
  int64_t rows = as_messages_count(messages);
  text_group *groups = as_alloc(ctx, (size_t)rows, sizeof *groups);
  int64_t *place = as_alloc(ctx, (size_t)rows, sizeof *place);
  as_status status = groups && place ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) {
    size_t count = make_groups(messages, options, groups, place);
    for (size_t begin = 0, end; begin < count; begin = end) {
      for (end = begin; end < count && groups[end].label == groups[begin].label; end++) {}
      take_parts(groups + begin, end - begin, options, parts);
    }
    for (int64_t row = 0; row < rows; row++) parts[row] = parts[as_messages_first(messages, row)];
  }
  as_free(ctx, groups);
  as_free(ctx, place);
  return status;
}

static as_status split_by_group(as_context *ctx, const as_messages *messages, const as_split_options *options,
                                as_part *parts) {
  if (!has_labels(messages, options->column)) return refuse_column(ctx, options->column);
  const size_t column = (size_t)options->column, count = (size_t)as_messages_label_count(messages, column);
  text_group *groups = as_alloc_zero(ctx, count, sizeof *groups);
  as_part *chosen = as_alloc_zero(ctx, count, sizeof *chosen); /* [count] by the groups' numbers */
  as_status status = groups && chosen ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) {
    for (size_t g = 0; g < count; g++) {
      const char *name = as_messages_label_name(messages, column, (int32_t)g);
      groups[g] = (text_group){0, group_key(options->seed, name, strlen(name)), (int64_t)g, 0, name};
    }
    for (int64_t row = 0; row < as_messages_count(messages); row++) {
      const int32_t group = as_messages_label(messages, column, row);
      if (group >= 0) groups[group].size++;
    }
    qsort(groups, count, sizeof *groups, by_label_and_key);
    take_parts(groups, count, options, chosen);
    for (int64_t row = 0; row < as_messages_count(messages); row++) {
      const int32_t group = as_messages_label(messages, column, row);
      if (group >= 0) parts[row] = chosen[group];
    }
  }
  as_free(ctx, groups);
  as_free(ctx, chosen);
  return status;
}

/* ---- by time ---------------------------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static as_status read_times(as_context *ctx, const as_messages *messages, size_t column, uint32_t *times) {
  for (int64_t row = 0; row < as_messages_count(messages); row++) {
    const char *text = as_messages_value(messages, column, row);
    if (as_timestamp_read(text, strlen(text), &times[row])) continue;
    return as_fail(ctx, AS_E_DATA,
                   "%s: line %llu: column '%s': \"%.60s\" is neither a time such as 2025-01-31 12:30:00 (from 1970 to "
                   "2106) nor Unix seconds",
                   as_messages_path(messages), (unsigned long long)as_messages_line(messages, row),
                   as_messages_column_name(messages, column), text);
  }
  return AS_OK;
}

/* Of `sorted`[*rows], the second from which on the share of all `total` rows begins; leaves *rows those before it. */
static uint32_t cut_newest(const uint32_t *sorted, int64_t *rows, double share, int64_t total) {
  int64_t wanted = (int64_t)(share * (double)total + 0.5);
  if (wanted < 1) wanted = 1;
  if (wanted > *rows) wanted = *rows;
  const uint32_t cut = sorted[*rows - wanted];
  while (*rows > 0 && sorted[*rows - 1] >= cut) --*rows;
  return cut;
}

static as_status split_by_time(as_context *ctx, const as_messages *messages, const as_split_options *options,
                               as_part *parts) {
  const int64_t rows = as_messages_count(messages);
  if (options->column < 0 || (size_t)options->column >= as_messages_column_count(messages))
    return refuse_column(ctx, options->column);
  uint32_t *times = as_alloc(ctx, (size_t)rows, sizeof *times), *sorted = as_alloc(ctx, (size_t)rows, sizeof *sorted);
  as_status status = times && sorted ? read_times(ctx, messages, (size_t)options->column, times) : AS_E_NOMEM;
  if (status == AS_OK) {
    int64_t left = rows;
    memcpy(sorted, times, (size_t)rows * sizeof *sorted);
    qsort(sorted, (size_t)rows, sizeof *sorted, by_time);
    const uint32_t test = options->test > 0 ? cut_newest(sorted, &left, options->test, rows) : UINT32_MAX;
    const uint32_t valid =
        options->valid > 0 && left > 0 ? cut_newest(sorted, &left, options->valid, rows) : UINT32_MAX;
    for (int64_t row = 0; row < rows; row++)
      parts[row] = options->test > 0 && times[row] >= test     ? AS_PART_TEST
                   : options->valid > 0 && times[row] >= valid ? AS_PART_VALID
                                                               : AS_PART_TRAIN;
  }
  as_free(ctx, times);
  as_free(ctx, sorted);
  return status;
}

/* ---- by hash ---------------------------------------------------------------------------------------------------- */

static bool is_held_out(const as_messages *messages, const as_split_options *options, int64_t row, double share) {
  size_t length;
  const char *text = as_messages_text(messages, row, &length);
  if (!options->paired) return as_is_held_out(text, length, share);
  const char *product = as_messages_value(messages, (size_t)options->column, row);
  return as_is_pair_held_out(text, length, product, strlen(product), share);
}

/* What is held out at the share of the test part is held out at every larger share. */
static as_status split_by_hash(as_context *ctx, const as_messages *messages, const as_split_options *options,
                               as_part *parts) {
  if (options->paired && (options->column < 0 || (size_t)options->column >= as_messages_column_count(messages)))
    return refuse_column(ctx, options->column);
  for (int64_t row = 0; row < as_messages_count(messages); row++)
    parts[row] = is_held_out(messages, options, row, options->test)                    ? AS_PART_TEST
                 : is_held_out(messages, options, row, options->test + options->valid) ? AS_PART_VALID
                                                                                       : AS_PART_TRAIN;
  return AS_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static as_status refuse_empty(as_context *ctx, const as_messages *messages, const as_split_options *options,
                              const as_part *parts) {
  static const char *const names[] = {"training", "validation", "test"};
  const bool wanted[] = {true, options->valid > 0, options->test > 0};
  int64_t counts[3] = {0};
  for (int64_t row = 0; row < as_messages_count(messages); row++) counts[parts[row]]++;
  for (int part = 0; part < 3; part++)
    if (wanted[part] && counts[part] == 0)
      return as_fail(ctx, AS_E_DATA, "%s: line 1: such a split of its %lld rows leaves the %s part empty",
                     as_messages_path(messages), (long long)as_messages_count(messages), names[part]);
  return AS_OK;
}

as_status as_split_messages(as_context *ctx, const as_messages *messages, const as_split_options *options,
                            as_part *parts) {
  static as_status (*const rules[])(as_context *, const as_messages *, const as_split_options *,
                                    as_part *) = {[AS_RULE_CLASS] = split_by_class,
                                                  [AS_RULE_TIME] = split_by_time,
                                                  [AS_RULE_GROUP] = split_by_group,
                                                  [AS_RULE_HASH] = split_by_hash};
  if (!(options->valid >= 0 && options->test >= 0 && options->valid + options->test < 1))
    return as_fail(ctx, AS_E_INVALID,
                   "split: shares of %g for validation and %g for test; both are at least 0 and below 1 "
                   "together",
                   options->valid, options->test);
  for (int64_t row = 0; row < as_messages_count(messages); row++) parts[row] = AS_PART_TRAIN;
  as_status status = rules[options->rule](ctx, messages, options, parts);
  if (status != AS_OK || options->rule == AS_RULE_CLASS) return status;
  return refuse_empty(ctx, messages, options, parts);
}
