# system/: what makes a service of picketd: units, init scripts, folders, the
# user, the turning of logs; and completion for shells.  Where each goes is
# configure's --with-NAMEdir; `no` leaves it out.

SYSTEM_FILES = \
	system/systemd/picketd.service \
	system/openrc/picketd \
	system/sysv/picketd \
	system/logrotate.d/picketd \
	system/tmpfiles.d/picket.conf \
	system/sysusers.d/picket.conf
COMPLETIONS = system/bash/picket system/zsh/_picket

EXTRA_DIST += $(SYSTEM_FILES:=.in)
CLEANFILES += $(SYSTEM_FILES) $(COMPLETIONS)
noinst_DATA = $(SYSTEM_FILES) $(COMPLETIONS)

# Not by configure, which would leave a $prefix in them.
$(SYSTEM_FILES): %: %.in Makefile
	$(AM_V_GEN)$(MKDIR_P) '$(@D)' && $(SED) -e 's|@bindir[@]|$(bindir)|g' \
	    -e 's|@sbindir[@]|$(sbindir)|g' \
	    -e 's|@sysconfdir[@]|$(sysconfdir)|g' '$<' >$@.tmp && mv $@.tmp $@
system/bash/picket: picket$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) system/bash && \
	./picket$(EXEEXT) completion bash >$@.tmp && mv $@.tmp $@
system/zsh/_picket: picket$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) system/zsh && \
	./picket$(EXEEXT) completion zsh >$@.tmp && mv $@.tmp $@

if WANT_SYSTEMDSYSTEMUNIT
systemdsystemunit_DATA = system/systemd/picketd.service
endif
if WANT_TMPFILES
tmpfiles_DATA = system/tmpfiles.d/picket.conf
endif
if WANT_SYSUSERS
sysusers_DATA = system/sysusers.d/picket.conf
endif
if WANT_LOGROTATE
logrotate_DATA = system/logrotate.d/picketd
endif
if WANT_OPENRC
openrc_SCRIPTS = system/openrc/picketd
endif
if WANT_SYSV
sysv_SCRIPTS = system/sysv/picketd
endif
if WANT_BASHCOMPLETION
bashcompletion_DATA = system/bash/picket
endif
if WANT_ZSHCOMPLETION
zshcompletion_DATA = system/zsh/_picket
endif
