import { host } from "./state.js";

export const isWanted = () => true;
export const report = (progress, total, message) => void host.progress.push({ progress, total, message });
