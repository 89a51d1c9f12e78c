#!/bin/sh
# train response and evaluate response from outside: signals, kills, resuming, exit codes, formats. Prints TAP.
set -u
# shellcheck source=tests/training_runs.sh
. "$(dirname "$0")/training_runs.sh"
trainer='train response'
whole=$work/whole
compared="$compared assistify.json nearest_replies.csv"

"$program" data synth --rows-per-class 10 --seed 3 --out "$work/m.csv" || exit 99
recipe="--data $work/m.csv --size tiny --vocab-size 200 --epochs 2 --batch 4 --max-length 48 --max-target-length 24 --save-every 1"

# shellcheck disable=SC2086 # lists of words
run $trainer $recipe --out "$whole"
[ "$code" -eq 0 ] && [ ! -s "$work/out" ]; is 'a run ends with 0 and prints nothing on standard output' $?
grep -q '^epoch 2/2 .*perplexity' "$work/err" && grep -q '^replies to 6 validation rows: BLEU .*; nearest reply .*, one fixed reply' "$work/err" &&
  grep -q '^plainly: ' "$work/err"; is 'it says what it reached, plainly' $?
grep -q 'replies ([0-9.]* %) are cut to --max-target-length' "$work/err"; is 'what is cut is counted' $?
for file in config.json model.safetensors tokenizer.json spiece.model assistify.json nearest_replies.csv recipe.json train.jsonl; do
  [ -s "$whole/$file" ] || break
done
is "the folder has all files, $file included" $?
grep -q '"input_template": "respond intent: {intent} sentiment: {sentiment} message: {content}"' "$whole/assistify.json"
is 'the template is recorded' $?

stopped INT "$work/int" 5
[ "$code" -eq 130 ] && grep -q -e '--resume' "$work/err"; is 'SIGINT saves and ends with 130' $?
resumes "$work/int"; is 'a run stopped by SIGINT ends with the same bytes' $?
stopped KILL "$work/killed" 17
resumes "$work/killed"; is 'a run killed in the second epoch ends with the same bytes' $?
stopped INT "$work/other" 3
gives 4 'of another kind (response)' train intent --resume "$work/other"

# ---- evaluate --------------------------------------------------------------------------------------------------------
run evaluate response --model "$whole" --data "$work/m.csv" --rows 12 --json --replies "$work/replies.csv"
[ "$code" -eq 0 ]; is 'evaluate --json ends with 0' $?
missing=
for key in n loss perplexity tokens truncated unfinished bleu chrf rouge1 rouge2 rougeL exact_match exact_match_normalized distinct1 \
  distinct2 length reference_length placeholders placeholders_kept baselines most_frequent nearest verdict; do
  grep -q "\"$key\": *" "$work/out" || missing="$missing $key"
done
[ -z "$missing" ] || echo "# missing:$missing"
[ -z "$missing" ] && grep -q '"n": 12,' "$work/out"; is 'evaluate --json has the keys' $?
[ "$(head -n 1 "$work/replies.csv")" = 'line,content,expected,reply,nearest' ]; is 'evaluate --replies writes them' $?
run evaluate response --model "$whole" --data "$work/m.csv" --rows 12
grep -q 'BLEU' "$work/out" && grep -q '^Plainly: ' "$work/out"; is 'evaluate prints a table and says what is better' $?

# ---- exit codes ------------------------------------------------------------------------------------------------------
gives 2 '--data' train response
gives 2 'template' train response --data "$work/m.csv" --template 'no place for the message'
gives 2 'size' train response --data "$work/m.csv" --from "$whole" --size tiny
gives 2 'Adafactor' train response --data "$work/m.csv" --relative-step --out "$work/x1"
gives 3 'absent.csv' train response --data "$work/absent.csv" --out "$work/x2"
printf 'content,answer\na,b\n' >"$work/wrong.csv"
gives 3 'response' train response --data "$work/wrong.csv" --out "$work/x3"
gives 4 'no-such-model' train response --data "$work/m.csv" --from "$work/no-such-model" --out "$work/x4"
gives 4 'no unfinished training' train response --resume "$whole"
gives 3 'response' evaluate response --model "$whole" --data "$work/wrong.csv"
gives 4 'no-such-model' evaluate response --model "$work/no-such-model" --data "$work/m.csv"
gives 4 'the model was trained for response, not for intent' predict intent --model "$whole" hello
"$program" train intent --data "$work/m.csv" --size tiny --vocab-size 200 --epochs 1 --out "$work/intent" 2>"$work/err"
gives 4 'the model was trained for intent, not for response' evaluate response --model "$work/intent" --data "$work/m.csv"
echo "1..$number"
