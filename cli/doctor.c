/* doctor: what the program found on this machine, and whether its arithmetic is right here. First everything is
 * gathered, then it is written: for a person or as JSON. */
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cli/command.h"
#include "cli/selftest.h"
#include "cli/version.h"
#include "config.h"

typedef struct findings {
  char model[128];     /* of the processor; "unknown" */
  char features[1024]; /* its instruction sets that matter to arithmetic, separated by blanks */
  int online, affinity;
  int usable; /* the affinity mask, lowered to the control group's quota */
  const as_kernels_f32 *chosen;
  as_machine_memory memory;
  uint64_t disk_free;
  as_library_version libraries[AS_LIBRARIES_MOST];
  size_t library_count;
  as_selftest_result tests[AS_SELFTESTS_MOST];
  size_t test_count;
  double gflops;
  bool ok;
} findings;

/* ---- gathering ---------------------------------------------------------------------------------------------- */

static bool has_word(const char *text, const char *word) {
  size_t length = strlen(word);
  for (const char *at = text; (at = strstr(at, word)); at += length)
    if ((at == text || at[-1] == ' ') && (at[length] == ' ' || at[length] == 0)) return true;
  return false;
}

/* Of the flags that Linux names for the processor those which kernels, present or to come, are made for. */
static void keep_features(const char *flags, char *features, size_t size) {
  static const char *const known[] = {"sse2",        "sse4_2",      "avx",      "avx2",     "fma",      "f16c",
                                      "avx_vnni",    "avx512f",     "avx512bw", "avx512dq", "avx512vl", "avx512_vnni",
                                      "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "asimd",
                                      "asimdhp",     "asimddp",     "bf16",     "i8mm",     "sve",      "sve2"};
  size_t used = 0;
  features[0] = 0;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (has_word(flags, known[i]) && used < size)
      used += (size_t)snprintf(features + used, size - used, "%s%s", used ? " " : "", known[i]);
}

static void read_processor(findings *f) {
  char line[8192];
  snprintf(f->model, sizeof f->model, "unknown");
  FILE *file = fopen("/proc/cpuinfo", "r");
  bool model = false, features = false;
  while (file && fgets(line, sizeof line, file) && !(model && features)) {
    char *value = strchr(line, ':');
    if (!value) continue;
    value += strspn(value, ": \t");
    value[strcspn(value, "\n")] = 0;
    if (!model && strncmp(line, "model name", 10) == 0) {
      snprintf(f->model, sizeof f->model, "%s", value);
      model = true;
    } else if (!features && (strncmp(line, "flags", 5) == 0 || strncmp(line, "Features", 8) == 0)) {
      keep_features(value, f->features, sizeof f->features);
      features = true;
    }
  }
  if (file) fclose(file);
}

static void read_processors(findings *f) {
  cpu_set_t set[64];
  f->online = (int)sysconf(_SC_NPROCESSORS_ONLN);
  f->affinity = sched_getaffinity(0, sizeof set, set) == 0 ? CPU_COUNT_S(sizeof set, set) : f->online;
  f->usable = as_default_threads();
}

static as_status gather(as_context *ctx, findings *f) {
  read_processor(f);
  read_processors(f);
  as_machine_memory_read(&f->memory);
  f->disk_free = as_disk_free(".");
  f->library_count = as_library_versions(f->libraries);
  as_status status = as_kernels_select(ctx, &f->chosen);
  if (status == AS_OK) status = as_selftest_run(ctx, f->chosen, f->tests, &f->test_count, &f->gflops);
  f->ok = true;
  for (size_t i = 0; i < f->test_count; i++) f->ok = f->ok && f->tests[i].ok;
  return status;
}

/* ---- for a person ------------------------------------------------------------------------------------------- */

static void put_bytes(as_buffer *out, uint64_t bytes) {
  if (bytes == UINT64_MAX)
    as_buffer_text(out, "no limit");
  else if (bytes >= UINT64_C(1) << 30)
    as_buffer_printf(out, "%.1f GiB", (double)bytes / 0x1p30);
  else
    as_buffer_printf(out, "%.0f MiB", (double)bytes / 0x1p20);
}

