# examples/: complete sites, compiled and run by the tests.
EXAMPLE_SITES = container-host mail-host one-host site web-host
EXTRA_DIST += \
	examples/container-host \
	examples/mail-host \
	examples/one-host \
	examples/site \
	examples/web-host

# They are for reading: beside the documentation.
examplesdir = $(docdir)/examples
install-data-local:
	cd '$(srcdir)/examples' && \
	find $(EXAMPLE_SITES) -type d -exec \
	    $(MKDIR_P) '$(DESTDIR)$(examplesdir)/{}' \; && \
	find $(EXAMPLE_SITES) -type f -exec \
	    $(INSTALL_DATA) '{}' '$(DESTDIR)$(examplesdir)/{}' \;
uninstall-local:
	for site in $(EXAMPLE_SITES); do \
	    rm -rf '$(DESTDIR)$(examplesdir)/'$$site; \
	done
