# Files of docs/
EXTRA_DIST += docs/formats.md
