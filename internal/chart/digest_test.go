package chart

import (
	"strings"
	"testing"
)

func TestParseDigest(t *testing.T) {
	const hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // of nothing, FIPS 180-4
	for s, want := range map[string]string{
		hex:                               hex,
		"sha256:" + hex:                   hex,
		strings.ToUpper(hex):              hex,
		"sha256:sha256:" + hex:            "",
		"sha512:" + hex:                   "",
		hex[1:]:                           "",
		hex + "00":                        "",
		strings.Replace(hex, "e", "g", 1): "",
		"":                                "",
		"sha256:":                         "",
	} {
		if got, ok := ParseDigest(s); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", s, got, ok, want)
		}
	}
	got, size, err := DigestOf(strings.NewReader(""))
	if got != hex || size != 0 || err != nil || Digest(nil) != hex {
		t.Errorf("of nothing: got %s, %d, %v", got, size, err)
	}
}
