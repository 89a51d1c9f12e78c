/* See hold_out.h. */
#include "data/hold_out.h"

#include "base/sha256.h"
#include "data/csv.h"

enum { NO_BREAK_SPACE = 0xC2 }; /* its first of two bytes; as_text_is_blank looks at the second */

/* Bytes of the white space character that begins at text[0]; 0 if there is none. */
static size_t space_at(const char *text, size_t length) {
  const size_t bytes = (unsigned char)text[0] == NO_BREAK_SPACE ? 2 : 1;
  return bytes <= length && as_text_is_blank(text, bytes) ? bytes : 0;
}

/* Adds the text's words with one space between them. */
static void add_words(as_sha256 *hash, const char *text, size_t length) {
  bool between = false;
  for (size_t at = 0; at < length;) {
    const size_t space = space_at(text + at, length - at);
    if (space > 0) {
      at += space;
      continue;
    }
    const size_t start = at;
    while (at < length && space_at(text + at, length - at) == 0) at++;
    if (between) as_sha256_update(hash, " ", 1);
    as_sha256_update(hash, text + start, at - start);
    between = true;
  }
}

static bool is_below(as_sha256 *hash, double share) {
  unsigned char digest[32];
  uint64_t bits = 0;
  as_sha256_finish(hash, digest);
  for (int i = 0; i < 8; i++) bits = bits << 8 | digest[i];
  return (double)(bits >> 11) * 0x1p-53 < share;
}

bool as_is_held_out(const char *content, size_t length, double share) {
  as_sha256 hash;
  if (!(share > 0)) return false;
  as_sha256_start(&hash);
  add_words(&hash, content, length);
  return is_below(&hash, share);
}

bool as_is_pair_held_out(const char *customer, size_t customer_length, const char *product, size_t product_length,
                         double share) {
  as_sha256 hash;
  if (!(share > 0)) return false;
  as_sha256_start(&hash);
  add_words(&hash, customer, customer_length);
  as_sha256_update(&hash, "", 1);
  add_words(&hash, product, product_length);
  return is_below(&hash, share);
}

bool as_hold_out_takes(const as_hold_out *h, const char *content, size_t length) {
  return !(h->share > 0) || as_is_held_out(content, length, h->share) == h->only_held_out;
}

bool as_hold_out_takes_pair(const as_hold_out *h, const char *customer, size_t customer_length, const char *product,
                            size_t product_length) {
  return !(h->share > 0) ||
         as_is_pair_held_out(customer, customer_length, product, product_length, h->share) == h->only_held_out;
}
