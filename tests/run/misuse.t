#!/bin/sh
# Odd things where a file is named, and mistakes on the command line: each has
# its message and its status, and none harms what is there.
# runner: timeout=120

. "$SRCDIR/tests/tap.sh"

# says NAME STATUS TEXT COMMAND...: its status and all of its standard error
says() {
	name=$1 want=$2 text=$3
	shift 3
	"$@" </dev/null >out 2>err
	[ $? -eq "$want" ] && printf '%b' "$text" | cmp -s - err
	tap $? "$name"
}

cd "$TMPDIR" || exit 1
XDG_STATE_HOME=$PWD/state
export XDG_STATE_HOME
printf 'begin\n\toutput "hello"\n' >hello
mkdir folder
mkfifo fifo
ln -s nowhere dangling

for f in fifo:'No such device or address' folder:'Is a directory' \
    dangling:'No such file or directory'; do
	before=$(ls -ld "${f%%:*}")
	says "compile -o ${f%%:*}" 1 "picket: ${f%%:*}: ${f#*:}\n" \
	    "$PICKET" compile -o "${f%%:*}" hello
	[ "$(ls -ld "${f%%:*}")" = "$before" ] && ! ls ./*.tmp >out 2>&1
	tap $? "${f%%:*} is left as it was"
done
ln -s target to
: >target
says 'compile -o LINK' 0 '' "$PICKET" compile -o to hello
[ -L to ] && "$PICKET" run target >out 2>err && echo hello | cmp -s - out
tap $? 'what the link leads to is written'
"$PICKET" compile -o - hello >hello.pkc 2>err && "$PICKET" ./hello.pkc >out 2>>err &&
    echo hello | cmp -s - out && [ ! -e ./- ]
tap $? 'compile -o - writes to standard output'

start=$(date +%s)
says 'a script that is a pipe without a writer' 1 \
    'picket: ./fifo: is a pipe, and nobody writes to it\n' \
    "$PICKET" run ./fifo
[ $(($(date +%s) - start)) -ge 5 ]
tap $? 'a writer is waited for'
(sleep 1; echo 'begin output "late"' >fifo) &
"$PICKET" ./fifo >out 2>err && echo late | cmp -s - out
tap $? 'a writer that comes later'
wait
# shellcheck disable=SC2016
printf 'rule\n\toutput $inline\n' >copy
(sleep 1; echo line >fifo) &
"$PICKET" run --input fifo copy >out 2>err && echo line | cmp -s - out
tap $? '--input of a pipe'
wait
mkdir many
mkfifo many/pipe.pikt
cp hello many/fine.pikt
says 'a pipe in a folder is not waited for' 1 \
    'picket: many/pipe.pikt: is no regular file\n' "$PICKET" check many
echo '1 file, 1 script: 0 errors, 0 warnings; 1 cannot be read' | cmp -s - out
tap $? 'the others are checked'

mkdir site
echo 'a members b' >site/macros.cfg
ln -s nowhere site/picket.conf
says 'a picket.conf that leads nowhere' 2 \
    'picket: site/picket.conf: is a symbolic link to nothing\n' \
    "$PICKET" run --config site hello
says 'an empty name' 1 "picket: : a file's name is empty\n" \
    "$PICKET" run --input '' copy
says 'help for a command that is none' 2 \
    "picket: unknown command 'rnu'; did you mean run?\n" "$PICKET" help rnu

says 'an option before the command' 2 \
    'picket: -n stands behind the command: picket COMMAND -n (see picket --help)\n' \
    "$PICKET" -n run hello
says 'one with a value' 2 \
    'picket: --config=x stands behind the command: picket COMMAND --config=x (see picket --help)\n' \
    "$PICKET" --config=x list
says 'an option that no command has' 2 \
    'picket: unknown option --nosuch (see picket --help)\n' "$PICKET" --nosuch
says 'the version as a command' 2 \
    "picket: unknown command 'version'; did you mean --version?\n" "$PICKET" version
says 'nothing to run' 2 \
    'picket: run wants an alert, a script or a file: picket run -n DiskFilling looks at the disks (see picket help run)\n' \
    "$PICKET" run
says 'a bundled script, misspelt' 1 \
    'picket: DiskFiling: no such script or file; did you mean DiskFilling?\n' \
    "$PICKET" run -n DiskFiling

# one script, by hand and by an alert
mkdir -p two/scripts
printf 'Full\n\tbegin\n\t\tincident "full"\n\t\t\twhen 1\n\t\t\tmessage "x"\n\t\tendincident\n' >two/scripts/Full.pikt
printf 'Often\n\ttiming 5 * * * *\n\talarms Full\n' >two/alerts.cfg
"$PICKET" run --mail stdout two/scripts/Full.pikt >out 2>err && grep -q x out
tap $? 'a script by hand'
"$PICKET" run --config two --mail stdout Often >out 2>err
grep -q 'incident full ignored: the key belongs to script Full of alert run, which has run it within the last day: let one alert run it' err
tap $? 'its alert then says why it is ignored'

# output that finds no room
full='picket: standard output: No space left on device'
for c in 'check hello' 'help' 'help run' '--version' 'completion bash' \
    'run --dry-run hello'; do
	# shellcheck disable=SC2086
	"$PICKET" $c 2>err >/dev/full </dev/null
	[ $? -eq 1 ] && tail -n 1 err >out && {
		printf '%s\n' "$full" | cmp -s - out ||
		    grep -q 'standard output: .*No space left' out
	}
	tap $? "picket $c, without room"
done

# a mail that no way takes: what the ways said, in words
mkdir mail
printf 'mailcmd "echo no way >&2; exit 3"\n' >mail/picket.conf
says 'no site, no file' 1 \
    "picket: Urgent: no such file, and there is no site in mail: see --config\n" \
    "$PICKET" run --config mail Urgent
printf 'begin\n\toutput mail "x"\n' >mails
"$PICKET" run --config mail --mailto a@example.org mails >out 2>err
[ $? -eq 1 ] && sed 's/ in .*/ in/;s/(.*) *//' err >out && printf '%s\n' \
    'picket: mail 1 : not sent: mailcmd: exit status 3: no way; next try in' |
    cmp -s - out
