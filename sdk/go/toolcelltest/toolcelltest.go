// Package toolcelltest plays the host in a plugin's unit tests, on the machine itself:
//
//	func TestAdd(t *testing.T) {
//		host := toolcelltest.New(t)
//		result := host.Call("add", map[string]any{"title": "Buy milk"})
//		if result.Text() != "Added 1: Buy milk" {
//			t.Error(result.Text())
//		}
//	}
//
// A store is there; the web is what [Host.HandleHTTP] says, and the person what [Host.Answer] says.
package toolcelltest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	toolcell "toolcell.dev/sdk"
	"toolcell.dev/sdk/internal/host"
	"toolcell.dev/sdk/internal/native"
)

// Host is a host with one plugin, that of the test's package.
type Host struct {
	t testing.TB
	// Store is what the plugin keeps.
	Store map[string][]byte
	// StoreRefused, if set, is what the host says instead of serving the store.
	StoreRefused string
	// Reported is the progress of the last call.
	Reported []Progress
	// Logged is what was logged in the last call.
	Logged []Log
	// Changed is what the last call said has changed: a URI, or "resources", "prompts", "tools".
	Changed []string
	// Context is what the plugin learns of its call.
	Info toolcell.CallInfo

	answers map[string]native.Answer
	peers   map[string]func(arguments string) (host.PeerResult, error)
	web     func(method, url string, body []byte) (status int, answer string, err error)
}

// Progress is one report.
type Progress struct {
	Progress, Total float64
	Message         string
}

// Log is one message of the log; Data is its JSON.
type Log struct {
	Level        toolcell.Level
	Logger, Data string
}

// New begins with an empty store. Tests that use it must not run in parallel with each other.
func New(t testing.TB) *Host {
	h := &Host{t: t, Store: map[string][]byte{}, answers: map[string]native.Answer{}}
	h.peers = map[string]func(string) (host.PeerResult, error){}
	before := host.Current
	host.Current = fake{h}
	t.Cleanup(func() { host.Current = before })
	return h
}

// HandleHTTP answers requests. An error is what the host would say when it refuses one.
func (h *Host) HandleHTTP(answer func(method, url string, body []byte) (int, string, error)) {
	h.web = answer
}

// HandleTool plays another tool, whose structured result is written as JSON.
func (h *Host) HandleTool(name string, answer func(arguments string) (structured any, err error)) {
	h.peers[name] = func(arguments string) (host.PeerResult, error) {
		value, err := answer(arguments)
		if err != nil {
			return host.PeerResult{IsError: true, Texts: []string{err.Error()}}, nil
		}
		text, err := json.Marshal(value)
		if err != nil {
			h.t.Fatal(err)
		}
		return host.PeerResult{Texts: []string{string(text)}, Structured: new(string(text))}, nil
	}
}

// Answer accepts the question of this key with a value: the fields of a form, a result of sampling/createMessage, or roots.
func (h *Host) Answer(key string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		h.t.Fatal(err)
	}
	h.answers[key] = native.Answer{Action: "accept", Value: text}
}

// Decline says no to the question of this key.
func (h *Host) Decline(key string) { h.answers[key] = native.Answer{Action: "decline"} }

// Dismiss closes it without choosing.
func (h *Host) Dismiss(key string) { h.answers[key] = native.Answer{Action: "cancel"} }

// Fail says that the client could not ask it.
func (h *Host) Fail(key, why string) { h.answers[key] = native.Answer{Action: "failed", Why: why} }

// Result is how a call ended.
type Result struct {
	// Err is an error of the call itself.
	Err error
	// IsError says that the tool tried and failed.
	IsError bool
	Content []toolcell.Content
	// JSON is the structured result; empty if there is none.
	JSON string
	// Asked are the questions that were asked on the way, by key: what the person read.
	Asked map[string]string
	// Open says that a question had no answer: the call waits for it.
	Open bool
}

