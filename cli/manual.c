/* The manual pages, from the table: assistify(1), and one for each command. */
#include <ctype.h>
#include <stdio.h>
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

static void in_font(as_buffer *out, const char *font, const char *text) {
  as_buffer_printf(out, "\\f%s", font);
  roff(out, text);
  as_buffer_text(out, "\\fR");
}

static void write_option(as_buffer *out, const as_option *option) {
  as_buffer text;
  as_buffer_init(&text, out->ctx);
  as_buffer_text(out, ".TP\n");
  if (option->short_name) as_buffer_printf(out, "\\fB\\-%c\\fR, ", option->short_name);
  as_buffer_printf(&text, "--%s", option->name);
  in_font(out, "B", as_buffer_string(&text));
  if (option->type != AS_OPTION_FLAG) {
    as_buffer_char(out, ' ');
    in_font(out, "I", option->argument ? option->argument : option->words);
  } else if (option->words) {
    as_buffer_text(out, "[=");
    in_font(out, "I", option->words);
    as_buffer_char(out, ']');
  }
  as_buffer_char(out, '\n');
  as_buffer_clear(&text);
  as_buffer_text(&text, option->help);
  as_option_remarks(option, &text);
  line(out, "", as_buffer_string(&text));
  if (text.failed) out->failed = true;
  as_buffer_free(&text);
}

static void write_examples(as_buffer *out, const char *examples) {
  as_buffer_text(out, ".nf\n");
  line(out, "", examples);
  as_buffer_text(out, ".fi\n");
}

void as_manual_name(const as_command *command, char *name, size_t size) {
  snprintf(name, size, "assistify%s%s", command ? "-" : "", command ? command->name : "");
  for (char *at = name; *at; at++)
    if (*at == ' ') *at = '-';
}

/* "assistify\-train\-intent(1)" */
static void write_reference(as_buffer *out, const as_command *command) {
  char name[AS_MANUAL_NAME];
  as_manual_name(command, name, sizeof name);
  in_font(out, "B", name);
  as_buffer_text(out, "(1)");
}

static void write_title(as_buffer *out, const as_command *command, const char *summary) {
  char name[AS_MANUAL_NAME];
  as_manual_name(command, name, sizeof name);
  as_buffer_text(out, ".TH ");
  for (const char *at = name; *at; at++) {
    const char letter[2] = {(char)toupper((unsigned char)*at), 0};
    roff(out, letter);
  }
  as_buffer_printf(out, " 1 \"\" \"assistify %s\" \"User Commands\"\n.SH NAME\n", PACKAGE_VERSION);
  roff(out, name);
  line(out, " \\- ", summary);
}

/* ---- the page of a command -------------------------------------------------------------------------------------- */

static void write_synopsis(as_buffer *out, const as_command *command) {
  as_buffer_text(out, ".SH SYNOPSIS\n\\fBassistify ");
  roff(out, command->name);
  as_buffer_text(out, "\\fR [\\fIoptions\\fR]");
  if (command->operands) {
    as_buffer_char(out, ' ');
    in_font(out, "I", command->operands);
  }
  as_buffer_char(out, '\n');
}

static void write_description(as_buffer *out, const as_command *command) {
  as_buffer_text(out, ".SH DESCRIPTION\n");
  if (command->description) {
    line(out, "", command->description);
    return;
  }
  as_buffer_char(out, (char)toupper((unsigned char)command->summary[0]));
  roff(out, command->summary + 1);
  as_buffer_text(out, ".\n");
}

static void write_options(as_buffer *out, const as_command_table *table, const as_command *command) {
  const as_option_group *group, *before = NULL;
  const as_option *option;
  for (size_t i = table->global->count; (option = as_command_option(table, command, i, &group)); i++) {
    if (!before) as_buffer_text(out, ".SH OPTIONS\n");
    if (group != before) line(out, ".SS ", group->title);
    before = group;
    write_option(out, option);
  }
  as_buffer_text(out, ".SH GLOBAL OPTIONS\n");
  for (size_t i = 0; i < table->global->count; i++)
    if (!table->global->options[i].instead_of_command) write_option(out, &table->global->options[i]);
}

