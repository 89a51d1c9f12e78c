#!/bin/sh
# What `make installcheck` does after an installation: each header that was installed compiles by itself with the flags of
# assistify.pc (those without a guard are parts of others and are left out), and a program links and runs.
# usage: installed.sh PREFIX INCLUDEDIR LIBDIR
set -eu
prefix=$1 include=$2 lib=$3
compiler=${CC:-cc}
work=$(mktemp -d "${TMPDIR:-/tmp}/assistify-installed-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM # so that the trap above runs
command -v pkg-config > /dev/null 2>&1 || { echo "installcheck: pkg-config is missing, nothing was checked"; exit 0; }
PKG_CONFIG_PATH=$lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH

flags=$(pkg-config --define-variable=prefix="$prefix" --cflags assistify)
count=0
(cd "$include/assistify" && find . -name '*.h') | sed 's,^\./,,' | sort > "$work/headers"
while read -r header; do
  grep -q '^#ifndef ' "$include/assistify/$header" || continue
  echo "#include \"$header\"" > "$work/header.c"
  # shellcheck disable=SC2086 # a list of words
  $compiler -std=c11 -Wall -Wextra -Werror $flags -fsyntax-only "$work/header.c" ||
    { echo "installcheck: $header does not compile by itself"; exit 1; }
  count=$((count + 1))
done < "$work/headers"

cat > "$work/program.c" << 'END'
#include "assistify.h"
int main(void) {
  as_context *ctx;
  if (as_context_new(&ctx, NULL) != AS_OK) return 1;
  void *memory = as_alloc(ctx, 3, 4);
  as_free(ctx, memory);
  as_context_free(ctx);
  return memory ? 0 : 1;
}
END
# shellcheck disable=SC2046,SC2086 # lists of words
$compiler -std=c11 $flags "$work/program.c" -o "$work/program" $(pkg-config --define-variable=prefix="$prefix" --libs assistify) ${MODE_FLAGS-}
LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$work/program"
echo "installcheck: $count headers compile by themselves, a program links and runs"
