#!/bin/sh
# One-shot runs under valgrind: no byte left, no bad access.
# runner: timeout=600

if ! command -v valgrind >/dev/null 2>&1; then
	echo "1..0 # SKIP valgrind is not installed"
	exit 0
fi

cat >"$TMPDIR/good.pikt" <<'EOF'
Leak
	init
		status active
		level  notice
		task   "Look for leaks"
		input  proc "cat $PWD/lines"
		filter "sed s/x/y/"
		dat    #n 1
		dat    $word 2
		keys   $word
		expire 2
	begin
		set #sum = 0
	rule
		if $word =~ "^(y+)(.*)$"
			set $seen[$word] .= "$1," . $2
			set $last = $word
			output "#{%n} ${%last} ${@word} #{@n} ${@seen[$word]}"
			record #n as $word
			set #sum += #n
			output mail "$word $text(#sum, 2)"
		fi
	rule
		exec wait "true $word"
		if #popen(OUT, "echo $word", "r") == 1
			while #read(OUT) > 0
				output "got $rdlin"
			endwhile
			do #pclose(OUT)
		fi
	end
		output "${%seen["xa"]} ${%last} #{#runs()}"
		foreach #keys($k, $seen)
			output "$k: $seen[$k]"
		endforeach
EOF
# \$PWD would be the child's: write it in
sed "s|\$PWD|$TMPDIR|" "$TMPDIR/good.pikt" >"$TMPDIR/g" &&
    mv "$TMPDIR/g" "$TMPDIR/good.pikt"
printf '%s\n' '1 xa' '2 xxb' 'three zz' '4 x' >"$TMPDIR/lines"
# shellcheck disable=SC2016
printf 'Bad\n\trule\n\t\tif #a >\n\t\tset $x = 1\n\t\toutput "open\n' \
    >"$TMPDIR/bad.pikt"

n=0
failed=0
# leak WANTED-STATUS WHAT COMMAND...: no leak, and that exit status
leak() {
	want=$1 what=$2
	shift 2
	n=$((n + 1))
	valgrind -q --leak-check=full --show-leak-kinds=all \
	    --errors-for-leak-kinds=all --error-exitcode=99 \
	    --child-silent-after-fork=yes --log-file="$TMPDIR/log" \
	    "$@" >"$TMPDIR/out" 2>&1 </dev/null
	status=$?
	if [ $status = "$want" ]; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what: status $status, not $want"
		# --PID-- lines: system calls that an old valgrind does not know
		[ ! -f "$TMPDIR/log" ] || grep -v '^--' "$TMPDIR/log" |
		    head -n 40 | sed 's/^/# /'
		tail -n 10 "$TMPDIR/out" | sed 's/^/# /'
		failed=1
	fi
}

mkdir "$TMPDIR/conf"
XDG_STATE_HOME=$TMPDIR/st
export XDG_STATE_HOME
echo 'lpcmd "cat"' >"$TMPDIR/conf/picket.conf"
RUN="$PICKET run --config $TMPDIR/conf"

leak 0 "check" "$PICKET" check "$TMPDIR/good.pikt"
leak 1 "check, with errors" "$PICKET" check "$TMPDIR/bad.pikt"
leak 0 "dry run" $RUN --dry-run --mail stdout "$TMPDIR/good.pikt"
leak 0 "run" $RUN --mail stdout "$TMPDIR/good.pikt"
leak 0 "run with previous values" $RUN --mail stdout "$TMPDIR/good.pikt"
leak 0 "run, traced" $RUN --trace --mail stdout "$TMPDIR/good.pikt"
leak 0 "compile" "$PICKET" compile -o "$TMPDIR/good.pkc" "$TMPDIR/good.pikt"
leak 0 "run of the compiled" $RUN --mail stdout "$TMPDIR/good.pkc"
leak 0 "disasm" "$PICKET" disasm "$TMPDIR/good.pikt"
leak 2 "usage" "$PICKET" run --no-such-option
echo "1..$n"
exit $failed
