#!/bin/sh
# The model store on a disk that is full, and on one that cannot be written: each change is refused with a clear text,
# nothing is lost, and the champion goes on answering. It needs a file system of its own (tmpfs in a mount namespace);
# where that is not allowed, it is skipped. Prints TAP.
set -u
if [ -z "${ASSISTIFY_OWN_MOUNTS-}" ]; then
  for how in -m -rm; do
    if unshare $how mount -t tmpfs none /mnt 2>/dev/null; then
      ASSISTIFY_OWN_MOUNTS=1 exec unshare $how "$0" "$@"
    fi
  done
  echo "1..0 # SKIP no file system can be mounted here, not even in a namespace of one's own"
  exit 0
fi
unset ASSISTIFY_OWN_MOUNTS
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
cleanup=leave
leave() { cd / && umount "$disk"; }
cd "$work" || exit 99
disk=$work/disk store=$work/disk/store
mkdir disk && mount -t tmpfs -o size=64m none disk || exit 99
globals="--models $store"

# What can be asked and where each name leads, in one text.
state() { (cd "$store/intent" && for name in [!u]*; do echo "$name $(readlink "$name")"; done; cat v*/MANIFEST.sha256 | sha256sum); }

# keeps: the store verifies, the champion answers as before, and nothing came or went
keeps() {
  "$program" --models "$store" models verify >out 2>err && state | cmp -s before - &&
    "$program" --models "$store" predict intent 'where is it' 2>err | cmp -s answer -
  is "after '$1' the store is what it was" $?
}

about='start: '
"$program" data synth --rows-per-class 20 --seed 3 --out m.csv && mkdir data && cp m.csv data/messages.csv || exit 99
recipe='--data m.csv --size tiny --vocab-size 300 --epochs 1 --batch 8 --max-length 32'
# shellcheck disable=SC2086 # a list of words
for seed in 1 2; do gives 0 'intent/' train intent $recipe --seed $seed; done
gives 0 'is the champion now' models promote intent 2
gives 0 'accuracy' evaluate intent --data m.csv --resamples 0
gives 0 'is in' models export intent/1 "$work/one.tar"
"$program" --models "$store" predict intent 'where is it' >answer 2>err
state >before

about='a full disk: '
fill() { dd if=/dev/zero of="$disk/filler" bs=4096 2>/dev/null; }
fill
# shellcheck disable=SC2086
gives 1 'the disk is full' train intent $recipe --seed 3
keeps training
gives 1 'where 0 are free' models import "$work/one.tar"
keeps import
gives 1 'the disk is full' models export intent/1 "$disk/one.tar"
[ ! -e "$disk/one.tar" ] && [ "$(find "$disk" -maxdepth 1 -name '*one.tar*' | wc -l)" -eq 0 ]
is 'nothing is left of an export that failed' $?
gives 0 'assistify.db' evaluate intent --data m.csv --resamples 0
grep -q accuracy out && [ "$(wc -l <err)" -le 3 ]; is 'an evaluation that cannot be recorded is printed all the same' $?
keeps evaluate
gives 0 '"request_id"' predict intent 'where is it' --log
[ "$(grep -c 'predictions go on without being logged' err)" -eq 1 ]; is 'a prediction that cannot be logged is answered, and said once' $?
keeps 'predict --log'
gives 1 'room' retrain intent --data-dir data
keeps retrain
gives 1 'the disk is full' train all --data-dir data --without response
keeps 'train all'
# Space that runs out in the middle, at another place each time.
for kib in 8 64 2048 22016; do
  rm -rf "$store/intent/unfinished" "$store/intent/unfinished.json"
  dd if=/dev/zero of="$disk/filler" bs=4096 2>/dev/null
  truncate -s -${kib}K "$disk/filler"
  # shellcheck disable=SC2086
  "$program" --models "$store" train intent $recipe --seed 4 --overwrite >out 2>err </dev/null
  code=$?
  [ $code -eq 1 ] && grep -q -e 'the disk is full' -e 'make room' err; is "training with $kib KiB left: exit 1 and why" $?
  keeps "training with $kib KiB left"
done
# A disk that others fill meanwhile: the training stops with what it had saved, and goes on when there is room.
rm -f "$disk/filler"
# shellcheck disable=SC2086
"$program" --models "$store" train intent $recipe --epochs 60 --patience 0 --seed 4 --save-every 1 --overwrite >out 2>err </dev/null &
running=$!
until ls "$store"/intent/unfinished/training/checkpoint-* >/dev/null 2>&1 || ! kill -0 $running 2>/dev/null; do sleep 0.02; done
fill
wait $running
code=$? running=
[ $code -eq 1 ] && grep -q -e 'the disk is full' -e 'make room' err; is "a disk that fills during a training: exit 1 and why" $?
keeps 'a training whose disk became full'
rm -f "$disk/filler"
gives 0 'intent/3 is the challenger' train intent --resume "$store/intent/unfinished"
rm -f "$disk/filler"
# shellcheck disable=SC2086
gives 0 'intent/4 is the challenger' train intent $recipe --seed 5 --overwrite
gives 0 'intent: ok' models verify
gives 0 'is the champion now' models promote intent 1
gives 0 'is the champion again' models rollback intent
for seed in 6 7; do gives 0 'is the challenger' train intent $recipe --seed $seed; done # versions that have no alias

about='no room for another file: '
# What an alias needs is an entry in a folder, not bytes.
state >before
free=$(df --output=iavail "$disk" | tail -n 1)
mount -o "remount,nr_inodes=$(($(df --output=itotal "$disk" | tail -n 1) - free))" disk || exit 99
gives 1 'No space left on device' models promote intent 1
keeps promote
gives 1 'No space left on device' models import "$work/one.tar"
keeps import
gives 0 'intent/3' models prune intent --keep 2
mount -o remount,nr_inodes=0 disk
gives 0 'intent: ok' models verify

about='a disk that cannot be written: '
state >before
mount -o remount,ro disk || exit 99
# shellcheck disable=SC2086
gives 1 'Read-only file system' train intent $recipe --seed 6
gives 1 'Read-only file system' models promote intent 1
gives 1 'Read-only file system' models rollback intent
gives 1 'Read-only file system' models prune intent --keep 1
gives 1 'Read-only file system' models import "$work/one.tar"
gives 0 'champion' models list
gives 0 'is in' models export intent champion "$work/two.tar"
gives 0 'accuracy' evaluate intent --data m.csv --resamples 0
gives 0 'intent accuracy' monitor metrics --metric accuracy
gives 0 '"request_id"' predict intent 'where is it' --log
gives 1 'Read-only file system' retrain intent --data-dir data
gives 1 'Read-only file system' train all --data-dir data
keeps 'all of these'

echo "1..$number"
