/* Classifiers for use: answers do not depend on company, on packing, on threads or on who else asks; hostile folders
 * are refused; failing allocations are reported. */
#include "tests/small_training.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "infer/intent_classifier.h"
#include "infer/sentiment_classifier.h"
#include "train/intent_classifier.h"
#include "train/sentiment_classifier.h"

enum { TEXTS = 23, CLASSES = 3, ASKERS = 4 };

static const char *const openings[] = {
    "where is my parcel",
    "take it back",
    "I want to buy two books about birds",
    "x",
    "\xff\xfe bytes",
    "a chair a chair a chair a chair a chair a chair a chair a chair a chair a chair a chair"};
static char texts_room[TEXTS][200];
static const char *texts[TEXTS];

static as_context *ctx;
static const char *folder;

/* A trained folder, and texts of many lengths. */
static void begin(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
  as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", 48, 0));
  as_training_result result;
  recipe.label_column = recipe.architecture = NULL; /* both follow from the task */
  recipe.epochs = 1;
  ck_assert_ok(ctx, (as_small_task == &as_intent_task ? as_intent_classifier_train : as_sentiment_classifier_train)(
                        ctx, &recipe, as_small_path(folder, "model"), false, NULL, &result));
  for (int i = 0; i < TEXTS; i++) {
    snprintf(texts_room[i], sizeof texts_room[i], "%s %d", openings[i % 6], i);
    texts[i] = texts_room[i];
  }
}

