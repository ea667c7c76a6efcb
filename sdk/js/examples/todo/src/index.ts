import { plugin } from "@toolcell/sdk";
import { add, clear, complete, list } from "./list.ts";
import { importList } from "./import.ts";

export default plugin({ tools: [add, list, complete, clear, importList] });
