import { json } from "./text.js";

/** A JSON Schema that knows its type. Made by `t`. */
export class Schema {
  json;
  isOptional;

  constructor(json, isOptional = false) {
    this.json = json;
    this.isOptional = isOptional;
  }

  describe(description) {
    return new Schema({ ...this.json, description }, this.isOptional);
  }

  optional() {
    return new Schema(this.json, true);
  }
}

/** Options of a schema, or just its description. */
function made(json, options) {
  const more = typeof options === "string" ? { description: options } : options;
  return new Schema({ ...json, ...more });
}

export const t = {
  string: (options) => made({ type: "string" }, options),
  number: (options) => made({ type: "number" }, options),
  integer: (options) => made({ type: "integer" }, options),
  boolean: (options) => made({ type: "boolean" }, options),
  enum: (values, options) => made(typeof values[0] === "string" ? { type: "string", enum: [...values] } : { enum: [...values] }, options),
  literal: (value, options) => made({ const: value }, options),
  array: (item, options) => made({ type: "array", items: toJson(item) }, options),
  object: (shape, options) => made(object(shape), options),
  record: (value, options) => made({ type: "object", additionalProperties: toJson(value) }, options),
  union: (cases, options) => made({ anyOf: cases.map(toJson) }, options),
  nullable: (inner, options) => made({ anyOf: [toJson(inner), { type: "null" }] }, options),
  any: (options) => made({}, options),
  json: (schema) => new Schema(schema),
};

function object(shape) {
  const properties = {};
  const required = [];
  for (const [name, field] of Object.entries(shape)) {
    properties[name] = toJson(field);
    const isOptional = field instanceof Schema && (field.isOptional || "default" in field.json);
    if (!isOptional) required.push(name);
  }
  return required.length > 0 ? { type: "object", properties, required } : { type: "object", properties };
}

/** JSON Schema of anything that describes a type: one of `t`, zod and its like, or JSON Schema itself. */
function toJson(schema) {
  if (schema instanceof Schema) return schema.json;
  const standard = schema?.["~standard"];
  if (standard) return ofStandard(standard);
  if (typeof schema === "object" && schema !== null) return isShape(schema) ? object(schema) : schema;
  throw new TypeError(`a schema is made by \`t\` or zod, or is a JSON Schema object; this is ${typeof schema}`);
}

/** https://standardschema.dev/json-schema, which zod has since 4.2. */
function ofStandard(standard, direction = "input") {
  if (!standard.jsonSchema) {
    throw new TypeError(`this version of ${standard.vendor} cannot write JSON Schema; zod can since 4.2: npm install zod@latest`);
  }
  const { $schema, ...schema } = standard.jsonSchema[direction]({ target: "draft-2020-12" });
  return schema;
}

/** An object whose values are schemas, as opposed to a JSON Schema. */
function isShape(schema) {
  const values = Object.values(schema);
  return values.length > 0 && values.every((value) => value instanceof Schema || value?.["~standard"] !== undefined);
}

/** What a tool or a prompt takes: its JSON Schema, and what makes its arguments of parsed JSON. */
export function ofArguments(schema, whose) {
  if (schema === undefined) return { json: { type: "object", properties: {} }, read: (value) => value };
  const written = toJson(schema);
  if (written.type !== "object") {
    throw new TypeError(`the arguments of ${whose} must be an object; write \`input: { name: t.string() }\` or \`z.object({…})\``);
  }
  const standard = schema["~standard"];
  if (standard) {
    warmUp(standard);
    return { json: written, read: (value) => validated(standard, value) };
  }
  return { json: written, read: hasDefaults(written) ? (value) => filled(written, value) : (value) => value };
}

/** The JSON Schema of structured results. */
export function ofResult(schema) {
  const standard = schema["~standard"];
  return standard ? ofStandard(standard, "output") : toJson(schema);
}

/** The schema of a form, as text. */
export function ofForm(schema) {
  return json(toJson(schema), "the schema of the form");
}

/** What the arguments did not fit. */
export class Misfit extends Error {}

/** What zod makes when it is first used is made now, and so in the component: a call begins four times as fast. */
function warmUp(standard) {
  try {
    standard.validate({});
  } catch {
    // Only its traces are wanted.
  }
}

function validated(standard, value) {
  const result = standard.validate(value);
  if (typeof result.then === "function") return result.then((later) => valueOf(later));
  return valueOf(result);
}

function valueOf(result) {
  if (!result.issues) return result.value;
  const issues = result.issues.map((issue) => {
    const path = (issue.path ?? []).map((step) => (typeof step === "object" ? step.key : step)).join(".");
    return path ? `\`${path}\`: ${issue.message}` : issue.message;
  });
  throw new Misfit(issues.join("; "));
}

function hasDefaults(schema) {
  if (typeof schema !== "object" || schema === null) return false;
  const inner = [...Object.values(schema.properties ?? {}), schema.items];
  return inner.some((part) => typeof part === "object" && part !== null && ("default" in part || hasDefaults(part)));
}

/** The value with the defaults of its schema where it says nothing. */
function filled(schema, value) {
  if (Array.isArray(value)) return schema.items ? value.map((item) => filled(schema.items, item)) : value;
  if (typeof value !== "object" || value === null || !schema.properties) return value;
  const out = { ...value };
  for (const [name, part] of Object.entries(schema.properties)) {
    if (out[name] !== undefined) out[name] = filled(part, out[name]);
    else if (typeof part === "object" && "default" in part) out[name] = part.default;
  }
  return out;
}
