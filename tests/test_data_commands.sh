#!/bin/sh
# The commands data check, data split and data synth from outside. Prints TAP.
set -u
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
source=${ASSISTIFY_SOURCE:-.}

# ---- synth -------------------------------------------------------------------------------------------------------------
run data synth
[ "$code" -eq 0 ] && cmp -s "$work/out" "$source/data/samples/messages.csv"; is 'synth prints the sample by default' $?
run data synth --rows-per-class 20 --seed 7 --out "$work/small.csv"
[ "$code" -eq 0 ] && [ ! -s "$work/out" ] && grep -q '^content,intent,sentiment,response$' "$work/small.csv"
is 'synth writes a file' $?
"$program" data synth --rows-per-class 100000 2>"$work/err" | head -n 1 >"$work/out"
[ ! -s "$work/err" ] && grep -q '^content' "$work/out"; is 'a reader that goes away ends synth without a word' $?
run data synth --shop "$work/shop" --customers 20
[ "$code" -eq 0 ] && [ ! -s "$work/out" ] && cmp -s "$work/shop/products.csv" "$source/data/samples/products.csv" &&
  grep -q '^customer_id,product_id,interaction_type,timestamp$' "$work/shop/interactions.csv"
is 'synth --shop writes a catalogue and interactions' $?
run data synth --out-dir "$work/all"
same=0; for name in messages products interactions; do
  cmp -s "$work/all/$name.csv" "$source/data/samples/$name.csv" || same=1
done
[ "$code" -eq 0 ] && [ ! -s "$work/out" ] && [ "$same" -eq 0 ] && [ "$(find "$work/all" -type f | wc -l)" -eq 3 ]
is 'synth --out-dir writes the samples by default' $?
gives 2 'contradict' data synth --out-dir "$work/all" --shop "$work/shop"
gives 2 'from 1 to 10000000' data synth --rows-per-class 0
gives 2 '--shop' data synth --shop "$work/shop" --out "$work/m.csv"
gives 1 '/no/such/folder' data synth --rows-per-class 1 --out /no/such/folder/m.csv

# ---- check -------------------------------------------------------------------------------------------------------------
sample=$source/data/samples/messages.csv
run data check --data "$sample"
[ "$code" -eq 0 ] && [ ! -s "$work/err" ] && grep -q '^intent: 6 classes$' "$work/out" && grep -q '^sentiment: 3 classes$' "$work/out"
is 'check finds six intents and three sentiments in the sample' $?
run data check --data "$sample" --label-col intent
grep -q '^nothing to worry about$' "$work/out"; is 'check finds nothing wrong with the sample' $?
run data check --json --data "$sample"
[ "$code" -eq 0 ] && [ "$(wc -l <"$work/out")" -eq 1 ] && grep -q '"purchase":650' "$work/out"; is 'check --json prints one line' $?
printf 'content,intent\na,x\nb\n,y\na,y\n"c,z\n' >"$work/bad.csv"
gives 3 'bad.csv: line 3: the first of 2 broken rows' data check --data "$work/bad.csv"
grep -q 'rows\{0,1\} with an empty text, left out (line 4)' "$work/out" && grep -q '(line 5 like 2)' "$work/out" &&
  grep -q 'never closed, left out (line 6)' "$work/out"
