export { isWanted, report } from "toolcell:plugin/progress@0.1.0";
