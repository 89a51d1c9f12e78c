# Files of train/
