#!/bin/sh
# The examples compile without a word, and say of the input beside them what
# the file beside them says: NAME.pikt, NAME.input, NAME.mail.  So do the
# scripts of the standard library and those of README.md compile.

. "$SRCDIR/tests/tap.sh"

cd "$TMPDIR" || exit 1
XDG_STATE_HOME=$TMPDIR/state		# what has been told is told once only
export XDG_STATE_HOME
for f in "$SRCDIR"/stdlib-scripts/*.pikt "$SRCDIR"/examples/*/*.pikt; do
	case $f in *_test.pikt) continue ;; esac
	name=${f#"$SRCDIR"/}
	"$PICKET" check "$f" >out 2>&1 &&
	    [ "$(cat out)" = '1 file, 1 script: 0 errors, 0 warnings' ]
	tap $? "$name compiles"
	[ -e "${f%.pikt}.input" ] || continue
	"$PICKET" run --mail stdout --input "${f%.pikt}.input" "$f" >all 2>err
	echo "exit $?" >>err
	# without the head, which has the date, and where and when it ran
	sed -n '/^[A-Z]*:$/,$p' all |
	    sed "s|^\( *\)$SRCDIR/examples/[a-z-]*/|\1|
		s|, since [0-9:]*$|, since TIME|" >mail
	[ "$(cat err)" = 'exit 0' ] && diff "${f%.pikt}.mail" mail >out 2>&1
	tap $? "$name says what it shall"
done
mkdir readme
# a script of README.md: an indented text that begins with a name alone
awk '/^    \/\/ [a-z]*\.cfg$/ { cfg = $2; next }
    !/^    / { cfg = "" }
    cfg != "" { print substr($0, 5) >"readme/" cfg; next }
    /^    [A-Z][A-Za-z]*$/ { name = $1; n++ }
    name != "" && !/^    / { name = "" }
    name != "" { print substr($0, 5) >name ".pikt" }
    END { print n + 0 }' "$SRCDIR/README.md" >count
for f in *.pikt; do
	"$PICKET" check "$f" >out 2>&1 &&
	    [ "$(cat out)" = '1 file, 1 script: 0 errors, 0 warnings' ]
	tap $? "README.md: $f compiles"
done
"$PICKET" check readme >out 2>err && grep -q '2 scripts: 0 errors' out &&
    ! grep -q 'nothing uses' err && "$PICKET" list readme | grep -q DiskFilling
tap $? 'README.md: the site with two scripts'
[ "$(cat count)" -ge 2 ]
tap $? "README.md has scripts"
for d in "$SRCDIR"/examples/*/; do
	d=${d%/}
	"$PICKET" check --trust-permissions "$d" >out 2>&1
	tap $? "picket check ${d#"$SRCDIR"/}"
	: >empty
	"$PICKET" run --trust-permissions --config "$d" --dry-run --input empty \
	    "$(find "$d" -name '*.pikt' | sort | head -n 1)" >out 2>&1
	tap $? "its picket.conf is right"
done
tap_end
