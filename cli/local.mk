# Files of cli/
