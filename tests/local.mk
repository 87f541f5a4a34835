# tests/: run by tests/runner, which finds */test_*.c and */*.t by itself.

# One program per file, on the libraries.
UNIT_TESTS = \
	tests/command/test_fill \
	tests/command/test_template \
	tests/unit/test_act \
	tests/unit/test_agenda \
	tests/unit/test_array \
	tests/unit/test_base \
	tests/unit/test_beside \
	tests/unit/test_builtin \
	tests/unit/test_builtin_world \
	tests/unit/test_calendar \
	tests/unit/test_checksum \
	tests/unit/test_child \
	tests/unit/test_compose \
	tests/unit/test_conf \
	tests/unit/test_control \
	tests/unit/test_cron \
	tests/unit/test_csv \
	tests/unit/test_directive \
	tests/unit/test_facts \
	tests/unit/test_format \
	tests/unit/test_hold \
	tests/unit/test_hostile \
	tests/unit/test_image \
	tests/unit/test_incident \
	tests/unit/test_input \
	tests/unit/test_jpath \
	tests/unit/test_live \
	tests/unit/test_logfile \
	tests/unit/test_logger \
	tests/unit/test_loop \
	tests/unit/test_notice \
	tests/unit/test_num \
	tests/unit/test_preprocess \
	tests/unit/test_procs \
	tests/unit/test_program \
	tests/unit/test_query \
	tests/unit/test_re \
	tests/unit/test_reader \
	tests/unit/test_recorded \
	tests/unit/test_report \
	tests/unit/test_route \
	tests/unit/test_seen \
	tests/unit/test_send \
	tests/unit/test_sim \
	tests/unit/test_snapshot \
	tests/unit/test_stamp \
	tests/unit/test_state \
	tests/unit/test_trail \
	tests/unit/test_verify
if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
endif

# The store itself, without its main.
tests_unit_test_query_SOURCES = tests/unit/test_query.c \
	engine/state/apply.c engine/state/aside.c engine/state/leaves.c \
	engine/state/request.c engine/state/salvage.c engine/state/schema.c \
	engine/state/sql.c engine/state/store.c
tests_unit_test_query_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE3_CFLAGS)
tests_unit_test_query_LDADD = $(LDADD) $(SQLITE3_LIBS)

# The loop of picketd, without its main.
tests_unit_test_control_SOURCES = tests/unit/test_control.c engine/daemon/loop.c
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c engine/daemon/loop.c

# Programs that scripts call: BUILDDIR/tests/FOLDER/NAME.
HELPERS = \
	tests/bench/sleepers \
	tests/bench/statwalk \
	tests/bench/timed \
	tests/command/argv \
	tests/command/hostile \
	tests/command/random \
	tests/daemon/fiend \
	tests/daemon/hog \
	tests/daemon/jailed \
	tests/deliver/mkjob \
	tests/deliver/mkmail \
	tests/incident/drive \
	tests/deliver/window \
	tests/deliver/put \
	tests/limit/peak \
	tests/sched/due \
	tests/sched/plan \
	tests/state/rows \
	tests/state/salvage \
	tests/storm/alone \
	tests/storm/observer \
	tests/storm/respawner \
	tests/storm/router \
	tests/storm/spawner \
	tests/table/rows
check_PROGRAMS += $(HELPERS)
# Without the sanitizers: shells start it ten thousands of times, and it only
# prints what it got.
tests_command_argv_CFLAGS = -std=c11 $(PK_WARN)
tests_command_argv_LDFLAGS = $(PK_LINK)
tests_command_argv_LDADD =
# It has a limit of address space, and theirs is 20 TiB.
tests_storm_router_CFLAGS = -std=c11 $(PK_WARN)
tests_storm_router_LDFLAGS = $(PK_LINK)
tests_storm_router_LDADD =
# It must be quicker than any sweep, and theirs makes a fork ten times as slow.
tests_storm_respawner_CFLAGS = -std=c11 $(PK_WARN)
tests_storm_respawner_LDFLAGS = $(PK_LINK)
tests_storm_respawner_LDADD =

tests_state_salvage_SOURCES = tests/state/salvage.c engine/state/leaves.c \
	engine/state/salvage.c engine/state/schema.c engine/state/sql.c
