/** JSON Schema, as it is written. */
export type JsonSchema = { readonly [keyword: string]: unknown };

declare const type: unique symbol;
declare const isOptional: unique symbol;

/** A JSON Schema that knows its type. Made by {@link t}. */
export interface Schema<T> {
  readonly json: JsonSchema;
  readonly [type]?: T;
  /** The same, with what it is for: the model reads that. */
  describe(description: string): this;
  /** The same, which may be left out. */
  optional(): OptionalSchema<T>;
}

/** A schema of something that may be left out. */
export interface OptionalSchema<T> extends Schema<T> {
  readonly [isOptional]: true;
}

/** Anything that validates and writes JSON Schema by https://standardschema.dev: zod since 4.2, and others. */
export interface StandardSchema<Out = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: unknown; readonly output: Out } | undefined;
  };
}

/** The fields of an object. */
export type Shape = { readonly [name: string]: Schema<any> | StandardSchema };

/** What a tool or a prompt can take: fields, a schema of `t` or zod, or JSON Schema. */
export type Input = Shape | Schema<any> | StandardSchema | JsonSchema;

/** The type that a schema stands for. JSON Schema as it is written stands for any object. */
export type Infer<S> =
  S extends Schema<infer T> ? T
  : S extends { readonly "~standard": { readonly types?: infer Types } } ? (NonNullable<Types> extends { readonly output: infer Out } ? Out : never)
  : S extends Shape ? InferShape<S>
  : Record<string, any>;

type OptionalKeys<S> = { [K in keyof S]: S[K] extends OptionalSchema<any> ? K : never }[keyof S];

/** The type of an object with these fields. */
export type InferShape<S extends Shape> = Flat<
  { [K in Exclude<keyof S, OptionalKeys<S>>]: Infer<S[K]> } & { [K in OptionalKeys<S>]?: Infer<S[K]> | undefined }
>;

type Flat<T> = { [K in keyof T]: T[K] } & {};

/** What every schema can say; `default` is filled in where an argument is missing. */
export interface SchemaOptions<T> {
  title?: string;
  description?: string;
  default?: T;
  examples?: readonly T[];
}

export interface StringOptions extends SchemaOptions<string> {
  minLength?: number;
  maxLength?: number;
  /** A regular expression. */
  pattern?: string;
  format?: "email" | "uri" | "date" | "date-time" | (string & {});
}

export interface NumberOptions extends SchemaOptions<number> {
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
}

export interface ArrayOptions<T> extends SchemaOptions<T> {
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
}

export interface ObjectOptions<T> extends SchemaOptions<T> {
  /** `false` refuses fields that are not named. */
  additionalProperties?: boolean;
}

/**
 * Schemas without a library. Each takes its description, or options with more:
 * `t.string("A city.")`, `t.integer({ description: "How many.", minimum: 1, default: 10 })`.
 */
export declare const t: {
  string(options?: string | StringOptions): Schema<string>;
  number(options?: string | NumberOptions): Schema<number>;
  integer(options?: string | NumberOptions): Schema<number>;
  boolean(options?: string | SchemaOptions<boolean>): Schema<boolean>;
  /** One of these values. */
  enum<const T extends string | number | boolean>(values: readonly T[], options?: string | SchemaOptions<T>): Schema<T>;
  literal<const T extends string | number | boolean | null>(value: T, options?: string | SchemaOptions<T>): Schema<T>;
  array<S extends Schema<any> | StandardSchema>(item: S, options?: string | ArrayOptions<Infer<S>[]>): Schema<Infer<S>[]>;
  object<const S extends Shape>(shape: S, options?: string | ObjectOptions<InferShape<S>>): Schema<InferShape<S>>;
  /** An object with any keys. */
  record<S extends Schema<any> | StandardSchema>(value: S, options?: string | SchemaOptions<Record<string, Infer<S>>>): Schema<Record<string, Infer<S>>>;
  union<const S extends readonly (Schema<any> | StandardSchema)[]>(cases: S, options?: string | SchemaOptions<Infer<S[number]>>): Schema<Infer<S[number]>>;
  nullable<S extends Schema<any> | StandardSchema>(inner: S, options?: string | SchemaOptions<Infer<S> | null>): Schema<Infer<S> | null>;
  any(options?: string | SchemaOptions<unknown>): Schema<unknown>;
  /** JSON Schema as it is written, with the type you say it has. */
  json<T = any>(schema: JsonSchema): Schema<T>;
};
