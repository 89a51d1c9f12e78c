/* Finding added tokens, with the reference's rules for words and white space beside them. */
#include "tokenizer/added_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/unicode.h"

void as_added_tokens_init(as_added_tokens *added, as_context *ctx) {
  *added = (as_added_tokens){.ctx = ctx};
  as_trie_init(&added->contents, ctx);
  for (int pass = 0; pass < 2; pass++) as_trie_init(&added->sets[pass].trie, ctx);
}

void as_added_tokens_free(as_added_tokens *added) {
  for (size_t i = 0; i < added->count; i++) {
    as_free(added->ctx, added->items[i].content);
    as_free(added->ctx, added->items[i].shown);
  }
  as_free(added->ctx, added->items);
  as_trie_free(&added->contents);
  for (int pass = 0; pass < 2; pass++) as_trie_free(&added->sets[pass].trie);
}

as_status as_added_tokens_put(as_added_tokens *added, as_added_token token) {
  int32_t known = as_trie_get(&added->contents, token.content, token.length);
  if (known >= 0) {
    as_added_token *old = &added->items[known];
    token.content = old->content;
    token.special = token.special || old->special;
    *old = token;
    return AS_OK;
  }
  as_added_token *items = as_grow(added->ctx, added->items, &added->capacity, added->count + 1, sizeof *items);
  if (!items) return AS_E_NOMEM;
  added->items = items;
  token.shown = NULL;
  token.content = as_strndup(added->ctx, token.content, token.length);
  if (!token.content) return AS_E_NOMEM;
  items[added->count] = token;
  as_status status = as_trie_put(&added->contents, token.content, token.length, (int32_t)added->count, NULL);
  if (status != AS_OK) {
    as_free(added->ctx, token.content);
    return status;
  }
  added->count++;
  if ((size_t)token.id >= added->limit) added->limit = (size_t)token.id + 1;
  return AS_OK;
}

static int compare_ids(const void *a, const void *b) {
  int32_t x = ((const as_added_token *)a)->id, y = ((const as_added_token *)b)->id;
  return (x > y) - (x < y);
}

static as_status put_pattern(as_added_tokens *added, size_t index) {
  const as_added_token *token = &added->items[index];
  as_added_set *set = &added->sets[token->normalized];
  if (token->silent || token->shown_length == 0 || as_trie_get(&set->trie, token->shown, token->shown_length) >= 0)
    return AS_OK;
  set->begins[(unsigned char)token->shown[0]] = true;
  set->any = true;
  return as_trie_put(&set->trie, token->shown, token->shown_length, (int32_t)index, NULL);
}

as_status as_added_tokens_finish(as_added_tokens *added, const as_tokenizer *tokenizer,
                                 as_status (*normalize)(const as_tokenizer *tokenizer, const char *text, size_t length,
                                                        as_buffer *out)) {
  as_status status = AS_OK;
  if (added->count) qsort(added->items, added->count, sizeof *added->items, compare_ids);
  for (size_t i = 0; i < added->count && status == AS_OK; i++)
    status = as_trie_put(&added->contents, added->items[i].content, added->items[i].length, (int32_t)i, NULL);
  as_buffer form;
  as_buffer_init(&form, added->ctx);
  for (size_t i = 0; i < added->count && status == AS_OK; i++) {
    as_added_token *token = &added->items[i];
    as_buffer_clear(&form);
    if (token->normalized) {
      status = normalize(tokenizer, token->content, token->length, &form);
    } else {
      as_buffer_append(&form, token->content, token->length);
      status = as_buffer_status(&form);
    }
    if (status != AS_OK) break;
    token->shown_length = form.length;
    token->shown = as_strndup(added->ctx, as_buffer_string(&form), form.length);
    status = token->shown ? put_pattern(added, i) : AS_E_NOMEM;
  }
  as_buffer_free(&form);
  for (size_t i = 0; i < added->count && status == AS_OK; i++) {
    as_added_token *token = &added->items[i];
    const as_added_token *same = as_added_token_by_content(added, token->shown, token->shown_length);
    token->skipped = same && same->special;
  }
  return status;
}

const as_added_token *as_added_token_by_id(const as_added_tokens *added, int64_t id) {
  size_t low = 0, high = added->count; /* items before low have smaller ids */
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (added->items[middle].id < id)
      low = middle + 1;
    else
      high = middle;
  }
  return low < added->count && added->items[low].id == id ? &added->items[low] : NULL;
}

const as_added_token *as_added_token_by_content(const as_added_tokens *added, const char *content, size_t length) {
  int32_t index = as_trie_get(&added->contents, content, length);
  return index < 0 ? NULL : &added->items[index];
}

/* The flags of the code point that starts at text[at]; *size gets its bytes. `text` is valid UTF-8. */
static unsigned flags_at(const char *text, size_t at, size_t end, size_t *size) {
  uint32_t code_point;
  int bytes = as_utf8_decode(text + at, end - at, &code_point);
  *size = (size_t)(bytes < 0 ? -bytes : bytes);
  return as_unicode_flags(code_point);
}

/* The same for the code point that ends at text[at]; start < at. */
static unsigned flags_before(const char *text, size_t start, size_t at, size_t *size) {
  size_t from = at - 1;
  while (from > start && at - from < 4 && ((unsigned char)text[from] & 0xC0) == 0x80) from--;
  *size = at - from;
  size_t decoded;
  return flags_at(text, from, at, &decoded);
}

static bool stands_alone(const char *text, size_t start, size_t end, size_t from, size_t to) {
  size_t size;
  return (from == start || !(flags_before(text, start, from, &size) & AS_UC_WORD)) &&
         (to == end || !(flags_at(text, to, end, &size) & AS_UC_WORD));
}

/* The reference finds a token again that lies wholly in white space which the one before it swallowed, and gives both
 * that white space; so its cost grows with the square of a run of blanks. Here it was swallowed. One that only begins
 * there overlaps the one before it, as in the reference. */
as_status as_added_tokens_cut(const as_added_tokens *added, int pass, as_work *work, const char *text, size_t start,
                              size_t end, as_split_list *list) {
  const as_added_set *set = &added->sets[pass];
  size_t done = start; /* pieces up to here are in the list */
  as_status status = AS_OK;
  for (size_t at = start; set->any && at < end && status == AS_OK;) {
    size_t size, length;
    int32_t index = -1;
    if (set->begins[(unsigned char)text[at]]) index = as_trie_longest(&set->trie, 0, text + at, end - at, &length);
    if (index < 0) {
      at++;
      continue;
    }
    const as_added_token *token = &added->items[index];
    size_t from = at, to = at + length;
    at = to;
    if (to <= done) continue;
    if (token->single_word && !stands_alone(text, start, end, from, to)) continue;
    if (token->lstrip) {
      while (from > done && flags_before(text, start, from, &size) & AS_UC_SPACE) from -= size;
      if (from < done) from = done;
    }
    if (token->rstrip) {
      while (to < end && flags_at(text, to, end, &size) & AS_UC_SPACE) to += size;
    }
    if (done < from) status = as_split_put(work, list, done, from, -1);
    if (status == AS_OK) status = as_split_put(work, list, from, to, index);
    done = to;
  }
  if (status == AS_OK && done < end) status = as_split_put(work, list, done, end, -1);
  return status;
}
