import { host } from "./state.js";

export const resourceUpdated = (uri) => void host.changes.push({ resource: uri });
export const resourcesChanged = () => void host.changes.push("resources");
export const promptsChanged = () => void host.changes.push("prompts");
export const toolsChanged = () => void host.changes.push("tools");
