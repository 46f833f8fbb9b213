package chart

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// base is a Chart.yaml that lines can be added to.
const base = "apiVersion: v2\nname: t\nversion: 1.2.3\n"

const sanitisedFields = `home: "h\t\x01"
icon: "i\t\x01"
condition: "c\t\x01"
tags: "t\t\x01"
appVersion: "a\t\x01"
kubeVersion: "k\t\x01"
sources: ["s\t\x01"]
keywords: ["w\t\x01"]
annotations: {a: "b\t\x01"}
`

func withName(s string) string    { return "apiVersion: v2\nname: " + s + "\nversion: 1.2.3\n" }
func withVersion(s string) string { return "apiVersion: v2\nname: t\nversion: " + s + "\n" }

// baseMetadata is what base says, changed by edit.
func baseMetadata(edit func(*Metadata)) *Metadata {
	md := &Metadata{APIVersion: "v2", Name: "t", Version: "1.2.3"}
	if edit != nil {
		edit(md)
	}
	return md
}

// TestParseMetadata has one case for everything that Helm v4.2.4's package
// accepts, seen with the real client.
func TestParseMetadata(t *testing.T) {
	appVersion := func(s string) *Metadata { return baseMetadata(func(md *Metadata) { md.AppVersion = s }) }
	version := func(s string) *Metadata { return baseMetadata(func(md *Metadata) { md.Version = s }) }
	name := func(s string) *Metadata { return baseMetadata(func(md *Metadata) { md.Name = s }) }
	cases := map[string]struct {
		in   string
		want *Metadata
	}{
		"plain":                        {base, baseMetadata(nil)},
		"leading v":                    {withVersion("v1.2.3"), version("v1.2.3")},
		"leading zero":                 {withVersion("01.2.3"), version("01.2.3")},
		"two numbers":                  {withVersion(`"1.2"`), version("1.2")},
		"version as float":             {withVersion("1.20"), version("1.2")},
		"version as exponent":          {withVersion("1e3"), version("1000")},
		"version with trailing blanks": {withVersion("1.2.3   "), version("1.2.3")},
		"build metadata":               {withVersion("1.2.3+abc.01"), version("1.2.3+abc.01")},
		"appVersion as float":          {base + "appVersion: 1.10\n", appVersion("1.1")},
		"appVersion past float32":      {base + "appVersion: 20190101.1234\n", appVersion("2.0190102e+07")},
		"appVersion as commit":         {base + "appVersion: 1234e56\n", appVersion("+Inf")},
		"appVersion octal":             {base + "appVersion: 0755\n", appVersion("493")},
		"appVersion date":              {base + "appVersion: 2020-01-01\n", appVersion("2020-01-01")},
		"appVersion null":              {base + "appVersion: null\n", baseMetadata(nil)},
		"appVersion tagged":            {base + "appVersion: !!str 1.10\n", appVersion("1.10")},
		"appVersion block":             {base + "appVersion: |\n  1.10\n", appVersion("1.10 ")},
		"name as boolean":              {withName("yes"), name("true")},
		"name as number":               {withName("1.10"), name("1.1")},
		"name with a space":            {withName("a b"), name("a b")},
		"name with percent":            {withName("a%2fb"), name("a%2fb")},
		"appVersion .inf in quotes":    {base + "appVersion: '.inf'\n", appVersion(".inf")},
		"duplicate key, last wins":     {base + "version: 2.0.0\n", version("2.0.0")},
		"duplicate key, exact case":    {base + "Name: other\n", baseMetadata(nil)},
		"upper case keys":              {"APIVERSION: v2\nNAME: t\nVersion: 1.2.3\n", baseMetadata(nil)},
		"header and footer":            {"# license\n---\n" + base + "...\n", baseMetadata(nil)},
		"second document":              {base + "---\nname: z\n", baseMetadata(nil)},
		"second document is junk":      {base + "---\n\t{{{\n", baseMetadata(nil)},
		"missing apiVersion":           {"name: t\nversion: 1.2.3\n", baseMetadata(func(md *Metadata) { md.APIVersion = "v1" })},
		"byte order mark and CRLF":     {"\uFEFF" + strings.ReplaceAll(base, "\n", "\r\n"), baseMetadata(nil)},
		"no final newline":             {strings.TrimSuffix(base, "\n"), baseMetadata(nil)},
		"JSON":                         {`{"apiVersion":"v2","name":"t","version":"1.2.3"}`, baseMetadata(nil)},
		"unknown fields":               {base + "foo: {1: 2, true: [x]}\n", baseMetadata(nil)},
		"anchor and alias":             {base + "description: &d hi\nicon: *d\n", baseMetadata(func(md *Metadata) { md.Description, md.Icon = "hi", "hi" })},
		"merge key":                    {"x: &x {name: t}\n<<: *x\napiVersion: v2\nversion: 1.2.3\n", baseMetadata(nil)},
		"deprecated as yes":            {base + "deprecated: yes\n", baseMetadata(func(md *Metadata) { md.Deprecated = true })},
		"library":                      {base + "type: library\n", baseMetadata(func(md *Metadata) { md.Type = "library" })},
		"kubeVersion is not checked":   {base + "kubeVersion: what\n", baseMetadata(func(md *Metadata) { md.KubeVersion = "what" })},
		"keywords of all types": {base + "keywords: [1, yes, 1.10, null]\n", baseMetadata(func(md *Metadata) {
			md.Keywords = []string{"1", "true", "1.1", ""}
		})},
		"annotations of scalar types": {base + "annotations: {a: 1.10, b: true, c: null, 4: d}\n", baseMetadata(func(md *Metadata) {
			md.Annotations = map[string]string{"a": "1.1", "b": "true", "c": "", "4": "d"}
		})},
		"texts are sanitised": {base + "description: \"a\\x01b\\nc\\td\\u200be\"\n", baseMetadata(func(md *Metadata) { md.Description = "ab c de" })},
		"all texts are sanitised": {base + sanitisedFields, baseMetadata(func(md *Metadata) {
			md.Home, md.Icon, md.Condition, md.Tags = "h ", "i ", "c ", "t "
			md.AppVersion, md.KubeVersion = "a ", "k "
			md.Sources, md.Keywords = []string{"s "}, []string{"w "}
			md.Annotations = map[string]string{"a": "b\t\x01"} // not these
		})},
		"maintainers": {base + "maintainers:\n- name: 1.10\n  email: a@b\n  url: \"x\\ty\"\n", baseMetadata(func(md *Metadata) {
			md.Maintainers = []*Maintainer{{Name: "1.1", Email: "a@b", URL: "x y"}}
		})},
		"dependencies": {base + "dependencies:\n- name: a\n  version: \">= 1\"\n  repository: file://../a\n  alias: b\n  tags: [x]\n  enabled: true\n  condition: a.on\n  import-values: [data, {child: c, parent: p}]\n",
			baseMetadata(func(md *Metadata) {
				md.Dependencies = []*Dependency{{
					Name: "a", Version: ">= 1", Repository: "file://../a", Alias: "b", Tags: []string{"x"}, Enabled: true, Condition: "a.on",
					ImportValues: []any{"data", map[string]any{"child": "c", "parent": "p"}},
				}}
			})},
		"one chart twice under an alias": {base + "dependencies: [{name: a}, {name: a, alias: b}]\n", baseMetadata(func(md *Metadata) {
			md.Dependencies = []*Dependency{{Name: "a"}, {Name: "a", Alias: "b"}}
		})},
		"empty dependencies": {base + "dependencies: []\n", baseMetadata(func(md *Metadata) { md.Dependencies = []*Dependency{} })},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, _, err := ParseMetadata([]byte(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestParseMetadataRefuses has one case for everything that Helm v4.2.4 refuses,
// seen with the real client, and for what is refused here alone ("ours").
func TestParseMetadataRefuses(t *testing.T) {
	const semantic = `not a semantic version (write MAJOR.MINOR.PATCH, such as 1.2.3)`
	const rename = ` (use lower case letters, digits and dashes)`
	cases := map[string]struct {
		in   string
		kind error
		want string
	}{
		"no name":              {"apiVersion: v2\nversion: 1.2.3\n", ErrMetadata, `Chart.yaml: name: missing (add a line such as name: my-chart)`},
		"no version":           {"apiVersion: v2\nname: t\n", ErrMetadata, `Chart.yaml: version: missing (write MAJOR.MINOR.PATCH, such as 1.2.3)`},
		"empty":                {"", ErrMetadata, `Chart.yaml: name: missing (add a line such as name: my-chart)`},
		"only a comment":       {"# hello\n", ErrMetadata, `Chart.yaml: name: missing (add a line such as name: my-chart)`},
		"empty first document": {"---\n---\n" + base, ErrMetadata, `Chart.yaml: name: missing (add a line such as name: my-chart)`},
		"a list":               {"- a\n", ErrMetadata, `Chart.yaml: must be a mapping, not a list (write it as key: value lines)`},
		"a text":               {"foo\n", ErrMetadata, `Chart.yaml: must be a mapping, not a string (write it as key: value lines)`},
		"four numbers":         {withVersion("1.2.3.4"), ErrMetadata, `Chart.yaml: version "1.2.3.4": ` + semantic},
		"zero in prerelease":   {withVersion("1.2.3-049.abc"), ErrMetadata, `Chart.yaml: version "1.2.3-049.abc": ` + semantic},
		"blank in version":     {withVersion(`"1.2.3 "`), ErrMetadata, `Chart.yaml: version "1.2.3 ": ` + semantic},
		"upper case V":         {withVersion("V1.2.3"), ErrMetadata, `Chart.yaml: version "V1.2.3": ` + semantic},
		"newline in version":   {withVersion("|\n  1.2.3"), ErrMetadata, `Chart.yaml: version "1.2.3\n": ` + semantic},
		"number too large":     {withVersion("99999999999999999999.0.0"), ErrMetadata, `Chart.yaml: version "99999999999999999999.0.0": ` + semantic},
		"name is a path":       {withName("../t"), ErrUnsafe, `Chart.yaml: name "../t": a name can't be a path` + rename},
		"name with slash":      {withName("a/b"), ErrUnsafe, `Chart.yaml: name "a/b": a name can't be a path` + rename},
		"name is a dot":        {withName("."), ErrUnsafe, `Chart.yaml: name ".": a name can't be a path` + rename},
		"name is null":         {withName("~"), ErrMetadata, `Chart.yaml: name: missing (add a line such as name: my-chart)`},
		"not UTF-8":            {base + "description: \"\xff\xfe\"\n", ErrMetadata, `Chart.yaml: not valid YAML: invalid leading UTF-8 octet (save the file as UTF-8)`},
		"control character":    {base + "# \x00\n", ErrMetadata, `Chart.yaml: not valid YAML: control characters are not allowed`},
		"tab indent":           {base + "maintainers:\n\t- name: x\n", ErrMetadata, `Chart.yaml: not valid YAML: line 5: found character that cannot start any token (indent with spaces, not tabs)`},
		"bad type":             {base + "type: foo\n", ErrMetadata, `Chart.yaml: type "foo": not a type of chart (write application or library)`},
		"null maintainer":      {base + "maintainers:\n- name: a\n-\n", ErrMetadata, `Chart.yaml: maintainers[1]: empty or null (fill it in or remove the line)`},
		"maintainer is text":   {base + "maintainers: [bob]\n", ErrMetadata, `Chart.yaml: maintainers: must be a mapping, not a string (write it as key: value lines)`},
		"annotation is list":   {base + "annotations: {a: [1]}\n", ErrMetadata, `Chart.yaml: annotations: must be one text, not a list`},
		"annotation is map":    {base + "annotations: {a: {b: c}}\n", ErrMetadata, `Chart.yaml: annotations: must be one text, not a mapping`},
		"appVersion is list":   {base + "appVersion: [1]\n", ErrMetadata, `Chart.yaml: appVersion: must be one text, not a list`},
		"keywords is text":     {base + "keywords: foo\n", ErrMetadata, `Chart.yaml: keywords: must be a list, not a string (start each entry with a dash)`},
		"deprecated quoted":    {base + "deprecated: \"true\"\n", ErrMetadata, `Chart.yaml: deprecated: must be true or false, not a string (write it without quotes)`},
		"deprecated number":    {base + "deprecated: 1\n", ErrMetadata, `Chart.yaml: deprecated: must be true or false, not a number (write it without quotes)`},
		"infinite":             {base + "appVersion: .inf\n", ErrMetadata, `Chart.yaml: .inf and .nan are not values that Helm can read (write them in quotes)`},
		"null key":             {base + "? ~\n: x\n", ErrMetadata, `Chart.yaml: error converting YAML to JSON: unsupported map key of type: %!s(<nil>), key: <nil>, value: "x"`},
		"apiVersion v3":        {"apiVersion: v3\nname: t\nversion: 1.2.3\n", ErrMetadata, `Chart.yaml: apiVersion "v3": Helm 4 reads v1 and v2 alone, Helm 3 takes anything else for v2 (write v2, or v1 for a chart with requirements.yaml)`},
		"null dependency":      {base + "dependencies: [null]\n", ErrDependency, `Chart.yaml: dependencies[0]: empty or null (fill it in or remove the line)`},
		"bad alias":            {base + "dependencies: [{name: a, alias: a.b}]\n", ErrDependency, `Chart.yaml: dependencies[0].alias "a.b": not an alias (use letters, digits, - and _)`},
		"newline in alias":     {base + "dependencies: [{name: a, alias: \"a\\n\"}]\n", ErrDependency, `Chart.yaml: dependencies[0].alias "a\n": not an alias (use letters, digits, - and _)`},
		"same name twice":      {base + "dependencies: [{name: a}, {name: a}]\n", ErrDependency, `Chart.yaml: dependencies[1].name "a": two dependencies have this name or alias (give one of them another alias)`},
		"alias is a name":      {base + "dependencies: [{name: b}, {name: a, alias: b}]\n", ErrDependency, `Chart.yaml: dependencies[1].alias "b": two dependencies have this name or alias (give one of them another alias)`},
		"enabled quoted":       {base + "dependencies: [{name: a, enabled: \"yes\"}]\n", ErrMetadata, `Chart.yaml: dependencies.enabled: must be true or false, not a string (write it without quotes)`},

		"ours: hidden name":           {withName(".x"), ErrUnsafe, `Chart.yaml: name ".x": a name can't start with a dot` + rename},
		"ours: slash alone":           {withName("/"), ErrUnsafe, `Chart.yaml: name "/": a name can't be a path` + rename},
		"ours: backslash":             {withName(`a\b`), ErrUnsafe, `Chart.yaml: name "a\\b": a name can't hold a backslash or a colon` + rename},
		"ours: drive letter":          {withName(`"c:"`), ErrUnsafe, `Chart.yaml: name "c:": a name can't hold a backslash or a colon` + rename},
		"ours: name Chart.yaml":       {withName("Chart.yaml"), ErrUnsafe, `Chart.yaml: name "Chart.yaml": Helm refuses an archive with this top directory` + rename},
		"ours: newline in name":       {withName(`"a\nb"`), ErrUnsafe, `Chart.yaml: name "a\nb": a name can't hold control or other invisible characters` + rename},
		"ours: invisible in name":     {withName(`"t\u200b"`), ErrUnsafe, `Chart.yaml: name "t\u200b": a name can't hold control or other invisible characters` + rename},
		"ours: long name":             {withName(strings.Repeat("n", 251)), ErrLimit, `Chart.yaml: name "` + strings.Repeat("n", 80) + `"...: 251 bytes long, at most 250 are possible (shorten it)`},
		"ours: long archive name":     {"name: " + strings.Repeat("n", 126) + "\nversion: 1.0.0-" + strings.Repeat("x", 94), ErrLimit, `Chart.yaml: version "1.0.0-` + strings.Repeat("x", 74) + `"...: NAME-VERSION.tgz is 231 bytes long, at most 230 are possible (shorten it)`},
		"ours: dependency is a path":  {base + "dependencies: [{name: ../../a}]\n", ErrUnsafe, `Chart.yaml: dependencies[0].name "../../a": a name can't be a path (write the chart's name, and its path as repository: file://PATH)`},
		"ours: file too large":        {base + "#" + strings.Repeat("x", MaxFileSize), ErrLimit, `Chart.yaml: 1048615 bytes long, at most 1048576 are read`},
		"ours: too many dependencies": {base + "dependencies:\n" + strings.Repeat("- {name: a}\n", MaxDependencies+1), ErrLimit, `Chart.yaml: dependencies: 10001 entries, at most 10000 are read`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			md, _, err := ParseMetadata([]byte(tc.in))
			if err == nil {
				t.Fatalf("got %+v, want an error", md)
			}
			if got := err.Error(); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if !errors.Is(err, tc.kind) {
				t.Errorf("%v is not %v", err, tc.kind)
			}
			var e *Error
			if !errors.As(err, &e) || e.File != MetadataFile {
				t.Errorf("%#v does not name %s", err, MetadataFile)
			}
		})
	}
}

func TestArchiveName(t *testing.T) {
	md := &Metadata{Name: "nova", Version: "1.0.0+abc"}
	if got, want := md.ArchiveName(), "nova-1.0.0+abc.tgz"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestValidateNil(t *testing.T) {
	if err := (*Metadata)(nil).Validate(); !errors.Is(err, ErrMetadata) {
		t.Errorf("got %v", err)
	}
}

// TestKeyTwice: JSON has one key for 1 and "1", and Helm's library (sigs.k8s.io/yaml,
// convertToJSONableObject) takes the value of either, as the order of a Go map has it.
func TestKeyTwice(t *testing.T) {
	const twice, imports = "annotations: {1: a, '1': b}\n", "dependencies:\n- {name: s, import-values: [{child: {true: a, 'true': b}}]}\n"
	cases := map[string]struct {
		read func(data []byte) error
		data string
		bad  bool
	}{
		"annotations":          {parseMetadata, base + twice, true},
		"import-values":        {parseMetadata, base + imports, true},
		"numbers":              {parseMetadata, base + "annotations: {1: a, 1.0: b}\n", true},
		"requirements":         {parseRequirements, imports, true},
		"one number":           {parseMetadata, base + "annotations: {1: a, '2': b}\n", false},
		"the same, overridden": {parseMetadata, base + "annotations: {a: b, a: c}\n", false}, // the last wins, always
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			err := tt.read([]byte(tt.data))
			if got := err != nil && strings.Contains(err.Error(), "as a text and as a number or a boolean"); got != tt.bad || !tt.bad && err != nil {
				t.Errorf("error %v, want one: %v", err, tt.bad)
			}
		})
	}
}

func parseMetadata(data []byte) error {
	_, _, err := ParseMetadata(data)
	return err
}

func parseRequirements(data []byte) error {
	_, err := ParseRequirements(data)
	return err
}
