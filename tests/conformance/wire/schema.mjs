// Holds a message against the JSON Schema of a revision. The suite carries the schemas of all revisions but
// offers no door to them: they are object literals in its bundle, taken out here as data.
import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { bundle } from '../lib/suite.mjs';
import { extensionDefinitions } from './tasks.mjs';

// The literal that begins at `start`: up to its closing brace, strings skipped.
function literalAt(source, start) {
  let depth = 0;
  for (let i = start; i < source.length; i++) {
    const c = source[i];
    if (c === '{') depth++;
    else if (c === '}' && --depth === 0) return source.slice(start, i + 1);
    else if (c === '`' || c === '"' || c === "'") {
      for (i++; source[i] !== c; i++) if (source[i] === '\\') i++;
    }
  }
  throw new Error('the bundle ends within a schema');
}

function readSchemas() {
  const source = readFileSync(bundle, 'utf8');
  // {"2025-03-26":Pe,"2025-06-18":Fe,"2025-11-25":Ie,[A]:Le}: the computed key is the newest revision
  const table = /\{"2025-03-26":([\w$]+),"2025-06-18":([\w$]+),"2025-11-25":([\w$]+),\[[\w$]+\]:([\w$]+)\}/.exec(source);
  if (!table) throw new Error('the suite no longer holds its schemas where they were');
  return new Map(
    ['2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'].map((version, i) => {
      const start = source.indexOf(`${table[i + 1]}={$schema:`) + table[i + 1].length + 1;
      return [version, vm.runInNewContext(`(${literalAt(source, start)})`, {}, { timeout: 1000 })];
    })
  );
}

// The published schemas of two revisions say `integer` for the bounds and defaults of a `number`; the
// TypeScript that they are made from says number.
function mend(version, schema) {
  if (!['2025-06-18', '2025-11-25'].includes(version)) return schema;
  const { properties } = (schema.$defs ?? schema.definitions).NumberSchema;
  for (const key of ['minimum', 'maximum', 'default']) if (properties[key]?.type === 'integer') properties[key].type = 'number';
  return schema;
}

// The newest revision has its tasks in an extension.
function extend(version, schema) {
  if (version === '2026-07-28') Object.assign(schema.$defs, extensionDefinitions);
  return schema;
}

class Revision {
  constructor(version, schema) {
    const draft2020 = schema.$schema.includes('2020-12');
    this.ajv = new (draft2020 ? Ajv2020 : Ajv)({ strict: false, allErrors: true });
    addFormats(this.ajv);
    this.ajv.addFormat('byte', /^[A-Za-z0-9+/]*={0,2}$/);
    this.base = `mcp://${version}/schema.json#/${schema.$defs ? '$defs' : 'definitions'}`;
    this.ajv.addSchema({ ...mend(version, schema), $id: `mcp://${version}/schema.json` });
    this.definitions = schema.$defs ?? schema.definitions;
    this.methods = new Map(); // method -> definition of its message
    this.errors = new Map(); // code -> definition of its response
    for (const [name, definition] of Object.entries(this.definitions)) {
      const method = definition.properties?.method?.const;
      if (method) this.methods.set(method, name);
      for (const part of definition.properties?.error?.allOf ?? []) {
        const code = part.properties?.code?.const;
        if (code !== undefined) this.errors.set(code, name);
      }
    }
  }
  first(...names) {
    return names.find(name => name in this.definitions);
  }
  // What is wrong with `value` as `name`.
  validate(name, value) {
    const check = this.ajv.getSchema(`${this.base}/${name}`);
    if (check(value)) return [];
    return check.errors.slice(0, 5).map(({ instancePath, message, params }) => `${name}${instancePath} ${message} ${JSON.stringify(params)}`);
  }
  resultName(method, value) {
    if (method === 'tools/call' && (value.resultType === 'task' || 'task' in value)) return this.first('CreateTaskResult');
    if (value.resultType === 'input_required' && 'InputRequiredResult' in this.definitions) return 'InputRequiredResult';
    const request = this.methods.get(method);
    return request && this.first(request.replace(/Request$/, 'Result'));
  }
}

const revisions = new Map();
for (const [version, schema] of readSchemas()) revisions.set(version, new Revision(version, extend(version, schema)));

// Results of these say nothing: any result is one.
const empty = new Set(['ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'subscriptions/listen']);

// violations(version, message, method of the request that a response answers) -> [text]
export function violations(version, message, method) {
  const revision = revisions.get(version);
  if (!revision) return [`no schema for the revision ${version}`];
  if (message.method !== undefined) {
    const name = revision.methods.get(message.method);
    if (!name) return [`${message.method} is no method of ${version}`];
    const isNotification = name.endsWith('Notification');
    if (isNotification === 'id' in message) return [`${message.method} ${isNotification ? 'with' : 'without'} an id`];
    return revision.validate(name, message);
  }
  if (message.error) {
    return revision.validate(revision.errors.get(message.error.code) ?? revision.first('JSONRPCErrorResponse', 'JSONRPCError'), message);
  }
  if (message.result === undefined) return ['neither a method nor a result nor an error'];
  const envelope = revision.validate(revision.first('JSONRPCResultResponse', 'JSONRPCResponse'), message);
  const name = revision.resultName(method, message.result);
  if (!name && !empty.has(method)) return [...envelope, `no definition of the result of ${method} in ${version}`];
  return [...envelope, ...(name ? revision.validate(name, message.result) : [])];
}
