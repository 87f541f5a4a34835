# What shell tests say: TAP, a line for each thing that holds or not.  Source
# it before the first result; at the end: tap_end.
# shellcheck shell=sh
n=0 failed=0

# tap STATUS NAME: a result; where it is bad the files out and err are shown.
tap() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
		return
	fi
	echo "not ok $n - $2"
	failed=1
	for f in out err; do
		[ ! -f "$f" ] || sed 's/^/#   /' "$f"
	done
}

# The plan, and the exit status.
tap_end() {
	echo "1..$n"
	exit "$failed"
}
