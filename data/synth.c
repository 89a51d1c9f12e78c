/* Composing rows. Each row has its own random stream (its class and number), so a row stays what it is whatever comes
 * before it, unless its text has been there already and another one is made. */
#include "data/synth.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/csv_write.h"
#include "data/synth_drift.h"
#include "data/synth_text.h"
#include "data/templates.h"
#include "data/text_index.h"

enum { NEGATIVE, NEUTRAL, POSITIVE };

static const char *const tone_names[] = {"negative", "neutral", "positive"};

/* In the order of their bytes, which is the order of their labels. */
static const as_synth_intent *const intents[AS_SYNTH_INTENTS] = {&as_synth_complaint, &as_synth_inquiry,
                                                                 &as_synth_purchase,  &as_synth_return,
                                                                 &as_synth_support,   &as_synth_tracking};

/* Percent of the rows, and of the parts of a row. */
enum {
  AMBIGUOUS = 6,
  TWO_INTENTS = 5,
  FILED_UNDER_FIRST = 70,
  SHORT = 10,
  GREETING = 30,
  BACKGROUND = 36,
  SIGNATURE = 12,
  LOWER_CASE = 27,
  UPPER_CASE = 2,
  SHORTHAND = 14,
  MISTYPED = 16,
  NO_LAST_MARK = 30,
  PICTURE = 2
};

typedef struct generator {
  as_context *ctx;
  as_random random;
  as_synth_values values;
  as_buffer content, answer, sentence, rows;
  as_text_block texts; /* every content so far */
  as_text_index index;
} generator;

/* What a row is about, chosen before a word of it is written. */
typedef struct plan {
  int tone;
  const char *core;
  const char *second; /* core of another intent, or NULL */
  bool carries_tone;
  const as_synth_topic *topic; /* whose answer it gets */
} plan;

static bool chance(generator *gen, unsigned percent) {
  return as_synth_chance(&gen->random, percent);
}

static int draw_tone(generator *gen, const as_synth_intent *intent) {
  int draw = (int)as_random_below(&gen->random, 100);
  for (int tone = NEGATIVE; tone < POSITIVE; tone++) {
    if (draw < intent->tone_shares[tone]) return tone;
    draw -= intent->tone_shares[tone];
  }
  return POSITIVE;
}

/* One of the intent's cores that fit the tone and are in use, each as likely as the others, and its topic; NULL: none.
 * Every intent has some for each tone. */
static const as_synth_core *draw_core_of(generator *gen, const as_synth_intent *intent, int tone, int64_t week,
                                         const as_synth_topic **chosen) {
  const as_synth_core *core = NULL;
  uint64_t fitting = 0;
  for (const as_synth_topic *topic = intent->topics; topic->name; topic++)
    for (const as_synth_core *c = topic->cores; c->text; c++)
      if (c->tones & (1 << tone) && as_synth_in_use(c->text, week, AS_SYNTH_CORE_WEEKS) &&
          as_random_below(&gen->random, ++fitting) == 0) {
        core = c;
        *chosen = topic;
      }
  return core;
}

static const as_synth_core *draw_core(generator *gen, const as_synth_intent *intent, int tone,
                                      const as_synth_topic **chosen) {
  const as_synth_core *core = draw_core_of(gen, intent, tone, gen->values.week, chosen);
  return core ? core : draw_core_of(gen, intent, tone, 0, chosen);
}

static const as_synth_topic *topic_named(const as_synth_intent *intent, const char *name) {
  for (const as_synth_topic *topic = intent->topics; topic->name; topic++)
    if (strcmp(topic->name, name) == 0) return topic;
  return NULL;
}

static bool plan_ambiguous(generator *gen, const as_synth_intent *intent, plan *out) {
  uint64_t fitting = 0;
  const as_synth_ambiguous *chosen = NULL;
  int side = 0;
  for (const as_synth_ambiguous *a = as_synth_ambiguous_messages; a->text; a++)
    for (int i = 0; i < 2; i++)
      if (strcmp(a->intents[i], intent->name) == 0 && a->tones & (1 << out->tone) &&
          as_random_below(&gen->random, ++fitting) == 0) {
        chosen = a;
        side = i;
      }
  if (!chosen) return false;
  out->core = chosen->text;
  out->carries_tone = chosen->tones == 1 << out->tone;
  out->topic = topic_named(intent, chosen->topics[side]);
  return out->topic != NULL;
}