static void write_openblas(as_buffer *out, const char *features) {
  const char *config = as_openblas_config();
  if (!config) {
    as_buffer_text(out, "OpenBLAS      none in this build (bench kernels only compares with it)\n");
    return;
  }
  as_buffer_printf(out, "OpenBLAS      core %s, %d threads (bench kernels only compares with it)\n", as_openblas_core(),
                   as_openblas_threads());
  as_buffer_printf(out, "              %s\n", config);
  /* What it takes for a processor that it does not know; anybody who compares with it should know too. */
  if (strcmp(as_openblas_core(), "Prescott") == 0 && has_word(features, "avx2"))
    as_buffer_printf(out, "              slow kernels for this processor: OPENBLAS_CORETYPE=%s chooses better ones\n",
                     has_word(features, "avx512f") ? "SkylakeX" : "Haswell");
}

static void write_machine(as_buffer *out, const as_context *ctx, const findings *f) {
  as_buffer_printf(out, "version       %s, %s\n", PACKAGE_VERSION, as_compiler());
  as_buffer_printf(out, "processor     %s\n", f->model);
  as_buffer_printf(out, "features      %s\n", f->features);
  as_buffer_printf(out, "processors    %d online, %d in the affinity mask, %d after the quota\n", f->online,
                   f->affinity, f->usable);
  as_buffer_printf(out, "threads       %d\n", as_context_threads(ctx));
  as_buffer_printf(out, "kernels       %s chosen; built:", f->chosen->isa);
  const as_kernels_f32 *table;
  bool supported;
  for (size_t i = 0; (table = as_kernels_at(i, &supported)); i++)
    as_buffer_printf(out, "%s %s%s", i ? "," : "", table->isa, supported ? "" : " (not on this processor)");
  as_buffer_text(out, "\nmemory        ");
  put_bytes(out, f->memory.total);
  as_buffer_text(out, ", available ");
  put_bytes(out, f->memory.available);
  as_buffer_text(out, "; control group: ");
  put_bytes(out, f->memory.cgroup_limit);
  as_buffer_text(out, "\ndisk          ");
  put_bytes(out, f->disk_free);
  as_buffer_text(out, " free here\n");
  write_openblas(out, f->features);
  for (size_t i = 0; i < f->library_count; i++)
    as_buffer_printf(out, "%-13s %s %s\n", i ? "" : "libraries", f->libraries[i].name, f->libraries[i].version);
}

static void write_text(as_buffer *out, const as_context *ctx, const findings *f) {
  write_machine(out, ctx, f);
  for (size_t i = 0; i < f->test_count; i++) {
    const as_selftest_result *test = &f->tests[i];
    as_buffer_printf(out, "%-13s %-16s %s  ", i ? "" : "self-test", test->name, test->ok ? "OK  " : "FAIL");
    if (test->limit > 0)
      as_buffer_printf(out, "largest error %.1e, allowed %.1e\n", test->error, test->limit);
    else
      as_buffer_printf(out, "%s\n", test->ok ? "the same bits" : "other bits");
  }
  as_buffer_printf(out, "speed         matrix product %.1f GF/s with %d threads\n", f->gflops, as_context_threads(ctx));
  if (!f->ok)
    as_buffer_text(out, "\nThe self-test failed: don't trust results from this machine. ASSISTIFY_ISA=scalar may help\n"
                        "until the reason is found.\n");
}

/* ---- for a machine ------------------------------------------------------------------------------------------ */

/* null where there is no limit. */
static void json_bytes(as_json_writer *w, const char *key, uint64_t bytes) {
  if (bytes > INT64_MAX)
    as_json_null(w, key);
  else
    as_json_int(w, key, (int64_t)bytes);
}

static void json_kernels(as_json_writer *w, const findings *f) {
  const as_kernels_f32 *table;
  bool supported;
  as_json_open_object(w, "kernels");
  as_json_string(w, "chosen", f->chosen->isa);
  as_json_open_array(w, "built");
  for (size_t i = 0; (table = as_kernels_at(i, NULL)); i++) as_json_string(w, NULL, table->isa);
  as_json_close_array(w);
  as_json_open_array(w, "supported");
  for (size_t i = 0; (table = as_kernels_at(i, &supported)); i++)
    if (supported) as_json_string(w, NULL, table->isa);
  as_json_close_array(w);
  as_json_close_object(w);
}

