/* Products as sums of features: one of their own, category, price band, words of the name, values of further columns.
 */
#ifndef AS_RECOMMEND_FEATURES_H
#define AS_RECOMMEND_FEATURES_H

#include "data/products.h"
#include "recommend/lightfm.h"

typedef struct as_product_features {
  as_feature_matrix matrix; /* [products]; the first features are the products themselves */
  as_text_block names;      /* of the features behind them: "category:Lamps", "price:5", "word:oak", "brand:x" */
  as_text_index index;
} as_product_features;

enum { AS_FEATURES_CATEGORY = 1, AS_FEATURES_PRICE = 2, AS_FEATURES_WORDS = 4 };

/* Adds the features of all products to those that `features` has already (a zeroed one has none). `kinds`: which of the
 * built-in ones; the products' further columns are always taken. A category or value "a|b" is two; a price band is a
 * factor of two; a word (letters and digits, lower case, at least two characters) counts when two products have it. */
AS_MUST_CHECK as_status as_product_features_make(as_context *ctx, const as_products *products, int kinds,
                                                 as_product_features *features);
void as_product_features_free(as_context *ctx, as_product_features *features); /* a zeroed one is allowed */

#endif
