#!/bin/sh
# runner: timeout=300
# A mail made by Picket, sent by picket-deliver, delivered by a real Postfix:
# what stands in the mailbox is what was composed, byte for byte.

. "$SRCDIR/tests/deliver/postfix.sh"
. "$SRCDIR/tests/tap.sh"

# same FILE FILE NAME
same() {
	if cmp -s "$1" "$2"; then
		tap 0 "$3"
	else
		tap 1 "$3"
		diff "$1" "$2" | cat -v | sed 's/^/#   /'
	fi
}

# is GOT WANT NAME
is() {
	[ "$1" = "$2" ]
	tap $? "$3"
	[ "$1" = "$2" ] || echo "#   got '$1', expected '$2'"
}

postfix_why_not && { echo "1..0 # SKIP $postfix_reason"; exit 0; }
mkjob=${MKJOB:-}
for f in "${BUILDDIR:-.}/tests/deliver/mkjob" "$PICKET_LIBEXEC/mkjob"; do
	[ -z "$mkjob" ] && [ -x "$f" ] && mkjob=$f
done
[ -n "$mkjob" ] || { echo '1..0 # SKIP mkjob is not built'; exit 0; }
work=$(mktemp -d) || exit 1
trap 'postfix_stop; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
TZ=UTC
export TZ

postfix_users='systems other long'
postfix_start
tap $? 'Postfix starts'
deliver() {
	"$PICKET_LIBEXEC/picket-deliver" <"$work/job" >"$work/report" 2>&1
}

"$mkjob" moscow Urgent 'PIKT Alert on %h: %a' 956639822-4711 \
    picket@example.org systems@localhost "smtp 127.0.0.1:$postfix_port" \
    >"$work/job" <<'EOT'
404 groucho imapd
saved user mail file as /var/mail/arc/groucho.956639822
killed all groucho imapd processes
EOT
deliver
is "$?" 0 'Postfix takes the mail'
case $(cat "$work/report") in
"ok smtp:127.0.0.1:$postfix_port 250 2.0.0 Ok: queued as "*) tap 0 'and says so';;
*) tap 1 'and says so'; sed 's/^/#   /' "$work/report";;
esac
mail=$(postfix_mail systems 1 30)
tap $? 'it is in the mailbox'
postfix_body "$mail" >"$work/got"
cat >"$work/want" <<'EOT'
                                PIKT ALERT
                         Tue Apr 25 05:17:02 2000
                                  moscow

URGENT:
    Script
        Task.

        404 groucho imapd
        saved user mail file as /var/mail/arc/groucho.956639822
        killed all groucho imapd processes
EOT
same "$work/want" "$work/got" 'its body, byte for byte'
for h in 'Return-Path=<picket@example.org>' 'Delivered-To=systems@localhost' \
    'From=picket@example.org' 'To=systems@localhost' \
    'Subject=PIKT Alert on moscow: Urgent' \
    'Date=Tue, 25 Apr 2000 05:17:02 +0000' \
    'Message-ID=<956639822-4711.picket@moscow>' \
    'Content-Transfer-Encoding=7bit' 'Auto-Submitted=auto-generated' \
    'X-Picket-Host=moscow' 'X-Picket-Alert=Urgent' 'X-Picket-Level=urgent'; do
	is "$(postfix_header "$mail" "${h%%=*}")" "${h#*=}" "header ${h%%=*}"
done

# Hostile names and lines: still one mail, to one mailbox.
nl='
'
cr=$(printf '\r')
"$mkjob" "h$cr${nl}Bcc: other@localhost" "a$cr$nl.$cr${nl}MAIL FROM:<x>" \
    "s${nl}To: other@localhost$nl$nl%a" 'r 2' picket@example.org \
    systems@localhost "smtp 127.0.0.1:$postfix_port" >"$work/job" <<EOT
.
..
From root
~!id
.$cr
QUIT$cr
$(printf 'gr\303\274\303\237e \377\001')
EOT
deliver
is "$?" 0 'a hostile mail is taken'
postfix_mail systems 2 30 >"$work/list"
tap $? 'it is in the mailbox'
second=$(tail -n 1 "$work/list")
postfix_body "$second" >"$work/got"
cat >"$work/want" <<'EOT'
                                PIKT ALERT
                         Tue Apr 25 05:17:02 2000
                       h\x0d\nBcc: other@localhost

URGENT:
    Script
        Task.

        .
        ..
        From root
        ~!id
        .\x0d
        QUIT\x0d
EOT
printf '        gr\303\274\303\237e \\xff\\x01\n' >>"$work/want"
same "$work/want" "$work/got" 'its body, byte for byte'
is "$(postfix_header "$second" Subject)" \
    's\nTo: other@localhost\n\na\x0d\n.\x0d\nMAIL FROM:<x>' 'its subject'
is "$(postfix_header "$second" To)" systems@localhost 'its recipient'
is "$(postfix_header "$second" Content-Transfer-Encoding)" 8bit 'its encoding'
is "$(ls "$postfix_dir/mail")" systems 'nobody else got a mail'

# A line too long for SMTP comes out of quoted-printable as it was.
{
	printf 'x%.0s' $(seq 5000)
	echo
} | "$mkjob" moscow Urgent s 3 picket@example.org long@localhost \
    "smtp 127.0.0.1:$postfix_port" >"$work/job"
deliver
is "$?" 0 'a line of 5000 bytes is taken'
mail=$(postfix_mail long 1 30)
is "$(postfix_body "$mail" | python3 -c 'import quopri, sys
sys.stdout.buffer.write(quopri.decodestring(sys.stdin.buffer.read()))' |
    sed -n 's/^        \(x*\)$/\1/p' | tr -d '\n' | wc -c)" 5000 \
    'and comes out of quoted-printable whole'

# A recipient whom it does not know is refused, and the next way is used.
echo x | "$mkjob" moscow Urgent s 4 picket@example.org nobody@localhost \
    "smtp 127.0.0.1:$postfix_port" "file $work/box" >"$work/job"
deliver
is "$?" 0 'an unknown recipient: the next way'
is "$(sed 's/^\([a-z]*\) [^ ]* \([^ ]*\).*/\1 \2/' "$work/report")" \
    "fail 550${nl}ok appended" 'refused with 550, then appended'
pid=$postfix_pid dir=$postfix_dir
postfix_stop
kill -0 "$pid" 2>/dev/null
is "$?" 1 'Postfix is gone'
[ -e "$dir" ]
is "$?" 1 'and so is its folder'
tap_end
