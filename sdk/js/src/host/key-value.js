export { get, set, delete, compareAndSet, listKeys } from "toolcell:plugin/key-value@0.1.0";
