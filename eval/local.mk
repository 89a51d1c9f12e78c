# Files of eval/
