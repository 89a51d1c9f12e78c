/* The tokenizers. A failed allocation ends up in the token list, so each function goes on to its end without checks. */
#include "eval/tokens.h"

#include <string.h>

#include "base/memory.h"
#include "eval/porter.h"

void as_tokens_init(as_tokens *tokens, as_context *ctx) {
  *tokens = (as_tokens){.ctx = ctx};
  as_buffer_init(&tokens->bytes, ctx);
}

void as_tokens_free(as_tokens *tokens) {
  as_free(tokens->ctx, tokens->ends);
  as_buffer_free(&tokens->bytes);
  as_tokens_init(tokens, tokens->ctx);
}

void as_tokens_add(as_tokens *tokens, as_string_view token) {
  size_t *ends =
      tokens->failed ? NULL : as_grow(tokens->ctx, tokens->ends, &tokens->capacity, tokens->count + 1, sizeof *ends);
  if (!ends) {
    tokens->failed = true;
    return;
  }
  tokens->ends = ends;
  as_buffer_append(&tokens->bytes, token.text, token.length);
  tokens->ends[tokens->count++] = tokens->bytes.length;
}

as_string_view as_tokens_at(const as_tokens *tokens, size_t index) {
  const size_t start = index == 0 ? 0 : tokens->ends[index - 1];
  return (as_string_view){as_buffer_string(&tokens->bytes) + start, tokens->ends[index] - start};
}

as_status as_tokens_status(const as_tokens *tokens) {
  return tokens->failed ? AS_E_NOMEM : as_buffer_status(&tokens->bytes);
}

/* ---- white space ----------------------------------------------------------------------------------------------- */

/* The next run without white space; empty at the end of the text. */
static as_string_view next_word(as_string_view *rest) {
  as_string_view word = {rest->text, 0};
  while (rest->length > 0) {
    const char *start = rest->text;
    if (!as_is_space(as_next_code_point(rest))) {
      if (word.length == 0) word.text = start;
      word.length = (size_t)(rest->text - word.text);
    } else if (word.length > 0) {
      break;
    }
  }
  return word;
}

void as_split_words(as_tokens *out, as_string_view text) {
  for (as_string_view word = next_word(&text); word.length > 0; word = next_word(&text)) as_tokens_add(out, word);
}

void as_tokenize_chrf(as_tokens *out, as_string_view text) {
  for (as_string_view word = next_word(&text); word.length > 0; word = next_word(&text)) {
    const size_t last = word.length - 1;
    if (last > 0 && as_is_ascii_punctuation((unsigned char)word.text[last])) {
      as_tokens_add(out, (as_string_view){word.text, last});
      as_tokens_add(out, (as_string_view){word.text + last, 1});
    } else if (last > 0 && as_is_ascii_punctuation((unsigned char)word.text[0])) {
      as_tokens_add(out, (as_string_view){word.text, 1});
      as_tokens_add(out, (as_string_view){word.text + 1, last});
    } else {
      as_tokens_add(out, word);
    }
  }
}

/* ---- 13a ------------------------------------------------------------------------------------------------------- */

