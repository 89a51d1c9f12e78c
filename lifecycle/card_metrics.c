/* The parts of a card that differ: figures, baselines and limits of classifiers, of response models and of
 * recommenders. */
#include "base/report.h"
#include "eval/replies.h"
#include "lifecycle/card_internal.h"

#include <string.h>

typedef enum kind { CLASSIFIER, REPLIES, RECOMMENDER } kind;

static kind kind_of(const as_card *c) {
  const char *type = as_card_text(c->config, "model_type");
  return strcmp(type, "t5") == 0 ? REPLIES : strcmp(type, "lightfm") == 0 ? RECOMMENDER : CLASSIFIER;
}

/* A cell for a number of `object`, which may be missing. */
static void put_cell(as_card *c, const json_t *object, const char *key, int decimals) {
  const json_t *value = json_object_get(object, key);
  if (json_is_number(value)) as_buffer_printf(&c->out, " %.*f", decimals, json_number_value(value));
  as_buffer_text(&c->out, " |");
}

static json_int_t integer_of(const json_t *object, const char *key) {
  return json_integer_value(json_object_get(object, key));
}

/* ---- classifiers ------------------------------------------------------------------------------------------------ */

static void put_share(as_card *c, const char *name, const json_t *value, const json_t *interval) {
  as_buffer_printf(&c->out, "| %s | %.2f %%", name, 100 * json_number_value(value));
  if (json_is_number(json_array_get(interval, 0)))
    as_buffer_printf(&c->out, " | %.2f to %.2f %% |\n", 100 * json_number_value(json_array_get(interval, 0)),
                     100 * json_number_value(json_array_get(interval, 1)));
  else
    as_buffer_text(&c->out, " | |\n");
}

static const json_t *per_class(const as_card *c, const char *figure) {
  return json_object_get(json_object_get(c->metrics, figure), "per_class");
}

static void put_classes(as_card *c) {
  const json_t *labels = json_object_get(c->metrics, "labels"), *label;
  size_t i;
  as_buffer_text(&c->out, "\n| class | rows | precision | recall | F1 |\n|---|---|---|---|---|\n");
  json_array_foreach(labels, i, label) {
    as_buffer_text(&c->out, "| ");
    as_markdown_text(&c->out, json_string_value(label) ? json_string_value(label) : "");
    as_buffer_printf(&c->out, " | %" JSON_INTEGER_FORMAT " | %.3f | %.3f | %.3f |\n",
                     json_integer_value(json_array_get(json_object_get(c->metrics, "support"), i)),
                     json_number_value(json_array_get(per_class(c, "precision"), i)),
                     json_number_value(json_array_get(per_class(c, "recall"), i)),
                     json_number_value(json_array_get(per_class(c, "f1"), i)));
  }
}

static void put_before_after(as_card *c, const char *name, const json_t *before, const json_t *after, const char *key) {
  if (!json_is_number(json_object_get(before, key))) return;
  as_buffer_printf(&c->out, "| %s | %.4f |", name, json_number_value(json_object_get(before, key)));
  if (after) as_buffer_printf(&c->out, " %.4f |", json_number_value(json_object_get(after, key)));
  as_buffer_char(&c->out, '\n');
}

/* The temperature's gain is shown on rows that it was not fitted on. */
static void put_calibration(as_card *c) {
  const json_t *calibration = json_object_get(c->metrics, "calibration");
  const json_t *temperature = json_object_get(calibration, "temperature");
  const json_t *before = json_object_get(calibration, "before"), *after = json_object_get(calibration, "after");
  if (!json_is_number(temperature)) after = NULL;
  as_buffer_text(&c->out, "\n## Calibration\n\n");
  if (after) {
    as_buffer_printf(&c->out,
                     "Probabilities are softmax(logits / T) with the temperature T = %.4g, fitted on the validation "
                     "rows. Before is without it, after with it, each fifth of the rows with the temperature of the "
                     "other four:\n\n",
                     json_number_value(temperature));
  } else {
    as_buffer_text(&c->out, "Probabilities are the model's own; no temperature was kept");
    const char *reason = as_card_text(calibration, "reason");
    as_buffer_text(&c->out, *reason ? ": " : "");
    as_markdown_text(&c->out, reason);
    as_buffer_text(&c->out, ".\n\n");
  }
  as_buffer_text(&c->out, after ? "| | before | after |\n|---|---|---|\n" : "| | |\n|---|---|\n");
  put_before_after(c, "expected calibration error (15 bins)", before ? before : c->metrics, after, "ece15");
  put_before_after(c, "log loss", before ? before : c->metrics, after, "log_loss");
  put_before_after(c, "Brier score", before ? before : c->metrics, after, "brier");
  as_buffer_char(&c->out, '\n');
}

