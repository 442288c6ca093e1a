// Package report writes results as text for people and as JSON for programs.
// The JSON is a contract (docs/json.md): one object a line, a schema with a
// version in each, fields are only ever added.
package report
