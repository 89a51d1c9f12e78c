#!/bin/sh
# The command tokenize from outside: its JSON lines, and how it ends when something is wrong. Prints TAP.
set -u
program=${ASSISTIFY_BUILD:-.}/assistify
work=$(mktemp -d "${TMPDIR:-/tmp}/assistify-tokenize.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM # so that the trap above runs
unset ASSISTIFY_CONFIG
number=0

# is NAME STATUS: one test; STATUS 0 is a pass
is() {
  number=$((number + 1))
  if [ "$2" -eq 0 ]; then echo "ok $number - $1"; else echo "not ok $number - $1"; fi
}

# answers EXPECTED INPUT ARGUMENTS...: what it prints for these lines, with exit code 0
answers() {
  expected=$1 input=$2
  shift 2
  actual=$(printf '%s\n' "$input" | "$program" tokenize "$@" 2>"$work/err")
  code=$?
  [ "$code" -eq 0 ] && [ "$actual" = "$expected" ]
  result=$?
  [ "$result" -eq 0 ] || { echo "# exit $code: $actual"; sed 's/^/# /' "$work/err"; }
  is "answers $input" "$result"
}

# gives CODE FRAGMENT INPUT ARGUMENTS...: the exit code, and a text that standard error must have
gives() {
  wanted=$1 fragment=$2 input=$3
  shift 3
  printf '%s' "$input" | "$program" tokenize "$@" >"$work/out" 2>"$work/err"
  code=$?
  [ "$code" -eq "$wanted" ] && grep -qF -e "$fragment" "$work/err"
  result=$?
  [ "$result" -eq 0 ] || sed "s/^/# exit $code: /" "$work/err"
  is "exit $wanted, says '$fragment'" "$result"
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
gives 2 'needs --tokenizer' ''
gives 2 'from 1 to' '' --tokenizer "$model" --max-length 0
gives 3 'standard input: line 2: "text" must be a text' '{"text": "is"}
{"text": 5}' --tokenizer "$model"
[ "$(wc -l <"$work/out")" -eq 1 ]; is 'the lines before a bad one are answered' $?
printf '{"text": "is"}\n{"text": "is"\n' >"$work/bad.jsonl"
gives 3 'bad.jsonl: line 2: ' '' --tokenizer "$model" --input "$work/bad.jsonl"
gives 3 'absent.jsonl' '' --tokenizer "$model" --input "$work/absent.jsonl"
gives 4 "$work/nowhere" '' --tokenizer "$work/nowhere"
mkdir "$work/empty"
gives 4 'empty: holds no tokenizer' '' --tokenizer "$work/empty"
echo '{"model": {"type": "WordLevel"}}' >"$model/tokenizer.json"
gives 4 'tokenizer.json: model.type "WordLevel" is not supported' '' --tokenizer "$model"

echo "1..$number"
