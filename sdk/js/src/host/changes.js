export { resourceUpdated, resourcesChanged, promptsChanged, toolsChanged } from "toolcell:plugin/changes@0.1.0";
