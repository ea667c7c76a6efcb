package toolcell_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	toolcell "toolcell.dev/sdk"
	"toolcell.dev/sdk/toolcelltest"
)

type searchArgs struct {
	Query  string            `json:"query" doc:"What to look for." min:"1" example:"milk"`
	Limit  int               `json:"limit" default:"10" min:"1" max:"50"`
	Order  string            `json:"order,omitempty" enum:"newest,oldest" title:"Order"`
	After  *time.Time        `json:"after" doc:"Only newer ones."`
	Tags   []string          `json:"tags,omitempty" max:"5"`
	Near   *place            `json:"near"`
	Labels map[string]uint8  `json:"labels,omitempty"`
	Hidden string            `json:"-"`
	inside map[string]string //nolint:unused // fields that are not exported are no arguments
}

type place struct {
	City  string  `json:"city" pattern:"^[A-Z]"`
	Inner []place `json:"inner,omitempty"`
}

func TestAStructBecomesASchema(t *testing.T) {
	expected := `{"type":"object","properties":{` +
		`"query":{"type":"string","minLength":1,"description":"What to look for.","examples":["milk"]},` +
		`"limit":{"type":"integer","minimum":1,"maximum":50,"default":10},` +
		`"order":{"type":"string","enum":["newest","oldest"],"title":"Order"},` +
		`"after":{"type":"string","format":"date-time","description":"Only newer ones."},` +
		`"tags":{"type":"array","items":{"type":"string"},"maxItems":5},` +
		`"near":{"type":"object","properties":{"city":{"type":"string","pattern":"^[A-Z]"},` +
		`"inner":{"type":"array","items":{"type":"object"}}},"required":["city"]},` +
		`"labels":{"type":"object","additionalProperties":{"type":"integer","minimum":0}}` +
		`},"required":["query"]}`
	if got := toolcell.Schema[searchArgs](); got != expected {
		t.Errorf("found    %s\nexpected %s", got, expected)
	}
}

type twice struct {
	Count int `json:"count"`
}

type name struct {
	Name string `json:"name"`
}

func init() {
	toolcell.Tool("search", "", func(c *toolcell.Call, in searchArgs) (map[string]any, error) {
		return map[string]any{"limit": in.Limit}, nil
	})
	toolcell.Tool("panic", "", func(c *toolcell.Call, in toolcell.Nothing) (string, error) {
		var list []int
		return "", errors.New(string(rune(list[3])))
	})
	toolcell.Tool("gone", "", func(c *toolcell.Call, in toolcell.Nothing) (string, error) {
		return "", toolcell.NotFound("no %s", "thing")
	})
	toolcell.Tool("ask", "", func(c *toolcell.Call, in toolcell.Nothing) (string, error) {
		first, err := toolcell.Elicit[name](c, "first", "Who?")
		if err != nil {
			return "", err
		}
		c.Keep([]byte("kept\x00"))
		second, err := toolcell.Elicit[twice](c, "second", "How often, "+first.Value.Name+"?")
		if err != nil {
			return "", err
		}
		said, err := c.Sample("model", toolcell.Ask("a poem", 100))
		if err != nil {
			return "", err
		}
		return strings.Repeat(first.Value.Name, second.Value.Count) + said.Content.Text + string(c.Kept()), nil
	})
	toolcell.Tool("peer", "", func(c *toolcell.Call, in toolcell.Nothing) (string, error) {
		out, err := toolcell.CallTool[twice](c, "counter", map[string]int{"a": 1})
		return strings.Repeat("x", out.Count), err
	})
	toolcell.Resource("config://app", "The settings.", func(c *toolcell.Call) (string, error) { return "{}", nil })
	toolcell.ResourceTemplate("note://{folder}/{+path}{?lang}", "A note.", func(c *toolcell.Call, in struct {
		Folder string `json:"folder"`
		Path   string `json:"path"`
		Lang   string `json:"lang,omitempty"`
	}) (string, error) {
		return in.Folder + " " + in.Path + " " + in.Lang, nil
	})
	toolcell.Prompt("review", "Asks for a review.", func(c *toolcell.Call, in struct {
		Language string `json:"language"`
		Most     int    `json:"most" default:"10"`
	}) (string, error) {
		return strings.Repeat(in.Language, in.Most), nil
	})
	toolcell.CompletePrompt("review", "language", func(c *toolcell.Call, typing toolcell.Typing) ([]string, error) {
		return []string{"python", "rust", "Ruby"}, nil
	})
}

