#!/bin/sh
# The library exports as_* only, and it never prints, exits or aborts: seen in the shared library, where nm is there, and
# in the sources. TAP.
source=${ASSISTIFY_SOURCE:-.}
library=${ASSISTIFY_BUILD:-.}/.libs/libassistify.so
forbidden='printf|vprintf|__printf_chk|__vprintf_chk|puts|putchar|perror|exit|_exit|_Exit|quick_exit|abort|assert'
streams='stdout|stderr'

number=0
report() { # name, lines that should not be there
  number=$((number + 1))
  if [ -z "$2" ]; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    echo "$2" | sed 's/^/# /'
  fi
}

# Prints C source with its comments and strings taken out, each line with its file and number.
code_of() {
  awk '
    FNR == 1 { comment = 0 }
    {
      line = $0; code = ""
      while (length(line)) {
        if (comment) {
          end = index(line, "*/")
          if (!end) break
          line = substr(line, end + 2); comment = 0
        } else if (!match(line, /\/\*|\/\/|"|'"'"'/)) {
          code = code line; break
        } else {
          start = RSTART; token = substr(line, start, RLENGTH)
          code = code substr(line, 1, start - 1) " "
          line = substr(line, start + RLENGTH)
          if (token == "/*") comment = 1
          else if (token == "//") break
          else {
            # A literal: up to the next such quote that no backslash protects.
            while (length(line)) {
              c = substr(line, 1, 1)
              if (c == "\\") { line = substr(line, 3); continue }
              line = substr(line, 2)
              if (c == token) break
            }
          }
        }
      }
      if (code ~ /[^ \t]/) print FILENAME ":" FNR ":" code
    }' "$@"
}

loud_lines() { code_of "$@" | grep -E "[^A-Za-z0-9_.>]($forbidden)[[:space:]]*\(|[^A-Za-z0-9_]($streams)[^A-Za-z0-9_]"; }

# The search itself is put to the test: three of these lines are loud, the others are not.
sample=$(mktemp "${TMPDIR:-/tmp}/assistify-symbols-XXXXXX")
trap 'rm -f "$sample"' EXIT
trap 'exit 129' HUP INT TERM # so that the trap above runs
cat > "$sample" <<'END'
  printf("x");
  exit (1); /* a comment */
  if (a) fprintf(stderr, "y");
  /* printf("no") */ snprintf(b, 1, "printf(\"%d\")", '"'); // abort()
  a.exit(1); writer->abort(2); as_exit(3);
  /* a comment of two lines:
     abort(); */
END
found=$(loud_lines "$sample" | wc -l)
if [ "$found" -eq 3 ]; then report "loud code is noticed" ""; else report "loud code is noticed" "$found of 3 lines"; fi

cd "$source" || exit 1
for folder in base tensor nn models tokenizer data train infer eval lifecycle serve; do
  files=$(find "$folder" -name '*.[ch]' 2> /dev/null)
  [ -n "$files" ] || continue
  # shellcheck disable=SC2086 # the names of our own files have no spaces
  report "$folder never prints, exits or aborts" "$(loud_lines $files)"
done
cd "$OLDPWD" || exit 1

if ! command -v nm > /dev/null 2>&1; then
  number=$((number + 1))
  echo "ok $number - exported symbols # SKIP nm is missing"
elif [ ! -f "$library" ]; then
  number=$((number + 1))
  echo "ok $number - exported symbols # SKIP there is no shared library"
else
  exported=$(nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $NF); print $NF }')
  report "only as_* is exported" "$(echo "$exported" | grep -v '^as_')"
  if echo "$exported" | grep -q '^as_context_new$'; then report "as_context_new is exported" ""; else report "as_context_new is exported" "it is not"; fi
  # A sanitizer's runtime may bring abort; the sources were looked at above.
  if nm -D "$library" | grep -qE '__asan_|__gcov|__ubsan_'; then
    number=$((number + 1))
    echo "ok $number - imported symbols # SKIP an instrumented build"
  else
    report "nothing that prints or exits is imported" "$(nm -D --undefined-only "$library" |
      awk '{ sub(/@.*/, "", $NF); print $NF }' | grep -E "^($forbidden|$streams|__assert_fail)\$")"
  fi
fi
echo "1..$number"