tap $? 'a mail that was not sent'

# a closed descriptor is not taken for what is opened next
# shellcheck disable=SC2016
printf 'P\n\tbegin\n\t\tset #n = 1\n\t\toutput "prev #{%%n}"\n' >kept.pikt
"$PICKET" run kept.pikt >out 2>err
"$PICKET" run kept.pikt >&- 2>err
[ $? -eq 1 ] && grep -q 'standard output' err && ! grep -q picket-store err
tap $? 'standard output is closed: it is told'
"$PICKET" run kept.pikt <&- 2>&- >out && : >err && echo 'prev 1' | cmp -s - out
tap $? 'input and errors are closed: nothing is lost'

# the table of help keeps within a terminal
for c in '' $("$PICKET" help | sed -n 's/^  \([a-z]*\).*/\1/p'); do
	# shellcheck disable=SC2086
	"$PICKET" help $c
done | awk 'length > 80 || / $/ { print; bad = 1 } END { exit bad || NR < 300 }' >out
tap $? 'help is 80 columns wide'

if command -v bash >/dev/null; then
	# words that bash offers behind these
	cat >complete <<'END'
eval "$("$PICKET" completion bash)"
try() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_picket
	echo "$* -> ${COMPREPLY[*]}"
}
try picket ch
try picket ./hel
try picket help ru
try picket run --mailt
try picket run --mail st
try picket run --mailto h
try picket list --config fold
try picket list --config hel
try picket run --input cop
try picket doc spli
try picket completion z
try picket run DiskFi
try picket explain LoadH
try picket doc LoadH
END
	bash --norc ./complete >out 2>err
	cat >want <<'END'
picket ch -> check
picket ./hel -> ./hello ./hello.pkc
picket help ru -> run runnow
picket run --mailt -> --mailto
picket run --mail st -> stdout state
picket run --mailto h -> 
picket list --config fold -> folder
picket list --config hel -> 
picket run --input cop -> copy
picket doc spli -> split
picket completion z -> zsh
picket run DiskFi -> DiskFilling
picket explain LoadH -> LoadHigh
picket doc LoadH -> LoadHigh
END
	cmp -s want out && [ ! -s err ]
	tap $? 'completion in bash'
fi

tap_end
