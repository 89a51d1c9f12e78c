# recommend/: the recommender: LightFM's model and losses, recommendations of five kinds, their evaluation.
recommend_includedir = $(pkgincludedir)/recommend
recommend_include_HEADERS = recommend/lightfm.h recommend/lightfm_exact.h
libassistify_all_la_SOURCES += recommend/lightfm.c recommend/lightfm_exact.c
