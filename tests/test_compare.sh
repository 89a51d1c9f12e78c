#!/bin/sh
# compare from outside: two versions of each model, the gate, the three forms of the result, wrong input. Prints TAP.
set -u
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
cd "$work" || exit 99

# figure JQ_PATH: a member of the JSON in out
figure() { tr -d ' \n' <out | sed "s/.*$1//" | sed 's/[,}].*//'; }

"$program" data synth --rows-per-class 40 --seed 3 --out m.csv 2>err || exit 99
"$program" data synth --rows-per-class 10 --seed 4 --out t.csv 2>err || exit 99
recipe='--size tiny --vocab-size 300 --batch 8 --max-length 32'
# shellcheck disable=SC2086 # lists of words
{
  "$program" train intent --data m.csv $recipe --epochs 2 --lr 1e-3 --seed 1 2>err || exit 99
  sed 's/,tracking,/,delivery,/' m.csv >other.csv
  "$program" train intent --data other.csv $recipe --epochs 4 --lr 2e-3 --seed 2 2>err || exit 99
}

# ---- classifiers ---------------------------------------------------------------------------------------------------
gives 5 '"name": "gain"' compare intent --data t.csv --min-gain 0.9 --json
[ "$(figure '"gate":{"passed":')" = false ] && [ "$(figure '"n":')" = 60 ] && [ "$(figure '"same":')" = false ] &&
  ! grep -q latency out && grep -q '"name": "intent/2"' out && grep -A 1 '"only_first_knows": \[' out | grep -q tracking
is 'JSON has the gate, rows, both versions and the label that one does not know' $?
gives 0 'The gate is passed.' compare intent --data t.csv --max-loss none --max-class-loss none --changed rows.csv --report r.md
awk 'length > 80 { exit 1 }' out; is 'the table has at most 80 columns' $?
head -n 1 rows.csv | grep -q '^line,text,truth,first,first_confidence,second,second_confidence,change$' &&
  grep -q ',broken$' rows.csv && grep -q ',fixed$' rows.csv && [ "$(wc -l <rows.csv)" -gt 10 ]
is 'changed rows are written' $?
grep -q '^| macro F1 |' r.md && grep -q '^    assistify compare intent --data t.csv --changed rows.csv --report r.md --max-loss none --max-class-loss none$' r.md
is 'the report has the figures and the command' $?
for threads in 1 2 3; do
  "$program" --threads $threads compare intent --data t.csv --json --db none >json$threads 2>err
done
cmp -s json1 json2 && cmp -s json1 json3; is 'the same JSON with 1, 2 and 3 threads' $?
cp json1 out
first=$(figure '"macro_f1":{"first":') second=$(figure '"macro_f1":{"first":[^,]*,"second":')
"$program" evaluate intent --model intent/1 --data t.csv --json --db none >out 2>err
[ "$(figure '"f1":.*"macro_seen":')" = "$first" ]; is 'macro F1 is that of evaluate' $?
run compare intent intent/2 intent/1 --data t.csv --json --db none
[ "$(figure '"macro_f1":{"first":')" = "$second" ] && [ "$(figure '"macro_f1":{"first":[^,]*,"second":')" = "$first" ]
is 'two names turn the pair around' $?
gives 0 '"same": true' compare intent intent/1 intent/1 --data t.csv --json
[ "$(figure '"macro_f1":.*"difference":')" = 0.0 ]; is 'a version differs from itself by nothing' $?
gives 0 'Both are the same model' compare intent trained_models/intent/v0001 --data t.csv --latency 0
! grep -q 'p95' out; is '--latency 0 measures none' $?
gives 5 'at least 100 wanted' compare intent intent/1 intent/1 --data t.csv --min-rows 100
gives 5 '0 rows' compare intent intent/1 intent/1 --data t.csv --held-out 0.000001
gives 5 'times as long' compare intent --data t.csv --max-slowdown 0.0001 --max-loss none --json
grep -q '"latency_ms": {' out; is 'a limit for the time has it measured' $?

# the record
"$program" monitor metrics --json --metric 'compare.%' >out 2>err
grep -q '"compare.macro_f1.difference"' out && grep -q '"compare.passed"' out; is 'the figures are recorded' $?
"$program" evaluate intent --model intent/1 --data t.csv --json >out 2>err
gives 5 'of the first when last measured' compare intent intent/1 intent/2 --data t.csv --max-loss none --max-class-loss none --max-drop 0 --min-score 0.99
gives 0 'no earlier macro F1' compare intent intent/1 intent/1 --data t.csv --max-drop 0 --db new.db

# wrong input
refuses 4 'there is no model for sentiment' compare sentiment trained_models/intent/v0001 --data t.csv
refuses 2 'champion, challenger or previous' compare intent intent@best --data t.csv
refuses 4 'no such version' compare intent intent/7 --data t.csv
refuses 4 'trained for intent, not for sentiment' compare sentiment intent/1 intent/2 --data t.csv
refuses 3 "no column 'intent'" compare intent --data rows.csv --text-col text
refuses 3 'absent.csv' compare intent --data absent.csv
refuses 2 'data' compare intent intent/1 intent/2
refuses 2 'needs times' compare intent --data t.csv --max-slowdown 2 --latency 0
refuses 2 "'3' is too much" compare intent 1 2 3 --data t.csv
sed '2s/.*/a new word,unheard,neutral,/' t.csv >odd.csv
refuses 3 'odd.csv: line 2: neither model knows a label' compare intent --data odd.csv
gives 0 '"left_out": 1' compare intent intent/1 intent/1 --data odd.csv --on-error skip --json

