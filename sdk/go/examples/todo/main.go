// A to-do list: what it keeps outlives the call, it asks before it removes, and it reads lists from the web.
package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	toolcell "toolcell.dev/sdk"
)

type addArgs struct {
	Title string `json:"title" doc:"What is to be done." min:"1" max:"200"`
}

type listArgs struct {
	State string `json:"state" doc:"Which items to list." enum:"open,done,all" default:"open"`
}

type listed struct {
	Items []Item `json:"items" doc:"The items, oldest first."`
	Open  int    `json:"open" doc:"How many are open in all."`
	Done  int    `json:"done" doc:"How many are done in all."`
}

type completeArgs struct {
	ID int "json:\"id\" doc:\"The item's number, from `list`.\" min:\"1\""
}

type removed struct {
	Removed int `json:"removed" doc:"How many were removed."`
}

type confirmation struct {
	Remove bool `json:"remove" title:"Remove them"`
}

type importArgs struct {
	URL string `json:"url" doc:"Where the list is: an http or https URL."`
}

type added struct {
	Added int `json:"added" doc:"How many were added."`
}

func init() {
	toolcell.Tool("add", "Adds an item to the list.", addItem, toolcell.NotDestructive, toolcell.ClosedWorld)
	toolcell.Tool("list", "Lists the items, oldest first.", listItems, toolcell.ReadOnly, toolcell.ClosedWorld)
	toolcell.Tool("complete", "Marks an item as done.", complete, toolcell.NotDestructive, toolcell.Idempotent, toolcell.ClosedWorld)
	toolcell.Tool("clear", "Removes all items that are done, after asking the person.", clear, toolcell.Destructive, toolcell.ClosedWorld)
	toolcell.Tool("import", "Adds the items of a list on the web: a JSON array of titles.", importList, toolcell.NotDestructive, toolcell.OpenWorld)
}

func main() {}

func addItem(c *toolcell.Call, in addArgs) (toolcell.Result[Item], error) {
	item, err := add(c.Store(), in.Title)
	return toolcell.Structured(item, toolcell.Text("Added %d: %s", item.ID, item.Title)), err
}

func listItems(c *toolcell.Call, in listArgs) (toolcell.Result[listed], error) {
	items, err := all(c.Store())
	out := listed{Items: []Item{}}
	var lines []string
	for _, item := range items {
		mark := " "
		if item.Done {
			out.Done++
			mark = "x"
		} else {
			out.Open++
		}
		if in.State == "all" || item.Done == (in.State == "done") {
			out.Items = append(out.Items, item)
			lines = append(lines, fmt.Sprintf("[%s] %d: %s", mark, item.ID, item.Title))
		}
	}
	if len(lines) == 0 {
		lines = []string{"Nothing to do."}
	}
	return toolcell.Structured(out, toolcell.Text("%s", strings.Join(lines, "\n"))), err
}

func complete(c *toolcell.Call, in completeArgs) (toolcell.Result[Item], error) {
	item, found, err := load(c.Store(), key(in.ID))
	if err == nil && !found {
		err = fmt.Errorf("there is no item %d; call list to see what there is", in.ID)
	}
	if err != nil {
		return toolcell.Result[Item]{}, err
	}
	item.Done = true
	return toolcell.Structured(item, toolcell.Text("Done %d: %s", item.ID, item.Title)), save(c.Store(), item)
}

func clear(c *toolcell.Call, _ toolcell.Nothing) (toolcell.Result[removed], error) {
	items, err := all(c.Store())
	if err != nil {
		return toolcell.Result[removed]{}, err
	}
	var done []Item
	for _, item := range items {
		if item.Done {
			done = append(done, item)
		}
	}
	if len(done) == 0 {
		return toolcell.Structured(removed{}, toolcell.Text("Nothing to remove.")), nil
	}
	answer, err := toolcell.Elicit[confirmation](c, "confirm", fmt.Sprintf("Remove %d items that are done?", len(done)))
	if err != nil {
		return toolcell.Result[removed]{}, err
	}
	if !answer.Accepted || !answer.Value.Remove {
		return toolcell.Structured(removed{}, toolcell.Text("Nothing was removed.")), nil
	}
	for i, item := range done {
		if err := c.Store().Delete(key(item.ID)); err != nil {
			return toolcell.Result[removed]{}, err
		}
		c.Progress(float64(i+1), float64(len(done)), "Removed %d: %s", item.ID, item.Title)
	}
	return toolcell.Structured(removed{len(done)}, toolcell.Text("Removed %d items.", len(done))), nil
}

func importList(c *toolcell.Call, in importArgs) (toolcell.Result[added], error) {
	titles, err := fetch(c, in.URL)
	if err != nil {
		return toolcell.Result[added]{}, err
	}
	for i, title := range titles {
		item, err := add(c.Store(), title)
		if err != nil {
			return toolcell.Result[added]{}, err
		}
		c.Progress(float64(i+1), float64(len(titles)), "Added %d: %s", item.ID, item.Title)
	}
	c.Logger("todo").Log(toolcell.Info, map[string]any{"imported": len(titles), "url": in.URL})
	return toolcell.Structured(added{len(titles)}, toolcell.Text("Added %d items.", len(titles))), nil
}

func fetch(c *toolcell.Call, url string) ([]string, error) {
	response, err := c.Get(url)
	if err != nil {
		return nil, err
	}
	if response.Status != 200 {
		return nil, fmt.Errorf("%s answered %d; check the URL, or try again later", url, response.Status)
	}
	var titles []string
	if err := json.Unmarshal(response.Body, &titles); err != nil || titles == nil {
		return nil, fmt.Errorf("%s is no JSON array of titles; give the URL of one, such as [\"Buy milk\"]", url)
	}
	for _, title := range titles {
		if n := utf8.RuneCountInString(title); n < 1 || n > 200 {
			return nil, fmt.Errorf("%s is no JSON array of titles: one has %d characters, and 1 to 200 are allowed", url, n)
		}
	}
	return titles, nil
}
