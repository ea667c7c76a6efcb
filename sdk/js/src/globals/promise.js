import { addJob } from "./loop.js";

/** `Promise` (ECMA-262, section 27.2) on our own job queue. The builder turns async functions into generators that use it. */
export class Promise {
  #state = "pending";
  #value;
  #waiting = [];

  constructor(executor) {
    if (typeof executor !== "function") throw new TypeError("a promise needs a function");
    const { resolve, reject } = this.#functions();
    try {
      executor(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  #functions() {
    let isCalled = false;
    const once = (work) => (value) => {
      if (isCalled) return;
      isCalled = true;
      work(value);
    };
    return { resolve: once((value) => this.#resolve(value)), reject: once((error) => this.#settle("rejected", error)) };
  }

  #resolve(value) {
    if (value === this) return this.#settle("rejected", new TypeError("a promise cannot wait for itself"));
    if (value === null || (typeof value !== "object" && typeof value !== "function")) return this.#settle("fulfilled", value);
    let then;
    try {
      then = value.then;
    } catch (error) {
      return this.#settle("rejected", error);
    }
    if (typeof then !== "function") return this.#settle("fulfilled", value);
    addJob(() => {
      const { resolve, reject } = this.#functions();
      try {
        then.call(value, resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
  }

  #settle(state, value) {
    this.#state = state;
    this.#value = value;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const reaction of waiting) this.#react(reaction);
  }

  #react({ fulfilled, rejected, resolve, reject }) {
    const handler = this.#state === "fulfilled" ? fulfilled : rejected;
    addJob(() => {
      if (typeof handler !== "function") return this.#state === "fulfilled" ? resolve(this.#value) : reject(this.#value);
      try {
        resolve(handler(this.#value));
      } catch (error) {
        reject(error);
      }
    });
  }

  then(fulfilled, rejected) {
    const Type = this.constructor?.[Symbol.species] ?? Promise;
    const { promise, resolve, reject } = Promise.withResolvers.call(Type);
    const reaction = { fulfilled, rejected, resolve, reject };
    if (this.#state === "pending") this.#waiting.push(reaction);
    else this.#react(reaction);
    return promise;
  }

  catch(rejected) {
    return this.then(undefined, rejected);
  }

  finally(work) {
    if (typeof work !== "function") return this.then(work, work);
    return this.then(
      (value) => Promise.resolve(work()).then(() => value),
      (error) => Promise.resolve(work()).then(() => {
        throw error;
      }),
    );
  }

  get [Symbol.toStringTag]() {
    return "Promise";
  }

  static get [Symbol.species]() {
    return this;
  }

  static withResolvers() {
    let resolve;
    let reject;
    const promise = new this((ok, no) => {
      resolve = ok;
      reject = no;
    });
    return { promise, resolve, reject };
  }

  static resolve(value) {
    if (value instanceof Promise && value.constructor === this) return value;
    return new this((resolve) => resolve(value));
  }

  static reject(error) {
    return new this((_, reject) => reject(error));
  }

  static try(work, ...args) {
    return new this((resolve) => resolve(work(...args)));
  }

  static all(values) {
    return gathered(this, values, (each, put, _, reject) => each.then(put, reject));
  }

  static allSettled(values) {
    return gathered(this, values, (each, put) =>
      each.then(
        (value) => put({ status: "fulfilled", value }),
        (reason) => put({ status: "rejected", reason }),
      ));
  }

  static any(values) {
    const failed = (errors) => new AggregateError(errors, "every promise was rejected");
    const errors = gathered(this, values, (each, put, done) => each.then((value) => done({ value }), put));
    return errors.then((ended) => {
      if (Array.isArray(ended)) throw failed(ended);
      return ended.value;
    });
  }

  static race(values) {
    return new this((resolve, reject) => {
      for (const value of values) this.resolve(value).then(resolve, reject);
    });
  }
}

/** A promise of what `wait` puts together, in the order of the values. */
function gathered(Type, values, wait) {
  return new Type((resolve, reject) => {
    const all = [];
    let open = 1;
    const close = () => --open === 0 && resolve(all);
    let index = 0;
    for (const value of values) {
      const at = index++;
      open++;
      all[at] = undefined;
      let isPut = false;
      const put = (result) => {
        if (isPut) return;
        isPut = true;
        all[at] = result;
        close();
      };
      wait(Type.resolve(value), put, resolve, reject);
    }
    close();
  });
}
