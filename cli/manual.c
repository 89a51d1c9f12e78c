/* The manual page, from the table. */
#include <string.h>

#include "cli/command.h"
#include "config.h"

/* Text as roff takes it: a backslash and a hyphen are escaped, a line may not begin like a request, blanks at the start
 * of a line would break it. */
static void roff(as_buffer *out, const char *text) {
  bool fresh = out->length == 0 || out->data[out->length - 1] == '\n';
  for (; *text; text++) {
    if (fresh && (*text == '.' || *text == '\'')) as_buffer_text(out, "\\&");
    if (*text == '\\')
      as_buffer_text(out, "\\e");
    else if (*text == '-')
      as_buffer_text(out, "\\-");
    else if (*text == '\n' && text[1] == '\n') {
      as_buffer_text(out, "\n.PP");
      continue;
    } else
      as_buffer_char(out, *text);
    fresh = *text == '\n';
  }
}

static void line(as_buffer *out, const char *request, const char *text) {
  as_buffer_text(out, request);
  roff(out, text);
  as_buffer_char(out, '\n');
}

static void write_option(as_buffer *out, const as_option *option) {
  as_buffer text;
  as_buffer_init(&text, out->ctx);
  as_buffer_text(out, ".TP\n");
  if (option->short_name) as_buffer_printf(out, "\\fB\\-%c\\fR, ", option->short_name);
  as_buffer_text(&text, "--");
  as_buffer_text(&text, option->name);
  as_buffer_text(out, "\\fB");
  roff(out, as_buffer_string(&text));
  as_buffer_text(out, "\\fR");
  if (option->type != AS_OPTION_FLAG) {
    as_buffer_text(out, " \\fI");
    roff(out, option->argument ? option->argument : option->words);
    as_buffer_text(out, "\\fR");
  }
  as_buffer_char(out, '\n');
  as_buffer_clear(&text);
  as_buffer_text(&text, option->help);
  as_option_remarks(option, &text);
  line(out, "", as_buffer_string(&text));
  as_buffer_free(&text);
}

static void write_examples(as_buffer *out, const char *examples) {
  as_buffer_text(out, ".PP\n.nf\n");
  line(out, "", examples);
  as_buffer_text(out, ".fi\n");
}

static void write_command(as_buffer *out, const as_command_table *table, const as_command *command) {
  line(out, ".SS ", command->name);
  as_buffer_text(out, "\\fBassistify ");
  roff(out, command->name);
  as_buffer_text(out, "\\fR [\\fIoptions\\fR]");
  if (command->operands) {
    as_buffer_text(out, " \\fI");
    roff(out, command->operands);
    as_buffer_text(out, "\\fR");
  }
  as_buffer_text(out, "\n.PP\n");
  if (command->description)
    line(out, "", command->description);
  else {
    line(out, "", command->summary);
    as_buffer_text(out, "\\&.\n");
  }
  const as_option *option;
  for (size_t i = table->global->count; (option = as_command_option(table, command, i, NULL)); i++)
    write_option(out, option);
  if (command->examples) write_examples(out, command->examples);
}

static void write_configuration(as_buffer *out) {
  as_buffer_text(out, ".SH CONFIGURATION FILE\n");
  roff(
      out,
      "The file that --config or else the environment variable ASSISTIFY_CONFIG names, or else " AS_CONFIG_NAME
      " in the folder where the program runs, gives values to options: lines of the form 'key = value', the keys being "
      "the names of options without their dashes. A line '[train]' begins the keys of all commands whose first word is "
      "train, '[train intent]' those of one command, which win over the former. A key that no command knows is an "
      "error. '#' begins a comment. A value may be quoted with \"; within quotes \\\", \\\\, \\n and \\t have their "
      "usual meaning.\n");
  write_examples(out, "threads = 2\n[doctor]\njson = yes");
  as_buffer_text(out, ".PP\n");
  roff(out,
       "'assistify config show' tells what every option is set to and where that was said, 'assistify config check' "
       "whether a file is right, and 'assistify config example' prints one with every key.\n");
}

static void write_environment(as_buffer *out) {
  as_buffer_text(out, ".SH ENVIRONMENT\n");
  roff(out, "Every key of the configuration file can be set by a variable too: ASSISTIFY_BATCH_TOKENS for batch-tokens "
            "of every command, ASSISTIFY_TRAIN_EPOCHS for epochs of all commands whose first word is train, "
            "ASSISTIFY_TRAIN_INTENT_OUT for out of train intent; the longer name wins. The command line wins over the "
            "environment, which wins over the file. A variable that is set to nothing sets nothing.\n");
  for (const as_variable *at = as_variables; at->name; at++) {
    if (!at->help) continue;
    as_buffer_printf(out, ".TP\n%s\n", at->name);
    line(out, "", at->help);
  }
}

void as_manual_write(as_buffer *out, const as_command_table *table) {
  as_buffer_printf(out, ".TH ASSISTIFY 1 \"\" \"assistify %s\" \"User Commands\"\n", PACKAGE_VERSION);
  as_buffer_text(out, ".SH NAME\nassistify \\- train, evaluate and use models of customer messages\n"
                      ".SH SYNOPSIS\n\\fBassistify\\fR \\fIcommand\\fR [\\fIoptions\\fR] ...\n"
                      ".SH DESCRIPTION\n");
  roff(out, "Trains, evaluates and uses models of customer messages on the machine where the data lies: from a CSV "
            "file to an answer, with no other runtime and no network. Model folders have the layout that transformers "
            "reads and writes. Results go to standard output; progress, notes and warnings to standard error.\n");
  as_buffer_text(out, ".SH GLOBAL OPTIONS\nThey stand before or after the command.\n");
  for (size_t i = 0; i < table->global->count; i++) write_option(out, &table->global->options[i]);
  as_buffer_text(out, ".SH COMMANDS\n");
  for (const as_command *const *at = table->commands; *at; at++) write_command(out, table, *at);
  write_configuration(out);
  as_buffer_text(out, ".SH EXIT STATUS\n");
  for (const as_exit_code *at = as_exit_codes; at->text; at++) {
    as_buffer_printf(out, ".TP\n%d\n", at->code);
    line(out, "", at->text);
  }
  write_environment(out);
}
