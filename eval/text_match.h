/* Plain comparisons of texts: are they the same, are they the same but for the unimportant, how varied are they. */
#ifndef AS_EVAL_TEXT_MATCH_H
#define AS_EVAL_TEXT_MATCH_H

#include "base/text_unicode.h"

/* Equal code points. */
bool as_exact_match(as_string_view a, as_string_view b);

/* Appends SQuAD's normal form (Rajpurkar et al. 2016): lower case, ASCII punctuation deleted, the words a, an, the
 * deleted, words separated by single spaces. */
void as_append_normalized(as_buffer *out, as_string_view text);
/* Whether two texts have the same normal form. */
AS_MUST_CHECK as_status as_exact_match_normalized(as_context *ctx, as_string_view a, as_string_view b, bool *same);

/* distinct-n (Li et al. 2016): different n-grams over all n-grams of all texts; words by white space, case kept. */
typedef struct as_distinct {
  double value; /* 0 when there are no n-grams */
  int64_t unique;
  int64_t total;
} as_distinct;
AS_MUST_CHECK as_status as_distinct_measure(as_context *ctx, const as_string_view *texts /* [count] */, size_t count,
                                            size_t n, as_distinct *out);

#endif
