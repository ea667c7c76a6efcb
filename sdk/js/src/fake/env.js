import { host } from "./state.js";

export const getEnvironment = () => Object.entries(host.env);
