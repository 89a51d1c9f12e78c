#!/bin/sh
# The prediction log from outside: --log of the commands that answer, and monitor predictions and feedback. Prints TAP.
set -u
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
cd "$work" || exit 99
"$program" data synth --rows-per-class 100 --seed 3 --out m.csv || exit 99
recipe='--data m.csv --size tiny --vocab-size 300 --epochs 1 --batch 8 --max-length 32'
db=trained_models/assistify.db
# shellcheck disable=SC2086 # a list of words
gives 0 'intent/1 is the champion' train intent $recipe

# rows QUERY...: how many rows the log has
rows() { "$program" monitor predictions --format jsonl "$@" 2>/dev/null | wc -l; }
# json: every line of standard output is JSON, as far as there is a program here that can tell
json() { ! command -v jq >where || jq -e . out >parsed; }

# ---- writing -----------------------------------------------------------------------------------------------------------
gives 1 'is not there' monitor predictions
run predict intent 'where is my order'
! grep -q request_id out && [ ! -e $db ]; is 'without --log there is no request id and no database' $?
run predict intent 'where is my order' --log
[ "$code" -eq 0 ] && grep -qE '"request_id":"[0-9a-f]{32}"' out && json; is 'an answer that is logged has a request id' $?
id=$(sed 's/.*"request_id":"\([0-9a-f]*\)".*/\1/' out)
[ "$(rows)" -eq 1 ]; is 'and a row' $?
gives 0 "\"input\":\"$(printf 'where is my order' | sha256sum | cut -c 1-64)\"" monitor predictions --format jsonl
json; is 'rows are JSON lines' $?
gives 0 '"model":"intent","version":"1"' monitor predictions --format jsonl
gives 0 'request_id' predict intent 'kept in full' --log --log-text full
gives 0 '"input":"kept in full"' monitor predictions --format jsonl --limit 1
gives 0 'request_id' predict intent 'not kept' --log --log-text none
gives 0 '"input":null' monitor predictions --format jsonl --limit 1
printf 'log = yes\nlog-text = full\n' >a.conf
gives 0 'request_id' predict intent 'by the file' --config a.conf
gives 0 '"input":"by the file"' monitor predictions --format jsonl --limit 1
run predict intent 'not this time' --config a.conf --log=no
! grep -q request_id out; is 'the command line wins over the file' $?
gives 0 'request_id' predict intent elsewhere --log --db other/some.db
[ "$(rows --db other/some.db)" -eq 1 ] && [ "$(rows)" -eq 4 ]; is '--db names another database' $?
run predict intent --input m.csv --log
[ "$code" -eq 0 ] && [ "$(grep -c request_id out)" -eq 600 ] && [ "$(rows)" -eq 604 ]; is 'every row of a file is logged' $?
"$program" predict intent --input m.csv >plain 2>err && sed 's/,"request_id":"[^"]*"//' out | cmp -s - plain
is 'and answered as without the log' $?
gives 2 'contradict' monitor predictions --json --limit 3
gives 2 'from 1 to' predict intent x --log --log-days 0

# ---- what must not fail a prediction -------------------------------------------------------------------------------------
mkdir folder.db && echo nonsense >text.db
for place in folder.db text.db m.csv/below.db; do
  "$program" predict intent 'where is it' 2>err >plain
  run predict intent 'where is it' --log --db $place
  [ "$code" -eq 0 ] && [ "$(grep -c 'predictions go on without being logged' err)" -eq 1 ] && sed 's/,"request_id":"[^"]*"//' out | cmp -s - plain
  is "a database that cannot be written ($place) is a warning" $?
done
[ "$(cat text.db)" = nonsense ]; is 'and stays what it was' $?
mkfifo lines
rm out
"$program" predict intent --log <lines >out 2>err & running=$!
exec 3>lines
i=0
while [ $i -lt 520 ]; do echo "line $i"; i=$((i + 1)); done >&3
await test -s out
sleep 10 >&3 & open=$! # who does not hear the signal ends then
exec 3>&-
stop INT
kill $open
[ "$code" -eq 130 ] && [ "$(wc -l <out)" -eq 512 ] && [ "$(rows)" -eq 1116 ]; is 'Ctrl-C ends the program after what was answered is logged' $?

