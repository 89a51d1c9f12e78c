# Files of tokenizer/
