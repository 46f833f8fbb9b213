package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
)

// style is the page's only style sheet. It is in the page, and its hash in
// the policy: nothing else on the page can have a style.
const style = `
:root {
	color-scheme: light dark;
	--text: #1f2328; --soft: #59636e; --line: #d8dee4; --back: #fff; --card: #f6f8fa;
	--link: #0b5cad; --bad: #b3261e; --badback: #fdf3f2; --old: #8a5a00;
}
@media (prefers-color-scheme: dark) {
	:root {
		--text: #e6e9ed; --soft: #9aa4af; --line: #30363d; --back: #0f1318; --card: #181d24;
		--link: #7ab8ff; --bad: #ff8a80; --badback: #2a1715; --old: #e3b35a;
	}
}
* { box-sizing: border-box }
body {
	margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 62rem;
	font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
	color: var(--text); background: var(--back);
}
a { color: var(--link); text-decoration: none }
a:hover, a:focus-visible { text-decoration: underline }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; letter-spacing: -.01em }
header p { margin: .35rem 0 0; color: var(--soft) }
code { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
pre {
	margin: 1.25rem 0 .5rem; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
	background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
}
.hint { margin: 0; font-size: .875rem; color: var(--soft) }
.bad {
	margin: 2rem 0 0; padding: 1rem 1.25rem; border-radius: .5rem;
	border: 1px solid var(--bad); border-left-width: .35rem; background: var(--badback);
}
.bad h2 { margin: 0 0 .5rem; font-size: 1.05rem; color: var(--bad) }
.bad ul { margin: 0; padding: 0; list-style: none }
.bad li + li { margin-top: .75rem }
.bad p { margin: .1rem 0 0; overflow-wrap: anywhere }
.bad code { overflow-wrap: anywhere }
.bad small { color: var(--soft) }
.charts { margin: 2rem 0 0; padding: 0; list-style: none; border-top: 1px solid var(--line) }
.charts > li {
	display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: 1.5rem;
	padding: .9rem 0; border-bottom: 1px solid var(--line);
	content-visibility: auto; contain-intrinsic-size: auto 5rem;
}
.charts h2 { margin: 0; font-size: 1.05rem; line-height: 1.5; overflow-wrap: anywhere }
.charts h2 a { color: inherit }
.charts > li:target { background: linear-gradient(90deg, var(--card), transparent) }
.new { grid-column: 2; margin: 0; text-align: right; max-width: 22rem; overflow-wrap: anywhere }
.about { grid-column: 1; margin: 0; color: var(--soft); overflow-wrap: anywhere }
.app { grid-column: 2; margin: 0; text-align: right; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; max-width: 22rem }
.mark {
	margin-left: .5rem; padding: .05rem .45rem; border: 1px solid var(--old); border-radius: 1rem;
	font-size: .75rem; font-weight: 500; color: var(--old); white-space: nowrap;
}
details { grid-column: 1 / -1; margin-top: .35rem; font-size: .875rem }
summary { width: fit-content; color: var(--soft); cursor: pointer }
summary:hover { color: var(--text) }
details ul {
	margin: .4rem 0 .2rem; padding: 0; list-style: none; gap: .15rem 1.5rem;
	display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr));
}
details li { overflow-wrap: anywhere }
time, .soft { color: var(--soft) }
.none { margin: 3rem 0; text-align: center; color: var(--soft) }
footer { margin-top: 2.5rem; font-size: .875rem; color: var(--soft) }
@media (max-width: 36rem) {
	body { padding-top: 1.5rem }
	.charts > li { display: block }
	.new, .app { text-align: left; max-width: none }
}
`

// pagePolicy is the page's Content-Security-Policy: no script, no image, no frame,
// no form, and the one style.
func pagePolicy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
