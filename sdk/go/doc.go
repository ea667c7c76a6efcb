// Package toolcell lets Go programs offer tools, resources and prompts to Model Context Protocol clients, as WebAssembly
// components that run in Toolcell.
//
// A plugin registers what it offers in an init function; main is never run:
//
//	type GreetArgs struct {
//		Name string `json:"name" doc:"Whom to greet."`
//	}
//
//	func init() {
//		toolcell.Tool("greet", "Says hello to someone.", func(c *toolcell.Call, in GreetArgs) (string, error) {
//			return "Hello, " + in.Name + "!", nil
//		})
//	}
//
//	func main() {}
//
// The package compiles for the machine itself too, so that a plugin's tests are an ordinary go test: package toolcelltest
// plays the host.
package toolcell
