/**
 * URI templates (RFC 6570, levels 1 to 3), read backwards: from a URI to the variables it was made of. A template becomes a
 * regular expression when the plugin is built, so that a read costs one match.
 */

// What an expression begins with (section 2.2): what it puts first and between, and which characters end a value.
const OPERATORS = {
  "": { first: "", separator: ",", value: "[^/;?#]" },
  "+": { first: "", separator: ",", value: "." },
  "#": { first: "#", separator: ",", value: "." },
  ".": { first: ".", separator: ".", value: "[^/;?#]" },
  "/": { first: "/", separator: "/", value: "[^;?#]" },
  ";": { first: ";", separator: ";", named: true, value: "[^/?#]" },
  "?": { first: "?", separator: "&", named: true, value: "[^#]" },
  "&": { first: "&", separator: "&", named: true, value: "[^#]" },
};

/** Whether there is anything to fill in. */
export function isTemplate(uri) {
  return uri.includes("{");
}

/** Reads a template. The function it returns gives the variables of a URI, or undefined if the template does not lead to it. */
export function template(source) {
  const readers = [];
  const pattern = source.replace(/\{([^{}]*)\}|[^{]+|\{/g, (piece, expression) => {
    if (expression === undefined) {
      if (piece.startsWith("{")) throw new TypeError(`the URI \`${source}\` has a brace that is not closed`);
      return literal(piece);
    }
    return expressionPattern(expression, source, readers);
  });
  const expected = new RegExp(`^${pattern}$`, "s");
  return (uri) => {
    const found = expected.exec(uri);
    if (!found) return undefined;
    const variables = {};
    const fit = readers.every((read, i) => read(found[i + 1], variables));
    return fit ? variables : undefined;
  };
}

/** The names of the variables in a template. */
export function variables(source) {
  return [...source.matchAll(/\{[+#./;?&]?([^{}]*)\}/g)].flatMap(([, names]) => names.split(","));
}

function expressionPattern(expression, source, readers) {
  const [, sign, list] = /^([+#./;?&]?)(.*)$/s.exec(expression);
  const names = list.split(",");
  for (const name of names) {
    if (!/^[A-Za-z0-9_.]+$/.test(name)) {
      throw new TypeError(`\`{${expression}}\` in the URI \`${source}\` is no expression of RFC 6570, levels 1 to 3`);
    }
  }
  const { first, separator, named, value } = OPERATORS[sign];
  readers.push((piece, variables) => {
    if (piece === undefined) return true;
    return named ? readNamed(piece, separator, names, variables) : readListed(piece, separator, names, variables);
  });
  // One variable in a path takes one segment.
  const one = sign === "/" && names.length === 1 ? "[^/;?#]" : value;
  const group = `(${one}+)`;
  return first === "" ? group : `(?:${literal(first)}${group})?`;
}

/** Values in the order of their names. One variable alone takes separators for characters. */
function readListed(piece, separator, names, variables) {
  const values = names.length === 1 ? [piece] : piece.split(separator);
  if (values.length > names.length) return false;
  return values.every((value, i) => value !== "" && put(variables, names[i], value));
}

/** Values that come with their names, in any order. */
function readNamed(piece, separator, names, variables) {
  return piece.split(separator).every((pair) => {
    const at = pair.indexOf("=");
    const name = at < 0 ? pair : pair.slice(0, at);
    if (!names.includes(name) || name in variables) return false;
    return put(variables, name, at < 0 ? "" : pair.slice(at + 1));
  });
}

function put(variables, name, value) {
  try {
    variables[name] = decodeURIComponent(value);
    return true;
  } catch {
    return false;
  }
}

function literal(piece) {
  return piece.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
