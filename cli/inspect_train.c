/* inspect train: replays given batches as training steps, to compare a trajectory with another implementation.
 *
 * The file says everything about a step; what it says and this program would do otherwise is refused, so that a
 * difference in the numbers is a difference in the arithmetic. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/inspect.h"
#include "train/adafactor.h"
#include "train/schedule.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "inputs", .type = AS_OPTION_FILE, .argument = "FILE", .required = true,
     .help = "JSON with batches and variants of training"},
    {.name = "variant", .type = AS_OPTION_TEXT, .argument = "NAME", .required = true,
     .help = "which of the variants to train"},
    {.name = "save", .type = AS_OPTION_FILE, .argument = "FILE",
     .help = "write the trained parameters there, as safetensors"},
};
/* clang-format on */
static const as_option_group training = AS_OPTION_GROUP("Training", rows);
static const as_option_group *const groups[] = {&training, NULL};

/* What a variant says. */
typedef struct variant {
  const char *name;
  bool factored; /* Adafactor instead of AdamW */
  as_adamw_options adamw;
  as_adafactor_options adafactor;
  as_schedule schedule;
  int64_t accumulate;
  double max_grad_norm; /* 0: no clipping */
} variant;

typedef struct trajectory {
  double *loss, *grad_norm, *lr; /* [steps]; one block, owned by loss */
} trajectory;

/* ---- the variant -------------------------------------------------------------------------------------------- */

static as_status read_schedule(const as_inspect_object *o, as_schedule *schedule) {
  static const struct {
    const char *name;
    as_schedule_kind kind;
  } kinds[] = {{"linear", AS_SCHEDULE_LINEAR},
               {"cosine", AS_SCHEDULE_COSINE},
               {"constant", AS_SCHEDULE_CONSTANT},
               {"inverse_sqrt", AS_SCHEDULE_INVERSE_SQRT}};
  const char *name;
  as_status status = as_inspect_text(o, "schedule", &name);
  if (status != AS_OK) return status;
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    if (strcmp(kinds[i].name, name) != 0) continue;
    schedule->kind = kinds[i].kind;
    return AS_OK;
  }
  return as_inspect_fail(o, "schedule", " is \"%.40s\", but must be linear, cosine, constant or inverse_sqrt", name);
}

/* The field, a list of two numbers from 0 to below 1. */
static as_status read_pair(const as_inspect_object *o, const char *name, double *first, double *second) {
  double *const pair[] = {first, second};
  const json_t *list;
  as_status status = as_inspect_list(o, name, &list);
  if (status != AS_OK) return status;
  if (json_array_size(list) != 2) return as_inspect_fail(o, name, " has %zu elements, not 2", json_array_size(list));
  for (size_t i = 0; i < 2; i++) {
    const json_t *value = json_array_get(list, i);
    *pair[i] = json_number_value(value);
    if (!json_is_number(value) || !(*pair[i] >= 0 && *pair[i] < 1))
      return as_inspect_fail(o, name, "[%zu] must be a number from 0 to below 1", i);
  }
  return AS_OK;
}

static as_status read_bool(const as_inspect_object *o, const char *name, bool *value) {
  const json_t *given = json_object_get(o->object, name);
  *value = json_is_true(given);
  if (!given || json_is_boolean(given)) return AS_OK;
  return as_inspect_fail(o, name, " must be true or false");
}

static as_status read_adamw(const as_inspect_object *o, as_adamw_options *adamw) {
  as_status status = read_pair(o, "betas", &adamw->beta1, &adamw->beta2);
  if (status == AS_OK) status = as_inspect_number(o, "eps", 0, 1, &adamw->eps);
  if (status == AS_OK) status = as_inspect_number(o, "weight_decay", 0, 1e6, &adamw->weight_decay);
  return status;
}

static as_status read_adafactor(const as_inspect_object *o, as_adafactor_options *adafactor) {
  as_status status = read_pair(o, "eps", &adafactor->eps1, &adafactor->eps2);
  if (status == AS_OK) status = as_inspect_number(o, "clip_threshold", 1e-30, 1e30, &adafactor->clip_threshold);
  if (status == AS_OK) status = as_inspect_number(o, "decay_rate", -100, 0, &adafactor->decay_rate);
  if (status == AS_OK) status = as_inspect_number(o, "weight_decay", 0, 1e6, &adafactor->weight_decay);
  if (status == AS_OK) status = read_bool(o, "scale_parameter", &adafactor->scale_parameter);
  if (status == AS_OK) status = read_bool(o, "relative_step", &adafactor->relative_step);
  if (status == AS_OK) status = read_bool(o, "warmup_init", &adafactor->warmup_init);
  if (status == AS_OK && as_inspect_has(o, "beta1"))
    status = as_inspect_fail(o, "beta1", " must be null: Adafactor has no first moment here");
  return status;
}

