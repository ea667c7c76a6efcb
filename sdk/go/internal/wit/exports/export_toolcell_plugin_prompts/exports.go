// Package export_toolcell_plugin_prompts is where the generated exports call the SDK.
package export_toolcell_plugin_prompts

import (
	. "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_prompts"
	"toolcell.dev/sdk/internal/wit/pkg/types"
)

var (
	ListPrompts func() wit_types.Result[PromptList, CallError]
	GetPrompt   func(PromptGet) wit_types.Result[PromptOutcome, CallError]
)
