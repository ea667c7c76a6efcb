package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"toolcell.dev/sdk/toolcelltest"
)

type object = map[string]any

func TestItemsAreAddedListedAndCompleted(t *testing.T) {
	host := toolcelltest.New(t)
	steps := []struct {
		tool     string
		args     object
		text, js string
	}{
		{"list", object{}, "Nothing to do.", `{"items":[],"open":0,"done":0}`},
		{"add", object{"title": "Buy milk"}, "Added 1: Buy milk", `{"id":1,"title":"Buy milk","done":false}`},
		{"add", object{"title": "Sleep"}, "Added 2: Sleep", `{"id":2,"title":"Sleep","done":false}`},
		{"complete", object{"id": 1}, "Done 1: Buy milk", `{"id":1,"title":"Buy milk","done":true}`},
		{"list", object{}, "[ ] 2: Sleep", `{"items":[{"id":2,"title":"Sleep","done":false}],"open":1,"done":1}`},
		{"list", object{"state": "done"}, "[x] 1: Buy milk", `{"items":[{"id":1,"title":"Buy milk","done":true}],"open":1,"done":1}`},
	}
	for _, step := range steps {
		result := host.Call(step.tool, step.args)
		if result.Err != nil || result.IsError || result.Text() != step.text || result.JSON != step.js {
			t.Errorf("%s %v: %+v %s", step.tool, step.args, result, result.Text())
		}
	}
	if got := host.Call("list", object{"state": "all"}).Text(); got != "[x] 1: Buy milk\n[ ] 2: Sleep" {
		t.Error(got)
	}
	if result := host.Call("complete", object{"id": 7}); !result.IsError || result.Text() != "there is no item 7; call list to see what there is" {
		t.Errorf("%+v", result)
	}
}

func TestNothingIsRemovedUnlessThePersonSaysSo(t *testing.T) {
	host := toolcelltest.New(t)
	if got := host.Call("clear", object{}).Text(); got != "Nothing to remove." {
		t.Error(got)
	}
	for i := range 3 {
		host.Call("add", object{"title": fmt.Sprint("item ", i+1)})
		host.Call("complete", object{"id": i + 1})
	}
	if result := host.Call("clear", object{}); !result.Open || result.Asked["confirm"] != "Remove 3 items that are done?" {
		t.Errorf("%+v", result)
	}
	host.Decline("confirm")
	if got := host.Call("clear", object{}).Text(); got != "Nothing was removed." {
		t.Error(got)
	}
	host.Answer("confirm", object{"remove": false})
	if got := host.Call("clear", object{}).Text(); got != "Nothing was removed." {
		t.Error(got)
	}
	host.Answer("confirm", object{"remove": true})
	result := host.Call("clear", object{})
	if result.Text() != "Removed 3 items." || result.JSON != `{"removed":3}` || len(host.Store) != 1 {
		t.Errorf("%+v %v", result, host.Store)
	}
	last := toolcelltest.Progress{Progress: 3, Total: 3, Message: "Removed 3: item 3"}
	if len(host.Reported) != 3 || host.Reported[2] != last {
		t.Errorf("%+v", host.Reported)
	}
}

func TestListsAreImported(t *testing.T) {
	host := toolcelltest.New(t)
	host.HandleHTTP(func(method, url string, _ []byte) (int, string, error) {
		switch {
		case method != "GET":
			return 405, "", nil
		case strings.HasSuffix(url, "/list"):
			return 200, `["a","b"]`, nil
		case strings.HasSuffix(url, "/gone"):
			return 404, "", nil
		case strings.HasSuffix(url, "/refused"):
			return 0, "", errors.New("not granted: add the host")
		}
		return 200, `{"no":"list"}`, nil
	})
	result := host.Call("import", object{"url": "http://web/list"})
	if result.Text() != "Added 2 items." || result.JSON != `{"added":2}` {
		t.Errorf("%+v", result)
	}
	if len(host.Reported) != 2 || host.Reported[1].Message != "Added 2: b" {
		t.Errorf("%+v", host.Reported)
	}
	if len(host.Logged) != 1 || host.Logged[0].Logger != "todo" || host.Logged[0].Data != `{"imported":2,"url":"http://web/list"}` {
		t.Errorf("%+v", host.Logged)
	}
	cases := map[string]string{
		"gone": "answered 404", "other": "is no JSON array of titles", "refused": "not granted: add the host",
	}
	for path, expected := range cases {
		result := host.Call("import", object{"url": "http://web/" + path})
		if !result.IsError || !strings.Contains(result.Text(), expected) {
			t.Errorf("%s: %+v", path, result.Text())
		}
	}
}