static as_status read_variant(const as_inspect_object *inputs, const char *name, variant *v) {
  static const char *const adamw[] = {"optimizer", "lr",     "betas", "eps",        "weight_decay",
                                      "schedule",  "warmup", "steps", "accumulate", "max_grad_norm",
                                      NULL};
  static const char *const adafactor[] = {
      "optimizer",     "lr",    "scale_parameter", "relative_step", "warmup_init", "clip_threshold", "decay_rate",
      "eps",           "beta1", "weight_decay",    "schedule",      "warmup",      "steps",          "accumulate",
      "max_grad_norm", NULL};
  const char *optimizer;
  as_inspect_object all, o;
  *v = (variant){.name = name};
  as_status status = as_inspect_member(inputs, "variants", &all);
  if (status == AS_OK) status = as_inspect_member(&all, name, &o);
  if (status != AS_OK) return status;
  status = as_inspect_text(&o, "optimizer", &optimizer);
  if (status != AS_OK) return status;
  v->factored = strcmp(optimizer, "adafactor") == 0;
  if (!v->factored && strcmp(optimizer, "adamw") != 0)
    return as_inspect_fail(&o, "optimizer", " is \"%.40s\", but only adamw and adafactor can be replayed", optimizer);
  as_inspect_warn_unknown(&o, v->factored ? adafactor : adamw);
  status = as_inspect_number(&o, "lr", 0, 1e6, &v->schedule.lr);
  if (status == AS_OK) status = v->factored ? read_adafactor(&o, &v->adafactor) : read_adamw(&o, &v->adamw);
  if (status == AS_OK) status = read_schedule(&o, &v->schedule);
  if (status == AS_OK) status = as_inspect_integer(&o, "warmup", 0, INT32_MAX, &v->schedule.warmup);
  if (status == AS_OK) status = as_inspect_integer(&o, "steps", 1, INT32_MAX, &v->schedule.steps);
  if (status == AS_OK) status = as_inspect_integer(&o, "accumulate", 1, INT32_MAX, &v->accumulate);
  if (status == AS_OK && as_inspect_has(&o, "max_grad_norm"))
    status = as_inspect_number(&o, "max_grad_norm", 0, 1e30, &v->max_grad_norm);
  return status;
}

/* ---- the file against the model ----------------------------------------------------------------------------- */

/* The parameters listed in `field` must decay, or not. */
static as_status check_decay(const as_inspect_object *inputs, const char *field, bool decays,
                             const as_parameters *parameters) {
  const json_t *list;
  if (!as_inspect_has(inputs, field)) return AS_OK;
  as_status status = as_inspect_list(inputs, field, &list);
  for (size_t i = 0; status == AS_OK && i < json_array_size(list); i++) {
    const char *name = json_string_value(json_array_get(list, i));
    int index = name ? as_parameters_find(parameters, name) : -1;
    if (index < 0)
      status = as_inspect_fail(inputs, field, "[%zu] \"%.100s\" is not a parameter of the model", i, name ? name : "");
    else if (as_parameter_decays(&parameters->list[index]) != decays)
      status = as_inspect_fail(inputs, field, "[%zu] \"%.100s\": weight decay %s on this parameter here", i, name,
                               decays ? "never acts" : "always acts");
  }
  return status;
}

static as_status add_batches(const as_inspect_object *inputs, const as_inspected *inspected, const variant *v) {
  const json_t *list;
  as_status status = as_inspect_list(inputs, "batches", &list);
  if (status != AS_OK) return status;
  size_t needed = (size_t)v->schedule.steps * (size_t)v->accumulate; /* both below 2^31 */
  if (json_array_size(list) < needed)
    return as_inspect_fail(inputs, "batches", " has %zu elements, but %" PRId64 " steps of %" PRId64 " take %zu",
                           json_array_size(list), v->schedule.steps, v->accumulate, needed);
  for (size_t i = 0; status == AS_OK && i < needed; i++) {
    as_inspect_object batch;
    status = as_inspect_element(inputs, "batches", i, &batch);
    if (status == AS_OK) status = inspected->kind->add_batch(inspected->model, &batch);
  }
  return status;
}

static as_status prepare(const as_inspect_object *inputs, const as_inspected *inspected, const variant *v) {
  static const char *const known[] = {"variants", "weight_decay_parameters", "no_weight_decay_parameters", "batches",
                                      NULL};
  const as_parameters *parameters = inspected->kind->parameters(inspected->model);
  as_inspect_warn_unknown(inputs, known);
  as_status status = AS_OK;
  if (v->adamw.weight_decay > 0 || v->adafactor.weight_decay > 0) {
    status = check_decay(inputs, "weight_decay_parameters", true, parameters);
    if (status == AS_OK) status = check_decay(inputs, "no_weight_decay_parameters", false, parameters);
  }
  return status == AS_OK ? add_batches(inputs, inspected, v) : status;
}

/* ---- training ----------------------------------------------------------------------------------------------- */

