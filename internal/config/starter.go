package config

import _ "embed"

//go:embed starter.yaml
var starter []byte

// Starter gives the commented file that a new installation begins with.
func Starter() []byte { return append([]byte(nil), starter...) }
