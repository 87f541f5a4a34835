/* template: the form that is chosen, what is found out about data parts, and
 * what the compiler refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/command/spec.h"

/*
 * A template as text: "A word|word" or "S text # word | word".  A data part
 * is <name:flags>, a letter for each flag:
 *	s starts the word	- after --	/ path
 *	h shell program		o other program	k kill		g signal
 *	c command		~ tilde		n number
 *	" in double quotes	' in single quotes
 */
static void
dump(struct spec *sp, struct buf *b)
{
	static const char letter[] = "s-/hokc~n\"'g";
	uint32_t i, k, bit;

	buf_puts(b, sp->tpl.shell ? "S " : "A ");
	for (i = 0; i < sp->tpl.nword; i++) {
		const struct word *w = &sp->tpl.word[i];

		if (i > 0)
			buf_puts(b, i == 1 && sp->tpl.shell ? " # " : "|");
		for (k = 0; k < w->npiece; k++) {
			const struct piece *p = &w->piece[k];

			if (!p->data) {
				assert_true(p->text.n > 0);
				buf_str(b, p->text);
				continue;
			}
			buf_putc(b, '<');
			assert_int_equal(p->text.p[0], '$');
			buf_add(b, p->text.p + 1, p->text.n - 1);
			buf_putc(b, ':');
			for (bit = 0; letter[bit] != '\0'; bit++)
				if (p->flags & (1u << bit))
					buf_putc(b, letter[bit]);
			assert_int_equal(p->flags >> bit, 0);
			buf_putc(b, '>');
		}
	}
}

