#!/bin/sh
# The bundled macros: those of scheduling say what they shall, and each command
# is one.

. "$SRCDIR/tests/tap.sh"

cd "$TMPDIR" || exit 1
cat >M.pikt <<'EOT'
M
	init
		timeout =mailarc_timeout
	begin
		if =sunday || =monday || =tuesday || =wednesday || =thursday || =friday || =saturday
			output "day"
		fi
		if =friday && =evening || =saturday || =sunday && ! =evening output "x" else output "x" fi
		if =offhours(#hour()) || ! =offhours(#hour()) output "off" fi
		if =offhours(22) && =offhours(5) && ! =offhours(6) && ! =offhours(21) output "hours" fi
		if =workhours(#hour()) || ! =workhours(#hour()) output "work" fi
		if =always && ! =never output "always" fi
		if =morning || =afternoon || =evening || =night output "some" fi
		if =weekend == (=saturday || =sunday) output "weekend" fi
		if =reboot_period(1, 5) && ! =reboot_period(1, 7) && ! =reboot_period(2, 5) output "reboot" fi
		=hourly(output "first", )
		=hourly(, output "rest")
		=daily(output "first", output "rest")
		=weekly(output "first", output "rest")
		if =isint(3) && ! =isint(#minute() + 0.5) output "int" fi
		=output_alarm_log("a line")
		output "$command("=grep -c root /etc/passwd")"
		output "$command("=echo a b | =egrep 'a|x' | =fgrep b | =awk '{ print \$1 }' | =sed s/a/b/ | =tr b c")"
		=bypass_weekend
		output "a weekday"
EOT
"$PICKET" run --dry-run -M logdir=logs M.pikt >out 2>&1
tap $? 'scheduling macros run'
grep -v '^dry-run: M: ' out >got
cat >want <<'EOT'
day
x
off
hours
work
always
some
weekend
reboot
first
first
first
int
dry-run: log logs/M.log: a line
1
c
EOT
case $(date +%u) in
6|7) ;;
*) echo 'a weekday' >>want ;;
esac
diff want got >out
tap $? 'and say what they shall'
# What is done now and then: again when its time has come, and not before.
mkdir state
cat >P.pikt <<'EOT'
P
	init
		input proc "printf 'a\n%.1s\n' b"
		dat $key 1
		keys $key
	rule
		if $key eq "b" && %seen > 0 next fi
		set #seen = 1
		=hourly(output "told $key", next)
		output "after $key"
	end
		=periodically(output "first", output "rest", 30)
		=every_two_hours(output "2 first", output "2 rest")
		=once_daily(output "a new day")
EOT
h=$(date -u +%H)
h=${h#0}
for run in 1 2 '3 -M period_slack=4000' 4; do
	# by the clock of a place where it is 10, and then 5: a new day
	tz=XXX$((h - 10))
	[ "$run" != 4 ] || tz=XXX$((h - 5))
	# shellcheck disable=SC2086
	TZ=$tz XDG_STATE_HOME=$PWD/state "$PICKET" run ${run#?} P.pikt
done >got 2>&1
cat >want <<'EOT'
told a
after a
told b
after b
first
2 first
rest
2 rest
told a
after a
first
2 rest
rest
2 rest
a new day
EOT
diff want got >out
tap $? 'what is done now and then'
# Each system's file has the same names, and each is a command there.
names() {
	sed -n 's/^\([a-z][a-z0-9]*\)[ 	].*/\1/p' "$1"
}
names "$SRCDIR/stdlib-scripts/macros-linux.cfg" >linux
for system in linux freebsd openbsd macos; do
	lib=$SRCDIR/stdlib-scripts/macros-$system.cfg
	names "$lib" >has
	diff linux has >out 2>&1 && [ -s has ]
	tap $? "$system has every macro"
	rm -rf S
	mkdir S
	echo "$system hosts there" >S/systems.cfg
	echo 'All timing @daily alarms' >S/alerts.cfg
	while read -r m; do
		printf 'M_%s begin exec wait "=%s x"\n' "$m" "$m" >>S/alarms.cfg
		echo "	M_$m" >>S/alerts.cfg
	done <has
	chmod -R go-w S
	"$PICKET" check S --host there >out 2>&1
	tap $? "$system: each is a command"
	"$PICKET" check --audit S --host there >out 2>&1
	# the first words of ps, as that file has it
	grep -q "$(sed -n 's/^ps[ 	][ 	]*//p' "$lib") x" out &&
	    grep -q "$(sed -n 's/^mount[ 	][ 	]*//p' "$lib") x" out
	tap $? "$system: its own ones are taken"
done
ls "$SRCDIR"/stdlib-scripts/macros-*.cfg >out
[ "$(wc -l <out)" -eq 4 ]
tap $? 'no system is left out here'
tap_end
