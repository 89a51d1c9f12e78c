/* The golden files of a tokenizer as test cases, for the programs golden_wordpiece, golden_bpe and golden_unigram. */
#ifndef AS_TESTS_TOKENIZER_GOLDEN_H
#define AS_TESTS_TOKENIZER_GOLDEN_H

#include "base/json.h"
#include "tests/harness.h"
#include "tokenizer/stages.h"
#include "tokenizer/trainer.h"

/* Made by open_golden or train_on_corpus, freed by close_golden. */
extern as_context *ctx;
extern as_tokenizer *tokenizer;
extern as_encoding encoding;

/* Opens the tokenizer at `path`; `name` is what the golden files call it. */
void open_golden(const char *name, const char *path);
void close_golden(void);

/* A text of lines, each ended by a new line, and where the next one begins: the user of as_next_line. */
typedef struct as_lines_source {
  char *text, *at;
  size_t length;
} as_lines_source;
as_status as_next_line(void *user, const char **text, size_t *length);

/* Trains on the lines of a golden file. */
void train_on(const char *file, as_status (*train)(as_text_source next, void *user, as_tokenizer **out));
/* The same for tokenizer_training/corpus.txt. */
void train_on_corpus(as_status (*train)(as_text_source next, void *user, as_tokenizer **out));

/* Calls `check` for each line of a golden file; returns how many there were. */
size_t each_row(const char *file, void (*check)(const json_t *row));
/* A whole golden file; freed with json_decref. */
json_t *read_json(const char *file);
void encode_row(const json_t *row, const as_encode_options *options);
/* That the trained tokenizer gives the row's ids, without special tokens. */
void check_trained(const json_t *row);

/* A test case between `setup`, which calls open_golden or train_on_corpus, and close_golden. */
TCase *golden_case(const char *name, void (*setup)(void));
/* Texts and invalid UTF-8, of which there are files for every tokenizer, and the given ones of the other files. */
enum { GOLDEN_PAIRS = 1, GOLDEN_TRUNCATION = 2, GOLDEN_DECODING = 4 };
void add_golden_parts(Suite *suite, const char *name, void (*setup)(void), unsigned parts);
/* All of them. */
void add_golden_texts(Suite *suite, const char *name, void (*setup)(void));

#endif