static const struct { const char *spec, *gives; } forms[] = {
	/* no shell: arguments */
	{ "ls", "A ls" },
	{ "  ls   -l\t/tmp ", "A ls|-l|/tmp" },
	{ "ls\n", "A ls" },
	{ "\nls", "A ls" },
	{ "ls -l \\\n /tmp", "A ls|-l|/tmp" },
	{ "ls a\\\nb", "A ls|ab" },
	{ "rm 'a b' \"c d\" e\\ f ''", "A rm|a b|c d|e f|" },
	{ "echo \"\\$x \\a \\\\\" '\\a'", "A echo|$x \\a \\|\\a" },
	{ "grep foo$ f$", "A grep|foo$|f$" },
	{ "grep \"x$\" f", "A grep|x$|f" },
	{ "awk '{print $1}' f", "A awk|{print $1}|f" },
	{ "find . -exec rm {} +", "A find|.|-exec|rm|{}|+" },
	{ "find . -name \\*.c -exec cat {} \\;",
	    "A find|.|-name|*.c|-exec|cat|{}|;" },
	{ "ps -o pid=,comm= a=b", "A ps|-o|pid=,comm=|a=b" },
	{ "a#b c#", "A a#b|c#" },
	{ "foo a~ b~c", "A foo|a~|b~c" },
	{ "foo '~' \\~x \"*\"", "A foo|~|~x|*" },
	{ "'if' x", "A if|x" },
	{ "foo if ! x", "A foo|if|!|x" },
	{ "test a = b", "A test|a|=|b" },
	{ "'A'=b", "A A=b" },
	{ "=b", "A =b" },
	{ "1=b", "A 1=b" },
	{ "rm @x@", "A rm|<x:s>" },
	{ "rm -f @x@ @y@", "A rm|-f|<x:s>|<y:s>" },
	{ "rm -- @x@ @y@", "A rm|--|<x:s->|<y:s->" },
	{ "rm @x@ -- @y@", "A rm|<x:s>|--|<y:s->" },
	{ "rm \"@x@\" '@y@'", "A rm|<x:s\">|<y:s'>" },
	{ "rm a@x@ @x@b", "A rm|a<x:>|<x:s>b" },
	{ "rm @a@@b@", "A rm|<a:s><b:s>" },
	{ "rm @a@-@b@", "A rm|<a:s>-<b:>" },
	{ "rm /t/@x@.bak", "A rm|/t/<x:/>.bak" },
	{ "rm @d@/@f@ @g@", "A rm|<d:s/>/<f:/>|<g:s>" },
	{ "rm \"@d@\"/x", "A rm|<d:s/\">/x" },
	{ "rm @n:x@", "A rm|<x:sn>" },
	{ "rm @o:x@ @w:y@", "A rm|<x:s>|<y:s>" },
	{ "/opt/@x@ a", "A /opt/<x:/c>|a" },
	{ "/opt/x-@x@.sh", "A /opt/x-<x:/c>.sh" },
	{ "/opt/@x@/bin/y", "A /opt/<x:/c>/bin/y" },
	{ "ls ~@u@ ~@v@/Mail", "A ls|<u:s~>|<v:s/~>/Mail" },
	{ "ls a~@u@ \"~@u@\"", "A ls|a~<u:>|~<u:\">" },
	{ "env A=@x@ B=~@y@ ls", "A env|A=<x:>|B=<y:~>|ls" },

	/* the shell */
	{ "a; b", "S a; b" },
	{ "a;", "S a;" },
	{ "a&", "S a&" },
	{ "a | b", "S a | b" },
	{ "a && b || c", "S a && b || c" },
	{ "a\nb", "S a\nb" },
	{ "a >f", "S a >f" },
	{ "a 2>&1", "S a 2>&1" },
	{ "a *.c", "S a *.c" },
	{ "a ?", "S a ?" },
	{ "a [x]", "S a [x]" },
	{ "a ~/x", "S a ~/x" },
	{ "a ~root", "S a ~root" },
	{ "a {b,c}", "S a {b,c}" },
	{ "a $HOME", "S a $HOME" },
	{ "a \"$HOME\" `b`", "S a \"$HOME\" `b`" },
	{ "a $(b)", "S a $(b)" },
	{ "a $((1+2))", "S a $((1+2))" },
	{ "A=b c", "S A=b c" },
	{ "A+=b c", "S A+=b c" },
	{ "! a", "S ! a" },
	{ "if a\nthen b\nfi", "S if a\nthen b\nfi" },
	{ "{ a; }", "S { a; }" },
	{ "(a)", "S (a)" },
	{ "a # b", "S a # b" },
	{ "a <(b)", "S a <(b)" },
	{ "cd /x", "S cd /x" },
	{ "umask 022", "S umask 022" },
	{ ". /x", "S . /x" },
	{ ": x", "S : x" },
	{ "[ a ]", "S [ a ]" },
	{ "a $'x'", "S a $'x'" },
	{ "for i in a b; do c; done", "S for i in a b; do c; done" },
	{ "case a in (b|c) d;; e) f;; esac",
	    "S case a in (b|c) d;; e) f;; esac" },

	/* where a reference goes */
	{ "a @x@;", "S a <x:s>; # <x:s>" },
	{ "a \"b @x@\";", "S a \"b <x:\">\"; # b <x:\">" },
	{ "a 'b @x@';", "S a 'b <x:'>'; # b <x:'>" },
	{ "a `b @x@`", "S a `b <x:s>` # <x:s>" },
	{ "a `b \"@x@\"`", "S a `b \"<x:s\">\"` # <x:s\">" },
	{ "a \"`b @x@`\"", "S a \"`b <x:s>`\" # <x:s>" },
	{ "a \"`b \\\"@x@\\\"`\"", "S a \"`b \\\"<x:s\">\\\"`\" # <x:s\">" },
	{ "a \"`b '@x@'`\"", "S a \"`b '<x:s'>'`\" # <x:s'>" },
	{ "a `b \\`c @x@\\``", "S a `b \\`c <x:s>\\`` # <x:s>" },
	{ "a `b \\`c \"@x@\\``\"`",
	    NULL },
	{ "a \"$(b @x@)\" \"@y@\"",
	    "S a \"$(b <x:s>)\" \"<y:s\">\" # <x:s>|<y:s\">" },
	{ "a \"$(b \"@x@ $(c '@y@')\")@z@\"",
	    "S a \"$(b \"<x:s\"> $(c '<y:s'>')\")<z:s\">\""
	    " # <z:s\">|<x:s\"> |<y:s'>" },
	{ "a $(case b in c) d;; esac; e @x@)",
	    "S a $(case b in c) d;; esac; e <x:s>) # <x:s>" },
	{ "a $(case b in c) d;; e) f esac; e \"@x@\")",
	    NULL },
	{ "a $(case b in c) d;; e) f; esac; e \"@x@\")",
	    "S a $(case b in c) d;; e) f; esac; e \"<x:s\">\") # <x:s\">" },
	{ "a $(b # it's )\nc @x@)",
	    "S a $(b # it's )\nc <x:s>) # <x:s>" },
	{ "a b#' @x@ '", "A a|b# <x:'> " },
	{ "a $((1 + (2))) '@x@'", "S a $((1 + (2))) '<x:s'>' # <x:s'>" },
	{ "a ${b:-'}'} @x@", "S a ${b:-'}'} <x:s> # <x:s>" },
	{ "a ${b:-\"}\"} @x@", "S a ${b:-\"}\"} <x:s> # <x:s>" },
	{ "a $b@x@", "S a $b<x:s> # <x:s>" },
	{ "a $$@x@ \"$?@y@\"", "S a $$<x:s> \"$?<y:s\">\" # <x:s>|<y:s\">" },
	{ "a <<E\n@x@ $(b @y@) 'c @z@'\nE\n",
	    "S a <<E\n<x:\"> $(b <y:s>) 'c <z:\">'\nE\n # <y:s>" },
	{ "a <<-\tE\n\t@x@\n\tE\nb '@y@'",
	    "S a <<-\tE\n\t<x:\">\n\tE\nb '<y:s'>' # <y:s'>" },
	{ "a <<E | b @x@ <<'F'\n'\nE\n\"\nF\nc @y@",
	    "S a <<E | b <x:s> <<'F'\n'\nE\n\"\nF\nc <y:s> # <x:s>|<y:s>" },
	{ "a $(b <<E\n@x@\nE\n) '@y@'",
	    "S a $(b <<E\n<x:\">\nE\n) '<y:s'>' # <y:s'>" },
	{ "a <<<@x@", "S a <<<<x:>" },
	{ "A=@x@ b", "S A=<x:> b # A=<x:>" },
	{ "A=/x/@x@:~@y@ b", "S A=/x/<x:/>:<y:/~> b # A=/x/<x:/>:<y:/~>" },
	{ "a >@x@ 2>/d/@y@", "S a ><x:s> 2>/d/<y:/> # <x:s>|/d/<y:/>" },
	{ "a >| @x@ <>@y@ >>@z@", "S a >| <x:s> <><y:s> >><z:s>"
	    " # <x:s>|<y:s>|<z:s>" },
	{ "for i in @x@ @w:y@; do a \"$i\"; done",
	    "S for i in <x:s> <y:s>; do a \"$i\"; done # <x:s>|<y:s>" },
	{ "for i do a @x@; done", "S for i do a <x:s>; done # <x:s>" },
	{ "case @x@ in \"@y@\") a @z@;; esac",
	    "S case <x:> in \"<y:\">\") a <z:s>;; esac # <z:s>" },
	{ "if a @x@; then b @y@; elif c; then d @z@; fi >@w@",
	    "S if a <x:s>; then b <y:s>; elif c; then d <z:s>; fi ><w:s>"
	    " # <x:s>|<y:s>|<z:s>|<w:s>" },
	{ "while ! a @x@; do b; done | c @y@",
	    "S while ! a <x:s>; do b; done | c <y:s> # <x:s>|<y:s>" },
	{ "f() { a @x@; }; f @y@",
	    "S f() { a <x:s>; }; f <y:s> # <x:s>|<y:s>" },
	{ "[[ a && b =~ (c|d) ]] && e @x@",
	    "S [[ a && b =~ (c|d) ]] && e <x:s> # <x:s>" },
	{ "(a @x@; (b @y@)) @z@", NULL },
	{ "( a @x@; (b @y@) ) >@z@",
	    "S ( a <x:s>; (b <y:s>) ) ><z:s> # <x:s>|<y:s>|<z:s>" },
	{ "a 2@x@ >b", "S a 2<x:> >b # 2<x:>" },
	{ "cd @x@ && ls", "S cd <x:s> && ls # <x:s>" },
	{ "a \\\n@x@;", "S a \\\n<x:s>; # <x:s>" },
	{ "a &\\\n& b @x@", "S a &\\\n& b <x:s> # <x:s>" },
	{ "$a/b @x@", "S $a/b <x:s> # <x:s>" },
	{ "\"$(a)/\"'sh' -c @x@", "S \"$(a)/\"'sh' -c <x:sh> # <x:sh>" },

	/* words that are programs */
	{ "sh -c 'a @x@'", "A sh|-c|a <x:h'>" },
	{ "/bin/sh -ec 'a' @x@ @y@", "A /bin/sh|-ec|a|<x:s>|<y:s>" },
	{ "bash -o pipefail -c @x@ @y@", "A bash|-o|pipefail|-c|<x:sh>|<y:s>" },
	{ "bash -c -e @x@ @y@", "A bash|-c|-e|<x:sh>|<y:s>" },
	{ "sh @x@ @y@", "A sh|<x:s>|<y:s>" },
	{ "sh +o posix -c @x@", "A sh|+o|posix|-c|<x:sh>" },
	{ "sh -@x@ a", "A sh|-<x:h>|a" },
	{ "su - @u@ -c \"a @x@\" @y@", "A su|-|<u:s>|-c|a <x:h\">|<y:sh>" },
	{ "su -c@x@ @u@", "A su|-c<x:h>|<u:s>" },
	{ "su --command=@x@ --command @y@ @u@",
	    "A su|--command=<x:h>|--command|<y:sh>|<u:s>" },
	{ "ssh -p @p@ @h@ a @x@ -l @y@",
	    "A ssh|-p|<p:s>|<h:s>|a|<x:sh>|-l|<y:sh>" },
	{ "ssh @h@ -l @u@ \"a '@x@'\"", "A ssh|<h:s>|-l|<u:s>|a '<x:h\">'" },
	{ "ssh -oProxyCommand=@x@ h", "A ssh|-oProxyCommand=<x:h>|h" },
	{ "ssh -o @x@ h", "A ssh|-o|<x:sh>|h" },
	{ "ssh @w:x@ a", "A ssh|<x:sh>|a" },
	{ "awk @w:x@ @y@ @z@", "A awk|<x:so>|<y:so>|<z:so>" },
	{ "perl @w:x@ -e @y@", "A perl|<x:so>|-e|<y:so>" },
	{ "su --comm @x@ @u@", "A su|--comm|<x:sh>|<u:s>" },
	{ "sed --expr=@x@ --fi @y@ @z@",
	    "A sed|--expr=<x:o>|--fi|<y:s>|<z:s>" },
	{ "gawk --fi @y@ @z@", "A gawk|--fi|<y:s>|<z:s>" },
	{ "bash --what a -c @x@", "A bash|--what|a|-c|<x:sh>" },
	{ "node --import a -e @x@", "A node|--import|a|-e|<x:so>" },
	{ "command -v @x@", "S command -v <x:s> # <x:s>" },
	{ "[ @x@ -gt @y@ ]", "S [ <x:sh> -gt <y:sh> ] # <x:sh>|<y:sh>" },
	{ "printf '<%s>' @w:x@;", "S printf '<%s>' <x:s>; # <x:s>" },
	{ "[ @x@ = @y@ ]", "S [ <x:s> = <y:s> ] # <x:s>|<y:s>" },
	{ "awk @x@ @y@", "A awk|<x:so>|<y:s>" },
	{ "awk '/@x@/' @y@", "A awk|/<x:/o'>/|<y:s>" },
	{ "gawk -F @f@ -v a=@x@ 'b' @y@ c=@z@",
	    "A gawk|-F|<f:s>|-v|a=<x:o>|b|<y:s>|c=<z:o>" },
	{ "mawk -F@f@ -va=@x@ b", "A mawk|-F<f:>|-va=<x:o>|b" },
	{ "awk -f @x@ @y@", "A awk|-f|<x:s>|<y:s>" },
	{ "gawk --source=@x@ --assign a=@y@ @z@",
	    "A gawk|--source=<x:o>|--assign|a=<y:o>|<z:s>" },
	{ "gawk --file=@x@ @y@", "A gawk|--file=<x:>|<y:s>" },
	{ "sed s/a/@x@/ @y@", "A sed|s/a/<x:/o>/|<y:s>" },
	{ "sed -n -e @x@ @y@", "A sed|-n|-e|<x:so>|<y:s>" },
	{ "sed @y@ -ne@x@", "A sed|<y:s>|-ne<x:o>" },
	{ "sed -i.@b@ --expression=@x@ @y@",
	    "A sed|-i.<b:>|--expression=<x:o>|<y:s>" },
	{ "sed -f @x@ @y@", "A sed|-f|<x:s>|<y:s>" },
	{ "sed -@x@ p", "A sed|-<x:o>|p" },
	{ "sed -- @x@ @y@", "A sed|--|<x:s-o>|<y:s->" },
	{ "perl -ne 'a @x@' @y@", "A perl|-ne|a <x:o'>|<y:s>" },
	{ "perl5.36 -0777 -Mx=@x@ -E@y@", "A perl5.36|-0777|-Mx=<x:o>|-E<y:o>" },
	{ "perl @x@ -e @y@", "A perl|<x:s>|-e|<y:s>" },
	{ "/usr/bin/python3.11 -c @x@ @y@",
	    "A /usr/bin/python3.11|-c|<x:so>|<y:s>" },
	{ "python3 -m @x@ @y@", "A python3|-m|<x:s>|<y:s>" },
	{ "awk @o:o@ -e @x@ @y@", "A awk|<o:so>|-e|<x:so>|<y:so>" },
	{ "find @d@ -exec sh -c 'a @x@' @y@ {} \\; -name @z@",
	    "A find|<d:s>|-exec|sh|-c|a <x:h'>|<y:s>|{}|;|-name|<z:s>" },
	{ "find . -execdir sed @x@ +", "A find|.|-execdir|sed|<x:so>|+" },
	{ "sudo -u @u@ A=@a@ sh -c @x@", "A sudo|-u|<u:s>|A=<a:>|sh|-c|<x:sh>" },
	{ "env -i -u @u@ A=@a@ nice -n @n@ nohup timeout -s @s@ @t@ awk @x@",
	    "A env|-i|-u|<u:s>|A=<a:>|nice|-n|<n:s>|nohup|timeout|-s|<s:s>|"
	    "<t:s>|awk|<x:so>" },
	{ "env -S @x@", "A env|-S|<x:sh>" },
	{ "doas setsid ionice -c2 stdbuf -oL busybox sh -c @x@",
	    "A doas|setsid|ionice|-c2|stdbuf|-oL|busybox|sh|-c|<x:sh>" },
	{ "time -p sed @x@", "S time -p sed <x:so> # <x:so>" },
	{ "flock @f@ -c @x@", "A flock|<f:s>|-c|<x:sh>" },
	{ "sudo -- rm @x@", "A sudo|--|rm|<x:s>" },
	{ "sudo -- rm -- @x@", "A sudo|--|rm|--|<x:s->" },
	{ "command sh -c @x@", "S command sh -c <x:sh> # <x:sh>" },
	{ "sh -c \"$(a @x@)\"", "S sh -c \"$(a <x:sh>)\" # <x:sh>" },
	{ "a | sh -c 'b @x@'; c @y@",
	    "S a | sh -c 'b <x:h'>'; c <y:s> # b <x:h'>|<y:s>" },
	{ "echo @x@ | sh", "S echo <x:sh> | sh # <x:sh>" },
	{ "echo @x@ | sh a", "S echo <x:s> | sh a # <x:s>" },
	{ "{ printf @x@; cat <<E\n@y@\nE\n} | sudo ssh @h@",
	    "S { printf <x:sh>; cat <<E\n<y:h\">\nE\n} | sudo ssh <h:s>"
	    " # <x:sh>|<h:s>" },
	{ "perl <<E\n$(a @x@) @y@\nE\n",
	    "S perl <<E\n$(a <x:so>) <y:o\">\nE\n # <x:so>" },
	{ "awk b <<E\n@y@\nE\n", "S awk b <<E\n<y:\">\nE\n" },
	{ "sh <<<@x@", "S sh <<<<x:h>" },
	{ "sh -s @x@ <<E\n@y@\nE\n",
	    "S sh -s <x:s> <<E\n<y:h\">\nE\n # <x:s>" },
	{ "psql -c @x@ | mysql @y@", "S psql -c <x:so> | mysql <y:s>"
	    " # <x:so>|<y:s>" },
	{ "sqlite3 @d@ 'a @x@'", "A sqlite3|<d:s>|a <x:o'>" },
	{ "awkish @x@", "A awkish|<x:s>" },

	/* kill */
	{ "kill @p@", "A kill|<p:sk>" },
	{ "kill -9 @p@ @w:q@", "A kill|-9|<p:sk>|<q:sk>" },
	{ "/bin/kill -s @s@ \"@p@\"", "A /bin/kill|-s|<s:sg>|<p:sk\">" },
	{ "sudo kill -@s@ -- @p@", "A sudo|kill|-<s:g>|--|<p:s-k>" },
	{ "kill --signal=@s@ 1 @p@", "A kill|--signal=<s:g>|1|<p:sk>" },
	{ "a; kill `cat @f@`", "S a; kill `cat <f:s>` # <f:s>" },

	/* raw */
	{ "@r:x@", "S <x:>" },
	{ "a @r:x@ | b @y@", "S a <x:> | b <y:s> # <y:s>" },
	{ "awk '@r:x@' @y@", "S awk '<x:o'>' <y:s> # <y:s>" },
	{ "su -c \"@r:x@\" @u@", "S su -c \"<x:h\">\" <u:s> # <u:s>" },
	{ "a $(@r:x@)", "S a $(<x:>)" },
};

