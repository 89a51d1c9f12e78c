/* The model that training and inference are measured with. See encoder.h. */
#include "bench/encoder.h"

#include <stdio.h>
#include <string.h>

#define DROPOUT 0.1

/* What a released model of the architecture reads, and the classes of the data on which the workloads' lengths were
 * counted: banking77's intents, and three sentiments. */
static const struct published {
  const as_encoder_architecture *architecture;
  int64_t vocab_size, pad_token_id;
  int classes;
} published[] = {{&as_distilbert, 30522, 0, 77}, {&as_roberta, 50265, 1, 3}};
enum { MOST_CLASSES = 77 };

static const struct published *find(const char *architecture) {
  for (size_t i = 0; i < sizeof published / sizeof published[0]; i++)
    if (strcmp(published[i].architecture->format->model_type, architecture) == 0) return &published[i];
  return NULL;
}

static as_status make(as_context *ctx, const as_bench_model *model, const struct published *like,
                      const as_labels *labels, bool gradients, as_encoder **out) {
  const as_encoder_preset *preset = as_encoder_preset_find(like->architecture, model->size);
  const as_encoder_options options = {
      .gradients = gradients, .fresh_head = true, .labels = labels, .seed = model->seed, .dropout = DROPOUT};
  if (!preset) return as_fail(ctx, AS_E_INVALID, "there is no size \"%s\"", model->size);
  return as_encoder_new(ctx, like->architecture, preset, like->vocab_size, like->pad_token_id, &options, out);
}

as_status as_bench_encoder_new(as_context *ctx, const as_bench_model *model, bool gradients, as_encoder **out) {
  char text[MOST_CLASSES][16];
  const char *names[MOST_CLASSES];
  as_labels labels = {0};
  const struct published *like = find(model->architecture);
  *out = NULL;
  if (!like) return as_fail(ctx, AS_E_INVALID, "there is no architecture \"%s\"", model->architecture);
  for (int i = 0; i < like->classes; i++) {
    snprintf(text[i], sizeof text[i], "c%02d", i);
    names[i] = text[i];
  }
  as_status status = as_labels_set(ctx, &labels, names, (size_t)like->classes);
  if (status == AS_OK) status = make(ctx, model, like, &labels, gradients, out);
  as_labels_free(ctx, &labels);
  return status;
}
