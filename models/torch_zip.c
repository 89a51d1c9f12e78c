/* Members of the zip archives that torch.save writes. */
#include "models/torch_zip.h"

#include <stdio.h>
#include <string.h>
#include <zip.h>

#include "base/file.h"
#include "base/memory.h"

enum { MAX_NAME = 512 }; /* bytes of a member's name; torch makes it of the file's */

struct as_torch_zip {
  as_context *ctx;
  char *path;
  as_mapping mapping;
  zip_t *archive;
  char root[MAX_NAME]; /* "archive/": what all names begin with */
};

static as_status fail(const as_torch_zip *zip, const char *what) {
  return as_fail(zip->ctx, AS_E_MODEL, "%s: %s", zip->path, what);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* Says what a file is that is no zip. The old format begins with a pickle of torch's magic number. */
static as_status fail_not_zip(const as_torch_zip *zip) {
  static const unsigned char old[] = {0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
  const as_mapping *file = &zip->mapping;
  if (file->length >= sizeof old && memcmp(file->data, old, sizeof old) == 0)
    return fail(zip,
                "is in the format of torch before 1.6, which is not supported; load it with torch and save it again");
  if (file->length >= 2 && memcmp(file->data, "PK", 2) == 0)
    return fail(zip, "is a damaged or truncated zip archive; copy or download it again");
  return fail(zip, "is neither a zip archive nor a pickle of torch: not a file of weights");
}

static uint64_t number_at(const as_mapping *file, size_t at) {
  uint64_t number;
  memcpy(&number, file->data + at, sizeof number);
  return number;
}

/* libzip makes room for as many members as the archive's end record counts. A 64-bit count is compared here with how
 * many records the file has bytes for, at each place where libzip may find one. */
static bool count_is_possible(const as_mapping *file) {
  enum { END = 22, LOCATOR = 20, END64 = 56, RECORD = 46, MAX_COMMENT = 65535 };
  size_t lowest = file->length > END + MAX_COMMENT + LOCATOR ? file->length - END - MAX_COMMENT - LOCATOR : 0;
  for (size_t at = lowest; at + LOCATOR <= file->length; at++) {
    if (memcmp(file->data + at, "PK\6\7", 4) != 0) continue;
    uint64_t end64 = number_at(file, at + 8);
    if (file->length < END64 || end64 > file->length - END64) continue;
    if (number_at(file, (size_t)end64 + 24) > file->length / RECORD) return false;
    if (number_at(file, (size_t)end64 + 32) > file->length / RECORD) return false;
  }
  return true;
}

static as_status open_archive(as_torch_zip *zip) {
  zip_error_t error;
  if (zip->mapping.length < 4 || memcmp(zip->mapping.data, "PK\3\4", 4) != 0) return fail_not_zip(zip);
  if (!count_is_possible(&zip->mapping))
    return fail(zip, "is a damaged zip archive: it counts more members than it has bytes for");
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(zip->mapping.data, zip->mapping.length, 0, &error);
  if (source) zip->archive = zip_open_from_source(source, ZIP_RDONLY, &error);
  as_status status = AS_OK;
  if (!zip->archive) {
    zip_source_free(source);
    status = zip_error_code_zip(&error) == ZIP_ER_MEMORY
                 ? as_fail(zip->ctx, AS_E_NOMEM, "%s: out of memory while opening the archive", zip->path)
                 : fail_not_zip(zip);
  }
  zip_error_fini(&error);
  return status;
}

/* The root is the folder that has a data.pkl. */
static as_status find_root(as_torch_zip *zip) {
  static const char wanted[] = "data.pkl";
  zip_int64_t members = zip_get_num_entries(zip->archive, 0);
  for (zip_int64_t i = 0; i < members; i++) {
    const char *name = zip_get_name(zip->archive, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
    const char *slash = name ? strchr(name, '/') : NULL;
    if (!slash || strcmp(slash + 1, wanted) != 0) continue;
    if (strlen(name) >= MAX_NAME) return fail(zip, "is a zip archive with names that are too long");
    memcpy(zip->root, name, (size_t)(slash + 1 - name));
    return AS_OK;
  }
  return fail(zip, "is a zip archive without a data.pkl: not one that torch.save has written");
}

static as_status check_byte_order(as_torch_zip *zip) {
  unsigned char order[6];
  size_t size;
  int64_t member = as_torch_zip_find(zip, "byteorder");
  if (member < 0) return AS_OK; /* older torch */
  as_status status = as_torch_zip_size(zip, member, &size);
  if (status != AS_OK) return status;
  if (size != sizeof order) return fail(zip, "its member byteorder is not \"little\"");
  status = as_torch_zip_read(zip, member, order, size);
  if (status == AS_OK && memcmp(order, "little", sizeof order) != 0)
    status = fail(zip, "its member byteorder is not \"little\"");
  return status;
}

as_status as_torch_zip_open(as_context *ctx, const char *path, as_torch_zip **out) {
  *out = NULL;
  as_torch_zip *zip = as_alloc_zero(ctx, 1, sizeof *zip);
  if (!zip) return as_fail_prefix(ctx, AS_E_NOMEM, "%s", path);
  zip->ctx = ctx;
  zip->path = as_strdup(ctx, path);
  as_status status = zip->path ? as_file_map(ctx, path, AS_E_MODEL, &zip->mapping) : AS_E_NOMEM;
  if (status == AS_OK) status = open_archive(zip);
  if (status == AS_OK) status = find_root(zip);
  if (status == AS_OK) status = check_byte_order(zip);
  if (status == AS_OK)
    *out = zip;
  else
    as_torch_zip_close(zip);
  return status;
}

void as_torch_zip_close(as_torch_zip *zip) {
  if (!zip) return;
  as_context *ctx = zip->ctx;
  if (zip->archive) zip_discard(zip->archive);
  as_file_unmap(ctx, &zip->mapping);
  as_free(ctx, zip->path);
  as_free(ctx, zip);
}

/* ---- members ---------------------------------------------------------------------------------------------------- */

int64_t as_torch_zip_find(const as_torch_zip *zip, const char *name) {
  char path[2 * MAX_NAME];
  int length = snprintf(path, sizeof path, "%s%s", zip->root, name);
  return length < (int)sizeof path ? zip_name_locate(zip->archive, path, 0) : -1;
}

static as_status fail_member(const as_torch_zip *zip, int64_t member, const char *what) {
  const char *name = zip_get_name(zip->archive, (zip_uint64_t)member, ZIP_FL_ENC_RAW);
  return as_fail(zip->ctx, AS_E_MODEL, "%s: member %s of the zip archive: %s", zip->path, name ? name : "?", what);
}

as_status as_torch_zip_size(const as_torch_zip *zip, int64_t member, size_t *size) {
  /* Deflate's best is a match of 258 bytes in 2 bits. */
  enum { BEST_RATIO = 1032 };
  const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  zip_stat_t stat;
  if (zip_stat_index(zip->archive, (zip_uint64_t)member, 0, &stat) != 0 || (stat.valid & needed) != needed)
    return fail_member(zip, member, "it has no sizes");
  if (stat.encryption_method != ZIP_EM_NONE) return fail_member(zip, member, "it is encrypted");
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)
    return fail_member(zip, member, "it is compressed in a way that is not supported");
  if (stat.comp_size > zip->mapping.length) return fail_member(zip, member, "it is said to be larger than the file");
  if (stat.comp_method == ZIP_CM_STORE ? stat.size != stat.comp_size : stat.size / BEST_RATIO > stat.comp_size)
    return fail_member(zip, member, "it is said to unpack to an impossible size");
  *size = (size_t)stat.size;
  return AS_OK;
}

as_status as_torch_zip_read(const as_torch_zip *zip, int64_t member, unsigned char *bytes, size_t size) {
  zip_file_t *file = zip_fopen_index(zip->archive, (zip_uint64_t)member, 0);
  if (!file) return fail_member(zip, member, "its header is damaged or outside the file");
  zip_int64_t got = 1;
  size_t have = 0;
  while (have < size && (got = zip_fread(file, bytes + have, size - have)) > 0) have += (size_t)got;
  unsigned char beyond;
  if (got > 0) got = zip_fread(file, &beyond, 1); /* only at its end is the checksum compared */
  bool checksum = got < 0 && zip_error_code_zip(zip_file_get_error(file)) == ZIP_ER_CRC;
  zip_fclose(file);
  if (checksum)
    return fail_member(zip, member, "its checksum is wrong, so it is damaged; copy or download the file again");
  if (got < 0) return fail_member(zip, member, "it can't be unpacked, so it is damaged");
  if (have < size || got > 0) return fail_member(zip, member, "it is not as long as the archive says");
  return AS_OK;
}
