import { plugin } from "@toolcell/sdk";
import { add, clear, complete, list } from "./list.js";
import { importList } from "./import.js";

export default plugin({ tools: [add, list, complete, clear, importList] });
