# examples/: complete sites, compiled and run by the tests.
EXTRA_DIST += \
	examples/one-host \
	examples/site
