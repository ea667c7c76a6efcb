package toolcell

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"toolcell.dev/sdk/internal/host"
	"toolcell.dev/sdk/internal/wit/exports/export_toolcell_plugin_completions"
	"toolcell.dev/sdk/internal/wit/exports/export_toolcell_plugin_prompts"
	"toolcell.dev/sdk/internal/wit/exports/export_toolcell_plugin_resources"
	"toolcell.dev/sdk/internal/wit/exports/export_toolcell_plugin_tools"
	_ "toolcell.dev/sdk/internal/wit/exports/wit_exports"
	wc "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_completions"
	wp "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_prompts"
	wr "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_resources"
	wt "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_tools"
	w "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_types"
	wit "toolcell.dev/sdk/internal/wit/pkg/types"
)

func init() {
	host.Current = wasmHost{}
	// The host puts arguments into memory that it asks for while the program stands still, where nothing may be collected: see
	// uncollected.
	debug.SetGCPercent(-1)

	export_toolcell_plugin_tools.ListTools = func() wit.Result[wt.ToolList, w.CallError] {
		return serve("the list of tools", func() (wt.ToolList, error) { return listTools(), nil })
	}
	export_toolcell_plugin_tools.CallTool = func(call wt.ToolCall) wit.Result[wt.ToolOutcome, w.CallError] {
		return serve("the call", func() (wt.ToolOutcome, error) { return callTool(call) })
	}
	export_toolcell_plugin_resources.ListResources = func() wit.Result[wr.ResourceList, w.CallError] {
		return serve("the list of resources", listResources)
	}
	export_toolcell_plugin_resources.ListTemplates = func() wit.Result[wr.TemplateList, w.CallError] {
		return serve("the list of templates", listTemplates)
	}
	export_toolcell_plugin_resources.ReadResource = func(read wr.ResourceRead) wit.Result[wr.ReadOutcome, w.CallError] {
		return serve("the read", func() (wr.ReadOutcome, error) { return readResource(read) })
	}
	export_toolcell_plugin_prompts.ListPrompts = func() wit.Result[wp.PromptList, w.CallError] {
		return serve("the list of prompts", func() (wp.PromptList, error) { return listPrompts(), nil })
	}
	export_toolcell_plugin_prompts.GetPrompt = func(get wp.PromptGet) wit.Result[wp.PromptOutcome, w.CallError] {
		return serve("the prompt", func() (wp.PromptOutcome, error) { return getPrompt(get) })
	}
	export_toolcell_plugin_completions.Complete = func(r wc.CompletionRequest) wit.Result[wc.Completion, w.CallError] {
		return serve("the completion", func() (wc.Completion, error) { return complete(r) })
	}
}

// serve answers one request of the host. Garbage is collected while it runs, and not between requests.
func serve[T any](what string, answer func() (T, error)) wit.Result[T, w.CallError] {
	debug.SetGCPercent(100)
	// Waits for a collection that has begun.
	defer debug.SetGCPercent(-1)
	out, err := func() (out T, err error) {
		defer guard(what, &err)
		return answer()
	}()
	_ = os.Stdout.Sync()
	if err != nil {
		return wit.Err[T](callError(err))
	}
	return wit.Ok[T, w.CallError](out)
}

func callError(err error) w.CallError {
	var call *CallError
	if !errors.As(err, &call) {
		return w.MakeCallErrorOther(err.Error())
	}
	// The text of the whole, in which the cause may be wrapped.
	text := err.Error()
	switch call.kind {
	case kindNotFound:
		return w.MakeCallErrorNotFound(text)
	case kindInvalidArguments:
		return w.MakeCallErrorInvalidArguments(text)
	case kindDenied:
		return w.MakeCallErrorDenied(text)
	case kindUnavailable:
		return w.MakeCallErrorUnavailable(text)
	case kindCancelled:
		return w.MakeCallErrorCancelled()
	}
	return w.MakeCallErrorOther(text)
}

// optional is none for the zero value.
func optional[T comparable](value T) wit.Option[T] {
	var zero T
	if value == zero {
		return wit.None[T]()
	}
	return wit.Some(value)
}

func pointed[T any](value *T) wit.Option[T] {
	if value == nil {
		return wit.None[T]()
	}
	return wit.Some(*value)
}

func metaOf(meta map[string]any) wit.Option[string] {
	if meta == nil {
		return wit.None[string]()
	}
	text, err := json.Marshal(meta)
	if err != nil {
		panic(fmt.Sprintf("_meta cannot be written as JSON: %s", err))
	}
	return wit.Some(string(text))
}

func iconsOf(icons []Icon) []w.Icon {
	all := make([]w.Icon, 0, len(icons))
	for _, icon := range icons {
		theme := wit.None[w.IconTheme]()
		switch icon.Theme {
		case "light":
			theme = wit.Some(w.IconTheme_Light)
		case "dark":
			theme = wit.Some(w.IconTheme_Dark)
		}
		all = append(all, w.Icon{Src: icon.Src, MimeType: optional(icon.MIMEType), Sizes: icon.Sizes, Theme: theme})
	}
	return all
}