# ---- replies -------------------------------------------------------------------------------------------------------
recipe='--data t.csv --size tiny --vocab-size 200 --batch 4 --max-length 48 --max-target-length 16'
# shellcheck disable=SC2086 # lists of words
{
  "$program" train response $recipe --epochs 1 --lr 3e-3 --seed 1 2>err || exit 99
  "$program" train response $recipe --epochs 3 --lr 3e-3 --seed 2 2>err || exit 99
}
gives 0 'The gate is passed.' compare response --data t.csv --max-loss none --changed rows.csv --report r.md
awk 'length > 80 { exit 1 }' out && grep -q '^  BLEU  ' out && grep -q '^| placeholders kept |' r.md
is 'replies: a table of at most 80 columns, and a report' $?
head -n 1 rows.csv | grep -q '^line,content,expected,first,first_bleu,second,second_bleu$' && [ "$(wc -l <rows.csv)" -gt 10 ]
is 'replies: changed rows are written' $?
for threads in 1 2 3; do
  "$program" --threads $threads compare response --data t.csv --json --db none --max-loss none >json$threads 2>err || break
done
cmp -s json1 json2 && cmp -s json1 json3; is 'replies: the same JSON with 1, 2 and 3 threads' $?
cp json1 out
first=$(figure '"chrf":{"first":')
"$program" evaluate response --model response/1 --data t.csv --json >out 2>err
grep -qF "\"chrf\": $first" out
is 'replies: chrF is that of evaluate' $?
"$program" monitor metrics --json --model response >out 2>err
grep -q '"compare.bleu.low"' out && grep -q '"perplexity"' out && grep -q '"bleu"' out; is 'replies: figures are recorded' $?
gives 5 'rows' compare response --data t.csv --mode nearest --min-rows 1000 --rows 7
grep -q '^7 rows$' out; is 'replies: --rows takes so many' $?
"$program" monitor metrics --json --model response --metric bleu >out 2>err
[ "$(wc -l <out)" -eq 3 ]; is 'replies: stored ones are not recorded as generated ones' $?
gives 5 '0 rows, at least' compare response --data t.csv --held-out 0.000001
refuses 2 'beams' compare response --data t.csv --beams 4 --sample
refuses 4 'trained for intent' compare response intent/1 --data t.csv

# ---- recommendations -----------------------------------------------------------------------------------------------
"$program" data synth --shop shop --customers 150 2>err || exit 99
recipe='--interactions shop/interactions.csv --dim 8 --hold-out 0.2'
# shellcheck disable=SC2086 # lists of words
{
  "$program" train recommend $recipe --products shop/products.csv --epochs 2 --seed 1 2>err || exit 99
  head -n 60 shop/products.csv >fewer.csv
  "$program" train recommend $recipe --products fewer.csv --epochs 9 --seed 2 --on-error skip 2>err || exit 99
}
held_out='--interactions shop/interactions.csv --held-out 0.2'
# shellcheck disable=SC2086 # lists of words
{
  gives 0 'The gate is passed.' compare recommend $held_out --max-loss none --report r.md --min-rows 5
  awk 'length > 80 { exit 1 }' out && grep -q '^  ndcg@10  ' out && grep -q 'one of the models does not have their product' err &&
    grep -q '^| coverage |' r.md
  is 'recommendations: a table of at most 80 columns, a report, and what was left out' $?
  for threads in 1 2 3; do
    "$program" --threads $threads compare recommend recommend/1 recommend/1 $held_out --json --db none --min-rows 5 >json$threads 2>err || break
  done
  cmp -s json1 json2 && cmp -s json1 json3; is 'recommendations: the same JSON with 1, 2 and 3 threads' $?
  cp json1 out
  first=$(figure '"ndcg@10":{"first":')
  "$program" evaluate recommend --model recommend/1 $held_out --json --baselines none >out 2>err
  grep -q "\"ndcg@10\": $first,$" out
  is 'recommendations: NDCG is that of evaluate' $?
  gives 5 'ndcg@10 of the second' compare recommend $held_out --max-loss none --min-rows 5 --k 10 --min-score 0.99
  gives 5 '0 customers' compare recommend --interactions shop/interactions.csv --held-out 0.000001
  gives 5 'at least 1000 wanted' compare recommend recommend/1 recommend/1 $held_out --min-rows 1000
  refuses 2 'positives' compare recommend $held_out --positives ,
  refuses 3 'absent.csv' compare recommend --interactions absent.csv
  refuses 4 'intent' compare recommend intent/1 $held_out
}
"$program" monitor metrics --json --model recommend >out 2>err
grep -q '"compare.ndcg@10.low"' out && grep -q '"ndcg@10"' out; is 'recommendations: figures are recorded' $?

echo "1..$number"
