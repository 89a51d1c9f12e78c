#!/bin/sh
# pretrain from outside, for each architecture: signals, kills, resuming, exit codes, and training from what it wrote. TAP.
set -u
program=${ASSISTIFY_BUILD:-.}/assistify
work=$(mktemp -d "${TMPDIR:-/tmp}/assistify-pretrain.XXXXXX") || exit 99
running=
trap '[ -z "$running" ] || kill -9 "$running" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM # so that the trap above runs
unset ASSISTIFY_CONFIG
number=0

# is NAME STATUS: one test; STATUS 0 is a pass
is() {
  number=$((number + 1))
  if [ "$2" -eq 0 ]; then echo "ok $number - $arch: $1"; else echo "not ok $number - $arch: $1"; sed 's/^/# /' "$work/err" | tail -n 5; fi
}

run() {
  "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
  code=$?
}

# gives CODE FRAGMENT ARGUMENTS...: the exit code, and a text that standard error must have
gives() {
  wanted=$1 fragment=$2
  shift 2
  run "$@"
  [ "$code" -eq "$wanted" ] && grep -qF -e "$fragment" "$work/err"
  is "exit $wanted, says '$fragment'" $?
}

steps_done() { [ -f "$1/train.jsonl" ] && [ "$(wc -l <"$1/train.jsonl")" -ge "$2" ]; }

# stopped SIGNAL OUT STEPS: starts a run, and sends the signal after so many steps; exit code in $code
stopped() {
  # shellcheck disable=SC2086 # a list of words
  "$program" pretrain $recipe --out "$2" >"$work/out" 2>"$work/err" </dev/null &
  running=$!
  until steps_done "$2" "$3"; do
    kill -0 "$running" 2>/dev/null || break
    sleep 0.02
  done
  kill "-$1" "$running" 2>/dev/null
  wait "$running" 2>/dev/null
  code=$?
  running=
}

# resumes OUT: goes on, and holds the result against the undisturbed run
resumes() {
  run pretrain --resume "$1"
  [ "$code" -eq 0 ] && cmp -s "$whole/model.safetensors" "$1/model.safetensors" &&
    cmp -s "$whole/train.jsonl" "$1/train.jsonl" && [ ! -e "$1/training" ]
}

"$program" data synth --rows-per-class 60 --seed 3 --out "$work/m.csv" || exit 99
arch=any
run pretrain --help
tr -s ' \n' ' ' <"$work/out" | grep -qF -e '--batch-tokens N tokens a batch (from 1 to 10000000; default: 2048)'
is 'the help tells the batches that are the default' $?
for arch in distilbert roberta; do
  recipe="--data $work/m.csv --arch $arch --size tiny --vocab-size 300 --epochs 2 --batch-tokens 64 --max-length 32 --save-every 1"
  whole=$work/$arch
  # shellcheck disable=SC2086 # a list of words
  run pretrain $recipe --out "$whole"
  [ "$code" -eq 0 ] && [ ! -s "$work/out" ]; is 'an undisturbed run ends with 0 and prints nothing on standard output' $?
  grep -q '^epoch 2/2 .*validation: loss .*, perplexity ' "$work/err" && grep -q 'perplexity [0-9.]*$' "$work/err"
  is 'it reports loss and perplexity' $?
  grep -q '"event":"epoch".*"valid_loss":.*"perplexity":.*"best":' "$whole/train.jsonl"; is 'and records them' $?
  grep -q 'ForMaskedLM' "$whole/config.json"; is 'config.json names the masked language model' $?
  for signal in INT TERM; do
    stopped "$signal" "$work/$arch-$signal" 20
    [ "$code" -eq 130 ] && grep -q -e '--resume' "$work/err"; is "SIG$signal saves and ends with 130" $?
    resumes "$work/$arch-$signal"; is "a run stopped by SIG$signal ends with the same bytes" $?
  done
  stopped KILL "$work/$arch-killed" 30
  gives 4 'is of another kind (pretraining)' train intent --resume "$work/$arch-killed"
  resumes "$work/$arch-killed"; is 'a run that was killed ends with the same bytes' $?
  run train intent --data "$work/m.csv" --from "$whole" --epochs 1 --out "$work/$arch-tuned"
  [ "$code" -eq 0 ] && grep -q 'has no classification head: a fresh one is made' "$work/err" &&
    cmp -s "$whole/tokenizer.json" "$work/$arch-tuned/tokenizer.json"
  is 'train --from takes the folder' $?
  run predict intent --model "$work/$arch-tuned" 'where is my order'
  [ "$code" -eq 0 ] && grep -q '^{"intent":' "$work/out"; is 'and the classifier answers' $?
  gives 4 'classification head' predict intent --model "$whole" hello
  cut -d, -f1 "$work/m.csv" | sed 1d >"$work/t.txt"
  run pretrain --data "$work/t.txt" --from "$whole" --epochs 1 --valid none --out "$work/$arch-more"
  [ "$code" -eq 0 ] && ! grep -q 'fresh one' "$work/err"; is 'a file of lines goes on from a folder, with its head' $?
  gives 2 'arch' pretrain --data "$work/t.txt" --from "$whole" --arch "$arch"
  gives 2 'holds a model' pretrain --data "$work/t.txt" --out "$whole"
  gives 2 'data' pretrain
  gives 3 'absent.txt' pretrain --data "$work/absent.txt" --out "$work/x"
  printf 'where is my order\nthank you\n' >"$work/t.log"
  gives 3 'is read as such when its name ends in .txt' pretrain --data "$work/t.log" --out "$work/x"
  gives 3 "line 1: there is no column 'nothing'" pretrain --data "$work/m.csv" --text-col nothing --out "$work/x"
  printf 'good\nbad \377 bytes\n' >"$work/bad.txt"
  gives 3 'bad.txt: line 2' pretrain --data "$work/bad.txt" --out "$work/x"
  gives 1 'memory limit' pretrain --data "$work/m.csv" --memory-limit 1M --out "$work/x"
  [ ! -e "$work/x" ]; is 'nothing is left of what failed' $?
done
echo "1..$number"
