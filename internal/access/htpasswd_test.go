package access

import (
	"strings"
	"testing"
)

func TestHtpasswd(t *testing.T) {
	for name, hash := range map[string]string{
		"bcrypt":             byBcrypt,
		"bcrypt, as PHP":     strings.Replace(byBcrypt, "2y", "2b", 1),
		"MD5":                byMD5,
		"SHA-1":              bySHA1,
		"SHA-256":            bySHA256,
		"SHA-512":            bySHA512,
		"SHA-512 and rounds": "$6$rounds=10000$LagIKrh6fXSXtqeU$xLfnES7Et6.0US2vCjuSSTD.JFFvX7w5c4JyfW69XYWiR/Pr6RVbCa7/R9zFAqd7IcWwTYyfEEs0X0No92TFI0",
	} {
		t.Run(name, func(t *testing.T) {
			users, err := parseHtpasswd([]byte("# people\n\nann:" + hash + "\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			for tried, want := range map[string]bool{password: true, password + "x": false, "S3cret-word": false, "": false, hash: false} {
				if got := users["ann"].check(tried); got != want {
					t.Errorf("%q: got %v, want %v", tried, got, want)
				}
			}
		})
	}
}

func TestBadHtpasswd(t *testing.T) {
	weak := "line 2: the password of ann is plain text, or hashed in a way that is too weak or not known (make it anew with htpasswd -B)"
	for name, c := range map[string]struct{ line, want string }{
		"plain text":        {"ann:" + password, weak},
		"DES":               {"ann:" + byCrypt, weak},
		"MD5 of others":     {"ann:$1$abcdefgh$QksbaExQvZPUgA7hsj61M1", weak},
		"salted SHA-1":      {"ann:{SSHA}E33aJLGNgbOcaJ5YUf7xO8uN9Ig=", weak},
		"empty":             {"ann:", weak},
		"no colon":          {password, "line 2: not NAME:HASH"},
		"no name":           {":" + bySHA1, "line 2: the name: write 1 to 64 bytes"},
		"blank in name":     {"ann b:" + bySHA1, "line 2: the name"},
		"control in name":   {"ann\x1b[2J:" + bySHA1, "line 2: the name"},
		"long name":         {strings.Repeat("a", 65) + ":" + bySHA1, "line 2: the name"},
		"twice":             {"bob:" + bySHA1, "line 2: bob is there twice"},
		"comment behind":    {"ann:" + bySHA1 + ":Ann", "line 2: the password of ann is no whole SHA-1 hash"},
		"cut bcrypt":        {"ann:" + byBcrypt[:59], "line 2: the password of ann is no whole bcrypt hash"},
		"other bcrypt":      {"ann:$2y$xx" + byBcrypt[6:], "line 2: the password of ann is no whole bcrypt hash"},
		"costly bcrypt":     {"ann:" + strings.Replace(byBcrypt, "$05", "$15", 1), "line 2: the password of ann has the bcrypt cost 15"},
		"cut SHA-1":         {"ann:" + bySHA1[:20], "line 2: the password of ann is no whole SHA-1 hash"},
		"cut SHA-256":       {"ann:" + bySHA256[:40], "line 2: the password of ann is no whole hash"},
		"no salt":           {"ann:$6$", "line 2: the password of ann is no whole hash"},
		"too many rounds":   {"ann:$6$rounds=1000001$a$b", "line 2: the password of ann has rounds"},
		"rounds, no number": {"ann:$5$rounds=x$a$b", "line 2: the password of ann has rounds"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseHtpasswd([]byte("bob:" + byBcrypt + "\n" + c.line + "\n"))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "$") || strings.Contains(err.Error(), "E33aJ") {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}

// Whatever is in the file, it is read or refused, and no check panics.
func FuzzHtpasswd(f *testing.F) {
	for _, hash := range []string{byBcrypt, byMD5, bySHA1, bySHA256, bySHA512, byCrypt, password, "$6$rounds=5000$a$b", "$5$$", "$2y$"} {
		f.Add("ann:" + hash + "\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		users, err := parseHtpasswd([]byte(text))
		if err != nil && !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("no line: %v", err)
		}
		for name, v := range users {
			if checkName(name) != nil {
				t.Errorf("the name %q", name)
			}
			if v.cost > 100_000 {
				continue // it takes its time
			}
			v.check(text)
			v.check("")
		}
	})
}
