// Command chart renders the Helm chart with several sets of values, compares
// every object with the types of the Kubernetes API and of the Prometheus
// operator, and writes what was rendered.
//
//	chart CHART OUTPUT
//
// It is a module of its own because Helm brings 60 others.
package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)

// object gives what an object of a kind must fit into.
func object(kind string) any {
	switch kind {
	case "apps/v1 DaemonSet":
		return &apps.DaemonSet{}
	case "v1 ConfigMap":
		return &core.ConfigMap{}
	case "v1 Service":
		return &core.Service{}
	case "v1 ServiceAccount":
		return &core.ServiceAccount{}
	case "monitoring.coreos.com/v1 ServiceMonitor":
		return &monitoring.ServiceMonitor{}
	case "monitoring.coreos.com/v1 PrometheusRule":
		return &monitoring.PrometheusRule{}
	}
	return nil
}

// values are the sets of values that the chart is rendered with.
func values() map[string]string {
	return map[string]string{
		"default": "",
		"all": `
noGap: true
serviceMonitor: {enabled: true, labels: {release: prometheus}}
prometheusRule: {enabled: true, labels: {release: prometheus}}
dashboard: {enabled: true}
priorityClassName: system-node-critical
imagePullSecrets: [{name: registry}]
podAnnotations: {example.com/a: b}
podLabels: {team: x}
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
hooks:
- {hook: "uprobe:/proc/1/root/usr/lib/libssl.so.3:SSL_write", name: 'quote " and: colon'}
- {hook: "uretprobe:/proc/1/root/usr/bin/a:ns::f(int)"}
`,
		"least": "serviceAccount: {create: false}\npin: ''\ncapabilities: [BPF, PERFMON]\n",
	}
}

// refused are values that the chart's schema must not let pass.
func refused() []string {
	return []string{"hooks: []", "port: 0", "hooks: [{hook: 'uprobe:/a:f', bestEffort: true}]", "logLevel: loud", "pin: relative"}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: chart CHART OUTPUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(dir, out string) error {
	for _, m := range lint.AllWithKubeVersion(dir, nil, "default", nil).Messages {
		if m.Severity > support.InfoSev {
			return fmt.Errorf("lint: %s", m)
		}
	}
	for _, text := range refused() {
		if _, err := render(dir, text); err == nil {
			return fmt.Errorf("values %q are let pass", text)
		}
	}
	sets := values()
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		files, err := render(dir, sets[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		text, err := validate(files)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(out, name+".yaml"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func render(dir, text string) (map[string]string, error) {
	c, err := loader.Load(dir)
	if err != nil {
		return nil, err
	}
	v, err := chartutil.ReadValues([]byte(text))
	if err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: "release", Namespace: "tracing", Revision: 1, IsInstall: true}
	merged, err := chartutil.ToRenderValues(c, v, release, nil)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, merged)
}

// validate decodes every object strictly: a field that its type does not have,
// or one that is there twice, is an error.
func validate(files map[string]string) ([]byte, error) {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := strings.TrimSpace(files[name])
		if path.Ext(name) != ".yaml" || text == "" {
			continue
		}
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(text), &head); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		into := object(head.APIVersion + " " + head.Kind)
		if into == nil {
			return nil, fmt.Errorf("%s: %s %s is not a kind that is checked", name, head.APIVersion, head.Kind)
		}
		if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", name, text)
	}
	return out.Bytes(), nil
}
