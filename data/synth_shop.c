/* See synth_shop.h. Each customer has a random stream of its own, so what one does is the same however many there are.
 */
#include "data/synth_shop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/csv_write.h"
#include "data/timestamp.h"

enum {
  FIRST_DAY = 19723, /* 2024-01-01, in days since 1970 */
  DAYS = 350,        /* to 2024-12-15: before the season's end */
  FIRST_HOUR = 7,
  HOURS = 15, /* of a day in which people shop */
  VIEW = 0,
  ADD_TO_CART = 1,
  PURCHASE = 2,
  SHOP_STREAM = 0x51 /* of random numbers, above it the customer's number */
};

/* Percent. */
enum { OLD_CUSTOMER = 40, LOOKS_ELSEWHERE = 45, TO_CART = 60, TO_PURCHASE = 68, BUNDLE = 60, UPGRADE = 30 };

typedef struct event {
  uint32_t time;
  int32_t customer, number; /* number: the customer's so-manyeth event, so that the order is total */
  uint16_t product;
  uint16_t type;
} event;

typedef struct shopping {
  as_context *ctx;
  event *events;
  size_t size;
  int64_t count;
  /* the present customer */
  as_random random;
  int32_t customer, number;
  int taste[AS_SHOP_KINDS];
  int means; /* which grade suits: 0, 1 or 2 */
  bool owned[AS_SHOP_PRODUCTS];
} shopping;

static bool chance(shopping *s, unsigned percent) {
  return as_random_below(&s->random, 100) < percent;
}

/* A number with weights[n] chances. */
static int choose(shopping *s, const int *weights, int n) {
  int total = 0, at = 0;
  for (int i = 0; i < n; i++) total += weights[i];
  int draw = (int)as_random_below(&s->random, (uint64_t)total);
  while (draw >= weights[at]) draw -= weights[at++];
  return at;
}

/* ---- a customer -------------------------------------------------------------------------------------------------- */

static void meet_customer(shopping *s, int32_t customer, uint64_t seed) {
  static const int means[AS_SHOP_GRADES] = {45, 35, 20};
  s->random = as_random_start(seed, (uint64_t)customer << 8 | SHOP_STREAM);
  s->customer = customer;
  s->number = 0;
  s->means = choose(s, means, AS_SHOP_GRADES);
  for (int p = 0; p < AS_SHOP_PRODUCTS; p++) s->owned[p] = false;
  const int most = (int)as_random_below(&s->random, AS_SHOP_CATEGORIES);
  const int next = (int)as_random_below(&s->random, AS_SHOP_CATEGORIES);
  for (int k = 0; k < AS_SHOP_KINDS; k++) {
    const int category = k / (AS_SHOP_KINDS / AS_SHOP_CATEGORIES);
    s->taste[k] = (category == most ? 12 : category == next ? 6 : 1) * (chance(s, 30) ? 3 : 1);
  }
}

/* How a kind sells on a day: more around its season, which comes every year. */
static int demand(const as_shop_kind *kind, int day) {
  if (kind->season == 0) return 3;
  int away = abs(day - kind->season);
  if (away > 183) away = 366 - away;
  return away < 21 ? 12 : away < 42 ? 8 : away < 70 ? 4 : 1;
}

static int choose_grade(shopping *s) {
  static const int suits[AS_SHOP_GRADES][AS_SHOP_GRADES] = {{7, 3, 1}, {2, 7, 2}, {1, 3, 7}};
  return choose(s, suits[s->means], AS_SHOP_GRADES);
}

/* ---- what it does ------------------------------------------------------------------------------------------------ */

/* A minute or a few later than *time, which moves on. */
static bool record(shopping *s, uint32_t *time, int product, int type) {
  event *events = as_grow(s->ctx, s->events, &s->size, (size_t)s->count + 1, sizeof *events);
  if (!events) return false;
  s->events = events;
  *time += 20 + (uint32_t)as_random_below(&s->random, 240);
  events[s->count++] = (event){*time, s->customer, s->number++, (uint16_t)product, (uint16_t)type};
  if (type == PURCHASE) s->owned[product] = true;
  return true;
}

