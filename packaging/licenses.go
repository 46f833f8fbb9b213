package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// licensesFile is the text that "chartserve licenses" prints, seen from the repository's folder.
// Archives and packages have it as THIRD_PARTY_LICENSES.
const licensesFile = "cmd/chartserve/licenses.txt"

const licensesIntro = `chartserve is licensed under the Apache License, Version 2.0: see LICENSE and NOTICE, which come
with it. Its program holds parts of the modules below, whose authors ask for these texts to come
with it too. Modules with the same text are listed together.
`

var (
	// licenseName matches the names of files that have to be passed on.
	licenseName = regexp.MustCompile(`(?i)^(licen[sc]es?|copying|copyright|notice|patents)([-._].*)?$`)
	// otherName matches those that are about documentation, or are no text.
	otherName = regexp.MustCompile(`(?i)\.(go|docs)$`)
)

// notice is one text, and the modules that come with it.
type notice struct {
	text    string
	kinds   []string // SPDX identifiers, none if it is no known licence
	modules []string
}

// licensesText is the content of licensesFile.
func licensesText(modules []module) (string, error) {
	notices, err := notices(modules)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(licensesIntro)
	for _, n := range notices {
		title := strings.Join(n.kinds, ", ")
		if title == "" {
			title = "Notice"
		}
		fmt.Fprintf(&b, "\n%s\n%s, of\n", strings.Repeat("=", 80), title)
		for _, path := range n.modules {
			if path == standard {
				path = "Go's standard library and runtime"
			}
			fmt.Fprintf(&b, "  %s\n", path)
		}
		fmt.Fprintf(&b, "%s\n\n%s\n", strings.Repeat("-", 80), n.text)
	}
	return b.String(), nil
}

// notices returns the texts of modules, each once whatever the blanks in it, in the order of the
// modules that come with them. A module without a licence is an error.
func notices(modules []module) ([]*notice, error) {
	byText := map[string]*notice{}
	var ordered []*notice
	for _, m := range modules {
		texts, err := m.licenses()
		if err != nil {
			return nil, err
		}
		licensed := false
		for _, text := range texts {
			words := strings.Join(strings.Fields(text), " ")
			n := byText[words]
			if n == nil {
				n = &notice{text: text, kinds: kindsOf(text)}
				byText[words], ordered = n, append(ordered, n)
			}
			n.modules = append(n.modules, m.path)
			licensed = licensed || len(n.kinds) > 0
		}
		if !licensed {
			return nil, fmt.Errorf("%s: no licence is known in %s", m.path, m.dir)
		}
	}
	return ordered, nil
}

// licenses returns the texts in a module's folder, in the folders of its packages that are
// linked, and between them.
func (m module) licenses() ([]string, error) {
	folders := []string{m.dir}
	for _, folder := range m.folders {
		for ; len(folder) > len(m.dir); folder = filepath.Dir(folder) {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	var texts []string
	for _, folder := range slices.Compact(folders) {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() || !licenseName.MatchString(e.Name()) || otherName.MatchString(e.Name()) {
				continue
			}
			data, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				return nil, err
			}
			texts = append(texts, tidy(data))
		}
	}
	return texts, nil
}

// tidy takes away what editors leave at the ends of lines and of a text.
func tidy(text []byte) string {
	text = regexp.MustCompile(`[ \t\r\f]+(\n|$)`).ReplaceAll(text, []byte("$1"))
	return string(bytes.Trim(text, "\n"))
}

// kindsOf names the licences in a text, in SPDX's words.
func kindsOf(text string) []string {
	var kinds []string
	for _, match := range licensecheck.Scan([]byte(text)).Match {
		if !match.IsURL && !slices.Contains(kinds, match.ID) {
			kinds = append(kinds, match.ID)
		}
	}
	return kinds
}
