/* Times of the civil calendar (proleptic Gregorian; days from 1970 as Howard Hinnant's "chrono-compatible low-level date
 * algorithms" count them). */
#include "data/timestamp.h"

#include <string.h>

static int64_t days_from_civil(int64_t year, int month, int day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
}

static bool leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static int days_in_month(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[month - 1] + (month == 2 && leap(year));
}

/* The text that is left. */
typedef struct cursor {
  const char *at, *end;
} cursor;

/* Exactly `digits` digits; -1 if they are not there. */
static int take_number(cursor *c, int digits) {
  int value = 0;
  if (c->end - c->at < digits) return -1;
  for (int i = 0; i < digits; i++) {
    if (c->at[i] < '0' || c->at[i] > '9') return -1;
    value = value * 10 + (c->at[i] - '0');
  }
  c->at += digits;
  return value;
}

static bool take(cursor *c, char wanted) {
  if (c->at == c->end || *c->at != wanted) return false;
  c->at++;
  return true;
}

static bool digit_next(const cursor *c) { return c->at < c->end && *c->at >= '0' && *c->at <= '9'; }

/* A fraction of a second, if there is one; false if a point stands there alone. */
static bool skip_fraction(cursor *c) {
  if (!take(c, '.')) return true;
  if (!digit_next(c)) return false;
  while (digit_next(c)) c->at++;
  return true;
}

/* "Z", "+02:00", "-0530" or nothing. */
static bool take_zone(cursor *c, int64_t *seconds) {
  *seconds = 0;
  if (c->at == c->end || take(c, 'Z')) return c->at == c->end;
  const int sign = *c->at == '-' ? -1 : 1;
  if (!take(c, '+') && !take(c, '-')) return false;
  const int hours = take_number(c, 2);
  take(c, ':');
  const int minutes = take_number(c, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
  *seconds = sign * (hours * 3600 + minutes * 60);
  return c->at == c->end;
}

static bool take_clock(cursor *c, int64_t *seconds, int64_t *zone) {
  const int hour = take_number(c, 2);
  if (hour < 0 || hour > 23 || !take(c, ':')) return false;
  const int minute = take_number(c, 2);
  int second = 0;
  if (minute < 0 || minute > 59) return false;
  if (take(c, ':')) {
    second = take_number(c, 2);
    if (second < 0 || second > 60 || !skip_fraction(c)) return false; /* 60: a leap second */
  }
  *seconds = hour * 3600 + minute * 60 + second;
  return take_zone(c, zone);
}

static bool store(int64_t seconds, uint32_t *out) {
  if (seconds < 0 || seconds > (int64_t)UINT32_MAX) return false;
  *out = (uint32_t)seconds;
  return true;
}

static bool read_unix(cursor c, uint32_t *out) {
  int64_t seconds = 0;
  if (!digit_next(&c)) return false;
  for (; digit_next(&c); c.at++) {
    seconds = seconds * 10 + (*c.at - '0');
    if (seconds > (int64_t)UINT32_MAX) return false;
  }
  return skip_fraction(&c) && c.at == c.end && store(seconds, out);
}

bool as_timestamp_read(const char *text, size_t length, uint32_t *out) {
  cursor c = {text, text + length};
  while (c.at < c.end && *c.at == ' ') c.at++;
  while (c.end > c.at && c.end[-1] == ' ') c.end--;
  if (c.end - c.at < 5 || c.at[4] != '-') return read_unix(c, out);
  int64_t clock = 0, zone = 0;
  const int year = take_number(&c, 4);
  if (year < 0 || !take(&c, '-')) return false;
  const int month = take_number(&c, 2);
  if (month < 1 || month > 12 || !take(&c, '-')) return false;
  const int day = take_number(&c, 2);
  if (day < 1 || day > days_in_month(year, month)) return false;
  if (c.at < c.end) {
    if (!take(&c, ' ') && !take(&c, 'T')) return false;
    if (!take_clock(&c, &clock, &zone)) return false;
  }
  return store(days_from_civil(year, month, day) * AS_DAY_SECONDS + clock - zone, out);
}

/* The last two digits of a number. */
static void put_two(char *out, int64_t number) {
  out[0] = (char)('0' + number / 10 % 10);
  out[1] = (char)('0' + number % 10);
}

void as_timestamp_write(uint32_t seconds, char out[AS_TIMESTAMP_TEXT]) {
  const int64_t days = seconds / AS_DAY_SECONDS + 719468, clock = seconds % AS_DAY_SECONDS;
  const int64_t era = days / 146097, of_era = days - era * 146097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64_t day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t part = (5 * day_of_year + 2) / 153, month = part < 10 ? part + 3 : part - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2);
  memcpy(out, "0000-00-00 00:00:00", AS_TIMESTAMP_TEXT);
  put_two(out, year / 100);
  put_two(out + 2, year);
  put_two(out + 5, month);
  put_two(out + 8, day_of_year - (153 * part + 2) / 5 + 1);
  put_two(out + 11, clock / 3600);
  put_two(out + 14, clock / 60 % 60);
  put_two(out + 17, clock % 60);
}
