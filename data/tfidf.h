/* Which of many texts are similar to another one: the cosine of TF-IDF vectors, as scikit-learn's
 * TfidfVectorizer(sublinear_tf=True) has them.
 *
 * A text's terms are its words of two or more characters (\w\w+ of a regular expression) in lower case. A term that
 * stands t times in a text, and in d of the n texts of the collection, has the weight (1 + ln t) (1 + ln((1 + n) /
 * (1 + d))); a vector is divided by its length. A term that the collection does not have counts nothing.
 *
 * A collection does not change once it is finished, so any number of threads may ask it at the same time. */
#ifndef AS_DATA_TFIDF_H
#define AS_DATA_TFIDF_H

#include "base/context.h"

typedef struct as_tfidf as_tfidf;

/* An empty collection. Caller frees. */
AS_MUST_CHECK as_status as_tfidf_new(as_context *ctx, as_tfidf **out);
void as_tfidf_free(as_tfidf *collection); /* NULL is allowed */

/* Adds text number 0, 1, 2 ...; it may hold any bytes and is not kept. AS_E_LIMIT: 2^32 texts are too many. */
AS_MUST_CHECK as_status as_tfidf_add(as_tfidf *collection, const char *text, size_t length);
/* After the last text: weights. */
AS_MUST_CHECK as_status as_tfidf_finish(as_tfidf *collection);

int64_t as_tfidf_count(const as_tfidf *collection); /* texts */
/* Cosine of `text` with each text of a finished collection, from 0, no term in common, to 1, the same terms equally
 * often. */
AS_MUST_CHECK as_status as_tfidf_similarities(const as_tfidf *collection, const char *text, size_t length,
                                              double *similarities /* [as_tfidf_count] */);

#endif
