#include "tests/small_xml.h"

#include <ctype.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/harness.h"

enum { DEEPEST = 32, MOST_ATTRIBUTES = 32 };

typedef struct name {
  const char *text;
  size_t length;
} name;

static bool same(name a, name b) {
  return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

static name read_name(const char **at) {
  name n = {*at, strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:_")};
  ck_assert_msg(n.length > 0, "no name at: %.60s", *at);
  *at += n.length;
  return n;
}

static void skip_reference(const char **at) {
  static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strncmp(*at, known[i], strlen(known[i])) == 0) {
      *at += strlen(known[i]);
      return;
    }
  ck_abort_msg("an ampersand that is none: %.60s", *at);
}

/* Attributes up to the end of the tag; whether it closes itself. */
static bool skip_attributes(const char **at) {
  name seen[MOST_ATTRIBUTES];
  int count = 0;
  for (;;) {
    const bool blank = isspace((unsigned char)**at);
    while (isspace((unsigned char)**at)) ++*at;
    if (**at == '>') return ++*at, false;
    if (strncmp(*at, "/>", 2) == 0) return *at += 2, true;
    ck_assert_msg(blank && count < MOST_ATTRIBUTES, "no blank before: %.60s", *at);
    seen[count] = read_name(at);
    for (int i = 0; i < count; i++)
      ck_assert_msg(!same(seen[i], seen[count]), "stands there twice: %.60s", seen[i].text);
    count++;
    ck_assert_msg(strncmp(*at, "=\"", 2) == 0, "no value: %.60s", *at);
    for (*at += 2; **at != '"';)
      if (**at == '&') {
        skip_reference(at);
      } else {
        ck_assert_msg(**at && **at != '<', "in a value: %.60s", *at);
        ++*at;
      }
    ++*at;
  }
}

void as_assert_xml(const char *text) {
  name open[DEEPEST];
  int depth = 0, roots = 0;
  ck_assert_msg(as_utf8_valid(text, strlen(text)), "the picture is not UTF-8");
  for (const char *at = text; *at;) {
    if (strncmp(at, "</", 2) == 0) {
      at += 2;
      const name closed = read_name(&at);
      ck_assert_msg(depth > 0 && same(closed, open[depth - 1]) && *at == '>', "closes what is not open: %.60s", at - 8);
      at++;
      depth--;
    } else if (*at == '<') {
      at++;
      ck_assert_int_lt(depth, DEEPEST);
      roots += depth == 0;
      open[depth] = read_name(&at);
      depth += !skip_attributes(&at);
    } else if (*at == '&') {
      skip_reference(&at);
    } else {
      ck_assert_msg(depth > 0 || *at == '\n', "text outside: %.60s", at);
      ck_assert_msg((unsigned char)*at >= ' ' || *at == '\n', "a control character: %d", *at);
      at++;
    }
  }
  ck_assert_int_eq(depth, 0);
  ck_assert_int_eq(roots, 1);
}
