# postfix.sh: a real Postfix of our own, for tests.  Source it from sh.
#
#	. "$SRCDIR/tests/deliver/postfix.sh"
#	postfix_why_not && { echo "1..0 # SKIP $postfix_reason"; exit 0; }
#	trap postfix_stop EXIT
#	postfix_start || exit 1		# listens on 127.0.0.1:$postfix_port
#	... send to systems@localhost ...
#	postfix_mail systems 1 30	# waits up to 30 s for 1 mail, prints the
#					# file of each, one a line, oldest first
#	postfix_body FILE		# its lines after the headers
#	postfix_header FILE Subject	# the value of a header, not unfolded
#
# It touches nothing of the system's own Postfix: configuration, queue, data
# and mailboxes lie in a folder of their own ($postfix_dir) under TMPDIR, the
# port is a free one above 1024, and it listens on loopback only.  Each of
# $postfix_users (default: systems) has a mailbox at localhost, a maildir, so
# that each mail is a file as it was delivered; any other recipient at
# localhost is refused with 550, and nothing is ever relayed further.
#
# postfix_stop ends what postfix_start has started, by its process id, waits
# until it is gone and removes the folder.  Needs root, as Postfix does.

postfix_sbin=${POSTFIX_SBIN:-/usr/sbin}

# True if Postfix cannot be run here; then postfix_reason says why.
postfix_why_not() {
	postfix_reason=
	if ! [ -x "$postfix_sbin/postfix" ]; then
		postfix_reason='postfix is not installed'
	elif [ "$(id -u)" -ne 0 ]; then
		postfix_reason='postfix can only be started by root'
	fi
	[ -n "$postfix_reason" ]
}

# postfix_start [PARAMETER=VALUE...]: lines for main.cf.
postfix_start() {
	postfix_dir=$(mktemp -d "${TMPDIR:-/tmp}/postfix.XXXXXX") || return 1
	# its daemons, who are not root, must get to their folders
	if ! postfix_reachable "$postfix_dir"; then
		rmdir "$postfix_dir"
		postfix_dir=$(mktemp -d /tmp/postfix.XXXXXX) || return 1
	fi
	chmod 755 "$postfix_dir"
	postfix_user=$(id -u postfix) && postfix_group=$(id -g postfix) ||
	    return 1
	postfix_port=$(postfix_free_port) || return 1
	mkdir "$postfix_dir/etc" "$postfix_dir/spool" "$postfix_dir/data" \
	    "$postfix_dir/mail" &&
	chown postfix "$postfix_dir/data" "$postfix_dir/mail" || return 1
	cat >"$postfix_dir/etc/main.cf" <<-EOT
		compatibility_level = 2
		queue_directory = $postfix_dir/spool
		data_directory = $postfix_dir/data
		command_directory = $postfix_sbin
		daemon_directory = $("$postfix_sbin/postconf" -dh daemon_directory)
		mail_owner = postfix
		setgid_group = postdrop
		myhostname = localhost.localdomain
		mydestination =
		mynetworks = 127.0.0.0/8
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		relayhost =
		default_transport = error:nothing leaves this test
		smtpd_recipient_restrictions = permit_mynetworks, reject
		alias_maps =
		alias_database =
		virtual_mailbox_domains = localhost
		virtual_mailbox_base = $postfix_dir/mail
		virtual_mailbox_maps = texthash:$postfix_dir/etc/mailboxes
		virtual_uid_maps = static:$postfix_user
		virtual_gid_maps = static:$postfix_group
		virtual_minimum_uid = 1
		smtpd_tls_security_level = none
		smtpd_peername_lookup = no
		maillog_file = $postfix_dir/log
		maillog_file_prefixes = $postfix_dir
		disable_dns_lookups = yes
	EOT
	for postfix_line; do
		printf '%s\n' "$postfix_line"
	done >>"$postfix_dir/etc/main.cf"
	for postfix_line in ${postfix_users:-systems}; do
		# the slash at the end makes it a maildir
		echo "$postfix_line@localhost $postfix_line/"
	done >"$postfix_dir/etc/mailboxes"
	cat >"$postfix_dir/etc/master.cf" <<-EOT
		127.0.0.1:$postfix_port inet n - n - - smtpd
		pickup unix n - n 60 1 pickup
		cleanup unix n - n - 0 cleanup
		qmgr unix n - n 300 1 qmgr
		rewrite unix - - n - - trivial-rewrite
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		trace unix - - n - 0 bounce
		verify unix - - n - 1 verify
		proxymap unix - - n - - proxymap
		showq unix n - n - - showq
		error unix - - n - - error
		retry unix - - n - - error
		discard unix - - n - - discard
		virtual unix - n n - - virtual
		anvil unix - - n - 1 anvil
		postlog unix-dgram n - n - 1 postlogd
	EOT
	"$postfix_sbin/postfix" -c "$postfix_dir/etc" start \
	    >"$postfix_dir/start" 2>&1 || {
		sed 's/^/# /' "$postfix_dir/start" >&2
		return 1
	}
	postfix_pid=$(tr -d ' ' <"$postfix_dir/spool/pid/master.pid")
	postfix_tries=100
	until postfix_listens; do
		postfix_tries=$((postfix_tries - 1))
		[ "$postfix_tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

postfix_stop() {
	[ -n "${postfix_pid:-}" ] && kill -TERM "$postfix_pid" 2>/dev/null
	postfix_tries=100
	while [ -n "${postfix_pid:-}" ] && kill -0 "$postfix_pid" 2>/dev/null
	do
		postfix_tries=$((postfix_tries - 1))
		[ "$postfix_tries" -gt 0 ] || kill -KILL "$postfix_pid"
		sleep 0.1
	done
	postfix_pid=
	[ -n "${postfix_dir:-}" ] && rm -rf "$postfix_dir"
	postfix_dir=
}

# postfix_mail USER N SECONDS: false, with the log, if fewer came in time.
postfix_mail() {
	postfix_tries=$(($3 * 10))
	until [ "$(find "$postfix_dir/mail/$1/new" -type f 2>/dev/null |
	    wc -l)" -ge "$2" ]; do
		postfix_tries=$((postfix_tries - 1))
		if [ "$postfix_tries" -le 0 ]; then
			sed 's/^/# /' "$postfix_dir/log" >&2
			return 1
		fi
		sleep 0.1
	done
	find "$postfix_dir/mail/$1/new" -type f -printf '%T@ %p\n' | sort -n |
	    cut -d' ' -f2-
}

postfix_body() {
	sed '1,/^$/d' "$1"
}

postfix_header() {
	sed -n '/^$/q; s/^'"$2"': //p' "$1"
}

postfix_reachable() {
	postfix_up=$(dirname "$1")
	while [ "$postfix_up" != / ]; do
		case $(stat -c %A "$postfix_up") in
		*[xt]) ;;
		*) return 1 ;;
		esac
		postfix_up=$(dirname "$postfix_up")
	done
}

postfix_free_port() {
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

postfix_listens() {
	python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
s.settimeout(5)
sys.exit(not s.recv(3) == b"220")' "$postfix_port" 2>/dev/null
}