static void end(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static as_intent_classifier *open_model(as_context *with) {
  as_intent_classifier *classifier;
  ck_assert_ok(with, as_classifier_open(with, as_small_path(folder, "model"), as_small_task, &classifier));
  return classifier;
}

static void ask_all(as_intent_classifier *c, as_intent_prediction *answers, float *probabilities) {
  ck_assert_ok(as_classifier_context(c), as_intent_classifier_predict_batch(c, texts, TEXTS, answers, probabilities));
}

static void assert_same_answer(const char *how, int i, const as_intent_prediction *a, const as_intent_prediction *b) {
  ck_assert_msg(strcmp(a->intent, b->intent) == 0 &&
                    memcmp(&a->confidence, &b->confidence, sizeof a->confidence) == 0 && a->tokens == b->tokens &&
                    a->truncated == b->truncated,
                "%s, text %d: %s %.9g, expected %s %.9g", how, i, a->intent, (double)a->confidence, b->intent,
                (double)b->confidence);
}

START_TEST(an_answer_has_the_same_bits_in_any_company) {
  static const int threads[] = {1, 3};
  as_intent_prediction expected[TEXTS], answers[TEXTS], one;
  float first[TEXTS * CLASSES], second[TEXTS * CLASSES];
  begin();
  as_intent_classifier *reference = open_model(ctx);
  ask_all(reference, expected, first); /* the first call: not packed */
  for (int t = 0; t < 2; t++) {
    as_context *other = as_test_context(threads[t]);
    as_intent_classifier *c = open_model(other);
    for (int call = 1; call <= 3; call++) { /* packed from the second on */
      ask_all(c, answers, second);
      for (int i = 0; i < TEXTS; i++)
        assert_same_answer(call == 1 ? "first call" : "later call", i, &answers[i], &expected[i]);
      ck_assert_int_eq(memcmp(first, second, sizeof first), 0);
    }
    for (int i = 0; i < TEXTS; i++) {
      ck_assert_ok(other, as_intent_classifier_predict(c, texts[i], &one));
      assert_same_answer("alone, packed", i, &one, &expected[i]);
    }
    as_intent_classifier_close(c);
    c = open_model(other);
    ck_assert_ok(other, as_intent_classifier_predict(c, texts[5], &one));
    assert_same_answer("alone, not packed", 5, &one, &expected[5]);
    as_intent_classifier_close(c);
    as_test_context_free(other);
  }
  as_intent_classifier_close(reference);
  end();
}
END_TEST

START_TEST(answers_are_probabilities_of_the_labels) {
  as_intent_prediction answers[TEXTS];
  float p[TEXTS * CLASSES];
  begin();
  as_intent_classifier *c = open_model(ctx);
  ask_all(c, answers, p);
  ck_assert_uint_eq(as_classifier_labels(c)->count, CLASSES);
  ck_assert_str_eq(as_classifier_labels(c)->names[0], "buy");
  ck_assert_int_eq(as_classifier_max_length(c), 24); /* as trained */
  for (int i = 0; i < TEXTS; i++) {
    double sum = 0;
    for (int k = 0; k < CLASSES; k++) {
      sum += (double)p[i * CLASSES + k];
      ck_assert(p[i * CLASSES + k] <= answers[i].confidence);
    }
    ck_assert_double_eq_tol(sum, 1, 1e-6);
    ck_assert_str_eq(answers[i].intent,
                     as_classifier_labels(c)->names[as_labels_find(as_classifier_labels(c), answers[i].intent)]);
    ck_assert_int_le(answers[i].tokens, 24);
    ck_assert(!answers[i].truncated || answers[i].tokens == 24);
    if (i % 6 == 5) ck_assert(answers[i].truncated); /* far more words than that */
    if (i % 6 == 3) ck_assert(!answers[i].truncated);
  }
  ck_assert_ok(ctx, as_intent_classifier_predict_batch(c, texts, 0, answers, NULL));
  const char *const missing[] = {"a", NULL};
  ck_assert_refused(ctx, as_intent_classifier_predict_batch(c, missing, 2, answers, NULL), AS_E_INVALID,
                    "text 1 is NULL");
  ck_assert_refused(ctx, as_intent_classifier_predict_batch(c, texts, -1, answers, NULL), AS_E_INVALID, "-1 texts");
  ck_assert_ok(ctx, as_intent_classifier_predict(c, "", &answers[0])); /* the special tokens alone */
  ck_assert_int_eq(answers[0].tokens, 2);
  as_intent_classifier_close(c);
  end();
}
END_TEST

START_TEST(the_margin_is_between_the_two_most_probable) {
  static const struct {
    float probabilities[4];
    int64_t classes;
    float margin;
  } cases[] = {{{0.25F, 0.625F, 0.125F}, 3, 0.375F},
               {{0.625F, 0.25F, 0.125F}, 3, 0.375F},
               {{0.125F, 0.25F, 0.625F}, 3, 0.375F},
               {{0.5F, 0.5F}, 2, 0},
               {{0, 0, 1, 0}, 4, 1},
               {{1}, 1, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    float margin = as_probability_margin(cases[i].probabilities, cases[i].classes);
    ck_assert_msg(margin == cases[i].margin, "case %zu: %g, expected %g", i, (double)margin, (double)cases[i].margin);
  }
}
END_TEST

/* Both tasks' interfaces on the same folder, whatever it was trained for: they differ in nothing but names and the
 * intensity. */
START_TEST(a_sentiment_has_an_intensity) {
  as_intent_prediction expected[TEXTS];
  as_sentiment_prediction answers[TEXTS], one;
  float p[TEXTS * CLASSES];
  begin();
  as_sentiment_classifier *c;
  ck_assert_ok(ctx, as_classifier_open(ctx, as_small_path(folder, "model"), NULL, &c));
  ask_all(c, expected, p);
  ck_assert_ok(ctx, as_sentiment_classifier_predict_batch(c, texts, TEXTS, answers, NULL));
  for (int i = 0; i < TEXTS; i++) {
    ck_assert_str_eq(answers[i].sentiment, expected[i].intent);
    ck_assert(answers[i].confidence == expected[i].confidence && answers[i].tokens == expected[i].tokens);
    ck_assert(answers[i].truncated == expected[i].truncated);
    ck_assert(answers[i].intensity == as_probability_margin(p + i * CLASSES, CLASSES));
    ck_assert(answers[i].intensity > 0 && answers[i].intensity < answers[i].confidence);
  }
  ck_assert_ok(ctx, as_sentiment_classifier_predict(c, texts[3], &one));
  ck_assert(one.intensity == answers[3].intensity);
  ck_assert_ok(ctx, as_sentiment_classifier_save(c, as_small_path(folder, "copy")));
  as_assert_same_weights(ctx, as_small_path(folder, "model"), as_small_path(folder, "copy"));
  as_sentiment_classifier_close(c);
  end();
}
END_TEST

/* {"<task>": ..., "confidence", the task's extra fields, "all_probabilities", "tokens", "truncated"} */
START_TEST(an_answer_is_written_with_the_fields_of_its_task) {
  float p[CLASSES] = {0.25F, 0.125F, 0.625F};
  const as_prediction prediction = {.label = 2, .confidence = 0.625F, .probabilities = p, .tokens = 7};
  char expected[300];
  begin();
  as_intent_classifier *c = open_model(ctx);
  for (int unknown = 0; unknown < 2; unknown++) {
    as_buffer out;
    as_buffer_init(&out, ctx);
    as_json_writer writer = as_json_writer_start(&out, 0);
    as_json_open_object(&writer, NULL);
    as_prediction_write(&writer, c, as_small_task, &prediction, unknown ? 0.7 : 0.625);
    as_json_close_object(&writer);
    snprintf(expected, sizeof expected,
             "{\"%s\":\"%s\",\"confidence\":0.625,%s\"all_probabilities\":{\"buy\":0.25,\"return\":0.125,"
             "\"track\":0.625},\"tokens\":7,\"truncated\":false}",
             as_small_task->name, unknown ? "unknown" : "track",
             as_small_task == &as_sentiment_task ? "\"intensity\":0.375," : "");
    ck_assert_str_eq(as_buffer_string(&out), expected);
    as_buffer_free(&out);
  }
  as_intent_classifier_close(c);
  end();
}
END_TEST

/* ---- several threads -------------------------------------------------------------------------------------------- */
typedef struct asker {
  as_intent_classifier *classifier;
  const as_intent_prediction *expected;
  int number, wrong;
} asker;

static void *ask_again_and_again(void *argument) {
  asker *a = argument;
  for (int round = 0; round < 12; round++) {
    as_intent_prediction answers[TEXTS];
    int first = (round * 5 + a->number * 7) % TEXTS, count = 1 + (round + a->number) % (TEXTS - first);
    if (as_intent_classifier_predict_batch(a->classifier, texts + first, count, answers, NULL) != AS_OK) a->wrong++;
    for (int i = 0; i < count; i++)
      a->wrong += strcmp(answers[i].intent, a->expected[first + i].intent) != 0 ||
                  answers[i].confidence != a->expected[first + i].confidence;
  }
  return NULL;
}

START_TEST(threads_that_ask_at_once_get_the_same_bits) {
  as_intent_prediction expected[TEXTS];
  begin();
  as_intent_classifier *reference = open_model(ctx);
  ask_all(reference, expected, NULL);
  as_context *shared = as_test_context(3);
  as_intent_classifier *c = open_model(shared); /* packed while they ask */
  pthread_t threads[ASKERS];
  asker askers[ASKERS];
  for (int i = 0; i < ASKERS; i++) {
    askers[i] = (asker){c, expected, i, 0};
    ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_again_and_again, &askers[i]), 0);
  }
  for (int i = 0; i < ASKERS; i++) {
    pthread_join(threads[i], NULL);
    ck_assert_msg(askers[i].wrong == 0, "thread %d got %d wrong answers", i, askers[i].wrong);
  }
  as_intent_classifier_close(c);
  as_test_context_free(shared);
  as_intent_classifier_close(reference);
  end();
}
END_TEST