static void json_machine(as_json_writer *w, const findings *f) {
  as_json_open_object(w, "processor");
  as_json_string(w, "model", f->model);
  as_json_string(w, "features", f->features);
  as_json_int(w, "online", f->online);
  as_json_int(w, "affinity", f->affinity);
  as_json_int(w, "usable", f->usable);
  as_json_close_object(w);
  as_json_open_object(w, "memory");
  json_bytes(w, "total", f->memory.total);
  json_bytes(w, "available", f->memory.available);
  json_bytes(w, "cgroup_limit", f->memory.cgroup_limit);
  as_json_close_object(w);
  json_bytes(w, "disk_free", f->disk_free);
  if (as_openblas_config()) {
    as_json_open_object(w, "openblas");
    as_json_string(w, "config", as_openblas_config());
    as_json_string(w, "core", as_openblas_core());
    as_json_int(w, "threads", as_openblas_threads());
    as_json_close_object(w);
  } else
    as_json_null(w, "openblas");
  as_json_open_object(w, "libraries");
  for (size_t i = 0; i < f->library_count; i++) as_json_string(w, f->libraries[i].name, f->libraries[i].version);
  as_json_close_object(w);
}

static void write_json(as_buffer *out, const as_context *ctx, const findings *f) {
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_json_bool(&w, "ok", f->ok);
  as_json_string(&w, "version", PACKAGE_VERSION);
  as_json_string(&w, "compiler", as_compiler());
  as_json_int(&w, "threads", as_context_threads(ctx));
  json_kernels(&w, f);
  json_machine(&w, f);
  as_json_open_array(&w, "tests");
  for (size_t i = 0; i < f->test_count; i++) {
    as_json_open_object(&w, NULL);
    as_json_string(&w, "name", f->tests[i].name);
    as_json_bool(&w, "ok", f->tests[i].ok);
    as_json_double(&w, "error", f->tests[i].error);
    as_json_double(&w, "limit", f->tests[i].limit);
    as_json_close_object(&w);
  }
  as_json_close_array(&w);
  as_json_double(&w, "gemm_gflops", f->gflops);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
}

/* ---- the command -------------------------------------------------------------------------------------------- */

/* clang-format off */
static const as_option rows[] = {
    {.name = "json", .type = AS_OPTION_FLAG, .help = "one JSON object"},
};
/* clang-format on */
static const as_option_group output = AS_OPTION_GROUP("Output", rows);
static const as_option_group *const groups[] = {&output, NULL};

static int run(as_cli *cli) {
  findings *f = as_alloc_zero(cli->ctx, 1, sizeof *f);
  if (!f) return as_cli_failed(cli, AS_E_NOMEM);
  as_status status = gather(cli->ctx, f);
  bool ok = f->ok;
  as_buffer text;
  as_buffer_init(&text, cli->ctx);
  if (status == AS_OK) {
    if (as_option_flag(cli->arguments, "json"))
      write_json(&text, cli->ctx, f);
    else
      write_text(&text, cli->ctx, f);
    as_console_buffer(cli->console, &text);
    status = as_buffer_status(&text);
  }
  as_buffer_free(&text);
  as_free(cli->ctx, f);
  if (status != AS_OK) return as_cli_failed(cli, status);
  return ok ? AS_EXIT_DONE : AS_EXIT_FAILED;
}

const as_command as_command_doctor = {
    .name = "doctor",
    .summary = "look at this machine and test the arithmetic on it",
    .description =
        "Prints what was found: processor and instruction sets, the kernels that were built and chosen, threads, "
        "memory and limits, disk, libraries. Then a test of about a second compares the kernels and the matrix product "
        "with a reference in double precision and looks whether the number of threads changes a bit. Ends with 1 if "
        "something is wrong.",
    .examples = "assistify doctor\nASSISTIFY_ISA=avx2 assistify doctor --json",
    .groups = groups,
    .run = run,
};
