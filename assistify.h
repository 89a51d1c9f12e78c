/* libassistify: train, evaluate and use DistilBERT and RoBERTa classifiers on a CPU, and build models of your own with
 * gradients.
 * Each header below documents its functions; start with tensor/graph.h to write a model of your own, with
 * train/intent_classifier.h to train a classifier and with infer/intent_classifier.h to use one. */
#ifndef ASSISTIFY_H
#define ASSISTIFY_H

#include "base/buffer.h"
#include "base/context.h"
#include "base/file.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/threads.h"
#include "base/utf8.h"

#include "tensor/gemm.h"
#include "tensor/gradcheck.h"
#include "tensor/graph.h"
#include "tensor/kernels/kernels.h"
#include "tensor/ops.h"

#include "nn/classification_head.h"
#include "nn/encoder_block.h"
#include "nn/parameters.h"

#include "tokenizer/byte_bpe_trainer.h"
#include "tokenizer/tokenize_json.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/trainer.h"
#include "tokenizer/wordpiece_trainer.h"

#include "data/check.h"
#include "data/csv.h"
#include "data/csv_write.h"
#include "data/encoding.h"
#include "data/messages.h"
#include "data/report.h"
#include "data/split.h"
#include "data/synth.h"

#include "models/checkpoint.h"
#include "models/classification_task.h"
#include "models/config.h"
#include "models/distilbert_config.h"
#include "models/encoder.h"
#include "models/encoder_batch.h"
#include "models/encoder_config.h"
#include "models/encoder_predict.h"
#include "models/roberta_config.h"
#include "models/safetensors.h"
#include "models/stored_tensor.h"
#include "models/token_rows.h"

#include "eval/auc.h"
#include "eval/bleu.h"
#include "eval/bootstrap.h"
#include "eval/calibration.h"
#include "eval/chrf.h"
#include "eval/classification.h"
#include "eval/drift.h"
#include "eval/evaluation.h"
#include "eval/metrics_json.h"
#include "eval/porter.h"
#include "eval/ranking.h"
#include "eval/rouge.h"
#include "eval/statistics.h"
#include "eval/text_match.h"
#include "eval/text_unicode.h"
#include "eval/tokens.h"

#include "train/adamw.h"
#include "train/classifier.h"
#include "train/intent_classifier.h"
#include "train/recipe.h"
#include "train/schedule.h"
#include "train/sentiment_classifier.h"
#include "train/step.h"

#include "infer/classifier.h"
#include "infer/intent_classifier.h"
#include "infer/sentiment_classifier.h"
#include "infer/wrong_rows.h"

#endif
