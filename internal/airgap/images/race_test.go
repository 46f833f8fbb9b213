//go:build race

package images

// share is the part of a large input that the tests of time take: what they look for is no
// race, and under its detector they take minutes.
const share = 16
