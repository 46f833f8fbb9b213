package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// ciStep is one step of a job that runs in a shell.
type ciStep struct {
	name, script string
	first        bool // it needs CHARTS_URL, which is not there the first time
}

// forge reads the steps of the jobs in examples/ci as a forge would: expressions are
// replaced by variables, those of env included.
type forge struct {
	shell   []string
	summary string // where it is, below $RUNNER_TEMP or the checkout
	jobs    func(t *testing.T, job string, vars map[string]string) []ciStep
}

func forges() map[string]forge {
	return map[string]forge{
		"github": {[]string{"bash", "-eo", "pipefail", "-c"}, "summary", githubJob},
		"gitlab": {[]string{"bash", "-eo", "pipefail", "-c"}, "summary.md", gitlabJob},
		"zuul":   {[]string{"sh", "-c"}, "zuul-output/logs/charts.md", zuulJob},
	}
}

// decodeExample reads examples/ci/NAME.
func decodeExample(t *testing.T, name string, into any) {
	t.Helper()
	must(t, yaml.UnmarshalStrict([]byte(read(t, filepath.Join("..", "..", "examples", "ci", filepath.FromSlash(name)))), into, yaml.DisallowUnknownFields))
}

// expand replaces the expressions that pattern finds; one that names no variable fails the
// test.
func expand(t *testing.T, pattern *regexp.Regexp, text string, vars map[string]string) string {
	t.Helper()
	return pattern.ReplaceAllStringFunc(text, func(found string) string {
		value, ok := vars[pattern.FindStringSubmatch(found)[1]]
		if !ok {
			t.Errorf("%s: no such variable", found)
		}
		return value
	})
}

// githubJob also puts the job's env into vars.
func githubJob(t *testing.T, job string, vars map[string]string) []ciStep {
	t.Helper()
	var flow struct {
		Name        string            `json:"name"`
		On          any               `json:"true"` // YAML's on
		Permissions map[string]string `json:"permissions"`
		Concurrency any               `json:"concurrency"`
		Env         map[string]string `json:"env"`
		Jobs        map[string]struct {
			Needs       string            `json:"needs"`
			If          string            `json:"if"`
			RunsOn      string            `json:"runs-on"`
			Permissions map[string]string `json:"permissions"`
			Environment map[string]string `json:"environment"`
			Env         map[string]string `json:"env"`
			Steps       []struct {
				ID   string            `json:"id"`
				Name string            `json:"name"`
				If   string            `json:"if"`
				Uses string            `json:"uses"`
				With map[string]string `json:"with"`
				Run  string            `json:"run"`
			} `json:"steps"`
		} `json:"jobs"`
	}
	decodeExample(t, "github.yaml", &flow)
	expression := regexp.MustCompile(`\$\{\{ (?:vars|secrets)\.(\w+) \}\}`)
	for _, env := range []map[string]string{flow.Env, flow.Jobs[job].Env} {
		for name, value := range env {
			vars[name] = expand(t, expression, value, vars)
		}
	}
	var steps []ciStep
	for _, s := range flow.Jobs[job].Steps {
		if s.Uses != "" && !regexp.MustCompile(`^actions/[a-z-]+@[0-9a-f]{40}$`).MatchString(s.Uses) {
			t.Errorf("%s is not pinned", s.Uses)
		}
		if s.Run != "" {
			steps = append(steps, ciStep{s.Name, expand(t, expression, s.Run, vars), s.If != ""})
		}
	}
	return steps
}

// gitlabJob makes one step of a job, as GitLab's runner does.
func gitlabJob(t *testing.T, job string, vars map[string]string) []ciStep {
	t.Helper()
	type spec struct {
		Extends       any               `json:"extends"`
		Stage         string            `json:"stage"`
		ResourceGroup string            `json:"resource_group"`
		Rules         []any             `json:"rules"`
		Variables     map[string]string `json:"variables"`
		Before        []string          `json:"before_script"`
		Script        any               `json:"script"`
		Artifacts     any               `json:"artifacts"`
	}
	var pipeline map[string]any
	decodeExample(t, "gitlab.yaml", &pipeline)
	named := func(name string) (s spec) {
		data, err := yaml.Marshal(pipeline[name])
		must(t, err)
		must(t, yaml.UnmarshalStrict(data, &s, yaml.DisallowUnknownFields))
		return s
	}
	s := named(job)
	for name, value := range s.Variables {
		vars[name] = value
	}
	lines := s.Before
	if data, _ := yaml.Marshal(s.Extends); len(lines) == 0 && strings.Contains(string(data), ".install") {
		lines = named(".install").Before
	}
	if strings.Contains(strings.Join(lines, ""), "apt-get") {
		lines = nil // the machine's own
	}
	switch script := s.Script.(type) {
	case string:
		lines = append(lines, script)
	case []any:
		for _, line := range script {
			lines = append(lines, line.(string))
		}
	}
	return []ciStep{{job, strings.Join(lines, "\n"), false}}
}

// zuulJob knows the job build alone: Zuul itself publishes.
func zuulJob(t *testing.T, job string, vars map[string]string) []ciStep {
	t.Helper()
	decodeExample(t, "zuul/zuul.d/charts.yaml", new([]any))
	decodeExample(t, "zuul/playbooks/charts/publish.yaml", new([]any))
	var plays []struct {
		Hosts string `json:"hosts"`
		Tasks []struct {
			Name  string            `json:"name"`
			Shell string            `json:"ansible.builtin.shell"`
			Args  map[string]string `json:"args"`
			When  string            `json:"when"`
		} `json:"tasks"`
	}
	decodeExample(t, "zuul/playbooks/charts/"+job+".yaml", &plays)
	values := map[string]string{
		"chartserve_url": vars["GET_CHARTSERVE"], "chartserve_sha256": vars["GET_CHARTSERVE_SHA256"], "charts_url": vars["CHARTS_URL"],
		"ansible_user_dir": vars["RUNNER_TEMP"], "zuul.project.src_dir": ".",
	}
	expression := regexp.MustCompile(`\{\{ ([\w.]+) \}\}`)
	var steps []ciStep
	for _, task := range plays[0].Tasks {
		script := "cd '" + expand(t, expression, task.Args["chdir"], values) + "'\n" + expand(t, expression, task.Shell, values)
		steps = append(steps, ciStep{task.Name, script, task.When != ""})
	}
	return steps
}

// run does a job's steps in dir with vars as environment. It returns what they print,
// and whether all of them succeeded.
func (f forge) run(t *testing.T, dir, job string, vars map[string]string) (string, bool) {
	t.Helper()
	var all strings.Builder
	steps := f.jobs(t, job, vars)
	if len(steps) == 0 {
		t.Fatalf("no step of %s runs in a shell", job)
	}
	pathFile := filepath.Join(vars["RUNNER_TEMP"], "path")
	for _, s := range steps {
		if s.first && vars["CHARTS_URL"] == "" || strings.Contains(s.script, "apt-get") {
			continue
		}
		added, _ := os.ReadFile(pathFile) // by the step before
		path := strings.ReplaceAll(string(added), "\n", ":") + vars["PATH"]
		env := append(environment(t.TempDir()), "GITHUB_PATH="+pathFile, "GITHUB_STEP_SUMMARY="+filepath.Join(vars["RUNNER_TEMP"], "summary"))
		for name, value := range vars {
			env = append(env, name+"="+value)
		}
		r := execute(t, dir, append(env, "PATH="+path), f.shell[0], append(f.shell[1:], s.script)...)
		all.WriteString(s.name + "\n" + r.all())
		if !r.ok() {
			return all.String(), false
		}
	}
	return all.String(), true
}
