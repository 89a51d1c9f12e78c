# Files of infer/
