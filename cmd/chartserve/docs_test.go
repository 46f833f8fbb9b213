package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/openstack-helm.md does to a Makefile: the one of 2018 calls helm, the ones of
// 2019 and 2026 $(HELM).
func TestSedOfTheDocs(t *testing.T) {
	doc, err := os.ReadFile("../../docs/openstack-helm.md")
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile("(?s)```sh\n(sed -E .*?)```").FindSubmatch(doc)
	if script == nil {
		t.Fatal("the document has no sed")
	}
	for helm, name := range map[string]string{"helm": "2018", "$(HELM)": "2019"} {
		dir := t.TempDir()
		makefile := filepath.Join(dir, "Makefile")
		writeFile(t, makefile, strings.ReplaceAll(`HELM := helm
init-%:
	if [ -f $*/requirements.yaml ]; then @ dep up $*; fi
lint-%: init-%
	if [ -d $* ]; then @ lint $*; fi
build-%: lint-%
	if [ -d $* ]; then @ package $*; fi
`, "@", helm))
		sed := exec.Command("sh", "-c", string(script[1]))
		sed.Dir = dir
		if out, err := sed.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got, err := os.ReadFile(makefile)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(`HELM := helm
init-%:
lint-%: init-%
	if [ -d $* ]; then archive=$$(chartserve package -q -d .lint $*) && @ lint $$archive; fi
build-%: lint-%
	if [ -d $* ]; then chartserve package $*; fi
`, "@", helm)
		if string(got) != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}
