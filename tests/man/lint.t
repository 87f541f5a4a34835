#!/bin/sh
# The manual pages are right mdoc, and name each other's sections rightly.
# Made pages are in the build, or beside their sources in a tarball.
SRCDIR=${SRCDIR:-$(CDPATH= cd "$(dirname "$0")/../.." && pwd)}
BUILDDIR=${BUILDDIR:-$SRCDIR}
n=0
failed=0

check() {	# WHAT COMMAND...: passed if it succeeds and says nothing
	n=$((n + 1))
	what="$page: $1"
	shift
	if out=$("$@" 2>&1) && [ -z "$out" ]; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		printf '%s\n' "$out" | sed 's/^/# /'
		failed=1
	fi
}

made() {	# where the page NAME is
	for f in "$BUILDDIR/man/$1" "$SRCDIR/man/$1"; do
		[ -f "$f" ] && { echo "$f"; return; }
	done
	echo "$BUILDDIR/man/$1"
}

wide() {	# lines of a page that do not fit a terminal of 80 columns
	mandoc -Tascii -Owidth=78 "$1" | col -b | expand |
	    grep -n '.\{81,\}'
	:
}

broken() {	# names of our own pages that do not exist
	grep -ho '^\.Xr p[a-z.-]* [0-9]' "$1" | sort -u |
	while read -r _ name section; do
		case $name in
		picket* | pikt) ;;
		*) continue ;;
		esac
		[ -f "$SRCDIR/man/$name.$section.in" ] ||
		    echo "there is no $name($section)"
	done
}

left() {	# tables that were not made
	grep -n '^@' "$1"
	:
}

command -v mandoc >/dev/null || { echo "1..0 # SKIP no mandoc"; exit 0; }
for in in "$SRCDIR"/man/*.in; do
	page=$(basename "$in" .in)
	f=$(made "$page")
	check "mandoc -Tlint" mandoc -Tlint -W warning "$f"
	check "fits 80 columns" wide "$f"
	check "cross references" broken "$f"
	check "tables" left "$f"
done
echo "1..$n"
exit $failed