# ---- reading -------------------------------------------------------------------------------------------------------------
gives 0 'intent/1: 1116 rows' monitor predictions
[ "$(grep -c '^20..-' out)" -eq 20 ]; is 'the table shows the last 20' $?
gives 0 '    kept in full' monitor predictions --text --limit 2000
gives 0 'there are no such predictions' monitor predictions --model sentiment
gives 0 'there are no such predictions' monitor predictions --model intent/2
gives 0 'intent/1: 1116 rows' monitor predictions --model intent/1 --since 1h
gives 0 'there are no such predictions' monitor predictions --since 2099-01-01
gives 0 '1116 rows are in rows.csv' monitor predictions --export rows.csv
[ "$(wc -l <rows.csv)" -eq 1117 ] && head -n 1 rows.csv | grep -q '^timestamp,request_id,model,version,input,label,confidence,probabilities,tokens,unknown,latency_us,truncated,feedback$'
is 'the export has a line for each row' $?
gives 0 'rows are in rows.jsonl' monitor predictions --export rows.jsonl --limit 7
[ "$(wc -l <rows.jsonl)" -eq 7 ]; is '--limit holds for exports too' $?
gives 2 'or --format' monitor predictions --export rows.txt
gives 1 '/no/such/folder' monitor predictions --export /no/such/folder/rows.csv
gives 0 '' data check --data rows.csv --text-col request_id --label-col label

# ---- feedback ------------------------------------------------------------------------------------------------------------
gives 0 'is recorded' monitor feedback "$id" tracking
gives 0 '"feedback":"tracking"' monitor predictions --format jsonl
[ "$(grep -c '"feedback":"tracking"' out)" -eq 1 ] && grep '"feedback":"tracking"' out | grep -q "$id"; is 'feedback is in the row of the request' $?
gives 0 'is recorded' monitor feedback "$(echo "$id" | cut -c 1-12)" complaint
gives 0 '"feedback":"complaint"' monitor predictions --format jsonl
gives 2 'it knows complaint, inquiry' monitor feedback "$id" tracing
gives 0 'is recorded' monitor feedback "$id" 'a new label' --any-label
gives 3 'no prediction with the request id 0123456789' monitor feedback 0123456789 tracking
gives 2 'is no request id' monitor feedback hello tracking
"$program" monitor predictions --format jsonl --label tracking --limit 3 >out 2>err
label=$(sed -n '1s/.*"label":"\([a-z]*\)".*/\1/p' out)
[ -n "$label" ] || "$program" monitor predictions --format jsonl --limit 3 >out 2>err
sed 's/.*"request_id":"\([0-9a-f]*\)".*"label":"\([a-z]*\)".*/\1 \2/' out >answers
while read -r id label; do "$program" monitor feedback "$id" "$label" 2>err || exit 99; done <answers
gives 0 'right in 3 of 4 with feedback: 75.00 % (95 %: 30.06 to 95.44 %)' monitor predictions
gives 0 '"feedback":4,"right":3,"accuracy":0.75,"ci95":[0.3006' monitor predictions --json
json; is 'the summary is JSON' $?

# ---- replies, recommendations ----------------------------------------------------------------------------------------------
# shellcheck disable=SC2086
gives 0 'response/1 is the champion' train response $recipe --arch t5
gives 0 'request_id' respond 'where is it' --mode nearest --log --log-text full
json; is 'a reply that is logged is JSON' $?
id=$(sed 's/.*"request_id":"\([0-9a-f]*\)".*/\1/' out)
[ "$("$program" monitor predictions --format jsonl 2>err | grep -c "$id")" -eq 2 ]; is 'what the classifier told is logged with the reply' $?
gives 2 'several models were asked' monitor feedback "$id" good
gives 0 'is recorded' monitor feedback "$id" good --model response
"$program" data synth --shop shop --customers 60 || exit 99
gives 0 'recommend/1 is the champion' train recommend --interactions shop/interactions.csv --products shop/products.csv --epochs 1
gives 0 'request_id' recommend 7 8 -n 2 --log --log-text full
[ "$(rows --model recommend)" -eq 2 ]; is 'a row for each customer' $?
gives 0 '"input":"8"' monitor predictions --model recommend --format jsonl
gives 0 '"probabilities":[{"product_id":' monitor predictions --model recommend --format jsonl

