/* Writes what is made from the table of commands into a folder: the manual pages and the completion scripts. Run by the
 * build, not installed. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/command.h"

static as_status write_manual(as_context *ctx, const char *folder, const as_command *command) {
  char name[AS_MANUAL_NAME + 8];
  as_buffer page;
  as_buffer_init(&page, ctx);
  as_manual_name(command, name, AS_MANUAL_NAME);
  strcat(name, ".1");
  as_manual_write(&page, &as_commands, command);
  as_status status = as_file_write_into(ctx, folder, name, &page);
  as_buffer_free(&page);
  return status;
}

static as_status write_completion(as_context *ctx, const char *folder, const char *shell, const char *name) {
  as_buffer script;
  as_buffer_init(&script, ctx);
  as_completion_write(&script, &as_commands, shell);
  as_status status = as_file_write_into(ctx, folder, name, &script);
  as_buffer_free(&script);
  return status;
}

int main(int argc, char **argv) {
  as_context *ctx;
  if (argc != 2 || as_context_new(&ctx, NULL) != AS_OK) return 2;
  const char *folder = argv[1];
  as_status status = as_make_folders(ctx, folder);
  if (status == AS_OK) status = write_manual(ctx, folder, NULL);
  for (const as_command *const *at = as_commands.commands; *at && status == AS_OK; at++)
    status = write_manual(ctx, folder, *at);
  if (status == AS_OK) status = write_completion(ctx, folder, "bash", "assistify");
  if (status == AS_OK) status = write_completion(ctx, folder, "zsh", "_assistify");
  if (status == AS_OK) status = write_completion(ctx, folder, "fish", "assistify.fish");
  if (status != AS_OK) fprintf(stderr, "write_pages: %s\n", as_error_text(ctx));
  as_context_free(ctx);
  return status == AS_OK ? 0 : 1;
}
