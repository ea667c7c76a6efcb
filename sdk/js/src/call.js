import { ToolError } from "./error.js";
import { ofForm } from "./schema.js";
import { decode, encode, json, meta, text } from "./text.js";

/** One question to the client. */
class Question {
  constructor(kind, read) {
    this.kind = kind;
    this.read = read;
  }
}

/** What can be asked of the client, for `call.ask`. */
export const ask = {
  form: (message, schema, more) =>
    new Question({ tag: "form", val: { message: text(message), schema: ofForm(schema), meta: meta(more?.meta) } }, person),
  url: (message, url, more) =>
    new Question({ tag: "url", val: { message: text(message), url: text(url), meta: meta(more?.meta) } }, person),
  sample: (params) => new Question({ tag: "sample", val: json(params, "the request to the model") }, ({ val }) => JSON.parse(val)),
  roots: () =>
    new Question({ tag: "roots" }, ({ val }) => val.map(({ uri, name }) => (name == null ? { uri } : { uri, name }))),
};

function person({ val }) {
  return val.tag === "accept" ? { action: "accept", content: val.val == null ? {} : JSON.parse(val.val) } : { action: val.tag };
}

/** What ends `run` while a question is open. The host calls again with the answers. */
class Unanswered extends Error {
  constructor() {
    super("the client has been asked; do not catch this");
    this.name = "Unanswered";
  }
}

/** One call of a tool, one read of a resource or one use of a prompt. */
export class Call {
  /**
   * What the client has answered so far and what `once` has done so far, by key, and the questions that are open. Most calls ask
   * nothing and keep nothing, and so have none of it.
   */
  #rounds;

  /** The name of the tool or the prompt; of a read, the URI. */
  name;

  constructor(name, continuation) {
    this.name = name;
    if (continuation == null) return;
    const { answers, done } = continuation.state == null ? { answers: {}, done: {} } : JSON.parse(decode(continuation.state));
    for (const { key, answer } of continuation.responses) answers[key] = answer;
    this.#rounds = { answers, done, open: [] };
  }

  get uri() {
    return this.name;
  }

  #begun() {
    this.#rounds ??= { answers: {}, done: {}, open: [] };
    return this.#rounds;
  }

  elicit(key, message, schema, more) {
    return this.ask({ [key]: ask.form(message, schema, more) })[key];
  }

  visit(key, message, url, more) {
    return this.ask({ [key]: ask.url(message, url, more) })[key];
  }

  sample(key, params) {
    return this.ask({ [key]: ask.sample(params) })[key];
  }

  roots(key = "roots") {
    return this.ask({ [key]: ask.roots() })[key];
  }

  ask(questions) {
    const rounds = this.#begun();
    const open = Object.entries(questions).filter(([key]) => !Object.hasOwn(rounds.answers, key));
    if (open.length > 0) {
      rounds.open = open.map(([key, { kind }]) => ({ key: text(key), kind }));
      throw new Unanswered();
    }
    return Object.fromEntries(Object.entries(questions).map(([key, { read }]) => [key, this.#answer(key, read)]));
  }

  #answer(key, read) {
    const answer = this.#rounds.answers[key];
    if (answer.tag === "failed") throw new ToolError(`the client could not answer \`${key}\`: ${answer.val}`);
    return read(answer);
  }

  once(key, work) {
    const { done } = this.#begun();
    if (Object.hasOwn(done, key)) return done[key];
    const value = work();
    if (typeof value?.then === "function") return value.then((later) => this.#keep(key, later));
    return this.#keep(key, value);
  }

  #keep(key, value) {
    // As it will be when it comes back, so that nothing depends on the round.
    const kept = value === undefined ? null : JSON.parse(json(value, `what \`once\` keeps under \`${key}\``));
    this.#begun().done[key] = kept;
    return kept;
  }

  /** What is still to be asked, as the contract has it; undefined if nothing is. */
  get inputRequired() {
    if (!this.#rounds || this.#rounds.open.length === 0) return undefined;
    const { answers, done, open } = this.#rounds;
    const empty = Object.keys(answers).length === 0 && Object.keys(done).length === 0;
    return { requests: open, state: empty ? undefined : encode(JSON.stringify({ answers, done })) };
  }
}
