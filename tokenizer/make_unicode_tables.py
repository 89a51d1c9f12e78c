#!/usr/bin/env python3
"""Writes unicode_tables.c: how the tokenizers of Hugging Face classify every Unicode scalar value.

Usage:  python3 make_unicode_tables.py > unicode_tables.c      (needs: pip install tokenizers; made with 0.23.3)

The stages of that library froze different versions of Unicode (marks, punctuation and formats are Unicode 8, canonical
decomposition is 9, letters and numbers of the byte-level pattern are 16, lower case is 17), so the facts are asked of
the library itself, one code point at a time. The build does not need this script: its output is checked in.
"""
from tokenizers import __version__, normalizers, pre_tokenizers

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def mapped(normalizer):
    """{code point: what it becomes} for the ones that change"""
    out = {}
    for c in SCALARS:
        s = normalizer.normalize_str("x" + chr(c) + "y")[1:-1]
        if s != chr(c):
            out[c] = s
    return out


def bert(**switch):
    switches = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**switches, **switch})


def byte_level():
    """letters and numbers of the GPT-2 pattern: what continues the word of a letter, of a digit"""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str
    letters = {c for c in SCALARS if len(split("x" + chr(c))) == 1}
    return letters, {c for c in SCALARS if c not in letters and len(split("1" + chr(c))) == 1}


def non_starters(decomposes):
    """combining class other than 0: what canonical ordering moves before U+0345 (class 240) or after U+0334 (class 1)"""
    nfd, out = normalizers.NFD().normalize_str, set()
    for c in SCALARS:
        if c >= 0x300 and c not in decomposes:
            before, after = "a\u0345" + chr(c), "a" + chr(c) + "\u0334"
            if nfd(before) != before or nfd(after) != after:
                out.add(c)
    return out


def lower_rows(lower):
    """[first, last, step, difference] for runs of code points that the same difference lower-cases"""
    rows = []
    for c in sorted(lower):
        d = ord(lower[c]) - c
        for r in reversed(rows[-3:]):
            if r[3] == d and (c - r[1] == r[2] or (r[0] == r[1] and c - r[1] in (1, 2))):
                r[2], r[1] = c - r[1], c
                break
        else:
            rows.append([c, c, 1, d])
    rows.sort()
    assert all(a[1] < b[0] for a, b in zip(rows, rows[1:]))
    return rows


def wrapped(numbers):
    lines, line = [], " "
    for n in numbers:
        if len(line) + len(n) + 2 > 120:
            lines.append(line)
            line = " "
        line += " " + n + ","
    return "\n".join(lines + [line])


def main():
    clean, strip, lower = mapped(bert(clean_text=True)), mapped(bert(strip_accents=True)), mapped(bert(lowercase=True))
    decomposes = mapped(normalizers.NFD())
    words = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    regex_words = pre_tokenizers.Whitespace().pre_tokenize_str
    letters, numbers = byte_level()
    assert [c for c in lower if len(lower[c]) != 1] == [0x130]     # i and a dot above: unicode.c knows this one
    rows = lower_rows({c: s for c, s in lower.items() if c >= 0x80 and c != 0x130})
    cased = {0x130} | {c for first, last, _, _ in rows for c in range(first, last + 1)}
    flags = [                                                      # the order of the bits in unicode.h
        {c for c, s in clean.items() if s == ""},
        {c for c in SCALARS if [w for w, _ in words("x" + chr(c) + "y")] == ["x", "y"]},
        {c for c in SCALARS if len(words("x" + chr(c) + "y")) == 3},
        set(mapped(bert(handle_chinese_chars=True))),
        {c for c, s in strip.items() if s == ""},
        {c for c in SCALARS if len(regex_words("x" + chr(c))) == 1 and regex_words("x" + chr(c))[0][0] == "x" + chr(c)},
        letters, numbers, set(decomposes), non_starters(decomposes), cased]
    value = [0] * 0x110000
    for bit, members in enumerate(flags):
        for c in members:
            value[c] |= 1 << bit
    runs = [c for c in range(0x110000) if c == 0 or value[c] != value[c - 1]]
    pages, run = [], 0
    for page in range(0x20000 // 256 + 1):
        while run + 1 < len(runs) and runs[run + 1] <= page * 256:
            run += 1
        pages.append(run)
    print(f"""/* Made by make_unicode_tables.py from tokenizers {__version__}; do not edit. unicode.h says what the tables mean. */
#include "tokenizer/unicode.h"

const uint32_t as_unicode_runs[] = {{ /* first code point << 11 | class flags */
{wrapped(f"0x{c << 11 | value[c]:X}" for c in runs)}
}};
const uint32_t as_unicode_run_count = {len(runs)};

const uint16_t as_unicode_pages[{len(pages)}] = {{ /* index of the run that holds code point 256 * i */
{wrapped(str(p) for p in pages)}
}};

const as_lower_row as_lower_rows[] = {{ /* first, last, step, difference */
{wrapped("{0x%X, 0x%X, %d, %d}" % tuple(r) for r in rows)}
}};
const uint32_t as_lower_row_count = {len(rows)};""")


if __name__ == "__main__":
    main()
