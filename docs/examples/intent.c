/* An intent classifier from CSV to answer: train, open, ask one text, ask many, save a copy, close.
 *
 *   cc intent.c $(pkg-config --cflags --libs assistify) -o intent
 *   ./intent messages.csv my_model
 *
 * messages.csv has a header with the columns content and intent. my_model becomes a Hugging Face model folder that
 * transformers opens too. */
#include <stdio.h>
#include <string.h>

#include "assistify.h"

/* Called after each epoch. A listener may have other functions too: for each step, for what is known before the first,
 * and one that can ask the run to save its state and stop. */
static void show_epoch(void *unused, const as_training_epoch *epoch) {
  (void)unused;
  printf("epoch %lld of %lld: loss %.3f, accuracy on the rows held out %.3f\n", (long long)epoch->epoch,
         (long long)epoch->epochs, epoch->train_loss, as_training_epoch_metric(epoch, "accuracy"));
}

/* Trains a fresh model of the smallest size. For a good one start from a pretrained folder instead: recipe.from. */
static as_status train(as_context *ctx, char *data, const char *folder) {
  char size[] = "tiny";
  as_recipe recipe = as_recipe_preset(size); /* epochs, learning rate and the rest as they suit this size */
  recipe.size = size;
  recipe.data = data;
  recipe.epochs = 5;
  const as_training_listener listener = {.epoch = show_epoch};
  as_training_result result;
  as_status status = as_intent_classifier_train(ctx, &recipe, folder, false, &listener, &result);
  if (status == AS_OK) printf("the weights of epoch %lld are in %s\n", (long long)result.best_epoch, folder);
  return status;
}

static as_status ask_one(as_intent_classifier *classifier) {
  as_intent_prediction answer;
  as_status status = as_intent_classifier_predict(classifier, "I want to buy the gold package", &answer);
  if (status == AS_OK) printf("one text: %s (%.3f)\n", answer.intent, (double)answer.confidence);
  return status;
}

/* Many texts in one call are batched; each gets the very bits that it would get alone. */
static as_status ask_many(as_intent_classifier *classifier) {
  static const char *const texts[] = {"Where is my parcel?", "The lamp arrived broken and I want my money back",
                                      "How do I reset my password?"};
  enum { COUNT = sizeof texts / sizeof texts[0] };
  as_intent_prediction answers[COUNT];
  as_status status = as_intent_classifier_predict_batch(classifier, texts, COUNT, answers, NULL);
  for (int i = 0; status == AS_OK && i < COUNT; i++)
    printf("%s (%.3f): %s\n", answers[i].intent, (double)answers[i].confidence, texts[i]);
  return status;
}

static as_status run(as_context *ctx, char *data, const char *folder) {
  as_intent_classifier *classifier = NULL;
  char *copy = NULL;
  as_status status = train(ctx, data, folder);
  if (status == AS_OK) status = as_intent_classifier_open(ctx, folder, &classifier);
  if (status == AS_OK) status = ask_one(classifier);
  if (status == AS_OK) status = ask_many(classifier);
  if (status == AS_OK) status = (copy = as_path_join(ctx, folder, "copy")) ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) status = as_intent_classifier_save(classifier, copy);
  as_free(ctx, copy);
  as_intent_classifier_close(classifier);
  return status;
}

int main(int argc, char **argv) {
  as_context *ctx;
  if (argc != 3) {
    fprintf(stderr, "usage: intent DATA.csv FOLDER\n");
    return 2;
  }
  if (as_context_new(&ctx, NULL) != AS_OK) return 1;
  as_status status = run(ctx, argv[1], argv[2]);
  /* Every failure has left a text that says what was wrong, where, and what to do. */
  if (status != AS_OK) fprintf(stderr, "intent: %s\n", as_error_text(ctx));
  as_context_free(ctx);
  return status == AS_OK ? 0 : 1;
}
