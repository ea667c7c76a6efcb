// A plugin for Toolcell: what it offers is registered in init, and main is never run.
package main

import toolcell "toolcell.dev/sdk"

type greetArgs struct {
	Name string `json:"name" doc:"Whom to greet."`
}

func init() {
	toolcell.Tool("greet", "Greets someone by name.", greet,
		toolcell.Title("Greet"), toolcell.ReadOnly, toolcell.Idempotent, toolcell.ClosedWorld)
}

func greet(c *toolcell.Call, in greetArgs) (string, error) {
	return "Hello, " + in.Name + "!", nil
}

func main() {}
