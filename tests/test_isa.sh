#!/bin/sh
# The engine on each instruction set that is built and that this processor has: the graph's, the fused loss' and the inspection's tests, forced.
set -u
program=$ASSISTIFY_BUILD/assistify
isas=
for isa in scalar baseline avx2 avx512 neon; do
  ASSISTIFY_ISA=$isa "$program" doctor --json > /dev/null 2>&1 && isas="$isas $isa"
done
count=0
for isa in $isas; do
  for test in test_graph test_linear_cross_entropy test_inspect; do
    count=$((count + 1))
    if output=$(ASSISTIFY_ISA=$isa "$ASSISTIFY_BUILD/tests/$test" 2>&1) && ! echo "$output" | grep -q '^not ok'; then
      echo "ok $count - $test on $isa"
    else
      echo "$output" | grep '^not ok' | sed 's/^/# /'
      echo "not ok $count - $test on $isa"
    fi
  done
done
[ "$count" -gt 0 ] || { echo "not ok 1 - no instruction set works"; count=1; }
echo "1..$count"
