#!/bin/sh
# Random templates through real shells.
# runner: timeout=600 long-timeout=7200
for shell in dash bash; do
	if [ ! -x /bin/$shell ]; then
		echo "1..0 # SKIP there is no /bin/$shell"
		exit 0
	fi
done
seed=1 n=2000
# the ordinary build has shown what comes of them; here it is our memory
[ -n "${PICKET_SANITIZERS:-}" ] && n=500
if [ "${PICKET_LONG:-}" = 1 ]; then
	seed=$(date +%s) n=40000
	echo "# random -n $n -s $seed"
fi
exec "$BUILDDIR/tests/command/random" -n $n -s "$seed" \
    "$BUILDDIR/tests/command/argv"
