/* A recommender like another, from other interactions: what a split needs, to measure on rows that nothing learned. */
#include "recommend/train.h"

#include "base/memory.h"

static as_status copy_products(as_context *ctx, const as_products *from, as_products **out) {
  const size_t columns = from->column_names.count;
  const char **names = as_alloc(ctx, columns, sizeof *names);
  as_csv_field *values = as_alloc(ctx, columns, sizeof *values);
  as_status status = names && values ? AS_OK : AS_E_NOMEM;
  *out = NULL;
  for (size_t c = 0; status == AS_OK && c < columns; c++) names[c] = as_text_block_get(&from->column_names, c, NULL);
  if (status == AS_OK) status = as_products_new(ctx, names, columns, out);
  for (int64_t i = 0; status == AS_OK && i < as_products_count(from); i++) {
    as_csv_field id = {0}, name = {0}, category = {0};
    id.text = as_products_id(from, i, &id.length);
    name.text = as_text_block_get(&from->names, (size_t)i, &name.length);
    category.text = as_text_block_get(&from->categories, (size_t)i, &category.length);
    for (size_t c = 0; c < columns; c++)
      values[c].text = as_text_block_get(&from->columns[c], (size_t)i, &values[c].length);
    if (!as_products_add(*out, id, name, category, from->prices[i], values)) status = AS_E_NOMEM;
  }
  if (status != AS_OK) {
    as_products_free(*out);
    *out = NULL;
  }
  as_free(ctx, names);
  as_free(ctx, values);
  return status;
}

as_status as_recommender_train_alike(const as_recommender *like, as_interactions *interactions,
                                     const as_recommend_listener *listener, as_recommender **out) {
  as_products *products;
  *out = NULL;
  as_status status = copy_products(like->ctx, like->products, &products);
  if (status != AS_OK) {
    as_interactions_free(interactions);
    return status;
  }
  return as_recommender_train(like->ctx, products, interactions, &like->types, &like->settings, AS_HOLDOUT_NONE,
                              listener, out);
}