func contentOf(block Content) w.Content {
	annotations := wit.None[w.Annotations]()
	if len(block.Audience) > 0 || block.Priority != 0 || block.LastModified != "" {
		said := w.Annotations{Priority: optional(block.Priority), LastModified: optional(block.LastModified)}
		for _, role := range block.Audience {
			said.Audience = append(said.Audience, w.Role(role))
		}
		annotations = wit.Some(said)
	}
	meta := metaOf(block.Meta)
	media := w.MediaContent{Data: block.data, MimeType: block.mimeType, Annotations: annotations, Meta: meta}
	switch block.kind {
	case kindImage:
		return w.MakeContentImage(media)
	case kindAudio:
		return w.MakeContentAudio(media)
	case kindLink:
		info := infoOf(block.link)
		info.Annotations = annotations
		return w.MakeContentResourceLink(info)
	case kindEmbeddedText, kindEmbeddedBlob:
		body := w.MakeResourceBodyText(block.text)
		if block.kind == kindEmbeddedBlob {
			body = w.MakeResourceBodyBlob(block.data)
		}
		contents := w.ResourceContents{Uri: block.uri, MimeType: optional(block.mimeType), Body: body}
		return w.MakeContentResource(w.EmbeddedResource{Contents: contents, Annotations: annotations, Meta: meta})
	}
	return w.MakeContentText(w.TextContent{Text: block.text, Annotations: annotations, Meta: meta})
}

func infoOf(info ResourceInfo) w.ResourceInfo {
	name := info.Name
	if name == "" {
		name = info.URI
	}
	return w.ResourceInfo{
		Uri: info.URI, Name: name, Title: optional(info.Title), Description: optional(info.Description),
		MimeType: optional(info.MIMEType), Size: optional(info.Size), Icons: iconsOf(info.Icons), Meta: metaOf(info.Meta),
	}
}

func listTools() wt.ToolList {
	list := wt.ToolList{}
	for _, t := range registry.tools {
		hints := wit.None[wt.ToolAnnotations]()
		if t.readOnly != nil || t.destructive != nil || t.idempotent != nil || t.open != nil {
			hints = wit.Some(wt.ToolAnnotations{
				ReadOnly: pointed(t.readOnly), Destructive: pointed(t.destructive),
				Idempotent: pointed(t.idempotent), OpenWorld: pointed(t.open),
			})
		}
		output := wit.None[string]()
		if t.out != nil {
			output = wit.Some(schemaText(t.out))
		}
		list.Tools = append(list.Tools, wt.Tool{
			Name: t.name, Title: optional(t.title), Description: optional(t.description), InputSchema: inputSchema(t.in),
			OutputSchema: output, Annotations: hints, Icons: iconsOf(t.icons), Meta: pointed(t.allMeta()),
		})
	}
	return list
}

func callTool(call wt.ToolCall) (wt.ToolOutcome, error) {
	c := newCall(call.Name, call.Arguments)
	c.take(call.Continuation)
	out, err := runTool(c)
	if errors.Is(err, ErrInputRequired) {
		return wt.MakeToolOutcomeInputRequired(c.inputRequired()), nil
	}
	if err != nil {
		return wt.ToolOutcome{}, err
	}
	result := w.ToolResult{Structured: pointed(out.structured), IsError: out.isError, Meta: pointed(out.meta)}
	for _, block := range out.content {
		result.Content = append(result.Content, contentOf(block))
	}
	return wt.MakeToolOutcomeComplete(result), nil
}

func listResources() (wr.ResourceList, error) {
	all, err := infos(newCall("", ""), false)
	list := wr.ResourceList{}
	for _, info := range all {
		list.Resources = append(list.Resources, infoOf(info))
	}
	return list, err
}

func listTemplates() (wr.TemplateList, error) {
	all, err := infos(newCall("", ""), true)
	list := wr.TemplateList{}
	for _, info := range all {
		list.Templates = append(list.Templates, wr.ResourceTemplate{
			UriTemplate: info.URI, Name: info.Name, Title: optional(info.Title), Description: optional(info.Description),
			MimeType: optional(info.MIMEType), Icons: iconsOf(info.Icons), Meta: metaOf(info.Meta),
		})
	}
	return list, err
}

