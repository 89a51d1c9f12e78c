#!/bin/sh
# train, predict and evaluate from outside, for each task: signals, kills, resuming, exit codes, formats. Prints TAP.
set -u
# shellcheck source=tests/training_runs.sh
. "$(dirname "$0")/training_runs.sh"

"$program" data synth --rows-per-class 40 --seed 3 --out "$base/m.csv" || exit 99
recipe="--data $base/m.csv --size tiny --vocab-size 300 --epochs 2 --batch 4 --max-length 32 --save-every 1"

# ---- signals and kills ---------------------------------------------------------------------------------------------
interrupting() {
  # shellcheck disable=SC2086 # lists of words
  run $trainer $recipe --out "$whole"
  [ "$code" -eq 0 ] && [ ! -s "$work/out" ]; is 'an undisturbed run ends with 0 and prints nothing on standard output' $?
  grep -q '^epoch 2/2' "$work/err" && grep -q 'the weights of epoch' "$work/err"; is 'it reports its epochs on standard error' $?
  for file in config.json model.safetensors tokenizer.json tokenizer_config.json $vocabulary assistify.json recipe.json train.jsonl; do
    [ -s "$whole/$file" ] || break
  done
  is "the folder has all files, $file included" $?

  for signal in INT TERM; do
    stopped "$signal" "$work/$signal" 20
    [ "$code" -eq 130 ] && grep -q -e '--resume' "$work/err"; is "SIG$signal saves and ends with 130" $?
    resumes "$work/$signal"; is "a run stopped by SIG$signal ends with the same bytes" $?
  done

  # shellcheck disable=SC2086 # lists of words
  begin $trainer $recipe --out "$work/early"
  await test -e "$work/early/training/recipe.json"; stop INT
  [ "$code" -eq 130 ]; is 'a signal before the first step ends with 130' $?
  resumes "$work/early"; is 'a run stopped before its first step ends with the same bytes' $?

  stopped KILL "$work/killed" 8
  [ "$code" -eq 137 ]; is 'kill -9 in the first epoch' $?
  begin train "$task" --resume "$work/killed"
  await steps_done "$work/killed" 75; stop KILL
  [ "$code" -eq 137 ]; is 'kill -9 in the second' $?
  resumes "$work/killed"; is 'a run killed twice ends with the same bytes' $?
}

# ---- exit codes ----------------------------------------------------------------------------------------------------
refusing() {
  gives 2 '--data' train "$task"
  gives 2 'no-such-option' train "$task" --data "$base/m.csv" --no-such-option
  gives 2 'batch' train "$task" --data "$base/m.csv" --batch 0
  gives 2 'batch-tokens' train "$task" --data "$base/m.csv" --batch 4 --batch-tokens 100
  gives 2 'resume' train "$task" --resume "$whole" --epochs 3
  gives 2 'holds a model' train "$task" --data "$base/m.csv" --out "$whole"
  gives 3 'absent.csv' train "$task" --data "$work/absent.csv" --out "$work/x1"
  gives 3 'line 1' train "$task" --data "$base/m.csv" --label-col nothing --out "$work/x2"
  printf 'content,%s\na,x\n"b,y\n' "$task" >"$work/broken.csv"
  gives 3 'line 3' train "$task" --data "$work/broken.csv" --out "$work/x3"
  gives 4 'no-such-model: there is no such folder' train "$task" --data "$base/m.csv" --from "$work/no-such-model" --out "$work/x4"
  gives 4 'no unfinished training' train "$task" --resume "$whole"
  gives 4 'no-such-model' predict "$task" --model "$work/no-such-model" hello
  gives 4 "assistify.json: task: the model was trained for $task, not for $another" predict "$another" --model "$whole" hello
  gives 4 "the model was trained for $task" evaluate "$another" --model "$whole" --data "$base/m.csv"
  gives 4 'no-such-model' evaluate "$task" --model "$work/no-such-model" --data "$base/m.csv"
  gives 6 'diverged on the rows of lines' train "$task" --data "$base/m.csv" --size tiny --vocab-size 300 --lr 10 --weight-decay 10 --warmup 0 \
    --max-grad-norm 0 --out "$work/x5"
  grep -q 'step [0-9]' "$work/err"; is 'a divergence names its step' $?
  stopped INT "$work/changed" 10
  gives 4 "the unfinished training here is for $task, not for $another" train "$another" --resume "$work/changed"
  cp "$base/m.csv" "$work/kept.csv"; echo 'one more,inquiry,neutral' >>"$base/m.csv"
  gives 3 'm.csv' train "$task" --resume "$work/changed"
  mv "$work/kept.csv" "$base/m.csv"
}

