# Files of tensor/
