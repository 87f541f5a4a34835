# engine/: program to effects to delivery.  One file a line, by floor;
# tests/sources fails on one that is missing here.

noinst_LIBRARIES += engine/libengine.a
bin_PROGRAMS += picket
sbin_PROGRAMS += picketd

engine_libengine_a_SOURCES = \
	engine/vm/array.c \
	engine/vm/array.h \
	engine/vm/builtin.h \
	engine/vm/effect.c \
	engine/vm/fields.c \
	engine/vm/fill.h \
	engine/vm/formats.c \
	engine/vm/host.h \
	engine/vm/call.c \
	engine/vm/clock.c \
	engine/vm/clock.h \
	engine/vm/kept.c \
	engine/vm/loop.c \
	engine/vm/objects.h \
	engine/vm/row.h \
	engine/vm/rows.c \
	engine/vm/state.h \
	engine/vm/template.c \
	engine/vm/template.h \
	engine/vm/template_check.c \
	engine/vm/values.c \
	engine/vm/vm.c \
	engine/vm/vm.h \
	engine/vm/when.c \
	engine/vm/when.h \
	engine/jail/calls.c \
	engine/jail/calls.def \
	engine/jail/files.c \
	engine/jail/jail.c \
	engine/jail/jail.h \
	engine/builtin/act.c \
	engine/builtin/arg.c \
	engine/builtin/arg.h \
	engine/builtin/arrays.c \
	engine/builtin/checksum.c \
	engine/builtin/checksum.h \
	engine/builtin/encode.c \
	engine/builtin/files.c \
	engine/builtin/handles.c \
	engine/builtin/math.c \
	engine/builtin/net.c \
	engine/builtin/pattern.c \
	engine/builtin/process.c \
	engine/builtin/rates.c \
	engine/builtin/safe.c \
	engine/builtin/state.c \
	engine/builtin/table.c \
	engine/builtin/tables.c \
	engine/builtin/text.c \
	engine/builtin/time.c \
	engine/builtin/world.c \
	engine/table/beancounters.c \
	engine/table/cgroups.c \
	engine/table/files.c \
	engine/table/filesystems.c \
	engine/table/kernel.c \
	engine/table/kmsg.c \
	engine/table/kmsg.h \
	engine/table/interfaces.c \
	engine/table/limits.c \
	engine/table/lines.c \
	engine/table/lines.h \
	engine/table/memory.c \
	engine/table/mountinfo.h \
	engine/table/mounts.c \
	engine/table/names.c \
	engine/table/names.h \
	engine/table/load.c \
	engine/table/open_files.c \
	engine/table/process_counts.c \
	engine/table/processes.c \
	engine/table/procs.c \
	engine/table/procs.h \
	engine/table/procs_more.c \
	engine/table/oom_kills.c \
	engine/table/snapshot.c \
	engine/table/snapshot.h \
	engine/table/snapshot_files.c \
	engine/table/snapshot_inner.h \
	engine/table/snapshot_rows.c \
	engine/table/sockets.c \
	engine/table/queue.c \
	engine/table/queue.h \
	engine/table/queue_exim.c \
	engine/table/queue_postfix.c \
	engine/table/queue_sendmail.c \
	engine/table/table.c \
	engine/table/table.h \
	engine/table/walk.c \
	engine/table/walk.h \
	engine/table/users.c \
	engine/input/journal.h \
	engine/input/logfile.c \
	engine/input/logfile.h \
	engine/input/logfile_inner.h \
	engine/input/logfolder.c \
	engine/input/logjudge.c \
	engine/input/logpacked.c \
	engine/input/logposition.c \
	engine/input/logprint.c \
	engine/input/reader.c \
	engine/input/reader.h \
	engine/effect/act.c \
	engine/effect/act.h \
	engine/effect/adjust.c \
	engine/effect/archive.c \
	engine/effect/archive.h \
	engine/effect/archive_copy.c \
	engine/effect/archive_inner.h \
	engine/effect/archive_last.c \
	engine/effect/contact.c \
	engine/effect/contact.h \
	engine/effect/contact_url.c \
	engine/effect/dry.c \
	engine/effect/exec.c \
	engine/effect/facts.c \
	engine/effect/facts.h \
	engine/effect/incidents.c \
	engine/effect/incidents.h \
	engine/effect/input.c \
	engine/effect/kid.c \
	engine/effect/kid.h \
	engine/effect/live.c \
	engine/effect/live.h \
	engine/effect/log.c \
	engine/effect/maillock.c \
	engine/effect/maillock.h \
	engine/effect/memory.c \
	engine/effect/memory.h \
	engine/effect/origin.c \
	engine/effect/path.c \
	engine/effect/paths.c \
	engine/effect/proc.c \
	engine/effect/proc.h \
	engine/effect/recorded.c \
	engine/effect/recorded.h \
	engine/effect/recorded_act.c \
	engine/effect/recorded_file.c \
	engine/effect/recorded_host.c \
	engine/effect/recorded_inner.h \
	engine/effect/recorded_keep.c \
	engine/effect/recorded_list.c \
	engine/effect/rotate.c \
	engine/effect/safeway.c \
	engine/effect/safeway.h \
	engine/effect/scarce.c \
	engine/effect/scarce.h \
	engine/effect/scarce_held.c \
	engine/effect/scarce_inner.h \
	engine/effect/spawn.c \
	engine/effect/spawn.h \
	engine/effect/state.h \
	engine/effect/stream.c \
	engine/effect/sweep.c \
	engine/effect/tables.c \
	engine/effect/tables.h \
	engine/effect/tap.c \
	engine/effect/tap.h \
	engine/effect/target.c \
	engine/effect/target.h \
	engine/effect/trail.c \
	engine/effect/trail.h \
	engine/effect/user.c \
	engine/effect/user.h \
	engine/state/batch.c \
	engine/state/batch.h \
	engine/state/client.c \
	engine/state/client.h \
	engine/state/incidents.c \
	engine/state/incidents.h \
	engine/state/place.c \
	engine/state/place.h \
	engine/state/query.c \
	engine/state/query.def \
	engine/state/query.h \
	engine/state/wire.c \
	engine/state/wire.h \
	engine/incident/fields.def \
	engine/incident/incident.c \
	engine/incident/incident.h \
	engine/incident/silence.c \
	engine/incident/tell.c \
	engine/run/feed.c \
	engine/run/feed.h \
	engine/run/feed_inner.h \
	engine/run/feed_journal.c \
	engine/run/feed_log.c \
	engine/run/feed_place.c \
	engine/run/feed_table.c \
	engine/run/rowcopy.c \
	engine/run/rowcopy.h \
	engine/run/run.c \
	engine/run/run.h \
	engine/deliver/address.c \
	engine/deliver/address.h \
	engine/deliver/attempt.c \
	engine/deliver/attempt.h \
	engine/deliver/child.c \
	engine/deliver/child.h \
	engine/deliver/compose.c \
	engine/deliver/compose.h \
	engine/deliver/compose_change.c \
	engine/deliver/compose_digest.c \
	engine/deliver/compose_inner.h \
	engine/deliver/compose_split.c \
	engine/deliver/conf.c \
	engine/deliver/conf.def \
	engine/deliver/conf.h \
	engine/deliver/conf_daemon.c \
	engine/deliver/conf_inner.h \
	engine/deliver/conf_rules.c \
	engine/deliver/encode.c \
	engine/deliver/encode.h \
	engine/deliver/filebox.c \
	engine/deliver/job.c \
	engine/deliver/job.h \
	engine/deliver/mailbox.c \
	engine/deliver/mailbox.h \
	engine/deliver/mailcmd.c \
	engine/deliver/resident.c \
	engine/deliver/resident.h \
	engine/deliver/route.c \
	engine/deliver/route.h \
	engine/deliver/send.c \
	engine/deliver/send.h \
	engine/deliver/notice.c \
	engine/deliver/notice.h \
	engine/deliver/outbox.c \
	engine/deliver/outbox.h \
	engine/deliver/outbox_care.c \
	engine/deliver/outbox_fold.c \
	engine/deliver/outbox_inner.h \
	engine/deliver/outbox_put.c \
	engine/deliver/outbox_send.c \
	engine/deliver/plain.c \
	engine/deliver/plain.h \
	engine/deliver/report.c \
	engine/deliver/report.h \
	engine/deliver/sendmail.c \
	engine/deliver/target.c \
	engine/deliver/target.h \
	engine/deliver/templates.def \
	engine/deliver/tell.c \
	engine/deliver/tell.h \
	engine/deliver/tell_inner.h \
	engine/deliver/tell_left.c \
	engine/deliver/tell_mail.c \
	engine/deliver/tell_rest.c \
	engine/deliver/tell_step.c \
	engine/deliver/tell_ways.c \
	engine/deliver/transport.c \
	engine/deliver/transport.h \
	engine/deliver/trust.c \
	engine/deliver/trust.h \
	engine/deliver/window.c \
	engine/deliver/window.h \
	engine/deliver/words.c \
	engine/deliver/words.h \
	engine/alert/alert.c \
	engine/alert/alert.h \
	engine/alert/alert_end.c \
	engine/alert/alert_inner.h \
	engine/alert/alert_mail.c \
	engine/alert/objects.c \
	engine/image/image.h \
	engine/image/image_inner.h \
	engine/image/image_part.c \
	engine/image/image_read.c \
	engine/image/image_traits.c \
	engine/image/image_walk.c \
	engine/image/image_write.c \
	engine/image/schedule.c \
	engine/image/schedule.h \
	engine/sim/sim.c \
	engine/sim/sim.h \
	engine/sim/stamp.c \
	engine/sim/stamp.h \
	engine/sched/agenda.c \
	engine/sched/agenda.h \
	engine/sched/agenda_site.c \
	engine/sched/calendar.c \
	engine/sched/calendar.h \
	engine/sched/heap.c \
	engine/sched/heap.h \
	engine/sched/queue.c \
	engine/sched/queue.h \
	engine/daemon/look.c \
	engine/daemon/look.h \
	engine/daemon/control.c \
	engine/daemon/control_answer.c \
	engine/daemon/control_request.c \
	engine/daemon/control.def \
	engine/daemon/control.h \
	engine/daemon/hold.c \
	engine/daemon/hold.h \
	engine/daemon/logger.c \
	engine/daemon/log.def \
	engine/daemon/logger.h

