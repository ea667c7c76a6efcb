package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	toolcell "toolcell.dev/sdk"
)

// Item is one thing to do.
type Item struct {
	ID    int    `json:"id" doc:"The item's number."`
	Title string `json:"title" doc:"What is to be done."`
	Done  bool   `json:"done" doc:"Whether it is done."`
}

const prefix = "item/"

func key(id int) string { return fmt.Sprintf("%s%010d", prefix, id) }

// add gives the item the next number: calls that run at the same time never share one.
func add(store toolcell.Store, title string) (Item, error) {
	item := Item{Title: title}
	err := store.Update("next", func(old []byte) ([]byte, error) {
		item.ID = 1
		if old != nil {
			next, err := strconv.Atoi(string(old))
			if err != nil {
				return nil, fmt.Errorf("the key `next` holds %q instead of a number", old)
			}
			item.ID = next
		}
		return strconv.AppendInt(nil, int64(item.ID)+1, 10), nil
	})
	if err != nil {
		return item, err
	}
	return item, save(store, item)
}

func save(store toolcell.Store, item Item) error {
	value, err := json.Marshal(item)
	if err != nil {
		return err
	}
	return store.Set(key(item.ID), value)
}

func load(store toolcell.Store, key string) (item Item, found bool, err error) {
	value, found, err := store.Get(key)
	if err != nil || !found {
		return item, false, err
	}
	return item, true, json.Unmarshal(value, &item)
}

// all are the items, oldest first.
func all(store toolcell.Store) ([]Item, error) {
	keys, err := store.Keys(prefix)
	if err != nil {
		return nil, err
	}
	items := make([]Item, 0, len(keys))
	for _, key := range keys {
		item, found, err := load(store, key)
		if err != nil {
			return nil, err
		}
		// Another call may have removed it meanwhile.
		if found {
			items = append(items, item)
		}
	}
	return items, nil
}
