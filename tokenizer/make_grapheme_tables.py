#!/usr/bin/env python3
"""Writes grapheme_tables.c: the grapheme cluster classes of every Unicode scalar value, as far as they matter.

Usage:  python3 make_grapheme_tables.py > grapheme_tables.c      (needs: pip install tokenizers; made with 0.23.3)

The Precompiled normalizer of Hugging Face's library looks up grapheme clusters shorter than 6 bytes whole and the code
points of longer ones singly. With a charsmap of our own in which every byte is a key of value "Z", the number of Zs
tells how the library cut a probe. The build does not need this script: its output is checked in.
"""
import base64
import json
import struct

from tokenizers import Tokenizer, __version__, normalizers

NAMES = ["OTHER", "CONTROL", "EXTEND", "SPACING", "LINKER", "PREPEND", "PICTOGRAPHIC", "CONSONANT", "L", "V", "T"]
MARK = "\u0301"                                            # two bytes: with three more a short cluster


def every_byte_a_key():
    """a double array with the keys 01 .. FF, all of value 0, and the text "Z" there"""
    units = [0] * 1024
    units[0] = 256 << 10                                   # the root's children lie at 256 ^ byte
    for c in range(1, 256):
        units[256 ^ c] = 512 << 10 | 1 << 8 | c            # with a leaf at 512 more
        units[256 ^ c ^ 512] = 1 << 31
    trie = struct.pack("<1024I", *units)
    blob = struct.pack("<I", len(trie)) + trie + b"Z\0"
    return normalizers.Precompiled(blob)


def main():
    normalizer = every_byte_a_key()

    def cuts(text):
        return len(normalizer.normalize_str(text))

    classes = []
    for c in range(0x110000):
        if 0xD800 <= c <= 0xDFFF or c == 0:
            classes.append("CONTROL")
            continue
        s, size = chr(c), len(chr(c).encode())
        kind = "OTHER"
        if cuts("q" + s) == 1:
            kind = "EXTEND"
            if size == 3 and cuts("\u0915" + s + "\u0937" + MARK) == 4:
                kind = "LINKER"
            elif cuts("\u00a9" + s + "\u200d\u2122" + MARK) == 4:
                kind = "SPACING"
        elif cuts(s + MARK + MARK) == 2:
            kind = "CONTROL"
        elif cuts(s + "q") == 1:
            kind = "PREPEND"
        elif cuts("\u00a9\u200d" + s) == 3:
            kind = "PICTOGRAPHIC"
        elif size == 3:
            if cuts("\u0915\u094d" + s + MARK) == 4:
                kind = "CONSONANT"
            else:
                after_l, after_v, after_t = (cuts(x + s + MARK) == 3 for x in "\u1100\u1161\u11a8")
                if not 0xAC00 <= c <= 0xD7A3:
                    kind = "V" if after_l and after_v else "L" if after_l else "T" if after_t else "OTHER"
        classes.append(kind)
    runs = [c for c in range(0x110000) if c == 0 or classes[c] != classes[c - 1]]
    lines, line = [], " "
    for c in runs:
        n = f"0x{c << 4 | NAMES.index(classes[c]):X}"
        if len(line) + len(n) + 2 > 120:
            lines.append(line)
            line = " "
        line += " " + n + ","
    print(f"""/* Made by make_grapheme_tables.py from tokenizers {__version__}; do not edit. grapheme.h says what the table means. */
#include "tokenizer/grapheme.h"

const uint32_t as_grapheme_runs[] = {{ /* first code point << 4 | class */
""" + "\n".join(lines + [line]) + f"""
}};
const uint32_t as_grapheme_run_count = {len(runs)};""")


if __name__ == "__main__":
    main()