# picket must start fast: no library but pcre2 and jansson.  What needs more
# is a helper program.
picket_SOURCES = \
	engine/cli/bundled.c \
	engine/cli/cli.h \
	engine/cli/ask.c \
	engine/cli/ask.h \
	engine/cli/cmd_check.c \
	engine/cli/cmd_control.c \
	engine/cli/cmd_compile.c \
	engine/cli/cmd_deliver.c \
	engine/cli/cmd_doc.c \
	engine/cli/cmd_learn.c \
	engine/cli/cmd_list.c \
	engine/cli/learn.c \
	engine/cli/learn.h \
	engine/cli/cmd_explain.c \
	engine/cli/cmd_fmt.c \
	engine/cli/cmd_incidents.c \
	engine/cli/cmd_mailtest.c \
	engine/cli/cmd_now.c \
	engine/cli/cmd_outbox.c \
	engine/cli/cmd_replay.c \
	engine/cli/cmd_run.c \
	engine/cli/cmd_silence.c \
	engine/cli/cmd_status.c \
	engine/cli/cmd_test.c \
	engine/cli/cmd_why.c \
	engine/cli/commands.def \
	engine/cli/doc_script.c \
	engine/cli/doc_script.h \
	engine/cli/incident.c \
	engine/cli/incident.h \
	engine/cli/json.c \
	engine/cli/main.c \
	engine/cli/options.c \
	engine/cli/outbox.h \
	engine/cli/site.c \
	engine/cli/site_judge.c \
	engine/cli/place.c \
	engine/cli/plan.c \
	engine/cli/plan.h \
	engine/cli/ruletest.h \
	engine/cli/replay.h \
	engine/cli/replay_log.c \
	engine/cli/replay_sum.c \
	engine/cli/source.c \
	engine/cli/test_cover.c \
	engine/cli/test_look.c \
	engine/cli/test_run.c \
	engine/cli/test_show.c \
	engine/cli/test_world.c \
	engine/cli/world.c \
	engine/cli/world.h