static void
test_forms(void **state)
{
	struct spec sp;
	struct buf b;
	size_t i, wrong = 0;

	(void)state;
	for (i = 0; i < sizeof forms / sizeof *forms; i++) {
		spec_make(&sp, forms[i].spec, strlen(forms[i].spec));
		buf_init(&b, &sp.mem);
		if (sp.good)
			dump(&sp, &b);
		if (forms[i].gives == NULL ? sp.good : !sp.good ||
		    strcmp(buf_c(&b), forms[i].gives) != 0) {
			if (!sp.good)
				diag_render(&sp.diag, &b, false);
			print_error("%s\n gives  %s\n not    %s\n",
			    forms[i].spec, buf_c(&b), forms[i].gives == NULL ?
			    "an error" : forms[i].gives);
			wrong++;
		}
		buf_free(&b);
		spec_free(&sp);
	}
	assert_int_equal(wrong, 0);
}

/* The first error, and the byte its caret is at; specs have $x for @x@. */
static const struct { const char *spec; enum diag_id id; size_t at; } bad[] = {
	{ "", E_CMD_EMPTY, 0 },
	{ " \n\t", E_CMD_EMPTY, 0 },
	{ "# a", E_CMD_EMPTY, 0 },
	{ "a 'b @x@", E_CMD_OPEN, 2 },
	{ "a \"b 'c' @x@", E_CMD_OPEN, 2 },
	{ "a b\" c", E_CMD_OPEN, 3 },
	{ "a `b", E_CMD_OPEN, 2 },
	{ "a `b 'c` d'", E_CMD_OPEN, 5 },
	{ "a \"`b\"", E_CMD_OPEN, 5 },
	{ "a $(b", E_CMD_OPEN, 2 },
	{ "a \"$(b \"c\" )", E_CMD_OPEN, 2 },
	{ "a $(b \"c)", E_CMD_OPEN, 6 },
	{ "a ${b", E_CMD_OPEN, 2 },
	{ "a $((b)", E_CMD_OPEN, 2 },
	{ "(a", E_CMD_OPEN, 0 },
	{ "a $'b", E_CMD_OPEN, 3 },
	{ "[[ a", E_CMD_OPEN, 0 },
	{ "case a in b) c", E_CMD_OPEN, 0 },
	{ "case a in b", E_CMD_OPEN, 0 },
	{ "case a b", E_CMD_OPEN, 0 },
	{ "a <(b", E_CMD_OPEN, 2 },
	{ "a )", E_CMD_CLOSE, 2 },
	{ "a $(b))", E_CMD_CLOSE, 6 },
	{ "a (b)", E_CMD_CLOSE, 3 },
	{ "a <<E", E_CMD_HEREDOC, 2 },
	{ "a <<E\nb\n E\n", E_CMD_HEREDOC, 2 },
	{ "a $(b <<E)\nE\n", E_CMD_HEREDOC, 6 },
	{ "a <<E\n@x@E", E_CMD_HEREDOC, 2 },

	/* rule 2 */
	{ "@x@ a", E_CMD_COMMAND, 0 },
	{ "a@x@", E_CMD_COMMAND, 1 },
	{ "@x@/a", E_CMD_COMMAND, 0 },
	{ "a; @x@", E_CMD_COMMAND, 3 },
	{ "a | \"@x@\"", E_CMD_COMMAND, 5 },
	{ "a && @x@", E_CMD_COMMAND, 5 },
	{ "a\n@x@", E_CMD_COMMAND, 2 },
	{ "$(@x@)", E_CMD_COMMAND, 2 },
	{ "$(a @x@)", E_CMD_COMMAND, 4 },
	{ "/a/`b @x@`/c", E_CMD_COMMAND, 6 },
	{ "sudo \"$(a @x@)\"", E_CMD_COMMAND, 10 },
	{ "$a @x@", E_CMD_UNKNOWN, 3 },
	{ "/a/$b @x@", E_CMD_UNKNOWN, 6 },
	{ "/a/$b-c @x@", E_CMD_UNKNOWN, 8 },
	{ "env $(a) b @x@", E_CMD_UNKNOWN, 11 },
	{ "if @x@", E_CMD_COMMAND, 3 },
	{ "{ @x@; }", E_CMD_COMMAND, 2 },
	{ "! @x@", E_CMD_COMMAND, 2 },
	{ "A=b @x@", E_CMD_COMMAND, 4 },
	{ ">a @x@", E_CMD_COMMAND, 3 },
	{ "(@x@)", E_CMD_COMMAND, 1 },
	{ "case a in b) @x@;; esac", E_CMD_COMMAND, 13 },
	{ "f() @x@", E_CMD_COMMAND, 4 },
	{ "sudo @x@", E_CMD_COMMAND, 5 },
	{ "sudo -u a @x@", E_CMD_COMMAND, 10 },
	{ "env A=b @x@", E_CMD_COMMAND, 8 },
	{ "env @x@=b a", E_CMD_PLACE, 4 },
	{ "timeout 5 @x@", E_CMD_COMMAND, 10 },
	{ "timeout @w:t@ a", E_CMD_COMMAND, 8 },
	{ "sudo -u @w:t@ a", E_CMD_PLACE, 8 },
	{ "command @x@", E_CMD_COMMAND, 8 },
	{ "nice -n 5 @x@", E_CMD_COMMAND, 10 },
	{ "nohup nice @x@", E_CMD_COMMAND, 11 },
	{ "exec @x@", E_CMD_COMMAND, 5 },
	{ "find . -exec @x@ \\;", E_CMD_COMMAND, 13 },
	{ "/a/@w:x@", E_CMD_COMMAND, 3 },
	{ "@o:x@", E_CMD_COMMAND, 0 },
	{ "@x@=a b", E_CMD_PLACE, 0 },
	{ "A@x@=a b", E_CMD_PLACE, 1 },
	{ "a[@x@]=b", E_CMD_PLACE, 2 },
	{ "a $((@x@))", E_CMD_PLACE, 5 },
	{ "a $((1 + $(b @x@)))", E_CMD_PLACE, 13 },
	{ "a \"$((@x@))\"", E_CMD_PLACE, 6 },
	{ "((@x@))", E_CMD_PLACE, 2 },
	{ "for ((i=@x@)); do a; done", E_CMD_PLACE, 8 },
	{ "[[ @x@ == a ]]", E_CMD_PLACE, 3 },
	{ "let a=@x@", E_CMD_EVAL, 6 },
	{ "a $'@x@'", E_CMD_PLACE, 4 },
	{ "a <(b @x@)", E_CMD_PLACE, 6 },
	{ "a >(b @x@)", E_CMD_PLACE, 6 },
	{ "a <<'E'\n@x@\nE\n", E_CMD_PLACE, 8 },
	{ "a <<\\E\n@x@\nE\n", E_CMD_PLACE, 7 },
	{ "a <<@x@\n@x@\n", E_CMD_PLACE, 4 },
	{ "a # @x@", E_CMD_PLACE, 4 },
	{ "a;# @x@", E_CMD_PLACE, 4 },
	{ "eval @x@", E_CMD_EVAL, 5 },
	{ "eval \"a $(b @x@)\"", E_CMD_EVAL, 12 },
	{ "'eval' @x@", E_CMD_EVAL, 7 },
	{ "command eval @x@", E_CMD_EVAL, 13 },
	{ "source @x@", E_CMD_EVAL, 7 },
	{ ". @x@", E_CMD_EVAL, 2 },
	{ "trap 'a @x@' 0", E_CMD_EVAL, 8 },
	{ "alias a=@x@", E_CMD_EVAL, 8 },
	{ "xargs @x@", E_CMD_EVAL, 6 },
	{ "a | xargs -n 1 sh -c 'b @x@'", E_CMD_EVAL, 24 },
	{ "sudo xargs rm @x@", E_CMD_EVAL, 14 },
	{ "read @x@", E_CMD_NAME, 5 },
	{ "unset @x@", E_CMD_NAME, 6 },
	{ "export @x@", E_CMD_NAME, 7 },
	{ "export -a A=@x@", E_CMD_NAME, 12 },
	{ "declare A=@x@", E_CMD_EVAL, 10 },
	{ "[ -v @x@ ]", E_CMD_NAME, 5 },
	{ "[ @o:x@ @y@ ]", E_CMD_NAME, 5 },
	{ "printf -v @x@ a", E_CMD_NAME, 10 },
	{ "declare -i n; n=@x@", E_CMD_PLACE, 16 },
	{ "export -ri n; n=@x@", E_CMD_PLACE, 16 },
	{ "for @x@ in a; do b; done", E_CMD_PLACE, 4 },
	{ "function @x@ { a; }", E_CMD_PLACE, 9 },
	{ "a ${b:-@x@}", E_CMD_PLACE, 7 },
	{ "a \"${b#@x@}\"", E_CMD_PLACE, 7 },
	{ "a {b,@x@}", E_CMD_PLACE, 5 },
	{ "a >&@x@", E_CMD_PLACE, 4 },
	{ "a 2>& @x@", E_CMD_PLACE, 6 },
	{ "A=(@x@)", E_CMD_PLACE, 3 },
	{ "A+=([0]=@x@) a", E_CMD_PLACE, 8 },

	/* what would spoil the reference, or is read in two ways */
	{ "a \\@x@", E_CMD_JOIN, 3 },
	{ "a \"\\@x@\"", E_CMD_JOIN, 4 },
	{ "a `b \\@x@`", E_CMD_JOIN, 6 },
	{ "a <<E\n\\@x@\nE\n", E_CMD_JOIN, 7 },
	{ "a $@x@", E_CMD_JOIN, 3 },
	{ "a \"$@x@\"", E_CMD_JOIN, 4 },
	{ "a \"$$$@x@\"", E_CMD_JOIN, 6 },
	{ "a $[1] @x@", E_CMD_SHELLS, 2 },
	{ "a \"$[1]\" @x@", E_CMD_SHELLS, 3 },
	{ "a $\"b\" @x@", E_CMD_SHELLS, 2 },
	{ "a $'b\\'c' @x@", E_CMD_SHELLS, 3 },
	{ "a &>b @x@", E_CMD_SHELLS, 2 },
	{ "a $((b); c) @x@", E_CMD_SHELLS, 2 },
	{ "a $((b) ) @x@", E_CMD_SHELLS, 2 },
	{ "a \"${b:-'}\" @x@", E_CMD_SHELLS, 8 },
	{ "a <<E\n`b \\\"c\\\"`@x@\nE\n", E_CMD_SHELLS, 6 },
	{ "a <<E\n$(b <<E\n@x@\nE\n)\nE\n", E_CMD_SHELLS, 2 },
	{ "a __p1 @x@", E_CMD_RESERVED, 2 },
	{ "a ~b@x@", E_CMD_TILDE, 4 },
	{ "a ~@x@b", E_CMD_TILDE, 3 },
	{ "a ~@x@@y@", E_CMD_TILDE, 3 },
	{ "a ~@w:x@", E_CMD_TILDE, 3 },

	/* kill, $words(), $raw() */
	{ "kill -TERM -@p@", E_CMD_KILL, 12 },
	{ "kill -- -@p@", E_CMD_KILL, 9 },
	{ "kill 1@p@", E_CMD_KILL, 6 },
	{ "kill @p@@q@", E_CMD_KILL, 5 },
	{ "kill -s A@s@ 2", E_CMD_KILL, 9 },
	{ "kill \"$(a)@p@\"", E_CMD_KILL, 10 },
	{ "a b@w:x@", E_CMD_WORDS, 3 },
	{ "a \"@w:x@\"", E_CMD_WORDS, 3 },
	{ "a ''@w:x@", E_CMD_WORDS, 4 },
	{ "a '@w:x@'", E_CMD_WORDS, 3 },
	{ "a @w:x@@y@", E_CMD_WORDS, 2 },
	{ "a >@w:x@", E_CMD_WORDS, 3 },
	{ "A=@w:x@ b", E_CMD_WORDS, 2 },
	{ "case @w:x@ in a) b;; esac", E_CMD_WORDS, 5 },
	{ "a <<E\n@w:x@\nE\n", E_CMD_WORDS, 6 },
	{ "a `@r:x@`", E_CMD_RAW, 3 },
};

