package main

import toolcell "toolcell.dev/sdk"

type echoArgs struct {
	Message string `json:"message" doc:"What to say back."`
}

func init() {
	toolcell.Tool("echo", "Says back the message, unchanged.", func(c *toolcell.Call, in echoArgs) (string, error) {
		return in.Message, nil
	}, toolcell.Title("Echo"), toolcell.ReadOnly, toolcell.Idempotent, toolcell.ClosedWorld)
}

func main() {}
