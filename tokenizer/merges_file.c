/* Reading and writing merge rules. */
#include "tokenizer/merges_file.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "tokenizer/fields.h"
#include "tokenizer/limits.h"

static const char VERSION[] = "#version";

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* A rule as it stands in a file. */
typedef struct rule_text {
  const char *left, *right;
  size_t left_length, right_length;
  size_t number;  /* of its line, or in its list */
  bool in_a_list; /* of tokenizer.json */
} rule_text;

enum { SHOWN = 60 }; /* bytes of a token in a message */

static int shown(size_t length) {
  return (int)(length < SHOWN ? length : SHOWN);
}

/* Where a rule stands, for messages. */
static const char *place(const rule_text *rule, char text[32]) {
  snprintf(text, 32, rule->in_a_list ? "merges[%zu]" : "line %zu", rule->number);
  return text;
}

/* Appends the rule. The trie's walk for the joined token goes through the left one. */
static as_status add_rule(as_loader *loader, as_bpe *bpe, const rule_text *rule) {
  const as_trie *trie = &loader->tokenizer->vocabulary.trie;
  char where[32];
  int32_t right_id = as_trie_get(trie, rule->right, rule->right_length);
  int64_t left = as_trie_node(trie, rule->left, rule->left_length);
  int32_t left_id = left < 0 || !trie->values ? -1 : trie->values[left];
  if (left_id < 0 || right_id < 0)
    return as_field_fail(loader, "", place(rule, where), "merges \"%.*s\", which is not in the vocabulary",
                         shown(left_id < 0 ? rule->left_length : rule->right_length),
                         left_id < 0 ? rule->left : rule->right);
  int64_t node = as_trie_walk(trie, (uint32_t)left, rule->right, rule->right_length);
  int32_t joined = node < 0 ? -1 : trie->values[node];
  if (joined < 0)
    return as_field_fail(loader, "", place(rule, where),
                         "merges \"%.*s\" and \"%.*s\" to what is not in the vocabulary", shown(rule->left_length),
                         rule->left, shown(rule->right_length), rule->right);
  return as_merge_table_add(&bpe->merges, left_id, right_id, joined);
}

/* "a b": two tokens and one space between them. */
static as_status read_text(as_loader *loader, as_bpe *bpe, rule_text rule, const char *text, size_t length) {
  const char *space = memchr(text, ' ', length);
  char where[32];
  rule.left = text;
  rule.left_length = space ? (size_t)(space - text) : 0;
  rule.right = space ? space + 1 : text;
  rule.right_length = space ? length - rule.left_length - 1 : 0;
  if (rule.left_length > 0 && rule.right_length > 0 && !memchr(rule.right, ' ', rule.right_length))
    return add_rule(loader, bpe, &rule);
  return as_field_fail(loader, "", place(&rule, where), "must be two tokens with a space between, but is \"%.*s\"",
                       shown(length), text);
}

static as_status read_item(as_loader *loader, as_bpe *bpe, rule_text rule, const json_t *item) {
  const json_t *left = json_array_get(item, 0), *right = json_array_get(item, 1);
  char where[32];
  if (json_is_string(item)) return read_text(loader, bpe, rule, json_string_value(item), json_string_length(item));
  if (json_array_size(item) != 2 || !json_is_string(left) || !json_is_string(right))
    return as_field_fail(loader, "", place(&rule, where), "must be two tokens");
  rule.left = json_string_value(left);
  rule.left_length = json_string_length(left);
  rule.right = json_string_value(right);
  rule.right_length = json_string_length(right);
  return add_rule(loader, bpe, &rule);
}

as_status as_read_merges_list(as_loader *loader, const json_t *model, as_bpe *bpe) {
  const json_t *list = json_object_get(model, "merges"), *item;
  size_t index;
  if (!json_is_array(list)) return as_field_fail(loader, "", "merges", "must be a list");
  json_array_foreach(list, index, item) {
    as_status status = read_item(loader, bpe, (rule_text){.number = index, .in_a_list = true}, item);
    if (status != AS_OK) return status;
  }
  return AS_OK;
}

as_status as_read_merges_txt(as_loader *loader, as_bpe *bpe) {
  char *text;
  size_t length, number = 1;
  as_status status = as_file_read(loader->ctx, loader->path, AS_MAX_TOKENIZER_FILE, AS_E_MODEL, &text, &length);
  if (status != AS_OK) return status;
  for (const char *line = text, *end = text + length, *stop; line < end && status == AS_OK; line = stop + 1, number++) {
    stop = memchr(line, '\n', (size_t)(end - line));
    if (!stop) stop = end;
    size_t size = (size_t)(stop - line);
    if (size > 0 && line[size - 1] == '\r') size--;
    if (number == 1 && strncmp(line, VERSION, strlen(VERSION)) == 0) continue;
    status = read_text(loader, bpe, (rule_text){.number = number}, line, size);
  }
  as_free(loader->ctx, text);
  return status;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

/* Appends the tokens of rule `index` with a space between. */
static void put_rule(const as_tokenizer *tokenizer, const as_bpe *bpe, size_t index, as_buffer *out) {
  const as_merge_rule *rule = &bpe->merges.rules[index];
  size_t length;
  const char *token = as_vocabulary_token(&tokenizer->vocabulary, rule->left, &length);
  as_buffer_append(out, token, length);
  as_buffer_char(out, ' ');
  token = as_vocabulary_token(&tokenizer->vocabulary, rule->right, &length);
  as_buffer_append(out, token, length);
}

static bool has_spaces(const as_tokenizer *tokenizer, const as_bpe *bpe) {
  for (size_t i = 0; i < bpe->merges.count; i++)
    if (strchr(as_vocabulary_token(&tokenizer->vocabulary, bpe->merges.rules[i].left, NULL), ' ') ||
        strchr(as_vocabulary_token(&tokenizer->vocabulary, bpe->merges.rules[i].right, NULL), ' '))
      return true;
  return false;
}

void as_write_merges_list(const as_tokenizer *tokenizer, const as_bpe *bpe, as_json_writer *writer) {
  bool pairs = has_spaces(tokenizer, bpe);
  as_buffer rule;
  as_buffer_init(&rule, tokenizer->ctx);
  as_json_open_array(writer, "merges");
  for (size_t i = 0; i < bpe->merges.count; i++) {
    const as_merge_rule *ids = &bpe->merges.rules[i];
    if (pairs) {
      as_json_open_array(writer, NULL);
      as_json_string(writer, NULL, as_vocabulary_token(&tokenizer->vocabulary, ids->left, NULL));
      as_json_string(writer, NULL, as_vocabulary_token(&tokenizer->vocabulary, ids->right, NULL));
      as_json_close_array(writer);
      continue;
    }
    as_buffer_clear(&rule);
    put_rule(tokenizer, bpe, i, &rule);
    as_json_string_n(writer, NULL, as_buffer_string(&rule), rule.length);
  }
  as_json_close_array(writer);
  if (rule.failed) writer->out->failed = true;
  as_buffer_free(&rule);
}

as_status as_save_merges_txt(const as_tokenizer *tokenizer, const as_bpe *bpe, const char *folder) {
  as_buffer out;
  as_buffer_init(&out, tokenizer->ctx);
  as_buffer_printf(&out, "%s: 0.2\n", VERSION);
  for (size_t i = 0; i < bpe->merges.count; i++) {
    put_rule(tokenizer, bpe, i, &out);
    as_buffer_char(&out, '\n');
  }
  as_status status = as_file_write_into(tokenizer->ctx, folder, "merges.txt", &out);
  as_buffer_free(&out);
  return status;
}