static uint32_t hour_of(shopping *s, int day) {
  return ((uint32_t)FIRST_DAY + (uint32_t)day) * AS_DAY_SECONDS + FIRST_HOUR * 3600 +
         (uint32_t)as_random_below(&s->random, HOURS * 3600);
}

/* Looks at a product, and with luck buys it. */
static bool look_and_buy(shopping *s, uint32_t *time, int product, unsigned to_cart, bool *bought) {
  *bought = false;
  if (!record(s, time, product, VIEW)) return false;
  if (s->owned[product] || !chance(s, to_cart)) return true;
  if (!record(s, time, product, ADD_TO_CART)) return false;
  if (!chance(s, TO_PURCHASE)) return true;
  *bought = true;
  return record(s, time, product, PURCHASE);
}

/* Some days after a purchase: what goes with it, and much later the next grade. */
static bool come_back(shopping *s, int kind, int grade, int day) {
  const int with = as_shop_kinds[kind].bundle;
  bool bought = false;
  if (with >= 0 && chance(s, BUNDLE)) {
    const int later = day + (int)as_random_below(&s->random, 12);
    uint32_t time = hour_of(s, later);
    if (later < DAYS && !look_and_buy(s, &time, with * AS_SHOP_GRADES + grade, 90, &bought)) return false;
  }
  if (grade + 1 < AS_SHOP_GRADES && chance(s, UPGRADE)) {
    const int later = day + 50 + (int)as_random_below(&s->random, 100);
    uint32_t time = hour_of(s, later);
    if (later < DAYS && !look_and_buy(s, &time, kind * AS_SHOP_GRADES + grade + 1, 85, &bought)) return false;
  }
  return true;
}

static bool visit(shopping *s, int day) {
  int weights[AS_SHOP_KINDS];
  bool bought;
  for (int k = 0; k < AS_SHOP_KINDS; k++) weights[k] = s->taste[k] * demand(&as_shop_kinds[k], day);
  const int kind = choose(s, weights, AS_SHOP_KINDS), grade = choose_grade(s);
  uint32_t time = hour_of(s, day);
  if (chance(s, LOOKS_ELSEWHERE)) /* another grade, or another kind of the category */
    if (!record(s, &time, kind * AS_SHOP_GRADES + choose_grade(s), VIEW)) return false;
  if (chance(s, LOOKS_ELSEWHERE)) {
    const int each = AS_SHOP_KINDS / AS_SHOP_CATEGORIES;
    const int other = kind / each * each + (int)as_random_below(&s->random, (uint64_t)each);
    if (!record(s, &time, other * AS_SHOP_GRADES + choose_grade(s), VIEW)) return false;
  }
  if (!look_and_buy(s, &time, kind * AS_SHOP_GRADES + grade, TO_CART, &bought)) return false;
  return !bought || come_back(s, kind, grade, day);
}

