#!/bin/sh
# The model store from outside: train, predict, promote, damage, kills, archives. Prints TAP.
set -u
[ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || TMPDIR=/dev/shm # thousands of small files are brought to the disk here
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
cleanup="chmod -R u+w $base"
cd "$work" || exit 99

"$program" data synth --rows-per-class 20 --seed 3 --out m.csv || exit 99
recipe='--data m.csv --size tiny --vocab-size 300 --epochs 1 --batch 8 --max-length 32'
store=trained_models/intent

# ---- versions ------------------------------------------------------------------------------------------------------
gives 4 'there is no model for intent here' predict intent hello
gives 3 'absent.csv' train intent --data absent.csv
[ ! -e trained_models ]; is 'a start that fails leaves no store' $?
gives 0 'is the champion' train intent $recipe --seed 1
gives 0 'challenger' train intent $recipe --seed 2
[ "$(readlink $store/champion)" = v0001 ] && [ "$(readlink $store/challenger)" = v0002 ] && [ ! -e $store/unfinished ]
is 'the first version is the champion, the second the challenger' $?
(cd $store/v0001 && sha256sum --quiet -c MANIFEST.sha256); is 'sha256sum agrees with the manifest' $?
for file in card.md metrics.json training.json recipe.json config.json; do [ -s $store/v0001/$file ] || break; done
is "a version has all files, $file included" $?
grep -qF "$(sha256sum <m.csv | cut -c 1-64)" $store/v0001/training.json && grep -qF "$(sha256sum <m.csv | cut -c 1-64)" $store/v0001/card.md &&
  grep -qF "    assistify train intent --data m.csv --size tiny --vocab-size 300 --epochs 1" $store/v0001/card.md &&
  grep -q '^| accuracy | [0-9.]* % | [0-9.]* to [0-9.]* % |$' $store/v0001/card.md && grep -q '^| expected calibration error' $store/v0001/card.md
is 'the card has data, metrics with intervals, calibration, and the command' $?
for name in intent@champion intent/1 $store/v0001; do "$program" predict intent --model $name 'where is it' || break; done >out 2>err
"$program" predict intent 'where is it' >>out 2>>err
[ "$(wc -l <out)" -eq 4 ] && [ "$(sort -u out | wc -l)" -eq 1 ]; is 'champion, number, folder and no --model at all are the same version' $?
cp out first
"$program" predict intent --model intent@challenger 'where is it' >out 2>err && ! head -n 1 first | cmp -s - out
is 'the challenger answers otherwise' $?
gives 0 'accuracy' evaluate intent --model intent/2 --data m.csv --json --resamples 0
gives 2 'champion, challenger or previous' predict intent --model intent@best hello
gives 4 'no such version' predict intent --model intent/7 hello
gives 4 'trained for intent' predict sentiment --model intent@champion hello
gives 2 'these don' train intent $recipe --out $store/v0001 --overwrite
gives 0 '{"model_name":"intent","model_version":"2","metric_name":"accuracy"' monitor metrics --json --metric accuracy --since 1h
gives 0 'intent accuracy' monitor metrics --model intent
"$program" evaluate intent --model $store/champion --data m.csv --resamples 0 >out 2>err
[ "$("$program" monitor metrics --metric accuracy --json | grep -c '"model_version":"1"')" -eq 1 ]; is 'a version is known by its folder too' $?
gives 0 'accuracy' evaluate intent --data m.csv --resamples 0 --db none
[ "$("$program" monitor metrics --metric accuracy --json | wc -l)" -eq 2 ]; is '--db none adds nothing' $?
gives 0 'intent accuracy' monitor metrics --svg history.svg
grep -q '>intent accuracy</text>' history.svg; is 'monitor metrics --svg draws what it lists' $?
gives 1 'nowhere/x.svg' monitor metrics --svg nowhere/x.svg
gives 2 'neither a time before now' monitor metrics --since 7x
gives 1 'is not there' monitor metrics --models nowhere
echo nonsense >no.db
gives 1 'no.db' evaluate intent --data m.csv --resamples 0 --db no.db
gives 0 '"aliases":["champion"]' models list --json
gives 0 '"figure":{"name":"accuracy","value":0' models list --json
gives 0 'intent/2' models list intent
grep -q '^intent/1  *champion  *20[0-9-]* [0-9:]*  *accuracy [0-9.]* %  *[0-9.]*$' out; is 'models list has date, accuracy and size' $?
[ "$(awk 'length > 80' out | wc -l)" -eq 0 ]; is 'models list fits 80 columns' $?
gives 4 'no such model' models list nothing
gives 0 'SHA-256' models show --help
gives 0 'model.safetensors' models show intent champion
grep -q "^  by  *assistify train intent " out && grep -q 'commonest class would reach' out && grep -q "^  card  *$store/v0001/card.md" out
is 'models show has the card in short' $?
gives 0 '"metrics":{"n":' models show intent 1 --json
gives 2 'is no name of a model' models show ../x
gives 2 'is no name of a model' models promote ../x 2
gives 2 'needs a version' models promote intent

# ---- aliases -------------------------------------------------------------------------------------------------------
gives 0 'was the champion already' models promote intent 1
[ ! -e $store/previous ]; is 'promoting the champion changes nothing' $?
gives 0 'is the champion now' models promote intent 2
gives 0 'is the champion again' models rollback intent
[ "$(readlink $store/champion)" = v0001 ] && [ "$(readlink $store/previous)" = v0002 ]; is 'rollback exchanges champion and previous' $?
gives 0 'intent: ok' models verify

# ---- a training that is interrupted ----------------------------------------------------------------------------------
steps_done() { [ -f $store/unfinished/train.jsonl ] && [ "$(wc -l <$store/unfinished/train.jsonl)" -ge "$1" ]; }
# shellcheck disable=SC2086 # a list of words
begin() { "$program" train intent $recipe --epochs 500 --patience 0 --seed 3 >out 2>err </dev/null & running=$!; }
stop() {
  until steps_done 5; do kill -0 "$running" 2>/dev/null || break; sleep 0.02; done
  kill "-$1" "$running"
  wait "$running" 2>/dev/null
  code=$?
  running=
}
begin
until steps_done 5; do kill -0 "$running" 2>/dev/null || break; sleep 0.02; done
cp err kept
gives 1 'another process is training this model' train intent $recipe
cp kept err
stop INT
[ "$code" -eq 130 ] && grep -q -e '--resume trained_models/intent/unfinished' err; is 'Ctrl-C says how to go on' $?
gives 2 'holds an unfinished training' train intent $recipe
gives 0 'intent: ok' models verify
gives 0 'is the challenger' train intent $recipe --overwrite --seed 4
[ -d $store/v0003 ] && [ ! -e $store/unfinished ]; is '--overwrite gives the unfinished training up' $?
# shellcheck disable=SC2086
"$program" train intent $recipe --epochs 4 --patience 0 --seed 5 --save-every 1 --out whole >out 2>err
"$program" train intent $recipe --epochs 4 --patience 0 --seed 5 --save-every 1 >out 2>err </dev/null & running=$!
stop KILL
if [ -d $store/unfinished ]; then
  gives 0 'intent/4 is the challenger' train intent --resume $store/unfinished
else
  is 'the training was faster than the signal' 0
fi
grep -qF -e '--epochs' $store/v0004/training.json && ! grep -qF resume $store/v0004/training.json && [ ! -e $store/unfinished.json ]
is 'training.json has the command that began it' $?
cmp -s whole/metrics.json $store/v0004/metrics.json; is 'the metrics of a training that was killed and resumed are the same' $?
cmp -s whole/model.safetensors $store/v0004/model.safetensors; is 'a training killed and resumed becomes a version with the same bytes' $?

# ---- kills at random moments -------------------------------------------------------------------------------------------
# KILLS: how many there are
moment() { sleep "$(printf '0.%03d' $(($1 * 7 % 30)))"; } # of the 20 or 30 ms that a change takes
kills=${KILLS:-40} round=0
while [ $round -lt "$kills" ]; do
  round=$((round + 1))
  "$program" models promote intent $((round % 4 + 1)) >out 2>err & one=$!
  "$program" models rollback intent >out2 2>err2 & two=$!
  moment $round
  kill -9 $one 2>/dev/null; [ $((round % 2)) -eq 0 ] || kill -9 $two 2>/dev/null
  wait $one 2>/dev/null; wait $two 2>/dev/null
  [ $((round % 5)) -ne 0 ] || "$program" models verify >out 2>err || break
  [ -n "$(readlink $store/champion)" ] && [ -f "$store/champion/MANIFEST.sha256" ] || break
done
[ $round -eq "$kills" ] && "$program" models verify >out 2>err && "$program" predict intent 'where is it' >out 2>err
is "$kills kills during promote and rollback: the store verifies and the champion answers" $?
"$program" models export intent/1 kill.tar >out 2>err; is 'export' $? # before the first prune, which may take intent/1
kills=${KILLS:-10} round=0
while [ $round -lt "$kills" ]; do
  round=$((round + 1))
  "$program" models import kill.tar >out 2>err & one=$!
  moment $round; kill -9 $one 2>/dev/null; wait $one 2>/dev/null
  "$program" models prune --keep 1 >out 2>err & one=$!
  moment $round; kill -9 $one 2>/dev/null; wait $one 2>/dev/null
  "$program" models verify >out 2>err || break
done
[ $round -eq "$kills" ]; is "$kills kills during import and prune each: the store verifies" $?
"$program" models prune intent --keep 1 >out 2>err; is 'prune' $?
[ -z "$(find trained_models -name '.in-*' -o -name '.out-*' -o -name '.link')" ]; is 'the next change removes what dead processes left' $?

# ---- the recommender -------------------------------------------------------------------------------------------------
"$program" data synth --shop shop --customers 60 || exit 99
gives 4 'there is no recommender to go on with' train recommend --update shop/interactions.csv
gives 0 'recommend/1 is the champion' train recommend --interactions shop/interactions.csv --products shop/products.csv --epochs 2
gives 0 'recommend/2 is the challenger' train recommend --update shop/interactions.csv --epochs 1
gives 0 '"rank":1' recommend 7 -n 1
gives 0 'auc' evaluate recommend --interactions shop/interactions.csv --with-seen --resamples 0 --json
gives 0 '"model_name":"recommend"' monitor metrics --json --model recommend
gives 0 '"rank":1' recommend 7 -n 1 --model recommend@challenger
gives 0 'recommend: ok' models verify

# ---- archives --------------------------------------------------------------------------------------------------------
gives 0 'is in site.tar' models export intent champion site.tar
mkdir -p elsewhere
gives 0 'the champion' models import site.tar --models elsewhere
"$program" predict intent 'where is it' >out 2>err && "$program" predict intent --models elsewhere 'where is it' | cmp -s - out
is 'the imported version gives the same answers' $?
printf 'x' | dd of=site.tar bs=1 seek=100000 conv=notrunc 2>err
gives 4 'site.tar' models import site.tar
gives 0 'intent: ok' models verify

# ---- damage ------------------------------------------------------------------------------------------------------------
champion=$(readlink $store/champion)
printf 'x' | dd of="$store/$champion/model.safetensors" bs=1 seek=100000 conv=notrunc 2>err
gives 4 'its SHA-256 differs' models verify
gives 4 'its SHA-256 differs' models export intent champion site.tar

# ---- a folder from before the store ------------------------------------------------------------------------------------
mkdir old && cp -R whole old/intent_classifier
"$program" predict intent --model whole hello >first 2>err && "$program" predict intent --models old hello 2>err | cmp -s - first
is 'without a version in the store the plain folder answers' $?

echo "1..$number"
