export { current, isCancelled } from "toolcell:plugin/context@0.1.0";
