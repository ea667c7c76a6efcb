import { host } from "./state.js";

export const isEnabled = () => true;
export const write = (level, logger, data) => void host.logs.push({ level, logger, data: JSON.parse(data) });