picket_LDADD = $(PICKET_LIBS)

# The scheduler.  It is locked in memory: it links few objects, and no library
# but the C library and jansson.
picketd_SOURCES = \
	engine/daemon/alive.c \
	engine/daemon/cage.c \
	engine/daemon/cage.h \
	engine/daemon/children.c \
	engine/daemon/control_do.c \
	engine/daemon/daemon.h \
	engine/daemon/daemon_main.c \
	engine/daemon/daemon_options.c \
	engine/daemon/daemon_place.c \
	engine/daemon/keep.c \
	engine/daemon/load.c \
	engine/daemon/loop.c \
	engine/daemon/loop.h \
	engine/daemon/news.c \
	engine/daemon/notify.c \
	engine/daemon/notify.h \
	engine/daemon/orphans.c \
	engine/daemon/runs.c \
	engine/daemon/runs_left.c \
	engine/daemon/services.c \
	engine/daemon/voice.c
picketd_LDFLAGS = $(AM_LDFLAGS) $(PK_STATIC)
picketd_LDADD = engine/libengine.a lang/liblang.a $(JANSSON_LIBS)

# What picketd starts: a run of an alert, and the other roles.  No compiler in
# it: what it runs comes proved out of an image (tests/daemon/runner.t).
pkglibexec_PROGRAMS += picket-runner
picket_runner_SOURCES = \
	engine/daemon/descend.c \
	engine/daemon/descend.h \
	engine/daemon/emergency.c \
	engine/daemon/emergency.h \
	engine/daemon/emergency_lock.c \
	engine/daemon/emergency_page.h \
	engine/daemon/emergency_run.c \
	engine/daemon/emergency_short.c \
	engine/daemon/emergency_wake.c \
	engine/daemon/runner.h \
	engine/daemon/runner_courier.c \
	engine/daemon/runner_keep.c \
	engine/daemon/runner_left.c \
	engine/daemon/runner_main.c \
	engine/daemon/runner_run.c \
	engine/daemon/runner_tell.c
