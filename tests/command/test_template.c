/* template: the form that is chosen, what is found out about data parts, and
 * what is refused, when compiled and when filled. */
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
	{ "$a @x@", "S $a <x:s> # <x:s>" },

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

#define NIL	"\1NIL"
#define ERR	"\1ERR"

/* What comes of values: arguments, | between them, or why not. */
static const struct { const char *spec, *value[3], *gives, *why; } fills[] = {
	{ "ls", { 0 }, "ls", 0 },
	{ "ls '' @x@", { "" }, "ls||", 0 },
	{ "ls @x@@y@", { "a b", "*" }, "ls|a b*", 0 },
	{ "ls;", { 0 }, "/bin/sh|-c|\nls;|sh", 0 },
	{ "-x; ls", { 0 }, "/bin/sh|-c|\n-x; ls|sh", 0 },
	{ "ls @x@;", { "a'b" },
	    "/bin/sh|-c|__p1=${1} ; set --\nls \"${__p1}\";|sh|a'b", 0 },
	{ "ls \"@x@\" '@y@' $(a @z@)", { "1", "2", "3" },
	    "/bin/sh|-c|__p1=${1} __p2=${2} __p3=${3} ; set --\n"
	    "ls \"${__p1}\" ''\"${__p2}\"'' $(a \"${__p3}\")|sh|1|2|3", 0 },
	{ "ls <<E\n@x@\nE\n", { "1" }, "/bin/sh|-c|__p1=${1} ; set --\n"
	    "ls <<E\n${__p1}\nE\n|sh|1", 0 },

	/* rule 2: the command */
	{ "/a/@x@ b", { "c" }, "/a/c|b", 0 },
	{ "/a/@x@", { "c/d" }, 0, "$x: \"c/d\": names the command, so it is "
	    "not empty and has no / (rule 2)" },
	{ "/a/@x@", { "" }, 0, "$x: \"\": names the command, so it is "
	    "not empty and has no / (rule 2)" },
	{ "/a/@x@", { ".." }, 0, "$x: \"..\": a .. in a path is not run "
	    "(rule 5)" },
	{ "/a/@x@;", { "c/d" }, 0, "$x: \"c/d\": names the command, so it is "
	    "not empty and has no / (rule 2)" },

	/* rule 3 */
	{ "sh -c 'a @x@'", { "b/c_D-1.2@3:+,=%" },
	    "sh|-c|a b/c_D-1.2@3:+,=%", 0 },
	{ "sh -c 'a @x@'", { "" }, "sh|-c|a ", 0 },
	{ "sh -c 'a @x@'", { "b c" }, 0, "$x: \"b c\": is in a word that is "
	    "a program, so only A-Z a-z 0-9 and _.@:+,=%-/ may be in it "
	    "(rule 3)" },
	{ "sh -c 'a @x@'", { "-b" }, 0, "$x: \"-b\": a value that begins with "
	    "\"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "sh -c 'a \"@x@\"'", { "-b" }, 0, "$x: \"-b\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "sh -c 'a @o:x@'", { "-b" }, "sh|-c|a -b", 0 },
	{ "sh -c 'a b@x@ /@y@'", { "-b", "-c" }, "sh|-c|a b-b /-c", 0 },
	{ "sh -c 'a @x@@y@'", { "", "-b" }, 0, "$y: \"-b\": a value that "
	    "begins with \"-\" is not run (rule 4: write -- before it, or "
	    "$opt())" },
	{ "sh -c 'a @x@@y@'", { "b", "-b" }, "sh|-c|a b-b", 0 },
	{ "sh -c 'rm -rf /a/@x@; b'", { "" }, 0, "$x: \"\": an empty value "
	    "would shorten a path (rule 5)" },
	{ "sh -c 'rm -rf \"@x@\"/*'", { "" }, 0, "$x: \"\": an empty value "
	    "would shorten a path (rule 5)" },
	{ "sh -c 'rm -rf /a/\"@x@\"'", { ".." }, 0, "$x: \"..\": a .. in a "
	    "path is not run (rule 5)" },
	{ "sh -c 'rm @x@ /a'", { "" }, "sh|-c|rm  /a", 0 },
	{ "awk '/@x@/'", { "a\\/b" }, "awk|/a\\/b/", 0 },
	{ "awk '/@x@/'", { "a/b" }, 0, "$x: \"a/b\": is in a word that is a "
	    "program, so only A-Z a-z 0-9 and _.@:+,=%- and \\/ may be in it "
	    "(rule 3)" },
	{ "awk @x@", { "a\\" }, 0, "$x: \"a\\\": is in a word that is a "
	    "program, so only A-Z a-z 0-9 and _.@:+,=%- and \\/ may be in it "
	    "(rule 3)" },
	{ "ssh h awk @x@", { "a/b" }, "ssh|h|awk|a/b", 0 },
	{ "ssh h sed @x@ @w:y@", { "a", "b c" }, "ssh|h|sed|a|b|c", 0 },
	{ "ssh h a @w:y@", { "b c;d" }, 0, "$y: \"c;d\": is in a word that is "
	    "a program, so only A-Z a-z 0-9 and _.@:+,=%-/ may be in it "
	    "(rule 3)" },
	{ "su -c '@r:x@' @u@;", { "a; b", "root" }, "/bin/sh|-c|__p1=${1} "
	    "__p2=${2} ; set --\nsu -c ''\"${__p1}\"'' \"${__p2}\";|sh|a; b|"
	    "root", 0 },

	/* rule 4 */
	{ "rm @user@", { "-rf" }, 0, "$user: \"-rf\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm \"@x@\";", { "-rf" }, 0, "$x: \"-rf\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm @n:x@", { "-1" }, 0, "$x: \"-1\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm @x@@y@", { "", "-1" }, 0, "$y: \"-1\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm @x@@y@", { "a", "-1" }, "rm|a-1", 0 },
	{ "rm a@x@", { "-1" }, "rm|a-1", 0 },
	{ "rm -- @x@", { "-rf" }, "rm|--|-rf", 0 },
	{ "rm @o:x@", { "-rf" }, "rm|-rf", 0 },
	{ "sudo -- rm @x@", { "-rf" }, 0, "$x: \"-rf\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm @w:x@", { "a -b" }, 0, "$x: \"-b\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm -- @w:x@", { "a -b" }, "rm|--|a|-b", 0 },
	{ "A=@x@ b", { "-1" }, "/bin/sh|-c|__p1=${1} ; set --\n"
	    "A=\"${__p1}\" b|sh|-1", 0 },
	{ "kill @p@", { "17" }, "kill|17", 0 },
	{ "kill @p@", { "2147483647" }, "kill|2147483647", 0 },
	{ "kill @p@", { "2147483648" }, 0, "$p: \"2147483648\": kill takes "
	    "only integers above 1 (rule 4)" },
	{ "kill @p@", { "18446744073709551615" }, 0, "$p: "
	    "\"18446744073709551615\": kill takes only integers above 1 "
	    "(rule 4)" },
	{ "kill @p@", { "1" }, 0, "$p: \"1\": kill takes only integers above "
	    "1 (rule 4)" },
	{ "kill @p@", { "0" }, 0, "$p: \"0\": kill takes only integers above "
	    "1 (rule 4)" },
	{ "kill -- @p@", { "-1" }, 0, "$p: \"-1\": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill @o:p@", { "-1" }, 0, "$p: \"-1\": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill @p@", { "" }, 0, "$p: \"\": kill takes only integers above 1 "
	    "(rule 4)" },
	{ "kill @p@", { "017" }, 0, "$p: \"017\": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill @p@", { "17.5" }, 0, "$p: \"17.5\": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill @p@;", { "1 " }, 0, "$p: \"1 \": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill @w:p@", { " 12\t34\n" }, "kill|12|34", 0 },
	{ "kill @w:p@", { "12 -1" }, 0, "$p: \"-1\": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill -@s@ @p@", { "HUP", "12" }, "kill|-HUP|12", 0 },
	{ "kill -@s@ @p@", { "-1", "12" }, 0, "$s: \"-1\": is no signal: "
	    "A-Z and 0-9 only (rule 4)" },
	{ "kill -s @s@ 12", { "" }, 0, "$s: \"\": is no signal: "
	    "A-Z and 0-9 only (rule 4)" },

	/* rule 5 */
	{ "ls @x@", { NIL }, 0, "$x: NIL is not run (rule 5)" },
	{ "ls @x@", { ERR }, 0, "$x: ERR is not run (rule 5)" },
	{ "ls @x@;", { NIL }, 0, "$x: NIL is not run (rule 5)" },
	{ "ls @w:x@", { NIL }, 0, "$x: NIL is not run (rule 5)" },
	{ "ls @r:x@", { NIL }, 0, "$x: NIL is not run (rule 5)" },
	{ "ls @x@", { "<<NIL>>" }, 0, "$x: \"<<NIL>>\": no value is not run "
	    "(rule 5)" },
	{ "ls a@x@", { "" }, "ls|a", 0 },
	{ "ls @x@/*", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls @x@/a", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls /a/@x@", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls /a/@x@/b", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls /a/@x@@y@", { "", "" }, 0, "$y: \"\": an empty value would "
	    "shorten a path (rule 5)" },
	{ "ls /a/@x@@y@", { "", "b" }, "ls|/a/b", 0 },
	{ "ls /a/b@x@", { "" }, "ls|/a/b", 0 },
	{ "ls /a/@x@.b", { "" }, "ls|/a/.b", 0 },
	{ "ls @x@a/b", { "" }, "ls|a/b", 0 },
	{ "ls --a=@x@/b", { "" }, 0, "$x: \"\": an empty value would shorten "
	    "a path (rule 5)" },
	{ "ls h:@x@/b", { "" }, 0, "$x: \"\": an empty value would shorten "
	    "a path (rule 5)" },
	{ "ls 'http://a/?b=@x@'", { "" }, "ls|http://a/?b=", 0 },
	{ "ls /a/@x@", { "b/c//d/" }, "ls|/a/b/c//d/", 0 },
	{ "ls /a/@x@", { "/b" }, "ls|/a//b", 0 },
	{ "ls /a/@x@", { ".." }, 0, "$x: \"..\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls /a/@x@", { "b/../c" }, 0, "$x: \"b/../c\": a .. in a path is "
	    "not run (rule 5)" },
	{ "ls /a/@x@", { "../../etc" }, 0, "$x: \"../../etc\": a .. in a "
	    "path is not run (rule 5)" },
	{ "ls @x@/b", { ".." }, 0, "$x: \"..\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls @x@/b", { "a/.." }, 0, "$x: \"a/..\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls /a/.@x@", { "." }, 0, "$x: \".\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls /a/.@x@", { "./b" }, 0, "$x: \"./b\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls /a/@x@@y@", { ".", "." }, 0, "$y: \".\": a .. in a path is not "
	    "run (rule 5)" },
	{ "ls /a/@x@./b", { "." }, 0, "$x: \".\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls /a/@x@", { "..b" }, "ls|/a/..b", 0 },
	{ "ls /a/@x@", { "b.." }, "ls|/a/b..", 0 },
	{ "ls /a/@x@", { "..." }, "ls|/a/...", 0 },
	{ "ls /a/../@x@", { "b" }, "ls|/a/../b", 0 },
	{ "ls @x@", { "../b" }, "ls|../b", 0 },
	{ "ls >/a/@x@", { "../b" }, 0, "$x: \"../b\": a .. in a path is not "
	    "run (rule 5)" },
	{ "A=/a/@x@ b", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls $B@x@/*", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls \"$(a /b/@x@)\"", { "" }, 0, "$x: \"\": an empty value would "
	    "shorten a path (rule 5)" },

	/* rule 6 */
	{ "ls ~@u@/a", { "root" }, "ls|/root/a", 0 },
	{ "ls ~@u@;", { "root" }, "/bin/sh|-c|__p1=${1} ; set --\n"
	    "ls \"${__p1}\";|sh|/root", 0 },
	{ "ls ~@u@", { "" }, 0, "$u: \"\": no user with a home of that name "
	    "(rule 6)" },
	{ "ls ~@u@", { "no such user" }, 0, "$u: \"no such user\": no user "
	    "with a home of that name (rule 6)" },
	{ "ls @x@ a~@y@", { "~root", "root" }, "ls|~root|a~root", 0 },

	/* rules 7 and 8 */
	{ "ls @w:x@ a", { "b  c\td\ne" }, "ls|b|c|d|e|a", 0 },
	{ "ls @w:x@ a", { " " }, "ls|a", 0 },
	{ "ls @w:x@ a", { "b '* $(c)" }, "ls|b|'*|$(c)|a", 0 },
	{ "ls @x@ @w:y@ @z@;", { "1", "2 3", "4" }, "/bin/sh|-c|__p1=${1} "
	    "__p2=${2} __p3=${3} __p4=${4} ; set --\nls \"${__p1}\" "
	    "\"${__p2}\" \"${__p3}\" \"${__p4}\";|sh|1|2|3|4", 0 },
	{ "ls @w:x@;", { "" }, "/bin/sh|-c|\nls ;|sh", 0 },
	{ "@r:x@", { "a 'b'" }, "/bin/sh|-c|\na 'b'|sh", 0 },
	{ "@r:x@ @y@", { "-a", "b" }, "/bin/sh|-c|__p1=${1} ; set --\n"
	    "-a \"${__p1}\"|sh|b", 0 },

	/* messages are one line */
	{ "ls @x@", { "-a\nb\t\x01\xff" }, 0, "$x: \"-a\\nb\\t\\x01\\xff\": "
	    "a value that begins with \"-\" is not run (rule 4: write -- "
	    "before it, or $opt())" },
};

static void
test_fill(void **state)
{
	struct str value[3];
	struct spec sp;
	struct buf b;
	size_t i, k, wrong = 0;
	bool good;

	(void)state;
	for (i = 0; i < sizeof fills / sizeof *fills; i++) {
		spec_make(&sp, fills[i].spec, strlen(fills[i].spec));
		if (!sp.good)
			fail_msg("%s", fills[i].spec);
		for (k = 0; k < 3; k++) {
			value[k] = str_c(fills[i].value[k]);
			if (!str_none(value[k]) && value[k].n == 4 &&
			    value[k].p[0] == '\1')
				value[k] = value[k].p[1] == 'N' ? STR_NIL :
				    STR_ERR;
		}
		buf_init(&b, &sp.mem);
		good = spec_fill(&sp, value);
		if (good) {
			assert_int_equal(sp.why.n, 0);
			assert_int_equal(sp.cmd.shell, sp.tpl.shell);
			for (k = 0; k < sp.cmd.argc; k++) {
				if (k > 0)
					buf_putc(&b, '|');
				buf_puts(&b, sp.cmd.argv[k]);
			}
			assert_null(sp.cmd.argv[k]);
		} else
			buf_str(&b, buf_view(&sp.why));
		if (good != (fills[i].why == NULL) || strcmp(buf_c(&b), good ?
		    fills[i].gives : fills[i].why) != 0) {
			print_error("%s\n gives  %s\n not    %s\n",
			    fills[i].spec, buf_c(&b), fills[i].why == NULL ?
			    fills[i].gives : fills[i].why);
			wrong++;
		}
		buf_free(&b);
		spec_free(&sp);
	}
	assert_int_equal(wrong, 0);
}

/* Sizes, and more positional values than have one digit. */
static void
test_fill_limits(void **state)
{
	static const char *const specs[] = { "ls @x@", "ls @x@;" };
	struct str value[12];
	struct spec sp;
	char *big = malloc(LIM_ARG + 1);
	size_t i;

	(void)state;
	memset(big, 'a', LIM_ARG + 1);
	for (i = 0; i < 2; i++) {
		spec_make(&sp, specs[i], strlen(specs[i]));
		value[0] = str_of(big, LIM_ARG - 1);	/* + its zero byte */
		assert_true(spec_fill(&sp, value));
		value[0] = str_of(big, LIM_ARG);
		assert_false(spec_fill(&sp, value));
		assert_non_null(strstr(buf_c(&sp.why),
		    "...\": over 128 KiB is not run (rule 5)"));
		assert_in_range(sp.why.n, 200, 260);
		spec_free(&sp);
	}
	/* the word is too long, not the value */
	spec_make(&sp, "ls b@x@", 7);
	value[0] = str_of(big, LIM_ARG - 1);
	assert_false(spec_fill(&sp, value));
	assert_string_equal(buf_c(&sp.why),
	    "an argument over 128 KiB is not run (rule 5)");
	spec_free(&sp);
	spec_make(&sp, "ls @1@ @2@ @3@ @4@ @5@ @6@ @7@ @8@ @9@ @0@", 42);
	for (i = 0; i < 10; i++)
		value[i] = str_of(big, LIM_ARG - 1);
	assert_false(spec_fill(&sp, value));
	assert_string_equal(buf_c(&sp.why),
	    "arguments over 1 MiB are not run (rule 5)");
	for (i = 0; i < 10; i++)
		value[i] = str_of(big, LIM_ARG / 2);
	assert_true(spec_fill(&sp, value));
	assert_int_equal(sp.cmd.argc, 11);
	spec_free(&sp);
	spec_make(&sp, "ls @x@", 6);
	value[0] = str_of("a\0b", 3);
	assert_false(spec_fill(&sp, value));
	assert_string_equal(buf_c(&sp.why),
	    "$x: \"a\\x00b\": a NUL byte is not run (rule 5)");
	spec_free(&sp);
	free(big);
}

/* For people: one line that bash reads back as the same command. */
static void
test_show(void **state)
{
	static const struct { const char *spec, *value, *show; } rows[] = {
		{ "ls -l @x@ b", "a", "ls -l a b" },
		{ "cp -p @x@ /var/@x@", "/a/b", "cp -p /a/b /var//a/b" },
		{ "ls @x@", "", "ls ''" },
		{ "ls '@x@'", "a b", "ls 'a b'" },
		{ "ls @x@", "it's", "ls 'it'\\''s'" },
		{ "ls @x@", "$(a) `b` \\ \"", "ls '$(a) `b` \\ \"'" },
		{ "ls @x@", "a\n'\\\x01\xff", "ls $'a\\n\\'\\\\\\x01\\xff'" },
		{ "ls @x@", "\xc3\xa4", "ls '\xc3\xa4'" },
		{ "ls @x@ | a", "b c", "ls 'b c' | a" },
		{ "ls @x@ \\\n | a", "b c", "ls 'b c' \\\\n | a" },
		{ "ls \"@x@\";", "$a\"`\\", "ls \"\\$a\\\"\\`\\\\\";" },
		{ "ls '@x@';", "it's", "ls 'it'\\''s';" },
		{ "ls @w:x@;", "a b;c", "ls a 'b;c';" },
		{ "ls @r:x@", "a; b\n", "ls a; b\\n" },
	};
	struct str value[2];
	struct spec sp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		spec_make(&sp, rows[i].spec, strlen(rows[i].spec));
		value[0] = value[1] = str_c(rows[i].value);
		assert_true(spec_fill(&sp, value));
		if (!str_eq(sp.cmd.show, str_c(rows[i].show)))
			fail_msg("%s: %.*s", rows[i].spec,
			    (int)sp.cmd.show.n, sp.cmd.show.p);
		spec_free(&sp);
	}
	spec_make(&sp, "ls @x@ | a '@y@'", 16);
	assert_true(str_eq(sp.tpl.show, STR_LIT("ls $x | a '$y'")));
	spec_free(&sp);
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
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_fill_limits),
		cmocka_unit_test(test_show),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
