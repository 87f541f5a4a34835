# examples/: complete sites, compiled and run by the tests.
EXTRA_DIST += \
	examples/one-host \
	examples/site

# They are for reading: beside the documentation.
examplesdir = $(docdir)/examples
install-data-local:
	cd '$(srcdir)/examples' && \
	find one-host site -type d -exec \
	    $(MKDIR_P) '$(DESTDIR)$(examplesdir)/{}' \; && \
	find one-host site -type f -exec \
	    $(INSTALL_DATA) '{}' '$(DESTDIR)$(examplesdir)/{}' \;
uninstall-local:
	rm -rf '$(DESTDIR)$(examplesdir)/one-host' \
	    '$(DESTDIR)$(examplesdir)/site'