static void put_classifier(as_card *c) {
  const json_t *m = c->metrics, *intervals = json_object_get(m, "ci95");
  const json_t *majority = json_object_get(json_object_get(m, "baselines"), "majority");
  as_buffer_printf(&c->out,
                   "On %" JSON_INTEGER_FORMAT " validation rows, with 95 %% bootstrap intervals:\n\n"
                   "| | | 95 %% |\n|---|---|---|\n",
                   integer_of(m, "n"));
  put_share(c, "accuracy", json_object_get(m, "accuracy"), json_object_get(intervals, "accuracy"));
  put_share(c, "macro-F1", json_object_get(json_object_get(m, "f1"), "macro"), json_object_get(intervals, "macro_f1"));
  put_share(c, "accuracy of always answering the commonest class", json_object_get(majority, "accuracy"), NULL);
  put_classes(c);
  put_calibration(c);
}

static void limit_classifier(as_card *c) {
  if (c->metrics && integer_of(c->metrics, "n") < 500)
    as_buffer_printf(&c->out, "- They are %" JSON_INTEGER_FORMAT " rows only: the intervals are what to go by.\n",
                     integer_of(c->metrics, "n"));
  if (json_object_get(c->metrics, "labels"))
    as_buffer_text(&c->out,
                   "- It answers with one of the classes above, also to a text that belongs to none of them.\n");
}

/* ---- response models -------------------------------------------------------------------------------------------- */

static void put_replies(as_card *c) {
  static const char *const rows[][2] = {{"bleu", "this model"},
                                        {"nearest_bleu", "the reply to the most similar training message"},
                                        {"frequent_bleu", "the commonest reply of all"}};
  const json_t *m = c->metrics;
  as_buffer_printf(&c->out,
                   "Replies to %" JSON_INTEGER_FORMAT " validation messages, each held against the one that was given, "
                   "beside two answers that need no model (BLEU as sacrebleu counts it, 0 to 100):\n\n"
                   "| | BLEU |\n|---|---|\n",
                   integer_of(m, "rows"));
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    as_buffer_printf(&c->out, "| %s |", rows[i][1]);
    put_cell(c, m, rows[i][0], 2);
    as_buffer_char(&c->out, '\n');
  }
  as_buffer_text(&c->out, "\nPlainly: ");
  const size_t before = c->out.length;
  as_reply_verdict(json_number_value(json_object_get(m, "bleu")), json_number_value(json_object_get(m, "nearest_bleu")),
                   json_number_value(json_object_get(m, "frequent_bleu")), &c->out);
  as_buffer_text(&c->out, c->out.length > before ? "\n\n" : "the model is better than both.\n\n");
}

static void limit_replies(as_card *c) {
  const json_t *length = json_object_get(c->recipe, "max_target_length");
  as_buffer_text(&c->out,
                 "- BLEU counts the words that agree with the one reply that was given: a good reply in other words "
                 "counts as a bad one, and a wrong reply in the right words as a good one.\n"
                 "- It writes what replies in its training data looked like. It looks up no order, no price and no "
                 "customer: whoever sends a reply fills in placeholders such as {{Order Number}} and reads it.\n");
  if (json_is_integer(length))
    as_buffer_printf(&c->out, "- It learned from replies of up to %" JSON_INTEGER_FORMAT " tokens.\n",
                     json_integer_value(length));
}

/* ---- recommenders ----------------------------------------------------------------------------------------------- */

static void put_measure(as_card *c, const char *name, const char *key) {
  const json_t *m = c->metrics, *popular = json_object_get(json_object_get(m, "baselines"), "popular");
  const json_t *interval = json_object_get(json_object_get(m, "ci95"), key);
  as_buffer_printf(&c->out, "| %s |", name);
  put_cell(c, m, key, 4);
  if (json_is_number(json_array_get(interval, 0)))
    as_buffer_printf(&c->out, " %.4f to %.4f |", json_number_value(json_array_get(interval, 0)),
                     json_number_value(json_array_get(interval, 1)));
  else
    as_buffer_text(&c->out, " |");
  put_cell(c, popular, key, 4);
  as_buffer_char(&c->out, '\n');
}

