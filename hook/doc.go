// Package hook holds a hookpoint as a user writes it, and nothing of what it
// leads to.
package hook
