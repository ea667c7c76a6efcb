package toolcell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"toolcell.dev/sdk/internal/host"
)

// newCall begins a call.
func newCall(name, arguments string) *Call {
	return &Call{Context: callContext{context.Background()}, name: name, arguments: arguments}
}

// callContext asks the host for the deadline when somebody wants to know.
type callContext struct{ context.Context }

func (callContext) Deadline() (time.Time, bool) {
	left := host.Current.Context().RemainingMillis
	if left > uint64(24*time.Hour/time.Millisecond) {
		return time.Time{}, false
	}
	return time.Now().Add(time.Duration(left) * time.Millisecond), true
}

// guard makes an error of a panic, whose stack goes to the log.
func guard(what string, err *error) {
	if reason := recover(); reason != nil {
		fmt.Fprintf(os.Stderr, "panic in %s: %v\n\n%s", what, reason, debug.Stack())
		*err = &panicked{fmt.Sprintf("%s failed: %v", what, reason)}
	}
}

// panicked is a panic as an error, which a tool's caller sees as its result.
type panicked struct{ text string }

func (p *panicked) Error() string { return p.text }

// runTool answers with an outcome, with questions (which are in the call), or with an error of the call.
func runTool(c *Call) (out *outcome, err error) {
	for _, t := range registry.tools {
		if t.name != c.name {
			continue
		}
		out, err = func() (out *outcome, err error) {
			defer guard("the tool "+t.name, &err)
			return t.run(c)
		}()
		var call *CallError
		switch {
		case err == nil, errors.Is(err, ErrInputRequired), errors.As(err, &call):
			return out, err
		}
		return &outcome{content: []Content{Text("%s", err.Error())}, isError: true}, nil
	}
	return nil, NotFound("this plugin has no tool `%s`", c.name)
}

func runRead(c *Call) (found *resource, contents []Contents, err error) {
	defer guard("the resource "+c.name, &err)
	// A resource of just this URI goes before a template.
	for _, templates := range []bool{false, true} {
		for _, r := range registry.resources {
			if r.list != nil || r.isTemplate() != templates {
				continue
			}
			variables := map[string]string{}
			if match(r.template, c.name, variables) {
				contents, err = r.read(c, variables)
				return r, contents, err
			}
		}
	}
	return nil, nil, NotFound("there is no resource `%s`", c.name)
}

func (r *resource) isTemplate() bool {
	for _, part := range r.template {
		if part.operator != 0 {
			return true
		}
	}
	return false
}

// infos are the resources (or the templates) with what their options say.
func infos(c *Call, templates bool) (all []ResourceInfo, err error) {
	defer guard("the list of resources", &err)
	for _, r := range registry.resources {
		if r.list != nil {
			if templates {
				continue
			}
			more, err := r.list(c)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		} else if r.isTemplate() == templates {
			info := r.ResourceInfo
			info.Title, info.Icons, info.Meta = r.title, r.icons, r.meta
			all = append(all, info)
		}
	}
	return all, nil
}

func runPrompt(c *Call, arguments map[string]string) (result PromptResult, err error) {
	defer guard("the prompt "+c.name, &err)
	for _, p := range registry.prompts {
		if p.name == c.name {
			return p.get(c, arguments)
		}
	}
	return PromptResult{}, NotFound("this plugin has no prompt `%s`", c.name)
}

func runComplete(c *Call, ofPrompt bool, argument string, typing Typing) (values []string, total int, err error) {
	defer guard("the completion of "+argument, &err)
	for _, each := range registry.completions {
		fits := ofPrompt && each.prompt == c.name
		if !ofPrompt && each.template != "" {
			fits = each.template == c.name || match(parseTemplate(each.template), c.name, map[string]string{})
		}
		if fits && each.argument == argument {
			all, err := each.suggest(c, typing)
			values, total = suggested(all, typing.Value)
			return values, total, err
		}
	}
	return nil, 0, nil
}
