# Files of models/
