export { isEnabled, write } from "toolcell:plugin/log@0.1.0";
