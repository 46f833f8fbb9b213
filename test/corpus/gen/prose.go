package gen

import (
	"fmt"
	"strings"
)

const license = `Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

   http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
`

// hashLicense heads YAML, templateLicense heads templates.
var (
	hashLicense     = prefixed("# ", license)
	templateLicense = "{{/*\n" + license + "*/}}\n\n"
)

// prefixed puts prefix before each line of text.
func prefixed(prefix, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(prefix+strings.TrimSuffix(line, "\n"), " ") + "\n")
	}
	return b.String()
}

// manual is the comment that stands above a named template: what it does, which
// values it reads, how it is called and what comes out. It fills size bytes.
func manual(r *source, name string, size int) string {
	var b strings.Builder
	b.WriteString("{{/*\nabstract: |\n")
	for range 2 {
		fmt.Fprintf(&b, "  %s\n", r.sentence(60))
	}
	b.WriteString("examples:\n")
	for b.Len() < size {
		b.WriteString("  - values: |\n      endpoints:\n")
		for range r.between(2, 5) {
			service := services[r.n(len(services))]
			fmt.Fprintf(&b, "        %s:\n          name: %s\n          hosts:\n            default: %s\n            public: %s-api\n          host_fqdn_override:\n            default: null\n          port:\n            api:\n              default: %d\n              public: 80\n",
				service, service, service, service, 8000+r.n(8))
		}
		fmt.Fprintf(&b, "    usage: |\n      {{ tuple %q %q . | include %q }}\n", services[r.n(len(services))], "internal", name)
		fmt.Fprintf(&b, "    return: |\n      %s: %s\n", r.word(), r.words(2, "-"))
	}
	b.WriteString("*/}}\n\n")
	return b.String()
}

// services are what the manuals take their examples from.
var services = []string{"identity", "image", "compute", "network", "oslo_db", "oslo_messaging", "ceph_object_store", "orchestration"}

// shell is the body of a shell script of about size bytes. It holds nothing that
// a template engine would take for its own.
func shell(r *source, size int) string {
	var b strings.Builder
	b.WriteString("set -ex\n")
	for b.Len() < size {
		name := r.words(2, "_")
		fmt.Fprintf(&b, "\n# %s\nfunction %s () {\n  local %s=\"${1:-%s}\"\n", r.sentence(50), name, r.word(), r.word())
		for range r.between(2, 7) {
			switch r.n(4) {
			case 0:
				fmt.Fprintf(&b, "  if [ \"x${%s}\" == \"x%s\" ]; then\n    echo \"%s\"\n  fi\n", strings.ToUpper(r.words(2, "_")), r.word(), r.sentence(30))
			case 1:
				fmt.Fprintf(&b, "  %s --%s=\"${%s}\" --%s %d\n", r.words(2, "-"), r.word(), strings.ToUpper(r.word()), r.words(2, "-"), r.n(9000))
			case 2:
				fmt.Fprintf(&b, "  for %s in $(%s list -f value -c %s); do\n    %s %s \"${%s}\"\n  done\n", "ITEM", r.word(), r.word(), r.word(), r.word(), "ITEM")
			default:
				fmt.Fprintf(&b, "  export %s=%q\n", strings.ToUpper(r.words(2, "_")), r.words(3, "/"))
			}
		}
		fmt.Fprintf(&b, "}\n")
	}
	return b.String()
}

// python is shell's counterpart for the scripts that are Python.
func python(r *source, size int) string {
	var b strings.Builder
	b.WriteString("import logging\nimport os\nimport sys\n\nlogger = logging.getLogger(os.environ['SERVICE_NAME'])\n")
	for b.Len() < size {
		fmt.Fprintf(&b, "\n\ndef %s(%s, %s):\n    # %s\n", r.words(2, "_"), r.word(), "config", r.sentence(45))
		for range r.between(2, 6) {
			fmt.Fprintf(&b, "    try:\n        %s = os.environ['%s']\n        logger.info('%s %%s', %s)\n    except Exception as error:\n        logger.critical('%s %%s', error)\n        sys.exit(1)\n",
				"value", strings.ToUpper(r.words(2, "_")), r.words(3, " "), "value", r.words(4, " "))
		}
	}
	return b.String()
}

// restructured is a page of documentation of about size bytes.
func restructured(r *source, title string, size int) string {
	var b strings.Builder
	line := strings.Repeat("=", len(title))
	fmt.Fprintf(&b, "%s\n%s\n%s\n", line, title, line)
	for b.Len() < size {
		head := strings.TrimSuffix(r.sentence(20), ".")
		fmt.Fprintf(&b, "\n%s\n%s\n\n", head, strings.Repeat("-", len(head)))
		for range r.between(2, 5) {
			fmt.Fprintf(&b, "%s\n", r.sentence(75))
		}
		if r.n(3) == 0 {
			fmt.Fprintf(&b, "\n.. code-block:: shell\n\n    %s --%s %s\n", r.words(2, "-"), r.word(), r.word())
		}
	}
	return b.String()
}