// Text is all texts of the content, a line each.
func (r Result) Text() string {
	var texts []string
	for _, block := range r.Content {
		if text, ok := native.TextOf(block); ok {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "\n")
}

// Call calls a tool as the host does, with answers to what it asks.
func (h *Host) Call(tool string, arguments any) Result {
	text, err := json.Marshal(arguments)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Reported, h.Logged, h.Changed = nil, nil, nil
	asked := map[string]string{}
	var state []byte
	given := map[string]native.Answer{}
	for {
		out := native.CallTool(tool, string(text), state, given)
		result := Result{Err: out.Err, IsError: out.IsError, JSON: out.Structured, Asked: asked}
		for _, block := range out.Content {
			result.Content = append(result.Content, block.(toolcell.Content))
		}
		if len(out.Questions) == 0 {
			return result
		}
		given = map[string]native.Answer{}
		for key, question := range out.Questions {
			asked[key] = question
			answer, found := h.answers[key]
			if !found {
				result.Open = true
				return result
			}
			given[key] = answer
		}
		state = out.State
	}
}

// Read reads a resource: the texts and bytes of its contents.
func (h *Host) Read(uri string) (string, error) { return native.Read(uri) }

// Prompt fills in a prompt: its messages, a line each.
func (h *Host) Prompt(name string, arguments map[string]string) (string, error) {
	return native.Prompt(name, arguments)
}

// CompletePrompt suggests values for what was typed.
func (h *Host) CompletePrompt(prompt, argument, typed string) ([]string, error) {
	return native.Complete(true, prompt, argument, typed)
}

// CompleteResource suggests values for what was typed.
func (h *Host) CompleteResource(template, variable, typed string) ([]string, error) {
	return native.Complete(false, template, variable, typed)
}

type fake struct{ h *Host }

func (f fake) Context() host.Context {
	info := f.h.Info
	millis := uint64(info.Remaining.Milliseconds())
	if millis == 0 {
		millis = 1 << 62
	}
	meta, _ := json.Marshal(info.Meta)
	context := host.Context{
		ClientName: info.Client.Name, ClientVersion: info.Client.Version, RemainingMillis: millis, Meta: string(meta),
		TraceParent: info.Trace.Parent, TraceState: info.Trace.State, Baggage: info.Trace.Baggage,
	}
	if info.Caller != nil {
		claims, _ := json.Marshal(info.Caller.Claims)
		context.Principal, context.Claims = &info.Caller.Principal, new(string(claims))
	}
	a := info.Abilities
	for bit, can := range []bool{a.Form, a.URL, a.Sample, a.SampleTools, a.Roots, a.Apps} {
		if can {
			context.Abilities |= 1 << bit
		}
	}
	return context
}

func (f fake) Cancelled() bool      { return false }
func (f fake) ProgressWanted() bool { return true }
func (f fake) Progress(progress float64, total *float64, message *string) {
	report := Progress{Progress: progress}
	if total != nil {
		report.Total = *total
	}
	if message != nil {
		report.Message = *message
	}
	f.h.Reported = append(f.h.Reported, report)
}
func (f fake) LogEnabled(uint8) bool { return true }
func (f fake) Log(level uint8, logger *string, json string) {
	entry := Log{Level: toolcell.Level(level), Data: json}
	if logger != nil {
		entry.Logger = *logger
	}
	f.h.Logged = append(f.h.Logged, entry)
}
func (f fake) ResourceUpdated(uri string) { f.h.Changed = append(f.h.Changed, uri) }
func (f fake) ResourcesChanged()          { f.h.Changed = append(f.h.Changed, "resources") }
func (f fake) PromptsChanged()            { f.h.Changed = append(f.h.Changed, "prompts") }
func (f fake) ToolsChanged()              { f.h.Changed = append(f.h.Changed, "tools") }

func (f fake) refused() error {
	if f.h.StoreRefused == "" {
		return nil
	}
	return &host.Error{Kind: host.Denied, Text: f.h.StoreRefused}
}

func (f fake) Get(key string) ([]byte, bool, error) {
	value, found := f.h.Store[key]
	return bytes.Clone(value), found, f.refused()
}

func (f fake) Set(key string, value []byte) error {
	if err := f.refused(); err != nil {
		return err
	}
	f.h.Store[key] = bytes.Clone(value)
	return nil
}

func (f fake) Delete(key string) error {
	if err := f.refused(); err != nil {
		return err
	}
	delete(f.h.Store, key)
	return nil
}

func (f fake) CompareAndSet(key string, expected, value *[]byte) error {
	if err := f.refused(); err != nil {
		return err
	}
	there, found := f.h.Store[key]
	if found != (expected != nil) || (found && !bytes.Equal(there, *expected)) {
		err := &host.Error{Kind: host.Conflict, Text: "another value is there"}
		if found {
			err.Current = &there
		}
		return err
	}
	if value == nil {
		delete(f.h.Store, key)
	} else {
		f.h.Store[key] = append([]byte{}, *value...)
	}
	return nil
}

// Keys answers in pages of two, so that a plugin that looks at the first only is found out.
func (f fake) Keys(prefix string, cursor *string) ([]string, *string, error) {
	if err := f.refused(); err != nil {
		return nil, nil, err
	}
	var keys []string
	for key := range f.h.Store {
		if strings.HasPrefix(key, prefix) && (cursor == nil || key > *cursor) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if len(keys) <= 2 {
		return keys, nil, nil
	}
	return keys[:2], &keys[1], nil
}

func (f fake) Call(tool, arguments string) (host.PeerResult, error) {
	answer, found := f.h.peers[tool]
	if !found {
		return host.PeerResult{}, &host.Error{Kind: host.Denied, Text: "the tool " + tool + " is not granted"}
	}
	return answer(arguments)
}

func (f fake) HTTP(_ context.Context, request host.Request) (host.Response, error) {
	if f.h.web == nil {
		return host.Response{}, &host.Error{Kind: host.Denied, Text: request.URL + " is not granted"}
	}
	status, body, err := f.h.web(request.Method, request.URL, request.Body)
	if err != nil {
		return host.Response{}, &host.Error{Kind: host.Denied, Text: err.Error()}
	}
	return host.Response{Status: status, Body: io.NopCloser(strings.NewReader(body))}, nil
}
