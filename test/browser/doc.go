// Package browser tests the pages of chartserve in a real Chromium: the real command, on real
// trees, with and without script, in both colour schemes, from a telephone's width to a wall's.
// It imports nothing of chartserve's.
//
// Each page is looked through by axe-core for barriers, walked through by the keyboard, and
// fails the test where it scrolls sideways, logs an error, breaks its Content-Security-Policy,
// opens a dialogue or asks another host for anything. sites_test.go lists the pages; a line
// there adds one.
//
// The programs are found by environment variables, else where the project's make targets put
// them:
//
//	CHARTSERVE   the command; without it ../../bin/chartserve, of make build
//	CHROMIUM     the browser; without it ../../bin/chromium, which ../browser.sh gets
//	AXE          axe-core's axe.min.js; without it ../../bin/axe.js, likewise
//	PICTURES     a folder: each page at each width is written there as it is tested, to look at
//	SCREENSHOTS  a folder: the pictures for README and docs are written there (make screenshots)
//
// Everything listens on the loopback interface on a free port. The browser resolves no other
// name.
package browser