func TestToolsAnswer(t *testing.T) {
	host := toolcelltest.New(t)
	if got := host.Call("search", map[string]any{"query": "a"}).JSON; got != `{"limit":10}` {
		t.Error(got)
	}
	if err := host.Call("search", map[string]any{"query": 1}).Err; err == nil || !strings.Contains(err.Error(), "`query` is number; expected string") {
		t.Error(err)
	}
	if result := host.Call("panic", nil); result.Err != nil || !result.IsError || !strings.Contains(result.Text(), "index out of range") {
		t.Errorf("%+v", result)
	}
	var call *toolcell.CallError
	if err := host.Call("gone", nil).Err; !errors.As(err, &call) || err.Error() != "no thing" {
		t.Error(err)
	}
	if err := host.Call("nothing", nil).Err; err == nil || err.Error() != "this plugin has no tool `nothing`" {
		t.Error(err)
	}
}

func TestQuestionsMayFollowEachOther(t *testing.T) {
	host := toolcelltest.New(t)
	host.Answer("first", map[string]string{"name": "Ada"})
	host.Answer("second", map[string]int{"count": 2})
	if result := host.Call("ask", nil); !result.Open || len(result.Asked) != 3 {
		t.Errorf("%+v", result)
	}
	host.Answer("model", map[string]any{"role": "assistant", "content": map[string]string{"type": "text", "text": "!"}})
	result := host.Call("ask", nil)
	if result.Text() != "AdaAda!kept\x00" || result.Asked["second"] != "How often, Ada?" {
		t.Errorf("%+v %q", result, result.Text())
	}
	host.Fail("first", "no screen")
	if result := host.Call("ask", nil); !result.IsError || !strings.Contains(result.Text(), "no screen") {
		t.Errorf("%+v", result)
	}
}

func TestPeersAnswer(t *testing.T) {
	host := toolcelltest.New(t)
	if result := host.Call("peer", nil); !result.IsError || !strings.Contains(result.Text(), "not granted") {
		t.Errorf("%+v", result)
	}
	host.HandleTool("counter", func(arguments string) (any, error) { return twice{3}, nil })
	if got := host.Call("peer", nil).Text(); got != "xxx" {
		t.Error(got)
	}
}

func TestResourcesPromptsAndCompletions(t *testing.T) {
	host := toolcelltest.New(t)
	for uri, expected := range map[string]string{
		"config://app": "{}", "note://a/b/c%20d?lang=de": "a b/c d de", "note://a/b": "a b ",
	} {
		if got, err := host.Read(uri); got != expected || err != nil {
			t.Errorf("%s: %q %v", uri, got, err)
		}
	}
	for _, uri := range []string{"note://", "note://a/b?page=1", "other://a"} {
		if got, err := host.Read(uri); err == nil {
			t.Errorf("%s: %q", uri, got)
		}
	}
	if got, err := host.Prompt("review", map[string]string{"language": "go", "most": "2"}); got != "gogo" || err != nil {
		t.Error(got, err)
	}
	for _, arguments := range []map[string]string{{}, {"language": "go", "most": "many"}} {
		if _, err := host.Prompt("review", arguments); err == nil {
			t.Error(arguments)
		}
	}
	if got, err := host.CompletePrompt("review", "language", "RU"); strings.Join(got, " ") != "rust Ruby" || err != nil {
		t.Error(got, err)
	}
}