static void
test_bad(void **state)
{
	struct spec sp;
	struct buf b;
	size_t i, wrong = 0;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct diag_item *d = NULL;

		spec_make(&sp, bad[i].spec, strlen(bad[i].spec));
		buf_init(&b, &sp.mem);
		if (sp.diag.n > 0)
			d = &sp.diag.item[0];
		if (sp.good || d == NULL || sp.diag.nerror == 0 ||
		    d->id != bad[i].id || d->place.off != bad[i].at) {
			diag_render(&sp.diag, &b, false);
			print_error("%s\n gives  %s\n not    %s at %zu\n",
			    bad[i].spec, sp.good ? "no error" : buf_c(&b),
			    diag_name(bad[i].id), bad[i].at);
			wrong++;
		}
		buf_free(&b);
		spec_free(&sp);
	}
	assert_int_equal(wrong, 0);
}

/* Constructs that are refused beside data stand without it. */
static void
test_no_data(void **state)
{
	static const char *const specs[] = { "a $[1]", "a $\"b\"", "a &>b",
	    "a $'b\\'c'", "a $((b); c)", "a __p1", "declare -i n; n=1",
	    "eval a", "xargs rm", "trap 'a' 0", "kill -TERM -1",
	    "for ((i=0;i<3;i++)); do a; done", "A=(b c) a", "a ${b:-c}" };
	struct spec sp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof specs / sizeof *specs; i++) {
		spec_make(&sp, specs[i], strlen(specs[i]));
		if (!sp.good)
			fail_msg("%s", specs[i]);
		assert_int_equal(sp.diag.n, 0);
		spec_free(&sp);
	}
}

