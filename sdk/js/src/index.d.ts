/// <reference path="./globals.d.ts" />
import type { Infer, Input, InferShape, JsonSchema, Schema, Shape, StandardSchema } from "./schema.js";

export { t } from "./schema.js";
export type * from "./schema.js";

// What a plugin is.

/** What a plugin offers; the default export of its entry file. */
export declare class Plugin {
  private constructor();
}

/** A tool, made by {@link tool}. */
export interface Tool {
  readonly kind: "tool";
  readonly name: string;
}

/** A resource or a template of resources, made by {@link resource}. */
export interface Resource {
  readonly kind: "resource";
  readonly uri: string;
}

/** A prompt, made by {@link prompt}. */
export interface Prompt {
  readonly kind: "prompt";
  readonly name: string;
}

/** Suggestions, made by {@link complete}. */
export interface Completer {
  readonly kind: "complete";
}

/** Puts a plugin together. What it is called and asks for stands in `plugin.toml`. */
export declare function plugin(definition: {
  tools?: readonly Tool[];
  resources?: readonly Resource[];
  prompts?: readonly Prompt[];
  completions?: readonly Completer[];
  /** What is only known at run time; it comes after the rest. */
  dynamic?: Dynamic;
  /** How long all lists stay fresh. */
  cache?: Cache;
}): Plugin;

/** Lists made at run time, and who answers for what is in them. */
export interface Dynamic {
  tools?: { list(): Awaitable<readonly ToolInfo[]>; call(name: string, args: any, call: Call): Awaitable<Returned<unknown>>; cache?: Cache };
  resources?: {
    list?(): Awaitable<readonly ResourceInfo[]>;
    templates?(): Awaitable<readonly TemplateInfo[]>;
    read(uri: string, call: Call): Awaitable<Read>;
    cache?: Cache;
  };
  prompts?: { list(): Awaitable<readonly PromptInfo[]>; get(name: string, args: Record<string, string>, call: Call): Awaitable<Got>; cache?: Cache };
}

type Awaitable<T> = T | Promise<T>;

/** Hints about what a tool does to the world; what is not said is not known. */
export interface ToolAnnotations {
  /** It changes nothing. */
  readOnly?: boolean;
  /** It may destroy something. */
  destructive?: boolean;
  /** Calling it again with the same arguments changes nothing more. */
  idempotent?: boolean;
  /** It reaches beyond a closed set of things, such as to the web. */
  openWorld?: boolean;
}

/** A picture: its URI, or more about it. */
export type Icon = string | { src: string; mimeType?: string; sizes?: readonly string[]; theme?: "light" | "dark" };

/** A JSON object for `_meta`. */
export type Meta = { readonly [key: string]: unknown };

/** How long something stays fresh, and who may keep a copy: only the same caller, if not said. */
export interface Cache {
  ttlMs: number;
  scope?: "public" | "private";
}

/**
 * A tool. `input` are its arguments: fields made by {@link t}, a `z.object(…)`, or JSON Schema. The host has checked them when
 * `run` is called. What `run` returns becomes the result; what it throws becomes an error that the model reads.
 */
export declare function tool<I extends Input = {}, O extends Schema<any> | StandardSchema | JsonSchema | undefined = undefined>(definition: {
  /** For programs: 1 to 128 of `A-Z a-z 0-9 _ - .` */
  name: string;
  /** For people. */
  title?: string;
  /** What it does and when to use it, for the model. */
  description?: string;
  input?: I;
  /** The type of the structured result. */
  output?: O;
  annotations?: ToolAnnotations;
  icons?: readonly Icon[];
  meta?: Meta;
  /** Whether the host may run it as a task: `optional` where the client can follow one, `required` only so, `forbidden` never. */
  task?: "optional" | "required" | "forbidden";
  /** The `ui://` resource of this plugin that shows its results. */
  ui?: string;
  run(args: Infer<I>, call: Call): Awaitable<O extends undefined ? Returned<unknown> : Infer<O> | ToolResult>;
}): Tool;

/** What `run` may return: text, blocks, a {@link result}, nothing; anything else is structured content. */
export type Returned<T> = T | string | Content | readonly Content[] | ToolResult | void;

/** Text, blocks, structured content and `_meta` in one; made by {@link result}. */
export declare class ToolResult {
  private constructor();
}

/** A result of several parts. Without text and content, `structured` is also given as text. */
export declare function result(parts: {
  text?: string;
  content?: readonly (Content | string)[];
  structured?: unknown;
  /** The tool tried and failed, and the content tells the model what to do about it. */
  isError?: boolean;
  meta?: Meta;
}): ToolResult;