static bool live(shopping *s) {
  static const int visits[] = {2, 3, 4, 5, 6, 8, 11, 16};
  const int joined = chance(s, OLD_CUSTOMER) ? 0 : (int)as_random_below(&s->random, DAYS - 30);
  const int count = visits[as_random_below(&s->random, sizeof visits / sizeof *visits)];
  for (int i = 0; i < count; i++)
    if (!visit(s, joined + (int)as_random_below(&s->random, (uint64_t)(DAYS - joined)))) return false;
  return true;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int product_id(int product) {
  const int each = AS_SHOP_PRODUCTS / AS_SHOP_CATEGORIES;
  return 100 * (product / each + 1) + product % each + 1;
}

as_status as_synth_shop_products(as_context *ctx, as_synth_sink sink, void *user) {
  as_buffer rows;
  as_buffer_init(&rows, ctx);
  as_buffer_text(&rows, "product_id,name,category,price\n");
  for (int p = 0; p < AS_SHOP_PRODUCTS; p++) {
    const as_shop_kind *kind = &as_shop_kinds[p / AS_SHOP_GRADES];
    const int cents = kind->cents[p % AS_SHOP_GRADES];
    char id[16], price[24];
    snprintf(id, sizeof id, "%d", product_id(p));
    snprintf(price, sizeof price, "%d.%02d", cents / 100, cents % 100);
    const as_csv_field fields[4] = {as_csv_text(id), as_csv_text(kind->names[p % AS_SHOP_GRADES]),
                                    as_csv_text(kind->category), as_csv_text(price)};
    as_csv_append_row(&rows, fields, 4, ',');
  }
  as_status status = as_buffer_status(&rows);
  if (status == AS_OK) status = sink(user, rows.data, rows.length);
  as_buffer_free(&rows);
  return status;
}

static int by_time(const void *a, const void *b) {
  const event *x = a, *y = b;
  if (x->time != y->time) return x->time < y->time ? -1 : 1;
  if (x->customer != y->customer) return x->customer < y->customer ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

/* The events up to the end of a week; 0: all. They are in order. */
static int64_t count_until(const shopping *s, int64_t week) {
  const uint64_t end = ((uint64_t)FIRST_DAY + 7 * (uint64_t)week) * AS_DAY_SECONDS;
  int64_t count = s->count;
  while (week > 0 && count > 0 && s->events[count - 1].time >= end) count--;
  return count;
}

static as_status write_events(const shopping *s, int64_t count, as_synth_sink sink, void *user) {
  enum { FLUSH_BYTES = 1 << 16 };
  static const char *const types[] = {"view", "add_to_cart", "purchase"};
  as_status status = AS_OK;
  as_buffer rows;
  as_buffer_init(&rows, s->ctx);
  as_buffer_text(&rows, "customer_id,product_id,interaction_type,timestamp\n");
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    const event *e = &s->events[i];
    char time[AS_TIMESTAMP_TEXT];
    as_timestamp_write(e->time, time);
    as_buffer_printf(&rows, "%d,%d,%s,%s\n", (int)e->customer, product_id(e->product), types[e->type], time);
    if (rows.length < FLUSH_BYTES && i + 1 < count) continue;
    status = as_buffer_status(&rows);
    if (status == AS_OK) status = sink(user, rows.data, rows.length);
    as_buffer_clear(&rows);
  }
  as_buffer_free(&rows);
  return status;
}

as_status as_synth_shop_interactions(as_context *ctx, const as_synth_shop_options *options, as_synth_sink sink,
                                     void *user) {
  shopping s = {.ctx = ctx};
  as_status status = AS_OK;
  if (options->customers < 1 || options->customers > 1000000)
    return as_fail(ctx, AS_E_INVALID, "synth: a shop of %" PRId64 " customers; 1 to 1,000,000 can be made",
                   options->customers);
  if (options->week < 0 || options->week > AS_SYNTH_MOST_WEEKS)
    return as_fail(ctx, AS_E_INVALID, "synth: week %" PRId64 "; weeks are counted from 1 to %d", options->week,
                   AS_SYNTH_MOST_WEEKS);
  for (int32_t c = 1; status == AS_OK && c <= options->customers; c++) {
    meet_customer(&s, c, options->seed);
    if (!live(&s)) status = AS_E_NOMEM;
  }
  if (status == AS_OK) {
    qsort(s.events, (size_t)s.count, sizeof *s.events, by_time);
    status = write_events(&s, count_until(&s, options->week), sink, user);
  }
  as_free(ctx, s.events);
  return status;
}

static as_status write_one(as_context *ctx, const as_synth_shop_options *options, const char *folder, bool products) {
  as_file_writer writer;
  char *path = as_path_join(ctx, folder, products ? "products.csv" : "interactions.csv");
  if (!path) return AS_E_NOMEM;
  as_status status = as_file_begin(ctx, &writer, path);
  as_free(ctx, path);
  if (status != AS_OK) return status;
  status = products ? as_synth_shop_products(ctx, as_synth_to_stream, writer.stream)
                    : as_synth_shop_interactions(ctx, options, as_synth_to_stream, writer.stream);
  if (status == AS_OK) return as_file_commit(ctx, &writer);
  as_file_abandon(ctx, &writer);
  return status;
}

as_status as_synth_shop_folder(as_context *ctx, const as_synth_shop_options *options, const char *folder) {
  as_status status = as_make_folders(ctx, folder);
  if (status == AS_OK) status = write_one(ctx, options, folder, true);
  if (status == AS_OK) status = write_one(ctx, options, folder, false);
  return status;
}