/* Rule 7's hint: for a whole bare word that the script built, and no other. */
static void
test_hint(void **state)
{
	static const struct { const char *spec; size_t n; } rows[] = {
		{ "ls @b:x@", 1 }, { "ls @b:x@ @b:y@; ls", 2 },
		{ "ls @x@", 0 }, { "ls \"@b:x@\"", 0 }, { "ls '@b:x@'", 0 },
		{ "ls a@b:x@", 0 }, { "A=@b:x@ ls", 0 }, { "ls >@b:x@", 0 },
		{ "ls @w:x@", 0 }, { "ls @r:x@", 0 } };
	struct spec sp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		spec_make(&sp, rows[i].spec, strlen(rows[i].spec));
		assert_true(sp.good);
		if (sp.diag.nwarning != rows[i].n || sp.diag.nerror != 0)
			fail_msg("%s: %zu", rows[i].spec, sp.diag.nwarning);
		if (rows[i].n > 0)
			assert_int_equal(sp.diag.item[0].id, E_CMD_ONE_WORD);
		spec_free(&sp);
	}
}

/* Limits are reached and told. */
static void
test_limits(void **state)
{
	char *text = malloc(LIM_ARG + 64);
	struct spec sp;
	size_t n;

	(void)state;
	/* text */
	memset(text, 'a', LIM_ARG);
	spec_make(&sp, text, 100 * 1024);
	assert_true(sp.good);
	spec_free(&sp);
	spec_make(&sp, text, 100 * 1024 + 1);
	assert_false(sp.good);
	assert_int_equal(sp.diag.item[0].id, E_CMD_LONG);
	spec_free(&sp);
	/* nesting: every kind, a quarter of them unclosed too */
	for (n = 1; n < 200; n++) {
		static const char *const open[] = { "$(", "(", "\"$(", "${a:-",
		    "$((", "<(" };
		size_t k, i, at;

		for (k = 0; k < 6; k++) {
			for (i = at = 0; i < n; i++)
				at += (size_t)sprintf(text + at, "a %s",
				    open[k]);
			spec_make(&sp, text, at);
			assert_false(sp.good);
			spec_free(&sp);
		}
	}
	for (n = 0, *text = '\0'; n < 60; n++)
		strcat(text, "a $(");
	strcat(text, "b @x@");
	for (n = 0; n < 60; n++)
		strcat(text, ")");
	spec_make(&sp, text, strlen(text));
	assert_true(sp.good);
	spec_free(&sp);
	for (n = 0, *text = '\0'; n < 65; n++)
		strcat(text, "a $(");
	spec_make(&sp, text, strlen(text));
	assert_int_equal(sp.diag.item[0].id, E_CMD_DEEP);
	spec_free(&sp);
	/* backticks in backticks: n-th level has 2^(n-1)-1 backslashes */
	for (n = 0, *text = '\0'; n < 7; n++) {
		strcat(text, "a ");
		memset(text + strlen(text) + 1, 0, 128);
		memset(text + strlen(text), '\\', ((size_t)1 << n) - 1);
		strcat(text, "`");
	}
	spec_make(&sp, text, strlen(text));
	assert_int_equal(sp.diag.item[0].id, E_CMD_DEEP);
	spec_free(&sp);
	/* NUL */
	spec_make(&sp, "a\0b", 3);
	assert_false(sp.good);
	assert_int_equal(sp.diag.item[0].id, E_CMD_NUL);
	assert_int_equal(sp.diag.item[0].place.off, 1);
	spec_free(&sp);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_no_data),
		cmocka_unit_test(test_hint),
		cmocka_unit_test(test_limits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