type Braced<S extends string> = S extends `${string}{${infer V}}${infer Rest}` ? V | Braced<Rest> : never;
type Sign = "+" | "#" | "." | "/" | ";" | "?" | "&";
type Names<V extends string> = V extends `${infer A},${infer B}` ? A | Names<B> : V;
type Required_<V extends string> = V extends `${Exclude<Sign, "+">}${string}` ? never : V extends `+${infer N}` ? Names<N> : Names<V>;
type Optional_<V extends string> = V extends `+${string}` ? never : V extends `${Sign}${infer N}` ? Names<N> : never;

/** The variables in a URI template. */
export type Variables<U extends string> = { [K in Required_<Braced<U>>]: string } & { [K in Optional_<Braced<U>>]?: string };

/**
 * Data a client can read. A `uri` with variables (`note://{id}`, RFC 6570, levels 1 to 3) is a template, and `read` gets them.
 * Nothing (`undefined`) means that there is no such resource.
 */
export declare function resource<const U extends string>(definition: {
  uri: U;
  /** For programs; default is made of the URI. */
  name?: string;
  title?: string;
  description?: string;
  mimeType?: string;
  /** Of the raw contents, in bytes. */
  size?: number;
  annotations?: Annotations;
  icons?: readonly Icon[];
  meta?: Meta;
  /** How long what is read stays fresh. */
  cache?: Cache;
  /** Suggestions for variables: values, or a function that finds them. */
  complete?: { [V in keyof Variables<U>]?: Suggestions };
  read(variables: Variables<U>, call: Call): Awaitable<Read>;
}): Resource;

/** What `read` may return: text, bytes, contents, several of them; anything else is JSON. */
export type Read = string | Uint8Array | Contents | readonly Contents[] | { contents: Contents | readonly Contents[]; cache?: Cache; meta?: Meta } | object | undefined | void;

/** A resource with its contents: `text`, or bytes as `blob`. */
export type Contents = { uri?: string; mimeType?: string; meta?: Meta } & ({ text: string } | { blob: Uint8Array });

/** A message template that a person can choose. Its arguments come as text, and become numbers and booleans where they are to be. */
export declare function prompt<I extends Input = {}>(definition: {
  name: string;
  title?: string;
  description?: string;
  args?: I;
  icons?: readonly Icon[];
  meta?: Meta;
  /** Suggestions for arguments: values, or a function that finds them. */
  complete?: { [K in keyof Infer<I>]?: Suggestions };
  get(args: Infer<I>, call: Call): Awaitable<Got>;
}): Prompt;

/** What `get` may return: what the person says, messages, or messages with a description. */
export type Got = string | Content | Message | readonly (string | Message)[] | { description?: string; messages: string | Message | readonly (string | Message)[]; meta?: Meta };

export interface Message {
  role: "user" | "assistant";
  content: string | Content;
}

/** Suggestions while a person types. Of an array those are suggested that begin with what was typed. */
export type Suggestions = readonly string[] | ((typed: string, settled: Record<string, string>) => Awaitable<readonly string[] | { values: readonly string[]; total?: number; hasMore?: boolean }>);

/** Suggestions that are not written beside their prompt or resource. */
export declare function complete(definition: { argument: string; values: Suggestions } & ({ prompt: string } | { resource: string })): Completer;

// Content.

export interface Annotations {
  audience?: readonly ("user" | "assistant")[];
  /** From 0 (optional) to 1 (required). */
  priority?: number;
  /** ISO 8601. */
  lastModified?: string;
}

interface Hints {
  annotations?: Annotations;
  meta?: Meta;
}

export interface TextContent extends Hints {
  type: "text";
  text: string;
}

export interface MediaContent extends Hints {
  type: "image" | "audio";
  data: Uint8Array;
  mimeType: string;
}

export interface ResourceLink extends Hints {
  type: "resource_link";
  uri: string;
  name: string;
  title?: string;
  description?: string;
  mimeType?: string;
  size?: number;
  icons?: readonly Icon[];
}

export interface EmbeddedResource extends Hints {
  type: "resource";
  resource: Contents & { uri: string };
}

/** One block of a result or of a prompt. */
export type Content = TextContent | MediaContent | ResourceLink | EmbeddedResource;

export declare const content: {
  text(text: string, more?: Hints): TextContent;
  image(data: Uint8Array, mimeType: string, more?: Hints): MediaContent;
  audio(data: Uint8Array, mimeType: string, more?: Hints): MediaContent;
  link(info: ResourceInfo, more?: Hints): ResourceLink;
  embedded(resource: Contents & { uri: string }, more?: Hints): EmbeddedResource;
};

export interface ResourceInfo extends Hints {
  uri: string;
  name: string;
  title?: string;
  description?: string;
  mimeType?: string;
  size?: number;
  icons?: readonly Icon[];
}

export type TemplateInfo = Omit<ResourceInfo, "uri" | "size"> & { uriTemplate: string };

