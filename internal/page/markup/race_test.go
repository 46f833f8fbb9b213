//go:build race

package markup

// share is the part of a long text that the tests of time take: what they look for is no
// race, and under its detector they take minutes.
const share = 16