/* assistify(1), the others of the family, and the formats. */
static void write_relatives(as_buffer *out, const as_command_table *table, const as_command *command) {
  const size_t family = strcspn(command->name, " ");
  as_buffer_text(out, ".SH SEE ALSO\n");
  write_reference(out, NULL);
  for (const as_command *const *at = table->commands; *at; at++) {
    if (*at == command || !as_command_in_family(*at, command->name, family)) continue;
    as_buffer_text(out, ",\n");
    write_reference(out, *at);
  }
  as_buffer_text(out, ",\n\\fBassistify\\-formats\\fR(5)\n");
}

static void write_page(as_buffer *out, const as_command_table *table, const as_command *command) {
  write_title(out, command, command->summary);
  write_synopsis(out, command);
  write_description(out, command);
  write_options(out, table, command);
  if (command->examples) {
    as_buffer_text(out, ".SH EXAMPLES\n");
    write_examples(out, command->examples);
  }
  as_buffer_text(out, ".SH EXIT STATUS\n");
  roff(out, "0 when it is done; the other codes are in ");
  write_reference(out, NULL);
  as_buffer_text(out, ".\n");
  write_relatives(out, table, command);
}

/* ---- assistify(1) ----------------------------------------------------------------------------------------------- */

static void write_configuration(as_buffer *out) {
  as_buffer_text(out, ".SH CONFIGURATION FILE\n");
  roff(out,
       "The file that --config or else the environment variable ASSISTIFY_CONFIG names, or else " AS_CONFIG_NAME
       " in the folder where the program runs, gives values to options: lines of the form 'key = value', the keys "
       "being the names of options without their dashes. A line '[train]' begins the keys of all commands whose first "
       "word is train, '[train intent]' those of one command, which win over the former. A key that no command knows "
       "is an error. '#' begins a comment. A value may be quoted with \"; within quotes \\\", \\\\, \\n and \\t have "
       "their usual meaning.\n");
  as_buffer_text(out, ".PP\n");
  write_examples(out, "threads = 2\n[doctor]\njson = yes");
  as_buffer_text(out, ".PP\n");
  roff(out, "'assistify config show' tells what every option is set to and where that was said, 'assistify config "
            "check' whether a file is right, and 'assistify config example' prints one with every key.\n");
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

static void write_main_page(as_buffer *out, const as_command_table *table) {
  write_title(out, NULL, "train, evaluate and use models of customer messages");
  as_buffer_text(out, ".SH SYNOPSIS\n\\fBassistify\\fR \\fIcommand\\fR [\\fIoptions\\fR] ...\n.SH DESCRIPTION\n");
  roff(out,
       "Trains, evaluates and uses models of customer messages on the machine where the data lies: from a CSV file "
       "to an answer, with no other runtime and no network. Model folders have the layout that transformers "
       "reads and writes. Results go to standard output; progress, notes and warnings to standard error.\n");
  as_buffer_text(out, ".SH COMMANDS\n");
  for (const as_command *const *at = table->commands; *at; at++) {
    as_buffer_text(out, ".TP\n");
    write_reference(out, *at);
    line(out, "\n", (*at)->summary);
  }
  as_buffer_text(out, ".SH GLOBAL OPTIONS\nThey stand before or after the command.\n");
  for (size_t i = 0; i < table->global->count; i++) write_option(out, &table->global->options[i]);
  write_configuration(out);
  write_environment(out);
  as_buffer_text(out, ".SH EXIT STATUS\n");
  for (const as_exit_code *at = as_exit_codes; at->text; at++) {
    as_buffer_printf(out, ".TP\n%d\n", at->code);
    line(out, "", at->text);
  }
  as_buffer_text(out, ".SH SEE ALSO\n\\fBassistify\\-formats\\fR(5): the files that are read and written\n");
}

void as_manual_write(as_buffer *out, const as_command_table *table, const as_command *command) {
  if (command)
    write_page(out, table, command);
  else
    write_main_page(out, table);
}
