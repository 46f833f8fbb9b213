package httpapi

import (
	"time"

	"chartserve/internal/repo"
)

// Frame renders the page before and behind the charts.
func (p Pages) Frame(failures []repo.Failure, info repo.PageInfo) (head, tail []byte) {
	b := make([]byte, 0, len(style)+4096+512*len(failures))
	b = append(b, `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Helm Repository</title>
<style>`+style+`</style>
</head>
<body>
<header>
<h1>Helm Repository</h1>
<p>`...)
	b = appendCount(b, info.Charts, "chart")
	b = append(b, ", "...)
	b = appendCount(b, info.Archives, "archive")
	if info.Archives > 0 {
		b = append(b, ", newest of "...)
		b = appendDay(b, info.Generated)
	}
	b = append(b, "</p>\n</header>\n"...)
	b = p.appendHint(b)
	b = appendFailures(b, failures)
	if info.Charts == 0 {
		b = append(b, "<p class=\"none\">There are no charts yet. A folder with a Chart.yaml in a served folder appears here by itself.</p>\n"...)
	} else {
		b = append(b, "<main>\n<ul class=\"charts\">\n"...)
		tail = append(tail, "</ul>\n</main>\n"...)
	}
	return b, append(tail, `<footer>The index as <a href="index.yaml">index.yaml</a> and <a href="index.json">index.json</a></footer>
</body>
</html>
`...)
}

func (p Pages) appendHint(b []byte) []byte {
	b = append(b, "<pre><code>helm repo add local "...)
	b = appendText(b, p.address)
	return append(b, "</code></pre>\n<p class=\"hint\">From another machine, put the address of this page in place of the URL.</p>\n"...)
}

func appendFailures(b []byte, failures []repo.Failure) []byte {
	if len(failures) == 0 {
		return b
	}
	b = append(b, "<section class=\"bad\">\n<h2>"...)
	if len(failures) == 1 {
		b = append(b, "1 chart can't be published as it is"...)
	} else {
		b = appendCount(b, len(failures), "chart")
		b = append(b, " can't be published as they are"...)
	}
	b = append(b, "</h2>\n<ul>\n"...)
	for _, f := range failures {
		b = append(b, "<li><code>"...)
		b = appendText(b, f.Path)
		b = append(b, "</code>"...)
		if f.Name != "" {
			b = append(b, ' ')
			b = appendText(b, f.Name)
			b = append(b, ' ')
			b = appendText(b, f.Version)
		}
		if !f.Since.IsZero() {
			b = append(b, ` <small>since <time datetime="`...)
			b = f.Since.UTC().AppendFormat(b, time.RFC3339)
			b = append(b, `">`...)
			b = f.Since.UTC().AppendFormat(b, "2006-01-02 15:04 MST")
			b = append(b, "</time></small>"...)
		}
		b = append(b, `<p dir="auto">`...)
		b = appendText(b, f.Reason)
		b = append(b, "</p></li>\n"...)
	}
	return append(b, "</ul>\n</section>\n"...)
}
