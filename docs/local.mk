# Files of docs/
EXTRA_DIST += docs/formats.md docs/architecture.md
