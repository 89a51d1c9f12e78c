/* See features.h. A product has weight 1 for itself and for each of its features. */
#include "recommend/features.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"

typedef struct making {
  as_context *ctx;
  const as_products *products;
  as_product_features *out;
  as_buffer name;
  as_text_block words; /* seen once so far or more, while words are counted */
  as_text_index word_index;
  int64_t *counts; /* [words] products that have it */
  size_t counts_size, indices_size;
  int64_t product, filled;
} making;

/* Puts one more feature on the present product, unless it is there. */
static bool put(making *m, const char *kind, const char *value, size_t length) {
  as_product_features *f = m->out;
  uint64_t number;
  as_buffer_clear(&m->name);
  as_buffer_printf(&m->name, "%s:", kind);
  as_buffer_append(&m->name, value, length);
  if (m->name.failed) return false;
  if (!as_text_index_put(m->ctx, &f->index, &f->names, m->name.data, m->name.length, f->names.count, &number))
    return false;
  if (number == UINT64_MAX) {
    number = f->names.count;
    if (!as_text_block_add(m->ctx, &f->names, m->name.data, m->name.length)) return false;
  }
  const int32_t feature = (int32_t)((uint64_t)as_products_count(m->products) + number);
  for (int64_t i = f->matrix.starts[m->product]; i < m->filled; i++)
    if (f->matrix.indices[i] == feature) return true;
  int32_t *indices = as_grow(m->ctx, f->matrix.indices, &m->indices_size, (size_t)m->filled + 1, sizeof *indices);
  if (!indices) return false;
  f->matrix.indices = indices;
  indices[m->filled++] = feature;
  return true;
}

/* The parts of "a|b|c". */
static bool put_parts(making *m, const char *kind, const char *text) {
  for (const char *at = text; *at;) {
    const size_t length = strcspn(at, "|");
    if (length > 0 && !as_text_is_blank(at, length) && !put(m, kind, at, length)) return false;
    at += length + (at[length] == '|');
  }
  return true;
}

static bool put_price(making *m, int64_t price) {
  char band[8];
  int bits = 0;
  if (price < 0) return true;
  for (int64_t rest = price / 100; rest > 0; rest /= 2) bits++;
  const int length = snprintf(band, sizeof band, "%d", bits);
  return put(m, "price", band, (size_t)length);
}

static bool is_word_byte(unsigned char c) {
  return c >= 0x80 || isalnum(c);
}

/* The next word at or after *at, in lower case (ASCII), into `word`; false at the end. */
static bool next_word(const char **at, char word[64], size_t *length) {
  for (;;) {
    while (**at && !is_word_byte((unsigned char)**at)) ++*at;
    if (!**at) return false;
    *length = 0;
    for (; is_word_byte((unsigned char)**at); ++*at)
      if (*length < 63) word[(*length)++] = (char)((unsigned char)**at < 0x80 ? tolower((unsigned char)**at) : **at);
    if (*length >= 2) return true;
  }
}

/* Calls for each word of the product's name: counting (first pass) or putting the ones that two products have. */
static bool take_words(making *m, bool counting) {
  const char *at = as_products_name(m->products, m->product);
  char word[64];
  size_t length;
  while (next_word(&at, word, &length)) {
    uint64_t number = as_text_index_find(&m->word_index, &m->words, word, length);
    if (!counting) {
      if (m->counts[number] >= 2 && !put(m, "word", word, length)) return false;
      continue;
    }
    if (number == UINT64_MAX) {
      uint64_t none;
      int64_t *counts = as_grow(m->ctx, m->counts, &m->counts_size, m->words.count + 1, sizeof *counts);
      if (!counts) return false;
      m->counts = counts;
      number = m->words.count;
      counts[number] = 0;
      if (!as_text_index_put(m->ctx, &m->word_index, &m->words, word, length, number, &none) ||
          !as_text_block_add(m->ctx, &m->words, word, length))
        return false;
    }
    m->counts[number]++;
  }
  return true;
}

static bool put_product(making *m, int kinds) {
  const as_products *p = m->products;
  const int64_t i = m->product;
  int32_t *indices = as_grow(m->ctx, m->out->matrix.indices, &m->indices_size, (size_t)m->filled + 1, sizeof *indices);
  if (!indices) return false;
  m->out->matrix.indices = indices;
  m->out->matrix.starts[i] = m->filled;
  indices[m->filled++] = (int32_t)i;
  if ((kinds & AS_FEATURES_CATEGORY) && !put_parts(m, "category", as_products_category(p, i))) return false;
  if ((kinds & AS_FEATURES_PRICE) && !put_price(m, p->prices[i])) return false;
  if ((kinds & AS_FEATURES_WORDS) && !take_words(m, false)) return false;
  for (size_t c = 0; c < p->column_names.count; c++)
    if (!put_parts(m, as_text_block_get(&p->column_names, c, NULL), as_text_block_get(&p->columns[c], (size_t)i, NULL)))
      return false;
  return true;
}

as_status as_product_features_make(as_context *ctx, const as_products *products, int kinds,
                                   as_product_features *features) {
  making m = {.ctx = ctx, .products = products, .out = features};
  const int64_t count = as_products_count(products);
  as_feature_matrix_free(ctx, &features->matrix);
  if (kinds == 0 && products->column_names.count == 0) {
    features->matrix = as_feature_identity(count);
    return AS_OK;
  }
  as_buffer_init(&m.name, ctx);
  features->matrix.rows = count;
  features->matrix.starts = as_alloc(ctx, (size_t)count + 1, sizeof *features->matrix.starts);
  bool ok = features->matrix.starts != NULL;
  for (m.product = 0; ok && m.product < count && (kinds & AS_FEATURES_WORDS); m.product++) ok = take_words(&m, true);
  for (m.product = 0; ok && m.product < count; m.product++) ok = put_product(&m, kinds);
  if (ok) {
    features->matrix.starts[count] = m.filled;
    features->matrix.features = count + (int64_t)features->names.count;
    features->matrix.weights = as_alloc(ctx, (size_t)m.filled, sizeof(float));
    ok = features->matrix.weights != NULL;
  }
  for (int64_t i = 0; ok && i < m.filled; i++) features->matrix.weights[i] = 1;
  as_buffer_free(&m.name);
  as_text_block_free(ctx, &m.words);
  as_text_index_free(ctx, &m.word_index);
  as_free(ctx, m.counts);
  return ok ? AS_OK : AS_E_NOMEM;
}

void as_product_features_free(as_context *ctx, as_product_features *features) {
  as_feature_matrix_free(ctx, &features->matrix);
  as_text_block_free(ctx, &features->names);
  as_text_index_free(ctx, &features->index);
}
