# Files of docs/
