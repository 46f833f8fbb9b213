//go:build !race

package images

const share = 1
