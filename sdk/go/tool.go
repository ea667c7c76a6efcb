package toolcell

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// Tool registers a tool. The description is for the model: what it does, and when to use it.
//
// In is a struct whose fields are the arguments; see [Schema] for its tags. Out is what the tool answers: a string, a [Content]
// or a slice of them, a [Result] of a struct, or any type that can be written as JSON, which becomes the structured result and,
// as text, the content. An error is a result that the model reads, unless it is one of the call itself, as [NotFound] makes.
func Tool[In, Out any](name, description string, run func(c *Call, in In) (Out, error), options ...ToolOption) {
	offersTools()
	t := &tool{name: name, description: description, in: reflect.TypeFor[In](), out: outputOf(reflect.TypeFor[Out]())}
	t.run = func(c *Call) (*outcome, error) {
		var in In
		if err := decode(c.arguments, &in); err != nil {
			return nil, InvalidArguments("arguments of `%s`: %s", name, err)
		}
		out, err := run(c, in)
		if err != nil {
			return nil, err
		}
		return outcomeOf(out)
	}
	for _, option := range options {
		option.applyToTool(t)
	}
	registry.tools = append(registry.tools, t)
}

// The builder of a component looks for these functions: what is linked is offered.

//go:noinline
func offersTools() {}

//go:noinline
func offersResources() {}

//go:noinline
func offersPrompts() {}

//go:noinline
func offersCompletions() {}

type tool struct {
	name, title, description                string
	in                                      reflect.Type
	out                                     reflect.Type // nil if nothing is structured
	readOnly, destructive, idempotent, open *bool
	task, ui                                string
	icons                                   []Icon
	meta                                    map[string]any
	run                                     func(*Call) (*outcome, error)
}

var registry struct {
	tools       []*tool
	resources   []*resource
	prompts     []*prompt
	completions []*completion
}

// ToolOption is a detail of a tool.
type ToolOption interface{ applyToTool(*tool) }

type toolOption func(*tool)

func (o toolOption) applyToTool(t *tool) { o(t) }

var yes, no = true, false

// Hints about what a tool does to the world; what is not said is not said.
var (
	// ReadOnly: it changes nothing.
	ReadOnly ToolOption = toolOption(func(t *tool) { t.readOnly = &yes })
	// Destructive: it may destroy something.
	Destructive ToolOption = toolOption(func(t *tool) { t.destructive = &yes })
	// NotDestructive: what it changes, it only adds to.
	NotDestructive ToolOption = toolOption(func(t *tool) { t.destructive = &no })
	// Idempotent: a second call with the same arguments changes nothing more.
	Idempotent ToolOption = toolOption(func(t *tool) { t.idempotent = &yes })
	// OpenWorld: it reaches beyond a closed set of things, such as to the web.
	OpenWorld ToolOption = toolOption(func(t *tool) { t.open = &yes })
	// ClosedWorld: it does not.
	ClosedWorld ToolOption = toolOption(func(t *tool) { t.open = &no })
)

// Whether the host may run the tool as a durable task, for clients that can follow one. Without any of them the host decides.
var (
	TaskOptional  ToolOption = toolOption(func(t *tool) { t.task = "optional" })
	TaskRequired  ToolOption = toolOption(func(t *tool) { t.task = "required" })
	TaskForbidden ToolOption = toolOption(func(t *tool) { t.task = "forbidden" })
)

// UI names the page (ui://…) that shows the tool's results, a resource of this plugin.
func UI(uri string) ToolOption { return toolOption(func(t *tool) { t.ui = uri }) }

// allMeta is _meta with what other options put there.
func (t *tool) allMeta() *string {
	if t.meta == nil && t.task == "" && t.ui == "" {
		return nil
	}
	meta := map[string]any{}
	for key, value := range t.meta {
		meta[key] = value
	}
	if t.task != "" {
		meta["io.toolcell/task"] = t.task
	}
	if t.ui != "" {
		page, _ := meta["ui"].(map[string]any)
		if page == nil {
			page = map[string]any{}
		}
		page["resourceUri"] = t.ui
		meta["ui"] = page
	}
	text, err := json.Marshal(meta)
	if err != nil {
		panic(fmt.Sprintf("toolcell: _meta of the tool %s cannot be written as JSON: %s", t.name, err))
	}
	return new(string(text))
}
