#!/bin/sh
# Programs of one's own: the kernel starts them by their first line, and what
# they get as arguments, input and exit status is theirs.

. "$SRCDIR/tests/tap.sh"

# is STATUS WANT-OF-OUT: $1 was the status, $2 is what out must hold
is() {
	[ "$1" -eq "$2" ] && printf '%b' "$3" | cmp -s - out
}

cd "$TMPDIR" || exit 1
XDG_STATE_HOME=$PWD/state
export XDG_STATE_HOME
mkdir bin
ln -s "$PICKET" bin/picket

cat >count <<END
#!$PWD/bin/picket
rule
	set #w += #fields()
end
	output "\$text(#innum()) lines, \$text(#w) words, \$text(#args()): \$arg(1) \$arg(2)"
	quit #args()
END
chmod +x count
printf 'a b\nc\n' | ./count -x --help 'y z' >out 2>err
is $? 3 '2 lines, 3 words, 3: -x --help\n'
tap $? 'started by the kernel: its options are its own, the status is of quit'
printf 'a b\nc\n' | "$PICKET" count x >out 2>err
is $? 1 '2 lines, 3 words, 1: x <<NIL>>\n'
tap $? 'picket FILE, the name of a file that is here'
"$PICKET" "$PWD/count" </dev/null >out 2>err
is $? 0 '0 lines, <<NIL>> words, 0: <<NIL>> <<NIL>>\n'
tap $? 'a path; no lines'
printf 'a\n' >in
printf 'x\ny\n' | "$PICKET" run --input in count >out 2>err
is $? 0 '1 lines, 1 words, 0: <<NIL>> <<NIL>>\n'
tap $? '--input goes before standard input'
printf 'x\ny\n' | "$PICKET" run count >out 2>err
is $? 0 '2 lines, 2 words, 0: <<NIL>> <<NIL>>\n'
tap $? 'picket run reads standard input as well'
printf 'x\n' | "$PICKET" run ./count -x --mail >out 2>err
is $? 2 '1 lines, 1 words, 2: -x --mail\n'
tap $? 'options behind picket run FILE are the file'"'"'s'
printf 'x\n' | "$PICKET" run ./count -- -n -- >out 2>err
is $? 2 '1 lines, 1 words, 2: -n --\n'
tap $? 'a -- right behind the file is left out'
# shellcheck disable=SC2016
printf 'T\n\tbegin\n\t\toutput "did it"\n' >deaf.pikt
"$PICKET" run deaf.pikt -n >out 2>err
[ $? -eq 2 ] && [ ! -s out ] && grep -q 'options come before the file' err
tap $? 'a misplaced -n runs nothing'
"$PICKET" compile -o count.pkc count 2>err &&
    printf 'x y\n' | "$PICKET" ./count.pkc >out 2>>err
is $? 0 '1 lines, 2 words, 0: <<NIL>> <<NIL>>\n'
tap $? 'the compiled program, too'

mkfifo pipe
cat pipe >piped &
for _ in 1 2 3 4 5 6 7 8 9 10; do	# until somebody reads it
    "$PICKET" compile -o pipe count 2>err && break
    sleep 0.2
done
wait "$!" && [ -p pipe ] && cmp -s piped count.pkc
tap $? 'compile writes to a pipe, which stays one'
ln -s /dev/null null
"$PICKET" compile -o null count 2>err && [ -h null ]
tap $? 'a link to a device stays'
mkdir folder
"$PICKET" compile -o folder count 2>err
[ $? -eq 1 ] && grep -q '^picket: folder: Is a directory' err
tap $? 'a folder is told of'

cat >own <<END
#!/usr/bin/env -S $PWD/bin/picket run
init
	input proc "echo of its own"
rule
	output \$inline
END
chmod +x own
echo not this | ./own >out 2>err
is $? 0 'of its own\n'
tap $? 'an input of its own is read, not standard input'

# shellcheck disable=SC2016
printf 'T\n\trule\n\t\toutput $inline\n\tend\n\t\toutput "end"\n' >named.pikt
echo not this | "$PICKET" ./named.pikt >out 2>err
is $? 0 'end\n'
tap $? 'a script with a name does not read standard input'

"$PICKET" ./nosuch >out 2>err
[ $? -eq 1 ] && printf 'picket: ./nosuch: No such file or directory\n' |
    cmp -s - err
tap $? 'a path that is not there'
"$PICKET" nosuch >out 2>err
[ $? -eq 2 ] && grep -q "unknown command 'nosuch'" err
tap $? 'a word that is neither command nor file'
: >check
"$PICKET" check count >out 2>err
tap $? 'a command goes before a file of that name'

tap_end
