//go:build !invariants

package ecs

// Invariants tells whether the build checks its invariants at run time.
const Invariants = false
