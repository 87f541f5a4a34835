/*
 * http_style: the page's one style.  Contrast of text is at least 7 to 1 in
 * light and 9 to 1 in dark; the dark ground is no black, which glares less
 * beside it; nothing moves.
 */
#ifndef ENGINE_DAEMON_HTTP_STYLE_H
#define ENGINE_DAEMON_HTTP_STYLE_H

#define HTTP_STYLE \
	":root{color-scheme:light dark;--bg:#fbfaf7;--fg:#1d2125;--dim:#4d555c;" \
	"--line:#d9d6cf;--card:#fff;--bad:#a11222;--badbg:#fdeeee;" \
	"--warn:#7a4a00;--warnbg:#fff5df;--good:#1c6330;--link:#0b4f8a;" \
	"--graph:#2b6cb0}" \
	"@media(prefers-color-scheme:dark){:root{--bg:#15181b;--fg:#dfe3e6;" \
	"--dim:#a9b1b8;--line:#33393f;--card:#1c2024;--bad:#ff9c94;" \
	"--badbg:#3a1d1f;--warn:#f3c56b;--warnbg:#332a18;--good:#86d39a;" \
	"--link:#8fc1f2;--graph:#7fb2e6}}" \
	"*{box-sizing:border-box}" \
	"body{margin:0 auto;max-width:70rem;padding:0 1rem 2rem;" \
	"background:var(--bg);color:var(--fg);font:1.06rem/1.5 system-ui," \
	"sans-serif}" \
	"header{padding:.8rem 0;border-bottom:1px solid var(--line)}" \
	"header a{color:var(--dim);text-decoration:none;font-weight:600}" \
	"h1{font-size:1.9rem;line-height:1.2;margin:1.2rem 0 .6rem}" \
	"h2{font-size:1.15rem;margin:2.2rem 0 .4rem}" \
	"a{color:var(--link)}p{margin:.3rem 0}" \
	"h1.bad,tr.bad td:nth-child(2),.bad .head{color:var(--bad)}" \
	"h1.warn,.warn .head{color:var(--warn)}" \
	"h1.good{color:var(--good)}" \
	"article,.note{background:var(--card);border:1px solid var(--line);" \
	"border-left:.35rem solid var(--line);border-radius:.4rem;" \
	"padding:.7rem .9rem;margin:.7rem 0;overflow-wrap:anywhere}" \
	"article.bad,.note.bad{border-left-color:var(--bad);" \
	"background:var(--badbg)}" \
	"article.warn,.note.warn{border-left-color:var(--warn);" \
	"background:var(--warnbg)}" \
	"article.over{opacity:.85}" \
	".message{font-size:1.15rem;font-weight:600}" \
	".small,footer,time,th{color:var(--dim);font-size:.92rem}" \
	"pre{margin:.4rem 0;white-space:pre-wrap;font-size:.92rem}" \
	"code{font-size:.92em}ul{margin:.2rem 0;padding-left:1.3rem}" \
	"summary{cursor:pointer;margin:1rem 0;color:var(--dim)}" \
	".table{overflow-x:auto}" \
	"table{border-collapse:collapse;width:100%}" \
	"td,th{text-align:left;padding:.3rem .8rem .3rem 0;" \
	"border-bottom:1px solid var(--line);vertical-align:top}" \
	"td{white-space:nowrap}" \
	"td:first-child,td:last-child{white-space:normal}" \
	"td:first-child{min-width:8rem;overflow-wrap:anywhere}" \
	".graphs{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill," \
	"minmax(min(100%,24rem),1fr))}" \
	"figure{margin:0;background:var(--card);border:1px solid var(--line);" \
	"border-radius:.4rem;padding:.6rem .8rem}" \
	"figcaption{display:flex;gap:.5rem;align-items:baseline;flex-wrap:wrap;" \
	"font-size:.95rem}" \
	".value{margin-left:auto;font-size:1.25rem;font-weight:600}" \
	"svg{display:block;width:100%;height:auto}" \
	"svg text{font:12px system-ui,sans-serif;fill:var(--dim)}" \
	"svg .grid{stroke:var(--line);stroke-width:1}" \
	"svg polyline{fill:none;stroke:var(--graph);stroke-width:1.8;" \
	"stroke-linejoin:round}" \
	"svg polygon{fill:var(--graph);opacity:.25}" \
	"svg circle{fill:var(--graph)}" \
	"footer{margin-top:2.5rem;padding-top:.8rem;" \
	"border-top:1px solid var(--line)}"

#endif
