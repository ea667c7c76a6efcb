import * as host from "#host/changes";
import { text } from "./text.js";

export const changes = {
  resourceUpdated: (uri) => host.resourceUpdated(text(uri)),
  resourcesChanged: () => host.resourcesChanged(),
  promptsChanged: () => host.promptsChanged(),
  toolsChanged: () => host.toolsChanged(),
};
