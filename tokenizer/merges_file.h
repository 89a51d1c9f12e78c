/* Merge rules in files: the list of tokenizer.json, and merges.txt, a rule a line. */
#ifndef AS_TOKENIZER_MERGES_FILE_H
#define AS_TOKENIZER_MERGES_FILE_H

#include "tokenizer/bpe.h"

/* Fills bpe->merges from the member "merges" of a model: "a b", or ["a", "b"]. The vocabulary is complete. */
AS_MUST_CHECK as_status as_read_merges_list(as_loader *loader, const json_t *model, as_bpe *bpe);
/* Writes that member: as texts, which every release of the reference reads, unless a token has a space in it. */
void as_write_merges_list(const as_tokenizer *tokenizer, const as_bpe *bpe, as_json_writer *writer);

/* Fills bpe->merges from the file loader->path: "a b" a line, the first of which may be "#version ...". */
AS_MUST_CHECK as_status as_read_merges_txt(as_loader *loader, as_bpe *bpe);
/* Writes merges.txt into a folder. */
AS_MUST_CHECK as_status as_save_merges_txt(const as_tokenizer *tokenizer, const as_bpe *bpe, const char *folder);

#endif
