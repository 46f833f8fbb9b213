package chart

import "testing"

// FuzzParsePick: what is read is written in a form that reads the same.
func FuzzParsePick(f *testing.F) {
	for _, text := range []string{"nova", "nova@1.2.3", "nova@^1.2", " nova @ >=1, <2 ", "nova@", "@1", "a/b", "nova@=1.0.0+a", "nova@>>1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePick(text)
		if err != nil {
			return
		}
		if again, err := ParsePick(p.String()); err != nil || again != p {
			t.Errorf("%q reads as %+v, and what that is written as %+v, %v", text, p, again, err)
		}
		if _, err := p.Versions(true); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
