/* inspect run: a forward pass, and with labels losses and gradients, over given inputs. */
#include "base/memory.h"
#include "cli/command.h"
#include "cli/inspect.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "inputs", .type = AS_OPTION_FILE, .argument = "FILE", .required = true,
     .help = "JSON with input_ids and what goes with them"},
    {.name = "save", .type = AS_OPTION_FILE, .argument = "FILE",
     .help = "write the activations there, as safetensors"},
    {.name = "gradients", .type = AS_OPTION_FLAG,
     .help = "write the gradients too"},
};
/* clang-format on */
static const as_option_group running = AS_OPTION_GROUP("Running", rows);
static const as_option_group *const groups[] = {&running, NULL};

static as_status run_pass(as_cli *cli, const as_inspected *inspected, as_inspect_pass *pass) {
  const char *save = as_option_text(cli->arguments, "save");
  as_inspect_tensors tensors;
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  as_inspect_tensors_init(&tensors, cli->ctx);
  as_json_writer scalars = as_json_writer_start(&out, 0);
  as_json_open_object(&scalars, NULL);
  pass->tensors = &tensors;
  pass->scalars = &scalars;
  as_status status = inspected->kind->run(inspected->model, pass);
  as_json_close_object(&scalars);
  as_buffer_char(&out, '\n');
  if (status == AS_OK && save) status = as_inspect_tensors_save(&tensors, save);
  if (status == AS_OK) status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(cli->console, &out);
  as_inspect_tensors_free(&tensors);
  as_buffer_free(&out);
  return status;
}

static int run(as_cli *cli) {
  json_t *root = NULL;
  as_inspect_object inputs;
  as_inspected inspected = {0};
  as_inspect_pass pass = {.ctx = cli->ctx,
                          .inputs = &inputs,
                          .save = as_option_given(cli->arguments, "save"),
                          .gradients = as_option_flag(cli->arguments, "gradients")};
  if (pass.gradients && !pass.save)
    as_console_note(cli->console, "--gradients says what --save writes; without --save it does nothing");
  as_status status = as_inspect_inputs_read(cli->ctx, as_option_text(cli->arguments, "inputs"), &root, &inputs);
  if (status == AS_OK) status = as_inspect_open(cli->ctx, cli->arguments->operands[0], AS_INSPECT_RUN, &inspected);
  if (status == AS_OK) status = run_pass(cli, &inspected, &pass);
  as_inspect_close(&inspected);
  json_decref(root);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_inspect_run = {
    .name = "inspect run",
    .operands = "DIR",
    .min_operands = 1,
    .max_operands = 1,
    .operand = AS_OPERAND_FOLDER,
    .summary = "show a model's activations, losses and gradients",
    .description =
        "Computes the model in DIR on given token ids, every row of every layer, with dropout off, and prints the "
        "losses as one JSON object: loss, loss_smooth, loss_weighted, loss_weighted_smooth, loss_sum, as far as the "
        "inputs have labels, label_smoothing and class_weights; without labels {}.\n\n"
        "--save writes hidden.0 (the embeddings), hidden.1 and so on (the layers), [rows, width, dim] and zero where "
        "padding is, and logits [rows, classes]. --gradients adds grad.PARAMETER, the gradients of loss, and dlogits, "
        "dlogits_smooth, dlogits_weighted, dlogits_weighted_smooth, those of each loss for the logits.",
    .examples = "assistify inspect run my_model --inputs in.json\n"
                "assistify inspect run my_model --inputs in.json --save out.safetensors",
    .groups = groups,
    .run = run,
};
