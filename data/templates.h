/* The sentences that synthetic messages are put together from. Private to data/; all of them are this project's own.
 *
 * A template is text with
 *   [a|b|]   one of the alternatives, which may hold templates in turn
 *   {slot}   a value of the slot table, the same wherever it stands in one row's message and answer
 *   <5-90>   a whole number in that range
 *   {{name}} copied as it stands: what only the shop's own system knows, to be filled in by it
 * Sentences begin in lower case (but for I, names and the like) and end with their mark. */
#ifndef AS_DATA_TEMPLATES_H
#define AS_DATA_TEMPLATES_H

#include <stddef.h>

enum { AS_TONE_NEGATIVE = 1, AS_TONE_NEUTRAL = 2, AS_TONE_POSITIVE = 4, AS_TONE_ANY = 7 };

/* What the message is about. A core that fits one tone carries it; one that fits several needs an opening or a closing
 * sentence to carry a tone other than neutral. */
typedef struct as_synth_core {
  int tones;
  const char *text;
} as_synth_core;

typedef struct as_synth_topic {
  const char *name;
  const as_synth_core *cores; /* ended by one without text */
  const char *const *answers; /* ended by NULL */
} as_synth_topic;

typedef struct as_synth_intent {
  const char *name;
  int tone_shares[3];           /* negative, neutral, positive; percent */
  const as_synth_topic *topics; /* ended by one without a name */
} as_synth_intent;

/* A message that people would file under either of two intents. */
typedef struct as_synth_ambiguous {
  int tones;
  const char *text;
  const char *intents[2];
  const char *topics[2]; /* whose answers fit */
} as_synth_ambiguous;

typedef struct as_synth_slot {
  const char *name;
  const char *const *values; /* templates, ended by NULL */
} as_synth_slot;

enum { AS_SYNTH_INTENTS = 6 };
extern const as_synth_intent as_synth_complaint, as_synth_inquiry, as_synth_purchase, as_synth_return, as_synth_support,
    as_synth_tracking;
extern const as_synth_ambiguous as_synth_ambiguous_messages[]; /* ended by one without text */
extern const as_synth_slot as_synth_slots[];                   /* ended by one without a name */

/* Sentences of no intent; all ended by NULL. By tone: negative, neutral, positive. */
extern const char *const as_synth_greetings[];
extern const char *const as_synth_background[];
extern const char *const *const as_synth_openings[3];
extern const char *const *const as_synth_closings[3];
extern const char *const as_synth_signatures[];
extern const char *const as_synth_connections[]; /* between the two halves of a message with two intents */
extern const char *const *const as_synth_answer_openings[3];
extern const char *const *const as_synth_answer_closings[3];
extern const char *const as_synth_shorthand[][2]; /* word, its short form; ended by NULLs */

#endif