picket_runner_LDADD = $(PICKET_LIBS)

# Sends what was composed; with picket-contact the only program with libcurl.
pkglibexec_PROGRAMS += picket-deliver
picket_deliver_SOURCES = \
	engine/deliver/alertmanager.c \
	engine/deliver/deliver_main.c \
	engine/deliver/heartbeat.c \
	engine/deliver/http.c \
	engine/deliver/http.h \
	engine/deliver/items.c \
	engine/deliver/items.h \
	engine/deliver/stock.c \
	engine/deliver/stock.h \
	engine/deliver/journal.c \
	engine/deliver/pagerduty.c \
	engine/deliver/secure.c \
	engine/deliver/secure.h \
	engine/deliver/smtp.c \
	engine/deliver/syslog.c \
	engine/deliver/void.c \
	engine/deliver/wall.c \
	engine/deliver/webhook.c
picket_deliver_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
picket_deliver_LDADD = $(PICKET_LIBS) $(CURL_LIBS)

# Asks web servers and others that speak TLS, for rules.
pkglibexec_PROGRAMS += picket-contact
picket_contact_SOURCES = \
	engine/effect/contact_main.c
picket_contact_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
picket_contact_LDADD = $(PICKET_LIBS) $(CURL_LIBS)

# Keeps what outlives a run; the only program with SQLite.
pkglibexec_PROGRAMS += picket-store
picket_store_SOURCES = \
	engine/state/apply.c \
	engine/state/apply.h \
	engine/state/guest.c \
	engine/state/guest.h \
	engine/state/serve.c \
	engine/state/serve.h \
	engine/state/aside.c \
	engine/state/aside.h \
	engine/state/leaves.c \
	engine/state/leaves.h \
	engine/state/request.c \
	engine/state/request.h \
	engine/state/salvage.c \
	engine/state/salvage.h \
	engine/state/schema.c \
	engine/state/schema.h \
	engine/state/sql.c \
	engine/state/sql.h \
	engine/state/store.c \
	engine/state/store.h \
	engine/state/store_main.c
picket_store_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE3_CFLAGS)
picket_store_LDADD = $(PICKET_LIBS) $(SQLITE3_LIBS)

# The status page; the only program with libevent, and that strangers reach.
pkglibexec_PROGRAMS += picket-http
picket_http_SOURCES = \
	engine/daemon/http.def \
	engine/daemon/http.h \
	engine/daemon/http_api.c \
	engine/daemon/http_graph.c \
	engine/daemon/http_main.c \
	engine/daemon/http_metrics.c \
	engine/daemon/http_page.c \
	engine/daemon/http_style.h \
	engine/daemon/http_view.c
picket_http_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS)
picket_http_LDADD = $(PICKET_LIBS) $(EVENT_LIBS)

# Reads systemd's journal; the only program with libsystemd, and not there
# where that is not.
if HAVE_SYSTEMD
pkglibexec_PROGRAMS += picket-journal
endif
picket_journal_SOURCES = \
	engine/input/journal_files.c \
	engine/input/journal_main.c
picket_journal_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS)
picket_journal_LDADD = $(SYSTEMD_LIBS)