/* ---- folders ---------------------------------------------------------------------------------------------------- */
START_TEST(a_saved_classifier_answers_alike) {
  as_intent_prediction expected[TEXTS], answers[TEXTS];
  begin();
  as_intent_classifier *c = open_model(ctx), *copy;
  ask_all(c, expected, NULL);
  ask_all(c, expected, NULL); /* packed: what is saved must be the weights all the same */
  ck_assert_ok(ctx, as_intent_classifier_save(c, as_small_path(folder, "a/copy")));
  as_assert_same_weights(ctx, as_small_path(folder, "model"), as_small_path(folder, "a/copy"));
  ck_assert_ok(ctx, as_classifier_open(ctx, as_small_path(folder, "a/copy"), as_small_task, &copy));
  ck_assert_int_eq(as_classifier_max_length(copy), as_classifier_max_length(c));
  ask_all(copy, answers, NULL);
  for (int i = 0; i < TEXTS; i++) assert_same_answer("the copy", i, &answers[i], &expected[i]);
  as_intent_classifier_close(c);
  as_intent_classifier_close(copy);
  ck_assert_ok(ctx, as_file_write(ctx, as_small_path(folder, "file"), "x", 1));
  c = open_model(ctx);
  ck_assert_int_eq(as_intent_classifier_save(c, as_small_path(folder, "file")), AS_E_IO);
  as_intent_classifier_close(c);
  end();
}
END_TEST

