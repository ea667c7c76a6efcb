/**
 * For `node --import ./.toolcell/sdk/js/src/register.js --test`: `@toolcell/sdk` is found without `npm install`, and TypeScript
 * runs on every Node.js from 20.6.
 */
import { register } from "node:module";

register("./register-hooks.js", import.meta.url);