static plan draw_plan(generator *gen, const as_synth_intent *intent) {
  plan p = {.tone = draw_tone(gen, intent)};
  unsigned kind = (unsigned)as_random_below(&gen->random, 100);
  if (kind < AMBIGUOUS && plan_ambiguous(gen, intent, &p)) return p;
  const as_synth_core *core = draw_core(gen, intent, p.tone, &p.topic);
  p.core = core->text;
  p.carries_tone = core->tones == 1 << p.tone;
  if (kind < AMBIGUOUS || kind >= AMBIGUOUS + TWO_INTENTS) return p;
  const as_synth_intent *other = intents[as_random_below(&gen->random, AS_SYNTH_INTENTS)];
  const as_synth_topic *other_topic;
  if (other == intent) return p;
  const as_synth_core *second = draw_core(gen, other, p.tone, &other_topic);
  p.second = second->text;
  if (chance(gen, FILED_UNDER_FIRST)) return p;
  p.second = p.core;
  p.core = second->text;
  return p;
}

static bool ends_sentence(char c) {
  return c == '.' || c == '?' || c == '!';
}

/* Appends a template as a sentence, with a capital letter when a sentence ended before it. */
static bool add(generator *gen, const char *template, as_buffer *out) {
  as_buffer *s = &gen->sentence;
  as_buffer_clear(s);
  if (!as_synth_expand(&gen->values, template, s)) return false;
  char last = out->length > 0 ? out->data[out->length - 1] : '.';
  if ((ends_sentence(last) || last == '\n') && s->length > 0 && s->data[0] >= 'a' && s->data[0] <= 'z')
    s->data[0] = (char)(s->data[0] - 'a' + 'A');
  if (out->length > 0 && last != '\n') as_buffer_char(out, ' ');
  as_buffer_append(out, s->data, s->length);
  return !out->failed;
}

/* Makes sure that what follows begins a sentence. */
static void end_sentence(as_buffer *out) {
  if (out->length > 0 && !ends_sentence(out->data[out->length - 1])) as_buffer_char(out, '.');
}

static bool add_one(generator *gen, const char *const *list, as_buffer *out) {
  return add(gen, as_synth_pick(&gen->random, list), out);
}

static bool add_cores(generator *gen, const plan *p) {
  if (!add(gen, p->core, &gen->content)) return false;
  if (!p->second) return true;
  end_sentence(&gen->content);
  if (!add_one(gen, as_synth_connections, &gen->content)) return false;
  gen->content.length--; /* add() puts a space again */
  gen->content.data[gen->content.length] = '\0';
  return add(gen, p->second, &gen->content);
}

static bool add_signature(generator *gen) {
  as_buffer *out = &gen->content;
  end_sentence(out);
  if (chance(gen, 30)) as_buffer_char(out, '\n');
  return add_one(gen, as_synth_signatures, out);
}

static bool write_message(generator *gen, const plan *p) {
  as_buffer *out = &gen->content;
  bool toned = p->carries_tone || p->tone == NEUTRAL;
  if (toned && chance(gen, SHORT)) return add_cores(gen, p);

  bool opening = chance(gen, p->tone == NEUTRAL ? 12 : p->carries_tone ? 25 : 60);
  bool closing = chance(gen, p->tone == NEUTRAL ? 20 : p->carries_tone ? 30 : 35) || (!toned && !opening);
  unsigned background = (unsigned)as_random_below(&gen->random, 100);
  if (chance(gen, GREETING)) {
    if (!add_one(gen, as_synth_greetings, out)) return false;
    as_buffer_char(out, ",,,!."[as_random_below(&gen->random, 5)]);
  }
  if (opening && !add_one(gen, as_synth_openings[p->tone], out)) return false;
  if (background < BACKGROUND / 2 && !add_one(gen, as_synth_background, out)) return false;
  if (!add_cores(gen, p)) return false;
  bool more = closing || (background >= BACKGROUND / 2 && background < BACKGROUND);
  if (more) end_sentence(out);
  if (background >= BACKGROUND / 2 && background < BACKGROUND && !add_one(gen, as_synth_background, out)) return false;
  if (closing && !add_one(gen, as_synth_closings[p->tone], out)) return false;
  return !chance(gen, SIGNATURE) || add_signature(gen);
}

