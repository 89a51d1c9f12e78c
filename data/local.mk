# Files of data/