/* From the second call on nothing outside is needed, and each weight is in memory once. */
START_TEST(a_packed_classifier_lets_go_of_its_file) {
  as_intent_prediction expected[TEXTS], answers[TEXTS];
  begin();
  as_intent_classifier *c = open_model(ctx);
  ask_all(c, expected, NULL);
  ask_all(c, expected, NULL);
  as_mapping weights;
  ck_assert_ok(ctx, as_file_map(ctx, as_small_path(folder, "model/model.safetensors"), AS_E_MODEL, &weights));
  size_t length = weights.length;
  as_file_unmap(ctx, &weights);
  ck_assert_int_eq(truncate(as_small_path(folder, "model/model.safetensors"), 0), 0); /* a mapped page would be gone */
  ask_all(c, answers, NULL);
  for (int i = 0; i < TEXTS; i++) assert_same_answer("without its file", i, &answers[i], &expected[i]);
  ck_assert_ok(ctx, as_intent_classifier_save(c, as_small_path(folder, "copy")));
  ck_assert_ok(ctx, as_file_map(ctx, as_small_path(folder, "copy/model.safetensors"), AS_E_MODEL, &weights));
  ck_assert_uint_eq(weights.length, length);
  as_file_unmap(ctx, &weights);
  as_intent_classifier_close(c);
  end();
}
END_TEST

/* Puts `text` in the place of a file of the model (NULL: takes it away) and expects opening to be refused. */
static void assert_refused(const char *name, const char *text, const char *fragment) {
  as_intent_classifier *c = (as_intent_classifier *)folder; /* to see that it is set */
  char *before, path[4200];
  size_t length;
  snprintf(path, sizeof path, "%s/model/%s", folder, name);
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_IO, &before, &length));
  if (text)
    ck_assert_ok(ctx, as_file_write(ctx, path, text, strlen(text)));
  else
    unlink(path);
  ck_assert_refused(ctx, as_classifier_open(ctx, as_small_path(folder, "model"), as_small_task, &c), AS_E_MODEL, fragment);
  ck_assert_ptr_null(c);
  ck_assert_ok(ctx, as_file_write(ctx, path, before, length));
  as_free(ctx, before);
}

START_TEST(hostile_folders_are_refused) {
  as_intent_classifier *c;
  begin();
  assert_refused("config.json", NULL, "config.json");
  assert_refused("config.json", "{", "config.json");
  assert_refused("config.json", "[]", "config.json");
  assert_refused("config.json", "{\"model_type\":\"gpt2\"}", "gpt2");
  if (as_small_task == &as_intent_task) {
    assert_refused("config.json", "{\"model_type\":\"distilbert\",\"dim\":-1}", "dim");
    assert_refused("config.json", "{\"model_type\":\"distilbert\",\"n_layers\":1000000000}", "n_layers");
    assert_refused("config.json", "{\"model_type\":\"distilbert\"}", "model.safetensors"); /* base: other shapes */
    assert_refused("config.json", "{\"model_type\":\"roberta\"}", "roberta.");
  } else {
    assert_refused("config.json", "{\"model_type\":\"roberta\",\"hidden_size\":-1}", "hidden_size");
    assert_refused("config.json", "{\"model_type\":\"roberta\",\"num_hidden_layers\":1000000000}", "num_hidden_layers");
    assert_refused("config.json", "{\"model_type\":\"roberta\"}", "model.safetensors");
    assert_refused("config.json", "{\"model_type\":\"distilbert\"}", "distilbert.");
  }
  assert_refused("model.safetensors", NULL, "safetensors");
  assert_refused("model.safetensors", "", "model.safetensors");
  assert_refused("model.safetensors", "\377\377\377\377\377\377\377\177{}", "model.safetensors");
  assert_refused("tokenizer.json", "{}", "tokenizer.json");
  assert_refused("tokenizer.json", "not JSON", "tokenizer.json");
  assert_refused("assistify.json", "{\"task\":7}", "assistify.json");
  assert_refused("recipe.json", "{\"max_length\":1}", "max_length");
  assert_refused("recipe.json", "{\"max_length\":\"long\"}", "max_length");
  ck_assert_refused(ctx, as_classifier_open(ctx, as_small_path(folder, "nothing"), as_small_task, &c), AS_E_MODEL, "nothing");
  as_intent_classifier_close(open_model(ctx)); /* all put back */
  as_intent_classifier_close(NULL);
  end();
}
END_TEST

