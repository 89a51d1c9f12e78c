# Files of docs/
EXTRA_DIST += docs/formats.md docs/architecture.md docs/performance.md docs/accuracy.md docs/recommender.md docs/operations.md

# The examples: built against the library as it is installed, and run, by make check.
EXTRA_PROGRAMS = docs/examples/intent docs/examples/own_model
docs_examples_intent_SOURCES = docs/examples/intent.c
docs_examples_intent_LDADD = libassistify.la
docs_examples_own_model_SOURCES = docs/examples/own_model.c
docs_examples_own_model_LDADD = libassistify.la
check_DATA = docs/examples/intent$(EXEEXT) docs/examples/own_model$(EXEEXT)
CLEANFILES += $(check_DATA)
dist_check_SCRIPTS += tests/test_examples.sh
dist_doc_DATA = docs/examples/intent.c docs/examples/own_model.c docs/operations/assistify-retrain.service \
  docs/operations/assistify-retrain.timer docs/operations/assistify-retrain.cron