export type ToolInfo =
  | Tool
  | {
      name: string;
      title?: string;
      description?: string;
      inputSchema?: JsonSchema;
      outputSchema?: JsonSchema;
      annotations?: ToolAnnotations;
      icons?: readonly Icon[];
      meta?: Meta;
    };

export type PromptInfo =
  | Prompt
  | {
      name: string;
      title?: string;
      description?: string;
      arguments?: readonly { name: string; title?: string; description?: string; required?: boolean }[];
      icons?: readonly Icon[];
      meta?: Meta;
    };

// The call.

/** What the person did with a form. */
export type Answer<T> = { action: "accept"; content: T } | { action: "decline" | "cancel" };

/** A directory or a file the client's person works with. */
export interface Root {
  uri: string;
  name?: string;
}

/** A question to the client, made by {@link ask}. */
export interface Question<A> {
  readonly kind: { readonly tag: string };
  read(answer: any): A;
}

/** A message for the model at the client, and what it may answer with: the `params` of `sampling/createMessage`. */
export interface SampleRequest {
  messages: readonly { role: "user" | "assistant"; content: unknown }[];
  maxTokens: number;
  systemPrompt?: string;
  temperature?: number;
  [more: string]: unknown;
}

/** What the model said: the result of `sampling/createMessage`. */
export interface SampleResult {
  role: "user" | "assistant";
  content: any;
  model: string;
  stopReason?: string;
  [more: string]: unknown;
}

/** Questions for {@link Call.ask}. */
export declare const ask: {
  form<S extends Shape | Schema<any> | StandardSchema>(message: string, schema: S, more?: { meta?: Meta }): Question<Answer<Infer<S>>>;
  url(message: string, url: string, more?: { meta?: Meta }): Question<{ action: "accept" | "decline" | "cancel" }>;
  sample(params: SampleRequest): Question<SampleResult>;
  roots(): Question<Root[]>;
};

/**
 * One call of a tool, one read of a resource or one use of a prompt.
 *
 * A question ends the call; when the answer is there, the host calls again, and everything runs once more from the beginning,
 * with the answer. So do lasting things after the questions, or in {@link Call.once}.
 */
export interface Call {
  /** The name of the tool or the prompt; of a read, the URI. */
  readonly name: string;
  readonly uri: string;
  /** Asks the person to fill in a form of text, numbers, booleans and enums. `key` tells this question from others of the call. */
  elicit<const S extends Shape | Schema<any> | StandardSchema>(key: string, message: string, schema: S, more?: { meta?: Meta }): Answer<Infer<S>>;
  /** Asks the person to visit an `https:` page, for what must not pass through the client. */
  visit(key: string, message: string, url: string, more?: { meta?: Meta }): { action: "accept" | "decline" | "cancel" };
  /** Asks the client's model. */
  sample(key: string, params: SampleRequest): SampleResult;
  /** Asks which directories the person works with. */
  roots(key?: string): Root[];
  /** Asks several things at once. */
  ask<const Q extends { readonly [key: string]: Question<any> }>(questions: Q): { [K in keyof Q]: Q[K] extends Question<infer A> ? A : never };
  /** Does something once in all rounds of a call, and remembers what came of it, as JSON. */
  once<T>(key: string, work: () => Promise<T>): Promise<T> | T;
  once<T>(key: string, work: () => T): T;
}

// The host.

/** Messages for the operator's log, and for the client where it asked for them: any JSON value. `console` writes here too. */
export interface Logger {
  debug(data: unknown): void;
  info(data: unknown): void;
  notice(data: unknown): void;
  warning(data: unknown): void;
  error(data: unknown): void;
  critical(data: unknown): void;
  alert(data: unknown): void;
  emergency(data: unknown): void;
}

export declare const log: Logger & {
  /** A part of the plugin that has a name. */
  named(logger: string): Logger;
};

export declare const progress: {
  /** Says how far it has come, and how far it is to go if that is known. */
  report(done: number, total?: number, message?: string): void;
  /** Whether anyone listens. */
  isWanted(): boolean;
};

/** All there is to know about the call. */
export interface CallContext {
  /** None where the host authenticates nobody. */
  caller?: { principal: string; claims: Record<string, any> };
  /** What the client says it is. */
  client?: { name: string; version: string };
  /** What may be asked of the client. */
  abilities: { form: boolean; url: boolean; sample: boolean; sampleTools: boolean; roots: boolean; apps: boolean };
  /** Until the host ends the call. */
  remainingMs: number;
  /** W3C Trace Context. */
  trace?: { traceparent: string; tracestate?: string; baggage?: string };
  /** The request's `_meta`. */
  meta: Record<string, any>;
}

export declare const context: {
  current(): CallContext;
  /** Whether the caller's interest has ended. Work of long duration should look now and then. */
  isCancelled(): boolean;
};

