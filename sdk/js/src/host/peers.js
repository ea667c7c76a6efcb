export { call } from "toolcell:plugin/peers@0.1.0";
