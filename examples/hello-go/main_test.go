package main

import (
	"testing"

	"toolcell.dev/sdk/toolcelltest"
)

func TestItGreetsByName(t *testing.T) {
	result := toolcelltest.New(t).Call("greet", map[string]any{"name": "Ada"})
	if result.Text() != "Hello, Ada!" {
		t.Errorf("%+v", result)
	}
}
