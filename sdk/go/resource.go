package toolcell

import (
	"net/url"
	"reflect"
	"strings"
	"time"
)

// ResourceInfo describes a resource: for a list that is made at run time, or a [Link].
type ResourceInfo struct {
	URI, Name, Title, Description, MIMEType string
	// Size in bytes; 0 is not said.
	Size  uint64
	Icons []Icon
	Meta  map[string]any
}

// Contents is what was read, for a URI that stands for several things or whose contents say more about themselves.
type Contents struct {
	// URI is the one that was read, if empty.
	URI, MIMEType string
	// Text or Blob.
	Text string
	Blob []byte
	Meta map[string]any
}

type resource struct {
	ResourceInfo
	title    string
	icons    []Icon
	meta     map[string]any
	template []segment
	ttl      time.Duration
	shared   bool
	list     func(*Call) ([]ResourceInfo, error)
	read     func(c *Call, variables map[string]string) ([]Contents, error)
}

// ResourceOption is a detail of a resource.
type ResourceOption interface{ applyToResource(*resource) }

type resourceOption func(*resource)

func (o resourceOption) applyToResource(r *resource) { o(r) }

// MIMEType is the media type of a resource.
func MIMEType(mimeType string) ResourceOption {
	return resourceOption(func(r *resource) { r.MIMEType = mimeType })
}

// FreshFor says how long what was read stays fresh, and that only the same caller may keep a copy.
func FreshFor(ttl time.Duration) ResourceOption {
	return resourceOption(func(r *resource) { r.ttl = ttl })
}

// FreshForAll says how long it stays fresh, and that anyone may keep a copy: it holds nothing about the caller.
func FreshForAll(ttl time.Duration) ResourceOption {
	return resourceOption(func(r *resource) { r.ttl, r.shared = ttl, true })
}

// Resource registers a resource. Out is a string, a []byte, [Contents] or a slice of them.
func Resource[Out any](uri, description string, read func(c *Call) (Out, error), options ...ResourceOption) {
	ResourceTemplate(uri, description, func(c *Call, _ Nothing) (Out, error) { return read(c) }, options...)
}

// ResourceTemplate registers a pattern of URIs whose variables are the fields of In: {id} holds no slash, {+path} may, {?lang,page}
// may be missing.
func ResourceTemplate[In, Out any](pattern, description string, read func(c *Call, in In) (Out, error), options ...ResourceOption) {
	offersResources()
	r := &resource{ResourceInfo: ResourceInfo{URI: pattern, Name: pattern, Description: description}, template: parseTemplate(pattern)}
	r.read = func(c *Call, variables map[string]string) ([]Contents, error) {
		var in In
		if err := decodeTexts(variables, &in); err != nil {
			return nil, NotFound("there is no resource `%s`: %s", c.name, err)
		}
		out, err := read(c, in)
		if err != nil {
			return nil, err
		}
		return contentsOf(out), nil
	}
	for _, option := range options {
		option.applyToResource(r)
	}
	registry.resources = append(registry.resources, r)
}

// ResourceList registers a list of resources that is made at run time; a template answers to their URIs.
func ResourceList(list func(c *Call) ([]ResourceInfo, error)) {
	offersResources()
	registry.resources = append(registry.resources, &resource{list: list})
}

func contentsOf(out any) []Contents {
	switch out := out.(type) {
	case string:
		return []Contents{{Text: out}}
	case []byte:
		return []Contents{{Blob: out}}
	case Contents:
		return []Contents{out}
	case []Contents:
		return out
	}
	panic("toolcell: a resource cannot be " + reflect.TypeOf(out).String() + "; return string, []byte, Contents or []Contents")
}

// segment is a part of a URI template: a literal, or variables.
type segment struct {
	literal string
	// operator is ' ' for {id}, '+' or '?'.
	operator  byte
	variables []string
}

func parseTemplate(pattern string) []segment {
	var parts []segment
	for pattern != "" {
		before, rest, found := strings.Cut(pattern, "{")
		if before != "" {
			parts = append(parts, segment{literal: before})
		}
		if !found {
			return parts
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed || inside == "" {
			panic("toolcell: the URI template " + pattern + " has a { without its }")
		}
		part := segment{operator: ' '}
		if strings.ContainsRune("+?", rune(inside[0])) {
			part.operator, inside = inside[0], inside[1:]
		}
		part.variables = strings.Split(inside, ",")
		parts = append(parts, part)
		pattern = after
	}
	return parts
}

// match reads a URI backwards: the variables with which the template would give it.
func match(parts []segment, uri string, variables map[string]string) bool {
	if len(parts) == 0 {
		return uri == ""
	}
	part, rest := parts[0], parts[1:]
	if part.operator == 0 {
		uri, found := strings.CutPrefix(uri, part.literal)
		return found && match(rest, uri, variables)
	}
	if part.operator == '?' {
		return len(rest) == 0 && matchQuery(part.variables, uri, variables)
	}
	longest := len(uri)
	least := 0
	if part.operator == ' ' {
		least = 1
		if end := strings.IndexAny(uri, "/?#"); end >= 0 {
			longest = end
		}
	}
	if len(rest) > 0 && rest[len(rest)-1].operator == '?' {
		// What follows a question mark belongs to the query.
		if end := strings.IndexByte(uri, '?'); end >= 0 {
			longest = min(longest, end)
		}
	}
	for length := longest; length >= least; length-- {
		if match(rest, uri[length:], variables) {
			value, err := url.PathUnescape(uri[:length])
			variables[part.variables[0]] = value
			return err == nil
		}
	}
	return false
}

func matchQuery(names []string, text string, variables map[string]string) bool {
	if text == "" {
		return true
	}
	query, found := strings.CutPrefix(text, "?")
	values, err := url.ParseQuery(query)
	if !found || err != nil {
		return false
	}
	for name, all := range values {
		known := false
		for _, other := range names {
			known = known || name == other
		}
		if !known || len(all) != 1 {
			return false
		}
		variables[name] = all[0]
	}
	return true
}
