// Schemas and values at random, from a seed: the same seed gives the same.
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n) {
    return Math.floor(this.next() * n);
  }
  chance(p) {
    return this.next() < p;
  }
  pick(list) {
    return list[this.below(list.length)];
  }
  some(list, p) {
    return list.filter(() => this.chance(p));
  }
}

const NAMES = ['a', 'b', 'c', 'dd', 'é', 'x-1', 'a/b', 'n~m'];
const STRINGS = ['', 'a', 'ab', 'abc', 'é', '💩', 'a💩b', '2024-02-29', '12', 'A1', 'foo bar', '\u2028', 'x\ny', '_z'];
const NUMBERS = [0, 1, -1, 2, 3, 5, 7, 10, 12, 100, 0.5, 1.5, 0.1, 0.3, -2.5, 1e3, 1e15, 4294967296];
const PATTERNS = ['^a', 'b$', '^[a-z]+$', '\\d', '^\\w*$', '^.$', '^.{2,3}$', '\\s', '^\\S+$', '^(?:a|b|é)+$', '[^a-c]', '^\\p{L}', '\\u00e9', '\\.', '^$', 'x\\ny', '^[\\d\\-]+$', '[\\s_]'];
const TYPES = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];

export function value(random, depth = 3) {
  const kind = random.below(depth > 0 ? 9 : 6);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind <= 3) return random.pick(NUMBERS);
  if (kind <= 5) return random.pick(STRINGS);
  if (kind === 6) return Array.from({ length: random.below(5) }, () => value(random, depth - 1));
  return Object.fromEntries(random.some(NAMES, 0.4).map((name) => [name, value(random, depth - 1)]));
}

// One schema. `draft` is 7 or 2020; `refs` names what $ref may lead to.
export function schema(random, draft, depth = 3, refs = ['#/definitions/one', '#/definitions/two']) {
  if (random.chance(0.04)) return random.chance(0.7);
  const sub = () => schema(random, draft, depth - 1, refs);
  if (draft === 7 && random.chance(0.08)) return { $ref: random.pick(refs) };
  const out = {};
  const modern = draft === 2020;
  if (random.chance(0.55)) out.type = random.chance(0.8) ? random.pick(TYPES) : [...new Set([random.pick(TYPES), random.pick(TYPES)])];
  const number = {
    minimum: () => random.pick(NUMBERS),
    maximum: () => random.pick(NUMBERS),
    exclusiveMinimum: () => random.pick(NUMBERS),
    exclusiveMaximum: () => random.pick(NUMBERS),
    multipleOf: () => random.pick([1, 2, 3, 5, 0.5, 0.1, 0.01, 1.5])
  };
  const string = {
    minLength: () => random.below(4),
    maxLength: () => random.below(6),
    pattern: () => random.pick(PATTERNS)
  };
  const general = {
    const: () => value(random, 1),
    enum: () => Array.from({ length: 1 + random.below(4) }, () => value(random, 1))
  };
  const take = (table, p) => {
    for (const [name, make] of Object.entries(table)) if (random.chance(p)) out[name] = make();
  };
  take(general, 0.05);
  take(number, 0.12);
  take(string, 0.12);
  if (depth === 0) return out;
  const list = (n) => Array.from({ length: 1 + random.below(n) }, sub);
  const named = (p) => Object.fromEntries(random.some(NAMES, p).map((name) => [name, sub()]));
  const array = {
    minItems: () => random.below(3),
    maxItems: () => 1 + random.below(4),
    uniqueItems: () => random.chance(0.7),
    contains: sub,
    ...(modern
      ? { prefixItems: () => list(3), items: sub }
      : { items: () => (random.chance(0.5) ? sub() : list(3)), additionalItems: sub })
  };
  const object = {
    properties: () => named(0.5),
    patternProperties: () => Object.fromEntries(random.some(['^a', '^[a-d]+$', '/', 'é'], 0.5).map((p) => [p, sub()])),
    additionalProperties: () => (random.chance(0.4) ? false : sub()),
    required: () => random.some(NAMES, 0.25),
    minProperties: () => random.below(3),
    maxProperties: () => 1 + random.below(4),
    propertyNames: () => random.pick([{ minLength: 1 }, { maxLength: 2 }, { pattern: '^[a-z]' }, { enum: ['a', 'b', 'dd'] }]),
    ...(modern
      ? {
          dependentRequired: () => Object.fromEntries(random.some(NAMES, 0.2).map((n) => [n, random.some(NAMES, 0.3)])),
          dependentSchemas: () => named(0.2)
        }
      : { dependencies: () => Object.fromEntries(random.some(NAMES, 0.3).map((n) => [n, random.chance(0.5) ? sub() : random.some(NAMES, 0.3)])) })
  };
  const logic = {
    allOf: () => list(2),
    anyOf: () => list(3),
    oneOf: () => list(3),
    not: sub
  };
  take(array, 0.18);
  // ajv lets an empty array through where `contains` stands beside a list of items.
  if (Array.isArray(out.items) || out.prefixItems) delete out.contains;
  take(object, 0.2);
  take(logic, 0.1);
  if (random.chance(0.1)) Object.assign(out, { if: sub(), then: sub(), else: sub() });
  if (modern) {
    if (out.contains !== undefined && random.chance(0.4)) {
      out.minContains = random.below(3);
      out.maxContains = random.below(3) + 1;
    }
    if (random.chance(0.06)) out.$ref = random.pick(refs);
    if (random.chance(0.12)) out.unevaluatedProperties = random.chance(0.6) ? false : sub();
    // ajv takes every item for judged where `contains` stands; the specification only those that fit.
    const contains = JSON.stringify(out).includes('"contains"') || '$ref' in out;
    if (!contains && random.chance(0.1)) out.unevaluatedItems = random.chance(0.6) ? false : sub();
  }
  return out;
}

