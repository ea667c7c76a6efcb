// Package native is how package toolcelltest reaches into package toolcell, which fills it in.
package native

import "encoding/json"

// Answer is what the person or the model at the client answered.
type Answer struct {
	Action string
	Value  json.RawMessage
	Why    string
}

// Outcome is how a call of a tool ended.
type Outcome struct {
	Err        error
	IsError    bool
	Content    []any // toolcell.Content
	Structured string
	// Questions by key: what the person reads.
	Questions map[string]string
	State     []byte
}

var (
	CallTool func(tool, arguments string, state []byte, answers map[string]Answer) Outcome
	Read     func(uri string) (string, error)
	Prompt   func(name string, arguments map[string]string) (string, error)
	Complete func(ofPrompt bool, name, argument, typed string) ([]string, error)
	// TextOf is the text of a toolcell.Content, if it is one.
	TextOf func(block any) (string, bool)
)
