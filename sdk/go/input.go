package toolcell

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// What is asked of the client. Asking is two calls: in the first, the question goes to the client and the handler returns
// [ErrInputRequired]; in the second the handler runs again, from its beginning, and the same line has the answer. So whatever
// comes before a question happens twice, and should only look.

// question is one that has no answer yet.
type question struct {
	key  string
	kind questionKind
	// message for the person; detail is a schema, a page, or the params of sampling/createMessage.
	message, detail string
}

type questionKind uint8

const (
	askForm questionKind = iota
	askURL
	askSample
	askRoots
)

// answer is what came back, as it travels in the state of later rounds.
type answer struct {
	Action string          `json:"action"` // accept, decline, cancel, failed
	Value  json.RawMessage `json:"value,omitempty"`
	Why    string          `json:"why,omitempty"`
}

// Answer is what the person did with a form.
type Answer[T any] struct {
	// Accepted: Value is what was filled in.
	Accepted bool
	// Declined: said no. If neither is set, the person closed it without choosing.
	Declined bool
	Value    T
}

// Elicit asks the person to fill in the fields of T: texts, numbers, booleans and enums, described by the tags of [Schema].
// The key names the question; each needs its own.
func Elicit[T any](c *Call, key, message string) (Answer[T], error) {
	found, err := c.ask(question{key, askForm, message, schemaText(reflect.TypeFor[T]())})
	out := Answer[T]{Accepted: found.Action == "accept", Declined: found.Action == "decline"}
	if err == nil && out.Accepted && len(found.Value) > 0 {
		err = decode(string(found.Value), &out.Value)
	}
	return out, err
}

// ElicitURL asks the person to visit an https: page, for what must not pass through the client. It says whether they accepted.
func (c *Call) ElicitURL(key, message, url string) (bool, error) {
	found, err := c.ask(question{key, askURL, message, url})
	return found.Action == "accept", err
}

// Sample asks the client's model. Params and answer are those of sampling/createMessage.
func (c *Call) Sample(key string, params any) (SampleResult, error) {
	text, err := json.Marshal(params)
	if err != nil {
		return SampleResult{}, fmt.Errorf("the params of the question %q cannot be written as JSON: %w", key, err)
	}
	found, err := c.ask(question{key: key, kind: askSample, detail: string(text)})
	if err != nil {
		return SampleResult{}, err
	}
	result := SampleResult{Raw: found.Value}
	return result, json.Unmarshal(found.Value, &result)
}

// SampleRequest is what sampling/createMessage usually needs; [Call.Sample] takes anything.
type SampleRequest struct {
	Messages     []SampleMessage `json:"messages"`
	SystemPrompt string          `json:"systemPrompt,omitempty"`
	MaxTokens    int             `json:"maxTokens"`
}

// SampleMessage is one message of a conversation with the model.
type SampleMessage struct {
	Role    string     `json:"role"`
	Content SampleText `json:"content"`
}

// SampleText is a text in it.
type SampleText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Ask is a conversation of one message of the user's.
func Ask(text string, maxTokens int) SampleRequest {
	message := SampleMessage{"user", SampleText{"text", text}}
	return SampleRequest{Messages: []SampleMessage{message}, MaxTokens: maxTokens}
}

// SampleResult is what the model said.
type SampleResult struct {
	Role       string     `json:"role"`
	Content    SampleText `json:"content"`
	Model      string     `json:"model"`
	StopReason string     `json:"stopReason"`
	// Raw is all of it.
	Raw json.RawMessage `json:"-"`
}

// Root is a directory or file the client's person works with.
type Root struct {
	URI  string `json:"uri"`
	Name string `json:"name,omitempty"`
}

// Roots asks for the client's roots.
func (c *Call) Roots(key string) ([]Root, error) {
	found, err := c.ask(question{key: key, kind: askRoots})
	if err != nil {
		return nil, err
	}
	var roots []Root
	return roots, json.Unmarshal(found.Value, &roots)
}

func (c *Call) ask(q question) (answer, error) {
	found, ok := c.answers[q.key]
	if !ok {
		c.questions = append(c.questions, q)
		return answer{}, ErrInputRequired
	}
	if found.Action == "failed" {
		return found, fmt.Errorf("the client could not answer: %s", found.Why)
	}
	return found, nil
}

// Keep remembers something until the handler is called with the answers. Nobody else can read or change it.
func (c *Call) Keep(state []byte) { c.state = state }

// Kept is what was remembered.
func (c *Call) Kept() []byte { return c.state }

// sealedState is what travels with questions: the client brings only the answers to the last ones, so those of earlier rounds are
// in it, before a NUL, which no JSON holds.
func (c *Call) sealedState() []byte {
	answers := c.answers
	if answers == nil {
		answers = map[string]answer{}
	}
	text, err := json.Marshal(answers)
	if err != nil {
		panic(fmt.Sprintf("toolcell: an answer that was JSON is none any more: %s", err))
	}
	return append(append(text, 0), c.state...)
}

func (c *Call) resume(sealed []byte) {
	text, state, found := bytes.Cut(sealed, []byte{0})
	if !found || json.Unmarshal(text, &c.answers) != nil {
		return
	}
	c.state = state
}

func (c *Call) answered(key string, a answer) {
	if c.answers == nil {
		c.answers = map[string]answer{}
	}
	c.answers[key] = a
}
