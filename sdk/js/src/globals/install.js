/** For QuickJS: promises that are settled within a call. Imported before anything else. */
import { addJob } from "./loop.js";
import { Promise } from "./promise.js";

globalThis.Promise = Promise;
globalThis.queueMicrotask = addJob;
