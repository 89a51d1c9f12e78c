# nn/: parameters and layers.
nn_includedir = $(pkgincludedir)/nn
nn_include_HEADERS = nn/parameters.h nn/encoder_block.h nn/classification_head.h nn/masked_lm_head.h nn/t5_block.h
libassistify_all_la_SOURCES += nn/parameters.c nn/encoder_block.c nn/classification_head.c nn/masked_lm_head.c nn/t5_block.c