static void put_scores(as_card *c) {
  as_buffer_text(&c->out, "\n## Calibration\n\n");
  if (json_is_true(json_object_get(c->config, "calibrated")))
    as_buffer_printf(&c->out,
                     "A score is the probability of a purchase, 1 / (1 + exp(-(%.4g raw %+.4g))), fitted to the rows "
                     "held back.\n\n",
                     json_number_value(json_object_get(c->config, "calibration_slope")),
                     json_number_value(json_object_get(c->config, "calibration_intercept")));
  else
    as_buffer_text(&c->out, "Scores are 1 / (1 + exp(-raw)): they order products, and are no probabilities.\n\n");
}

static void put_recommender(as_card *c) {
  static const struct {
    const char *split, *means;
  } splits[] = {
      {"time", "the newest tenth"}, {"last", "each customer's last tenth"}, {"random", "a tenth drawn by chance"}};
  const json_t *m = c->metrics;
  const char *split = as_card_text(m, "split"), *which = "";
  const bool purchases = strcmp(as_card_text(m, "positives"), "purchase") == 0;
  for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++)
    if (strcmp(split, splits[i].split) == 0) which = splits[i].means;
  as_buffer_printf(&c->out,
                   "How well a model of the same recipe, trained without %" JSON_INTEGER_FORMAT " of the rows (%s), "
                   "foresaw them: products that %" JSON_INTEGER_FORMAT
                   " customers had not met before and %s then, in lists of 10, with 95 %% bootstrap intervals over "
                   "customers, beside the products that most customers bought:\n\n"
                   "| | this recipe | 95 %% | popular products |\n|---|---|---|---|\n",
                   integer_of(m, "held_rows"), which, integer_of(m, "customers"),
                   purchases ? "bought" : "had to do with");
  put_measure(c, "NDCG@10", "ndcg@10");
  put_measure(c, "precision@10", "precision@10");
  put_measure(c, "recall@10", "recall@10");
  put_measure(c, "customers with a hit in 10", "hit@10");
  put_measure(c, "mean reciprocal rank", "mrr");
  put_measure(c, "AUC", "auc");
  put_measure(c, "share of the products in anybody's list", "coverage");
  put_scores(c);
}

static void limit_recommender(as_card *c) {
  if (c->metrics)
    as_buffer_text(&c->out, "- The model itself learned from all rows, so it is another than the one measured, and a "
                            "little better informed.\n"
                            "- Measured are customers that were known before. Who is not known is answered with what "
                            "is trending.\n");
  if (c->metrics && integer_of(c->metrics, "customers") < 500)
    as_buffer_printf(&c->out, "- They are %" JSON_INTEGER_FORMAT " customers only: the intervals are what to go by.\n",
                     integer_of(c->metrics, "customers"));
  as_buffer_text(&c->out,
                 "- It foresees what customers do anyway, in a shop that showed them what it showed them; whether a "
                 "recommendation changes what they buy, only an experiment tells.\n");
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static void put_none(as_card *c) {
  switch (kind_of(c)) {
  case RECOMMENDER:
    as_buffer_text(&c->out,
                   "None were taken in training: no rows were held back, or none that could be foreseen. `assistify "
                   "evaluate recommend --split time` takes them.\n\n");
    break;
  case REPLIES:
  case CLASSIFIER:
    as_buffer_printf(&c->out,
                     "None were taken in training: there were no rows to validate on. `assistify evaluate %s` takes "
                     "them.\n\n",
                     c->model);
  }
}

void as_card_put_metrics(as_card *c) {
  static void (*const put[])(as_card *) = {put_classifier, put_replies, put_recommender};
  as_buffer_text(&c->out, "## Metrics\n\n");
  (c->metrics ? put[kind_of(c)] : put_none)(c);
}

void as_card_put_limits(as_card *c) {
  static void (*const put[])(as_card *) = {limit_classifier, limit_replies, limit_recommender};
  const json_t *length = json_object_get(c->recipe, "max_length");
  as_buffer_text(&c->out, "## Limits\n\n");
  const json_t *patience = json_object_get(c->recipe, "patience"); /* 0: the last epoch was kept, whatever it was */
  const bool chose = !json_is_integer(patience) || json_integer_value(patience) > 0;
  if (c->metrics && kind_of(c) != RECOMMENDER && chose)
    as_buffer_text(&c->out, "- The validation rows also chose the epoch that was kept, so the figures lean to the good "
                            "side; rows that training never saw are the fairer test.\n");
  put[kind_of(c)](c);
  if (json_is_integer(length))
    as_buffer_printf(&c->out, "- A text is read up to %" JSON_INTEGER_FORMAT " tokens.\n", json_integer_value(length));
  as_buffer_text(&c->out, "- It knows the language, the customers and the products of its training data; what has "
                          "changed since, it does not know.\n\n");
}
