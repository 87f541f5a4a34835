# man/: the manual, in mdoc.  A page PAGE.N is made of man/PAGE.N.in by
# man/gentables, which puts in the tables of lang/table.

MAN_PAGES = \
	man/picket-bytecode.7 \
	man/picket-from-awk.7 \
	man/picket-from-pikt.7 \
	man/picket-test.5 \
	man/picket.1 \
	man/picket.cfg.5 \
	man/picket.conf.5 \
	man/picket.functions.5 \
	man/picket.tables.5 \
	man/picketd.8 \
	man/pikt.5

noinst_PROGRAMS += man/gentables
man_gentables_SOURCES = man/gentables.c man/gentables.h man/gentables_conf.c \
	man/gentables_text.c
man_gentables_LDADD =

man_MANS = $(MAN_PAGES)
CLEANFILES += $(MAN_PAGES)
EXTRA_DIST += $(MAN_PAGES:=.in)
$(MAN_PAGES): %: %.in man/gentables
	$(AM_V_GEN)$(MKDIR_P) man && man/gentables <'$<' >$@.tmp && \
	mv $@.tmp $@
