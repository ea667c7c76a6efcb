import type { CallContext, Cache, Content, Contents, Plugin, Returned, Root, SampleRequest } from "./index.js";

export { HttpError } from "./index.js";

/** What the test puts in the place of host, person and web. */
export interface HarnessOptions {
  /** What is in the store: text, bytes, or JSON values. `false` is a store that the operator has not granted. */
  keyValue?: Record<string, unknown> | false;
  /** Called once, before the next compare-and-set: changes what is stored, as another call would. */
  interfere?: (store: { set(key: string, value: string | Uint8Array): void; delete(key: string): void }, key: string) => void;
  /** Answers by URL, or a function that answers. What has no answer is 404; without `http`, requests are refused. */
  http?: Record<string, HttpAnswer> | ((request: HttpRequest) => HttpAnswer | Error);
  env?: Record<string, string>;
  context?: Partial<Omit<CallContext, "abilities">> & { abilities?: Partial<CallContext["abilities"]>; isCancelled?: boolean };
  /** Other tools of the host. */
  tools?: Record<string, (args: any) => Returned<unknown>>;
}

export interface HttpRequest {
  method: string;
  url: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

export interface HttpAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  json?: unknown;
}

/** Puts a plugin into a test of its own: nothing is left of earlier ones. */
export declare function harness(plugin: Plugin, options?: HarnessOptions): Harness;

/** What answers a question: see {@link accept} and its neighbours. */
export type TestAnswer = { tag: string; val: unknown };

/** A question of the plugin. */
export interface Asked {
  key: string;
  kind: "form" | "url" | "sample" | "roots";
  message?: string;
  schema?: any;
  url?: string;
  params?: SampleRequest;
}

export interface Answers {
  /** By key; a plugin that asks for one that is not here fails the test. */
  answers?: Record<string, TestAnswer | ((asked: Asked) => TestAnswer)>;
}

export interface CallResult {
  /** Its text blocks, with an empty line between them. */
  text: string;
  structured?: any;
  isError: boolean;
  content: Content[];
  meta?: Record<string, any>;
  asked: Asked[];
}

export interface Harness {
  /** What was logged. */
  readonly logs: { level: string; logger?: string; data: any }[];
  readonly progress: { progress: number; total?: number; message?: string }[];
  /** What was told with `changes`. */
  readonly changes: ("tools" | "prompts" | "resources" | { resource: string })[];
  /** The store as it is now: JSON values read, everything else as text. */
  readonly store: Record<string, any>;
  tools(): Promise<any[]>;
  resources(): Promise<any[]>;
  templates(): Promise<any[]>;
  prompts(): Promise<any[]>;
  /** Calls a tool, and answers its questions. The arguments are not checked against the schema: the host does that. */
  call(name: string, args?: object, answers?: Answers): Promise<CallResult>;
  read(uri: string, answers?: Answers): Promise<{ text: string; contents: (Contents & { uri: string })[]; cache?: Cache; asked: Asked[] }>;
  prompt(name: string, args?: Record<string, string>, answers?: Answers): Promise<{ description?: string; text: string; messages: { role: string; content: Content }[]; asked: Asked[] }>;
  complete(target: { prompt: string } | { resource: string }, argument: string, typed: string, settled?: Record<string, string>): Promise<{ values: string[]; total?: number; hasMore: boolean }>;
}

/** Why a call failed, as opposed to a result that tells of failure. */
export declare class CallError extends Error {
  readonly kind: "not-found" | "invalid-arguments" | "denied" | "unavailable" | "cancelled" | "other";
}

/** The person filled in the form, or visited the page. */
export declare function accept(content?: object): TestAnswer;
/** The person said no. */
export declare function decline(): TestAnswer;
/** The person closed it. */
export declare function cancel(): TestAnswer;
/** The model's answer: the result of `sampling/createMessage`. */
export declare function sample(result: object): TestAnswer;
export declare function roots(list: Root[]): TestAnswer;
/** The client could not answer. */
export declare function failed(why: string): TestAnswer;
