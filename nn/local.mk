# Files of nn/
