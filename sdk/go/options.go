package toolcell

// Option is a detail of anything that is offered.
type Option interface {
	ToolOption
	ResourceOption
	PromptOption
}

type option struct {
	tool     func(*tool)
	resource func(*resource)
	prompt   func(*prompt)
}

func (o option) applyToTool(t *tool)         { o.tool(t) }
func (o option) applyToResource(r *resource) { o.resource(r) }
func (o option) applyToPrompt(p *prompt)     { o.prompt(p) }

// Title is a name for people.
func Title(title string) Option {
	return option{
		func(t *tool) { t.title = title },
		func(r *resource) { r.title = title },
		func(p *prompt) { p.title = title },
	}
}

// Icon is a picture for what is offered; an option, once for each.
type Icon struct {
	// Src is an https: or data: URI.
	Src string
	// MIMEType where Src does not tell.
	MIMEType string
	// Sizes such as "48x48".
	Sizes []string
	// Theme is the background it is made for: "light", "dark", or nothing.
	Theme string
}

func (i Icon) applyToTool(t *tool)         { t.icons = append(t.icons, i) }
func (i Icon) applyToResource(r *resource) { r.icons = append(r.icons, i) }
func (i Icon) applyToPrompt(p *prompt)     { p.icons = append(p.icons, i) }

// Meta is what goes into _meta.
func Meta(meta map[string]any) Option {
	return option{
		func(t *tool) { t.meta = meta },
		func(r *resource) { r.meta = meta },
		func(p *prompt) { p.meta = meta },
	}
}