is 'check names every problem with its line' $?
"$program" data check --data - <"$sample" | grep -q '^standard input: 3900 rows$'; is 'check reads standard input' $?
gives 3 'no-such.csv: cannot be opened' data check --data "$work/no-such.csv"
gives 3 "line 1: there is no column 'content'" data check --data "$work/small.csv" --delimiter ';'
gives 3 "with --delimiter ',' there would be" data check --data "$work/small.csv" --delimiter ';'
gives 3 "there is no column 'mood'" data check --data "$work/small.csv" --label-col mood
gives 2 'delimiter' data check --data "$work/no-such.csv" --delimiter x
gives 2 'ebcdic' data check --data "$work/no-such.csv" --encoding ebcdic
gives 2 'name a FILE' data check
run data check "$sample"
[ "$code" -eq 0 ] && grep -q '3900 rows$' "$work/out" && grep -q '^  17 to 32  *1739  #*$' "$work/out"
is 'check takes the file as an operand, and shows how long its texts are' $?
gives 2 'named twice' data check "$sample" --data "$sample"
gives 2 'would be a file of messages' data check "$sample" --products "$source/data/samples/products.csv"
gives 2 'contradict' data check --data "$sample" --products "$source/data/samples/products.csv"
gives 2 '--interactions needs --products' data check --interactions "$source/data/samples/interactions.csv"
printf '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nword\n' >"$work/vocab.txt"
printf 'content,intent\nword,x\nword word word,y\nword word,y\n' >"$work/words.csv"
run data check "$work/words.csv" --tokenizer "$work/vocab.txt" --max-length 4
[ "$code" -eq 0 ] && grep -q '^  tokens  *3  *4  *5 ' "$work/out" && grep -q '^1 row of more than 4 tokens (33.3 %)' "$work/out"
is 'check counts tokens' $?
gives 4 'mood' data check "$work/words.csv" --tokenizer mood@champion --models "$work/no-store"
gives 4 'no-such' data check "$work/words.csv" --tokenizer "$work/no-such"
printf 'content,intent\nnew,x\nWORD  word,y\n' >"$work/test.csv"
gives 3 'test.csv: line 3: the first of 1 rows that are in' data check "$work/test.csv" --against "$work/words.csv"
grep -q 'words.csv has 1 of the 2 rows too (line 3 like 4)' "$work/out"; is 'check finds rows of two files' $?
printf 'content,intent\nnew,x\nother,y\n' >"$work/test.csv"
run data check "$work/test.csv" --against "$work/words.csv"
[ "$code" -eq 0 ] && ! grep -q 'rows too' "$work/out"; is 'files that share nothing are fine' $?
printf 'content,intent\nsch\303\203\302\266n,x\nlost \357\277\275,y\n' >"$work/wrong.csv"
run data check "$work/wrong.csv"
[ "$code" -eq 0 ] && grep -q 'wrong encoding (.*(line 2)' "$work/out" && grep -q 'U+FFFD) (line 3)' "$work/out"
is 'check finds texts that were read in a wrong encoding' $?
run data check --products "$source/data/samples/products.csv" --interactions "$source/data/samples/interactions.csv"
[ "$code" -eq 0 ] && [ ! -s "$work/err" ] && grep -q '^ *500  customers$' "$work/out" && grep -q '^ *7530  view ' "$work/out"
is "check finds nothing wrong with a shop's samples" $?
printf 'customer_id,product_id,interaction_type,timestamp\n7,101,view,2025-01-02\n7,999,view,2025-01-02\n7,101,wish,2025-01-03\n7,101,view,2099-01-01\n' >"$work/i.csv"
gives 3 'i.csv: line 3: the first of 3 rows that are wrong' data check --products "$source/data/samples/products.csv" --interactions "$work/i.csv"
grep -q 'product that is not in the catalogue, left out (line 3)' "$work/out" && grep -q 'not come yet (line 5)' "$work/out"
is "check names the faults of a shop's files" $?
gives 3 'the first of 2 rows' data check --products "$source/data/samples/products.csv" --interactions "$work/i.csv" --weight wish=2
if command -v jq >/dev/null; then
  "$program" data check "$sample" --json --tokenizer "$work/vocab.txt" --against "$sample" 2>/dev/null |
    jq -e '.tokens.max > 10 and .truncated == 0 and .against.rows == 3900 and (.words.histogram | map(.rows) | add) == 3900 and
      .problems.mojibake.count == 0 and (.problems | has("bad_times") | not)' >/dev/null
  is 'check --json has tokens, the other file and histograms' $?
  "$program" data check --products "$source/data/samples/products.csv" --interactions "$work/i.csv" --json 2>/dev/null |
    jq -e '.products.products == 72 and .interactions.problems.unknown_types.lines == [4] and .interactions.types.view == 2' >/dev/null
  is "check --json has a shop's files" $?
fi
printf 'content;intent\nO\371 est ma commande, d\351j\340 pay\351e ?;suivi\n' >"$work/western.csv"
gives 3 '--encoding windows-1252' data check --data "$work/western.csv" --delimiter ';'
run data check --data "$work/western.csv" --delimiter ';' --encoding windows-1252
[ "$code" -eq 0 ] && grep -q 'suivi' "$work/out"; is 'check converts Windows-1252' $?
iconv -f UTF-8 -t UTF-16 "$work/small.csv" >"$work/wide.csv" 2>"$work/err" && {
  gives 3 '--encoding utf-16' data check --data "$work/wide.csv"
  run data check --data "$work/wide.csv" --encoding utf-16
  [ "$code" -eq 0 ] && grep -q '120 rows' "$work/out"; is 'check converts UTF-16' $?
}

# ---- split -------------------------------------------------------------------------------------------------------------
run data split --data "$sample" --out-dir "$work/split" --test 0.1 --valid 0.2 --seed 3
[ "$code" -eq 0 ] && [ ! -s "$work/err" ] && grep -q '^ *2730 rows  .*/train.csv$' "$work/out" &&
  grep -q '^ *780 rows  .*/valid.csv$' "$work/out" && grep -q '^ *390 rows  .*/test.csv$' "$work/out"