tests_state_salvage_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE3_CFLAGS)
tests_state_salvage_LDADD = $(LDADD) $(SQLITE3_LIBS)

# picket with a hole in its tables, for tests/lang/coverage and mutants.t.
check_PROGRAMS += tests/lang/mutant
tests_lang_mutant_SOURCES = tests/lang/mutant.c $(picket_SOURCES)
tests_lang_mutant_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=lx_word -Wl,--wrap=pk_lex_lex -Wl,--wrap=builtin_find \
	-Wl,--wrap=sh_in_list -Wl,--wrap=directive_find \
	-Wl,--wrap=diag_at -Wl,--wrap=diag_in -Wl,--wrap=compile_programs \
	-Wl,--wrap=config_word

# Fuzz programs.  Ordinary builds get a main that replays and mutates files;
# --enable-fuzzing gives them to libFuzzer.
FUZZERS = \
	tests/fuzz/fuzz_compile \
	tests/fuzz/fuzz_preprocess \
	tests/fuzz/fuzz_program
check_PROGRAMS += $(FUZZERS)
if FUZZING
FUZZ_MAIN =
FUZZ_LINK = -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/main.c
FUZZ_LINK =
endif
tests_fuzz_fuzz_compile_SOURCES = tests/fuzz/fuzz_compile.c $(FUZZ_MAIN)
tests_fuzz_fuzz_compile_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_preprocess_SOURCES = tests/fuzz/fuzz_preprocess.c $(FUZZ_MAIN)
tests_fuzz_fuzz_preprocess_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_program_SOURCES = tests/fuzz/fuzz_program.c $(FUZZ_MAIN)
tests_fuzz_fuzz_program_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

# Everything else is data, or a script: whole folders.
EXTRA_DIST += \
	tests/bench \
	tests/command \
	tests/daemon \
	tests/deliver \
	tests/floors \
	tests/fmt \
	tests/fuzz \
	tests/incident \
	tests/lang \
	tests/limit \
	tests/man \
	tests/not-under-sanitizers \
	tests/reject \
	tests/run \
	tests/runner \
	tests/sched \
	tests/selftest \
	tests/sources \
	tests/state \
	tests/storm \
	tests/table \
	tests/tap.py \
	tests/tap.sh \
	tests/unit/child.h \
	tests/unit/effect.h \
	tests/unit/fake_vm.h \
	tests/unit/made.h \
	tests/unit/sim.h

RUN_TESTS = SRCDIR='$(abs_top_srcdir)' BUILDDIR='$(abs_top_builddir)' \
	CC='$(CC)' '$(PYTHON3)' '$(srcdir)/tests/runner' $(PK_SANITIZED)

# TESTFLAGS: -j N, or names, as tests/runner takes them.
check-local:
	@$(RUN_TESTS) $(TESTFLAGS)
check-programs: $(check_PROGRAMS)
# One after the other: both goals make the libraries, and in one make -j they
# would do so at once.
check-long: all
	@$(MAKE) $(AM_MAKEFLAGS) check-programs
	@PICKET_LONG=1 $(RUN_TESTS) $(TESTFLAGS)
bench: all
	@$(MAKE) $(AM_MAKEFLAGS) check-programs
	@SRCDIR='$(abs_top_srcdir)' BUILDDIR='$(abs_top_builddir)' \
	PICKET='$(abs_top_builddir)/picket' \
	TIMED='$(abs_top_builddir)/tests/bench/timed' \
	PICKET_LIB='$(abs_top_srcdir)/stdlib-scripts' \
	PICKET_LIBEXEC='$(abs_top_builddir)' \
	'$(srcdir)/tests/bench/run' $(BENCHFLAGS)
.PHONY: check-programs check-long bench

clean-local: clean-tests
clean-tests:
	rm -rf tests/log
.PHONY: clean-tests

# What tests/deliver/fetch has brought.
distclean-local:
	rm -rf servers

# What a build in the source folder leaves in folders that go out whole.
dist-hook:
	find '$(distdir)' \( -name '*.o' -o -name '*.pyc' \) -exec rm -f {} +
	find '$(distdir)' -depth \( -name .deps -o -name __pycache__ \) \
	    -exec rm -rf {} +
	cd '$(distdir)' && rm -f $(check_PROGRAMS) tests/*/.dirstamp
.PHONY: dist-hook
