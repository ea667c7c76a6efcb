package toolcell

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"toolcell.dev/sdk/internal/host"
)

// Call is one call of a tool, one read of a resource, or one use of a prompt. It is a [context.Context] whose deadline is when the
// host ends the call.
type Call struct {
	context.Context
	name      string
	arguments string

	answers   map[string]answer
	state     []byte
	questions []question
}

// Name is the tool's or the prompt's name, or the URI that is read.
func (c *Call) Name() string { return c.name }

// RawArguments are the arguments of a tool as they came: the text of a JSON object.
func (c *Call) RawArguments() string { return c.arguments }

// Progress reports how far the call has come, with a message formatted as by [fmt.Sprintf]. A total of 0 is not known.
func (c *Call) Progress(progress, total float64, message string, arguments ...any) {
	var of *float64
	if total > 0 {
		of = &total
	}
	var text *string
	if message != "" {
		text = new(fmt.Sprintf(message, arguments...))
	}
	host.Current.Progress(progress, of, text)
}

// ProgressWanted says whether anyone listens.
func (c *Call) ProgressWanted() bool { return host.Current.ProgressWanted() }

// IsCancelled says whether the caller's interest has ended. Work of long duration should look now and then.
func (c *Call) IsCancelled() bool { return host.Current.Cancelled() }

// Level is how grave a message of the log is.
type Level uint8

// The levels of RFC 5424, least first.
const (
	Debug Level = iota
	Info
	Notice
	Warning
	Error
	Critical
	Alert
	Emergency
)

// Log writes to the operator's log, and to the client where it asked for that: a text, or anything that can be written as JSON.
// What is printed to standard output and standard error goes to the log too.
func (c *Call) Log(level Level, data any) { c.Logger("").Log(level, data) }

// LogEnabled says whether a message of this level reaches anyone.
func (c *Call) LogEnabled(level Level) bool { return host.Current.LogEnabled(uint8(level)) }

// Logger speaks for a part of the plugin.
func (c *Call) Logger(name string) Logger { return Logger{name} }

// Logger writes to the log under a name.
type Logger struct{ name string }

// Log writes a text, or anything that can be written as JSON.
func (l Logger) Log(level Level, data any) {
	if !host.Current.LogEnabled(uint8(level)) {
		return
	}
	text, err := json.Marshal(data)
	if err != nil {
		text, _ = json.Marshal(fmt.Sprintf("%+v", data))
	}
	var name *string
	if l.name != "" {
		name = &l.name
	}
	host.Current.Log(uint8(level), name, string(text))
}

// Caller is the person or program behind the call, as the host authenticated it.
type Caller struct {
	// Principal is a stable identifier, unique on this host.
	Principal string
	// Claims is what the host knows of it and lets plugins see.
	Claims map[string]any
}

// Client is what the client says of itself. Not verified; for display only.
type Client struct{ Name, Version string }

// Abilities is what may be asked of the client.
type Abilities struct{ Form, URL, Sample, SampleTools, Roots, Apps bool }

// Trace is where the call belongs in a distributed trace (W3C Trace Context).
type Trace struct{ Parent, State, Baggage string }

// CallInfo is all there is to know about a call.
type CallInfo struct {
	// Caller is nil where the host authenticates nobody.
	Caller    *Caller
	Client    Client
	Abilities Abilities
	// Remaining is the time until the host ends the call.
	Remaining time.Duration
	Trace     Trace
	// Meta is the request's _meta.
	Meta map[string]any
}

// Info asks the host who is calling, for how long, and what the client can do.
func (c *Call) Info() CallInfo {
	from := host.Current.Context()
	info := CallInfo{
		Client:    Client{from.ClientName, from.ClientVersion},
		Remaining: time.Duration(min(from.RemainingMillis, 1<<62/uint64(time.Millisecond))) * time.Millisecond,
		Trace:     Trace{from.TraceParent, from.TraceState, from.Baggage},
	}
	has := func(bit uint) bool { return from.Abilities&(1<<bit) != 0 }
	info.Abilities = Abilities{has(0), has(1), has(2), has(3), has(4), has(5)}
	// The host writes both, so they are JSON objects.
	_ = json.Unmarshal([]byte(from.Meta), &info.Meta)
	if from.Principal != nil {
		info.Caller = &Caller{Principal: *from.Principal}
		if from.Claims != nil {
			_ = json.Unmarshal([]byte(*from.Claims), &info.Caller.Claims)
		}
	}
	return info
}

// ResourceUpdated tells clients that watch this resource that its contents changed.
func (c *Call) ResourceUpdated(uri string) { host.Current.ResourceUpdated(uri) }

// ResourcesChanged tells clients that the lists of resources and templates are others now.
func (c *Call) ResourcesChanged() { host.Current.ResourcesChanged() }

// PromptsChanged tells clients that the list of prompts is another now.
func (c *Call) PromptsChanged() { host.Current.PromptsChanged() }

// ToolsChanged tells clients that the list of tools is another now.
func (c *Call) ToolsChanged() { host.Current.ToolsChanged() }
