# examples/: complete sites, compiled and run by the tests.
EXTRA_DIST +=
