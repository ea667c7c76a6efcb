import { Misfit } from "./schema.js";

/** The arguments of a prompt, which are texts, as what their JSON Schema wants: numbers, booleans, or still texts. */
export function fromTexts(schema, texts) {
  const values = {};
  for (const [name, text] of Object.entries(texts)) {
    const part = schema.properties?.[name];
    values[name] = part ? fromText(part, text, name) : text;
  }
  for (const name of schema.required ?? []) {
    if (!(name in values)) throw new Misfit(`\`${name}\` is missing`);
  }
  return values;
}

function fromText(part, text, name) {
  switch (part.type) {
    case "number":
    case "integer": {
      const number = text.trim() === "" ? NaN : Number(text);
      if (Number.isNaN(number) || (part.type === "integer" && !Number.isInteger(number))) {
        throw new Misfit(`\`${name}\` is \`${text}\`; expected ${part.type === "integer" ? "an integer" : "a number"}`);
      }
      return inRange(part, number, name);
    }
    case "boolean":
      if (text !== "true" && text !== "false") throw new Misfit(`\`${name}\` is \`${text}\`; expected \`true\` or \`false\``);
      return text === "true";
    default:
      if (part.enum && !part.enum.includes(text)) {
        throw new Misfit(`\`${name}\` is \`${text}\`; expected one of \`${part.enum.join("`, `")}\``);
      }
      return text;
  }
}

function inRange({ minimum, maximum }, number, name) {
  if (number < minimum) throw new Misfit(`\`${name}\` is ${number}; expected ${minimum} or more`);
  if (number > maximum) throw new Misfit(`\`${name}\` is ${number}; expected ${maximum} or less`);
  return number;
}
