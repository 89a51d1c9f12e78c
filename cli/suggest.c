/* "Did you mean": the nearest of the names offered.
 *
 * Distance is the optimal string alignment distance (Damerau 1964: insertion, deletion, substitution, swap of
 * neighbours). Only a name that is nearer than a third of the word is taken for a slip of the fingers, or one that the
 * word begins. */
#include <string.h>

#include "cli/options.h"

#define LONGEST 40 /* names are shorter; a longer word is no slip */

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length) {
  size_t rows[3][LONGEST + 1];
  size_t *before = rows[0], *above = rows[1], *row = rows[2];
  for (size_t j = 0; j <= b_length; j++) above[j] = j;
  for (size_t i = 1; i <= a_length; i++) {
    row[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      size_t cost = a[i - 1] != b[j - 1];
      row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = least(row[j], before[j - 2] + 1);
    }
    size_t *spare = before;
    before = above;
    above = row;
    row = spare;
  }
  return above[b_length];
}

as_suggestion as_suggestion_start(const char *word) {
  return (as_suggestion){.word = word, .best = NULL, .distance = strlen(word) < 3 ? 2 : 1 + (strlen(word) + 2) / 3};
}

void as_suggestion_offer(as_suggestion *suggestion, const char *candidate) {
  size_t length = strlen(suggestion->word), other = strlen(candidate);
  if (length == 0 || length > LONGEST || other > LONGEST) return;
  size_t d = distance(suggestion->word, length, candidate, other);
  if (length >= 3 && other > length && memcmp(suggestion->word, candidate, length) == 0) d = 1;
  if (d >= suggestion->distance) return;
  suggestion->distance = d;
  suggestion->best = candidate;
}
