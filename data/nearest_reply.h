/* Answering with a reply that was once given: that of the stored message which is most similar to the question by the
 * cosine of TF-IDF vectors (data/tfidf.h), among those of the question's intent where it is known.
 *
 * In a model folder the replies are nearest_replies.csv with the columns content, response and, if intents are known,
 * intent: a person can read, mend and add to it. What is computed from it is computed at opening, so there is nothing
 * that could contradict the texts.
 *
 * It does not change once it is made, so any number of threads may ask it at the same time. */
#ifndef AS_DATA_NEAREST_REPLY_H
#define AS_DATA_NEAREST_REPLY_H

#include "data/messages.h"

#define AS_NEAREST_REPLY_FILE "nearest_replies.csv"

typedef struct as_nearest_reply as_nearest_reply;

/* From the rows [count] of a table (NULL: all of them), which is borrowed until as_nearest_reply_free. Rows without a
 * response are passed over. `response` is the number of the column of replies, `intent` that of the label column of
 * intents, or -1. AS_E_DATA when no row has a response. On failure *out is NULL. Caller frees. */
AS_MUST_CHECK as_status as_nearest_reply_build(as_context *ctx, const as_messages *messages, size_t response,
                                               int intent, const int64_t *rows, int64_t count, as_nearest_reply **out);
void as_nearest_reply_free(as_nearest_reply *replies); /* NULL is allowed */

/* Writes the file into `folder`, which must exist. */
AS_MUST_CHECK as_status as_nearest_reply_save(const as_nearest_reply *replies, const char *folder);
bool as_nearest_reply_in(as_context *ctx, const char *folder); /* whether the folder has the file */
/* AS_E_MODEL with a text that names the file and, where there is one, the line. On failure *out is NULL. Caller frees.
 */
AS_MUST_CHECK as_status as_nearest_reply_open(as_context *ctx, const char *folder, as_nearest_reply **out);

int64_t as_nearest_reply_count(const as_nearest_reply *replies); /* stored messages with a reply */

/* All texts are borrowed from the replies. */
typedef struct as_nearest_answer {
  const char *reply, *message; /* the reply, and the message that it was given to */
  const char *intent;          /* of that message; "" if it has none */
  double similarity;           /* cosine, from 0, no word in common, to 1 */
} as_nearest_answer;

/* The reply to the most similar message, of several equal ones the first. With an `intent` (NULL or "": not known) only
 * messages of that intent are looked at, unless there is none. */
AS_MUST_CHECK as_status as_nearest_reply_find(const as_nearest_reply *replies, const char *text, size_t length,
                                              const char *intent, as_nearest_answer *out);

/* The reply that most of the stored messages have, of several the one that comes first; borrowed. */
AS_MUST_CHECK as_status as_nearest_reply_commonest(const as_nearest_reply *replies, const char **out);

#endif
