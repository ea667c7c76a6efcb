package toolcell

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// Role is who a block is for, or who says it.
type Role uint8

const (
	// User is the person at the client.
	User Role = iota
	// Assistant is the model.
	Assistant
)

type contentKind uint8

const (
	kindText contentKind = iota
	kindImage
	kindAudio
	kindLink
	kindEmbeddedText
	kindEmbeddedBlob
)

// Content is one block of a result or of a prompt. Make one with [Text], [Image], [Audio], [Link], [EmbeddedText] or
// [EmbeddedBlob].
type Content struct {
	kind     contentKind
	text     string
	data     []byte
	mimeType string
	uri      string
	link     ResourceInfo

	// Audience is whom it is for; empty means not said.
	Audience []Role
	// Priority is from 0 (optional, or not said) to 1 (required).
	Priority float64
	// LastModified is ISO 8601, or empty.
	LastModified string
	// Meta is what goes into _meta.
	Meta map[string]any
}

// Text is a text, with arguments formatted as by [fmt.Sprintf].
func Text(format string, arguments ...any) Content {
	if len(arguments) > 0 {
		format = fmt.Sprintf(format, arguments...)
	}
	return Content{kind: kindText, text: format}
}

// Image is a picture: its raw bytes and their media type.
func Image(data []byte, mimeType string) Content {
	return Content{kind: kindImage, data: data, mimeType: mimeType}
}

// Audio is a sound: its raw bytes and their media type.
func Audio(data []byte, mimeType string) Content {
	return Content{kind: kindAudio, data: data, mimeType: mimeType}
}

// Link points to a resource that the client can read.
func Link(resource ResourceInfo) Content { return Content{kind: kindLink, link: resource} }

// EmbeddedText is a resource whose contents are text.
func EmbeddedText(uri, mimeType, text string) Content {
	return Content{kind: kindEmbeddedText, uri: uri, mimeType: mimeType, text: text}
}

// EmbeddedBlob is a resource whose contents are raw bytes.
func EmbeddedBlob(uri, mimeType string, data []byte) Content {
	return Content{kind: kindEmbeddedBlob, uri: uri, mimeType: mimeType, data: data}
}

// Result is a structured result with content of its own. Its type parameter is the output schema.
type Result[T any] struct {
	Structured T
	// Content is for the model; without any, Structured is written out as text.
	Content []Content
	// Meta is what goes into _meta.
	Meta map[string]any
}

// Structured is a result with content of its own.
func Structured[T any](value T, content ...Content) Result[T] {
	return Result[T]{Structured: value, Content: content}
}

type structured interface {
	parts() (value any, content []Content, meta map[string]any)
	structuredType() reflect.Type
}

func (r Result[T]) parts() (any, []Content, map[string]any) { return r.Structured, r.Content, r.Meta }
func (r Result[T]) structuredType() reflect.Type            { return reflect.TypeFor[T]() }

// Nothing is the answer of a tool that has none.
type Nothing struct{}

// outcome is how a call of a tool ended.
type outcome struct {
	content    []Content
	structured *string
	isError    bool
	meta       *string
}

// outputOf is the type of what is structured, if anything.
func outputOf(out reflect.Type) reflect.Type {
	switch zero := reflect.Zero(out).Interface().(type) {
	case string, Content, []Content, Nothing:
		return nil
	case structured:
		return zero.structuredType()
	}
	return out
}

func outcomeOf(out any) (*outcome, error) {
	switch out := out.(type) {
	case Nothing:
		return &outcome{}, nil
	case string:
		return &outcome{content: []Content{Text("%s", out)}}, nil
	case Content:
		return &outcome{content: []Content{out}}, nil
	case []Content:
		return &outcome{content: out}, nil
	case structured:
		value, content, meta := out.parts()
		text, err := marshal(value)
		if err != nil {
			return nil, err
		}
		result := &outcome{content: content, structured: &text}
		if len(content) == 0 {
			result.content = []Content{Text("%s", text)}
		}
		if meta != nil {
			text, err := marshal(meta)
			if err != nil {
				return nil, err
			}
			result.meta = &text
		}
		return result, nil
	}
	text, err := marshal(out)
	if err != nil {
		return nil, err
	}
	return &outcome{content: []Content{Text("%s", text)}, structured: &text}, nil
}

func marshal(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", Failed("the result cannot be written as JSON: %w", err)
	}
	return string(text), nil
}
