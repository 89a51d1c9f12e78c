/* The model that training and inference are measured with. See encoder.h. */
#include "bench/encoder.h"

#include <stdio.h>
#include <string.h>

#define DROPOUT 0.1

static as_status make(as_context *ctx, const as_bench_model *model, const as_encoder_preset *preset,
                      const as_labels *labels, bool gradients, as_encoder **out) {
  const as_encoder_options options = {
      .gradients = gradients, .fresh_head = true, .labels = labels, .seed = model->seed, .dropout = DROPOUT};
  return as_encoder_new(ctx, as_encoder_architecture_find("distilbert"), preset, AS_BENCH_VOCABULARY, 0, &options, out);
}

as_status as_bench_encoder_new(as_context *ctx, const as_bench_model *model, bool gradients, as_encoder **out) {
  char text[AS_BENCH_CLASSES][16];
  const char *names[AS_BENCH_CLASSES];
  as_labels labels = {0};
  const as_encoder_preset *preset = as_encoder_presets;
  *out = NULL;
  while (preset->name && strcmp(preset->name, model->size) != 0) preset++;
  if (!preset->name) return as_fail(ctx, AS_E_INVALID, "there is no size \"%s\"", model->size);
  for (int i = 0; i < AS_BENCH_CLASSES; i++) {
    snprintf(text[i], sizeof text[i], "c%02d", i);
    names[i] = text[i];
  }
  as_status status = as_labels_set(ctx, &labels, names, AS_BENCH_CLASSES);
  if (status == AS_OK) status = make(ctx, model, preset, &labels, gradients, out);
  as_labels_free(ctx, &labels);
  return status;
}