# ---- drift -----------------------------------------------------------------------------------------------------------------
store=trained_models/intent
grep -q ' reference.json$' $store/v0001/MANIFEST.sha256; is 'a classifier has reference.json in its manifest' $?
# shellcheck disable=SC2086
for threads in 2 3; do "$program" train intent $recipe --threads $threads --out with$threads 2>err || exit 99; done
cmp -s $store/v0001/reference.json with2/reference.json && cmp -s $store/v0001/reference.json with3/reference.json
is 'it is the same for any number of threads' $?
# shellcheck disable=SC2086
gives 0 'the weights' train intent $recipe --valid none --out without
grep -q '"answers_to":"training","answers":\[[0-9,]*\]' without/reference.json; is 'without validation rows the training rows are asked' $?
# The same texts as in training, mixed, so that there is no drift but by chance.
(head -n 1 m.csv; sed 1d m.csv | sort -t , -k 3) >mixed.csv
gives 0 'request_id' predict intent --input mixed.csv --log --db day.db
gives 0 'no drift' monitor drift intent --db day.db
gives 0 '"drifted":false' monitor drift --db day.db --json
json; is 'drift --json is JSON' $?
"$program" predict intent --model without --input mixed.csv --log --db other.db >out 2>err
gives 0 'without, answers' monitor drift intent --model without --db other.db
i=0
while [ $i -lt 300 ]; do echo "ПОЧЕМУ ☃ $i"; i=$((i + 1)); done >strange
input=strange
gives 0 'request_id' predict intent --log --db day.db
input=/dev/null
gives 5 'what comes in has changed' monitor drift intent --db day.db
grep -q '^length .*drift$' out; is 'the table says what has changed' $?
gives 5 '"length":{"base_rows"' monitor drift intent --db day.db --json
json; is 'drift --json is JSON with an alarm too' $?
gives 0 'no drift' monitor drift intent --db day.db --threshold 100
gives 0 'no drift' monitor drift intent --db day.db --base 7d --now 7d
gives 3 'the log has no answers of intent/1' monitor drift intent --db day.db --now 2020-01-01..2020-02-01
gives 3 'the log has no answers of intent' monitor drift intent --db day.db --base 30d..7d
gives 3 'no classifier has anything' monitor drift --db day.db --base 30d..7d
gives 3 'nothing was logged' monitor drift --db none.db
gives 4 'no model for sentiment' monitor drift sentiment --db day.db
gives 2 'is no classifier' monitor drift recommend --db day.db
gives 2 'option --base' monitor drift intent --base yesterday
gives 2 'needs to know of which' monitor drift --model intent/1
# shellcheck disable=SC2086
gives 0 'intent/2 is the challenger' train intent $recipe
gives 0 'is the champion now' models promote intent 2
gives 5 'intent/2 has not answered yet; this is about intent/1' monitor drift intent --db day.db
gives 3 'no answers of intent/2' monitor drift intent --db day.db --model intent/2
gives 0 'request_id' predict intent hello --log --db day.db
gives 0 'intent/2, answers' monitor drift intent --db day.db
gives 0 'is the champion again' models rollback intent
cp -R without old && rm old/reference.json
gives 3 'old/reference.json: is not there' monitor drift intent --model old --db day.db
echo '{}' >old/reference.json
gives 4 'old/reference.json' monitor drift intent --model old --db day.db

# ---- forgetting ------------------------------------------------------------------------------------------------------------
gives 0 '0 rows from before' monitor predictions --prune 1
gives 2 'contradict' monitor predictions --prune 1 --json
echo "1..$number"
