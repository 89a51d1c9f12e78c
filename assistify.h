/* libassistify: train, evaluate and use DistilBERT classifiers on a CPU, and build models of your own with gradients.
 * Each header below documents its functions; start with tensor/graph.h to write a model and with
 * infer/intent_classifier.h to use one. */
#ifndef ASSISTIFY_H
#define ASSISTIFY_H

#include "base/context.h"
#include "base/memory.h"
#include "base/status.h"

#endif
