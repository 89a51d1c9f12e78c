/* A test set that is frozen by what its rows say. A row is held out when a hash of its content lies below the share
 * that is wanted, so it is on the same side in every file it ever stands in: next week's export, in another order, with
 * other rows around it, written by another program or machine. What is held out at a share is held out at every larger
 * one, so a share that grows takes no row back into training.
 *
 * The hash is SHA-256 of the content; its first 53 bits, read as a fraction from 0 to 1 (a double holds it exactly),
 * are compared with the share. The content of a message is its text, that of an interaction its customer and product,
 * with a NUL between them, which neither can contain: all that a customer did with a product is on one side. White
 * space (ASCII's and the no-break space) at both ends does not count, and a run of it counts as one space: line ends
 * and padding are what another export changes. */
#ifndef AS_DATA_HOLD_OUT_H
#define AS_DATA_HOLD_OUT_H

#include "base/context.h"

/* Whether a row of this content is held out: none at share 0 or below, all at 1 and above. */
bool as_is_held_out(const char *content, size_t length, double share);
bool as_is_pair_held_out(const char *customer, size_t customer_length, const char *product, size_t product_length,
                         double share);

/* Which rows of a file are read. */
typedef struct as_hold_out {
  double share;       /* 0: all rows are read */
  bool only_held_out; /* the rows that are held out are read, else the others */
} as_hold_out;

/* Whether a row is read. */
bool as_hold_out_takes(const as_hold_out *hold_out, const char *content, size_t length);
bool as_hold_out_takes_pair(const as_hold_out *hold_out, const char *customer, size_t customer_length,
                            const char *product, size_t product_length);

#endif
