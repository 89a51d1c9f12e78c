#!/bin/sh
# pretrain from outside, for each architecture: signals, kills, resuming, exit codes, and training from what it wrote. TAP.
set -u
# shellcheck source=tests/training_runs.sh
. "$(dirname "$0")/training_runs.sh"
trainer=pretrain

"$program" data synth --rows-per-class 60 --seed 3 --out "$work/m.csv" || exit 99
run pretrain --help
tr -s ' \n' ' ' <"$work/out" | grep -qF -e '--batch-tokens N tokens a batch (from 1 to 10000000; default: 2048)'
is 'the help tells the batches that are the default' $?
for arch in distilbert roberta; do
  about="$arch: "
  recipe="--data $work/m.csv --arch $arch --size tiny --vocab-size 300 --epochs 2 --batch-tokens 64 --max-length 32 --save-every 1"
  whole=$work/$arch
  # shellcheck disable=SC2086 # a list of words
  run $trainer $recipe --out "$whole"
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
  gives 2 'a text a line' pretrain --data "$work/t.txt" --text-col content --out "$work/x"
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
