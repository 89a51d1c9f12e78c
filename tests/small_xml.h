/* Whether a picture is well-formed XML, for the tests of those who draw one. */
#ifndef AS_TESTS_SMALL_XML_H
#define AS_TESTS_SMALL_XML_H

/* Fails the test, with the place, unless `text` is one element of UTF-8 with balanced tags, quoted attributes that are
 * there once, escaped markup and no control characters. */
void as_assert_xml(const char *text);

#endif