// With $schema, and definitions that refer to each other only on the way down: a $ref that leads to itself
// for the same value has no answer.
export function document(random, draft) {
  const root = schema(random, draft, 3);
  const body = typeof root === 'object' ? root : { not: {}, ...(root ? { not: false } : {}) };
  const uri = draft === 7 ? 'http://json-schema.org/draft-07/schema#' : 'https://json-schema.org/draft/2020-12/schema';
  return {
    $schema: uri,
    ...(draft === 7 && body.$ref ? { allOf: [body] } : body),
    definitions: {
      one: schema(random, draft, 2, ['#/definitions/two']),
      two: schema(random, draft, 1, ['#/definitions/three']),
      three: { type: random.pick(TYPES) }
    }
  };
}

// A value that is likely to fit: what the schema says first, as far as that is easy.
export function fitting(random, s, depth = 3) {
  if (typeof s !== 'object' || depth < 0 || random.chance(0.1)) return value(random, Math.max(depth, 0));
  if ('const' in s) return s.const;
  if (s.enum) return random.pick(s.enum);
  const type = Array.isArray(s.type) ? random.pick(s.type) : (s.type ?? (s.properties || s.required ? 'object' : s.items || s.prefixItems ? 'array' : undefined));
  if (type === 'object') {
    const names = new Set([...random.some(Object.keys(s.properties ?? {}), 0.7), ...(s.required ?? [])]);
    if (random.chance(0.3)) names.add(random.pick(NAMES));
    return Object.fromEntries([...names].map((n) => [n, fitting(random, s.properties?.[n] ?? s.additionalProperties, depth - 1)]));
  }
  if (type === 'array') {
    const first = s.prefixItems ?? (Array.isArray(s.items) ? s.items : []);
    const rest = Array.isArray(s.items) ? s.additionalItems : s.items;
    return Array.from({ length: (s.minItems ?? 0) + random.below(4) }, (_, i) => fitting(random, first[i] ?? rest, depth - 1));
  }
  if (type === 'string') return random.pick(STRINGS);
  if (type === 'number') return random.pick(NUMBERS);
  if (type === 'integer') return random.pick(NUMBERS.filter(Number.isInteger));
  if (type === 'boolean') return random.chance(0.5);
  if (type === 'null') return null;
  return value(random, depth);
}
