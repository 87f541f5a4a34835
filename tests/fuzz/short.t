#!/bin/sh
# Every script of the tree, and mutations of it, through the fuzz programs.
# With PICKET_LONG more of them.  A crash prints what was being tried.
# runner: timeout=300

seed=${FUZZ_SEED:-$(date +%j)}	# another one each day; a failure names it
# mutations per file: what takes about half a minute
total=20000
[ -n "$PICKET_SANITIZERS" ] && total=4000
[ -n "$PICKET_LONG" ] && total=$((total * 50))

find "$SRCDIR" -name '*.pikt' -size -64k ! -path "$SRCDIR/build*" | sort \
    >"$TMPDIR/scripts"
n=$(wc -l <"$TMPDIR/scripts")
if [ "$n" = 0 ]; then
	echo "1..0 # SKIP no scripts in the tree"
	exit 0
fi
each=$((total / n + 1))

echo "1..3"
failed=0
tell() {	# tell NUMBER WHAT STATUS
	if [ "$3" = 0 ]; then
		echo "ok $1 - $2"
	else
		echo "not ok $1 - $2"
		# a sanitizer's map of bytes says little
		grep -v '^ *0x\|^=>0x\|^$' "$TMPDIR/out" | head -n 30 |
		    cut -c1-160 | sed 's/^/# /'
		tail -n 3 "$TMPDIR/out" | sed 's/^/# /'
		failed=1
	fi
}
xargs "$BUILDDIR/tests/fuzz/fuzz_compile" -n "$each" -s "$seed" \
    <"$TMPDIR/scripts" >"$TMPDIR/out" 2>&1
tell 1 "texts through the compiler" $?

# compiled files of the same scripts are where the other starts
mkdir "$TMPDIR/pkc"
i=0
while read -r f; do
	i=$((i + 1))
	"$PICKET" compile --no-commands -o "$TMPDIR/pkc/$i.pkc" "$f" >/dev/null 2>&1
done <"$TMPDIR/scripts"
n=$(find "$TMPDIR/pkc" -name '*.pkc' | wc -l)
if [ "$n" = 0 ]; then
	echo "ok 2 - bytes as compiled files # SKIP no script compiles"
else
	"$BUILDDIR/tests/fuzz/fuzz_program" -n $((total / n + 1)) -s "$seed" \
	    "$TMPDIR/pkc/"*.pkc >"$TMPDIR/out" 2>&1
	tell 2 "bytes as compiled files" $?
fi
# texts with directives, and macro files
find "$SRCDIR/tests" "$SRCDIR/stdlib-scripts" "$SRCDIR/examples" \( \
    -name 'pre-*' -o -name '*.cfg' -o -name '*.inc' \) ! -name '*.err' \
    -size -64k -type f | sort >"$TMPDIR/texts"
n=$(wc -l <"$TMPDIR/texts")
xargs "$BUILDDIR/tests/fuzz/fuzz_preprocess" -n $((total / n / 4 + 1)) -s "$seed" \
    <"$TMPDIR/texts" >"$TMPDIR/out" 2>&1
tell 3 "texts through the preprocessor" $?
exit $failed
