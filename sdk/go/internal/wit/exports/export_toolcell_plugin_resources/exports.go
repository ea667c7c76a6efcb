// Package export_toolcell_plugin_resources is where the generated exports call the SDK.
package export_toolcell_plugin_resources

import (
	. "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_resources"
	"toolcell.dev/sdk/internal/wit/pkg/types"
)

var (
	ListResources func() wit_types.Result[ResourceList, CallError]
	ListTemplates func() wit_types.Result[TemplateList, CallError]
	ReadResource  func(ResourceRead) wit_types.Result[ReadOutcome, CallError]
)
