#!/bin/sh
# The examples in docs/examples do what their comments say. Prints TAP.
set -u
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
build=${ASSISTIFY_BUILD:-.}

"$build/docs/examples/own_model" >"$work/out" 2>"$work/err"
is 'own_model checks its gradients and trains' $?
grep -q '^gradients agree' "$work/out"; is 'own_model prints the result of the gradient check' $?
awk '$1 == "accuracy" { found = $2 } END { exit !(found >= 0.95) }' "$work/out"; is 'own_model learns the ring' $?

"$build/assistify" data synth --rows-per-class 50 --out "$work/messages.csv" 2>"$work/err"
"$build/docs/examples/intent" "$work/messages.csv" "$work/model" >"$work/out" 2>"$work/err"
is 'intent trains and answers' $?
[ ! -s "$work/err" ] && grep -q '^one text: [a-z]* (0\.[0-9]*)$' "$work/out" && [ "$(grep -c '): ' "$work/out")" -eq 3 ]
is 'intent prints one answer and three' $?
cmp -s "$work/model/model.safetensors" "$work/model/copy/model.safetensors"; is 'the saved copy has the same weights' $?
"$build/docs/examples/intent" "$work/messages.csv" "$work/model" >"$work/out" 2>"$work/err"
[ $? -eq 1 ] && grep -q 'holds a model' "$work/err"; is 'intent reports a failure by its text' $?
"$build/docs/examples/intent" "$work/no-such.csv" "$work/other" >"$work/out" 2>"$work/err"
[ $? -eq 1 ] && grep -q 'no-such.csv' "$work/err"; is 'intent names a data file that is not there' $?
echo "1..$number"