/* Makes the model's tokenizer one that puts pieces * each special tokens before a text. */
static void add_special_tokens(int pieces, int each) {
  const char *path = as_small_path(folder, "model/tokenizer.json");
  json_t *root, *single = json_array(), *ids = json_array(), *tokens = json_array();
  ck_assert_ok(ctx, as_json_read(ctx, path, 1 << 20, AS_E_MODEL, &root));
  json_t *name = json_object_get(json_array_get(json_object_get(root, "added_tokens"), 0), "content");
  for (int i = 0; i < each; i++) {
    json_array_append_new(ids, json_integer(0));
    json_array_append(tokens, name);
  }
  for (int i = 0; i < pieces; i++)
    json_array_append_new(single, json_pack("{s:{s:s,s:i}}", "SpecialToken", "id", "many", "type_id", 0));
  json_array_append_new(single, json_pack("{s:{s:s,s:i}}", "Sequence", "id", "A", "type_id", 0));
  json_t *form = json_pack("{s:s,s:o,s:[{s:{s:s,s:i}},{s:{s:s,s:i}}],s:{s:{s:s,s:o,s:o}}}", "type",
                           "TemplateProcessing", "single", single, "pair", "Sequence", "id", "A", "type_id", 0,
                           "Sequence", "id", "B", "type_id", 0, "special_tokens", "many", "id", "many", "ids", ids,
                           "tokens", tokens);
  ck_assert_int_eq(json_object_set_new(root, "post_processor", form), 0);
  ck_assert_int_eq(json_dump_file(root, path, 0), 0);
  json_decref(root);
}

/* What the tokenizer adds has no part in what is cut off, so it must leave room for a token of the text. */
START_TEST(many_special_tokens_leave_room_or_are_refused) {
  as_classifier *c;
  as_training_result result;
  begin();
  enum { WORDS = 700 };
  char *text = as_alloc_zero(ctx, WORDS + 1, 2);
  for (int i = 0; i < WORDS; i++) memcpy(text + 2 * i, "a ", 2);
  add_special_tokens(2, 15); /* max_length is 24 */
  ck_assert_ok(ctx, as_classifier_open(ctx, as_small_path(folder, "model"), as_small_task, &c));
  ck_assert_int_eq(as_classifier_max_length(c), 31);
  as_prediction answer = {0};
  ck_assert_ok(ctx, as_classifier_predict(c, &(as_text){text, strlen(text)}, 1, &answer));
  ck_assert(answer.tokens == 31 && answer.truncated);
  as_classifier_set_max_length(c, INT64_MAX);
  int64_t most = as_classifier_max_length(c);
  ck_assert_ok(ctx, as_classifier_predict(c, &(as_text){text, strlen(text)}, 1, &answer));
  ck_assert(answer.tokens == most && answer.truncated);
  as_classifier_close(c);
  as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", 48, 0));
  char from[4200];
  snprintf(from, sizeof from, "%s", as_small_path(folder, "model"));
  recipe.from = from;
  recipe.size = recipe.architecture = NULL;
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, as_small_path(folder, "more"), false, NULL, &result),
                    AS_E_INVALID, "max_length 24 leaves nothing of a text beside the 30 special tokens");
  ck_assert_int_eq(most, 8 * 64);
  add_special_tokens(8, 64);
  ck_assert_refused(ctx, as_classifier_open(ctx, as_small_path(folder, "model"), as_small_task, &c), AS_E_MODEL,
                    "special tokens to a text, and the model reads at most");
  ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, as_small_path(folder, "more"), false, NULL, &result),
                    AS_E_MODEL, "special tokens to a text, and the model reads at most");
  as_free(ctx, text);
  end();
}
END_TEST

/* Control characters vanish in BERT's normalizer; nothing is put around them here. */
START_TEST(a_row_without_a_token_is_named) {
  char csv[100];
  as_training_result result;
  json_t *root;
  begin();
  const char *tokenizer = as_small_path(folder, "model/tokenizer.json");
  ck_assert_ok(ctx, as_json_read(ctx, tokenizer, 1 << 20, AS_E_MODEL, &root));
  json_object_set_new(root, "post_processor", json_null());
  ck_assert_int_eq(json_dump_file(root, tokenizer, 0), 0);
  json_decref(root);
  char data[4200], from[4200];
  snprintf(data, sizeof data, "%s", as_small_path(folder, "bare.csv"));
  snprintf(from, sizeof from, "%s", as_small_path(folder, "model"));
  snprintf(csv, sizeof csv, "content,%s\nhello,a\nmy lamp,b\n\001\002,b\n", as_small_task->label_column);
  ck_assert_ok(ctx, as_file_write(ctx, data, csv, strlen(csv)));
  as_recipe recipe = as_small_recipe(data);
  recipe.from = from;
  recipe.size = recipe.architecture = NULL;
  recipe.valid_none = true;
  as_status status = as_train_classifier(ctx, &recipe, as_small_path(folder, "more"), false, NULL, &result);
  if (as_small_task == &as_intent_task) {
    ck_assert_int_eq(status, AS_E_MODEL);
    ck_assert_msg(strstr(as_error_text(ctx), "bare.csv: line 4: the tokenizer makes no token") != NULL, "%s",
                  as_error_text(ctx));
  } else { /* byte-level BPE has a token for every byte */
    ck_assert_ok(ctx, status);
  }
  end();
}
END_TEST