# ---- predict -------------------------------------------------------------------------------------------------------
predicting() {
  answer='^{"'"$task"'":"[a-z]*","confidence":[0-9.e-]*,'"$extra"'"all_probabilities":{\("[a-z]*":[0-9.e-]*,*\)*},"tokens":[0-9]*,"truncated":[a-z]*}$'
  run predict "$task" --model "$whole" 'I want to buy the gold package' 'where is it'
  [ "$code" -eq 0 ] && [ "$(grep -c "$answer" "$work/out")" -eq 2 ] && [ "$(wc -l <"$work/out")" -eq 2 ]
  is 'each text on the command line gets one line with exactly the documented keys' $?
  cp "$work/out" "$work/two"
  printf 'I want to buy the gold package\n\nwhere is it\n' | "$program" predict "$task" --model "$whole" >"$work/out" 2>"$work/err"
  cmp -s "$work/two" "$work/out"; is 'lines of standard input get the same answers' $?
  printf 'id,content\n1,I want to buy the gold package\n2,\n3\n4,where is it\n' >"$work/in.csv"
  run predict "$task" --model "$whole" --input "$work/in.csv"
  [ "$code" -eq 0 ] && [ "$(wc -l <"$work/out")" -eq 4 ] && sed -n '1p;4p' "$work/out" | cmp -s - "$work/two" &&
    sed -n 2p "$work/out" | grep -q '^{"error":".*line 3: ' && sed -n 3p "$work/out" | grep -q '^{"error":".*line 4: '
  is 'bad rows of a CSV are lines of error in their places' $?
  "$program" predict "$task" --model "$whole" --input - <"$work/in.csv" 2>"$work/err" | sed -n '1p;4p' | cmp -s - "$work/two"
  is '--input - reads the CSV from standard input' $?
  run predict "$task" --model "$whole" --min-confidence 1 'where is it'
  grep -q '^{"'"$task"'":"unknown","confidence":0' "$work/out"; is 'below --min-confidence the answer is unknown' $?
  run predict "$task" --model "$whole" --max-length 4 'where is it now please'
  grep -q '"tokens":4,"truncated":true}$' "$work/out"; is '--max-length cuts, and says so' $?
  gives 2 'not both' predict "$task" --model "$whole" --input "$work/in.csv" text
  gives 3 'no-such.csv' predict "$task" --model "$whole" --input "$work/no-such.csv"
  "$program" data synth --rows-per-class 1000 2>/dev/null >"$work/many.csv"
  "$program" predict "$task" --model "$whole" --input "$work/many.csv" 2>"$work/err" | head -n 1 >"$work/out"
  [ ! -s "$work/err" ] && [ "$(wc -l <"$work/out")" -eq 1 ]; is 'a reader that goes away ends predict without a word' $?
}

# ---- evaluate ------------------------------------------------------------------------------------------------------
evaluating() {
  run evaluate "$task" --model "$whole" --data "$base/m.csv" --resamples 50 --json --errors "$work/errors.csv"
  [ "$code" -eq 0 ]; is 'evaluate --json ends with 0' $?
  missing=
  for key in n accuracy confusion support precision recall f1 macro micro weighted balanced_accuracy mcc log_loss brier ece15 labels ci95 \
    baselines; do
    grep -q "\"$key\": *" "$work/out" || missing="$missing $key"
  done
  [ -z "$missing" ] || echo "# missing:$missing"
  [ -z "$missing" ]; is 'evaluate --json has the keys' $?
  [ "$(head -n 1 "$work/errors.csv")" = 'line,text,truth,predicted,confidence' ]; is 'evaluate --errors writes the wrong rows' $?
  run evaluate "$task" --model "$whole" --data "$base/m.csv" --resamples 50
  grep -qi 'accuracy' "$work/out" && grep -q "$class" "$work/out"; is 'evaluate prints a table' $?
  printf 'content,%s\nsing,song\n' "$task" >"$work/other.csv"
  gives 3 'line 2: the model knows no label "song"' evaluate "$task" --model "$whole" --data "$work/other.csv"
}

# ---- either encoder for either task ------------------------------------------------------------------------------------
choosing() {
  # shellcheck disable=SC2086 # a list of words
  run train "$task" $recipe --arch "$1" --out "$work/$1"
  [ "$code" -eq 0 ] && grep -q "^model *$1, tiny, " "$work/err" && grep -q "\"model_type\": \"$1\"" "$work/$1/config.json"
  is "--arch $1 trains one" $?
  run predict "$task" --model "$work/$1" hello
  [ "$code" -eq 0 ] && grep -q "^{\"$task\":\"" "$work/out"; is "and a model of $1 answers" $?
  run train "$task" --data "$base/m.csv" --epochs 1 --from "$work/$1" --out "$work/from-$1"
  [ "$code" -eq 0 ] && grep -q "^model *$1, .*/$1, " "$work/err" &&
    cmp -s "$work/$1/tokenizer.json" "$work/from-$1/tokenizer.json"
  is "--from takes over architecture and tokenizer of a $1 folder" $?
  gives 2 'arch' train "$task" --data "$base/m.csv" --from "$work/$1" --arch "$1" --out "$work/x6"
}

for task in intent sentiment; do
  work=$base/$task whole=$base/$task/whole trainer="train $task" about="$task: "
  mkdir "$work"
  case $task in
    intent) another=sentiment other=roberta class=inquiry vocabulary=vocab.txt extra= ;;
    sentiment) another=intent other=distilbert class=neutral vocabulary='vocab.json merges.txt' extra='"intensity":[0-9.e-]*,' ;;
  esac
  interrupting
  refusing
  predicting
  evaluating
  choosing "$other"
done
echo "1..$number"