static void change_last_mark(generator *gen, int tone) {
  as_buffer *out = &gen->content;
  char *last = out->length > 0 ? &out->data[out->length - 1] : NULL;
  if (!last || (*last != '.' && *last != '?')) return;
  if (*last == '.' && tone != NEUTRAL && chance(gen, 25)) {
    *last = '!';
    if (tone == NEGATIVE && chance(gen, 40)) as_buffer_text(out, "!!");
  } else if (chance(gen, NO_LAST_MARK)) {
    *last = '\0';
    out->length--;
  }
}

static void roughen(generator *gen, int tone) {
  static const char *const pictures[3][4] = {{"\xF0\x9F\x98\xA1", "\xF0\x9F\x98\x9E", ":(", NULL}, /* pouting, sad */
                                             {":-)", "\xF0\x9F\x99\x8F", "...", NULL},             /* folded hands */
                                             {"\xF0\x9F\x98\x8A", "\xE2\x9D\xA4", ":)", NULL}};    /* smile, heart */
  as_buffer *out = &gen->content;
  change_last_mark(gen, tone);
  if (chance(gen, SHORTHAND)) as_synth_shorten(&gen->random, out);
  if (chance(gen, MISTYPED))
    for (uint64_t errors = 1 + as_random_below(&gen->random, 2); errors > 0; errors--)
      as_synth_mistype(&gen->random, out);
  unsigned letters = (unsigned)as_random_below(&gen->random, 100);
  if (letters < LOWER_CASE)
    as_synth_capitals(out, false);
  else if (letters < LOWER_CASE + UPPER_CASE * (tone == NEGATIVE ? 3 : 1))
    as_synth_capitals(out, true);
  if (!chance(gen, PICTURE)) return;
  as_buffer_char(out, ' ');
  as_buffer_text(out, as_synth_pick(&gen->random, pictures[tone]));
}

static bool write_answer(generator *gen, const plan *p) {
  as_buffer *out = &gen->answer;
  if (chance(gen, p->tone == NEUTRAL ? 55 : 95) && !add_one(gen, as_synth_answer_openings[p->tone], out)) return false;
  if (!add_one(gen, p->topic->answers, out)) return false;
  return !chance(gen, 45) || add_one(gen, as_synth_answer_closings[p->tone], out);
}

/* Whether the message is new; false with *status set on failure. */
static bool is_new(generator *gen, as_status *status) {
  uint64_t number;
  *status = AS_E_NOMEM;
  if (gen->content.failed || !as_text_index_put(gen->ctx, &gen->index, &gen->texts, gen->content.data,
                                                gen->content.length, gen->texts.count, &number))
    return false;
  *status = AS_OK;
  if (number != UINT64_MAX) return false;
  if (as_text_block_add(gen->ctx, &gen->texts, gen->content.data, gen->content.length)) return true;
  *status = AS_E_NOMEM;
  return false;
}

/* The class of a row of a week, whose random stream has begun. */
static const as_synth_intent *draw_intent(generator *gen, int64_t week) {
  int total = 0, at = 0;
  for (int i = 0; i < AS_SYNTH_INTENTS; i++) total += as_synth_class_weight(i, AS_SYNTH_INTENTS, week);
  int draw = (int)as_random_below(&gen->random, (uint64_t)total);
  while (draw >= as_synth_class_weight(at, AS_SYNTH_INTENTS, week))
    draw -= as_synth_class_weight(at++, AS_SYNTH_INTENTS, week);
  return intents[at];
}

static as_status write_row(generator *gen, const as_synth_options *options, int64_t week, int64_t row) {
  enum { ATTEMPTS = 50, WEEK_BITS = 40 };
  gen->random = as_random_start(options->seed, (uint64_t)week << WEEK_BITS | ((uint64_t)row + 1)); /* 0: the order */
  gen->values.week = week;
  const as_synth_intent *intent = week > 0 ? draw_intent(gen, week) : intents[row % AS_SYNTH_INTENTS];
  plan p = {0};
  as_status status = AS_OK;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    as_buffer_clear(&gen->content);
    as_buffer_clear(&gen->answer);
    as_synth_values_clear(&gen->values);
    p = draw_plan(gen, intent);
    bool written = write_message(gen, &p) && write_answer(gen, &p);
    if (!written && (gen->content.failed || gen->answer.failed || gen->sentence.failed)) return AS_E_NOMEM;
    if (!written) return as_fail(gen->ctx, AS_E_INVALID, "synth: a template of intent %s is malformed", intent->name);
    roughen(gen, p.tone);
    if (week > 0 || is_new(gen, &status) || status != AS_OK) break;
  }
  if (status != AS_OK) return status;
  as_csv_field fields[4] = {{as_buffer_string(&gen->content), gen->content.length},
                            as_csv_text(intent->name),
                            as_csv_text(tone_names[p.tone]),
                            {as_buffer_string(&gen->answer), gen->answer.length}};
  as_csv_append_row(&gen->rows, fields, 4, ',');
  return as_buffer_status(&gen->rows);
}

