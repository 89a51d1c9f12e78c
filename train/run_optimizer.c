/* The optimizer of a run. */
#include "train/run.h"

static as_adafactor_options adafactor_options(const as_recipe *r) {
  as_adafactor_options options = as_adafactor_default();
  options.weight_decay = r->weight_decay;
  options.scale_parameter = r->scale_parameter;
  options.relative_step = r->relative_step;
  options.warmup_init = r->warmup_init;
  return options;
}

as_status as_run_optimizer_init(as_training_run *run) {
  as_parameters *parameters = run->task->parameters(run->self);
  as_status status;
  if (run->recipe.optimizer == AS_OPTIMIZER_ADAFACTOR) {
    as_adafactor_options options = adafactor_options(&run->recipe);
    status = as_adafactor_init(&run->adafactor, run->ctx, parameters, &options);
    run->optimizer = as_adafactor_optimizer(&run->adafactor);
  } else {
    as_adamw_options options = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = run->recipe.weight_decay};
    status = as_adamw_init(&run->adamw, run->ctx, parameters, &options);
    run->optimizer = as_adamw_optimizer(&run->adamw);
  }
  return status;
}

void as_run_optimizer_free(as_training_run *run) {
  as_adamw_free(&run->adamw);
  as_adafactor_free(&run->adafactor);
}

size_t as_run_checkpoint_numbers(const as_training_run *run) {
  return run->task->parameters(run->self)->elements + as_optimizer_moment_count(&run->optimizer);
}
