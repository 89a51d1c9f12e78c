/* A synthetic shop of our own making: products and what customers did with them, to try recommendations on.
 *
 * 72 products in six categories, each kind of product in three grades that cost at most twice as much as the one before
 * (upgrades); kinds that sell in their season; pairs of kinds from different categories that are bought together
 * (bundles); customers who like some categories more than others, within their means. An interaction is a view, an
 * add_to_cart or a purchase, at a time of the year 2024.
 *
 * With a week, only what happened until the end of that week of the year is written, as an export of the shop would
 * have it.
 *
 * The same seed and number of customers give the same bytes on every machine: only whole numbers are drawn. */
#ifndef AS_DATA_SYNTH_SHOP_H
#define AS_DATA_SYNTH_SHOP_H

#include "data/synth.h"

/* What data/samples/products.csv and interactions.csv were made with. */
#define AS_SYNTH_SHOP_CUSTOMERS 500
#define AS_SYNTH_SHOP_SEED 42

typedef struct as_synth_shop_options {
  int64_t customers; /* 1 to 1,000,000; about 25 interactions each */
  uint64_t seed;
  int64_t week; /* 1 to AS_SYNTH_MOST_WEEKS; 0: the whole year */
} as_synth_shop_options;

enum {
  AS_SHOP_CATEGORIES = 6,
  AS_SHOP_KINDS = 24,
  AS_SHOP_GRADES = 3,
  AS_SHOP_PRODUCTS = AS_SHOP_KINDS * AS_SHOP_GRADES
};

/* A kind of product, and what is known of it beforehand. Private to the generator and its tests. */
typedef struct as_shop_kind {
  const char *category;
  const char *names[AS_SHOP_GRADES];
  int cents[AS_SHOP_GRADES]; /* prices, ascending */
  int season;                /* day of the year around which it sells best; 0: sells the whole year */
  int bundle;                /* kind that is often bought with it, from another category; -1: none */
} as_shop_kind;
extern const as_shop_kind as_shop_kinds[AS_SHOP_KINDS];

/* product_id, name, category, price: the catalogue, which does not depend on anything. */
AS_MUST_CHECK as_status as_synth_shop_products(as_context *ctx, as_synth_sink sink, void *user);
/* customer_id, product_id, interaction_type, timestamp: by time. Memory grows with the customers (about 400 bytes
 * each). AS_E_INVALID: customers or week out of range. */
AS_MUST_CHECK as_status as_synth_shop_interactions(as_context *ctx, const as_synth_shop_options *options,
                                                   as_synth_sink sink, void *user);
/* Both into `folder`, which is made if need be: products.csv and interactions.csv, each written atomically. */
AS_MUST_CHECK as_status as_synth_shop_folder(as_context *ctx, const as_synth_shop_options *options, const char *folder);

#endif
