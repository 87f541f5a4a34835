#!/bin/sh
# input file with a pattern: what in its list is none to read.

. "$SRCDIR/tests/tap.sh"

# run PATTERN: output in out, messages in err
run() {
	printf 'T\n\tinit input file "%s"\n\trule output "$infile() $1"\n\tend output $text(#innum())\n' \
	    "$1" >T.pikt
	"$PICKET" run T.pikt >out 2>err </dev/null
}

cd "$TMPDIR" || exit 1
XDG_STATE_HOME=$PWD/state
export XDG_STATE_HOME
mkdir list list/d.log list/sub
echo one >list/a.log
echo two >list/b.log
: >list/empty.log
ln -s nowhere list/gone.log
ln -s a.log list/z.log
mkfifo list/f.log

run 'list/*.log'
[ $? -eq 0 ] && printf 'list/a.log one\nlist/b.log two\nlist/z.log one\n3\n' |
    cmp -s - out
tap $? 'files and links to files, in order'
printf '%s\n' 'picket: WARNING: T: list/f.log is passed over: no regular file' \
    'picket: WARNING: T: list/gone.log is passed over: list/gone.log: No such file or directory' |
    cmp -s - err
tap $? 'a FIFO and a dead link are named, a folder is not'

run 'list/f*.log'
[ $? -eq 0 ] && [ "$(cat out)" = 0 ] && grep -q 'f.log is passed over' err
tap $? 'a FIFO alone is an empty input, and not waited for'

run 'list/missing.log'
[ $? -ne 0 ] && grep -q 'ERROR.*list/missing.log: No such file' err
tap $? 'a file by its name that is missing is an error'

run 'none/*.log'
[ $? -eq 0 ] && [ "$(cat out)" = 0 ] &&
    grep -q 'WARNING: T: no file matches none/\*.log' err
tap $? 'a folder that is missing: no file matches'

i=0
while [ $i -lt 15 ]; do
	ln -s nowhere "list/dead$i.x"
	i=$((i + 1))
done
run 'list/*.x'
[ "$(grep -c 'dead.*is passed over' err)" = 10 ] &&
    grep -q 'WARNING: T: and 5 more files are passed over' err
tap $? 'ten are named, the others counted'

if [ "$(id -u)" = 0 ]; then
	chmod 755 .
	mkdir -m 777 own
	cp -r list own/list
	chmod 0 own/list/b.log
	setpriv --reuid 65534 --clear-groups true 2>/dev/null &&
	    chmod -R o+rX "$TMPDIR" && chmod 0 own/list/b.log &&
	    drop='setpriv --reuid 65534 --regid 65534 --clear-groups' || drop=
else
	chmod 0 list/b.log
	drop=env
fi
if [ -n "$drop" ] && $drop test -r T.pikt && ! $drop test -r own/list/b.log; then
	[ "$drop" = env ] && ln -s . own
	printf 'T\n\tinit input file "own/list/[ab].log"\n\trule output $1\n' >T.pikt
	XDG_STATE_HOME=/nonexistent $drop "$PICKET" run T.pikt >out 2>err
	[ "$(cat out)" = one ] &&
	    grep -q 'b.log is passed over: .*Permission denied' err
	tap $? 'a file that may not be read is named, the others are read'
else
	n=$((n + 1))
	echo "ok $n - a file that may not be read # SKIP no user to be"
fi

tap_end