/* str.replace of `from` by `to` in `text`, appended to `out`. */
static void replace(as_buffer *out, as_string_view text, const char *from, const char *to) {
  const size_t length = strlen(from);
  while (text.length > 0) {
    const bool here = text.length >= length && memcmp(text.text, from, length) == 0;
    const size_t step = here ? length : 1;
    if (here) {
      as_buffer_text(out, to);
    } else {
      as_buffer_char(out, *text.text);
    }
    text.text += step;
    text.length -= step;
  }
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
static bool is_stop(char c) {
  return c == '.' || c == ',';
}

/* The marks that always stand alone: all of ASCII's but the apostrophe, comma, hyphen and full stop. */
static bool stands_alone(char c) {
  return c == ' ' || (as_is_ascii_punctuation((unsigned char)c) && c != '\'' && c != '-' && !is_stop(c));
}

static void put(as_buffer *out, const char *before, char c, const char *after) {
  as_buffer_text(out, before);
  as_buffer_char(out, c);
  as_buffer_text(out, after);
}

/* The four substitutions of the regular expressions, each over the whole text and from left to right without overlap,
 * as re.sub does it. They only look at ASCII, so bytes will do: a byte of a longer sequence is simply no digit. */
static void separate_marks(as_buffer *out, as_string_view in) {
  for (size_t i = 0; i < in.length; i++) {
    if (stands_alone(in.text[i])) {
      put(out, " ", in.text[i], " ");
    } else {
      as_buffer_char(out, in.text[i]);
    }
  }
}

/* ([^0-9])([\.,]) -> \1 \2_ */
static void separate_stop_after_no_digit(as_buffer *out, as_string_view in) {
  for (size_t i = 0; i < in.length; i++) {
    as_buffer_char(out, in.text[i]);
    if (i + 1 < in.length && !is_digit(in.text[i]) && is_stop(in.text[i + 1])) put(out, " ", in.text[++i], " ");
  }
}

/* ([\.,])([^0-9]) -> _\1 \2 */
static void separate_stop_before_no_digit(as_buffer *out, as_string_view in) {
  for (size_t i = 0; i < in.length; i++) {
    if (i + 1 < in.length && is_stop(in.text[i]) && !is_digit(in.text[i + 1])) {
      put(out, " ", in.text[i], " ");
      i++;
    }
    as_buffer_char(out, in.text[i]);
  }
}

/* ([0-9])(-) -> \1 \2_ */
static void separate_hyphen_after_digit(as_buffer *out, as_string_view in) {
  for (size_t i = 0; i < in.length; i++) {
    as_buffer_char(out, in.text[i]);
    if (i + 1 < in.length && is_digit(in.text[i]) && in.text[i + 1] == '-') put(out, " ", in.text[++i], " ");
  }
}

static as_string_view view_of_buffer(const as_buffer *buffer) {
  return (as_string_view){as_buffer_string(buffer), buffer->length};
}

/* A text on its way through substitutions: each reads `now` and writes `next`. */
typedef struct pipeline {
  as_buffer now, next;
  bool failed; /* an allocation failed on the way */
} pipeline;

static void end_step(pipeline *p) {
  const as_buffer done = p->next;
  p->failed |= done.failed;
  p->next = p->now;
  p->now = done;
  as_buffer_clear(&p->next);
}

static void decode_13a(pipeline *p) {
  static const char *const replacements[][2] = {{"<skipped>", ""}, {"-\n", ""},   {"\n", " "},  {"&quot;", "\""},
                                                {"&amp;", "&"},    {"&lt;", "<"}, {"&gt;", ">"}};
  for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++) {
    replace(&p->next, view_of_buffer(&p->now), replacements[i][0], replacements[i][1]);
    end_step(p);
  }
}

static void separate_13a(pipeline *p) {
  static void (*const substitutions[])(as_buffer *, as_string_view) = {
      separate_marks, separate_stop_after_no_digit, separate_stop_before_no_digit, separate_hyphen_after_digit};
  for (size_t i = 0; i < sizeof substitutions / sizeof *substitutions; i++) {
    substitutions[i](&p->next, view_of_buffer(&p->now));
    end_step(p);
  }
}

void as_tokenize_13a(as_tokens *out, as_string_view text, bool lower) {
  pipeline p = {.failed = false};
  as_buffer_init(&p.now, out->ctx);
  as_buffer_init(&p.next, out->ctx);
  if (lower) {
    as_append_lower(&p.next, text);
    end_step(&p);
    text = view_of_buffer(&p.now);
  }
  text = as_strip_end(text);
  as_buffer_append(&p.next, text.text, text.length);
  end_step(&p);
  decode_13a(&p);
  as_buffer_char(&p.next, ' ');
  as_buffer_append(&p.next, as_buffer_string(&p.now), p.now.length);
  as_buffer_char(&p.next, ' ');
  end_step(&p);
  separate_13a(&p);
  as_split_words(out, view_of_buffer(&p.now));
  out->failed |= p.failed;
  as_buffer_free(&p.now);
  as_buffer_free(&p.next);
}

/* ---- rouge ----------------------------------------------------------------------------------------------------- */

static bool is_rouge_letter(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c);
}

static void add_stem(as_tokens *out, as_string_view token) {
  as_buffer stem;
  as_buffer_init(&stem, out->ctx);
  as_porter_stem(&stem, token.text, token.length);
  out->failed |= stem.failed;
  if (stem.length > 0) as_tokens_add(out, view_of_buffer(&stem));
  as_buffer_free(&stem);
}

void as_tokenize_rouge(as_tokens *out, as_string_view text, bool stemmer) {
  as_buffer lower;
  as_buffer_init(&lower, out->ctx);
  as_append_lower(&lower, text);
  out->failed |= lower.failed;
  const as_string_view in = view_of_buffer(&lower);
  for (size_t start = 0, end = 0; start < in.length; start = end) {
    for (end = start; end < in.length && is_rouge_letter(in.text[end]);) end++;
    const as_string_view token = {in.text + start, end - start};
    if (token.length > 3 && stemmer) {
      add_stem(out, token);
    } else if (token.length > 0) {
      as_tokens_add(out, token);
    }
    if (token.length == 0) end++;
  }
  as_buffer_free(&lower);
}
