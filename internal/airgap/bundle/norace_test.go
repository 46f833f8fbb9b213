//go:build !race

package bundle

const step = 1