START_TEST(a_folder_of_another_task_is_refused) {
  const as_classification_task *other = as_small_task == &as_intent_task ? &as_sentiment_task : &as_intent_task;
  char fragment[200];
  as_training_result result;
  as_classifier *c;
  begin();
  const char *model = as_small_path(folder, "model"), *file = as_small_path(folder, "model/assistify.json");
  snprintf(fragment, sizeof fragment, "assistify.json: task: the model was trained for %s, not for %s",
           as_small_task->name, other->name);
  ck_assert_refused(ctx, as_classifier_open(ctx, model, other, &c), AS_E_MODEL, fragment);
  ck_assert_ptr_null(c);
  ck_assert_refused(ctx,
                    (other == &as_intent_task ? as_intent_classifier_open : as_sentiment_classifier_open)(ctx, model, &c),
                    AS_E_MODEL, fragment);
  ck_assert_ok(ctx,
               (other == &as_intent_task ? as_sentiment_classifier_open : as_intent_classifier_open)(ctx, model, &c));
  as_classifier_close(c);
  ck_assert_ok(ctx, as_classifier_open(ctx, model, NULL, &c)); /* whoever does not ask gets it */
  ck_assert_ok(ctx, as_classifier_save(c, as_small_path(folder, "copy")));
  as_classifier_close(c);
  ck_assert_refused(ctx, as_classifier_open(ctx, as_small_path(folder, "copy"), other, &c), AS_E_MODEL, fragment);
  unlink(file); /* a folder from elsewhere says nothing */
  ck_assert_ok(ctx, as_classifier_open(ctx, model, other, &c));
  as_classifier_close(c);
  as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", 48, 0));
  ck_assert_ok(ctx, as_file_write(ctx, file, "{\"task\":\"response\"}", 19));
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, model, true, NULL, &result)); /* for no task: neither does it */
  ck_assert_ok(ctx, as_classifier_open(ctx, model, other, &c));
  as_classifier_close(c);
  end();
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  begin();
  as_intent_prediction answers[TEXTS];
  for (int round = 0; round < 2; round++) { /* asking once, and asking twice, which packs */
    as_context *other = as_test_context(1);
    as_intent_classifier *c;
    uint64_t n = 1;
    for (bool failed = true; failed; n += n < 60 ? 1 : 7) {
      as_test_fail_at(other, n);
      c = NULL;
      as_status status = as_classifier_open(other, as_small_path(folder, "model"), as_small_task, &c);
      for (int ask = 0; status == AS_OK && ask <= round; ask++)
        status = as_intent_classifier_predict_batch(c, texts, 3, answers, NULL);
      if (status == AS_OK) status = as_intent_classifier_save(c, as_small_path(folder, "saved"));
      as_intent_classifier_close(c);
      failed = as_test_failed_one(other);
      as_test_fail_at(other, 0);
      if (failed)
        ck_assert_msg(status == AS_E_NOMEM, "allocation %d failed: status %d, %s", (int)n, (int)status,
                      as_error_text(other));
      ck_assert_uint_eq(as_memory_used(other), 0);
    }
    ck_assert_uint_gt(n, 50);
    as_test_context_free(other);
  }
  end();
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {an_answer_has_the_same_bits_in_any_company,
                                answers_are_probabilities_of_the_labels,
                                the_margin_is_between_the_two_most_probable,
                                a_sentiment_has_an_intensity,
                                an_answer_is_written_with_the_fields_of_its_task,
                                threads_that_ask_at_once_get_the_same_bits,
                                a_saved_classifier_answers_alike,
                                a_packed_classifier_lets_go_of_its_file,
                                hostile_folders_are_refused,
                                many_special_tokens_leave_room_or_are_refused,
                                a_row_without_a_token_is_named,
                                a_folder_of_another_task_is_refused,
                                failing_allocations_are_reported};
  Suite *suite = suite_create("classifier");
  as_small_cases(suite, tests, sizeof tests / sizeof tests[0]);
  return suite;
}
