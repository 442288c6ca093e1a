// Package report writes results as text for people and as JSON for programs,
// and all that check found as one Document: SARIF, JUnit, Markdown.
// The JSON is a contract (docs/json.md): one object a line, a schema with a
// version in each, fields are only ever added.
package report
