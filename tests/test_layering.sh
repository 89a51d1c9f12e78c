#!/bin/sh
# Who may include whom, read from the #include lines. TAP.
#
# A folder may include from itself, from the folders in its row here, and config.h; internal.h of a folder is for that
# folder and the tests. docs (its examples), cli, bench and tests may include from everywhere.
cd "${ASSISTIFY_SOURCE:-.}" || exit 1

allowed_for() {
  case $1 in
    base) echo "" ;;
    tensor | tokenizer | data | eval) echo "base" ;;
    nn) echo "base tensor" ;;
    models) echo "base tensor nn" ;;
    recommend) echo "base tensor models data eval" ;;
    train | infer) echo "base tensor nn models tokenizer data eval" ;;
    lifecycle) echo "base tensor nn models tokenizer data eval train infer" ;;
    serve) echo "base tensor nn models tokenizer data eval recommend infer lifecycle" ;;
    cli | bench | tests | docs) echo "any" ;;
    *) echo "unknown" ;;
  esac
}

# Reads lines `file:#include "x/y.h"` and prints those that the folder in $1 may not have.
forbidden_in() {
  awk -v folder="$1" -v allowed="$(allowed_for "$1")" '
    BEGIN { count = split(allowed, names, " "); for (i = 1; i <= count; i++) may[names[i]] = 1; may[folder] = 1 }
    {
      split($0, quoted, "\"")
      target = quoted[2]
      slash = index(target, "/")
      from = slash ? substr(target, 1, slash - 1) : ""
      if (target == "config.h") next
      if ("any" in may && !(target ~ /internal\.h$/ && folder != "tests" && from != folder)) next
      if (from == "" || !(from in may) || (target ~ /internal\.h$/ && from != folder)) print
    }'
}

includes_of() {
  find "$1" -name '*.[ch]' -exec grep -E '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' /dev/null {} +
}

number=0
report() { # name, lines that should not be there
  number=$((number + 1))
  if [ -z "$2" ]; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    echo "$2" | sed 's/^/# /'
  fi
}
# The rules themselves are put to the test: each of these lines must be noticed.
noticed() { # folder, line
  if [ -n "$(echo "$2" | forbidden_in "$1")" ]; then report "noticed in $1: $2" ""; else report "noticed in $1: $2" "not noticed"; fi
}

noticed base 'base/x.c:#include "tensor/graph.h"'
noticed tensor 'tensor/x.c:#include "nn/linear.h"'
noticed tokenizer 'tokenizer/x.c:#  include "tensor/graph.h"'
noticed train 'train/x.c:#include "infer/classifier.h"'
noticed infer 'infer/x.c:#include "train/trainer.h"'
noticed train 'train/x.c:#include "lifecycle/store.h"'
noticed infer 'infer/x.c:#include "lifecycle/store.h"'
noticed lifecycle 'lifecycle/x.c:#include "cli/command.h"'
noticed recommend 'recommend/x.c:#include "infer/classifier.h"'
noticed data 'data/x.c:#include "base/internal.h"'
noticed cli 'cli/x.c:#include "base/internal.h"'
noticed nn 'nn/x.c:#include "linear.h"'

for path in *; do
  [ -d "$path" ] && [ ! -f "$path/config.status" ] || continue
  case $path in build* | m4 | autom4te.cache | assistify-* | _* | trained_models) continue ;; esac
  [ -n "$(find "$path" -name '*.[ch]' | head -n 1)" ] || continue
  if [ "$(allowed_for "$path")" = unknown ]; then
    report "$path has a row in this test" "a folder of sources that this test does not know"
  else
    report "$path includes only what it may" "$(includes_of "$path" | forbidden_in "$path")"
  fi
done
echo "1..$number"