/* Where rows go, and how many are still to come. */
typedef struct output {
  as_synth_sink sink;
  void *user;
  int64_t left;
} output;

/* A row more; hands on what has gathered. */
static as_status put_row(generator *gen, const as_synth_options *options, int64_t week, int64_t row, output *out) {
  enum { FLUSH_BYTES = 1 << 16 };
  as_status status = write_row(gen, options, week, row);
  if (status != AS_OK || (--out->left > 0 && gen->rows.length < FLUSH_BYTES)) return status;
  status = out->sink(out->user, gen->rows.data, gen->rows.length);
  as_buffer_clear(&gen->rows);
  return status;
}

static as_status write_shuffled(generator *gen, const as_synth_options *options, output *out) {
  const int64_t count = out->left;
  int64_t *order = as_alloc(gen->ctx, (size_t)count, sizeof *order);
  if (!order) return AS_E_NOMEM;
  for (int64_t i = 0; i < count; i++) order[i] = i;
  as_random random = as_random_start(options->seed, 0);
  as_random_shuffle(&random, order, (size_t)count);
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < count; i++) status = put_row(gen, options, 0, order[i], out);
  as_free(gen->ctx, order);
  return status;
}

static as_status write_weeks(generator *gen, const as_synth_options *options, int64_t first, output *out) {
  as_status status = AS_OK;
  for (int64_t week = first; status == AS_OK && week <= options->week; week++)
    for (int64_t i = 0; status == AS_OK && i < options->rows_per_class * AS_SYNTH_INTENTS; i++)
      status = put_row(gen, options, week, i, out);
  return status;
}

static as_status check_options(as_context *ctx, const as_synth_options *o) {
  if (o->rows_per_class < 1 || o->rows_per_class > 10000000)
    return as_fail(ctx, AS_E_INVALID, "synth: %lld rows per class; 1 to 10,000,000 can be made",
                   (long long)o->rows_per_class);
  if (o->week >= 0 && o->week <= AS_SYNTH_MOST_WEEKS && o->weeks >= 0) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "synth: %lld weeks up to week %lld; weeks are counted from 1 to %d",
                 (long long)o->weeks, (long long)o->week, AS_SYNTH_MOST_WEEKS);
}

as_status as_synth(as_context *ctx, const as_synth_options *options, as_synth_sink sink, void *user) {
  as_status status = check_options(ctx, options);
  if (status != AS_OK) return status;
  const int64_t first = options->weeks > 0 && options->weeks < options->week ? options->week - options->weeks + 1 : 1;
  output out = {sink, user, options->rows_per_class * AS_SYNTH_INTENTS};
  if (options->week > 0) out.left *= options->week - first + 1;

  generator gen = {.ctx = ctx};
  as_synth_values_init(&gen.values, ctx, &gen.random);
  as_buffer *buffers[] = {&gen.content, &gen.answer, &gen.sentence, &gen.rows};
  for (size_t i = 0; i < 4; i++) as_buffer_init(buffers[i], ctx);
  as_buffer_text(&gen.rows, "content,intent,sentiment,response\n");
  status = options->week > 0 ? write_weeks(&gen, options, first, &out) : write_shuffled(&gen, options, &out);
  for (size_t i = 0; i < 4; i++) as_buffer_free(buffers[i]);
  as_synth_values_free(&gen.values);
  as_text_block_free(ctx, &gen.texts);
  as_text_index_free(ctx, &gen.index);
  return status;
}

as_status as_synth_to_stream(void *user, const char *bytes, size_t length) {
  fwrite(bytes, 1, length, user); /* as_file_commit sees the stream's error */
  return AS_OK;
}

as_status as_synth_file(as_context *ctx, const as_synth_options *options, const char *path) {
  as_file_writer writer;
  as_status status = as_file_begin(ctx, &writer, path);
  if (status != AS_OK) return status;
  status = as_synth(ctx, options, as_synth_to_stream, writer.stream);
  if (status == AS_OK) return as_file_commit(ctx, &writer);
  as_file_abandon(ctx, &writer);
  return status;
}
