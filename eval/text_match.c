/* Text comparisons. */
#include "eval/text_match.h"

#include <string.h>

#include "base/memory.h"
#include "eval/ngrams.h"

bool as_exact_match(as_string_view a, as_string_view b) {
  return a.length == b.length && (a.length == 0 || memcmp(a.text, b.text, a.length) == 0);
}

static bool is_article(as_string_view word) {
  return (word.length == 1 && memcmp(word.text, "a", 1) == 0) ||
         (word.length == 2 && memcmp(word.text, "an", 2) == 0) ||
         (word.length == 3 && memcmp(word.text, "the", 3) == 0);
}

/* Lower case without ASCII punctuation. */
static void append_plain(as_buffer *out, as_string_view text) {
  as_buffer lower;
  as_buffer_init(&lower, out->ctx);
  as_append_lower(&lower, text);
  for (size_t i = 0; i < lower.length; i++) {
    if (!as_is_ascii_punctuation((unsigned char)lower.data[i])) as_buffer_char(out, lower.data[i]);
  }
  out->failed |= lower.failed;
  as_buffer_free(&lower);
}

/* The longest beginning whose code points are all letters and numbers, or, if there is none, the first code point. */
static as_string_view next_run(as_string_view *rest) {
  as_string_view run = {rest->text, 0};
  while (rest->length > 0) {
    as_string_view after = *rest;
    const bool in_word = as_is_word(as_next_code_point(&after));
    if (!in_word && run.length > 0) break;
    *rest = after;
    run.length = (size_t)(rest->text - run.text);
    if (!in_word) break;
  }
  return run;
}

void as_append_normalized(as_buffer *out, as_string_view text) {
  as_buffer plain;
  as_buffer_init(&plain, out->ctx);
  append_plain(&plain, text);
  const size_t begin = out->length;
  bool space = false; /* owed before the next visible run */
  for (as_string_view rest = {as_buffer_string(&plain), plain.length}; rest.length > 0;) {
    const as_string_view run = next_run(&rest);
    as_string_view look = run;
    if (is_article(run) || as_is_space(as_next_code_point(&look))) {
      space = true;
      continue;
    }
    if (space && out->length > begin) as_buffer_char(out, ' ');
    as_buffer_append(out, run.text, run.length);
    space = false;
  }
  out->failed |= plain.failed;
  as_buffer_free(&plain);
}

as_status as_exact_match_normalized(as_context *ctx, as_string_view a, as_string_view b, bool *same) {
  as_buffer first, second;
  as_buffer_init(&first, ctx);
  as_buffer_init(&second, ctx);
  as_append_normalized(&first, a);
  as_append_normalized(&second, b);
  const bool failed = first.failed || second.failed;
  *same = as_exact_match((as_string_view){as_buffer_string(&first), first.length},
                         (as_string_view){as_buffer_string(&second), second.length});
  as_buffer_free(&first);
  as_buffer_free(&second);
  return failed ? AS_E_NOMEM : AS_OK;
}

as_status as_distinct_measure(as_context *ctx, const as_string_view *texts, size_t count, size_t n, as_distinct *out) {
  as_ngrams ngrams = {0};
  as_tokens tokens;
  *out = (as_distinct){0};
  if (n < 1) return as_fail(ctx, AS_E_INVALID, "distinct-n needs n of at least 1");
  as_tokens_init(&tokens, ctx);
  size_t *starts = as_alloc(ctx, count + 1, sizeof *starts);
  if (!starts) return AS_E_NOMEM;
  for (size_t s = 0; s < count; s++) {
    starts[s] = tokens.count;
    as_split_words(&tokens, texts[s]);
  }
  starts[count] = tokens.count;
  as_status status = as_tokens_status(&tokens);
  if (status == AS_OK) status = as_ngrams_of_tokens(ctx, &tokens, starts, count, &ngrams);
  if (status == AS_OK) {
    for (size_t order = 1; order < n && ngrams.distinct > 0; order++) as_ngrams_next(&ngrams);
    for (size_t s = 0; s < count; s++) out->total += as_ngrams_total(&ngrams, s);
    out->unique = out->total > 0 ? (int64_t)ngrams.distinct : 0;
    out->value = out->total > 0 ? (double)out->unique / (double)out->total : 0;
  }
  as_ngrams_free(&ngrams);
  as_free(ctx, starts);
  as_tokens_free(&tokens);
  return status;
}
