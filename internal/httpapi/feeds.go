package httpapi

import (
	"net/http"

	"chartserve/internal/page"
	"chartserve/internal/repo"
)

// feed answers with the news of all charts.
func (a *api) feed(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	return a.sendHashed(w, r, feedHead(), page.Feed(a.frame(r, v), v, nil))
}

// chartFeed answers with the news of a chart.
func (a *api) chartFeed(w http.ResponseWriter, r *http.Request, s page.Subject) error {
	return a.sendHashed(w, r, feedHead(), page.Feed(s.Frame, s.View, s.Chart))
}

func feedHead() head {
	return head{kind: page.FeedType, policy: barePolicy, cache: "no-cache", vary: "Accept-Encoding"}
}

// sitemap answers with the pages that search engines are to know.
func (a *api) sitemap(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	answer := head{kind: "application/xml; charset=utf-8", policy: barePolicy, cache: "no-cache", vary: "Accept-Encoding"}
	return a.sendHashed(w, r, answer, page.Sitemap(a.frame(r, v), v))
}

// badge answers with a picture of what the newest version of a chart is.
func (a *api) badge(w http.ResponseWriter, r *http.Request, s page.Subject) error {
	answer := head{kind: "image/svg+xml", policy: filePolicy, cache: "no-cache", vary: "Accept-Encoding"}
	switch what := r.URL.Query().Get("what"); what {
	case "", "version":
		return a.sendHashed(w, r, answer, page.Badge(s.Chart))
	case "signed":
		return a.sendHashed(w, r, answer, page.SignedBadge(s.View, s.Chart))
	default:
		return refuse(http.StatusBadRequest, "there is no badge of that: write ?what=version or ?what=signed")
	}
}