/** Tells clients that something they may watch has changed. */
export declare const changes: {
  resourceUpdated(uri: string): void;
  resourcesChanged(): void;
  promptsChanged(): void;
  toolsChanged(): void;
};

/** Small values that outlive a call, private to this plugin. Asked for with `key-value` in `plugin.toml`, granted by the operator. */
export declare const keyValue: {
  get(key: string): Uint8Array | undefined;
  getText(key: string): string | undefined;
  getJson<T = any>(key: string): T | undefined;
  set(key: string, value: string | Uint8Array): void;
  setJson(key: string, value: unknown): void;
  delete(key: string): void;
  /** Sets a key if its value is still `expected`, in one step; `undefined` stands for no value, on both sides. */
  compareAndSet(key: string, expected: string | Uint8Array | undefined, value: string | Uint8Array | undefined): { done: true } | { done: false; current: Uint8Array | undefined };
  /** Changes a JSON value in one step, and returns the new one; `change` is called again if another call was faster. */
  update<T>(key: string, change: (old: T | undefined) => T): T;
  /** All keys that begin with `prefix`, in byte order. */
  keys(prefix?: string): string[];
};

/** Why the store did not do it; the text of `denied` is the line that would allow it. */
export declare class StoreError extends Error {
  readonly kind: "denied" | "limit" | "other";
}

/** Other tools of this host. Asked for with `tools` in `plugin.toml`, granted by name. */
export declare const peers: {
  /** Runs another tool, on behalf of the same caller and within the time this call has left. */
  call<T = any>(tool: string, args?: object): { text: string; content: Content[]; structured: T | undefined; isError: boolean; meta: Meta | undefined };
};

/** Why the other tool was not run. */
export declare class PeerError extends Error {
  readonly kind: "denied" | "not-found" | "invalid-arguments" | "limit" | "other";
}

/** The environment variables the operator granted. Asked for with `env` in `plugin.toml`. */
export declare const env: {
  get(name: string): string | undefined;
  all(): Record<string, string>;
};

export interface HttpOptions {
  headers?: Record<string, string> | Iterable<readonly [string, string]>;
  body?: string | Uint8Array;
  /** A body that is written as JSON. */
  json?: unknown;
  /** For everything, redirects and body included; default is what the host allows. */
  timeoutMs?: number;
  /** How long a body may be; default is 8 MiB. */
  maxBytes?: number;
  /** How many redirects are followed, each of them checked against the grants; default is 5. */
  redirects?: number;
}

/** A response. Its body is read when it is asked for. */
export interface HttpResponse {
  /** The URL that was answered: the last one, where redirects were followed. */
  readonly url: string;
  readonly status: number;
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  readonly headers: Iterable<[string, string]> & { get(name: string): string | undefined; has(name: string): boolean };
  bytes(): Uint8Array;
  /** The body; what is not UTF-8 is replaced by U+FFFD. */
  text(): string;
  json<T = any>(): T;
}

/** A blocking HTTP client; a call holds up nobody else. Asked for with `hosts` in `plugin.toml`. */
export declare const http: {
  request(method: string, url: string | { toString(): string }, options?: HttpOptions): HttpResponse;
  get(url: string | { toString(): string }, options?: HttpOptions): HttpResponse;
  post(url: string | { toString(): string }, options?: HttpOptions): HttpResponse;
  put(url: string | { toString(): string }, options?: HttpOptions): HttpResponse;
  patch(url: string | { toString(): string }, options?: HttpOptions): HttpResponse;
  delete(url: string | { toString(): string }, options?: HttpOptions): HttpResponse;
};

/** Why there is no response. The text of `host` is the host's own, often with the line that would allow the request. */
export declare class HttpError extends Error {
  constructor(kind: HttpError["kind"], message: string);
  readonly kind: "url" | "header" | "denied" | "host" | "timeout" | "too-large" | "redirects" | "failed";
}

/**
 * Why a tool did not do what was asked, as text for the model: say what is wrong and what would be right. Any other `Error` is
 * told the same way, and its stack goes to the log. The named kinds fail the call itself: the client gets an error, the model
 * no result. From a resource or a prompt every error does.
 */
export declare class ToolError extends Error {
  constructor(message: string, options?: { cause?: unknown });
  readonly kind: "not-found" | "invalid-arguments" | "denied" | "unavailable" | "cancelled" | "other" | undefined;
  /** There is nothing of that name or URI. */
  static notFound(message: string): ToolError;
  /** An argument is wrong; the text names it and says what would be right. */
  static invalidArguments(message: string): ToolError;
  /** The host refused something the plugin needs. */
  static denied(message: string): ToolError;
  /** Something the plugin depends on does not answer; a later try may work. */
  static unavailable(message: string): ToolError;
  /** The caller's interest ended and the plugin noticed. */
  static cancelled(): ToolError;
  /** Anything else. */
  static failed(message: string): ToolError;
}