static as_status run_steps(const as_inspected *inspected, const as_optimizer *optimizer, const variant *v,
                           trajectory *t) {
  const as_step_options options = {.max_grad_norm = v->max_grad_norm};
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < v->schedule.steps; i++) {
    as_step_result result = {0};
    t->lr[i] = as_schedule_lr(&v->schedule, i);
    status = inspected->kind->step(inspected->model, optimizer, (size_t)(i * v->accumulate), (size_t)v->accumulate,
                                   &options, i, t->lr[i], &result);
    t->loss[i] = result.loss;
    t->grad_norm[i] = result.grad_norm;
  }
  return status;
}

static as_status train_steps(as_context *ctx, const as_inspected *inspected, const variant *v, trajectory *t) {
  as_parameters *parameters = inspected->kind->parameters(inspected->model);
  as_adamw adamw = {0};
  as_adafactor adafactor = {0};
  as_status status = v->factored ? as_adafactor_init(&adafactor, ctx, parameters, &v->adafactor)
                                 : as_adamw_init(&adamw, ctx, parameters, &v->adamw);
  as_optimizer optimizer = v->factored ? as_adafactor_optimizer(&adafactor) : as_adamw_optimizer(&adamw);
  if (status == AS_OK) status = run_steps(inspected, &optimizer, v, t);
  as_adamw_free(&adamw);
  as_adafactor_free(&adafactor);
  return status;
}

static as_status save_parameters(as_context *ctx, const as_parameters *parameters, const char *name, const char *path) {
  as_inspect_tensors tensors;
  as_inspect_tensors_init(&tensors, ctx);
  for (size_t i = 0; i < parameters->count; i++) {
    const as_parameter *p = &parameters->list[i];
    float *out = as_inspect_tensors_add(&tensors, p->ndim, p->shape, "%s.final.%s", name, p->name);
    if (out) memcpy(out, as_parameter_weights(parameters, (int)i), p->elements * sizeof *out);
  }
  as_status status = as_inspect_tensors_save(&tensors, path);
  as_inspect_tensors_free(&tensors);
  return status;
}

static void write_numbers(as_json_writer *w, const char *key, const double *values, int64_t count) {
  as_json_open_array(w, key);
  for (int64_t i = 0; i < count; i++) as_json_double(w, NULL, values[i]);
  as_json_close_array(w);
}

static as_status print(as_cli *cli, const trajectory *t, int64_t steps) {
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  as_json_writer w = as_json_writer_start(&out, 0);
  as_json_open_object(&w, NULL);
  write_numbers(&w, "loss", t->loss, steps);
  write_numbers(&w, "grad_norm", t->grad_norm, steps);
  write_numbers(&w, "lr", t->lr, steps);
  as_json_close_object(&w);
  as_buffer_char(&out, '\n');
  as_status status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(cli->console, &out);
  as_buffer_free(&out);
  return status;
}

static as_status train(as_cli *cli, const as_inspect_object *inputs, const as_inspected *inspected, const variant *v) {
  const char *save = as_option_text(cli->arguments, "save");
  as_status status = prepare(inputs, inspected, v);
  if (status != AS_OK) return status;
  trajectory t = {.loss = as_alloc_zero(cli->ctx, (size_t)v->schedule.steps, 3 * sizeof *t.loss)};
  if (!t.loss) return AS_E_NOMEM;
  t.grad_norm = t.loss + v->schedule.steps;
  t.lr = t.grad_norm + v->schedule.steps;
  status = train_steps(cli->ctx, inspected, v, &t);
  if (status == AS_OK && save)
    status = save_parameters(cli->ctx, inspected->kind->parameters(inspected->model), v->name, save);
  if (status == AS_OK) status = print(cli, &t, v->schedule.steps);
  as_free(cli->ctx, t.loss);
  return status;
}

static int run(as_cli *cli) {
  json_t *root = NULL;
  as_inspect_object inputs;
  as_inspected inspected = {0};
  variant v;
  as_status status = as_inspect_inputs_read(cli->ctx, as_option_text(cli->arguments, "inputs"), &root, &inputs);
  if (status == AS_OK) status = read_variant(&inputs, as_option_text(cli->arguments, "variant"), &v);
  if (status == AS_OK) status = as_inspect_open(cli->ctx, cli->arguments->operands[0], AS_INSPECT_TRAIN, &inspected);
  if (status == AS_OK) status = train(cli, &inputs, &inspected, &v);
  as_inspect_close(&inspected);
  json_decref(root);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_inspect_train = {
    .name = "inspect train",
    .operands = "DIR",
    .min_operands = 1,
    .max_operands = 1,
    .operand = AS_OPERAND_FOLDER,
    .summary = "replay training steps over given batches",
    .description =
        "Trains the model in DIR over the batches of the inputs, in their order, as one of its variants says: AdamW or "
        "Adafactor with its options, a schedule with warm-up, gradients accumulated over micro-batches and "
        "clipped. DIR is not changed.\n\n"
        "Prints {\"loss\": [...], \"grad_norm\": [...], \"lr\": [...]} with a number for each step; the norm is the "
        "one "
        "before clipping. --save writes every parameter after the last step as NAME.final.PARAMETER.",
    .examples = "assistify inspect train my_model --inputs in.json --variant adamw",
    .groups = groups,
    .run = run,
};