is 'split counts its parts' $?
run data check --data "$work/split/test.csv"
grep -q '^  tracking  *65 ' "$work/out"; is 'every class has its share of the test file' $?
(for part in train valid test; do tail -n +2 "$work/split/$part.csv"; done) | sort >"$work/together"
tail -n +2 "$sample" | sort | cmp -s - "$work/together"; is 'the parts together are the whole' $?
run data split --data "$sample" --out-dir "$work/again" --test 0.1 --valid 0.2 --seed 3 --json
grep -q '^{"train":2730,"valid":780,"test":390,"classes":{"complaint":{"train":455,"valid":130,"test":65},' "$work/out" && diff -r "$work/split" "$work/again" >/dev/null
is 'the same seed gives the same files' $?
gives 3 'line 3: 1 field' data split --data "$work/bad.csv" --out-dir "$work/none"
[ ! -e "$work/none/train.csv" ]; is 'a refused split writes nothing' $?
gives 0 'line 4' data split --data "$work/bad.csv" --out-dir "$work/some" --on-error skip
gives 2 'leave nothing' data split --data "$sample" --out-dir "$work/none" --test 0.5 --valid 0.5
gives 2 'nothing to split' data split --data "$sample" --out-dir "$work/none" --test 0
gives 2 'read twice' data split --data - --out-dir "$work/none"
gives 2 'is there already' data split "$sample" --out-dir "$work/split"
run data split "$sample" --out-dir "$work/again" --test 0.1 --valid 0.2 --seed 3 --overwrite
[ "$code" -eq 0 ] && grep -q '^  tracking  *455  16.7 %  *130  16.7 %  *65  16.7 %$' "$work/out"; is 'split --overwrite replaces its files' $?
printf 'id,content,when,who\n1,a,2025-01-03,x\n2,b,2025-01-01,y\n3,c,2025-01-02,x\n4,d,2025-01-04,z\n' >"$work/timed.csv"
run data split "$work/timed.csv" --out-dir "$work/by-time" --by time --time-col when --test 0.5
[ "$code" -eq 0 ] && [ "$(cut -d, -f1 "$work/by-time/test.csv" | tr '\n' ' ')" = 'id 1 4 ' ] && [ "$(cut -d, -f1 "$work/by-time/train.csv" | tr '\n' ' ')" = 'id 2 3 ' ]
is 'split --by time takes the newest rows for tests' $?
run data split "$work/timed.csv" --out-dir "$work/by-group" --by group --group-col who --test 0.5
[ "$code" -eq 0 ] && [ "$(cat "$work"/by-group/*.csv | grep -c '^[0-9]')" -eq 4 ] && [ "$(grep -l ',x$' "$work/by-group/train.csv" "$work/by-group/test.csv" | wc -l)" -eq 1 ]
is 'split --by group keeps groups together' $?
gives 2 'needs --group-col' data split "$work/timed.csv" --out-dir "$work/none" --by group
gives 3 "there is no column 'timestamp'" data split "$work/timed.csv" --out-dir "$work/none" --by time
gives 3 'line 2: column' data split "$work/timed.csv" --out-dir "$work/none" --by time --time-col who
run data split "$sample" --out-dir "$work/by-hash" --by hash --test 0.2
cat "$sample" "$sample" >"$work/twice.csv" && run data split "$work/twice.csv" --out-dir "$work/by-hash-2" --by hash --test 0.2
sort -u "$work/by-hash-2/test.csv" >"$work/a" && sort -u "$work/by-hash/test.csv" | cmp -s - "$work/a"
is 'split --by hash does not depend on the rest of the file' $?
interactions=$source/data/samples/interactions.csv
run data split --interactions "$interactions" --out-dir "$work/i-time"
[ "$code" -eq 0 ] && [ ! -s "$work/err" ] && grep -q '^ *1182 rows  .*/test.csv$' "$work/out" && grep -q '^  view ' "$work/out" &&
  [ "$(tail -n +2 "$work/i-time/train.csv" | cut -d, -f4 | sort | tail -n 1; tail -n +2 "$work/i-time/test.csv" | cut -d, -f4 | sort | head -n 1)" = "$(tail -n +2 "$interactions" | cut -d, -f4 | sort | sed -n '10638,10639p')" ]
is 'split --interactions takes the newest rows for tests' $?
run data split --interactions "$interactions" --out-dir "$work/i-group" --by group --test 0.2
tail -n +2 "$work/i-group/train.csv" | cut -d, -f1 | sort -u >"$work/a"
tail -n +2 "$work/i-group/test.csv" | cut -d, -f1 | sort -u | comm -12 - "$work/a" >"$work/both"
[ "$code" -eq 0 ] && [ -s "$work/a" ] && [ ! -s "$work/both" ]; is 'split --interactions --by group keeps customers together' $?
gives 2 'time, group or hash' data split --interactions "$interactions" --out-dir "$work/none" --by class
gives 2 'named twice' data split "$sample" --interactions "$interactions" --out-dir "$work/none"
gives 2 'name a FILE' data split --out-dir "$work/none"
gives 2 'is the file that is split' data split --data "$work/split/train.csv" --out-dir "$work/split"
gives 1 'the folder cannot be made' data split --data "$sample" --out-dir /dev/null/x

echo "1..$number"
