package toolcell

import (
	"reflect"
	"strings"
)

// Message is one message of a prompt.
type Message struct {
	Role    Role
	Content Content
}

// FromUser is a message of the person's.
func FromUser(content Content) Message { return Message{User, content} }

// FromAssistant is a message of the model's.
func FromAssistant(content Content) Message { return Message{Assistant, content} }

// PromptResult is a filled-in prompt, for one that says more than its messages.
type PromptResult struct {
	Description string
	Messages    []Message
	Meta        map[string]any
}

type promptArgument struct {
	name, title, description string
	required                 bool
}

type prompt struct {
	name, title, description string
	arguments                []promptArgument
	icons                    []Icon
	meta                     map[string]any
	get                      func(c *Call, arguments map[string]string) (PromptResult, error)
}

// PromptOption is a detail of a prompt.
type PromptOption interface{ applyToPrompt(*prompt) }

// Prompt registers a message a person can choose. In is a struct whose fields are the arguments, with the tags of [Schema]; Out is
// a string (one message of the person's), a slice of [Message], or a [PromptResult].
func Prompt[In, Out any](name, description string, get func(c *Call, in In) (Out, error), options ...PromptOption) {
	offersPrompts()
	p := &prompt{name: name, description: description}
	eachField(reflect.TypeFor[In](), func(name string, optional bool, field reflect.StructField) {
		argument := promptArgument{name, field.Tag.Get("title"), field.Tag.Get("doc"), !optional}
		p.arguments = append(p.arguments, argument)
	})
	p.get = func(c *Call, arguments map[string]string) (PromptResult, error) {
		var in In
		if err := decodeTexts(arguments, &in); err != nil {
			return PromptResult{}, InvalidArguments("arguments of `%s`: %s", name, err)
		}
		out, err := get(c, in)
		if err != nil {
			return PromptResult{}, err
		}
		return promptOf(out), nil
	}
	for _, option := range options {
		option.applyToPrompt(p)
	}
	registry.prompts = append(registry.prompts, p)
}

func promptOf(out any) PromptResult {
	switch out := out.(type) {
	case string:
		return PromptResult{Messages: []Message{FromUser(Text("%s", out))}}
	case []Message:
		return PromptResult{Messages: out}
	case PromptResult:
		return out
	}
	panic("toolcell: a prompt cannot be " + reflect.TypeOf(out).String() + "; return string, []Message or PromptResult")
}

// Typing is what a person has typed so far.
type Typing struct {
	// Value of the argument.
	Value string
	// Settled are the arguments that are there already.
	Settled map[string]string
}

type completion struct {
	prompt, template, argument string
	suggest                    func(c *Call, typing Typing) ([]string, error)
}

// CompletePrompt suggests values for an argument of a prompt. The function returns all there are; those that begin with what was
// typed are suggested.
func CompletePrompt(prompt, argument string, suggest func(c *Call, typing Typing) ([]string, error)) {
	offersCompletions()
	registry.completions = append(registry.completions, &completion{prompt, "", argument, suggest})
}

// CompleteResource does the same for a variable of a template.
func CompleteResource(pattern, variable string, suggest func(c *Call, typing Typing) ([]string, error)) {
	offersCompletions()
	registry.completions = append(registry.completions, &completion{"", pattern, variable, suggest})
}

// suggested are the values that begin with what was typed, the first hundred, and how many there are.
func suggested(values []string, typed string) ([]string, int) {
	typed = strings.ToLower(typed)
	var fit []string
	for _, value := range values {
		if strings.HasPrefix(strings.ToLower(value), typed) {
			fit = append(fit, value)
		}
	}
	return fit[:min(len(fit), 100)], len(fit)
}
