/* Reading members of tokenizer.json with errors that name the file and the member. `where` is the path of the object
 * below loader->where, "" for the component's own. A member that is absent or null leaves *value as it is. */
#ifndef AS_TOKENIZER_FIELDS_H
#define AS_TOKENIZER_FIELDS_H

#include "tokenizer/stages.h"

/* AS_E_MODEL: "FILE: component.where.key TEXT". */
as_status as_field_fail(const as_loader *loader, const char *where, const char *key, const char *format, ...)
    AS_PRINTF(4, 5);

AS_MUST_CHECK as_status as_field_bool(const as_loader *loader, const json_t *object, const char *where, const char *key,
                                      bool *value);
/* An integer in [low, high]. */
AS_MUST_CHECK as_status as_field_int(const as_loader *loader, const json_t *object, const char *where, const char *key,
                                     int64_t low, int64_t high, int64_t *value);
/* A text without NUL, borrowed from the document. */
AS_MUST_CHECK as_status as_field_string(const as_loader *loader, const json_t *object, const char *where,
                                        const char *key, const char **value);
/* The object itself must be one. */
AS_MUST_CHECK as_status as_field_object(const as_loader *loader, const json_t *json, const char *where);

#endif
