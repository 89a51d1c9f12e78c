#!/bin/sh
# The command tokenize from outside: its JSON lines, and how it ends when something is wrong. Prints TAP.
set -u
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
input=$work/in

# answers EXPECTED INPUT ARGUMENTS...: what it prints for these lines, with exit code 0
answers() {
  expected=$1 lines=$2
  shift 2
  printf '%s\n' "$lines" >"$input"
  run tokenize "$@"
  [ "$code" -eq 0 ] && [ "$(cat "$work/out")" = "$expected" ]
  result=$?
  [ "$result" -eq 0 ] || { echo "# exit $code:"; sed 's/^/# /' "$work/out"; }
  is "answers $lines" "$result"
}

# rejects CODE FRAGMENT INPUT ARGUMENTS...: the exit code for this input, and a text that standard error must have
rejects() {
  wanted=$1 fragment=$2
  printf '%s' "$3" >"$input"
  shift 3
  gives "$wanted" "$fragment" tokenize "$@"
}

model=$work/model
mkdir "$model"
printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' where is my order '##s' '?' >"$model/vocab.txt"

# ---- answers ---------------------------------------------------------------------------------------------------------
answers '{"ids":[2,5,6,7,8,9,10,3],"tokens":["[CLS]","where","is","my","order","##s","?","[SEP]"],"char_offsets":[0,0,0,5,6,8,9,11,12,17,17,18,18,19,0,0],"byte_offsets":[0,0,0,5,6,8,9,11,12,17,17,18,18,19,0,0],"type_ids":[0,0,0,0,0,0,0,0]}' \
  '{"text": "Where is my orders?"}' --tokenizer "$model"
answers '{"ids":[2,5,3,6,3],"tokens":["[CLS]","where","[SEP]","is","[SEP]"],"char_offsets":[0,0,0,5,0,0,0,2,0,0],"byte_offsets":[0,0,0,5,0,0,0,2,0,0],"type_ids":[0,0,0,1,1]}' \
  '{"text": "where is", "text_pair": "is my", "other": 1}' --tokenizer "$model/vocab.txt" --max-length 5
answers '{"text":"[CLS] where is my orders? [SEP]","text_skip_special":"where is my orders?"}' \
  '{"ids": [2, 5, 6, 7, 8, 9, 10, 3], "text": "ignored"}' --tokenizer "$model" --decode
answers '{"text":"order","text_skip_special":"order"}' '{"ids": [8]}' --tokenizer "$model"

printf '{"text": "is"}\r\n{"text": "my"}' >"$work/lines.jsonl"
"$program" tokenize --tokenizer "$model" --input "$work/lines.jsonl" >"$work/out" 2>"$work/err"
[ $? -eq 0 ] && [ "$(wc -l <"$work/out")" -eq 2 ] && [ ! -s "$work/err" ]; is 'a file of two lines' $?
"$program" tokenize --tokenizer "$model" </dev/null >"$work/out" 2>&1
[ $? -eq 0 ] && [ ! -s "$work/out" ]; is 'no lines, no answers' $?

# ---- errors ----------------------------------------------------------------------------------------------------------
rejects 2 'needs --tokenizer' ''
rejects 2 'from 1 to' '' --tokenizer "$model" --max-length 0
rejects 3 'standard input: line 2: "text" must be a text' '{"text": "is"}
{"text": 5}' --tokenizer "$model"
[ "$(wc -l <"$work/out")" -eq 1 ]; is 'the lines before a bad one are answered' $?
printf '{"text": "is"}\n{"text": "is"\n' >"$work/bad.jsonl"
rejects 3 'bad.jsonl: line 2: ' '' --tokenizer "$model" --input "$work/bad.jsonl"
rejects 3 'absent.jsonl' '' --tokenizer "$model" --input "$work/absent.jsonl"
rejects 4 "$work/nowhere" '' --tokenizer "$work/nowhere"
mkdir "$work/empty"
rejects 4 'empty: holds no tokenizer' '' --tokenizer "$work/empty"
echo '{"model": {"type": "WordLevel"}}' >"$model/tokenizer.json"
rejects 4 'tokenizer.json: model.type "WordLevel" is not supported' '' --tokenizer "$model"

echo "1..$number"
