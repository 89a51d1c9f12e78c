/* Reading a data file's bytes. A regular file is looked through once (its first 64 MiB) for its encoding before it is
 * read; of a pipe only what its first read gives is known, since waiting for more would keep an interactive writer
 * waiting. */
#include "data/csv_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { BLOCK_BYTES = 1 << 17, FIRST_LOOK_BYTES = 4096 };
static const uint64_t survey_limit = UINT64_C(64) << 20;

static as_status read_some(as_csv_source *source, unsigned char *bytes, size_t room, size_t *got) {
  for (;;) {
    ssize_t n = read(source->fd, bytes, room);
    if (n >= 0) {
      *got = (size_t)n;
      return AS_OK;
    }
    if (errno == EINTR) continue;
    return as_fail(source->ctx, AS_E_DATA, "%s: cannot be read: %s", source->name, strerror(errno));
  }
}

/* Fills the start of the block: up to the first line end, FIRST_LOOK_BYTES or the end of a stream that can't be
 * rewound. */
static as_status read_ahead(as_csv_source *source) {
  while (source->length < FIRST_LOOK_BYTES && !memchr(source->block, '\n', source->length)) {
    size_t got;
    as_status status = read_some(source, source->block + source->length, BLOCK_BYTES - source->length, &got);
    if (status != AS_OK) return status;
    source->length += got;
    if (got == 0) {
      source->ended = true;
      break;
    }
  }
  as_sha256_update(&source->hash, source->block, source->length);
  return AS_OK;
}

static as_status survey_file(as_csv_source *source, off_t start, as_encoding_survey *survey) {
  size_t got = 1;
  while (got > 0 && survey->bytes < survey_limit) {
    as_status status = read_some(source, source->block, BLOCK_BYTES, &got);
    if (status != AS_OK) return status;
    as_encoding_survey_add(survey, source->block, got);
  }
  if (lseek(source->fd, start, SEEK_SET) != start)
    return as_fail(source->ctx, AS_E_DATA, "%s: cannot be rewound: %s", source->name, strerror(errno));
  return AS_OK;
}

static bool is_utf16(as_text_encoding encoding) {
  return encoding == AS_ENCODING_UTF_16LE || encoding == AS_ENCODING_UTF_16BE;
}

static as_status refuse_encoding(as_csv_source *source, as_text_encoding detected, const as_encoding_survey *survey) {
  if (detected == AS_ENCODING_UTF_32)
    return as_fail(source->ctx, AS_E_DATA, "%s: line 1: the file is in UTF-32, which is not read; save it as UTF-8",
                   source->name);
  if (detected == AS_ENCODING_WINDOWS_1252)
    return as_fail(
        source->ctx, AS_E_DATA,
        "%s: line %llu: the file is not UTF-8 but looks like Windows-1252 (%llu such bytes): convert it with "
        "--encoding windows-1252; or, if it is UTF-8 with damaged rows, say --encoding utf-8",
        source->name, (unsigned long long)survey->first_invalid_line, (unsigned long long)survey->invalid);
  return as_fail(source->ctx, AS_E_DATA, "%s: line 1: the file is in %s, not UTF-8: convert it with --encoding %s",
                 source->name, detected == AS_ENCODING_UTF_16LE ? "UTF-16LE" : "UTF-16BE", as_encoding_name(detected));
}

/* What the file will be read as, given what was asked for and what it looks like. */
static as_status settle_encoding(as_csv_source *source, as_text_encoding wanted, const as_encoding_survey *survey,
                                 size_t *bom, as_text_encoding *out) {
  as_text_encoding detected = as_encoding_detect(survey, bom);
  bool wide = is_utf16(detected) || detected == AS_ENCODING_UTF_32;
  *out = wanted;
  if (wanted == AS_ENCODING_AUTO || wanted == AS_ENCODING_UTF_8) {
    *out = AS_ENCODING_UTF_8;
    if (wide || (wanted == AS_ENCODING_AUTO && detected != AS_ENCODING_UTF_8))
      return refuse_encoding(source, detected, survey);
    return AS_OK;
  }
  if (wanted == AS_ENCODING_UTF_16 || is_utf16(wanted)) {
    size_t head = survey->bytes < sizeof survey->head ? (size_t)survey->bytes : sizeof survey->head;
    if (wanted == AS_ENCODING_UTF_16) *out = is_utf16(detected) ? detected : AS_ENCODING_UTF_16LE;
    if (is_utf16(detected) ? detected == *out : *bom == 0 && (head == 0 || memchr(survey->head, 0, head))) return AS_OK;
    return as_fail(source->ctx, AS_E_DATA, "%s: line 1: --encoding %s was asked for, but the file looks like %s",
                   source->name, as_encoding_name(wanted), as_encoding_name(detected));
  }
  if (wide || *bom > 0)
    return as_fail(source->ctx, AS_E_DATA, "%s: line 1: --encoding %s was asked for, but the file is in %s",
                   source->name, as_encoding_name(wanted), as_encoding_name(detected));
  if (survey->valid > 0 && survey->invalid == 0)
    as_warn(source->ctx, "%s: read as %s as asked, though all of it is valid UTF-8 with %llu characters beyond ASCII",
            source->name, as_encoding_name(wanted), (unsigned long long)survey->valid);
  return AS_OK;
}

