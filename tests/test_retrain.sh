#!/bin/sh
# retrain from outside: promoted, refused by the gate, refused for its data, killed, two at once, a store that cannot be
# written, versions that are kept. Prints TAP. KILLS says how often it is killed (default 4).
set -u
[ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || TMPDIR=/dev/shm # thousands of small files are brought to the disk here
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
cleanup="chmod -R u+w $base"
globals=retrain # the command of every run
cd "$work" || exit 99

# week N: the export of week N
week() { "$program" data synth --week "$1" --weeks 3 --rows-per-class 20 --seed 3 --out data/messages.csv; }
champion() { readlink trained_models/intent/champion; }
versions() { ls -d trained_models/intent/v* | wc -l; }
answers() { "$program" predict intent 'where is my order' >answer 2>>err && grep -q '"intent"' answer; }

mkdir data || exit 99
# A gate that knows nothing but the rows: whether a version of so few rows is better is left to chance.
cat >conf <<'EOF'
[train intent]
size = tiny
vocab-size = 300
epochs = 1
batch = 16
max-length = 32
[retrain]
data-dir = data
hold-out = 0.3
least-class-rows = 1
max-loss = none
max-fall = none
[compare intent]
max-class-loss = none
[compare sentiment]
max-class-loss = none
[train sentiment]
size = tiny
vocab-size = 300
epochs = 40
batch = 4
max-length = 32
[train recommend]
epochs = 3
EOF
export ASSISTIFY_CONFIG="$work/conf"

gives 2 'not "intents"' intents
gives 2 'each once' intent intent
gives 3 'neither a messages.csv' all --data-dir nowhere
gives 3 'messages.csv: cannot be opened' intent
[ ! -e trained_models/intent ]; is 'data that is not there makes no model' $?

# ---- a few weeks -------------------------------------------------------------------------------------------------
week 1
gives 0 'first' intent
[ "$(champion)" = v0001 ] && grep -q '"verdict":"first".*"of_version":0\.' trained_models/retrain.jsonl
is 'the first version is the champion, and was measured' $?
gives 0 'same' intent
[ "$(versions)" -eq 1 ] && [ ! -e trained_models/intent/unfinished ]; is 'the same data is not trained on again' $?
week 2
gives 0 'promoted' intent
[ "$(champion)" = v0002 ] && [ "$(readlink trained_models/intent/previous)" = v0001 ]; is 'the next version is promoted' $?
grep -A1 '"--hold-out"' trained_models/intent/v0002/training.json | grep -q '"0.3"' &&
  grep -A1 '"--vocab-size"' trained_models/intent/v0002/training.json | grep -q '"300"'
is 'it is trained as the champion was, with --hold-out' $?
[ "$("$program" monitor metrics --model intent --json | grep -c '"version":"2"')" -gt 0 ] ||
  "$program" monitor metrics --model intent | grep -q accuracy
is 'both are in the history of figures' $?
ls trained_models/reports >out; [ "$(wc -l <out)" -ge 3 ] && grep -q '^# Comparison' trained_models/reports/*-intent.md
is 'each retraining leaves a report, with the comparison' $?

week 3
gives 0 'waits' intent --promote never
[ "$(champion)" = v0002 ] && [ "$(readlink trained_models/intent/challenger)" = v0003 ]; is 'never means never' $?
gives 0 'no terminal to ask at' intent --promote ask
[ "$(versions)" -eq 3 ]; is 'what was trained on this data already is only compared again' $?
gives 5 'refused' intent --min-score 1
[ "$(champion)" = v0002 ]; is 'the gate keeps the champion' $?
gives 0 'promoted' intent
[ "$(champion)" = v0003 ] && [ "$(versions)" -eq 3 ]; is 'and lets it go when nothing is against it' $?
gives 0 'promoted' intent --force --json
grep -q '"of_version": 0\.' out && [ "$(champion)" = v0004 ]; is 'as JSON, with figures; --force trains again' $?

week 4
gives 5 '0.9000 wanted' intent --min-score 0.9 --start champion
gives 0 'promoted' intent --start champion
from=$(grep -A1 '^    "--from",$' trained_models/intent/v0005/training.json | tail -n 1)
[ "$from" = '    "trained_models/intent/v0004",' ]; is 'a training can start from the champion' $?
week 5
gives 0 'promoted' intent
! grep -q '"--from"' trained_models/intent/v0006/training.json; is 'and the next one from the base again' $?

# ---- data that is not fit ----------------------------------------------------------------------------------------
cp data/messages.csv good.csv
before=$(champion)
head -c 9000 good.csv >data/messages.csv
gives 3 'smaller; at most' intent
sed '2,200s/,/;/g' good.csv >data/messages.csv
gives 3 "can't be used" intent
awk -F, 'NR == 1 { print "intent,content,sentiment,response"; next } { print }' good.csv >data/messages.csv
gives 3 'which the champion knows' intent
{ cat good.csv; sed '1d; s/,complaint,/,x,/; s/,inquiry,/,complaint,/; s/,x,/,inquiry,/' good.csv; } >data/messages.csv
gives 3 'with another label' intent
: >data/messages.csv
gives 3 'messages.csv' intent
cp good.csv data/messages.csv
gives 3 'at least 100000 are wanted' intent --least-rows 100000
gives 1 'shall stay free' intent --force --min-free 1000T
[ "$(champion)" = "$before" ] && answers; is 'the champion is what it was and answers' $?

# ---- two at once, versions that are kept -------------------------------------------------------------------------
week 6
"$program" retrain intent >out 2>err </dev/null &
running=$!
until [ -s trained_models/retrain.lock ] && grep -q "process $running" trained_models/retrain.lock; do sleep 0.02; done
"$program" retrain intent --wait 0 >second 2>&1 </dev/null
[ $? -eq 1 ] && grep -q "process $running" second; is 'a second one at once is refused, and told who is there' $?
wait "$running"; is 'the first one goes on' $?
running=
week 7
gives 5 'refused' intent --min-score 1 --keep 2
[ "$(versions)" -eq 3 ] && [ "$(champion)" = v0007 ]; is 'kept: two, and what has an alias' $?
week 8
gives 5 'refused' intent --min-score 1 --keep 3
[ "$(versions)" -eq 3 ] && [ ! -e trained_models/intent/v0008 ]; is 'what was refused goes first' $?
gives 0 'waits' intent --promote never --keep-reports 2
[ "$(ls trained_models/reports | wc -l)" -eq 2 ]; is 'reports are bounded' $?
"$program" models verify >out 2>err; is 'the store verifies' $?

# ---- stopped and killed ------------------------------------------------------------------------------------------
week 9
"$program" retrain sentiment >out 2>err </dev/null &
running=$!
until [ -s trained_models/sentiment/unfinished/train.jsonl ] || ! kill -0 "$running" 2>/dev/null; do sleep 0.02; done
kill -TERM "$running"
wait "$running"
[ $? -eq 130 ] && [ -d trained_models/sentiment/unfinished ] && grep -q '"interrupted"' trained_models/retrain.jsonl
is 'SIGTERM ends with 130, the state saved' $?
running=
"$program" retrain sentiment >out 2>err </dev/null
[ $? -eq 0 ] && grep -q 'going on with the unfinished training' err && [ ! -e trained_models/sentiment/unfinished ]
is 'the next run goes on with it' $?
"$program" train sentiment --data data/messages.csv --epochs 400 --seed 5 >out 2>err </dev/null &
running=$!
until [ -s trained_models/sentiment/unfinished/train.jsonl ] || ! kill -0 "$running" 2>/dev/null; do sleep 0.02; done
kill -TERM "$running"
wait "$running" 2>/dev/null
running=
week 10
gives 1 'holds an unfinished training that no retraining began' sentiment
[ -s trained_models/sentiment/unfinished/train.jsonl ]; is 'what a person began is not given up' $?
rm -r trained_models/sentiment/unfinished
kills=${KILLS:-4} at=10
while [ "$kills" -gt 0 ]; do
  week "$at"
  "$program" retrain intent --keep 3 >out 2>err </dev/null &
  running=$!
  sleep "$(awk -v seed="$kills" 'BEGIN { srand(seed); printf "%.3f", rand() * 1.2 }')"
  kill -9 "$running" 2>/dev/null
  wait "$running" 2>/dev/null
  running=
  answers && "$program" models verify >out 2>err || break
  kills=$((kills - 1)) at=$((at + 1))
done
[ "$kills" -eq 0 ]; is 'killed at any moment, the champion answers and the store verifies' $?
for left in .comparison.md .comparison.md.tmp-7-1 retrain.jsonl.tmp-7-1 intent/unfinished.json.tmp-7-1; do
  echo left >trained_models/$left
done
"$program" retrain intent --keep 3 >out 2>err </dev/null && [ ! -e trained_models/intent/unfinished ] &&
  [ "$(versions)" -le 4 ] && ! find trained_models | grep -e '\.tmp-' -e '\.comparison'
is 'the next run brings it in order' $?

# ---- a store that cannot be written ------------------------------------------------------------------------------
nobody= # root writes everywhere
[ "$(id -u)" -ne 0 ] || nobody='setpriv --reuid=65534 --clear-groups'
chmod a+rx "$work" && chmod -R a-w trained_models
if [ -z "$nobody" ] || $nobody true 2>err; then
  $nobody "$program" retrain intent >out 2>err </dev/null
  [ $? -eq 1 ] && grep -q 'retrain.lock: cannot be written' err && answers
  is 'a store that is read-only is not retrained, and answers' $?
fi
chmod -R u+w trained_models
mv trained_models/retrain.lock elsewhere; mkdir trained_models/retrain.lock
gives 1 'cannot be written' intent
rmdir trained_models/retrain.lock
answers; is 'it answers all the same' $?

# ---- what the store has that this command did not make -------------------------------------------------------------
# fresh: a store of its own
fresh() { rm -rf trained_models && cp conf.plain conf && : >out && : >err; }
# unpublish VERSION ALIAS: as a training leaves it that is killed before it becomes a version
unpublish() {
  (
    cd trained_models/intent && rm -f "$2" && mv "$1" unfinished && rm unfinished/MANIFEST.sha256 unfinished/card.md &&
      sed '/"finished":/d; s/\("started": "[^"]*"\),/\1/' unfinished/training.json >unfinished.json &&
      rm unfinished/training.json
  )
}
cp conf conf.plain
fresh
week 1
gives 0 'first' intent
echo '[train intent]' >>conf
echo 'lr = 0.002' >>conf
week 2
gives 5 'refused' intent --min-score 1
gives 5 'refused' intent --min-score 1
[ "$(versions)" -eq 2 ]; is 'an option that only the configuration file has is no reason to train again' $?
rm trained_models/intent/v0001/training.json
sed -i '/training\.json/d' trained_models/intent/v0001/MANIFEST.sha256
week 3
gives 0 'waits' intent --promote never
gives 0 'waits' intent --promote never
[ "$(versions)" -eq 3 ]; is 'nor is a champion that does not say how it was made' $?
gives 0 'promoted' intent
"$program" models rollback intent >out 2>err
gives 0 'was the champion and is no more' intent
[ "$(champion)" = v0001 ]; is 'what somebody went back from is not promoted again' $?
gives 0 'promoted' intent --force
fresh
week 1
gives 0 'first' intent
unpublish v0001 champion
week 2
export ASSISTIFY_TRAIN_OUT=aside
gives 2 'is no version' intent
unset ASSISTIFY_TRAIN_OUT
[ ! -e aside ]; is 'a version is not put aside' $?
gives 5 'wanted' intent --min-score 1
[ "$(champion)" = v0001 ] && tail -n 1 trained_models/retrain.jsonl | grep -q '"refused".*"champion":1,"version":2'
is 'a first version that a killed run left is the champion, and the next is compared with it' $?
week 3
gives 0 'waits' intent --promote never
echo '{"command":5}' >trained_models/intent/v0002/training.json
echo >>trained_models/intent/v0003/config.json
gives 0 'promoted' intent
[ "$(champion)" = v0004 ] && grep -q 'warning: .*v0002/training.json' err && grep -q 'warning: .*v0003/config.json' err
is 'a damaged version is neither promoted nor in the way' $?
fresh
mkdir -p trained_models/intent_classifier
gives 4 'unjudged' intent
[ ! -e trained_models/intent ]; is 'a model that answers and is no version is not replaced unjudged' $?

# ---- all -----------------------------------------------------------------------------------------------------------
"$program" data synth --shop data --customers 60 --week 30 >out 2>err
mkdir data2 && mv data/products.csv data/interactions.csv data2/
gives 0 'recommend' --data-dir data2 recommend
[ -d trained_models/recommend/v0001 ]; is 'the recommender has its first version' $?

echo "1..$number"
