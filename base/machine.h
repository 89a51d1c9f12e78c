/* What this machine has: for messages, and to see before a long job whether it will fit. */
#ifndef AS_BASE_MACHINE_H
#define AS_BASE_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* Memory in bytes; UINT64_MAX where it can't be found out or where there is no limit. */
typedef struct as_machine_memory {
  uint64_t total;        /* of the machine */
  uint64_t cgroup_limit; /* the lowest limit of the control groups (v1 and v2) that this process is in */
  uint64_t available; /* what this process can have without swapping: the machine's and the groups' rest, the lower one;
                         files that are only cached count as free */
} as_machine_memory;
void as_machine_memory_read(as_machine_memory *out);

/* Bytes of a processor's second cache; 0 when that can't be found out. */
size_t as_second_cache_bytes(void);

/* The most physical memory, in bytes, that this process ever held since its program started; pages of files that it
 * maps count while they are in. 0 when that can't be found out. (getrusage's ru_maxrss is no substitute: it keeps what
 * the process held before exec, which is its parent's size.) */
uint64_t as_peak_resident_bytes(void);

#endif
