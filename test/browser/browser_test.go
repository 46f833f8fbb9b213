package browser

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// pageTime is how long a page may take to come, and each step on it.
const pageTime = 30 * time.Second

// browser is one Chromium for all tests.
var browser = sync.OnceValues(func() (context.Context, error) {
	path, err := installed("CHROMIUM", "chromium")
	if err != nil {
		return nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"))
	if os.Getuid() == 0 { // Chromium refuses its sandbox there
		options = append(options, chromedp.NoSandbox)
	}
	alloc, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(alloc)
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ctx, nil
})

func closeBrowser() {
	if ctx, err := browser(); err == nil {
		_ = chromedp.Cancel(ctx)
	}
}

// look is how a page is looked at. The zero value is a desktop with the light colours.
type look struct {
	width    int // 1024 if 0
	height   int // 768 if 0
	dark     bool
	noScript bool
	blocked  bool // that the page's policy blocks something is meant
}

// tab is a page in the browser.
type tab struct {
	ctx     context.Context
	blocked bool

	mu       sync.Mutex
	problems []string
}

// open shows a page. Whatever goes wrong in it until the test ends fails the test.
func open(t *testing.T, address string, l look) *tab {
	t.Helper()
	p := show(t, address, l)
	t.Cleanup(func() { // before the tab is closed
		for _, problem := range p.found() {
			t.Errorf("%s: %s", address, problem)
		}
	})
	return p
}

// show is open for a page in which things may go wrong.
func show(t *testing.T, address string, l look) *tab {
	t.Helper()
	shared, err := browser()
	must(t, err)
	u, err := url.Parse(address)
	must(t, err)
	p := &tab{blocked: l.blocked}
	ctx, cancel := chromedp.NewContext(shared, chromedp.WithNewBrowserContext(),
		chromedp.WithListener(func(event any) { p.hear(u.Host, event) }))
	p.ctx = ctx
	t.Cleanup(cancel)
	must(t, chromedp.Do(ctx)) // without the time limit, which would end the tab
	p.do(t,
		call(audits.Enable, cdp.Empty{}),
		call(log.Enable, cdp.Empty{}),
		call(network.Enable, network.EnableParams{}),
		chromedp.EmulateViewport(int64(cmp.Or(l.width, 1024)), int64(cmp.Or(l.height, 768))),
		media("", l.dark),
		call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScript}),
		chromedp.Navigate(address),
		// The page is as it is without script; axe-core needs timers.
		call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{}))
	return p
}

// media has the page be as it is on a medium, which is the screen if empty.
func media(medium string, dark bool) chromedp.Action[chromedp.Void] {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	return call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media:    medium,
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// call is a command of the protocol as a step.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// do takes steps on the page.
func (p *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	get(t, p, chromedp.Steps(steps...))
}

// get takes a step that returns something.
func get[T any](t *testing.T, p *tab, step chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageTime)
	defer cancel()
	value, err := chromedp.Run(ctx, step)
	must(t, err)
	return value
}

// eval runs a script, which may return a promise. The page's policy does not bind it.
func eval[T any](t *testing.T, p *tab, script string) T {
	t.Helper()
	return get(t, p, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// found returns what has gone wrong in the page.
func (p *tab) found() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.problems)
}

func (p *tab) problem(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := fmt.Sprintf(format, args...); len(p.problems) < 20 && !slices.Contains(p.problems, text) {
		p.problems = append(p.problems, text)
	}
}

// hear notes what an event says that should not happen in a page of host.
func (p *tab) hear(host string, event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Scheme != "data" && u.Host != host {
			p.problem("it asks another host: %s", e.Request.URL)
		}
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, arg := range e.Args {
			words = append(words, string(arg.Value))
		}
		p.problem("console.%s: %s", e.Type, strings.Join(words, " "))
	case *runtime.EventExceptionThrown:
		d := e.ExceptionDetails
		text := d.Text
		if d.Exception != nil {
			text += " " + d.Exception.Description
		}
		p.problem("%s:%d: %s", d.URL, d.LineNumber+1, text)
	case *log.EventEntryAdded:
		security := e.Entry.Source == log.EntrySourceSecurity
		if (e.Entry.Level == log.EntryLevelError || security) && !(p.blocked && security) {
			p.problem("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil && !p.blocked {
			p.problem("Content-Security-Policy: %s of %q", d.ViolatedDirective, d.BlockedURL)
		}
	case *page.EventJavascriptDialogOpening:
		p.problem("a dialogue opens: %s", e.Message)
		go func() {
			_, _ = chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
		}()
	case *page.EventWindowOpen:
		p.problem("it opens %s", e.URL)
	}
}