static as_status start(as_csv_source *source, as_text_encoding wanted) {
  as_encoding_survey survey;
  as_encoding_survey_start(&survey);
  struct stat about;
  if (fstat(source->fd, &about) != 0)
    return as_fail(source->ctx, AS_E_DATA, "%s: cannot be read: %s", source->name, strerror(errno));
  if (S_ISDIR(about.st_mode)) return as_fail(source->ctx, AS_E_DATA, "%s: is a folder, not a data file", source->name);
  source->block = as_alloc(source->ctx, BLOCK_BYTES, 1);
  if (!source->block) return AS_E_NOMEM;
  as_status status = AS_OK;
  off_t offset = lseek(source->fd, 0, SEEK_CUR);
  if (offset >= 0 && S_ISREG(about.st_mode)) {
    status = survey_file(source, offset, &survey);
  } else {
    status = read_ahead(source);
    as_encoding_survey_add(&survey, source->block, source->length);
  }
  if (status != AS_OK) return status;

  size_t bom;
  as_text_encoding encoding;
  status = settle_encoding(source, wanted, &survey, &bom, &encoding);
  if (status != AS_OK) return status;
  source->converting = encoding != AS_ENCODING_UTF_8;
  as_decoder_start(&source->decoder, encoding);
  while (source->length < bom) { /* only a regular file has not been read ahead */
    size_t got;
    status = read_some(source, source->block + source->length, bom - source->length, &got);
    if (status != AS_OK) return status;
    if (got == 0) return as_fail(source->ctx, AS_E_DATA, "%s: became shorter while it was read", source->name);
    as_sha256_update(&source->hash, source->block + source->length, got);
    source->length += got;
  }
  source->start = bom;
  source->length -= bom;
  return AS_OK;
}

static as_status open_named(as_csv_source *source, as_context *ctx, int fd, bool owned, const char *name,
                            as_text_encoding wanted) {
  memset(source, 0, sizeof *source);
  source->ctx = ctx;
  source->fd = fd;
  source->owned = owned;
  as_buffer_init(&source->converted, ctx);
  as_sha256_start(&source->hash);
  source->name = as_strdup(ctx, name);
  as_status status = source->name ? start(source, wanted) : AS_E_NOMEM;
  if (status != AS_OK) as_csv_source_close(source);
  return status;
}

as_status as_csv_source_open_fd(as_csv_source *source, as_context *ctx, int fd, const char *name,
                                as_text_encoding wanted) {
  return open_named(source, ctx, fd, false, name, wanted);
}

as_status as_csv_source_open(as_csv_source *source, as_context *ctx, const char *path, as_text_encoding wanted) {
  memset(source, 0, sizeof *source);
  if (strcmp(path, "-") == 0) return open_named(source, ctx, STDIN_FILENO, false, "standard input", wanted);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return as_fail(ctx, AS_E_DATA, "%s: cannot be opened: %s", path, strerror(errno));
  return open_named(source, ctx, fd, true, path, wanted);
}

as_status as_csv_source_next(as_csv_source *source, const unsigned char **bytes, size_t *length) {
  *length = 0;
  do {
    if (source->length == 0 && !source->ended) {
      source->start = 0;
      as_status status = read_some(source, source->block, BLOCK_BYTES, &source->length);
      if (status != AS_OK) return status;
      source->ended = source->length == 0;
      as_sha256_update(&source->hash, source->block, source->length);
    }
    *bytes = source->block + source->start;
    *length = source->length;
    source->length = 0;
    if (!source->converting) return AS_OK;
    if (source->finished) return AS_OK;
    as_buffer_clear(&source->converted);
    source->finished = source->ended && *length == 0;
    as_decoder_convert(&source->decoder, *bytes, *length, source->finished, &source->converted);
    if (source->converted.failed) return AS_E_NOMEM;
    *bytes = (const unsigned char *)as_buffer_string(&source->converted);
    *length = source->converted.length;
  } while (*length == 0 && !source->finished); /* half a unit of UTF-16 gives nothing yet */
  return AS_OK;
}

void as_csv_source_close(as_csv_source *source) {
  if (!source->ctx) return;
  if (source->owned) close(source->fd);
  as_buffer_free(&source->converted);
  as_free(source->ctx, source->block);
  as_free(source->ctx, source->name);
  memset(source, 0, sizeof *source);
}
