//go:build !wasip1

package toolcell

import (
	"errors"
	"strings"

	"toolcell.dev/sdk/internal/native"
)

// What package toolcelltest does in place of a host.
func init() {
	native.CallTool = func(name, arguments string, state []byte, answers map[string]native.Answer) native.Outcome {
		c := newCall(name, arguments)
		c.resume(state)
		for key, a := range answers {
			c.answered(key, answer{a.Action, a.Value, a.Why})
		}
		out, err := runTool(c)
		if errors.Is(err, ErrInputRequired) {
			waiting := native.Outcome{Questions: map[string]string{}, State: c.sealedState()}
			for _, q := range c.questions {
				waiting.Questions[q.key] = q.message
			}
			return waiting
		}
		if err != nil {
			return native.Outcome{Err: err}
		}
		done := native.Outcome{IsError: out.isError}
		if out.structured != nil {
			done.Structured = *out.structured
		}
		for _, block := range out.content {
			done.Content = append(done.Content, block)
		}
		return done
	}
	native.TextOf = func(block any) (string, bool) {
		content, ok := block.(Content)
		return content.text, ok && content.kind == kindText
	}
	native.Read = func(uri string) (string, error) {
		_, contents, err := runRead(newCall(uri, ""))
		var texts []string
		for _, item := range contents {
			texts = append(texts, item.Text+string(item.Blob))
		}
		return strings.Join(texts, "\n"), err
	}
	native.Prompt = func(name string, arguments map[string]string) (string, error) {
		result, err := runPrompt(newCall(name, ""), arguments)
		var texts []string
		for _, message := range result.Messages {
			texts = append(texts, message.Content.text)
		}
		return strings.Join(texts, "\n"), err
	}
	native.Complete = func(ofPrompt bool, name, argument, typed string) ([]string, error) {
		values, _, err := runComplete(newCall(name, ""), ofPrompt, argument, Typing{Value: typed})
		return values, err
	}
}