func readResource(read wr.ResourceRead) (wr.ReadOutcome, error) {
	c := newCall(read.Uri, "")
	c.take(read.Continuation)
	from, contents, err := runRead(c)
	if errors.Is(err, ErrInputRequired) {
		return wr.MakeReadOutcomeInputRequired(c.inputRequired()), nil
	}
	if err != nil {
		return wr.ReadOutcome{}, err
	}
	result := wr.ReadResult{}
	for _, item := range contents {
		if item.URI == "" {
			item.URI = read.Uri
		}
		if item.MIMEType == "" {
			item.MIMEType = from.MIMEType
		}
		body := w.MakeResourceBodyText(item.Text)
		if item.Blob != nil {
			body = w.MakeResourceBodyBlob(item.Blob)
		}
		result.Contents = append(result.Contents, w.ResourceContents{
			Uri: item.URI, MimeType: optional(item.MIMEType), Body: body, Meta: metaOf(item.Meta),
		})
	}
	if from.ttl > 0 {
		scope := w.CacheScope_Private
		if from.shared {
			scope = w.CacheScope_Public
		}
		result.Cache = wit.Some(w.CacheHint{TtlMs: uint64(from.ttl.Milliseconds()), Scope: scope})
	}
	return wr.MakeReadOutcomeComplete(result), nil
}

func listPrompts() wp.PromptList {
	list := wp.PromptList{}
	for _, p := range registry.prompts {
		prompt := wp.Prompt{
			Name: p.name, Title: optional(p.title), Description: optional(p.description), Icons: iconsOf(p.icons), Meta: metaOf(p.meta),
		}
		for _, a := range p.arguments {
			prompt.Arguments = append(prompt.Arguments, wp.PromptArgument{
				Name: a.name, Title: optional(a.title), Description: optional(a.description), Required: a.required,
			})
		}
		list.Prompts = append(list.Prompts, prompt)
	}
	return list
}

func texts(pairs []wit.Tuple2[string, string]) map[string]string {
	all := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		all[pair.F0] = pair.F1
	}
	return all
}

func getPrompt(get wp.PromptGet) (wp.PromptOutcome, error) {
	c := newCall(get.Name, "")
	c.take(get.Continuation)
	filled, err := runPrompt(c, texts(get.Arguments))
	if errors.Is(err, ErrInputRequired) {
		return wp.MakePromptOutcomeInputRequired(c.inputRequired()), nil
	}
	if err != nil {
		return wp.PromptOutcome{}, err
	}
	result := wp.PromptResult{Description: optional(filled.Description), Meta: metaOf(filled.Meta)}
	for _, message := range filled.Messages {
		result.Messages = append(result.Messages, wp.PromptMessage{Role: w.Role(message.Role), Content: contentOf(message.Content)})
	}
	return wp.MakePromptOutcomeComplete(result), nil
}

func complete(request wc.CompletionRequest) (wc.Completion, error) {
	ofPrompt := request.Target.Tag() == wc.CompletionTarget_Prompt
	name := ""
	if ofPrompt {
		name = request.Target.Prompt()
	} else {
		name = request.Target.ResourceTemplate()
	}
	typing := Typing{Value: request.Value, Settled: texts(request.Context)}
	values, total, err := runComplete(newCall(name, ""), ofPrompt, request.Argument, typing)
	return wc.Completion{Values: values, Total: wit.Some(uint32(total)), HasMore: total > len(values)}, err
}

// take takes what a continued call brings along.
func (c *Call) take(continuation wit.Option[w.Continuation]) {
	if continuation.IsNone() {
		return
	}
	from := continuation.Some()
	c.resume(from.State.SomeOr(nil))
	for _, response := range from.Responses {
		c.answered(response.Key, answerOf(response.Answer))
	}
}

func answerOf(from w.InputAnswer) answer {
	switch from.Tag() {
	case w.InputAnswer_Form:
		form := from.Form()
		switch form.Tag() {
		case w.FormAnswer_Decline:
			return answer{Action: "decline"}
		case w.FormAnswer_Cancel:
			return answer{Action: "cancel"}
		}
		return answer{Action: "accept", Value: json.RawMessage(form.Accept().SomeOr("null"))}
	case w.InputAnswer_Sample:
		return answer{Action: "accept", Value: json.RawMessage(from.Sample())}
	case w.InputAnswer_Roots:
		roots := []Root{}
		for _, root := range from.Roots() {
			roots = append(roots, Root{URI: root.Uri, Name: root.Name.SomeOr("")})
		}
		text, _ := json.Marshal(roots) // texts only
		return answer{Action: "accept", Value: text}
	}
	return answer{Action: "failed", Why: from.Failed()}
}

func (c *Call) inputRequired() w.InputRequired {
	required := w.InputRequired{State: wit.Some(c.sealedState())}
	for _, q := range c.questions {
		var kind w.InputKind
		switch q.kind {
		case askForm:
			kind = w.MakeInputKindForm(w.FormRequest{Message: q.message, Schema: q.detail})
		case askURL:
			kind = w.MakeInputKindUrl(w.UrlRequest{Message: q.message, Url: q.detail})
		case askSample:
			kind = w.MakeInputKindSample(q.detail)
		case askRoots:
			kind = w.MakeInputKindRoots()
		}
		required.Requests = append(required.Requests, w.InputRequest{Key: q.key, Kind: kind})
	}
	return required
}
